"""A board with one symbol on it, and a hand that feeds it."""

from __future__ import annotations

from typing import Any

import msgspec

from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.errors import FeedError
from ticker.quote import Quote, Tick
from ticker.settings.model import QualitySettings, SymbolSettings

NOW = 1_700_000_000_000
TERMS = {feed: FeedTerms("polled", 2.0) for feed in ("a", "b", "c")}
"""Without other settings, stale after 10 s."""


class Desk:
    """A board with one symbol, X. Each answer comes two seconds after the one before, and says that it was made just then."""

    def __init__(self, *feeds: str, quality: QualitySettings | None = None, **symbol: Any) -> None:
        self.board = Board("epoch")
        self.now = NOW
        self.board.configure({"X": SymbolSettings(feed=feeds or ("a",), **symbol)}, TERMS, NOW, quality)

    def hear(self, price: float, feed: str = "a", *, passed_ms: int = 2_000, **fields: Any) -> list[float]:
        """`feed` says `price`; returns the prices that were published as fresh."""
        self.now += passed_ms
        return self.take(Tick(price=price, **{"quote_time": self.now, **fields}), feed)

    def take(self, news: Tick | FeedError, feed: str = "a") -> list[float]:
        """`feed` says `news` now; returns the prices that were published as fresh."""
        return [quote.price for quote in self.board.apply(feed, {"X": news}, self.now) if quote.state == "fresh"]

    @property
    def quote(self) -> Quote:
        """What is on show."""
        return self.board.quotes["X"]

    @property
    def state(self) -> dict[str, Any]:
        """What people are told."""
        told: dict[str, Any] = msgspec.to_builtins(self.board.quality_state(self.now))
        return told

    def bad_ticks(self) -> list[tuple[str, int]]:
        """The feeds with bad ticks, and how many."""
        return [(entry["feed"], entry["count"]) for entry in self.state["bad_ticks"]["recent"]]
