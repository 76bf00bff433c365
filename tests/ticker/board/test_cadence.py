"""When the next price of what is priced once a day is overdue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.board.cadence import overdue_ms
from ticker.calendars.currency_week import WEEK
from ticker.calendars.market_hours import ALWAYS, Hours

H = 3_600_000
D = 24 * H
MONDAY = 20_000 * D
DAYS = (0, 1, 2, 4, 7, 8)
"""The exchange is open on these days from Monday; Thursday is a holiday."""
EXCHANGE = Hours([(MONDAY + day * D + 9 * H, MONDAY + day * D + 16 * H) for day in DAYS], MONDAY + 9 * D)
WITH_LUNCH = Hours(
    [
        window
        for day in DAYS
        for window in ((MONDAY + day * D + 9 * H, MONDAY + day * D + 12 * H), (MONDAY + day * D + 13 * H, MONDAY + day * D + 16 * H))
    ],
    MONDAY + 9 * D,
)
MON, TUE, WED, THU, FRI, SAT, SUN, NEXT_MON, NEXT_TUE = range(0, 216, 24)
"""Midnights, in hours from Monday's."""


@pytest.mark.parametrize("hours", [EXCHANGE, WITH_LUNCH], ids=["whole days", "days with a break"])
@pytest.mark.parametrize(("made_h", "overdue_h"), [
    (MON + 16, WED + 16),
    (MON + 15.5, WED + 16),
    (MON + 19, WED + 16),
    (WED + 20, SAT + 16),
    (FRI + 16, NEXT_TUE + 16),
    (SAT + 2, NEXT_TUE + 16),
    (MON + 10, TUE + 16),
    (MON + 7, TUE + 16),
    (FRI + 14, NEXT_MON + 17),
    (NEXT_TUE + 16, NEXT_TUE + 16 + 96),
], ids=["at the close", "shortly before it", "in the evening", "before a holiday", "before a weekend", "on a weekend", "within the day",
        "before the day", "within the last day of the week", "beyond the days that are known"])  # fmt: skip
def test_with_a_calendar(hours: Hours, made_h: float, overdue_h: float) -> None:
    """A day after the close that the next one is of; one made in the middle of the day waits for the next day's middle at least."""
    assert (overdue_ms(MONDAY + round(made_h * H), hours) - MONDAY) / H == overdue_h


def test_without_a_calendar() -> None:
    """After a weekend and a holiday."""
    assert overdue_ms(MONDAY, None) == MONDAY + 4 * D


def test_with_a_calendar_that_never_shuts() -> None:
    """A day, and one of grace."""
    assert MONDAY + D < overdue_ms(MONDAY, ALWAYS) <= MONDAY + 2 * D + H


@given(st.sampled_from([EXCHANGE, WITH_LUNCH, ALWAYS, WEEK, None]), st.lists(st.integers(MONDAY - 3 * D, MONDAY + 12 * D), min_size=2))
def test_a_newer_price_is_never_overdue_earlier(hours: Hours | None, made_ms: list[int]) -> None:
    """Whatever the hours, and wherever in them prices are made; and none is overdue on the day after."""
    overdue = [overdue_ms(ms, hours) for ms in sorted(made_ms)]
    assert overdue == sorted(overdue)
    assert all(due_ms >= ms + D for ms, due_ms in zip(sorted(made_ms), overdue, strict=True))
