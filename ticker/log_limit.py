"""How often the log is told of the same thing. Pure: times are arguments, seconds of any clock that does not jump back."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple


class Line(NamedTuple):
    """A line that may be logged: how many of its kind were left out since the last one, and whether it is the last for now."""

    left_out: int
    is_last: bool


class LogLimit:
    """Lets at most `most` lines of a kind pass in `period_s`, counted from the first of them, and counts those that it holds back.

    Kinds are remembered for ever, so whoever chooses them sees to it that there are few.
    """

    def __init__(self, most: int, period_s: float) -> None:
        self._most = most
        self._period_s = period_s
        self._kinds: dict[Hashable, tuple[float, int, int]] = {}  # since when, how many passed, how many were left out

    def passes(self, now_s: float, kind: Hashable = None) -> Line | None:
        """What to say of the line of that `kind`; `None`: nothing, it is left out."""
        since_s, passed, left_out = self._kinds.get(kind, (now_s, 0, 0))
        if not since_s <= now_s < since_s + self._period_s:
            since_s, passed = now_s, 0
        if passed >= self._most:
            self._kinds[kind] = since_s, passed, left_out + 1
            return None
        self._kinds[kind] = since_s, passed + 1, 0
        return Line(left_out, passed + 1 == self._most)
