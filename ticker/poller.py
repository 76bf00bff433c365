"""Asks one feed for all its symbols, again and again, and survives whatever the feed does.

A poll is one call where the provider can carry all symbols, else several, spread inside the interval. What a call brings is
delivered as it comes. What goes wrong is logged once (not at every poll), makes the next poll wait, and shows in `state`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from random import Random
from typing import Any, Literal

from ticker.backoff import DOWN_AFTER, delay_s
from ticker.clock import Clock
from ticker.complaints import Complaints
from ticker.errors import FeedError
from ticker.pace import Pace
from ticker.quarantine import Batch, Bisection, Quarantine
from ticker.runtime import DeadlineExceeded, Runtime
from ticker.settings.model import PolledSettings
from ticker.source import Answer, Source, Subscription, reason
from ticker.tally import Tally

log = logging.getLogger(__name__)

FeedState = Literal["ok", "retrying", "down"]

LOOP_BELOW_S = 0.1
"""Feeds with shorter intervals run their own loop: the scheduler's cost a run is that of some twenty quotes."""
LATE_PAUSE_S = 0.05
"""Between the end of a poll that took longer than its interval and the next: the scheduler must see the one end first."""
PAROLES_A_POLL = 5
"""The most quarantined symbols that one poll asks for again."""
URGENT_ABOVE_S = 1.0
"""New symbols of feeds with longer intervals are polled at once; else the next poll is soon enough."""


class Poller:
    """One feed's polls, back-off and state. `deliver(answer)` takes in what came; `changed()` is called when `state` or `error` has
    changed; `retry_in(seconds)` asks for the next run after that time instead of after the interval.
    """

    def __init__(self, source: Source, interval_s: float, runtime: Runtime, clock: Clock, *, deliver: Callable[[Answer], None],
                 changed: Callable[[], None], retry_in: Callable[[float], None], random: Random | None = None) -> None:
        self.source = source
        self.interval_s = interval_s
        self.state: FeedState = "ok"
        self.error: str | None = None
        self.last_success_ms: int | None = None
        self.next_try_ms: int | None = None
        self._runtime = runtime
        self._clock = clock
        self._deliver = deliver
        self._changed = changed
        self._retry_in = retry_in
        self._random = random or Random()
        self._complaints = Complaints(source.name)
        self._wanted: dict[str, Subscription] = {}
        self._wanted_since = 0  # counts the calls of `want`
        self._plan: list[Batch] | None = None  # the batches of a poll, until something about them changes
        self._first = 0  # which of `_wanted` a poll begins with, so that no symbol is always behind the failing ones
        self._quarantine = Quarantine()
        self._searches: list[Bisection] = []  # spoiled batches whose culprits are not all found
        self._failures = 0
        self._not_before_s = 0.0
        self._running = False
        self._stopped = False
        self._loop = 0
        self._one_call = threading.Lock()  # a source is never asked twice at a time
        settings = source.settings
        # The feed keeps its own time limit; this one is for a feed that fails to.
        self._call_limit_s = settings.timeout_s + 1 if isinstance(settings, PolledSettings) else None

    def want(self, subscriptions: Sequence[Subscription]) -> list[Subscription]:
        """Poll `subscriptions` from now on, and nothing else; returns those that are new or ask for something else than before."""
        before, self._wanted = self._wanted, {subscription.symbol: subscription for subscription in subscriptions}
        new = [subscription for subscription in subscriptions if before.get(subscription.symbol) != subscription]
        for symbol in [*(subscription.symbol for subscription in new), *(before.keys() - self._wanted.keys())]:
            self._quarantine.release(symbol)
            self._complaints.forget(symbol)
        self._searches = []
        self._plan = None
        self._first = 0
        self._wanted_since += 1
        return new

    @property
    def wants_any(self) -> bool:
        """Whether there is a symbol to poll."""
        return bool(self._wanted)

    def run(self) -> None:
        """One poll of all that is wanted. Raises nothing; returns at once where a poll is under way or it is too early to try again."""
        if self._running or self._stopped or not self._wanted:
            return
        too_early_s = self._not_before_s - self._clock.monotonic()
        if too_early_s > 0:
            self._retry_in(too_early_s)
            return
        self._running = True
        started_s = self._clock.monotonic()
        self.next_try_ms = self._clock.now_ms() + round(self.interval_s * 1000)
        try:
            self._poll(self._batches(), self.interval_s)
        finally:
            self._running = False
        took_s = self._clock.monotonic() - started_s
        if took_s < max(self.interval_s, LOOP_BELOW_S):  # a loop knows by itself when it is late
            self._complaints.in_time()
        elif not self._failures and not self._stopped:
            self._complaints.slow(took_s, self.interval_s)
            self._retry_in(LATE_PAUSE_S)  # the run that was due meanwhile was left out

    def run_for(self, new: Sequence[Subscription]) -> None:
        """Poll only `new` (just added), at once; not where the next poll comes soon anyhow, or while backing off."""
        if self.interval_s <= URGENT_ABOVE_S or self._clock.monotonic() < self._not_before_s:
            return
        if batches := self._split(self._still_wanted(new)):
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
        try:
            self.source.close()
        except Exception:
            log.exception("feed %s: closing failed", self.source.name)

    def wire_state(self) -> dict[str, Any]:
        """This feed's entry of the wire's `feeds`."""
        return {"feed": self.source.name, "kind": self.source.kind, "state": self.state, "last_success": self.last_success_ms,
                "next_try": self.next_try_ms, "error": self.error}

    def _batches(self) -> list[Batch]:
        """The calls of one poll, but for the search for culprits."""
        if self._plan is None:
            apart = {subscription.symbol for search in self._searches for subscription in search.unresolved}
            wanted = list(self._wanted.values())
            turned = wanted[self._first:] + wanted[:self._first]
            self._plan = self._split([one for one in turned if one.symbol not in apart and one.symbol not in self._quarantine])
        paroles = self._quarantine.due(self._clock.monotonic(), PAROLES_A_POLL)
        return self._plan + [[self._wanted[symbol]] for symbol in paroles]

    def _split(self, subscriptions: list[Subscription]) -> list[Batch]:
        size = self.source.batch_size or max(1, len(subscriptions))
        return [subscriptions[first:first + size] for first in range(0, len(subscriptions), size)]

    def _still_wanted(self, batch: Batch) -> list[Subscription]:
        return [subscription for subscription in batch if self._wanted.get(subscription.symbol) == subscription]

    def _poll(self, batches: list[Batch], spread_over_s: float) -> None:
        """Make the calls, spread over that time; then go on with the search for culprits, and draw the conclusions."""
        tally = Tally()
        try:
            self._make_calls(batches, spread_over_s, tally)
            for search in list(self._searches):
                if search in self._searches and not self._stopped and not tally.give_up:
                    self._search(search, tally)
        except Exception as error:  # what was answered can't be used
            tally.answers = 0
            tally.failed([], self._bug(error))
        if not self._stopped:
            self._conclude(tally)

    def _make_calls(self, batches: list[Batch], spread_over_s: float, tally: Tally) -> None:
        started_s, planned_at, asked = self._clock.monotonic(), self._wanted_since, 0
        for number, batch in enumerate(batches):
            if number:
                due_s = started_s + spread_over_s * number / len(batches)
                self._runtime.sleep(max(0.0, due_s - self._clock.monotonic()))
                if self._stopped or self._clock.monotonic() < self._not_before_s:
                    return
                if planned_at != self._wanted_since and not (batch := self._still_wanted(batch)):
                    continue
            self._call(batch, tally)
            asked += len(batch)
            if tally.give_up:
                self._first = (self._first + asked) % max(1, len(self._wanted))
                self._plan = None
                return

    def _call(self, batch: Batch, tally: Tally) -> None:
        try:
            answer = self._ask(batch)
        except FeedError as error:
            if not error.rejects_symbol:
                tally.failed(batch, error)
            elif len(batch) == 1:
                self._convict(batch[0], error, tally)
            else:
                self._searches.append(Bisection(batch))  # taken up when the other batches have had their turn
                self._plan = None
        else:
            self._take(batch, answer, tally)

    def _search(self, search: Bisection, tally: Tally) -> None:
        self._searches.remove(search)  # ours while it goes on
        calls_before, asked_at = search.calls, self._wanted_since
        try:
            for part, outcome in search.run(self._ask, tally.search_calls):
                if isinstance(outcome, FeedError):
                    self._convict(part[0], outcome, tally)
                else:
                    self._take(part, outcome, tally)
                if self._stopped or asked_at != self._wanted_since:
                    break
        except FeedError as error:
            tally.failed(search.unresolved, error)
        tally.search_calls -= search.calls - calls_before
        if search.unresolved and asked_at == self._wanted_since:
            self._searches.append(search)
        self._plan = None

    def _ask(self, batch: Batch) -> Answer:
        """One call; whatever goes wrong is a `FeedError`."""
        try:
            with self._one_call, self._limit():
                asked_at = self._wanted_since
                answer = self.source.poll(batch)
            if asked_at != self._wanted_since:  # the id of a symbol may mean something else by now
                answer = {one.symbol: answer[one.symbol] for one in self._still_wanted(batch) if one.symbol in answer}
            return answer
        except FeedError:
            raise
        except DeadlineExceeded as error:
            raise FeedError(f"no answer: {error}") from error
        except Exception as error:
            raise self._bug(error) from error

    def _bug(self, error: Exception) -> FeedError:
        if not self._stopped:
            self._complaints.bug(error, self._clock.monotonic())
        return FeedError(f"internal error: {type(error).__name__}: {error}")

    def _limit(self) -> AbstractContextManager[None]:
        return nullcontext() if self._call_limit_s is None else self._runtime.deadline(self._call_limit_s)

    def _take(self, batch: Batch, answer: Answer, tally: Tally) -> None:
        if self._stopped:
            return
        first = batch[0].symbol
        if len(batch) == 1:
            alone = answer.get(first)
            if isinstance(alone, FeedError) and alone.rejects_symbol:
                self._convict(batch[0], alone, tally)
                return
            if self._quarantine.release(first):
                self._plan = None
        tally.good()
        self.last_success_ms = self._clock.now_ms()
        self._complaints.symbols(answer)
        self._deliver(answer)

    def _convict(self, subscription: Subscription, error: FeedError, tally: Tally) -> None:
        """The provider does not know this symbol, asked for it alone: leave it out for a while. The provider itself is fine."""
        if self._stopped:
            return
        tally.good()
        if self._wanted.get(subscription.symbol) != subscription:
            return
        self._quarantine.put(subscription.symbol, self._clock.monotonic())
        self._plan = None
        self._complaints.symbols({subscription.symbol: error})
        self._deliver({subscription.symbol: error})

    def _conclude(self, tally: Tally) -> None:
        """Failed as a whole: back off. Good on the whole: only the symbols of the failed calls have an error."""
        now_s = self._clock.monotonic()
        if tally.failures and (tally.give_up or not tally.answers):
            error = tally.worst()
            self._failures += 1
            delay = delay_s(self._failures, self.interval_s, self._random.random(),
                            retry_after_s=error.retry_after_s, retryable=error.retryable)
            self._not_before_s = max(self._not_before_s, now_s + delay)
            self.next_try_ms = self._clock.now_ms() + round(delay * 1000)
            self._complaints.failure(error, delay, now_s)
            self._show("down" if self._failures >= DOWN_AFTER else "retrying", reason(error))
            self._retry_in(delay)
        elif tally.answers:
            for batch, error in tally.failures:
                errors = {subscription.symbol: error for subscription in batch}
                self._complaints.symbols(errors)
                self._deliver(errors)
            self._failures = 0
            self._complaints.success()
            self._show("ok", reason(tally.failures[0][1]) if tally.failures else None)

    def _show(self, state: FeedState, error: str | None) -> None:
        if (state, error) != (self.state, self.error):
            self.state, self.error = state, error
            self._changed()
