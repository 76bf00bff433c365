"""Asks one feed for all its symbols, again and again, and survives whatever the feed does.

A poll is one call where the provider can carry all symbols, else several, spread inside the interval. What a call brings is
delivered as it comes. What goes wrong is logged once (not at every poll), makes the next poll wait, and shows in `state`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random

from ticker import wire
from ticker.clock import Clock
from ticker.counters import FeedCounters
from ticker.feed_log import FeedLog, named
from ticker.feed_state import FeedState
from ticker.polling.bad_symbols import Batch
from ticker.polling.interval import Interval
from ticker.polling.rotation import split
from ticker.polling.rounds import RoundResult, Rounds
from ticker.polling.scheduler import Pace, Schedule
from ticker.runtime import Runtime
from ticker.source import Answer, Source, Subscription, reason

log = logging.getLogger(__name__)

LOOP_BELOW_S = 0.1
"""Feeds with shorter intervals run their own loop: the scheduler's cost a run is that of some twenty quotes."""
LATE_PAUSE_S = 0.05
"""Between the end of a poll that took longer than its interval and the next: the scheduler must see the one end first."""
URGENT_ABOVE_S = 1.0
"""New symbols of feeds with longer intervals are polled at once; else the next poll is soon enough."""


class Poller:
    """One feed's polls: a `Runner`. `deliver(answer)` takes in what came; `changed()` is called when the state or its error has changed,
    `paced()` when an interval in force has; `schedule` runs it, by its feed's name; `counters` counts the calls.
    """

    def __init__(
        self,
        source: Source,
        interval_s: float,
        runtime: Runtime,
        clock: Clock,
        schedule: Schedule,
        *,
        deliver: Callable[[Answer], None],
        changed: Callable[[], None],
        paced: Callable[[], None] = lambda: None,
        random: Random | None = None,
        counters: FeedCounters | None = None,
    ) -> None:
        self.source = source
        self._feed_log = FeedLog(source.name)
        self.feed_state = FeedState(clock, self._feed_log, changed, random)
        self._runtime = runtime
        self._clock = clock
        self._schedule = schedule
        self._told_paced = paced
        self._interval = Interval(source, interval_s)
        self._rounds = Rounds(source, runtime, clock, self._feed_log, self.feed_state, counters or FeedCounters(), deliver)
        self._scheduled_s: float | None = None  # the interval at which it runs; `None`: it rests
        self._running = False
        self._stopped = False
        self._loop = 0

    @property
    def interval_s(self) -> float:
        """What the settings say is the time between two polls."""
        return self._interval.interval_s

    @interval_s.setter
    def interval_s(self, interval_s: float) -> None:
        self._interval.interval_s = interval_s

    @property
    def planned_s(self) -> float:
        """The same, or longer where the provider's limits have no room for so many polls."""
        return self._interval.planned_s

    @property
    def symbols(self) -> Collection[str]:
        """What is wanted."""
        return self._rounds.rotation.wanted.keys()

    @property
    def wants_any(self) -> bool:
        """Whether there is a symbol to poll."""
        return bool(self._rounds.rotation.wanted)

    def want(self, subscriptions: Sequence[Subscription]) -> list[Subscription]:
        """Poll `subscriptions` from now on, and nothing else; returns those that are new or ask for something else than before."""
        new = self._rounds.want(subscriptions)
        self._plan()
        return new

    def start(self, new: Sequence[Subscription] = ()) -> None:
        """Poll at the interval from now on, by the schedule or in a loop of its own; if it does so already, poll what is `new` now."""
        interval_s = self.interval_s if self.wants_any else None
        if interval_s == self._scheduled_s:
            if new:
                self.hurry(new)
            return
        self._halt()
        if interval_s is None:
            return
        self._scheduled_s = interval_s
        if interval_s < LOOP_BELOW_S:
            self._runtime.spawn(self.loop)
        else:
            self._schedule.every(self.source.name, interval_s, self.run)
            self._schedule.pace(self.source.name, self.planned_s)

    def hurry(self, subscriptions: Sequence[Subscription]) -> None:
        """Poll these at once, in a task of its own, unless it rests."""
        if self._scheduled_s is not None:
            self._runtime.spawn(self.run_for, subscriptions)

    def slow(self, periods_s: Mapping[str, float]) -> list[Subscription]:
        """Poll these only once in so many seconds each; returns those that are polled more often from now on, and are overdue by that."""
        faster = self._rounds.slow(periods_s, self.interval_s)
        self._plan()
        self._paced()
        return faster

    def intervals_s(self, strict: Callable[[str], bool]) -> dict[str, float]:
        """How long it is in force from one answer to the next, by symbol; of one that is to be faster, once it has been asked for.

        Symbols that are `strict` are not given longer because the provider is slow.
        """
        rotation, hurried = self._rounds.rotation, self._rounds.hurried
        lenient, severe = (
            {period_s: self._interval.in_force_s(period_s, with_calls) for period_s in {*rotation.counts(), *hurried.values()}}
            for with_calls in (True, False)
        )
        return {
            symbol: (severe if strict(symbol) else lenient)[hurried.get(symbol) or rotation.period_s(symbol)] for symbol in rotation.wanted
        }

    def run(self) -> None:
        """One poll of all that is wanted. Raises nothing; returns at once where a poll is under way or it is too early to try again."""
        if self._running or self._stopped or not self.wants_any:
            return
        too_early_s = self.feed_state.wait_s
        if too_early_s > 0:
            log.debug("feed %s: no poll for another %.1f s: it is to be left alone", self.source.name, too_early_s)
            self._run_in(too_early_s)
            return
        self._running = True
        changed = self._look()
        started_s = self._clock.monotonic()
        interval_s = self._interval.planned_s
        if changed:
            self._run_in(interval_s)
        self.feed_state.next_try_in(interval_s)
        try:
            batches = self._rounds.plan(interval_s, self._interval.most(self._rounds.batch_size))
            self._poll(batches, interval_s, "another try after a failure" if self.feed_state.failures else "its interval is up")
        finally:
            self._running = False
        took_s = self._clock.monotonic() - started_s
        if took_s < max(interval_s, LOOP_BELOW_S):  # a loop knows by itself when it is late
            self._feed_log.in_time()
            self._interval.took(0.0)
            if (again_in_s := self.source.again_in_s) is not None and self._may_go_on():
                self._run_in(again_in_s)
        elif self._may_go_on() and not self.feed_state.failures and not self._stopped:
            self._feed_log.slow(took_s, interval_s)
            self._interval.took(took_s)
            self._run_in(LATE_PAUSE_S)  # the run that was due meanwhile was left out

    def run_for(self, new: Sequence[Subscription]) -> None:
        """Poll only `new` (just added, or faster from now on), at once; not where the next poll comes soon anyhow, or while backing off."""
        if self._interval.planned_s <= URGENT_ABOVE_S or self.feed_state.wait_s > 0:
            return
        if batches := split(self._rounds.still_wanted(new), self._rounds.batch_size):
            self._poll(batches, 0, "new, or asked for more often from now on")

    def loop(self) -> None:
        """Poll each `interval_s` without drift or bursts until `stop` or `end_loop`: what a feed too fast for the scheduler runs."""
        self._loop += 1
        this = self._loop
        pace = Pace(self.interval_s, self._clock.monotonic())
        while this == self._loop and not self._stopped:
            self.run()
            self._runtime.sleep(max(pace.wait_s(self._clock.monotonic()), self.feed_state.wait_s))

    def end_loop(self) -> None:
        """Let `loop` return at its next beat."""
        self._loop += 1

    def stop(self) -> None:
        """Poll no more, deliver nothing more, close the source. A call under way is not waited for."""
        self._halt()
        self._stopped = True
        self._feed_log.stop()
        self._rounds.stop()
        try:
            self.source.close()
        except Exception:
            log.exception("feed %s: closing failed", self.source.name)

    def wire_state(self) -> wire.Feed:
        """This feed's entry of the wire's `feeds`."""
        return wire.Feed(feed=self.source.name, kind=self.source.kind, **self.feed_state.wire_state(),
                         interval_s=round(self._interval.in_force_s(), 3), widened=self._interval.reason)  # fmt: skip

    def _halt(self) -> None:
        self._scheduled_s = None
        self._schedule.remove(self.source.name)
        self.end_loop()

    def _run_in(self, seconds: float) -> None:
        """Let the next run be then, instead of after the interval."""
        self._schedule.run_in(self.source.name, seconds)

    def _paced(self) -> None:
        """An interval in force has changed."""
        if self._scheduled_s is not None and self._scheduled_s >= LOOP_BELOW_S:
            self._schedule.pace(self.source.name, self.planned_s)
        self._told_paced()

    def _may_go_on(self) -> bool:
        return self.feed_state.wait_s <= 0

    def _plan(self) -> None:
        """Who is polled how often has changed."""
        self._interval.plan(self._rounds.rotation.counts())
        self._look()

    def _look(self) -> bool:
        """Whether the intervals in force have changed, by what the limits allow or by how long calls take."""
        changed = self._interval.look()
        if changed:
            often = len(self._rounds.rotation.counts()) > 1
            why, seconds = self._interval.reason or "as the settings say", self._interval.in_force_s()
            log.debug("feed %s: %.3g s from poll to poll: %s", self.source.name, seconds, why)
            self._feed_log.widened(self._interval.limited, self._interval.planned_s, self._clock.monotonic(), often)
            self._paced()
        return changed

    def _poll(self, batches: list[Batch], spread_over_s: float, why: str) -> None:
        """Ask, and draw the conclusions."""
        if log.isEnabledFor(logging.DEBUG):
            symbols = named([one.symbol for batch in batches for one in batch])
            log.debug("feed %s: polls %s (calls: %d): %s", self.source.name, symbols, len(batches), why)
        hurried = len(self._rounds.hurried)
        result = self._rounds.ask(batches, spread_over_s, max(self._interval.planned_s, URGENT_ABOVE_S))
        if self._stopped:
            return
        self._conclude(result)
        if len(self._rounds.hurried) != hurried:
            self._paced()

    def _conclude(self, result: RoundResult) -> None:
        """Failed as a whole: back off. Good on the whole: only the symbols of the failed calls have an error."""
        if result.failures:
            log.debug("feed %s: calls answered: %d, failed: %d", self.source.name, result.answers, len(result.failures))
        if result.failures and (result.give_up or not result.answers):
            self._run_in(self.feed_state.failed(result.worst(), self._interval.planned_s))
        elif result.answers:
            for batch, error in result.failures:
                self._rounds.fail(batch, error)
            self._feed_log.unread(self.source.unread)
            self.feed_state.proven()
            self.feed_state.well(reason(result.failures[0][1]) if result.failures else None)
        if result.spent is not None:
            log.debug("feed %s: the rest of the round waits: %s", self.source.name, result.spent)
            self.feed_state.limited(result.spent, answered=result.answers > 0)
            self._run_in(result.spent.wait_s)
