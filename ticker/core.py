"""The running core: the board and what keeps the feeds going, composed. Give it settings and a maker of sources; it calls its listeners."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from ticker import wire
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.calendars.exchange_hours import Load, load
from ticker.calendars.loader import CalendarLoader
from ticker.calendars.market_hours import Hours
from ticker.clock import Clock, ClockWatch
from ticker.counters import FeedCounters
from ticker.feed_state import Runner
from ticker.polling.scheduler import Scheduler
from ticker.quote import Quote, VolumeOf
from ticker.rate_limit import Accounts
from ticker.runtime import Runtime
from ticker.settings.model import FeedSettings, Settings, SymbolSettings
from ticker.settings.reload import Reload
from ticker.source import Answer, Source, same_source, subscriptions
from ticker.streaming.runner import runner_of
from ticker.watching import Watching

log = logging.getLogger(__name__)

WireState = Literal["symbols", "feeds", "config"]

MakeSource = Callable[[str, FeedSettings], Source]

SWEEP_EVERY_S = 0.25
SYMBOLS_TOLD_EVERY_S = 0.2
"""The list of symbols is told anew no sooner than so long after the last time."""
SYMBOLS_A_S = 5_000
"""Of that list no more entries than so many are told in a second: at the start thousands of symbols get their first price one by one."""
TOLD = ("feed", "kind", "state", "error", "interval_s", "widened", "upstream")


class Core:
    """Polls the feeds of the settings in force and publishes what the board accepts.

    `on_quotes`: called with the updates of each applied batch, in order, once a batch, in the task that polled.
    `on_state`: called when the named state of the wire has changed; ask `symbols_state()`, `feeds_state()` or `config_state()` for it.
    A listener must not block; what it raises is logged and harms nobody else.
    `watching`: tell it who watches what.
    """

    def __init__(
        self, runtime: Runtime, clock: Clock, make_source: MakeSource, epoch: str, random: Random | None = None, load_hours: Load = load
    ) -> None:
        self.board = Board(epoch)
        self._listeners = Listeners()
        self.on_quotes = self._listeners.on_quotes
        self.on_state = self._listeners.on_state
        self._publish = self._listeners.publish
        self.markets = CalendarLoader(runtime, clock, self._take_hours, load_hours)
        self.watching = Watching(self.board, clock)
        self._runtime = runtime
        self._clock = clock
        self._make_source = make_source
        self._random = random or Random()
        self._scheduler = Scheduler(runtime)
        self._settings = Settings()
        self._runners: dict[str, Runner] = {}
        self.feed_counters: dict[str, FeedCounters] = {}  # by feed
        self._accounts = Accounts()
        self._started = False
        self._stopped = False
        self._reload = Reload(ok=True, at=clock.now_ms())  # the start, as no settings came after it
        self._clock_watch = ClockWatch(clock)

    @property
    def epoch(self) -> str:
        """Names this life of the process on the wire."""
        return self.board.epoch

    @property
    def quotes(self) -> Mapping[str, Quote]:
        """The newest quote of each symbol that has one. Read only; alive."""
        return self.board.quotes

    @property
    def volume_of(self) -> Mapping[str, VolumeOf]:
        """What the volume of each symbol counts. Read only; alive."""
        return self.board.volume_of

    @property
    def symbols(self) -> Mapping[str, SymbolSettings]:
        """The symbols of the settings in force, in their order."""
        return self._settings.symbols

    def configure(self, settings: Settings) -> None:
        """Put `settings` in force, at the start and at each reload; only the differences are touched.

        What `make_source` or a source's `native_id` raises is raised before anything has changed: the settings before stay in force.
        """
        symbols_before, feeds_before = self.symbols_state(), self._feeds_told()
        made: dict[str, Source] = {}
        try:
            for name, feed in settings.feeds.items():
                if name not in self._runners or not same_source(self._runners[name].source.settings, feed):
                    made[name] = self._make_source(name, feed)
            sources = {name: made[name] if name in made else self._runners[name].source for name in settings.feeds}
            wanted = {name: subscriptions(settings, source) for name, source in sources.items()}
        except Exception:
            for source in made.values():
                source.close()
            raise

        now_ms = self._clock.now_ms()
        untold = self.board.take_symbols_changed()
        quotes: list[Quote] = []
        for name, runner in self._runners.items():
            if name in made or name not in sources:
                runner.stop()
                quotes += self.board.restart_feed(name, now_ms)
        terms = {
            name: FeedTerms(
                sources[name].quote_kind,
                feed.interval_s,
                feed.stale_after_s,
                sources[name].cadence_s,
                feed.clock_rate,
                sources[name].volume_of,
            )
            for name, feed in settings.feeds.items()
        }
        quotes += self.board.configure(settings.symbols, terms, now_ms, settings.quality).quotes
        self.markets.configure(settings.symbols.values())
        self._settings = settings
        self.feed_counters = {name: self.feed_counters.get(name) or FeedCounters() for name in settings.feeds}
        self._runners = {name: self._new_runner(source) if name in made else self._runners[name] for name, source in sources.items()}
        self._accounts.share({name: source.gate for name, source in sources.items() if source.gate is not None})
        self.watching.configure(settings, self._runners)
        self._publish([quote for quote in quotes if quote.symbol in settings.symbols])
        for name, runner in self._runners.items():
            runner.interval_s = settings.feeds[name].interval_s
            new = runner.want(wanted[name])
            self.watching.settle(name)
            self._intervals_changed(name)
            if self._started:
                runner.start(new)
        self.board.take_symbols_changed()
        if untold or self.symbols_state() != symbols_before:
            self._listeners.tell_symbols(len(settings.symbols), self._clock.monotonic())
        if self._feeds_told() != feeds_before:
            self._listeners.tell("feeds")

    def start(self) -> None:
        """Begin to poll. `configure` must have been called."""
        self._started = True
        self._scheduler.start()
        for runner in self._runners.values():
            runner.start()
        self._runtime.spawn(self._sweep_on)

    def stop(self) -> None:
        """Stop polling and close the sources; returns without waiting for polls under way. Final."""
        self._stopped = True
        for runner in self._runners.values():
            runner.stop()
        self._scheduler.stop()

    def sweep(self) -> None:
        """What follows from the passing of time alone: quotes turn stale. `start` lets it happen four times a second."""
        self._watch_clock()
        self._publish(self.board.sweep(self._clock.now_ms()))
        self.markets.look()
        self._look_at_symbols()
        self.watching.look_around()

    def symbols_state(self, symbols: Iterable[str] | None = None) -> list[wire.Symbol]:
        """What the wire says of these symbols, or of all."""
        return self.board.symbols_state(symbols)

    def feeds_state(self) -> list[wire.Feed]:
        """What the wire says of the feeds."""
        return [runner.wire_state() for runner in self._runners.values()]

    def feeds_status(self) -> list[wire.Feed]:
        """The same, and of feeds with limits what is spent of them, and which rows of the last answer could not be read."""
        now_s = self._clock.monotonic()
        told = []
        for runner, state in zip(self._runners.values(), self.feeds_state(), strict=True):
            gate, unread = runner.source.gate, runner.source.unread
            told.append(
                msgspec.structs.replace(
                    state,
                    budget=UNSET if gate is None else gate.budget.spent(now_s),
                    unread=UNSET if unread is None else wire.UnreadRows(rows=unread.rows, first=unread.first),
                )
            )
        return told

    def quality_state(self) -> wire.Quality:
        """What `/api/status` says of the prices (docs/freshness.md)."""
        return self.board.quality_state(self._clock.now_ms(), self.markets.state())

    def config_state(self) -> wire.Reload:
        """What the wire says of the last reload."""
        reload = self._reload
        return wire.Reload(ok=reload.ok, at=reload.at, error=reload.error, restart_required=list(reload.restart_required))

    def report_reload(self, reload: Reload) -> None:
        """Say how the last attempt to take new settings went."""
        self._reload = reload
        self._listeners.tell("config")

    def _new_runner(self, source: Source) -> Runner:
        name = source.name
        return runner_of(
            source,
            self._runtime,
            self._clock,
            self._scheduler,
            self.epoch,
            deliver=partial(self._deliver, name),
            changed=partial(self._feed_changed, name),
            paced=partial(self._feed_paced, name),
            anew=partial(self._begins_anew, name),
            random=self._random,
            counters=self.feed_counters[name],
        )

    def _deliver(self, feed: str, answer: Answer) -> None:
        quotes = self.board.apply(feed, answer, self._clock.now_ms())
        if quotes:
            self.feed_counters[feed].updates += len(quotes)
            self._publish(quotes)
        self._look_at_symbols()

    def _look_at_symbols(self) -> None:
        """Tell of the symbols if they have changed: now, or at a sweep that follows."""
        now_s = self._clock.monotonic()
        if self._listeners.may_tell_symbols(now_s) and self.board.take_symbols_changed():
            self._listeners.tell_symbols(len(self._settings.symbols), now_s)

    def _take_hours(self, calendar: str, hours: Hours) -> None:
        """The hours of a calendar are known."""
        self._publish(self.board.set_hours(calendar, hours, self._clock.now_ms()))

    def _feed_changed(self, feed: str) -> None:
        """The feed's state or error is another one now."""
        self._publish(self.board.set_feed_down(feed, self._runners[feed].feed_state.state == "down", self._clock.now_ms()))
        self._listeners.tell("feeds")

    def _begins_anew(self, feed: str) -> None:
        """What comes next of the feed may be older than what came last."""
        self._publish(self.board.restart_feed(feed, self._clock.now_ms()))

    def _feed_paced(self, feed: str) -> None:
        """How often the feed's symbols are polled has changed."""
        self._intervals_changed(feed)
        self._listeners.tell("feeds")

    def _intervals_changed(self, feed: str) -> None:
        """Silence is measured by the intervals in force; where a limit was named, slow answers are no excuse."""
        settings, symbols = self._settings.feeds[feed], self._settings.symbols
        named = settings.stale_after_s is not None
        intervals_s = self._runners[feed].intervals_s(strict=lambda symbol: named or symbols[symbol].stale_after_s is not None)
        others = {symbol: interval_s for symbol, interval_s in intervals_s.items() if interval_s != settings.interval_s}
        self._publish(self.board.set_intervals(feed, others, self._clock.now_ms()))

    def _sweep_on(self) -> None:
        while not self._stopped:
            self._runtime.sleep(SWEEP_EVERY_S)
            try:
                self.sweep()
            except Exception:
                log.exception("the sweep failed")

    def _watch_clock(self) -> None:
        """Where the wall clock was set, poll now: the scheduler goes by it, and what is stale or not was measured with it.

        Set back, the silence measured so far must not be lost. Set forward, it looks just like a machine that was suspended, and prices
        do turn stale until the next answer: rather too old than too good.
        """
        step_ms = self._clock_watch.step_ms()
        if step_ms:
            log.warning("the clock was set by %+.1f s; polling every feed now", step_ms / 1000)
            if step_ms < 0:
                self.board.clock_stepped_back(-step_ms)
            self._scheduler.run_all_now()

    def _feeds_told(self) -> list[tuple[Any, ...]]:
        """What a change of is worth telling: `last_success` and `next_try` alone are not."""
        return [tuple(getattr(feed, key) for key in TOLD) for feed in self.feeds_state()]


class Listeners:
    """Whom the core tells what has happened, in the order in which they came. What a listener raises is logged, and harms nobody else."""

    def __init__(self) -> None:
        self.on_quotes: list[Callable[[Sequence[Quote]], None]] = []
        self.on_state: list[Callable[[WireState], None]] = []
        self._symbols_rest_until_s = 0.0

    def publish(self, quotes: Sequence[Quote]) -> None:
        """Hand on a batch of updates; none is no news."""
        if not quotes:
            return
        for listener in self.on_quotes:
            try:
                listener(quotes)
            except Exception:
                log.exception("a listener failed on %d quotes", len(quotes))

    def tell(self, state: WireState) -> None:
        """The named state of the wire has changed."""
        for listener in self.on_state:
            try:
                listener(state)
            except Exception:
                log.exception("a listener failed on a change of %s", state)

    def may_tell_symbols(self, now_s: float) -> bool:
        """Whether it is time to tell a change of the symbols; `now_s` is monotonic."""
        return now_s >= self._symbols_rest_until_s

    def tell_symbols(self, symbols: int, now_s: float) -> None:
        """The list of so many symbols has changed. The next change may be told when this one has been digested."""
        self._symbols_rest_until_s = now_s + max(SYMBOLS_TOLD_EVERY_S, symbols / SYMBOLS_A_S)
        self.tell("symbols")
