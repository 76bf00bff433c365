"""The two clocks, passed in: what time it is for people, and how much time has passed. Tests step theirs by hand."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the parts that run (poller, core) get the time; the plain objects (board, back-off) are told it."""

    def now_ms(self) -> int:
        """The wall clock: Unix epoch, milliseconds. It may step, forwards and backwards."""

    def monotonic(self) -> float:
        """Seconds since some moment. It never steps back, and stands still while the machine is suspended."""


CLOCK_STEP_MS = 1000
"""By so much the wall clock must have moved against the monotonic one to count as set."""


class ClockWatch:
    """Notices when the wall clock is set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ms = self._offset()

    def step_ms(self) -> int:
        """By how much the wall clock was set since this was last asked, ms; 0: it was not."""
        step_ms = self._offset() - self._offset_ms
        if abs(step_ms) < CLOCK_STEP_MS:
            return 0
        self._offset_ms += step_ms
        return step_ms

    def _offset(self) -> int:
        return self._clock.now_ms() - round(self._clock.monotonic() * 1000)


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Unix epoch, milliseconds, rounded down."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds, to better than a microsecond."""
        return time.monotonic()
