"""Quotes made by us, for all tests of the fan-out."""

from __future__ import annotations

from ticker.quote import Quote


def quote(symbol: str, seq: int = 1, price: float = 1.5) -> Quote:
    """A quote as the board publishes it."""
    return Quote(symbol=symbol, price=price, received_time=1_700_000_000_000 + seq, seq=seq, source="sim", kind="simulated", state="fresh")
