"""Finds the knee: the highest offered rate that a server without conflation still delivers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.loadgen import Window

KEEPS_UP_SHARE = 0.95
LEAST_ROUNDS = 10
LONGEST_WINDOW_S = 10.0


@dataclass(frozen=True)
class Rung:
    """One rate of a ladder, in symbol updates a second, and what arrived."""

    offered_per_s: float
    window: Window

    @property
    def keeps_up(self) -> bool:
        """At least 95 % of what was offered arrived."""
        return self.window.updates_per_s >= KEEPS_UP_SHARE * self.offered_per_s


def next_offer(rungs: Sequence[Rung], first_per_s: float, *, precision: float = 1.2) -> float | None:
    """The rate to try next: doubled while it holds, halved while it doesn't, then between the two until they are within
    `precision` (> 1, a factor) of each other. `None` when the knee is known, or nowhere in five halvings."""
    held = [rung.offered_per_s for rung in rungs if rung.keeps_up]
    broke = [rung.offered_per_s for rung in rungs if not rung.keeps_up]
    if not rungs:
        return first_per_s
    if not broke:
        return max(held) * 2
    lowest_broken = min(broke)
    below = [offered for offered in held if offered < lowest_broken]
    if not below:
        return lowest_broken / 2 if lowest_broken > first_per_s / 32 else None
    highest_held = max(below)
    return None if lowest_broken / highest_held <= precision else math.sqrt(highest_held * lowest_broken)


def knee(rungs: Sequence[Rung], *, p99_limit_ms: float = math.inf) -> Rung | None:
    """The most delivered on a rung that kept up, at an age whose p99 is within the limit."""
    held = [rung for rung in rungs if rung.keeps_up and rung.window.p99_ms <= p99_limit_ms]
    return max(held, key=lambda rung: rung.window.updates_per_s, default=None)


def whole_rounds_s(hz: float, seconds: float) -> float:
    """A window of about `seconds` that holds a whole number of rounds at `hz`, at least 10 of them and at most 10 s: whenever it
    begins, the same number of rounds falls into it."""
    rounds = max(math.ceil(seconds * hz), LEAST_ROUNDS)
    return min(rounds / hz, max(math.floor(LONGEST_WINDOW_S * hz), 1) / hz)
