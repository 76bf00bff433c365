"""The week of currencies: Sunday 17:00 to Friday 17:00 in New York, in winter and in summer."""

from datetime import UTC, datetime

import pytest

from ticker.calendars.currency_week import WEEK
from ticker.calendars.market_hours import Market, TradingDay


def ms(text: str) -> int:
    """A time in UTC as epoch ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("opens", "closes", "opens_again"),
    [
        ("2026-01-04 22:00", "2026-01-09 22:00", "2026-01-11 22:00"),
        ("2026-07-05 21:00", "2026-07-10 21:00", "2026-07-12 21:00"),
        ("2026-03-01 22:00", "2026-03-06 22:00", "2026-03-08 21:00"),
        ("2026-10-25 21:00", "2026-10-30 21:00", "2026-11-01 22:00"),
        ("2051-12-31 22:00", "2052-01-05 22:00", "2052-01-07 22:00"),
    ],
    ids=["winter", "summer", "into summer time", "out of it", "long ahead"],
)
def test_a_week(opens: str, closes: str, opens_again: str) -> None:
    """Open from the first millisecond of the week to the last; each change is known before it comes."""
    week, weekend = Market("open", ms(opens), ms(closes)), Market("shut", ms(closes), ms(opens_again))
    assert [WEEK.at(at) for at in (ms(opens), ms(closes) - 1, ms(closes), ms(opens_again) - 1)] == [week, week, weekend, weekend]
    assert WEEK.at(ms(opens_again)).phase == "open"


@pytest.mark.parametrize(
    ("after", "opens", "closes"),
    [
        ("2026-01-05 12:00", "2026-01-04 22:00", "2026-01-05 22:00"),
        ("2026-01-05 22:00", "2026-01-05 22:00", "2026-01-06 22:00"),
        ("2026-01-09 21:59", "2026-01-08 22:00", "2026-01-09 22:00"),
        ("2026-01-09 22:00", "2026-01-11 22:00", "2026-01-12 22:00"),
    ],
    ids=["the first", "as one ends", "the last", "over the weekend"],
)
def test_its_days(after: str, opens: str, closes: str) -> None:
    """Each ends at 17:00."""
    assert WEEK.day_that_ends_after(ms(after)) == TradingDay(ms(opens), ms(closes))
