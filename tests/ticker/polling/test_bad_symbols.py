"""The search for the symbols that spoil a batch, and the time they are left alone."""

from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.stepped import subscriptions
from ticker.errors import FeedError
from ticker.polling.bad_symbols import RETRY_S, BadSymbols, Batch, Bisection
from ticker.quote import Tick
from ticker.source import Answer


class Provider:
    """Refuses a whole call for one unknown symbol and does not say which."""

    def __init__(self, unknown: set[str]) -> None:
        self.unknown = unknown
        self.calls = 0
        self.breaks_at = 0

    def ask(self, batch: Batch) -> Answer:
        """A price for each, or nothing at all."""
        self.calls += 1
        if self.calls == self.breaks_at:
            raise FeedError("HTTP 502")
        if any(subscription.symbol in self.unknown for subscription in batch):
            raise FeedError("Invalid symbol.", rejects_symbol=True)
        return {subscription.symbol: Tick(price=1.0) for subscription in batch}


def names(count: int) -> list[str]:
    """That many symbols."""
    return [f"S{number}" for number in range(count)]


def sort_out(search: Bisection, provider: Provider, max_calls: int) -> tuple[list[str], list[str]]:
    """Who was answered and who was rejected, in one go."""
    answered: list[str] = []
    rejected: list[str] = []
    for part, outcome in search.run(provider.ask, max_calls):
        if isinstance(outcome, FeedError):
            assert len(part) == 1
            rejected.append(part[0].symbol)
        else:
            answered += outcome
    return answered, rejected


@given(st.data())
def test_finds_exactly_the_bad_symbols(data: st.DataObject) -> None:
    """All others are answered, each bad symbol is rejected, within 2k⌈log₂ n⌉ + 1 calls."""
    count = data.draw(st.integers(1, 130))
    symbols = names(count)
    unknown = data.draw(st.sets(st.sampled_from(symbols), max_size=6))
    provider = Provider(unknown)
    search = Bisection(subscriptions(*symbols))
    answered, rejected = sort_out(search, provider, 10_000)
    assert sorted(answered) == sorted(set(symbols) - unknown)
    assert sorted(rejected) == sorted(unknown)
    assert search.unresolved == []
    assert search.calls == provider.calls <= 2 * max(1, len(unknown)) * ceil(log2(max(2, count))) + 1


def test_what_must_be_bad_is_not_asked_whole() -> None:
    """Where the first half is good the bad symbol is in the second: it is split without asking, but no single symbol is."""
    provider = Provider({"S7"})
    assert sort_out(Bisection(subscriptions(*names(8))), provider, 64) == (["S0", "S1", "S2", "S3", "S4", "S5", "S6"], ["S7"])
    assert provider.calls == 4


def test_three_of_a_hundred_fit_one_poll() -> None:
    """Three bad symbols among a hundred, wherever they stand, are found with fewer than the 64 calls a poll may spend."""
    for first in range(0, 97, 7):
        for second in range(first + 1, 98, 11):
            provider = Provider({f"S{first}", f"S{second}", f"S{(first * second + 50) % 100}"})
            answered, _ = sort_out(Bisection(subscriptions(*names(100))), provider, 64)
            assert len(answered) == 100 - len(provider.unknown)


@given(st.integers(2, 40), st.integers(1, 4), st.sets(st.integers(0, 39), max_size=5))
def test_can_be_broken_off_and_taken_up_again(count: int, calls_a_time: int, unknown: set[int]) -> None:
    """However few calls a poll may spend, the search gets there; nobody is answered, rejected or lost twice."""
    symbols = names(count)
    provider = Provider({f"S{number}" for number in unknown if number < count})
    search = Bisection(subscriptions(*symbols))
    answered: list[str] = []
    rejected: list[str] = []
    for _ in range(count * 4):
        more_answered, more_rejected = sort_out(search, provider, calls_a_time)
        answered += more_answered
        rejected += more_rejected
        left = [subscription.symbol for subscription in search.unresolved]
        assert sorted(answered + rejected + left) == sorted(symbols)
        if not left:
            break
    assert sorted(rejected) == sorted(provider.unknown)


def test_a_failure_is_no_rejection() -> None:
    """An outage in the middle of the search ends it for now; what met it stays unresolved, and is found out later."""
    provider = Provider({"S5"})
    provider.breaks_at = 3
    search = Bisection(subscriptions(*names(8)))
    outcomes = search.run(provider.ask, 64)
    assert [subscription.symbol for subscription in next(outcomes)[0]] == ["S0", "S1", "S2", "S3"]
    with pytest.raises(FeedError, match="502"):
        next(outcomes)
    assert [subscription.symbol for subscription in search.unresolved] == ["S4", "S5", "S6", "S7"]
    assert sort_out(search, provider, 64) == (["S4", "S6", "S7"], ["S5"])


def test_nobody_is_rejected_unasked() -> None:
    """A provider that refused the batch for no lasting reason: each symbol is asked for, all are answered."""
    answered, rejected = sort_out(Bisection(subscriptions(*names(9))), Provider(set()), 64)
    assert sorted(answered) == sorted(names(9))
    assert rejected == []


def test_the_rejected_are_left_alone_for_ten_minutes() -> None:
    """A symbol is due again when its time is up, the longest waiting first, and not all at once."""
    bad_symbols = BadSymbols()
    bad_symbols.add("A", 0.0)
    bad_symbols.add("B", 1.0)
    bad_symbols.add("C", 2.0)
    assert "A" in bad_symbols
    assert bad_symbols.due(RETRY_S - 0.1, 5) == []
    assert bad_symbols.due(RETRY_S + 1.0, 5) == ["A", "B"]
    assert bad_symbols.due(RETRY_S + 9.0, 2) == ["A", "B"]
    bad_symbols.add("A", RETRY_S + 9.0)
    assert bad_symbols.due(RETRY_S + 9.0, 5) == ["B", "C"]


def test_discard() -> None:
    """Who is no bad symbol any more is asked for like anybody else; whether it was one is said."""
    bad_symbols = BadSymbols()
    bad_symbols.add("A", 0.0)
    assert bad_symbols.discard("A")
    assert not bad_symbols.discard("A")
    assert "A" not in bad_symbols
    assert bad_symbols.due(1e9, 5) == []
