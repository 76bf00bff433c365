"""A source that is called when the provider's limits have room, one call at a time, within its time; what goes wrong is a `FeedError`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from ticker.clock import Clock
from ticker.counters import FeedCounters
from ticker.errors import BudgetSpent, FeedError
from ticker.feed_log import FeedLog
from ticker.polling.bad_symbols import Batch
from ticker.runtime import DeadlineExceeded, Runtime
from ticker.settings.model import PolledSettings
from ticker.source import Answer, Source, bare, bared

log = logging.getLogger(__name__)


class GuardedSource:
    """Guards the calls to `source` and counts them in `counters`; bugs of its code go to `feed_log`."""

    def __init__(self, source: Source, runtime: Runtime, clock: Clock, feed_log: FeedLog, counters: FeedCounters) -> None:
        self.source = source
        self._runtime = runtime
        self._clock = clock
        self._feed_log = feed_log
        self._counters = counters
        self._one_call = threading.Lock()  # a source is never asked twice at a time
        settings = source.settings
        # The feed keeps its own time limit; this one is for a feed that fails to.
        self._limit_s = settings.timeout_s + 1 if isinstance(settings, PolledSettings) else None

    def batch_size(self) -> int | None:
        """How many symbols a call can carry without taking more at once than the limits ever allow; `None`: all."""
        size, gate = self.source.batch_size, self.source.gate
        while size is not None and size > 1 and gate is not None and not gate.budget.fits(self.source.cost(size)):
            size -= 1
        return size

    def wait_for_room(self, symbols: int, patience_s: float, given_up: Callable[[], bool]) -> None:
        """Return when the provider's limits have room for a call for so many symbols, or when `given_up`.

        Raises `BudgetSpent`, at once, where that takes longer than `patience_s`.
        """
        gate = self.source.gate
        while gate is not None and not given_up() and (wait_s := gate.wait_s(self.source.cost(symbols))):
            if wait_s > patience_s:
                raise BudgetSpent(wait_s)
            log.debug("feed %s: waits %.3g s for room in the provider's limits", self.source.name, wait_s)
            self._runtime.sleep(wait_s)

    def ask(self, batch: Batch) -> Answer:
        """One call. Where the provider wants to be left alone, that goes for all who share its limits."""
        with self._one_call:
            started_s = self._clock.monotonic()
            try:
                answer = self._call(batch)
            except BudgetSpent:
                raise  # it was not made
            except FeedError as error:
                self._counters.polled(self._clock.monotonic() - started_s, error)
                raise
            self._counters.polled(self._clock.monotonic() - started_s, None)
            return answer

    def _call(self, batch: Batch) -> Answer:
        try:
            with self._limit():
                return bared(self.source.poll(batch))
        except FeedError as error:
            if self.source.gate is not None and error.retry_after_s is not None:
                self.source.gate.pause(error.retry_after_s)
            failure = bare(error)
        except DeadlineExceeded as error:
            failure = FeedError(f"no answer: {error}")
        except Exception as error:
            failure = self._feed_log.bug(error, self._clock.monotonic())
        raise failure  # out here, so that it does not hold on to what it came from

    def _limit(self) -> AbstractContextManager[None]:
        return nullcontext() if self._limit_s is None else self._runtime.deadline(self._limit_s)
