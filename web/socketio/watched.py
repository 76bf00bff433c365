"""Which symbols clients watch, told to who polls for them. Nothing of it happens while quotes are sent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from ticker.runtime import Runtime
from web.fanout.subscriptions import Subscriptions

TELL_AFTER_S = 0.05
"""Lists change in bursts (a page joins what it shows, a crowd comes in): they are looked through once for a burst."""


class Listener(Protocol):
    """Who wants to know (`ticker.watching.Watching`)."""

    @property
    def matters(self) -> bool:
        """Whether it makes a difference what is watched."""

    def watch(self, symbols: Collection[str] | None) -> None:
        """Exactly these symbols are read now; `None`: all there are and will be."""


class Watchers:
    """Tells `watching` which symbols are read, a moment after reading lists changed, if that matters to any feed."""

    def __init__(self, subscriptions: Subscriptions, runtime: Runtime, watching: Listener) -> None:
        self._subscriptions = subscriptions
        self._runtime = runtime
        self._watching = watching
        self._waiting = False
        subscriptions.changed = self.changed

    def changed(self) -> None:
        """A reading list changed, or the settings did."""
        if not self._waiting:
            self._waiting = True
            self._runtime.spawn(self._tell_soon)

    def watched(self) -> set[str] | None:
        """The symbols that somebody reads; `None`: somebody reads all of them."""
        subscriptions = self._subscriptions
        if subscriptions.everything or any(reading_list.everything for reading_list in subscriptions.unsettled):
            return None
        watched = {symbol for symbol, channel in subscriptions.registry.items() if subscriptions.cohorts_of[channel]}
        for reading_list in subscriptions.unsettled:
            watched.update(channel.symbol for channel in reading_list.channels)
        return watched

    def _tell_soon(self) -> None:
        self._runtime.sleep(TELL_AFTER_S)
        self._waiting = False
        if self._watching.matters:
            self._watching.watch(self.watched())
