"""A turn, with a clock that a test pushes on."""

from __future__ import annotations

from ticker.runtime import LONGEST_TURN_S, Turn


class Times:
    """A clock, and how often the turn was given to others, who take a second each time."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.pauses = 0

    def clock(self) -> float:
        """Seconds."""
        return self.now_s

    def pause(self) -> None:
        """Let others run."""
        self.pauses += 1
        self.now_s += 1.0


def test_a_turn_goes_on_for_as_long_as_it_may_and_no_longer() -> None:
    """Steps cost nothing until then; what others took is not counted as ours."""
    times = Times()
    turn = Turn(times.clock, times.pause)
    for pauses in range(3):
        for _ in range(10):
            turn.step()
            assert times.pauses == pauses
            times.now_s += LONGEST_TURN_S / 11
        times.now_s += LONGEST_TURN_S
        turn.step()
        assert times.pauses == pauses + 1


def test_by_itself_it_works_with_the_machines_clock() -> None:
    """Where nothing is patched, and nobody else is there, giving way does nothing."""
    turn = Turn()
    for _ in range(1000):
        turn.step()
