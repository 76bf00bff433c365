"""The last hour of every symbol, a bar a minute, in memory of a fixed size: sparklines and the past of a chart.

A plain object: no clock, no task. Prices are looked at (`sample`), not followed: the cost is one a symbol a look, whatever the rate
of the feeds. So a bar's high and low are those of the looks, and a price that is not fresh makes no bar: a gap is a gap.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ticker.calendars.market_hours import DAY_MS
from ticker.quote import Quote, VolumeOf

MINUTE_MS = 60_000
MINUTES = 60
"""How far back the bars go."""
ANEW_BELOW = 0.1
"""A volume that falls below this share of what it was is counted from zero again; one that falls less was corrected."""
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
    """The bars of one symbol, those that are over by minute modulo `MINUTES`: 2.5 KB. The running one is not in the arrays: it is looked at
    each second, and they would make a new number of what they hold each time.
    """

    __slots__ = ("_bars", "count", "first", "highest", "last", "lowest", "minute", "traded")

    def __init__(self) -> None:
        self.minute = 0  # of the running bar, epoch minutes
        self.first = self.highest = self.lowest = self.last = self.traded = _NONE
        self._bars = tuple(array("d", [_NONE]) * MINUTES for _ in range(5))
        self.count = _Count()

    def take(self, price: float, traded: float, minute: int) -> None:
        if minute != self.minute:
            self._begin(price, traded, minute)
            return
        self.last = price
        if price > self.highest:
            self.highest = price
        elif price < self.lowest:
            self.lowest = price
        self.traded += traded  # what can't be told of one look can't be told of its bar

    def _begin(self, price: float, traded: float, minute: int) -> None:
        if minute < self.minute:
            return  # the wall clock was set back: wait until it has caught up
        opens, highs, lows, closes, volumes = self._bars
        slot = self.minute % MINUTES
        opens[slot], highs[slot], lows[slot], closes[slot], volumes[slot] = self.first, self.highest, self.lowest, self.last, self.traded
        for passed in range(max(self.minute + 1, minute - MINUTES + 1), minute + 1):
            closes[passed % MINUTES] = _NONE
        self.minute = minute
        self.first = self.highest = self.lowest = self.last = price
        self.traded = traded

    def bars(self, minute: int) -> Iterable[Bar]:
        opens, highs, lows, closes, volumes = self._bars
        for one in range(max(self.minute, minute) - MINUTES + 1, min(self.minute, minute + 1)):
            slot = one % MINUTES
            if not math.isnan(closes[slot]):
                yield _bar(one, opens[slot], highs[slot], lows[slot], closes[slot], volumes[slot])
        if max(0, minute - MINUTES) < self.minute <= minute:
            yield _bar(self.minute, self.first, self.highest, self.lowest, self.last, self.traded)


def _bar(minute: int, opened: float, high: float, low: float, close: float, volume: float) -> Bar:
    return Bar(minute * MINUTE_MS, opened, high, low, close, None if math.isnan(volume) else volume)


class _Count:
    """What a source has counted up to the last look. Another source's count has nothing to do with it."""

    __slots__ = ("counted", "minute", "origin", "period", "rests", "source", "volume_of")

    def __init__(self) -> None:
        self.counted = _NONE
        self.minute = 0
        self.period = 0  # of the count: the day, or how many rests there were before
        self.rests = 0
        self.source: str | None = None
        self.origin: str | None = None
        self.volume_of: VolumeOf | None = None

    def grown(self, quote: Quote, volume_of: VolumeOf, now_ms: int) -> float:
        """What was traded since the look before; NaN where that can't be told.

        Trades of the last 24 hours leave their count as time passes, so that nothing follows from it. Others begin anew, with less than
        before or with more: at midnight, or after a rest. After looks that are more than a bar apart the difference belongs to no bar.
        """
        counted, before, minute, last = quote.volume, self.counted, now_ms // MINUTE_MS, self.minute
        if counted is None or volume_of == "24h":
            self.counted = _NONE
            return _NONE
        follows = quote.source == self.source and quote.origin == self.origin and volume_of == self.volume_of and minute <= last + 1
        self.counted, self.minute = counted, minute
        if not follows:
            self.source, self.origin, self.volume_of = quote.source, quote.origin, volume_of
        elif counted == before:
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
