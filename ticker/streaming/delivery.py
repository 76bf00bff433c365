"""Hands on what a stream brings, in a task of its own, so that a slow board never makes the provider wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ticker.backlog import Backlog
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.source import Answer, merge

MOST_WAITING = 1000
"""Answers that may wait before they are folded to the newest of each symbol."""
APPLY_AT_ONCE = 100
"""So many answers are applied before others get a turn."""


class Delivery:
    """Calls `deliver(answer)` for each answer that was put, in order, until it is stopped."""

    def __init__(self, runtime: Runtime, deliver: Callable[[Answer], None]) -> None:
        self._runtime = runtime
        self._deliver = deliver
        self._waiting = Backlog(MOST_WAITING, newest, len)
        self._delivering = False
        self._stopped = False

    @property
    def folded(self) -> int:
        """How many ticks and errors a newer one of their symbol has replaced before they were handed on."""
        return self._waiting.folded

    def put(self, answer: Answer) -> None:
        """Hand on `answer` soon. It must not change any more."""
        self._waiting.add((answer,))
        if not self._delivering:
            self._delivering = True
            self._runtime.spawn(self._deliver_all)

    def stop(self) -> None:
        """Hand on nothing more."""
        self._stopped = True

    def _deliver_all(self) -> None:
        try:
            while self._waiting and not self._stopped:
                for answer in self._waiting.take(APPLY_AT_ONCE):
                    self._deliver(answer)
                if self._waiting:
                    self._runtime.sleep(0)
        finally:
            self._delivering = False


def newest(answers: Iterable[Answer]) -> list[Answer]:
    """The newest of each symbol, in one answer."""
    found: dict[str, Tick | FeedError] = {}
    for answer in answers:
        merge(found, answer)
    return [found]
