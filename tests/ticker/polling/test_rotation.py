"""Whom each round asks for: the fast every time, the slow in turn, the new as soon as there is room."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.stepped import subscriptions
from ticker.polling.rotation import Rotation, split
from ticker.source import Subscription


def symbols(chosen: list[Subscription]) -> list[str]:
    """Their names."""
    return [subscription.symbol for subscription in chosen]


def names(count: int) -> list[str]:
    """So many symbols."""
    return [f"S{number}" for number in range(count)]


def asked(rotation: Rotation, rounds: int, interval_s: float = 1.0, most: int | None = None) -> Counter[str]:
    """How often each symbol is asked for in so many rounds."""
    return Counter(symbol for _ in range(rounds) for symbol in symbols(rotation.round(interval_s, (), most)))


def test_everybody_each_time_where_nobody_is_slow() -> None:
    """In the settings' order, as one and the same list while nothing changes; without those apart."""
    rotation = Rotation()
    rotation.want(subscriptions("B", "A", "C"))
    first = rotation.round(1.0, (), 0)
    assert symbols(first) == ["B", "A", "C"]
    assert rotation.round(1.0, (), 0) is first
    rotation.reshuffle()
    assert symbols(rotation.round(1.0, {"A"}, 0)) == ["B", "C"]
    assert rotation.counts() == {None: 3}
    assert not rotation.has_slow


@given(st.integers(0, 5), st.integers(1, 40), st.sampled_from([1.0, 2.0, 7.0]), st.sampled_from([2.0, 10.0, 35.0, 600.0]))
def test_slow_ones_are_asked_for_at_their_period(fast: int, slow: int, interval_s: float, period_s: float) -> None:
    """Each as often as it should be, and never many more in one round than in another."""
    rotation = Rotation()
    rotation.want(subscriptions(*names(fast + slow)))
    rotation.round(interval_s, (), None)
    rotation.slow(dict.fromkeys(names(fast + slow)[fast:], period_s))
    rounds = round(20 * max(period_s, interval_s) / interval_s)
    sizes, counts = [], Counter[str]()
    for _ in range(rounds):
        chosen = symbols(rotation.round(interval_s, (), 0))
        assert len(set(chosen)) == len(chosen)
        sizes.append(len(chosen))
        counts.update(chosen)
    assert all(counts[symbol] == rounds for symbol in names(fast))
    wanted = rounds * min(1.0, interval_s / period_s)
    assert all(wanted - 1 <= counts[symbol] <= wanted + 1 for symbol in names(fast + slow)[fast:])
    assert max(sizes) - min(sizes) <= 1


def test_new_slow_ones_come_first_as_far_as_there_is_room() -> None:
    """A first price must not wait for the idle interval where the limits allow more."""
    rotation = Rotation()
    rotation.want(subscriptions(*names(10)))
    rotation.slow(dict.fromkeys(names(10)[2:], 1000.0))
    assert symbols(rotation.round(1.0, (), 6)) == names(6)
    assert symbols(rotation.round(1.0, (), 6)) == [*names(2), *names(10)[6:]]
    assert symbols(rotation.round(1.0, (), 6)) == names(2)
    rotation.want(subscriptions("NEW", *names(10)))
    rotation.slow(dict.fromkeys(["NEW", *names(10)[2:]], 1000.0))
    assert symbols(rotation.round(1.0, (), None)) == [*names(2), "NEW"]


def test_what_was_left_out_is_first_next_time() -> None:
    """Of the fast, the round begins with it; of the slow, its turn comes at once."""
    rotation = Rotation()
    rotation.want(subscriptions(*names(6)))
    rotation.slow({"S4": 4.0, "S5": 4.0})
    rotation.round(1.0, (), None)
    batches = split(rotation.round(1.0, (), 0), 2)
    rotation.left_out(batches[1:])
    assert symbols(rotation.round(1.0, (), 0))[:4] == ["S2", "S3", "S0", "S1"]
    rotation.left_out([subscriptions("S5")])
    assert "S5" in symbols(rotation.round(1.0, (), 0))


def test_who_is_apart_loses_a_turn_only() -> None:
    """When the rejected are asked for again is for the poller to say."""
    rotation = Rotation()
    rotation.want(subscriptions("A", "B"))
    rotation.slow({"A": 2.0, "B": 2.0})
    rotation.round(1.0, (), None)
    assert Counter(symbol for _ in range(8) for symbol in symbols(rotation.round(1.0, {"A"}, 0))) == {"B": 4}


def test_faster_and_slower() -> None:
    """Who becomes faster is told, not who becomes slower, nor who is not wanted."""
    rotation = Rotation()
    rotation.want(subscriptions("A", "B", "C"))
    assert rotation.slow({"A": 10.0, "B": 10.0, "GONE": 10.0}) == []
    assert rotation.slow({"A": 5.0, "B": 20.0, "C": 5.0}) == ["A"]
    assert rotation.slow({"B": 20.0}) == ["A", "C"]
    assert [rotation.period_s(symbol) for symbol in "ABC"] == [None, 20.0, None]
    assert rotation.counts() == {None: 2, 20.0: 1}


def test_symbols_that_leave_are_asked_for_no_more() -> None:
    """Fast or slow; the others keep their turns."""
    rotation = Rotation()
    rotation.want(subscriptions("A", "B", "C", "D"))
    rotation.slow({"C": 3.0, "D": 3.0})
    asked(rotation, 3)
    assert rotation.want(subscriptions("B", "C")) == []
    assert asked(rotation, 6) == {"B": 6, "C": 2}


@pytest.mark.parametrize(("count", "size", "sizes"), [(5, 2, [2, 2, 1]), (4, 2, [2, 2]), (3, None, [3]), (0, None, []), (0, 2, [])])
def test_batches(count: int, size: int | None, sizes: list[int]) -> None:
    """The last one may be shorter; none is empty."""
    assert [len(batch) for batch in split(subscriptions(*names(count)), size)] == sizes
