"""How long one task may have the process to itself while it works on what is already there.

Green tasks change places where they wait, and nowhere else: a loop over bytes that have arrived waits for nothing, so it would go on for
as long as they do. Nobody else had a turn meanwhile, and no deadline would fire.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")

LONGEST_S = 0.002
"""A turn is over after so long, at the next step."""


def _give_way() -> None:
    """Let the others run, and timers fire. In the patched process that is what sleeping for no time means; elsewhere it does nothing."""
    time.sleep(0)


class Turn:
    """Work for a little while, then let others run: `step` is called between any two pieces of work of which there may be many."""

    __slots__ = ("_clock", "_pause", "_until_s")

    def __init__(self, clock: Callable[[], float] = time.perf_counter, pause: Callable[[], None] = _give_way) -> None:
        self._clock = clock
        self._pause = pause
        self._until_s = clock() + LONGEST_S

    def step(self) -> None:
        """Give way if this turn has lasted long enough; a new one begins then. Raises what a deadline raises that is over."""
        if self._clock() >= self._until_s:
            self._pause()
            self._until_s = self._clock() + LONGEST_S


def in_turns(items: Iterable[_Item]) -> Iterator[_Item]:
    """`items`, with a step of a turn after each: for loops over as many as a stranger sends."""
    turn = Turn()
    for item in items:
        yield item
        turn.step()
