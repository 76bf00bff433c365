"""The way in for new clients: a few a round, in the order they came."""

from __future__ import annotations

import threading
from collections.abc import Callable


class HandshakeQueue:
    """Lets a few handshakes in a round, so that a storm of new clients does not hold up the quotes of those who are there."""

    PER_ROUND = 16

    def __init__(self) -> None:
        self._free = self.PER_ROUND
        self._waiting: list[threading.Event] = []

    @property
    def is_waiting(self) -> bool:
        """Whether somebody waits to come in."""
        return bool(self._waiting)

    def enter(self, wake: Callable[[], None]) -> None:
        """Return when it is the caller's turn, first come, first served."""
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        ticket = threading.Event()
        self._waiting.append(ticket)
        wake()
        ticket.wait()

    def open(self) -> None:
        """A round is over: let the next ones in."""
        self._free = self.PER_ROUND
        called, self._waiting = self._waiting[: self._free], self._waiting[self._free :]
        self._free -= len(called)
        for ticket in called:
            ticket.set()
