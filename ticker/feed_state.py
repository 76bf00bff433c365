"""How one feed is doing, polled or streamed: ok, retrying or down, since when and why, and when to try again after a failure.

`Runner` is what the core asks of whatever keeps a feed going.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from typing import Any, Protocol

from ticker import wire
from ticker.clock import Clock
from ticker.errors import BudgetSpent, FeedError
from ticker.feed_log import FeedLog
from ticker.source import Source, Subscription, reason

DOWN_AFTER = 5
"""So many failures running, and a feed (or a feed's answer for one symbol) counts as down."""
LASTING_AFTER = 4
"""So many failures running are no moment's trouble."""
SERVED_FOR_S = 120.0
"""Prices that came by another road keep a feed from being `down` for so long."""

CAP_S = 300.0
"""No pause after a failure is longer, unless the provider asks for it or the interval is."""
NOT_RETRYABLE_MIN_S = 30.0
"""What can't be mended by asking again waits at least so long."""
JITTER_OF_RETRY_AFTER = 0.1
"""By up to this part a pause is longer than the provider asked for, so that not all come back at one moment."""


class Runner(Protocol):
    """Keeps one feed going, by polls or by a stream. `interval_s` is what the settings say."""

    interval_s: float

    @property
    def source(self) -> Source:
        """Whom it asks."""

    @property
    def feed_state(self) -> FeedState:
        """How the feed is doing."""

    @property
    def symbols(self) -> Collection[str]:
        """What is wanted of it."""

    def want(self, subscriptions: Sequence[Subscription]) -> list[Subscription]:
        """Bring `subscriptions` from now on, and nothing else; returns those that are new or ask for something else than before."""

    def start(self, new: Sequence[Subscription] = ()) -> None:
        """Run from now on at the interval in force, or rest where nothing is wanted. If it runs so already, see to what is `new` now."""

    def slow(self, periods_s: Mapping[str, float]) -> list[Subscription]:
        """Bring these only once in so many seconds each, if it can choose; returns those that are overdue by that."""

    def hurry(self, subscriptions: Sequence[Subscription]) -> None:
        """Bring these at once, in a task of its own, if it runs."""

    def intervals_s(self, strict: Callable[[str], bool]) -> dict[str, float]:
        """How long it is in force from one answer to the next, by symbol, where it is the runner that says so.

        Symbols that are `strict` are not given longer because the provider is slow.
        """

    def stop(self) -> None:
        """Deliver nothing more and close the source, without waiting for what is under way. Final."""

    def wire_state(self) -> wire.Feed:
        """This feed's entry of the wire's `feeds`."""


class FeedState:
    """One feed's state. `changed()` is called when `state` or `error` has changed; what is news goes to `feed_log`."""

    def __init__(self, clock: Clock, feed_log: FeedLog, changed: Callable[[], None], random: Random | None = None) -> None:
        self.state: wire.FeedCondition = "ok"
        self.error: str | None = None
        self.last_success_ms: int | None = None
        self.next_try_ms: int | None = None
        self.failures = 0  # running
        self._feed_log = feed_log
        self._clock = clock
        self._changed = changed
        self._random = random or Random()
        self._final = False  # trying again does not mend what failed last
        self._served_s: float | None = None  # when prices came by another road
        self._not_before_s = 0.0

    @property
    def wait_s(self) -> float:
        """How long to wait before the next try; 0 or less: not at all."""
        return self._not_before_s - self._clock.monotonic()

    @property
    def lasting(self) -> bool:
        """Whether what is wrong is not over in a moment."""
        return self._final or self.failures >= LASTING_AFTER

    def failed(self, error: FeedError, interval_s: float) -> float:
        """The feed is of no use for now; returns how long to leave it alone, seconds, at least `interval_s`."""
        now_s = self._clock.monotonic()
        self.failures += 1
        self._final = not error.retryable
        pause_s = delay_s(self.failures, interval_s, self._random.random(), retry_after_s=error.retry_after_s, retryable=error.retryable)
        self._rest(pause_s)
        self._feed_log.failure(error, pause_s, now_s)
        self._show("down" if self.failures >= DOWN_AFTER and not self._served(now_s) else "retrying", reason(error))
        return pause_s

    def limited(self, spent: BudgetSpent, answered: bool) -> None:
        """The provider's limits have no room until later: nobody has failed. `answered`: there were answers before that."""
        self._rest(spent.wait_s)
        if not answered and not self.failures:
            self._show("retrying", reason(spent))

    def succeeded(self) -> None:
        """Prices came."""
        self.last_success_ms = self._clock.now_ms()

    def served(self) -> None:
        """Prices came by another road than the one that fails: whoever waits for them is served."""
        self.succeeded()
        self._served_s = self._clock.monotonic()
        if self.state == "down":
            self._show("retrying", self.error)

    def well(self, error: str | None = None) -> None:
        """The feed does what it is for; `error`: though not for all symbols."""
        self._final = False
        self._feed_log.success()
        self._show("ok", error)

    def proven(self) -> None:
        """What failed before is no longer held against the next failure."""
        self.failures = 0

    def next_try_in(self, seconds: float) -> None:
        """The next try is planned in so many seconds."""
        self.next_try_ms = self._clock.now_ms() + round(seconds * 1000)

    def no_try_to_come(self) -> None:
        """There is nothing to try for now, so no pause is left from before: whatever fails next has a pause of its own."""
        self.next_try_ms = None
        self._not_before_s = 0.0

    def wire_state(self) -> dict[str, Any]:
        """Its part of the wire's entry of the feed."""
        return {"state": self.state, "last_success": self.last_success_ms, "next_try": self.next_try_ms, "error": self.error}

    def _rest(self, seconds: float) -> None:
        self._not_before_s = max(self._not_before_s, self._clock.monotonic() + seconds)
        self.next_try_in(self.wait_s)

    def _served(self, now_s: float) -> bool:
        return self._served_s is not None and now_s - self._served_s <= SERVED_FOR_S

    def _show(self, state: wire.FeedCondition, error: str | None) -> None:
        if (state, error) != (self.state, self.error):
            self.state, self.error = state, error
            self._changed()


def delay_s(failures: int, interval_s: float, draw: float, *, retry_after_s: float | None = None, retryable: bool = True) -> float:
    """Seconds to wait after the last of `failures` ≥ 1 failures running of something that is done each `interval_s`.

    Exponential from the interval, capped, with full jitter: `draw`, uniform in 0 … 1, places the delay between `interval_s` and
    `interval_s` × 2^failures, but never above 300 s (nor below `interval_s`): a failure never leads to a faster retry, and many that
    failed together do not come back together. `retry_after_s` is what the provider asked for: kept, plus up to a tenth. What can't be
    mended by asking again (`retryable` is false: a wrong key, say) waits 30 s at least.
    """
    longest = min(max(CAP_S, interval_s), interval_s * 2.0 ** min(failures, 64))
    delay = interval_s + draw * (longest - interval_s)
    if not retryable:
        delay = max(delay, NOT_RETRYABLE_MIN_S * (1 + draw))
    if retry_after_s is not None:
        delay = max(delay, retry_after_s * (1 + JITTER_OF_RETRY_AFTER * draw))
    return delay
