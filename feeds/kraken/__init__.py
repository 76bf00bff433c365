"""Kraken spot, public market data: polled and streamed."""
