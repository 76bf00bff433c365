"""What a stream brought and the board has not seen yet: all of it while the board keeps up, else the newest of each symbol. No I/O."""

from __future__ import annotations

from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.source import Answer, merge

BACKLOG = 1000
"""Answers that may wait before they are folded to the newest of each symbol."""


class Inbox:
    """Answers in order: at most `BACKLOG`, or a single one. `folded` counts the ticks that a newer one of their symbol replaced."""

    def __init__(self) -> None:
        self.folded = 0
        self._waiting: list[Answer] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, answer: Answer) -> None:
        """Take one more. An answer that is put must not change any more."""
        self._waiting.append(answer)
        if len(self._waiting) > BACKLOG:
            newest: dict[str, Tick | FeedError] = {}
            for one in self._waiting:
                merge(newest, one)
            self.folded += sum(map(len, self._waiting)) - len(newest)
            self._waiting = [newest]

    def take(self, most: int) -> list[Answer]:
        """The oldest, at most `most` ≥ 1."""
        taken, self._waiting = self._waiting[:most], self._waiting[most:]
        return taken
