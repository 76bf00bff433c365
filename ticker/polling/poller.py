"""Asks one feed for all its symbols, again and again, and survives whatever the feed does.

A poll is one call where the provider can carry all symbols, else several, spread inside the interval. What a call brings is
delivered as it comes. What goes wrong is logged once (not at every poll), makes the next poll wait, and shows in `state`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from typing import Any, Literal

from ticker.backoff import DOWN_AFTER, delay_s
from ticker.clock import Clock
from ticker.counters import FeedCounters
from ticker.feed_log import FeedLog
from ticker.polling.bad_symbols import Batch
from ticker.polling.interval import Interval
from ticker.polling.rotation import split
from ticker.polling.round import Asker, Tally
from ticker.polling.scheduler import Pace
from ticker.runtime import Runtime
from ticker.source import Answer, Source, Subscription, reason

log = logging.getLogger(__name__)

FeedState = Literal["ok", "retrying", "down"]

LOOP_BELOW_S = 0.1
"""Feeds with shorter intervals run their own loop: the scheduler's cost a run is that of some twenty quotes."""
LATE_PAUSE_S = 0.05
"""Between the end of a poll that took longer than its interval and the next: the scheduler must see the one end first."""
URGENT_ABOVE_S = 1.0
"""New symbols of feeds with longer intervals are polled at once; else the next poll is soon enough."""


class Poller:
    """One feed's polls, back-off and state. `deliver(answer)` takes in what came; `changed()` is called when `state` or `error` has
    changed, `paced()` when an interval in force has; `retry_in(seconds)` asks for the next run after that time instead of after the
    interval; `counters` counts the calls.
    """

    def __init__(
        self,
        source: Source,
        interval_s: float,
        runtime: Runtime,
        clock: Clock,
        *,
        deliver: Callable[[Answer], None],
        changed: Callable[[], None],
        retry_in: Callable[[float], None],
        paced: Callable[[], None] = lambda: None,
        random: Random | None = None,
        counters: FeedCounters | None = None,
    ) -> None:
        self.source = source
        self.state: FeedState = "ok"
        self.error: str | None = None
        self.next_try_ms: int | None = None
        self._runtime = runtime
        self._clock = clock
        self._changed = changed
        self._paced = paced
        self._retry_in = retry_in
        self._random = random or Random()
        self._feed_log = FeedLog(source.name)
        self._interval = Interval(source, interval_s)
        self._asker = Asker(source, runtime, clock, self._feed_log, counters or FeedCounters(), deliver=deliver, may_go_on=self._may_go_on)
        self._failures = 0
        self._not_before_s = 0.0
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
        return self._asker.rotation.wanted.keys()

    @property
    def wants_any(self) -> bool:
        """Whether there is a symbol to poll."""
        return bool(self._asker.rotation.wanted)

    def want(self, subscriptions: Sequence[Subscription]) -> list[Subscription]:
        """Poll `subscriptions` from now on, and nothing else; returns those that are new or ask for something else than before."""
        new = self._asker.want(subscriptions)
        self._plan()
        return new

    def slow(self, periods_s: Mapping[str, float]) -> list[Subscription]:
        """Poll these only once in so many seconds each; returns those that are polled more often from now on, and are overdue by that."""
        faster = self._asker.slow(periods_s, self.interval_s)
        self._plan()
        self._paced()
        return faster

    def intervals_s(self, strict: Callable[[str], bool]) -> dict[str, float]:
        """How long it is in force from one answer to the next, by symbol; of one that is to be faster, once it has been asked for.

        Symbols that are `strict` are not given longer because the provider is slow.
        """
        rotation, hurried = self._asker.rotation, self._asker.hurried
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
        too_early_s = self._not_before_s - self._clock.monotonic()
        if too_early_s > 0:
            self._retry_in(too_early_s)
            return
        self._running = True
        changed = self._look()
        started_s = self._clock.monotonic()
        interval_s = self._interval.planned_s
        if changed:
            self._retry_in(interval_s)
        self.next_try_ms = self._clock.now_ms() + round(interval_s * 1000)
        try:
            self._poll(self._asker.round(interval_s, self._interval.most(self._asker.batch_size)), interval_s)
        finally:
            self._running = False
        took_s = self._clock.monotonic() - started_s
        if took_s < max(interval_s, LOOP_BELOW_S):  # a loop knows by itself when it is late
            self._feed_log.in_time()
            self._interval.took(0.0)
            if (again_in_s := self.source.again_in_s) is not None and self._may_go_on():
                self._retry_in(again_in_s)
        elif self._may_go_on() and not self._failures and not self._stopped:
            self._feed_log.slow(took_s, interval_s)
            self._interval.took(took_s)
            self._retry_in(LATE_PAUSE_S)  # the run that was due meanwhile was left out

    def run_for(self, new: Sequence[Subscription]) -> None:
        """Poll only `new` (just added, or faster from now on), at once; not where the next poll comes soon anyhow, or while backing off."""
        if self._interval.planned_s <= URGENT_ABOVE_S or self._clock.monotonic() < self._not_before_s:
            return
        if batches := split(self._asker.still_wanted(new), self._asker.batch_size):
            self._poll(batches, 0)

    def loop(self) -> None:
        """Poll each `interval_s` without drift or bursts until `stop` or `end_loop`: what a feed too fast for the scheduler runs."""
        self._loop += 1
        this = self._loop
        pace = Pace(self.interval_s, self._clock.monotonic())
        while this == self._loop and not self._stopped:
            self.run()
            now_s = self._clock.monotonic()
            self._runtime.sleep(max(pace.wait_s(now_s), self._not_before_s - now_s))

    def end_loop(self) -> None:
        """Let `loop` return at its next beat."""
        self._loop += 1

    def stop(self) -> None:
        """Poll no more, deliver nothing more, close the source. A call under way is not waited for."""
        self._stopped = True
        self._asker.stop()
        try:
            self.source.close()
        except Exception:
            log.exception("feed %s: closing failed", self.source.name)

    def wire_state(self) -> dict[str, Any]:
        """This feed's entry of the wire's `feeds`."""
        return {"feed": self.source.name, "kind": self.source.kind, "state": self.state, "last_success": self._asker.last_success_ms,
                "next_try": self.next_try_ms, "error": self.error, "interval_s": round(self._interval.in_force_s(), 3),
                "widened": self._interval.reason}  # fmt: skip

    def _may_go_on(self) -> bool:
        return self._clock.monotonic() >= self._not_before_s

    def _plan(self) -> None:
        """Who is polled how often has changed."""
        self._interval.plan(self._asker.rotation.counts())
        self._look()

    def _look(self) -> bool:
        """Whether the intervals in force have changed, by what the limits allow or by how long calls take."""
        changed = self._interval.look()
        if changed:
            often = len(self._asker.rotation.counts()) > 1
            self._feed_log.widened(self._interval.limited, self._interval.planned_s, self._clock.monotonic(), often)
            self._paced()
        return changed

    def _poll(self, batches: list[Batch], spread_over_s: float) -> None:
        """Ask, and draw the conclusions."""
        hurried = len(self._asker.hurried)
        tally = self._asker.ask(batches, spread_over_s, max(self._interval.planned_s, URGENT_ABOVE_S))
        if self._stopped:
            return
        self._conclude(tally)
        if len(self._asker.hurried) != hurried:
            self._paced()

    def _conclude(self, tally: Tally) -> None:
        """Failed as a whole: back off. Good on the whole: only the symbols of the failed calls have an error."""
        now_s = self._clock.monotonic()
        if tally.failures and (tally.give_up or not tally.answers):
            error = tally.worst()
            self._failures += 1
            delay = delay_s(
                self._failures,
                self._interval.planned_s,
                self._random.random(),
                retry_after_s=error.retry_after_s,
                retryable=error.retryable,
            )
            self._feed_log.failure(error, delay, now_s)
            self._show("down" if self._failures >= DOWN_AFTER else "retrying", reason(error))
            self._rest(delay)
        elif tally.answers:
            for batch, error in tally.failures:
                self._asker.fail(batch, error)
            self._failures = 0
            self._feed_log.success()
            self._feed_log.unread(self.source.unread)
            self._show("ok", reason(tally.failures[0][1]) if tally.failures else None)
        if tally.spent is not None:  # the provider's limits have no room for the rest of the round: nobody has failed
            self._rest(tally.spent.wait_s)
            if not tally.answers and not self._failures:
                self._show("retrying", reason(tally.spent))

    def _rest(self, delay: float) -> None:
        """Ask for nothing for so long."""
        self._not_before_s = max(self._not_before_s, self._clock.monotonic() + delay)
        self.next_try_ms = self._clock.now_ms() + round(delay * 1000)
        self._retry_in(delay)

    def _show(self, state: FeedState, error: str | None) -> None:
        if (state, error) != (self.state, self.error):
            self.state, self.error = state, error
            self._changed()
