"""Answers of several symbols and several calls."""

from collections.abc import Mapping, Sequence

import pytest

from feeds.base import Subscription
from feeds.values.batch import error_object, for_each, in_parts, unknown
from ticker.errors import BudgetSpent, FeedError
from ticker.quote import Tick
from ticker.settings import SymbolOptions

A, B, C = (Subscription(symbol, symbol.lower(), SymbolOptions()) for symbol in "ABC")
TICK = Tick(price=1.0)


def ask(outcomes: Mapping[str, FeedError]) -> dict[str, Tick | FeedError]:
    """The answer of two calls, one for A and B, one for C; `outcomes` has the errors of those that fail, by their first symbol."""

    def call(part: Sequence[Subscription]) -> Mapping[str, Tick | FeedError]:
        if part[0].symbol in outcomes:
            raise outcomes[part[0].symbol]
        return {one.symbol: TICK for one in part}

    return in_parts([[A, B], [], [C]], call)


def test_what_is_wrong_with_one_costs_no_other() -> None:
    """Each has a tick or its own error."""
    error = FeedError("odd")

    def read(one: Subscription) -> Tick:
        if one is B:
            raise error
        return TICK

    assert for_each([A, B, C], read) == {"A": TICK, "B": error, "C": TICK}


def test_a_call_that_fails_costs_its_own_symbols() -> None:
    """All of the others have their answer; a part without symbols is not asked for."""
    error = FeedError("torn")
    assert ask({}) == {"A": TICK, "B": TICK, "C": TICK}
    assert ask({"A": error}) == {"A": error, "B": error, "C": TICK}
    assert ask({"C": unknown("Nobody", "c")}).keys() == {"A", "B", "C"}


@pytest.mark.parametrize("error", [FeedError("limit", retry_after_s=60.0), FeedError("which?", rejects_symbol=True)])
def test_some_errors_are_for_the_poller(error: FeedError) -> None:
    """To wait as asked, and to search for the symbol that spoils a batch."""
    with pytest.raises(FeedError) as caught:
        ask({"A": error})
    assert caught.value is error


def test_where_nothing_was_answered_the_poll_failed() -> None:
    """With the first of the reasons."""
    with pytest.raises(FeedError, match="torn"):
        ask({"A": FeedError("torn"), "C": FeedError("worn")})


def test_what_limits_do_not_allow_is_no_news() -> None:
    """Nobody failed, so no symbol has an error; unless nothing at all could be asked for, which is worth knowing."""
    assert ask({"C": BudgetSpent(9.0)}) == {"A": TICK, "B": TICK}
    with pytest.raises(BudgetSpent):
        ask({"A": BudgetSpent(9.0), "C": BudgetSpent(9.0)})


@pytest.mark.parametrize(("body", "found"), [(b'{"a":1}', {"a": 1}), (b"[]", {}), (b"<html>", {}), (b"", {})])
def test_an_error_that_is_no_object_is_an_empty_one(body: bytes, found: dict[str, int]) -> None:
    """A proxy's page has nothing to say about symbols."""
    assert error_object(body) == found
