"""What the core and the feeds ask of the concurrency library. The one implementation is in `web/runtime.py`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol


class DeadlineExceeded(Exception):
    """The block under `Runtime.deadline` took longer than it was given."""


class Task(Protocol):
    """A running green task."""

    def kill(self) -> None:
        """Stop it where it stands; its `finally` blocks run."""


class Runtime(Protocol):
    """Green tasks, sleeping and deadlines. Everything else (sockets, locks, queues) is the patched standard library."""

    def spawn(self, work: Callable[..., Any], *args: Any) -> Task:
        """Run `work(*args)` as a task of its own; an exception it raises is logged."""

    def sleep(self, seconds: float) -> None:
        """Let others run for `seconds`, ≥ 0."""

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """Cut the block short after `seconds` in all, whatever it waits for, and raise `DeadlineExceeded`."""
