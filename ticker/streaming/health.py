"""How a stream's connections have gone: its state, and when to try again after a failure."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from ticker.backoff import DOWN_AFTER, delay_s
from ticker.clock import Clock
from ticker.errors import FeedError
from ticker.feed_log import FeedLog
from ticker.polling.poller import FeedState
from ticker.source import reason

LASTING_AFTER = 4
"""So many failures running are no moment's trouble."""
SERVED_FOR_S = 120.0
"""Prices that came by another road keep a feed from being `down` for so long."""


class Health:
    """`changed()` is called when `state` or `error` has changed. The pause after a failure grows from `interval_s`, seconds."""

    def __init__(self, feed: str, interval_s: float, clock: Clock, changed: Callable[[], None], random: Random | None = None) -> None:
        self.state: FeedState = "ok"
        self.error: str | None = None
        self.last_success_ms: int | None = None
        self.next_try_ms: int | None = None
        self.feed_log = FeedLog(feed)
        self.interval_s = interval_s
        self._clock = clock
        self._changed = changed
        self._random = random or Random()
        self.over = False  # the feed is stopped: what fails now is nobody's business
        self._failures = 0
        self._final = False  # trying again does not mend what failed last
        self._served_s: float | None = None  # when prices came by another road
        self._not_before_s = 0.0

    @property
    def wait_s(self) -> float:
        """How long to wait before the next try; 0 or less: not at all."""
        return self._not_before_s - self._clock.monotonic()

    @property
    def lasting(self) -> bool:
        """Whether there is no connection, and that is not over in a moment."""
        return self._final or self._failures >= LASTING_AFTER

    def failed(self, error: FeedError) -> None:
        """There is no connection, or it is of no use."""
        if self.over:
            return
        now_s = self._clock.monotonic()
        self._failures += 1
        self._final = not error.retryable
        delay = delay_s(
            self._failures, self.interval_s, self._random.random(), retry_after_s=error.retry_after_s, retryable=error.retryable
        )
        self._not_before_s = now_s + delay
        self.next_try_ms = self._clock.now_ms() + round(delay * 1000)
        self.feed_log.failure(error, delay, now_s)
        self._show("down" if self._failures >= DOWN_AFTER and not self._served(now_s) else "retrying", reason(error))

    def bug(self, error: Exception) -> FeedError:
        """What our own code raised, as a failure of the feed."""
        if not self.over:
            self.feed_log.bug(error, self._clock.monotonic())
        return FeedError(f"internal error: {type(error).__name__}")  # its words are for the log: they may be anybody's

    def prices(self) -> None:
        """Prices came."""
        self.last_success_ms = self._clock.now_ms()

    def served(self) -> None:
        """Prices came, though not over a connection: whoever waits for them is served."""
        self.prices()
        self._served_s = self._clock.monotonic()
        if self.state == "down":
            self._show("retrying", self.error)

    def _served(self, now_s: float) -> bool:
        return self._served_s is not None and now_s - self._served_s <= SERVED_FOR_S

    def well(self) -> None:
        """The connection does what it is for, or has been ready for long enough to say so."""
        self.next_try_ms = None
        self._final = False
        self.feed_log.success()
        self._show("ok", None)

    def proven(self) -> None:
        """What failed before is no longer held against the next failure."""
        self._failures = 0

    def wire_state(self) -> dict[str, Any]:
        """Its part of the wire's entry of the feed."""
        return {"state": self.state, "last_success": self.last_success_ms, "next_try": self.next_try_ms, "error": self.error}

    def _show(self, state: FeedState, error: str | None) -> None:
        if (state, error) != (self.state, self.error):
            self.state, self.error = state, error
            self._changed()
