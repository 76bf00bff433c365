"""Lets each feed poll each symbol as often as it is worth: what is watched at its interval, what nobody watches or is shut less often.

`Interest` and `periods_s` decide; they are plain: times are arguments, monotonic seconds. `Watching` tells those who run the feeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping

from ticker.board.board import Board
from ticker.clock import Clock
from ticker.feed_state import Runner
from ticker.settings.model import FeedSettings, PolledSettings, Settings

READ_LASTS_S = 60.0
"""How long whoever asks over REST is taken to be interested."""
IDLE_INTERVALS = 10.0
"""What nobody watches is polled so many times less often, where the settings do not say."""
SHUT_INTERVAL_S = 60.0
"""What is shut is polled no less often: a source that knows its market's hours has to be asked when they have begun."""
LOOK_AT_MARKETS_EVERY_S = 5.0
"""What has shut is polled less often from then on; what has opened, at once."""


class Watching:
    """Tells each feed's `Runner` which of its symbols may be slow."""

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock
        self._interest = Interest()
        self._settings = Settings()
        self._runners: Mapping[str, Runner] = {}
        self._periods_s: dict[Runner, dict[str, float]] = {}  # the symbols that are polled less often than the feed's interval
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

    def configure(self, settings: Settings, runners: Mapping[str, Runner]) -> None:
        """Take what is in force from now on; `settle` each feed after it knows its symbols."""
        self._settings = settings
        self._runners = runners
        self._periods_s = {one: periods for one, periods in self._periods_s.items() if one in runners.values()}

    def settle(self, feed: str) -> None:
        """Let `feed` poll each symbol as often as it is worth, and at once what is worth more than before."""
        runner = self._runners[feed]
        periods = periods_s(self._settings.feeds[feed], runner.symbols, self._interest.is_watched, self._board.is_shut)
        if periods == self._periods_s.get(runner, {}):
            return
        self._periods_s[runner] = periods
        if faster := runner.slow(periods):
            runner.hurry(faster)

    def look_around(self) -> None:
        """Take in that time has passed: what was read too long ago is no longer watched; markets open and shut."""
        now_s = self._clock.monotonic()
        if self._interest.expire(now_s):
            self._watchers_changed()
        if self._board.take_opened() or now_s - self._markets_looked_at_s >= LOOK_AT_MARKETS_EVERY_S:
            self._markets_looked_at_s = now_s
            for feed in self._runners:
                self.settle(feed)

    def _watchers_changed(self) -> None:
        for name, feed in self._settings.feeds.items():
            if isinstance(feed, PolledSettings) and feed.interest:
                self.settle(name)


class Interest:
    """Which symbols somebody wants to see. `None` for symbols means all there are and will be."""

    def __init__(self) -> None:
        self._for_ever = False
        self._watched: frozenset[str] | None = frozenset()
        self._read_until_s: dict[str, float] = {}
        self._all_read_until_s = -math.inf

    def watch_for_ever(self) -> None:
        """Somebody reads all of it whatever clients do: NDJSON, a recording."""
        self._for_ever = True

    def watch(self, symbols: Collection[str] | None) -> bool:
        """The clients watch exactly these now; whether they did not before."""
        before, self._watched = self._watched, None if symbols is None else frozenset(symbols)
        return before != self._watched

    def read(self, symbols: Iterable[str] | None, now_s: float) -> bool:
        """Somebody asked for these once; whether one of them was not watched."""
        until_s = now_s + READ_LASTS_S
        if symbols is None:
            news = not self._all_watched
            self._all_read_until_s = until_s
            return news
        asked = list(symbols)
        news = not all(self.is_watched(symbol) for symbol in asked)
        self._read_until_s.update(dict.fromkeys(asked, until_s))
        return news

    def expire(self, now_s: float) -> bool:
        """Forget what was read too long ago; whether anything was."""
        over = [symbol for symbol, until_s in self._read_until_s.items() if until_s <= now_s]
        for symbol in over:
            del self._read_until_s[symbol]
        all_over = -math.inf < self._all_read_until_s <= now_s
        if all_over:
            self._all_read_until_s = -math.inf
        return bool(over) or all_over

    def is_watched(self, symbol: str) -> bool:
        """Whether anybody wants to see `symbol`, as of the last `expire`."""
        return self._all_watched or symbol in self._read_until_s or (self._watched is not None and symbol in self._watched)

    @property
    def _all_watched(self) -> bool:
        return self._for_ever or self._watched is None or self._all_read_until_s > -math.inf


def idle_interval_s(settings: PolledSettings) -> float:
    """How often what nobody watches is polled."""
    return IDLE_INTERVALS * settings.interval_s if settings.idle_interval_s is None else settings.idle_interval_s


def periods_s(
    settings: FeedSettings, symbols: Iterable[str], is_watched: Callable[[str], bool], is_shut: Callable[[str], bool]
) -> dict[str, float]:
    """Which of a feed's symbols are polled less often than its interval, and how often: those nobody watches, if the feed is polled by
    interest, and those whose market is shut. Nothing of a feed that is not polled over the network.
    """
    if not isinstance(settings, PolledSettings):
        return {}
    idle_s = idle_interval_s(settings)
    periods: dict[str, float] = {}
    for symbol in symbols:
        period_s = idle_s if settings.interest and not is_watched(symbol) else 0.0
        if is_shut(symbol):
            period_s = max(period_s, min(idle_s, SHUT_INTERVAL_S))
        if period_s > settings.interval_s:
            periods[symbol] = period_s
    return periods
