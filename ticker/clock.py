"""The two clocks, passed in: what time it is for people, and how much time has passed. Tests step theirs by hand."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the parts that run (poller, relay) get the time; the plain objects (board, back-off) are told it."""

    def now_ms(self) -> int:
        """The wall clock: Unix epoch, milliseconds. It may step, forwards and backwards."""

    def monotonic(self) -> float:
        """Seconds since some moment. It never steps back, and stands still while the machine is suspended."""


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Unix epoch, milliseconds, rounded down."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds, to better than a microsecond."""
        return time.monotonic()
