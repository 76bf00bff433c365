"""A steady beat: no drift, no bursts."""

from hypothesis import given
from hypothesis import strategies as st

from ticker.polling.pace import Pace


def test_does_not_drift() -> None:
    """Work that takes a part of each beat does not make the beats come later and later."""
    pace, now_s, starts = Pace(0.1, 0.0), 0.0, []
    for _ in range(5):
        starts.append(round(now_s, 6))
        now_s += 0.04
        now_s += pace.wait_s(now_s)
    assert starts == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_a_little_late_catches_up_at_once() -> None:
    """Late by less than a beat, the next one is at once and the one after on time."""
    pace = Pace(1.0, 0.0)
    assert pace.wait_s(1.5) == 0
    assert pace.wait_s(1.75) == 0.25


def test_whole_beats_are_left_out() -> None:
    """After a stall there is one beat, not all those that were missed."""
    pace = Pace(1.0, 0.0)
    assert pace.wait_s(7.25) == 0
    assert pace.wait_s(7.5) == 0.5


@given(st.lists(st.floats(0, 5), min_size=1, max_size=50))
def test_never_faster_than_the_grid(work_s: list[float]) -> None:
    """In any time since the start there are at most as many beats as fit, whatever the work takes, and no wait exceeds a beat."""
    pace, now_s = Pace(1.0, 0.0), 0.0
    for beat, took_s in enumerate(work_s):
        assert now_s >= beat - 1e-9
        now_s += took_s
        wait_s = pace.wait_s(now_s)
        assert 0 <= wait_s <= 1
        now_s += wait_s
