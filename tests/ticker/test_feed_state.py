"""How a feed is doing: its states in order, and a back-off that is bounded, growing, jittered, and never an excuse to ask sooner than the
provider said.
"""

from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.stepped import SteppedTime
from ticker.errors import BudgetSpent, FeedError
from ticker.feed_log import FeedLog
from ticker.feed_state import CAP_S, DOWN_AFTER, LASTING_AFTER, SERVED_FOR_S, FeedState, delay_s

FAILURES = st.integers(1, 10_000)
INTERVALS = st.floats(0.001, 86_400)
DRAWS = st.floats(0, 1, exclude_max=True)


@given(FAILURES, INTERVALS, DRAWS)
def test_bounds(failures: int, interval_s: float, draw: float) -> None:
    """Never sooner than the interval, never later than the cap (or the interval, if that is longer still)."""
    assert interval_s <= delay_s(failures, interval_s, draw) <= max(CAP_S, interval_s)


@given(FAILURES, INTERVALS, DRAWS)
def test_grows(failures: int, interval_s: float, draw: float) -> None:
    """For the same luck, one more failure never means a shorter wait."""
    assert delay_s(failures, interval_s, draw) <= delay_s(failures + 1, interval_s, draw)


@given(st.integers(1, 6))
def test_grows_exponentially_in_expectation(failures: int) -> None:
    """The mean over all luck doubles, but for the interval that is always waited."""
    draws = [(number + 0.5) / 1000 for number in range(1000)]
    means = [mean(delay_s(count, 1.0, draw) for draw in draws) for count in (failures, failures + 1)]
    assert means[1] - 0.5 == pytest.approx((means[0] - 0.5) * 2)


@given(FAILURES, INTERVALS, DRAWS, st.floats(1, 900))
def test_the_providers_wish_is_kept(failures: int, interval_s: float, draw: float, retry_after_s: float) -> None:
    """At least what was asked for, and never sooner than without it."""
    delay = delay_s(failures, interval_s, draw, retry_after_s=retry_after_s)
    assert delay >= retry_after_s
    assert delay >= delay_s(failures, interval_s, draw)
    assert delay <= max(CAP_S, interval_s, retry_after_s * 1.1)


@given(FAILURES, INTERVALS, DRAWS)
def test_what_asking_does_not_mend_is_asked_less(failures: int, interval_s: float, draw: float) -> None:
    """A wrong key is not tried twice in half a minute."""
    assert delay_s(failures, interval_s, draw, retryable=False) >= 30


def test_five_minutes_down_is_few_attempts() -> None:
    """However short the interval, a provider that is down for five minutes sees at most 25 polls."""
    random = Random(1)
    for interval_s in (0.001, 0.1, 1.0, 2.0):
        for _ in range(200):
            passed_s, attempts = 0.0, 0
            while passed_s < 300:
                attempts += 1
                passed_s += delay_s(attempts, interval_s, random.random())
            assert attempts <= 25


def test_many_do_not_come_back_together() -> None:
    """Of 50 that failed at one moment, no tenth of a second sees more than 15 % come back."""
    random = Random(2)
    times = [delay_s(1, 2.0, random.random()) for _ in range(50)]
    assert all(sum(first <= time < first + 0.1 for time in times) <= 50 * 0.15 for first in times)


def test_a_wish_told_to_many_is_jittered_too() -> None:
    """Those that were all told the same `Retry-After` come back one by one over a tenth of that time."""
    random = Random(2)
    times = [delay_s(1, 2.0, random.random(), retry_after_s=60.0) for _ in range(50)]
    assert len(set(times)) == 50
    assert all(sum(first <= time < first + 0.1 for time in times) <= 50 * 0.15 for first in times)


class Told:
    """A feed's state in stepped time, and each state that was told of."""

    def __init__(self) -> None:
        self.time = SteppedTime()
        self.states: list[tuple[str, str | None]] = []
        self.feed = FeedState(self.time, FeedLog("feed"), lambda: self.states.append((self.feed.state, self.feed.error)), Random(1))

    def fail(self, times: int) -> None:
        """Each time when the pause is over."""
        for _ in range(times):
            self.time.pass_s(self.feed.failed(FeedError("HTTP 502"), 2.0))


def test_five_failures_are_down_and_a_success_is_ok() -> None:
    """Each change is told once; the pause and the next try are those of the last failure."""
    told = Told()
    told.fail(DOWN_AFTER + 1)
    assert told.states == [("retrying", "HTTP 502"), ("down", "HTTP 502")]
    assert told.feed.wait_s == 0
    pause_s = told.feed.failed(FeedError("HTTP 502"), 2.0)
    assert told.feed.wait_s == pytest.approx(pause_s)
    assert told.feed.wire_state()["next_try"] == pytest.approx(told.time.now_ms() + 1000 * pause_s, abs=1)
    told.feed.succeeded()
    told.feed.proven()
    told.feed.well()
    assert told.feed.wire_state() | {"next_try": None} == {
        "state": "ok", "last_success": told.time.now_ms(), "next_try": None, "error": None}  # fmt: skip
    told.fail(1)
    assert told.states[2:] == [("ok", None), ("retrying", "HTTP 502")]


def test_what_is_not_proven_is_held_against_the_next_failure() -> None:
    """A server that lets everybody in and then says nothing is not well."""
    told = Told()
    told.fail(DOWN_AFTER)
    told.feed.well()
    told.fail(1)
    assert told.states[-2:] == [("ok", None), ("down", "HTTP 502")]


def test_limits_are_no_failure() -> None:
    """Without an answer the feed says why it waits; with one, or after a failure, that says more."""
    told = Told()
    told.feed.limited(BudgetSpent(30.0), answered=True)
    assert (told.states, told.feed.wait_s, told.feed.failures) == ([], 30.0, 0)
    told.feed.limited(BudgetSpent(3.0), answered=False)
    assert told.states == [("retrying", "the provider's limits allow no call for 3 s")]
    assert told.feed.wait_s == 30.0  # a shorter wait does not undo a longer one
    assert told.feed.next_try_ms == told.time.now_ms() + 30_000
    told.fail(1)
    told.feed.limited(BudgetSpent(3.0), answered=False)
    assert told.states[-1] == ("retrying", "HTTP 502")


def test_prices_by_another_road_keep_it_from_being_down() -> None:
    """For two minutes, and from the first of them."""
    told = Told()
    told.fail(DOWN_AFTER)
    told.feed.served()
    assert [state for state, _ in told.states] == ["retrying", "down", "retrying"]
    told.feed.failed(FeedError("HTTP 503"), 2.0)
    told.time.pass_s(SERVED_FOR_S + 1)
    told.fail(1)
    assert told.states[3:] == [("retrying", "HTTP 503"), ("down", "HTTP 502")]


def test_what_lasts() -> None:
    """Several failures running, or one that trying again does not mend."""
    told = Told()
    lasting = []
    for _ in range(LASTING_AFTER):
        told.fail(1)
        lasting.append(told.feed.lasting)
    assert lasting == [False, False, False, True]
    told.feed.proven()
    told.feed.failed(FeedError("wrong key", retryable=False), 2.0)
    lasting = [told.feed.lasting]
    told.feed.proven()
    told.feed.well()
    assert [*lasting, told.feed.lasting] == [True, False]
