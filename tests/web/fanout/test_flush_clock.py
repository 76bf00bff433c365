"""The conflation window: never more flushes than windows, and no lag that grows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.fanout.flush_clock import EARLY, FlushClock

LENGTH_S = 0.05


def flushes(ticks_s: list[float], wake_s: float = 0.0) -> list[float]:
    """When each flush begins if news come at `ticks_s` and a timer wakes the loop `wake_s` late."""
    window, began, waits_s = FlushClock(), [], None
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


def test_what_a_late_tick_was_late_by_is_made_good() -> None:
    """A tick 30 ms late holds back the next ones for as long as it takes to make that good, and none after them."""
    ticks = [number * LENGTH_S for number in range(100)]
    ticks[10] += 0.03
    waited = [began - tick for tick, began in zip(ticks, flushes(ticks), strict=True)]
    assert waited[10] == 0
    assert waited[11] > 0.027
    assert all(later < earlier for earlier, later in pairwise(waited[11:22]))
    assert max(waited[23:]) < 1e-9


def test_nothing_is_made_good_after_a_pause() -> None:
    """Nobody knows then when the next tick is to be: a whole window is one."""
    assert flushes([1.0, 1.08, 2.0, 2.01, 2.06, 2.11])[2:] == pytest.approx([2.0, 2.0475, 2.0975, 2.1475])


@given(st.lists(st.floats(0, 0.2), min_size=2, max_size=60))
def test_never_more_flushes_than_windows(gaps_s: list[float]) -> None:
    """Whatever the ticks, n flushes take at least n − 1 windows, less the grace of one and the window that may be made good; and no two
    of them are closer than a window less its grace.
    """
    at_s, ticks = 1.0, []
    for gap_s in gaps_s:
        at_s += gap_s
        ticks.append(at_s)
    began = flushes(ticks)
    for first in range(len(began)):
        for last in range(first + 1, len(began)):
            windows = last - first
            least_s = max(windows * (1 - EARLY), windows - EARLY - 1) * LENGTH_S
            assert began[last] - began[first] >= least_s - 1e-9
