"""The last hour of every symbol, a bar a minute, in memory of a fixed size: sparklines and the past of a chart.

A plain object: no clock, no task. Prices are looked at (`sample`), not followed: the cost is one a symbol a look, whatever the rate
of the feeds. So a bar's high and low are those of the looks, and a price that is not fresh makes no bar: a gap is a gap.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ticker.quote import Quote

MINUTE_MS = 60_000
MINUTES = 60
"""How far back the bars go."""
_NONE = -1.0  # no bar: prices are positive


class Bar(NamedTuple):
    """One minute of a symbol. `time_ms`: when it began, epoch ms. `volume`: traded in it, 0 where the source does not say."""

    time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class _Ring:
    """The bars of one symbol, by minute modulo `MINUTES`: 2.4 KB."""

    __slots__ = ("close", "high", "low", "newest", "open", "traded", "volume")

    def __init__(self) -> None:
        self.newest = 0  # the minute of the newest bar, epoch minutes
        self.open, self.high, self.low, self.close, self.volume = (array("d", [_NONE]) * MINUTES for _ in range(5))
        self.traded: float | None = None  # the source's count at the last look

    def take(self, price: float, volume: float | None, minute: int) -> None:
        if minute < self.newest:
            return  # the wall clock was set back: wait until it has caught up
        slot = minute % MINUTES
        if minute > self.newest:
            for passed in range(max(self.newest + 1, minute - MINUTES + 1), minute + 1):
                self.close[passed % MINUTES] = _NONE
            self.newest = minute
        if self.close[slot] == _NONE:
            self.open[slot] = self.high[slot] = self.low[slot] = price
            self.volume[slot] = 0.0
        elif price > self.high[slot]:
            self.high[slot] = price
        elif price < self.low[slot]:
            self.low[slot] = price
        self.close[slot] = price
        if volume is not None:
            if self.traded is not None:
                # A count that fell began anew: another session.
                self.volume[slot] += volume - self.traded if volume >= self.traded else volume
            self.traded = volume

    def bars(self, minute: int) -> Iterable[Bar]:
        for one in range(max(self.newest - MINUTES + 1, minute - MINUTES + 1), min(self.newest, minute) + 1):
            slot = one % MINUTES
            if self.close[slot] != _NONE:
                yield Bar(one * MINUTE_MS, self.open[slot], self.high[slot], self.low[slot], self.close[slot], self.volume[slot])


class History:
    """Bars by symbol. Bounded: 60 bars a symbol that is on the board."""

    def __init__(self) -> None:
        self._rings: dict[str, _Ring] = {}

    def sample(self, quotes: Mapping[str, Quote], now_ms: int) -> None:
        """Look at the board: `quotes` are its newest, all of them. A symbol that is gone is forgotten. `now_ms`: epoch ms."""
        rings, minute = self._rings, now_ms // MINUTE_MS
        for symbol in rings.keys() - quotes.keys():
            del rings[symbol]
        for symbol, quote in quotes.items():
            if quote.state == "fresh":
                ring = rings.get(symbol)
                if ring is None:
                    ring = rings[symbol] = _Ring()
                ring.take(quote.price, quote.volume, minute)

    def bars(self, symbol: str, now_ms: int) -> list[Bar]:
        """The bars of the last 60 minutes, oldest first; minutes without a fresh price have none."""
        ring = self._rings.get(symbol)
        return [] if ring is None else list(ring.bars(now_ms // MINUTE_MS))

    def sparkline(self, symbol: str, now_ms: int) -> list[tuple[int, float]]:
        """The same as (beginning of the minute in epoch ms, last price)."""
        return [(bar.time_ms, bar.close) for bar in self.bars(symbol, now_ms)]
