"""A thread beside the loop: what may block there blocks nobody here."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator

import pytest

from ticker.runtime import Busy
from web.runtime import EventletRuntime, original
from web.side_thread import COMPUTES_S, SideThread

PATIENCE_S = 20.0


class Bench:
    """A thread whose first second is over when the test says so, and what its work may have to wait for before it ends."""

    def __init__(self) -> None:
        self.runtime = EventletRuntime()
        self.is_late = False
        self.seconds = 0
        """So many were over while work was done."""
        self.thread = SideThread(self._wait, original, "reading x.toml")
        self.may_end = original("threading").Event()

    def _wait(self, descriptor: int, timeout_s: float) -> bool:
        while not self.is_late:
            if self.runtime.wait_readable(descriptor, 0.001):
                return True
        self.is_late = False
        self.seconds += 1
        return False

    def blocked(self) -> list[bool]:
        """Begin work that waits until it `may_end`; where what it returned will be found."""
        found: list[bool] = []
        self.runtime.spawn(lambda: found.append(self.thread.run(self.may_end.wait, PATIENCE_S)))
        self.runtime.sleep(0)
        return found

    def until(self, condition: Callable[[], object]) -> None:
        """Let others run until it is true."""
        with self.runtime.deadline(PATIENCE_S):
            while not condition():
                self.runtime.sleep(0.001)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """One whose thread ends with the test."""
    bench = Bench()
    yield bench
    bench.may_end.set()
    bench.thread.close()


def descriptors() -> int:
    """How many are open."""
    return len(os.listdir("/proc/self/fd"))


def test_what_blocks_holds_nobody_up(bench: Bench) -> None:
    """Others have their turns meanwhile; what it returns or raises comes back."""
    found = bench.blocked()
    for _ in range(5):
        bench.runtime.sleep(0)
    assert found == []
    bench.may_end.set()
    bench.until(lambda: found)
    assert found == [True]
    with pytest.raises(ZeroDivisionError):
        bench.thread.run(divmod, 1, 0)


def test_one_piece_at_a_time_in_order(bench: Bench) -> None:
    """However many ask; they all have one thread."""
    thread_of, done, by = original("threading").get_ident, list[int](), set[int]()

    def do(number: int) -> None:
        done.append(number)
        by.add(thread_of())

    first = bench.blocked()
    for number in range(20):
        bench.runtime.spawn(bench.thread.run, do, number)
    bench.runtime.sleep(0)
    assert done == []
    bench.may_end.set()
    bench.until(lambda: first)
    bench.thread.run(do, 20)
    assert done == list(range(21))
    assert len(by - {thread_of()}) == len(by) == 1


def test_whoever_will_not_wait_is_told(bench: Bench) -> None:
    """With an error of the system's kind: the file is not there for us now."""
    bench.blocked()
    with pytest.raises(Busy, match=r"reading x\.toml takes too long"):
        bench.thread.run(len, "", wait_s=0.001)


def test_slow_work_is_told_once_until_it_was_quick(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A mount that takes 3 s each time must not fill the log, and one that hangs must be told before it answers."""

    def slow() -> None:
        bench.may_end.clear()
        found = bench.blocked()
        bench.is_late = True
        bench.until(lambda: not bench.is_late)
        bench.may_end.set()
        bench.until(lambda: found)

    with caplog.at_level(logging.WARNING):
        slow()
        assert [record.getMessage() for record in caplog.records] == [
            "reading x.toml has taken longer than a second: is it on a slow mount? Prices go on meanwhile"
        ]
        slow()
        assert len(caplog.records) == 1
        bench.thread.run(len, "")
        slow()
        assert len(caplog.records) == 2


def test_work_that_computes_is_not_slow(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A large file on a small machine: it does not wait for a disk."""

    def compute() -> None:
        core_s = original("time").thread_time
        until_s = core_s() + 2 * COMPUTES_S
        while core_s() < until_s:
            pass
        bench.is_late = True  # a second is over
        assert bench.may_end.wait(PATIENCE_S)

    def let_in() -> None:
        bench.until(lambda: bench.seconds)
        bench.may_end.set()

    bench.runtime.spawn(let_in)
    with caplog.at_level(logging.WARNING):
        bench.thread.run(compute)
    assert caplog.records == []


def test_who_is_ended_while_waiting_leaves_the_thread_to_the_next(bench: Bench) -> None:
    """The next piece is done after the one that nobody waits for any more, and gets its own result."""
    task = bench.runtime.spawn(bench.thread.run, bench.may_end.wait, PATIENCE_S)
    bench.runtime.sleep(0)
    task.kill()
    bench.may_end.set()
    assert bench.thread.run(len, "four") == 4


def test_closed_while_it_does_what_nobody_waits_for() -> None:
    """Nothing is left open, and whoever comes all the same finds a new one."""
    bench, before = Bench(), descriptors()
    task = bench.runtime.spawn(bench.thread.run, bench.may_end.wait, PATIENCE_S)
    bench.runtime.sleep(0)
    task.kill()
    bench.thread.close()
    assert bench.thread.run(divmod, 7, 2) == (3, 1)
    bench.thread.close()
    bench.may_end.set()
    bench.until(lambda: descriptors() <= before)  # what other tests left behind may go meanwhile


def test_nothing_is_left_of_it() -> None:
    """Neither thread nor descriptors; one that did nothing never had any."""
    runtime, threads = EventletRuntime(), original("threading")
    runtime.sleep(0)
    before = descriptors()
    runtime.aside("nothing").close()
    for _ in range(20):
        thread = runtime.aside("something")
        thread.run(len, "")
        thread.close()
    with runtime.deadline(PATIENCE_S):
        while descriptors() > before or any(thread.name == "something" for thread in threads.enumerate()):
            runtime.sleep(0.001)
