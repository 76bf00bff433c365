"""Beats at a steady rate that neither drift nor bunch up: for loops faster than the scheduler."""

from __future__ import annotations

import math


class Pace:
    """A grid of beats `interval_s` apart from `start_s` on, in seconds of one monotonic clock."""

    def __init__(self, interval_s: float, start_s: float) -> None:
        self.interval_s = interval_s
        self._due_s = start_s

    def wait_s(self, now_s: float) -> float:
        """How long to wait, after the work of one beat, for the next: 0 if that is due already.

        Late by less than a beat, the next follows at once, so that the mean rate holds. Late by whole beats, those are left out
        and never made up for.
        """
        self._due_s += self.interval_s
        behind_s = now_s - self._due_s
        if behind_s >= self.interval_s:
            self._due_s += math.floor(behind_s / self.interval_s) * self.interval_s
        return max(0.0, self._due_s - now_s)
