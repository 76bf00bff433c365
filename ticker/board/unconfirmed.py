"""A jump that nothing has borne out yet, and what would. Pure: times are arguments, epoch ms."""

from __future__ import annotations

from ticker.board.outliers import Band
from ticker.quote import Tick

INSIST_MS = 5_000
"""A source that says the very same for so long means it."""
FAR_TIMES = 3
FAR_MS = 60_000
"""A source alone has to say so as often, over so long, until a far jump is believed."""


class UnconfirmedJump:
    """The newest tick of those that jumped from the `last` one that was believed to about the same place."""

    __slots__ = ("_first_ms", "_same_since_ms", "_times", "tick")

    def __init__(self, tick: Tick, now_ms: int) -> None:
        self.tick = tick
        self._first_ms = self._same_since_ms = now_ms
        self._times = 1

    def confirmed(self, tick: Tick, last: Tick, now_ms: int, believable: Band) -> bool:
        """Whether `tick` bears the jump out: as a second observation, or as the same one, insisted on. Where the jump is a far one, as one
        of several, the same one again among them, over some time.
        """
        doubted = self.tick
        if not believable.confirms(tick.price, doubted.price, last.price):
            return False
        if believable.is_far(tick.price, last.price):
            return self._times + 1 >= FAR_TIMES and now_ms - self._first_ms >= FAR_MS
        # The very same tick is no second one; unless times do not move with prices here, and so do not tell.
        tells = doubted.quote_time is not None and doubted.quote_time != last.quote_time
        return not tells or tick.quote_time != doubted.quote_time or now_ms - self._same_since_ms >= INSIST_MS

    def heard(self, tick: Tick, last: Tick, now_ms: int, believable: Band) -> UnconfirmedJump:
        """What is to be doubted after `tick`, which jumped too: one more of these, or another one."""
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
