"""Back-off: bounded, growing, jittered, and never an excuse to ask sooner than the provider said."""

from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.backoff import CAP_S, delay_s

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
