"""Many tasks that never wait, and everybody else: whose turn it is. The clock goes on with each piece of work, and only then."""

from __future__ import annotations

from collections import Counter
from typing import Self

import pytest

from ticker.runtime import Task
from web import runtime as module
from web.runtime import LONGEST_TURN_S, TURN_S, EventletRuntime, Turns

PIECE_S = TURN_S / 10


class Clock:
    """Time, as far as work takes any."""

    def __init__(self) -> None:
        self.now_s = 50.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that turns are measured by."""
    clock = Clock()
    monkeypatch.setattr(module, "perf_counter", clock)
    return clock


class Workers:
    """So many tasks that always have something to do; each piece of it is noted."""

    def __init__(self, clock: Clock, number: int, piece_s: float = PIECE_S, key: str = "") -> None:
        self.runtime = EventletRuntime()
        self.turns = Turns()
        self.pieces: Counter[int] = Counter()
        self._clock = clock
        self._piece_s = piece_s
        self._tasks: list[Task] = []
        for worker in range(number):
            self.hire(worker, key)

    def hire(self, worker: int, key: str) -> None:
        """One more."""
        self._tasks.append(self.runtime.spawn(self._work, worker, key))

    def _work(self, worker: int, key: str) -> None:
        turn = 0
        while True:
            turn = self.turns.take(turn, key)
            self._clock.now_s += self._piece_s
            self.pieces[worker] += 1

    def watch(self, rounds: int, others_s: float = 0.0) -> list[int]:
        """How much was done between two looks of somebody else, who takes so long himself."""
        done = []
        for _ in range(rounds):
            before = self.pieces.total()
            self.runtime.sleep(0)
            done.append(self.pieces.total() - before)
            self._clock.now_s += others_s
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End them, wherever they wait."""
        for task in self._tasks:
            task.kill()
        assert not self.turns.waiting


@pytest.mark.parametrize("number", [1, 2, 50, 500])
def test_others_wait_for_one_turn_however_many_there_are(clock: Clock, number: int) -> None:
    """All of them together work for so long between two rounds."""
    with Workers(clock, number) as workers:
        workers.watch(3)
        assert max(workers.watch(200)) <= TURN_S / PIECE_S + 1


def test_a_piece_of_work_that_is_too_long_is_one_at_least(clock: Clock) -> None:
    """It can't be cut; but nobody does two of them."""
    with Workers(clock, 20, piece_s=TURN_S * 5) as workers:
        workers.watch(3)
        assert set(workers.watch(100)) <= {0, 1}


def test_each_has_its_turn(clock: Clock) -> None:
    """First come, first served: nobody does much more than another."""
    with Workers(clock, 7) as workers:
        workers.watch(1000)
        assert len(workers.pieces) == 7
        assert max(workers.pieces.values()) - min(workers.pieces.values()) <= 2 * TURN_S / PIECE_S, "and one more at the start"


def test_each_address_has_its_turn(clock: Clock) -> None:
    """However many connections of another one stand in line."""
    with Workers(clock, 100, key="crowd") as workers:
        workers.watch(200)
        workers.hire(100, "alone")
        workers.pieces.clear()
        workers.watch(1000)
        assert 0.9 < workers.pieces[100] / (workers.pieces.total() - workers.pieces[100]) < 1.1


def test_who_comes_from_a_wait_goes_before_those_who_never_do(clock: Clock) -> None:
    """A few rounds, and not one for each of them; and they go on too."""
    with Workers(clock, 300) as workers:
        waited: list[int] = []

        def come(before: int) -> None:
            workers.turns.take(0)
            waited.append(workers.pieces.total() - before)

        workers.watch(500)  # until each has had its first turn
        for _ in range(50):
            before = workers.pieces.total()
            workers.runtime.spawn(come, before)
            workers.watch(3)
        assert len(waited) == 50
        assert max(waited) <= 2 * (TURN_S / PIECE_S + 1)
        assert workers.pieces.total() >= 100 * TURN_S / PIECE_S


def test_where_the_rest_takes_long_a_turn_is_longer(clock: Clock) -> None:
    """A quarter of the time, so that who waits does not wait for ever; but bounded."""
    with Workers(clock, 3) as workers:
        workers.watch(5, others_s=0.03)
        assert 0.01 / PIECE_S - 1 <= max(workers.watch(50, others_s=0.03)) <= 0.01 / PIECE_S + 1
        workers.watch(5, others_s=1.0)
        assert max(workers.watch(50, others_s=1.0)) <= LONGEST_TURN_S / PIECE_S + 1


def test_who_has_waited_long_for_something_works_at_once(clock: Clock) -> None:
    """Nobody is made to wait where nobody else works."""
    turns = Turns()
    for _ in range(100):
        turns.take(0)
        EventletRuntime().sleep(0)
        clock.now_s += 10.0
