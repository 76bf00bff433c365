"""Asks one feed for its symbols, call by call: finds the symbols that spoil a batch, keeps them apart, hands on what comes."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence

from ticker.clock import Clock
from ticker.counters import FeedCounters
from ticker.errors import BadTick, BudgetSpent, FeedError
from ticker.feed_log import FeedLog, named
from ticker.feed_state import FeedState
from ticker.polling.bad_symbols import BadSymbols, Batch, Bisection
from ticker.polling.guarded_source import GuardedSource
from ticker.polling.rotation import Rotation, split
from ticker.runtime import Runtime
from ticker.source import Answer, Source, Subscription

log = logging.getLogger(__name__)

RETRIES_A_ROUND = 5
"""The most rejected symbols that one round asks for again."""
GIVE_UP_AFTER = 3
"""So many failed calls running end a poll; fewer cost only their own symbols."""
SEARCH_CALLS = 64
"""The most extra calls that one poll spends on finding the symbols that spoil a batch: enough for 4 in 100."""


class Rounds:
    """Whom to ask a source for, and the asking, as long as `feed_state` asks for no pause. `deliver(answer)` takes in what came; `counters`
    counts the calls.
    """

    def __init__(
        self,
        source: Source,
        runtime: Runtime,
        clock: Clock,
        feed_log: FeedLog,
        feed_state: FeedState,
        counters: FeedCounters,
        deliver: Callable[[Answer], None],
    ) -> None:
        self.rotation = Rotation()
        self.hurried: dict[str, float] = {}  # symbols that were slow, with their period, until they have been asked for at the new pace
        self._asked_s: dict[str, float] = {}  # when each symbol was asked for last, while some are slow
        self._runtime = runtime
        self._clock = clock
        self._feed_log = feed_log
        self._deliver = deliver
        self._feed_state = feed_state
        self._source = GuardedSource(source, runtime, clock, feed_log, counters)
        self._wanted_since = 0  # counts the calls of `want`
        self._bad_symbols = BadSymbols()
        self._searches: list[Bisection] = []  # spoiled batches whose bad symbols are not all found
        self._apart: set[str] | None = None  # whom rounds leave out, until something about that changes
        self._chosen: list[Subscription] | None = None
        self._split: list[Batch] = []  # `_chosen` in batches
        self._stopped = False

    @property
    def batch_size(self) -> int | None:
        """How many symbols a call can carry; `None`: all."""
        return self._source.batch_size()

    def want(self, subscriptions: Sequence[Subscription]) -> list[Subscription]:
        """Ask for `subscriptions` from now on, and nothing else; returns those that are new or ask for something else than before."""
        before = self.rotation.wanted.keys()
        new = self.rotation.want(subscriptions)
        for symbol in [*(subscription.symbol for subscription in new), *(before - self.rotation.wanted.keys())]:
            self._bad_symbols.discard(symbol)
            self._feed_log.forget(symbol)
        for symbol in self._asked_s.keys() - self.rotation.wanted.keys():
            del self._asked_s[symbol]
        self._searches = []
        self._apart = self._chosen = None
        self._wanted_since += 1
        return new

    def slow(self, periods_s: Mapping[str, float], interval_s: float) -> list[Subscription]:
        """Ask for these only once in so many seconds each; returns those that are asked for more often than so far, and were asked for
        last longer ago than `interval_s`.
        """
        before = {symbol: self.rotation.period_s(symbol) for symbol in self.rotation.wanted}
        faster = self.rotation.slow(periods_s)
        now_s = self._clock.monotonic()
        self.hurried = {symbol: period_s for symbol, period_s in self.hurried.items() if symbol not in periods_s}
        self.hurried.update((symbol, period_s) for symbol in faster if (period_s := before[symbol]) is not None)
        return [self.rotation.wanted[symbol] for symbol in faster if now_s - self._asked_s.get(symbol, -math.inf) >= interval_s]

    def stop(self) -> None:
        """Ask and deliver nothing more. A call under way is not waited for."""
        self._stopped = True

    def plan(self, interval_s: float, most: int | None) -> list[Batch]:
        """The calls of one round that takes `interval_s`, for at most so many symbols that need not be in it."""
        if self._apart is None:
            self._apart = {subscription.symbol for search in self._searches for subscription in search.unresolved}
            self._apart.update(symbol for symbol in self.rotation.wanted if symbol in self._bad_symbols)
            self.rotation.reshuffle()
        chosen = self.rotation.round(interval_s, self._apart, most)
        if chosen is not self._chosen:  # the same list means the same symbols
            self._chosen, self._split = chosen, split(chosen, self.batch_size)
        retried = self._bad_symbols.due(self._clock.monotonic(), RETRIES_A_ROUND)
        if retried:
            log.debug("feed %s: asks again for %s, rejected before", self._source.source.name, named(retried))
        return self._split + [[self.rotation.wanted[symbol]] for symbol in retried]

    def still_wanted(self, batch: Batch) -> list[Subscription]:
        """Those of `batch` that are wanted just so."""
        return [subscription for subscription in batch if self.rotation.wanted.get(subscription.symbol) == subscription]

    def ask(self, batches: list[Batch], spread_over_s: float, patience_s: float) -> RoundResult:
        """Make the calls, spread over that time; then go on with the search for bad symbols. For room in the provider's limits each
        call waits, `patience_s` at most.
        """
        result = RoundResult(patience_s)
        try:
            self._make_calls(batches, spread_over_s, result)
            for search in list(self._searches):
                if search in self._searches and not self._stopped and not result.give_up:
                    self._search(search, result)
        except BudgetSpent as error:
            result.spent = error
        except Exception as error:  # what was answered can't be used
            result.answers = 0
            result.failed([], self._feed_log.bug(error, self._clock.monotonic()))
        return result

    def fail(self, batch: Batch, error: FeedError) -> None:
        """Deliver `error` for all of `batch`."""
        errors = {subscription.symbol: error for subscription in batch}
        self._feed_log.symbols(errors)
        self._deliver(errors)

    def _make_calls(self, batches: list[Batch], spread_over_s: float, result: RoundResult) -> None:
        started_s, planned_at = self._clock.monotonic(), self._wanted_since
        asked = 0
        try:
            for number, planned in enumerate(batches):
                if number:
                    due_s = started_s + spread_over_s * number / len(batches)
                    self._runtime.sleep(max(0.0, due_s - self._clock.monotonic()))
                self._await_room(planned, result)
                if self._stopped or (number and self._feed_state.wait_s > 0):
                    return
                batch = planned if planned_at == self._wanted_since else self.still_wanted(planned)
                if batch:
                    self._call(batch, result)
                asked += 1
                if result.give_up:
                    return
        finally:
            if asked < len(batches):
                self.rotation.left_out(batches[asked:])

    def _await_room(self, batch: Batch, result: RoundResult) -> None:
        self._source.wait_for_room(len(batch), result.patience_s, lambda: self._stopped)

    def _call(self, batch: Batch, result: RoundResult) -> None:
        try:
            answer = self._ask(batch)
        except BudgetSpent:
            raise
        except FeedError as error:
            if isinstance(error, BadTick) and len(batch) == 1:  # an answer, if no good one: the provider is there
                self._take(batch, {batch[0].symbol: error}, result)
            elif not error.rejects_symbol:
                result.failed(batch, error)
            elif len(batch) == 1:
                self._reject(batch[0], error, result)
            else:
                self._searches.append(Bisection(batch))  # taken up when the other batches have had their turn
                self._apart = None
        else:
            self._take(batch, answer, result)

    def _search(self, search: Bisection, result: RoundResult) -> None:
        self._searches.remove(search)  # ours while it goes on
        calls_before, asked_at = search.calls, self._wanted_since
        try:
            for part, outcome in search.run(lambda part: self._ask_in_turn(part, result), result.search_calls):
                if isinstance(outcome, FeedError):
                    self._reject(part[0], outcome, result)
                else:
                    self._take(part, outcome, result)
                if self._stopped or asked_at != self._wanted_since:
                    break
        except BudgetSpent:
            raise
        except FeedError as error:
            result.failed(search.unresolved, error)
        finally:
            result.search_calls -= search.calls - calls_before
            if search.unresolved and asked_at == self._wanted_since:
                self._searches.append(search)
            self._apart = None

    def _ask_in_turn(self, batch: Batch, result: RoundResult) -> Answer:
        self._await_room(batch, result)
        return self._ask(batch)

    def _ask(self, batch: Batch) -> Answer:
        """One call; whatever goes wrong is a `FeedError`."""
        asked_at = self._wanted_since
        answer = self._source.ask(batch)
        if self.rotation.has_slow or self.hurried:
            now_s = self._clock.monotonic()
            for subscription in batch:
                self._asked_s[subscription.symbol] = now_s
                self.hurried.pop(subscription.symbol, None)
        if asked_at != self._wanted_since:  # the id of a symbol may mean something else by now
            return {one.symbol: answer[one.symbol] for one in self.still_wanted(batch) if one.symbol in answer}
        return answer

    def _take(self, batch: Batch, answer: Answer, result: RoundResult) -> None:
        if self._stopped:
            return
        first = batch[0].symbol
        if len(batch) == 1:
            alone = answer.get(first)
            if isinstance(alone, FeedError) and alone.rejects_symbol:
                self._reject(batch[0], alone, result)
                return
            if self._bad_symbols.discard(first):
                self._apart = None
        result.good()
        self._feed_state.succeeded()
        self._feed_log.symbols(answer)
        self._deliver(answer)

    def _reject(self, subscription: Subscription, error: FeedError, result: RoundResult) -> None:
        """The provider does not know this symbol, asked for it alone: leave it out for a while. The provider itself is fine."""
        if self._stopped:
            return
        result.good()
        if self.rotation.wanted.get(subscription.symbol) != subscription:
            return
        self._bad_symbols.add(subscription.symbol, self._clock.monotonic())
        self._apart = None
        self._feed_log.symbols({subscription.symbol: error})
        self._deliver({subscription.symbol: error})


class RoundResult:
    """How a poll went so far: `answers` calls were answered, `failures` were not; `spent`: the rest was not asked for.

    `patience_s`: how long a call may wait for room in the provider's limits.
    """

    def __init__(self, patience_s: float = 0.0) -> None:
        self.patience_s = patience_s
        self.spent: BudgetSpent | None = None
        self.answers = 0
        self.failures: list[tuple[Batch, FeedError]] = []
        self.search_calls = SEARCH_CALLS
        self.give_up = False
        self._failed_running = 0

    def good(self) -> None:
        """A call was answered."""
        self.answers += 1
        self._failed_running = 0

    def failed(self, batch: Batch, error: FeedError) -> None:
        """The call for `batch` was not answered: with `give_up`, the provider is to be left alone for now."""
        self.failures.append((batch, error))
        self._failed_running += 1
        self.give_up = error.retry_after_s is not None or self._failed_running >= GIVE_UP_AFTER

    def worst(self) -> FeedError:
        """The failure that asks for the longest wait, else the last."""
        return max((error for _, error in reversed(self.failures)), key=lambda error: error.retry_after_s or 0)
