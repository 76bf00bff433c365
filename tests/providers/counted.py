"""Counts what arrives, in every window: whether a client keeps to a provider's limits is for the provider's server to say."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from ticker.rate_limit import WINDOWS_S

ROUNDING_S = 1e-9
"""Just a window apart is apart, however the last bit of a float falls."""


class Counted:
    """The most of each unit that ever came in a window, wherever one begins; `limits` as in the settings: `{"calls_per_s": 10}`."""

    def __init__(self, limits: Mapping[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows = [_Window(name, limit) for name, limit in limits.items()]

    def count(self, cost: Mapping[str, int]) -> None:
        """A request of that cost has arrived."""
        now_s = self._clock()
        for window in self._windows:
            window.count(cost.get(window.unit, 0), now_s)

    def shown(self) -> dict[str, dict[str, Any]]:
        """By limit: `limit`, `most` in any window so far, `total`."""
        return {window.name: {"limit": window.limit, "most": window.most, "total": window.total} for window in self._windows}

    def forget(self) -> None:
        """Begin again."""
        self._windows = [_Window(window.name, window.limit) for window in self._windows]


class _Window:
    def __init__(self, name: str, limit: int) -> None:
        self.name, self.limit = name, limit
        self.unit, _, length = name.rpartition("_per_")
        self.most = self.total = self._now = 0
        self._length_s = WINDOWS_S[length]
        self._arrived: deque[tuple[float, int]] = deque()

    def count(self, amount: int, now_s: float) -> None:
        while self._arrived and self._arrived[0][0] <= now_s - self._length_s + ROUNDING_S:
            self._now -= self._arrived.popleft()[1]
        self._arrived.append((now_s, amount))
        self._now += amount
        self.total += amount
        self.most = max(self.most, self._now)
