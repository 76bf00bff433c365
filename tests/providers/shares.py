"""What the servers of share prices have in common: their symbols, their days, and limits by the minute, hour or day."""

from __future__ import annotations

import time
from datetime import UTC, datetime

SHARES = ("AAPL", "MSFT", "TSLA", "IBM", "SPY", "BRK.B", *(f"T{number:03}" for number in range(500)))
"""Some that exist, and 500 that do not."""
WRONG_KEY = "wrong"
"""The one key that no server accepts."""


class Quota:
    """At most `most` in each window of `window_s`. Windows begin at multiples of their length, so that a reset can be told."""

    def __init__(self, most: int, window_s: float) -> None:
        self.most, self.window_s = most, window_s
        self._window = 0
        self.used = 0

    def take(self, amount: int = 1) -> bool:
        """Whether `amount` was left; it is gone in any case, as with those who count refused calls."""
        window = int(time.time() / self.window_s)
        if window != self._window:
            self._window, self.used = window, 0
        self.used += amount
        return self.used <= self.most

    @property
    def left(self) -> int:
        """What is left of this window."""
        return max(0, self.most - self.used)

    @property
    def reset_s(self) -> int:
        """When the next window begins, epoch seconds."""
        return int((int(time.time() / self.window_s) + 1) * self.window_s)


def rfc3339_ns(time_s: float) -> str:
    """`2022-03-11T19:08:43.947998695Z`: nine digits of a second."""
    nanoseconds = int(time_s * 1_000_000_000)
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{nanoseconds % 1_000_000_000:09}Z"


def midnight_s(time_s: float, days_before: int = 0) -> float:
    """When a day began, UTC: that of `time_s`, or one before it."""
    return (time_s // 86_400 - days_before) * 86_400
