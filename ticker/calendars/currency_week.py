"""`calendar = "24/5"`: the week in which currencies and metals trade, from Sunday to Friday, 17:00 in New York. It needs no package, and
never ends being known."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ticker.calendars.market_hours import DAY_MS, NEVER, Hours, Market, TradingDay
from ticker.settings.calendars import NEW_YORK

WEEK_MS = 7 * DAY_MS
FIRST_SUNDAY = date(1970, 1, 4)
EDGE = time(17)


class CurrencyWeek(Hours):
    """The hours of all weeks. Summer time begins and ends early on a Sunday, while nobody trades."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__((), NEVER)

    def at(self, ms: int) -> Market:
        """The market at that time, whichever it is."""
        return _weeks_around(ms // WEEK_MS).at(ms)

    def day_that_ends_after(self, ms: int) -> TradingDay | None:
        """The day of 24 hours, from 17:00 to 17:00, that ends first after that."""
        return _weeks_around(ms // WEEK_MS).day_that_ends_after(ms)


WEEK = CurrencyWeek()


@lru_cache(maxsize=8)
def _weeks_around(number: int) -> Hours:
    """The hours of some weeks before and after the one with that number since 1970."""
    sundays = [FIRST_SUNDAY + timedelta(weeks=week) for week in range(number - 2, number + 4)]
    return Hours([(_edge_ms(sunday), _edge_ms(sunday + timedelta(days=5))) for sunday in sundays], NEVER)


def _edge_ms(day: date) -> int:
    return int(datetime.combine(day, EDGE, ZoneInfo(NEW_YORK)).timestamp() * 1000)
