"""The conflation window: never more flushes than windows, and no lag that grows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from web.fanout.window import EARLY, Window

LENGTH_S = 0.05


def flushes(ticks_s: list[float], wake_s: float = 0.0) -> list[float]:
    """When each flush begins if news come at `ticks_s` and a timer wakes the loop `wake_s` late."""
    window, began, waits_s = Window(), [], None
    for tick_s in [*ticks_s, float("inf")]:
        if waits_s is not None and waits_s <= tick_s:
            began.append(waits_s)
            window.begin(waits_s, LENGTH_S)
            waits_s = None
        if tick_s == float("inf"):
            break
        if waits_s is None:
            opens_s = window.opens_s(LENGTH_S)
            waits_s = opens_s + wake_s if opens_s > tick_s else None
            if waits_s is None:
                began.append(tick_s)
                window.begin(tick_s, LENGTH_S)
    return began


def test_a_lone_tick_leaves_at_once() -> None:
    """After a pause nothing waits."""
    assert flushes([1.0, 2.0, 3.5]) == [1.0, 2.0, 3.5]


def test_a_burst_waits_for_the_window() -> None:
    """What comes inside a window leaves together when it is over."""
    assert flushes([1.0, 1.01, 1.02, 1.03]) == [1.0, 1.0 + LENGTH_S * (1 - EARLY)]


def test_a_feed_as_fast_as_the_window_is_never_late_for_long() -> None:
    """Ticks a window apart, one of them late, a timer that wakes 2 ms late: no tick waits longer than the one that was late."""
    ticks = [number * LENGTH_S for number in range(100)]
    ticks[10] += 0.002
    assert max(began - tick for tick, began in zip(ticks, flushes(ticks, wake_s=0.002), strict=True)) <= 0.002


@given(st.lists(st.floats(0, 0.2), min_size=2, max_size=60))
def test_never_more_flushes_than_windows(gaps_s: list[float]) -> None:
    """Whatever the ticks, n flushes take at least n − 1 windows, less the grace of one."""
    at_s, ticks = 1.0, []
    for gap_s in gaps_s:
        at_s += gap_s
        ticks.append(at_s)
    began = flushes(ticks)
    for first in range(len(began)):
        for last in range(first + 1, len(began)):
            assert began[last] - began[first] >= (last - first) * LENGTH_S - EARLY * LENGTH_S - 1e-9
