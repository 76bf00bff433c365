"""How long a source is usually silent about a symbol: learnt, so that a quiet market is not called stale and a frozen one is.

A lapse is how old a price had become when the next one came: the time between two trades, and what the source lags behind besides.
The limit is twice the second longest lapse of the last 15 to 30 minutes. Not of the mean, because trades come in bursts with lulls
between them; not of the longest, because one freeze must not teach that freezing is usual.
"""

from __future__ import annotations

WINDOW_MS = 900_000
"""Lapses are remembered by windows of this length: those of the running one and of the one before it count."""
LONGEST_LAPSE_MS = 1_800_000
"""A longer lapse is a night or an outage, and nothing is learnt from it."""
FACTOR = 2
LONGEST_MS = 300_000
"""No limit that is learnt is longer than this."""
STEPS_MS = (10_000, 15_000, 20_000, 30_000, 45_000, 60_000, 90_000, 120_000, 180_000, 240_000, LONGEST_MS)
"""The limits there are: clients are told each change, so there should be few."""


class LearnedLimit:
    """The lapses of one symbol at one source. Times are arguments, ms."""

    __slots__ = ("_before", "_longest", "_second", "_usual_ms", "_window_ends_ms")

    def __init__(self) -> None:
        self._longest = self._second = 0  # of this window
        self._before = (0, 0)  # of the window before
        self._window_ends_ms = 0
        self._usual_ms = 0  # the second longest of all that count

    def note(self, lapse_ms: int, now_ms: int) -> None:
        """A price came when the one before it was `lapse_ms` old."""
        if lapse_ms > LONGEST_LAPSE_MS:
            return
        if now_ms >= self._window_ends_ms:
            is_next = now_ms < self._window_ends_ms + WINDOW_MS
            self._before = (self._longest, self._second) if is_next else (0, 0)
            self._longest = self._second = 0
            self._window_ends_ms = now_ms + WINDOW_MS
        elif lapse_ms <= self._second:
            return
        if lapse_ms > self._longest:
            self._longest, self._second = lapse_ms, self._longest
        elif lapse_ms > self._second:
            self._second = lapse_ms
        self._usual_ms = sorted((self._longest, self._second, *self._before))[-2]

    def limit_ms(self, shortest_ms: int) -> int:
        """The limit that follows: `shortest_ms` at least, and no more than 300 s where that is not more itself."""
        wanted_ms = FACTOR * self._usual_ms
        if wanted_ms <= shortest_ms:
            return shortest_ms
        return max(shortest_ms, next((step_ms for step_ms in STEPS_MS if step_ms >= wanted_ms), LONGEST_MS))

    def clock_stepped_back(self, by_ms: int) -> None:
        """The wall clock was set back."""
        self._window_ends_ms -= by_ms
