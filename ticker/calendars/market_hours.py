"""When markets are open, and what that says of a price. Pure: times are arguments, Unix epoch ms."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal, NamedTuple

from ticker.quote import MarketSession

NEVER = sys.maxsize
DAY_MS = 86_400_000
BREAK_MS = 3 * 3_600_000
"""A market that is shut for less than this pauses within its trading day: over lunch, or an hour each evening."""
MOVES_MS = 600_000
"""For so long after its price has moved a market counts as one where some trade, though the calendar says that it is shut."""

Phase = Literal["open", "extended", "shut", "unknown"]
"""`extended`: before or after the regular hours, when some trade and nobody need. `unknown`: neither calendar nor source says."""


class Market(NamedTuple):
    """The phase a market is in, since when and until when as far as is known: `since_ms` is 0 and `until_ms` `NEVER` where it is not.

    `off_hours`: it is `extended` though the calendar says that it is shut. Then nobody need answer, either.
    `untraded`: it never shuts, and its source says all the same that nobody trades. Then no price is current, however new its time.
    """

    phase: Phase
    since_ms: int = 0
    until_ms: int = NEVER
    off_hours: bool = False
    untraded: bool = False


UNKNOWN = Market("unknown")


SESSION_LASTS_MS: dict[MarketSession, int] = {"post": 8 * 3_600_000, "overnight": 12 * 3_600_000}
"""How long after its newest price a session is over. Some sources name the session of the last trade, so that they say "post" of a Friday's
evening trade all weekend. Before the regular hours there need not be a price at all, so "pre" is not in here.
"""


class StatedSession(NamedTuple):
    """What a source says of its market: since when (0: ever since we know it), and until when that is worth something.

    A source that no longer answers does not say that the market has opened.
    """

    session: MarketSession
    since_ms: int
    until_ms: int


class PriceMove(NamedTuple):
    """A source's price became another one: when that was heard, and after which moment of the market it must have been made."""

    at_ms: int
    after_ms: int


class TradingDay(NamedTuple):
    """A trading day, epoch ms."""

    opens_ms: int
    closes_ms: int


class Hours:
    """The regular hours of one market from some day on until `until_ms`: `[open, close)` in epoch ms, in order, without overlap."""

    __slots__ = ("_closes_ms", "_opens_ms", "until_ms")

    def __init__(self, windows: Sequence[tuple[int, int]], until_ms: int) -> None:
        self._opens_ms = [open_ms for open_ms, _ in windows]
        self._closes_ms = [close_ms for _, close_ms in windows]
        self.until_ms = until_ms

    def at(self, ms: int) -> Market:
        """The market at that time; `unknown` beyond the days that are known."""
        if ms >= self.until_ms:
            return UNKNOWN
        index = bisect_right(self._opens_ms, ms) - 1
        if index >= 0 and ms < self._closes_ms[index]:
            return Market("open", self._opens_ms[index], self._closes_ms[index])
        since_ms = self._closes_ms[index] if index >= 0 else 0
        return Market("shut", since_ms, self._opens_ms[index + 1] if index + 1 < len(self._opens_ms) else self.until_ms)

    def day_that_ends_after(self, ms: int) -> TradingDay | None:
        """The first trading day that ends later than that; `None` beyond those that are known.

        Breaks are passed over. What is open for longer than a day has one every 24 hours, counted back from its close.
        """
        opens_ms, closes_ms = self._opens_ms, self._closes_ms
        first = last = bisect_right(closes_ms, ms)
        if first == len(closes_ms):
            return None
        while first > 0 and opens_ms[first] - closes_ms[first - 1] < BREAK_MS:
            first -= 1
        while last + 1 < len(opens_ms) and opens_ms[last + 1] - closes_ms[last] < BREAK_MS:
            last += 1
        ends_ms = closes_ms[last]
        ends_ms -= (ends_ms - max(ms, opens_ms[first]) - 1) // DAY_MS * DAY_MS
        return TradingDay(max(opens_ms[first], ends_ms - DAY_MS), ends_ms)


ALWAYS = Hours([(0, NEVER)], NEVER)
"""`calendar = "24/7"`."""


def market_at(now_ms: int, hours: Hours | None, delay_ms: int, stated: StatedSession | None, moved: PriceMove | None = None) -> Market:
    """The market of a symbol as one source shows it: the calendar's word, and the source's own where that knows more or there is none.

    A source that is `delay_ms` behind shows a market that opens and closes so much later. One whose price has `moved` while the calendar
    says shut, by night or on a holiday, knows more, too, unless it says itself that its market is closed.
    """
    market = UNKNOWN
    if hours is not None:
        phase, since_ms, until_ms = hours.at(now_ms - delay_ms)[:3]
        market = Market(phase, since_ms and since_ms + delay_ms, min(until_ms, NEVER - delay_ms) + delay_ms)
    if stated is not None and now_ms >= stated.until_ms:
        stated = None
    off_hours = market.phase == "shut"
    if (
        off_hours
        and moved is not None
        and moved.after_ms + delay_ms > market.since_ms
        and now_ms < moved.at_ms + MOVES_MS
        and (stated is None or stated.session != "closed")
    ):
        return Market("extended", market.since_ms, min(market.until_ms, moved.at_ms + MOVES_MS), off_hours)
    if stated is None or market.phase == "open":
        if hours is ALWAYS and stated is not None and stated.session == "closed":
            return market._replace(until_ms=min(market.until_ms, stated.until_ms), untraded=True)
        return market
    until_ms = min(market.until_ms, stated.until_ms)
    if stated.session in ("pre", "post", "overnight"):
        return Market("extended", market.since_ms, until_ms, off_hours)
    if market.phase == "unknown":
        return Market("shut" if stated.session == "closed" else "open", stated.since_ms and stated.since_ms + delay_ms, until_ms)
    return market
