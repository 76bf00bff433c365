"""Frankfurter: parsing, bases, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.frankfurter import Frankfurter, parse
from feeds.pairs import DAY_MIN
from tests.feeds.support import JSON, answers_or_complains, complaint, connected, mutated, subscribe
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "frankfurter"
ANSWER = {"amount": 1.0, "base": "EUR", "date": "2026-07-17", "rates": {"IDR": 18911, "USD": 1.1622, "GBP": 0.86433}}
BATCH = subscribe(Frankfurter, "EURUSD", "EUR/IDR")


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[Frankfurter]:
    """A feed on the local server."""
    feed = connected(Frankfurter, provider, runtime)
    yield feed
    feed.close()


def test_rates_are_read_as_they_are_written() -> None:
    """Integers are rates too; the day is that of the rates; a rate a day is a delay of a day."""
    made_ms = 1_784_290_200_000  # 2026-07-17 14:10 in Frankfurt
    assert parse(json.dumps(ANSWER).encode(), "EUR", BATCH) == {
        "EURUSD": Tick(price=1.1622, currency="USD", quote_time=made_ms, delay_min=DAY_MIN),
        "EUR/IDR": Tick(price=18911.0, currency="IDR", quote_time=made_ms, delay_min=DAY_MIN)}


@pytest.mark.parametrize("odd", [{"base": "USD"}, {"amount": 100.0}, {"amount": None}, {"date": None}, {"rates": []}])
def test_rates_of_something_else_are_refused(odd: dict[str, Any]) -> None:
    """Of another base, of a hundred euros, of no day."""
    complaint(lambda: parse(json.dumps(ANSWER | odd).encode(), "EUR", BATCH))


@given(mutated(ANSWER) | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(body: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(body, "EUR", BATCH), {"EURUSD", "EUR/IDR"})


def test_each_base_has_a_call_of_its_own(feed: Frankfurter, provider: RunningProvider) -> None:
    """What is no pair at all has none."""
    answer = feed.poll(subscribe(Frankfurter, "EURUSD", "USDJPY", "EURGBP", "GOLD", "EUREUR"))
    assert [type(outcome) for outcome in answer.values()].count(Tick) == 3
    for symbol in ("GOLD", "EUREUR"):
        error = answer[symbol]
        assert isinstance(error, FeedError)
        assert error.rejects_symbol
    queries = [request["query"] for request in provider.requests()]
    assert queries == [{"base": "EUR", "symbols": "USD,GBP"}, {"base": "USD", "symbols": "JPY"}]


def test_an_unknown_base_costs_its_own_pairs(feed: Frankfurter) -> None:
    """404, in Frankfurter's own words."""
    answer = feed.poll(subscribe(Frankfurter, "XXXUSD", "EURUSD"))
    assert isinstance(answer["EURUSD"], Tick)
    error = answer["XXXUSD"]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, error.retryable) == (True, False)


def test_a_base_that_fails_costs_its_own_pairs(feed: Frankfurter, provider: RunningProvider) -> None:
    """Whatever is wrong with it; all of them failing is the feed's failure."""
    provider.fault("html", times=1)
    answer = feed.poll(subscribe(Frankfurter, "EURUSD", "USDJPY"))
    assert [type(outcome) for outcome in answer.values()] == [FeedError, Tick]
    provider.fault("html")
    complaint(lambda: feed.poll(subscribe(Frankfurter, "EURUSD", "USDJPY")))
