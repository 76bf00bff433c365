"""The running core: board, pollers and schedule, composed. Give it settings and a maker of sources; it calls its listeners."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from ticker.board import Board
from ticker.clock import Clock
from ticker.quote import Quote
from ticker.runtime import Runtime
from ticker.settings.model import FeedSettings, Settings, SymbolSettings
from ticker.source import Source

log = logging.getLogger(__name__)

WireState = Literal["symbols", "feeds", "config"]
MakeSource = Callable[[str, FeedSettings], Source]


class Relay:
    """Polls the feeds of the settings in force and publishes what the board accepts.

    `on_quotes`: called with the updates of each applied batch, in order, once a batch, in the task that polled.
    `on_state`: called when the named state of the wire has changed; ask `symbols_state()`, `feeds_state()` or `config_state()` for it.
    A listener must not block; what it raises is logged and harms nobody else.
    """

    def __init__(self, runtime: Runtime, clock: Clock, make_source: MakeSource, epoch: str) -> None:
        self.board = Board(epoch)
        self.on_quotes: list[Callable[[Sequence[Quote]], None]] = []
        self.on_state: list[Callable[[WireState], None]] = []

    @property
    def epoch(self) -> str:
        """Names this life of the process on the wire."""
        raise NotImplementedError

    @property
    def quotes(self) -> Mapping[str, Quote]:
        """The newest quote of each symbol that has one. Read only; alive."""
        raise NotImplementedError

    @property
    def symbols(self) -> Mapping[str, SymbolSettings]:
        """The symbols of the settings in force, in their order."""
        raise NotImplementedError

    def configure(self, settings: Settings) -> None:
        """Put `settings` in force, at the start and at each reload; only the differences are touched.

        What `make_source` raises is raised before anything has changed: the settings before stay in force.
        """
        raise NotImplementedError

    def start(self) -> None:
        """Begin to poll. `configure` must have been called."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop polling and close the sources; returns at once, without waiting for polls under way. Final."""
        raise NotImplementedError

    def symbols_state(self) -> list[dict[str, Any]]:
        """What the wire says of the symbols: `symbol name decimals group feed currency stale_after_s status error`; unknown is `None`.

        `group` is a list; `feed` is a name, or a list of names where the symbol has several.
        """
        raise NotImplementedError

    def feeds_state(self) -> list[dict[str, Any]]:
        """What the wire says of the feeds: `feed kind state last_success next_try error`; times in epoch ms, unknown is `None`."""
        raise NotImplementedError

    def config_state(self) -> dict[str, Any]:
        """What the wire says of the last reload: `ok at error restart_required` (`at` in epoch ms, a list of keys last)."""
        raise NotImplementedError

    def report_reload(self, error: str | None = None, restart_required: Sequence[str] = ()) -> None:
        """Say how the last attempt to take new settings went; `error` is `None` where it went well."""
        raise NotImplementedError
