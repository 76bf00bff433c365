"""The core of tickercast: quotes, board, settings, scheduling. Imports no other package of ours."""

__version__ = "0.1.0"
