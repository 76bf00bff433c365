"""How many in this second: the limit behind every "so many a second" that is not a budget. Pure: times are arguments."""

from __future__ import annotations


class PerSecond:
    """Counts what happens in one second of a monotonic clock, and begins anew in the next."""

    __slots__ = ("_count", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._count = 0

    def exceeds(self, limit: int, now_s: float) -> bool:
        """Count one more; whether that makes more than `limit` in this second."""
        second = int(now_s)
        self._count = self._count + 1 if self._second == second else 1
        self._second = second
        return self._count > limit

    def so_far(self, now_s: float) -> int:
        """How many there were in this second."""
        return self._count if self._second == int(now_s) else 0
