"""A long flush lets the rest of the process have its turns, and no more than its share."""

from __future__ import annotations

import pytest

from tests.web.fanout.quotes import quote
from web.fanout.flush import BREATHE_S, LONGEST_BREATH_S, OTHERS_SHARE, Flusher
from web.fanout.outbox import Outbox
from web.fanout.subscriptions import Subscriptions

WRITE_S = 10e-6
CLIENTS = 4_000  # a flush of 40 ms
LOOK_S = 64 * WRITE_S  # how exactly the time is kept


class Busy:
    """A flusher whose every write takes 10 µs, and a rest that takes `turn_s` whenever it is let."""

    def __init__(self, turn_s: float) -> None:
        self.now_s = 100.0
        self.turn_s = turn_s
        self.turns_at: list[float] = []
        self.subscriptions = Subscriptions("e1")
        self.flusher = Flusher(self.subscriptions, self._turn, lambda: self.now_s)
        channel = self.subscriptions.add_channel("A")
        for _ in range(CLIENTS):
            outbox = Outbox()
            outbox.write = self._take
            self.subscriptions.join(outbox.spaces, channel)
        self.flush(1)
        while self.flusher.pump:
            owed = self.flusher.pump.popitem()[0]
            assert isinstance(owed, Outbox)
            self.flusher.serve(owed)
        self.turns_at.clear()

    def flush(self, seq: int) -> float:
        """One flush; how long it took."""
        began_s = self.now_s
        self.flusher.mark([quote("A", seq)])
        self.flusher.flush(0.0)
        return self.now_s - began_s

    def _take(self, data: bytes | memoryview) -> int:
        self.now_s += WRITE_S
        return len(data)

    def _turn(self) -> None:
        self.turns_at.append(self.now_s)
        self.now_s += self.turn_s


@pytest.mark.parametrize(("turn_s", "slice_s"), [(0.0, BREATHE_S), (0.0001, BREATHE_S), (0.0015, 0.006), (0.05, LONGEST_BREATH_S)])
def test_who_takes_long_turns_has_fewer(turn_s: float, slice_s: float) -> None:
    """The others have a turn every 2 ms while they make little of it; who makes much of it waits for four times as long, 8 ms at most."""
    busy = Busy(turn_s)
    busy.flush(2)
    between = [later - sooner - turn_s for sooner, later in zip(busy.turns_at, busy.turns_at[1:], strict=False)]
    assert len(between) >= 3
    assert max(between) <= slice_s + 2 * LOOK_S
    assert max(between) >= slice_s


def test_flushes_that_follow_each_other_keep_their_share() -> None:
    """What happens between two of them counts as a turn too, so that a greedy feed has a fifth of the time in all."""
    busy = Busy(0.0015)
    flushing_s = 0.0
    began_s = busy.now_s
    for seq in range(2, 12):
        flushing_s += busy.flush(seq) - busy.turn_s * len(busy.turns_at)
        busy.turns_at.clear()
        busy.now_s += busy.turn_s
    assert flushing_s / (busy.now_s - began_s) >= (1 - OTHERS_SHARE) * 0.95
