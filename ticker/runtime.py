"""What the core and the feeds ask of the concurrency library. The one implementation is in `web/runtime.py`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol


class DeadlineExceeded(Exception):
    """The block under `Runtime.deadline` took longer than it was given."""


class Busy(TimeoutError):
    """A side thread is not done with what others gave it."""


class Task(Protocol):
    """A running green task."""

    def kill(self) -> None:
        """Stop it where it stands; its `finally` blocks run."""


class Aside(Protocol):
    """A thread beside the loop that does one piece of work after the other."""

    def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """What `work(*args)` returns or raises, while others go on. It must share nothing with them that either changes, nor log."""

    def close(self) -> None:
        """It is not needed any more."""


class Runtime(Protocol):
    """Green tasks, sleeping and deadlines. Everything else (sockets, locks, queues) is the patched standard library."""

    def spawn(self, work: Callable[..., Any], *args: Any) -> Task:
        """Run `work(*args)` as a task of its own; an exception it raises is logged."""

    def sleep(self, seconds: float) -> None:
        """Let others run for `seconds`, ≥ 0."""

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """Cut the block short after `seconds` in all, whatever it waits for, and raise `DeadlineExceeded`."""

    def aside(self, what: str) -> Aside:
        """A thread for what may block. `what` it does is told where that takes longer than a second."""
