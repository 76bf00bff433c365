"""The real scheduler on the real runtime, and the steady beat of loops. Nothing here sleeps or measures: each test waits for what it
expects to happen."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.polling.scheduler import Pace, Scheduler, _Every
from web.runtime import EventletRuntime

PATIENCE_S = 20.0
"""How long to wait for what must happen: long enough for the busiest machine, and never waited out when all is well."""
HOUR_S = 3600.0


class Runs:
    """Work that says that it ran, and can be held up."""

    def __init__(self) -> None:
        self._done: SimpleQueue[int] = SimpleQueue()
        self.count = 0
        self.at_once = 0
        self.most_at_once = 0
        self.hold = threading.Event()
        self.hold.set()

    def __call__(self) -> None:
        """Run, for as long as `hold` is clear."""
        self.count += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self._done.put(self.count)
        self.hold.wait()
        self.at_once -= 1

    def wait(self) -> int:
        """Wait for the next run to begin; returns its number."""
        return self._done.get(timeout=PATIENCE_S)


@pytest.fixture
def schedule() -> Iterator[Scheduler]:
    """A running schedule."""
    schedule = Scheduler(EventletRuntime())
    schedule.start()
    yield schedule
    schedule.stop()


def test_the_first_run_is_at_once(schedule: Scheduler) -> None:
    """Not after the interval."""
    runs = Runs()
    schedule.every("feed", HOUR_S, runs)
    assert runs.wait() == 1


def test_added_before_the_start() -> None:
    """What is added first runs when it starts."""
    schedule, runs = Scheduler(EventletRuntime()), Runs()
    schedule.every("feed", HOUR_S, runs)
    schedule.start()
    assert runs.wait() == 1
    schedule.stop()


def test_runs_again_and_again(schedule: Scheduler) -> None:
    """At its interval."""
    runs = Runs()
    schedule.every("feed", 0.01, runs)
    assert [runs.wait() for _ in range(5)] == [1, 2, 3, 4, 5]


def test_never_twice_at_a_time(schedule: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    """A run that outlasts its interval many times is not joined by another; only the debug log tells, and after it all goes on."""
    caplog.set_level("DEBUG", "ticker")
    slow, other = Runs(), Runs()
    slow.hold.clear()
    schedule.every("slow", 0.01, slow)
    slow.wait()
    schedule.every("other", 0.01, other)
    for _ in range(30):
        other.wait()
    assert slow.count == 1
    slow.hold.set()
    assert [slow.wait(), slow.wait()] == [2, 3]
    assert slow.most_at_once == 1
    assert {record.getMessage() for record in caplog.records} >= {"feed slow: no poll, as the one before is not over"}
    assert {record.levelname for record in caplog.records} == {"DEBUG"}


def test_many_slow_ones_delay_nobody(schedule: Scheduler) -> None:
    """Thirty feeds that hang leave the thirty-first its beat."""
    hanging = [Runs() for _ in range(30)]
    for number, runs in enumerate(hanging):
        runs.hold.clear()
        schedule.every(f"hanging{number}", HOUR_S, runs)
    for runs in hanging:
        runs.wait()
    quick = Runs()
    schedule.every("quick", 0.01, quick)
    assert [quick.wait() for _ in range(3)] == [1, 2, 3]
    for runs in hanging:
        runs.hold.set()


def test_what_fails_runs_on(schedule: Scheduler) -> None:
    """An exception ends one run and not the job."""
    begun: SimpleQueue[None] = SimpleQueue()

    def fail() -> None:
        begun.put(None)
        raise ValueError("a bug")

    schedule.every("bad", 0.01, fail)
    for _ in range(3):
        begun.get(timeout=PATIENCE_S)


def test_a_new_interval_takes_hold(schedule: Scheduler) -> None:
    """Of the same name, it replaces the old one and its work, at once."""
    old, new = Runs(), Runs()
    schedule.every("feed", HOUR_S, old)
    old.wait()
    schedule.every("feed", 0.01, new)
    assert [new.wait() for _ in range(3)] == [1, 2, 3]
    assert old.count == 1


def test_run_in(schedule: Scheduler) -> None:
    """The next run can be asked for before its time, also from within a run, and put off."""
    runs, marker = Runs(), Runs()
    schedule.every("feed", HOUR_S, runs)
    runs.wait()
    schedule.run_in("feed", 0.01)
    assert runs.wait() == 2

    def puts_itself_off() -> None:
        schedule.run_in("feed", HOUR_S)
        runs()

    schedule.every("feed", 0.01, puts_itself_off)
    assert runs.wait() == 3
    schedule.every("marker", 0.01, marker)
    for _ in range(10):
        marker.wait()
    assert runs.count == 3


def test_remove(schedule: Scheduler) -> None:
    """It runs no more; removing or delaying what is not there is no error."""
    runs, marker = Runs(), Runs()
    schedule.every("feed", 0.01, runs)
    runs.wait()
    schedule.remove("feed")
    count = runs.count
    schedule.every("marker", 0.01, marker)
    for _ in range(10):
        marker.wait()
    assert runs.count == count
    schedule.remove("feed")
    schedule.run_in("feed", 0.0)


def test_run_all_now(schedule: Scheduler) -> None:
    """Everything runs now, whenever it would have been due."""
    both = [Runs(), Runs()]
    for number, runs in enumerate(both):
        schedule.every(f"feed{number}", HOUR_S, runs)
        runs.wait()
    schedule.run_all_now()
    assert [runs.wait() for runs in both] == [2, 2]


def test_stop_does_not_wait_for_what_hangs() -> None:
    """A run that never ends does not keep the process; nothing runs after the end."""
    schedule, runs = Scheduler(EventletRuntime()), Runs()
    runs.hold.clear()
    schedule.start()
    schedule.every("feed", 0.01, runs)
    runs.wait()
    schedule.stop()
    assert runs.at_once == 1
    runs.hold.set()


def test_stop_before_start() -> None:
    """Is nothing."""
    Scheduler(EventletRuntime()).stop()


def test_the_scheduler_is_quiet(schedule: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    """It does not announce every run."""
    caplog.set_level(logging.INFO)
    runs = Runs()
    schedule.every("feed", 0.01, runs)
    runs.wait()
    runs.wait()
    assert [record for record in caplog.records if record.name.startswith("apscheduler")] == []


@given(st.floats(0.05, 100), st.floats(0, 1e6))
def test_missed_runs_are_one(interval_s: float, late_s: float) -> None:
    """However late, the next run is the first of the grid that is not over: less than an interval from now, and still on the grid."""
    due = datetime(2024, 3, 31, tzinfo=UTC)
    now = due + timedelta(seconds=late_s)
    following = _Every(interval_s).get_next_fire_time(due, now)
    interval = timedelta(seconds=interval_s)
    assert now < following <= now + interval
    assert (following - due) % interval == timedelta(0)


def test_a_clock_set_back_keeps_the_interval() -> None:
    """The run after one that is in the future by now is an interval after it."""
    due = datetime(2024, 3, 31, tzinfo=UTC)
    assert _Every(2.0).get_next_fire_time(due, due - timedelta(hours=1)) == due + timedelta(seconds=2)


def test_a_beat_does_not_drift() -> None:
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
