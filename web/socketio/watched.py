"""Which symbols clients read, told to who polls for them. Nothing of it happens while quotes are sent."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from ticker.runtime import Runtime

TELL_AFTER_S = 0.05
"""Lists change in bursts (a page joins what it shows, a crowd comes in): they are looked through once for a burst."""


class Interested(Protocol):
    """Who wants to know what is read: `ticker.watching.Watching`, for whoever polls."""

    @property
    def matters(self) -> bool:
        """Whether it makes a difference what is watched."""

    def watch(self, symbols: Collection[str] | None) -> None:
        """Exactly these symbols are read now; `None`: all there are and will be."""


class WatchedSymbols:
    """Tells `watching` which symbols are `read`, a moment after reading lists changed, if that matters to any feed."""

    def __init__(self, read: Callable[[], set[str] | None], runtime: Runtime, watching: Interested) -> None:
        self._read = read
        self._runtime = runtime
        self._watching = watching
        self._waiting = False

    def changed(self) -> None:
        """A reading list changed, or the settings did."""
        if not self._waiting:
            self._waiting = True
            self._runtime.spawn(self._tell_soon)

    def _tell_soon(self) -> None:
        self._runtime.sleep(TELL_AFTER_S)
        self._waiting = False
        if self._watching.matters:
            self._watching.watch(self._read())
