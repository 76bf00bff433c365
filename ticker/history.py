"""The last hour of every symbol, a bar a minute, in memory of a fixed size: sparklines and the past of a chart.

A plain object: no clock, no task. Prices are looked at (`sample`), not followed: the cost is one a symbol a look, whatever the rate
of the feeds. So a bar's high and low are those of the looks, and a price that is not fresh makes no bar: a gap is a gap.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ticker.quote import Quote, VolumeOf

MINUTE_MS = 60_000
DAY_MS = 86_400_000
MINUTES = 60
"""How far back the bars go."""
ANEW_BELOW = 0.1
"""A count that falls below this share of what it was began anew, whatever the time; one that falls less was put right."""
_NONE = math.nan  # no bar, or no volume: a price may have any sign


class Bar(NamedTuple):
    """One minute of a symbol. `time_ms`: when it began, epoch ms. `volume`: traded in it, `None` where the source's count can't tell."""

    time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None


class _Ring:
    """The bars of one symbol, by minute modulo `MINUTES`: 2.4 KB."""

    __slots__ = ("close", "count", "high", "low", "newest", "open", "volume")

    def __init__(self) -> None:
        self.newest = 0  # the minute of the newest bar, epoch minutes
        self.open, self.high, self.low, self.close, self.volume = (array("d", [_NONE]) * MINUTES for _ in range(5))
        self.count = _Count()

    def take(self, price: float, traded: float, minute: int) -> None:
        if minute < self.newest:
            return  # the wall clock was set back: wait until it has caught up
        slot = minute % MINUTES
        if minute > self.newest:
            for passed in range(max(self.newest + 1, minute - MINUTES + 1), minute + 1):
                self.close[passed % MINUTES] = _NONE
            self.newest = minute
        if math.isnan(self.close[slot]):
            self.open[slot] = self.high[slot] = self.low[slot] = price
            self.volume[slot] = traded
        else:
            if price > self.high[slot]:
                self.high[slot] = price
            elif price < self.low[slot]:
                self.low[slot] = price
            self.volume[slot] += traded  # what can't be told of one look can't be told of its bar
        self.close[slot] = price

    def bars(self, minute: int) -> Iterable[Bar]:
        for one in range(max(self.newest - MINUTES + 1, minute - MINUTES + 1), min(self.newest, minute) + 1):
            slot = one % MINUTES
            if not math.isnan(self.close[slot]):
                volume = self.volume[slot]
                yield Bar(one * MINUTE_MS, self.open[slot], self.high[slot], self.low[slot], self.close[slot],
                          None if math.isnan(volume) else volume)


class _Count:
    """What a source has counted up to the last look. Another source's count has nothing to do with it."""

    __slots__ = ("counted", "minute", "period", "rests", "whose")

    def __init__(self) -> None:
        self.counted = _NONE
        self.minute = 0
        self.period = 0  # of the count: the day, or how many rests there were before
        self.rests = 0
        self.whose: tuple[str, str | None, VolumeOf] | None = None

    def grown(self, quote: Quote, volume_of: VolumeOf, now_ms: int) -> float:
        """What was traded since the look before; NaN where that can't be told.

        Trades of the last 24 hours leave their count as time passes, so that nothing follows from it. Others begin anew, with less than
        before or with more: at midnight, or after a rest. After looks that are more than a bar apart the difference belongs to no bar.
        """
        counted, before, minute, last = quote.volume, self.counted, now_ms // MINUTE_MS, self.minute
        if counted is None or volume_of == "24h":
            self.counted = _NONE
            return _NONE
        whose = quote.source, quote.origin, volume_of
        follows = whose == self.whose and minute <= last + 1
        self.counted, self.minute, self.whose = counted, minute, whose
        if follows and counted == before:
            return 0.0
        by_day = volume_of == "day_utc"
        period, self.period = self.period, (quote.quote_time or now_ms) // DAY_MS if by_day else self.rests
        if not follows or math.isnan(before):
            return _NONE
        if counted > before:
            return counted - before if period == self.period else _NONE
        return counted if counted < before * ANEW_BELOW or (by_day and period != self.period) else _NONE

    def rest(self, quote: Quote, volume_of: VolumeOf, now_ms: int) -> None:
        """Nobody trades: what is counted now is what the next session begins with, or ends."""
        self.grown(quote, volume_of, now_ms)
        self.rests += 1


class History:
    """Bars by symbol. Bounded: 60 bars a symbol that is on the board."""

    def __init__(self) -> None:
        self._rings: dict[str, _Ring] = {}

    def sample(self, quotes: Mapping[str, Quote], volume_of: Mapping[str, VolumeOf], now_ms: int) -> None:
        """Look at the board: `quotes` are its newest, all of them, and `volume_of` says what their volumes count. A symbol that is gone is
        forgotten. `now_ms`: epoch ms.
        """
        rings, minute = self._rings, now_ms // MINUTE_MS
        for symbol in rings.keys() - quotes.keys():
            del rings[symbol]
        for symbol, quote in quotes.items():
            ring = rings.get(symbol)
            if quote.state == "fresh":
                if ring is None:
                    ring = rings[symbol] = _Ring()
                ring.take(quote.price, ring.count.grown(quote, volume_of[symbol], now_ms), minute)
            elif quote.state == "closed" and ring is not None:
                ring.count.rest(quote, volume_of[symbol], now_ms)

    def bars(self, symbol: str, now_ms: int) -> list[Bar]:
        """The bars of the last 60 minutes, oldest first; minutes without a fresh price have none."""
        ring = self._rings.get(symbol)
        return [] if ring is None else list(ring.bars(now_ms // MINUTE_MS))

    def sparkline(self, symbol: str, now_ms: int) -> list[tuple[int, float]]:
        """The same as (beginning of the minute in epoch ms, last price)."""
        return [(bar.time_ms, bar.close) for bar in self.bars(symbol, now_ms)]
