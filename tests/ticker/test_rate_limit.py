"""Budgets: whatever is spent through the gate, no window of the provider's ever holds more than its limit."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.stepped import SteppedTime
from ticker.errors import BudgetSpent
from ticker.rate_limit import CALL, SLICES, WINDOWS_S, Accounts, Budget, Cost, Gate, Rate, Usage, lowest, needed
from ticker.wire import Spent, Window


class Arrival(NamedTuple):
    """When the provider saw a call, and what it took."""

    at_s: float
    cost: Cost


def most_in_any_window(arrivals: list[Arrival], rate: Rate) -> int:
    """The most of `rate.unit` that came in less than `rate.window_s`, wherever one begins to count."""
    return max(
        (
            sum(arrival.cost.get(rate.unit, 0) for arrival in arrivals if first.at_s <= arrival.at_s < first.at_s + rate.window_s)
            for first in arrivals
        ),
        default=0,
    )


RATES = st.lists(
    st.builds(Rate, st.sampled_from(["calls", "weight"]), st.integers(4, 12), st.sampled_from(["s", "min"])),
    min_size=1,
    max_size=3,
    unique_by=lambda rate: (rate.unit, rate.window),
)
CALLS = st.lists(
    st.tuples(
        st.sampled_from([{"calls": 1}, {"calls": 1, "weight": 2}, {"weight": 4}]),
        st.sampled_from([0.0, 0.0, 0.1, 0.9, 1.0, 30.0]),  # idle before it
        st.sampled_from([0.0, 0.01, 0.3, 2.0, 61.0]),  # how long it takes
        st.floats(0, 1),
    ),
    max_size=40,
)  # when in it the provider sees it


@given(RATES, CALLS)
def test_no_window_ever_holds_more_than_its_limit(rates: list[Rate], calls: list[tuple[Cost, float, float, float]]) -> None:
    """Whatever the limits, the calls, the time they take, and the moment in them at which they arrive."""
    time = SteppedTime()
    gate = Gate("account", rates, time, time.monotonic)
    arrivals = []
    for cost, idle_s, takes_s, where in calls:
        time.pass_s(idle_s)
        with gate.passing(cost, float("inf")):
            arrivals.append(Arrival(time.monotonic() + takes_s * where, cost))
            time.pass_s(takes_s)
    for rate in rates:
        assert most_in_any_window(arrivals, rate) <= rate.most
        assert 0 <= gate.budget.spent(time.monotonic())[rates.index(rate)].used <= rate.most


@given(st.integers(1, 20), st.sampled_from(["s", "min", "hour", "day"]), st.integers(1, 60))
def test_nothing_is_held_back_longer_than_needed(most: int, window: Window, count: int) -> None:
    """Calls that take no time come as fast as the limit lets them: `most` at once in each window, but for a slice."""
    time = SteppedTime()
    gate = Gate("account", [Rate("calls", most, window)], time, time.monotonic)
    for _ in range(count):
        with gate.passing(CALL, float("inf")):
            pass
    assert time.monotonic() == pytest.approx((count - 1) // most * WINDOWS_S[window], rel=0.01)


def test_calls_at_the_same_time_count_from_their_beginning() -> None:
    """And until a window after their end: nobody knows when in between they arrive."""
    budget = Budget([Rate("calls", 2, "s")])
    budget.begin(CALL)
    budget.begin(CALL)
    assert budget.wait_s(CALL, 5.0) == 1.0
    budget.end(CALL, 7.0)
    budget.end(CALL, 7.25)
    assert budget.wait_s(CALL, 7.5) == 0.5
    assert budget.wait_s({"calls": 2}, 7.5) == 0.75
    assert budget.wait_s(CALL, 8.0) == 0.0
    assert budget.wait_s({"weight": 1000}, 7.5) == 0.0


def test_long_windows_are_remembered_in_slices() -> None:
    """A day of calls each second takes no more memory than a few minutes of them, and errs to the safe side."""
    budget = Budget([Rate("calls", 1_000_000, "day")])
    for second in range(86_400):
        budget.begin(CALL)
        budget.end(CALL, float(second))
    assert len(budget._windows[0]._slices) <= SLICES + 1
    assert budget.spent(86_399.0)[0] == Spent(unit="calls", per="day", most=1_000_000, used=86_400, left=913_600)
    assert 86_000 <= budget.spent(86_400.0 + 400)[0].used < 86_400


def test_what_does_not_fit_at_all_waits_for_an_empty_window() -> None:
    """And not for ever."""
    budget = Budget([Rate("weight", 10, "min")])
    assert not budget.fits({"weight": 11})
    assert budget.fits({"weight": 10, "calls": 1000})
    assert budget.wait_s({"weight": 40}, 0.0) == 0.0
    budget.begin({"weight": 1})
    budget.end({"weight": 1}, 0.0)
    assert budget.wait_s({"weight": 40}, 0.0) == 60.0


def test_a_pause_holds_for_all_costs() -> None:
    """And an earlier end does not shorten it."""
    budget = Budget()
    budget.pause(100.0)
    budget.pause(50.0)
    assert budget.wait_s(CALL, 40.0) == 60.0
    assert budget.wait_s({}, 40.0) == 60.0
    assert budget.wait_s(CALL, 100.0) == 0.0


def test_the_providers_word_counts_where_it_is_stricter() -> None:
    """Others may spend from the same account: `left` goes down with our calls, and holds until the reset."""
    budget = Budget([Rate("weight", 100, "min")])
    cost = {"weight": 2}
    budget.hear(Usage("weight", 5, 30.0), 0.0)
    for _ in range(2):
        assert budget.wait_s(cost, 1.0) == 0.0
        budget.begin(cost)
        budget.end(cost, 1.0)
    assert budget.wait_s(cost, 1.0) == 29.0
    assert budget.wait_s(CALL, 1.0) == 0.0
    assert budget.wait_s(cost, 30.0) == 0.0
    budget.hear(Usage("weight", 1000, 30.0), 31.0)
    assert budget.wait_s({"weight": 97}, 31.0) == 30.0  # ours is stricter now


def test_what_is_under_way_may_be_missing_in_the_providers_word() -> None:
    """It is taken off what is said to be left."""
    budget = Budget([Rate("calls", 100, "min")])
    budget.begin(CALL)
    budget.hear(Usage("calls", 1, 10.0), 0.0)
    assert budget.wait_s(CALL, 0.0) == 10.0


def test_lowered_limits_keep_what_was_spent() -> None:
    """And raised ones; a limit that is new begins empty."""
    budget = Budget([Rate("calls", 3, "s")])
    for _ in range(3):
        budget.begin(CALL)
        budget.end(CALL, 0.0)
    budget.set_rates([Rate("calls", 2, "s"), Rate("calls", 100, "min")])
    assert [limit.used for limit in budget.spent(0.5)] == [3, 0]
    assert budget.wait_s(CALL, 0.5) == 0.5
    budget.set_rates([Rate("calls", 4, "s")])
    assert budget.wait_s(CALL, 0.5) == 0.0


def test_intervals_grow_until_all_plans_fit() -> None:
    """By the limit that needs it most; where all fits, by nothing."""
    second, minute = Rate("calls", 10, "s"), Rate("calls", 300, "min")
    budget = Budget([second, minute])
    assert (budget.stretch(), budget.tightest()) == (1.0, None)
    budget.plan("a", {"calls": 4.0})
    assert (budget.stretch(), budget.tightest()) == (1.0, None)
    budget.plan("b", {"calls": 11.0})
    assert (budget.stretch(), budget.tightest()) == (3.0, minute)
    budget.plan("b", {"weight": 1e9})
    assert budget.stretch() == 1.0
    budget.plan("a", {"calls": 20.0})
    budget.keep_plans(["b"])
    assert budget.stretch() == 1.0
    assert needed(20.0, second) == 2.0
    assert str(minute) == "300 calls a minute"
    assert str(Rate("calls", 1, "hour")) == "1 call an hour"


def test_a_gate_refuses_what_would_take_too_long() -> None:
    """At once, and nothing is spent; a call that fails is a call."""
    time = SteppedTime()
    gate = Gate("account", [Rate("calls", 1, "s")], time, time.monotonic)
    with pytest.raises(ZeroDivisionError), gate.passing(CALL, 0.0):
        raise ZeroDivisionError
    assert not gate.has_room()
    with pytest.raises(BudgetSpent) as refused, gate.passing(CALL, 0.5):
        pytest.fail("there is no room")
    assert refused.value.wait_s == 1.0
    assert time.monotonic() == 0.0
    with gate.passing(CALL, 1.0):
        assert time.monotonic() == 1.0
    gate.hear(Usage("calls", 0, 9.0))
    time.pass_s(2.0)
    assert not gate.has_room()


def test_feeds_of_one_account_share_its_budget() -> None:
    """With the lowest of their limits; what was spent and how long to pause outlives them all."""
    time = SteppedTime()
    one, two, other = (Gate(account, [Rate("calls", most, "s")], time, time.monotonic) for account, most in (("x", 5), ("x", 3), ("y", 9)))
    accounts = Accounts()
    accounts.share({"one": one, "two": two, "other": other})
    assert one.budget is two.budget
    assert one.budget is not other.budget
    assert one.budget.rates == [Rate("calls", 3, "s")]
    one.budget.plan("one", {"calls": 6.0})
    one.budget.pause(7.0)
    again = Gate("x", [Rate("calls", 5, "s")], time, time.monotonic)
    accounts.share({"again": again})
    assert not again.has_room()
    assert again.budget.stretch() == 1.0
    assert again.budget.rates == [Rate("calls", 5, "s")]
    accounts.share({})
    five, four, minute = Rate("calls", 5, "s"), Rate("calls", 4, "s"), Rate("calls", 6, "min")
    assert lowest([five, four, minute]) == [four, minute]


def test_two_feeds_of_one_account_never_exceed_it_together() -> None:
    """Calls that overlap, one after another as a scheduler would run them."""
    budget, rate = Budget([Rate("calls", 3, "s")]), Rate("calls", 3, "s")
    arrivals: list[Arrival] = []
    open_calls: list[float] = []
    now_s = 0.0
    while len(arrivals) < 60:
        if not budget.wait_s(CALL, now_s):
            budget.begin(CALL)
            takes_s = 0.05 * (1 + len(arrivals) % 30)
            arrivals.append(Arrival(now_s + takes_s * (len(arrivals) % 4) / 3, CALL))
            open_calls.append(now_s + takes_s)
        now_s += 0.0625
        for end_s in [end_s for end_s in open_calls if end_s <= now_s]:
            open_calls.remove(end_s)
            budget.end(CALL, now_s)
    assert most_in_any_window(arrivals, rate) <= 3
    assert 20 <= now_s <= 40  # three in a second and the second that a call takes
