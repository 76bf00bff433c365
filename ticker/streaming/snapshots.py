"""Prices from before the first word of a stream: asked for beside it, once a symbol and connection, and again from time to time.

A stream that tells trades says nothing of a symbol until somebody trades it, and never what the close before was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from ticker.clock import Clock
from ticker.counters import FeedCounters
from ticker.errors import BudgetSpent, FeedError
from ticker.feed_log import FeedLog, named
from ticker.polling.bad_symbols import Batch, Bisection
from ticker.polling.guarded_source import GuardedSource
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.source import Answer, Session, Source, Subscription

log = logging.getLogger(__name__)

AGAIN_AFTER_S = 60.0
"""How long to leave the provider alone where a call failed without its saying how long."""
PATIENCE_S = 60.0
"""The longest to wait for the limits' leave in one go."""
ALONE_EVERY_S = 10.0
"""Where there is no connection to be had, it is asked for again so often."""
FAILURES_RUNNING = 3
"""So many calls that fail one after the other are the provider's failure; fewer may be about what was asked for."""
SEARCH_CALLS = 64
"""The most calls to find the symbols that spoil one batch."""


class Snapshots:
    """Asks `source` each `every_s` seconds, in a task of its own, as fast as the provider's limits let it."""

    def __init__(self, source: Source, every_s: float, runtime: Runtime, clock: Clock, counters: FeedCounters) -> None:
        self._every_s = every_s
        self._runtime = runtime
        self._clock = clock
        self._feed_log = FeedLog(f"{source.name}, prices beside the stream")
        self._source = GuardedSource(source, runtime, clock, self._feed_log, counters)
        self._session: Session | None = None  # the one that was asked for last
        self._had: dict[str, Subscription] = {}  # what was asked for on its behalf
        self._complete = -1  # the version of what is wanted of which nothing is missing
        self._again_s = 0.0  # when to begin anew
        self._not_before_s = 0.0
        self._asking = False
        self._alone: Session | None = None  # a session without a connection

    def look(
        self,
        session: Session,
        wanted: Mapping[str, Subscription],
        version: int,
        put: Callable[[Answer], None],
        every_s: float | None = None,
    ) -> None:
        """Ask for what of `wanted` has not been asked for on behalf of `session`; `put` takes in what comes. Returns at once.

        `version` is another one when `wanted` has changed. `every_s`: how often to ask again where that is not as often as always.
        """
        now_s = self._clock.monotonic()
        if session is not self._session or now_s >= self._again_s:
            self._session, self._had, self._complete = session, {}, -1
            self._again_s = now_s + (every_s or self._every_s)
        if self._asking or now_s < self._not_before_s:
            return
        for symbol in session.ask_beside():
            self._had.pop(symbol, None)
            self._complete = -1
        if version == self._complete:
            return
        missing = [one for symbol, one in wanted.items() if self._had.get(symbol) != one]
        if not missing:
            self._complete = version
            return
        self._asking = True
        if log.isEnabledFor(logging.DEBUG):
            log.debug("feed %s: asks for %s beside the stream", self._source.source.name, named([one.symbol for one in missing]))
        self._runtime.spawn(self._ask, session, missing, put)

    def look_alone(
        self, make_session: Callable[[], Session], wanted: Mapping[str, Subscription], version: int, put: Callable[[Answer], None]
    ) -> None:
        """The same where there is no connection to be had (the plan has no such stream, say). What comes is `polled`."""
        if self._alone is None:
            self._alone = make_session()
        self._alone.want(list(wanted.values()))
        self.look(self._alone, wanted, version, lambda answer: put(_polled(answer)), ALONE_EVERY_S)

    def forget(self, session: Session) -> None:
        """`session` is over."""
        if session is self._session:
            self._session = None

    def _ask(self, session: Session, missing: Sequence[Subscription], put: Callable[[Answer], None]) -> None:
        try:
            size = self._source.batch_size() or len(missing)
            failures, problem = 0, None
            for first in range(0, len(missing), size):
                batch = missing[first : first + size]
                self._source.wait_for_room(len(batch), PATIENCE_S, lambda: session is not self._session)
                if session is not self._session:
                    return
                try:
                    for part, answer in self._call(batch):
                        if session is not self._session:
                            return
                        self._had |= {one.symbol: one for one in part}
                        put(session.take_snapshot(answer))
                    failures = 0
                except BudgetSpent:
                    raise
                except FeedError as error:
                    failures, problem = failures + 1, error
                    if failures == FAILURES_RUNNING or error.retry_after_s is not None:
                        raise
            if problem is not None:
                raise problem
            self._feed_log.success()
        except BudgetSpent as error:
            self._not_before_s = self._clock.monotonic() + error.wait_s
        except FeedError as error:
            wait_s = max(AGAIN_AFTER_S, error.retry_after_s or 0.0)
            self._not_before_s = self._clock.monotonic() + wait_s
            self._feed_log.failure(error, wait_s, self._clock.monotonic())
        finally:
            self._asking = False

    def _call(self, batch: Batch) -> Iterator[tuple[Batch, Answer]]:
        """The answer for `batch`, in parts where one symbol of it spoils it for the others."""
        try:
            yield batch, self._source.ask(batch)
        except FeedError as error:
            if not error.rejects_symbol:
                raise
            if len(batch) == 1:
                yield batch, {batch[0].symbol: error}
                return
            for part, outcome in Bisection(batch).run(self._source.ask, SEARCH_CALLS):
                yield part, ({part[0].symbol: outcome} if isinstance(outcome, FeedError) else outcome)


def _polled(answer: Answer) -> Answer:
    return {symbol: msgspec.structs.replace(news, kind="polled") if isinstance(news, Tick) else news for symbol, news in answer.items()}
