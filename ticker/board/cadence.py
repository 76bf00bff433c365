"""When a price that is made once a trading day (a fund's, a fixing, a reference rate) is overdue. Pure: times are arguments, epoch ms."""

from __future__ import annotations

from ticker.calendars.market_hours import DAY_MS, Hours

HOUR_MS = 3_600_000
EARLY_MS = HOUR_MS
"""A price made so shortly before a close is that day's."""
GRACE_MS = DAY_MS
"""How long after the close of its day a price may come."""
AT_THE_SAME_TIME_MS = 3 * HOUR_MS
"""Where prices are made in the middle of the day, how long after the same time of the next day the next one may come."""
WITHOUT_HOURS_MS = 4 * DAY_MS
"""Without known hours the next price is overdue after so long: a weekend and a holiday."""


def overdue_ms(made_ms: int, hours: Hours | None) -> int:
    """When the price that follows the one of `made_ms` is overdue: a day after the next close, but not before a day has come to where it
    was made in the one before; without hours, or beyond those that are known, after four days.
    """
    day = hours.day_that_ends_after(made_ms + EARLY_MS) if hours is not None else None
    if hours is None or day is None:
        return made_ms + WITHOUT_HOURS_MS
    due_ms = day.closes_ms + GRACE_MS
    following = hours.day_that_ends_after(day.closes_ms)
    if following is not None and made_ms >= day.opens_ms:
        due_ms = max(due_ms, following.opens_ms + made_ms - day.opens_ms + AT_THE_SAME_TIME_MS)
    return due_ms
