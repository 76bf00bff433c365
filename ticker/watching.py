"""Lets each feed poll each symbol as often as it is worth: what is watched at its interval, what nobody watches or is shut less often."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ticker.board.board import Board
from ticker.clock import Clock
from ticker.interest import Interest, periods_s
from ticker.polling.poller import Poller
from ticker.settings.model import PolledSettings, Settings
from ticker.source import Subscription

LOOK_AT_MARKETS_EVERY_S = 5.0
"""What has shut is polled less often from then on; what has opened, at once."""


class Watching:
    """Tells pollers which of their symbols may be slow. `poll_now(poller, subscriptions)` polls some at once, in a task of its own."""

    def __init__(self, board: Board, clock: Clock, poll_now: Callable[[Poller, Sequence[Subscription]], None]) -> None:
        self._board = board
        self._clock = clock
        self._poll_now = poll_now
        self._interest = Interest()
        self._settings = Settings()
        self._pollers: Mapping[str, Poller] = {}
        self._periods_s: dict[Poller, dict[str, float]] = {}  # the symbols that are polled less often than the feed's interval
        self._markets_looked_at_s = 0.0

    @property
    def matters(self) -> bool:
        """Whether it makes a difference to any feed what is watched: else nobody need find out."""
        return any(isinstance(feed, PolledSettings) and feed.interest for feed in self._settings.feeds.values())

    def watch(self, symbols: Collection[str] | None) -> None:
        """Clients watch exactly these symbols now; `None`: all there are and will be."""
        if self._interest.watch(symbols):
            self._watchers_changed()

    def watch_everything(self) -> None:
        """From now on somebody reads all symbols, whatever clients do: NDJSON, a recording."""
        self._interest.watch_for_ever()
        self._watchers_changed()

    def read(self, symbols: Iterable[str] | None) -> None:
        """Somebody asked for these symbols (`None`: all), and is taken to be interested for a minute."""
        if self.matters and self._interest.read(symbols, self._clock.monotonic()):
            self._watchers_changed()

    def configure(self, settings: Settings, pollers: Mapping[str, Poller]) -> None:
        """Take what is in force from now on; `settle` each feed after it knows its symbols."""
        self._settings = settings
        self._pollers = pollers
        self._periods_s = {poller: periods for poller, periods in self._periods_s.items() if poller in pollers.values()}

    def settle(self, feed: str) -> None:
        """Let `feed` poll each symbol as often as it is worth, and at once what is worth more than before."""
        poller = self._pollers[feed]
        periods = periods_s(self._settings.feeds[feed], poller.symbols, self._interest.is_watched, self._board.is_shut)
        if periods == self._periods_s.get(poller, {}):
            return
        self._periods_s[poller] = periods
        if faster := poller.slow(periods):
            self._poll_now(poller, faster)

    def look_around(self) -> None:
        """Take in that time has passed: what was read too long ago is no longer watched; markets open and shut."""
        now_s = self._clock.monotonic()
        if self._interest.expire(now_s):
            self._watchers_changed()
        if self._board.take_opened() or now_s - self._markets_looked_at_s >= LOOK_AT_MARKETS_EVERY_S:
            self._markets_looked_at_s = now_s
            for feed in self._pollers:
                self.settle(feed)

    def _watchers_changed(self) -> None:
        for name, feed in self._settings.feeds.items():
            if isinstance(feed, PolledSettings) and feed.interest:
                self.settle(name)
