"""The settings file of a running service: looked at, read, checked and edited in a thread, and taken into force in the loop.

A mount may be slow, or hang for ever: prices go on, and so does everything else. One piece at a time, as two edits must not meet.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.process.settings import feed_kinds
from ticker.clock import Clock
from ticker.errors import Problem
from ticker.runtime import Busy, Task
from ticker.settings import edit
from ticker.settings.reload import Reloader, ReloadOutcome
from web.runtime import EventletRuntime
from web.side_thread import SideThread

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
EDIT_WAITS_S = 10.0
"""So long an edit waits for the one before it to end, and then for its own end."""
EDIT_ENDS_S = 2.0
"""So long the process waits at its end for an edit that is under way: the file may be half written."""


class SettingsFile:
    """The file at `path`. `aside`: the thread; `reloader`: what reads it, `None` where it may not change."""

    def __init__(self, runtime: EventletRuntime, aside: SideThread, clock: Clock, path: Path, reloader: Reloader | None) -> None:
        self._runtime = runtime
        self._aside = aside
        self._clock = clock
        self._path = path
        self._reloader = reloader
        self._now = threading.Event()
        self._editing = threading.Lock()
        self._task: Task | None = None

    @property
    def warnings(self) -> Sequence[Problem]:
        """What is odd about the settings that were read last."""
        return () if self._reloader is None else self._reloader.warnings

    def start(self, take: Callable[[ReloadOutcome], None], reloaded: Callable[[], None]) -> None:
        """Begin to look: `take` takes what comes of a change, and of a `reload`, of which `reloaded` is told when it is over."""
        self._task = self._runtime.spawn(self._look, take, reloaded)

    def reload(self) -> None:
        """Read it as soon as what is being done is done, changed or not; secrets too."""
        self._now.set()

    def end(self) -> None:
        """Look no more. An edit under way is waited for, for a short time."""
        if self._task is not None:
            self._task.kill()
        self._editing.acquire(timeout=EDIT_ENDS_S)

    def add(self, symbol: str, feed: str | None) -> object:
        """Add a symbol: it is picked up like any other change. Raises as `edit.add` does."""
        return self._edited(edit.add, symbol, feed)

    def remove(self, symbol: str) -> object:
        """Remove one, likewise."""
        return self._edited(edit.remove, symbol)

    def _edited(self, change: Callable[..., object], *args: object) -> object:
        if not self._editing.acquire(timeout=EDIT_WAITS_S):
            raise Busy(errno.ETIMEDOUT, "another change of it does not end")
        try:
            return self._aside.run(change, self._path, *args, feed_kinds(), dict(os.environ), wait_s=EDIT_WAITS_S)
        finally:
            self._editing.release()

    def _look(self, take: Callable[[ReloadOutcome], None], reloaded: Callable[[], None]) -> None:
        while True:
            self._now.wait(LOOK_EVERY_S)
            is_told = self._now.is_set()  # not what `wait` returned: its time may be up in the moment in which it is told
            self._now.clear()
            try:
                outcome = self._read(is_told)
                if outcome is not None:
                    take(outcome)
            except Exception:  # a bug; the next time it may be well
                log.exception("%s could not be read", self._path.name)
            if is_told:
                reloaded()

    def _read(self, is_told: bool) -> ReloadOutcome | None:
        if self._reloader is None:
            return None
        now_s, now_ms = self._clock.monotonic(), self._clock.now_ms()
        outcome: ReloadOutcome | None = (
            self._aside.run(self._reloader.reload, now_ms) if is_told else self._aside.run(self._reloader.check, now_s, now_ms)
        )
        return outcome
