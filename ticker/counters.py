"""Plain counters of what happens, read when somebody wants to see them. No I/O: counting costs an addition, and nobody is told."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal

from ticker.errors import FeedError

Outcome = Literal["answered", "failed", "limited"]
"""Of a call to a provider. `limited`: it said that we ask too often."""

LATENCY_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LIMITED = (418, 429)


class Histogram:
    """How many values were at most as large as each of `bounds` (ascending), and what they come to."""

    __slots__ = ("_counts", "bounds", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.sum = 0.0
        self._counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)

    def cumulative(self) -> list[int]:
        """How many values were at most as large as each bound; last, how many there were."""
        running, told = 0, []
        for count in self._counts:
            running += count
            told.append(running)
        return told


class FeedCounters:
    """What one feed was asked, what came of it, and how long that took."""

    def __init__(self) -> None:
        self.polls: dict[Outcome, int] = {"answered": 0, "failed": 0, "limited": 0}
        self.latency_s = Histogram(LATENCY_BOUNDS_S)
        self.updates = 0
        """How many updates the board accepted."""
        self.messages = 0
        """How many messages a stream brought."""

    def polled(self, took_s: float, error: FeedError | None) -> None:
        """A call has ended, with or without an answer."""
        self.latency_s.observe(took_s)
        self.polls["answered" if error is None else "limited" if _is_limited(error) else "failed"] += 1


def _is_limited(error: FeedError) -> bool:
    """By the status; or where a provider says it in words of its own, by the wait that it asks for."""
    return error.status in _LIMITED if error.status is not None else error.retry_after_s is not None
