"""Boards with one source or two, and what stands on them."""

from typing import Any

import msgspec

from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.errors import FeedError
from ticker.quote import Quote, Tick
from ticker.settings.model import QualitySettings, SymbolSettings

NOW = 1_700_000_000_000
LIMIT = 10_000
TERMS = {"a": FeedTerms("polled", 2.0), "b": FeedTerms("polled", 2.0)}
UNKNOWN = FeedError("unknown", rejects_symbol=True)
ANY_PRICE = QualitySettings(max_jump_pct=100_000)
"""What is a jump is the business of other tests."""


def board_of(**symbols: SymbolSettings) -> Board:
    """A board with these symbols and feeds `a` and `b`."""
    board = Board("epoch")
    board.configure(symbols, TERMS, NOW, ANY_PRICE)
    return board


def one_source() -> Board:
    """A board with one symbol of one feed."""
    return board_of(X=SymbolSettings(feed=("a",)))


def two_sources() -> Board:
    """A board with one symbol that prefers `a` to `b`."""
    return board_of(X=SymbolSettings(feed=("a", "b")))


def tick(price: float, **fields: Any) -> dict[str, Tick | FeedError]:
    """An answer for X."""
    return {"X": Tick(price=price, **fields)}


def seen(quotes: list[Quote]) -> list[tuple[object, ...]]:
    """What matters of updates, in short."""
    return [(quote.seq, quote.price, quote.source, quote.state) for quote in quotes]


def state(board: Board, symbol: str = "X") -> dict[str, Any]:
    """The symbol's entry of the wire's `symbols`."""
    (entry,) = board.symbols_state([symbol])
    told: dict[str, Any] = msgspec.to_builtins(entry)
    return told
