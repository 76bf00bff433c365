"""When the next flush may begin: the process has one conflation window. Pure; times are arguments, seconds of a monotonic clock."""

from __future__ import annotations

EARLY = 1 / 20
"""How much sooner than after a whole window a flush may begin, as a part of the window."""


class FlushClock:
    """Over time there is never more than one flush a window; any of them may come up to `EARLY` of a window before its time.

    That is for feeds as fast as the window. If each flush had to wait for a whole window after the one before, it would be late by
    what it takes to wake up, the next one by twice that, and one late tick would hold back every tick after it: prices would be
    shown up to a window old. (The generic cell rate algorithm, ITU-T I.371, with one cell a window.)

    A tick that is late by more moves the windows to where it came, for the next one may not follow too soon. What it was late by is made
    good in steps of `EARLY`, a window each, until the windows are where they were.
    """

    def __init__(self) -> None:
        self._over_s = 0.0
        self._behind_s = 0.0  # by how much the windows were moved, and may move back

    def opens_s(self, length_s: float) -> float:
        """From when on a flush may begin. `length_s`: of the window in force."""
        return self._over_s - EARLY * length_s

    def begin(self, now_s: float, length_s: float) -> None:
        """A flush begins."""
        late_s = now_s - self._over_s
        if late_s >= length_s:
            self._behind_s = 0.0  # a pause, after which nobody knows when the next tick is to be
        else:
            late_s = max(late_s, -self._behind_s)
            self._behind_s = min(self._behind_s + late_s, length_s)
            self._over_s += late_s
        self._over_s = max(self._over_s, now_s) + length_s
