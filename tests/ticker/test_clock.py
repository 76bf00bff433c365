"""The machine's clocks, in the units the core counts in."""

import time

from ticker.clock import SystemClock


def test_wall_clock_is_epoch_in_whole_milliseconds() -> None:
    """`now_ms` lies between two readings of the same clock."""
    before = int(time.time() * 1000)
    now = SystemClock().now_ms()
    assert isinstance(now, int)
    assert before <= now <= int(time.time() * 1000) + 1


def test_monotonic_is_in_seconds() -> None:
    """`monotonic` lies between two readings of the same clock."""
    before = time.monotonic()
    assert before <= SystemClock().monotonic() <= time.monotonic()
