"""What the core and the feeds ask of the concurrency library (the one implementation is in `web/runtime.py`), and `Turn`: how long one
task may have the process to itself while it works on what is already there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

_Item = TypeVar("_Item")

LONGEST_TURN_S = 0.002
"""A turn is over after so long, at the next step."""


class DeadlineExceeded(Exception):
    """The block under `Runtime.deadline` took longer than it was given."""


class Busy(TimeoutError):
    """A side thread is not done with what others gave it."""


class Task(Protocol):
    """A running green task."""

    def kill(self) -> None:
        """Stop it where it stands; its `finally` blocks run."""


class Aside(Protocol):
    """A thread beside the loop that does one piece of work after the other."""

    def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """What `work(*args)` returns or raises, while others go on. It must share nothing with them that either changes, nor log."""

    def close(self) -> None:
        """It is not needed any more."""


class Runtime(Protocol):
    """Green tasks, sleeping and deadlines. Everything else (sockets, locks, queues) is the patched standard library."""

    def spawn(self, work: Callable[..., Any], *args: Any) -> Task:
        """Run `work(*args)` as a task of its own; an exception it raises is logged."""

    def sleep(self, seconds: float) -> None:
        """Let others run for `seconds`, ≥ 0."""

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """Cut the block short after `seconds` in all, whatever it waits for, and raise `DeadlineExceeded`."""

    def aside(self, what: str) -> Aside:
        """A thread for what may block. `what` it does is told where that takes longer than a second."""


def _give_way() -> None:
    """Let the others run, and timers fire. In the patched process that is what sleeping for no time means; elsewhere it does nothing."""
    time.sleep(0)


class Turn:
    """Work for a little while, then let others run: `step` is called between any two pieces of work of which there may be many.

    Green tasks change places where they wait, and nowhere else: a loop over bytes that have arrived waits for nothing, so it would go on
    for as long as they do. Nobody else had a turn meanwhile, and no deadline would fire.
    """

    __slots__ = ("_clock", "_pause", "_until_s")

    def __init__(self, clock: Callable[[], float] = time.perf_counter, pause: Callable[[], None] = _give_way) -> None:
        self._clock = clock
        self._pause = pause
        self._until_s = clock() + LONGEST_TURN_S

    def step(self) -> None:
        """Give way if this turn has lasted long enough; a new one begins then. Raises what a deadline raises that is over."""
        if self._clock() >= self._until_s:
            self._pause()
            self._until_s = self._clock() + LONGEST_TURN_S


def in_turns(items: Iterable[_Item]) -> Iterator[_Item]:
    """`items`, with a step of a turn after each: for loops over as many as a stranger sends."""
    turn = Turn()
    for item in items:
        yield item
        turn.step()
