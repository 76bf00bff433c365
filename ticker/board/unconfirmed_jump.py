"""A jump of a price that nothing has confirmed yet, and what would confirm it. Pure: times are arguments, epoch ms."""

from __future__ import annotations

from ticker.board.outliers import Band
from ticker.quote import Tick

INSIST_MS = 5_000
"""A source that repeats the very same tick for so long means it."""
FAR_TIMES = 3
"""So many times a source alone has to show a far jump before it is believed."""
FAR_MS = 60_000
"""So long must have passed between the first of those times and the last."""


class UnconfirmedJump:
    """The newest tick of those that jumped from the `last` one that was believed to about the same place."""

    __slots__ = ("_first_ms", "_same_since_ms", "_times", "tick")

    def __init__(self, tick: Tick, now_ms: int) -> None:
        self.tick = tick
        self._first_ms = self._same_since_ms = now_ms
        self._times = 1

    def confirmed(self, tick: Tick, last: Tick, now_ms: int, believable: Band) -> bool:
        """Whether `tick` confirms the jump: as a second observation, or as the same one, repeated for long enough. A far jump takes
        several, over some time, and the same one again counts among them.
        """
        first = self.tick
        if not believable.confirms(tick.price, first.price, last.price):
            return False
        if believable.is_far(tick.price, last.price):
            return self._times + 1 >= FAR_TIMES and now_ms - self._first_ms >= FAR_MS
        # The very same tick is no second one; unless times do not move with prices here, and so do not tell.
        tells = first.quote_time is not None and first.quote_time != last.quote_time
        return not tells or tick.quote_time != first.quote_time or now_ms - self._same_since_ms >= INSIST_MS

    def heard(self, tick: Tick, last: Tick, now_ms: int, believable: Band) -> UnconfirmedJump:
        """What is unconfirmed after `tick`, which jumped too: one more of these, or another jump."""
        if not believable.confirms(tick.price, self.tick.price, last.price):
            return UnconfirmedJump(tick, now_ms)
        if (tick.price, tick.quote_time) != (self.tick.price, self.tick.quote_time):
            self._same_since_ms = now_ms
        self.tick = tick
        self._times += 1
        return self

    def clock_stepped_back(self, by_ms: int) -> None:
        """The wall clock was set back: move what was measured with it along."""
        self._first_ms -= by_ms
        self._same_since_ms -= by_ms
