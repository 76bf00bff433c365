"""Frankfurter: parsing, bases, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.frankfurter import Frankfurter, parse, parse_rows
from feeds.values.pairs import DAY_MIN
from tests.feeds.support import JSON, answers_or_complains, complaint, connected, mutated, subscribe
from tests.providers.client import RunningProvider
from ticker.calendars.market_hours import DAY_MS
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "frankfurter"
SYMBOLS, UNKNOWN_SYMBOL = ("EURUSD", "EUR/GBP"), "EURXXX"
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""
ANSWER = {"amount": 1.0, "base": "EUR", "date": "2026-07-17", "rates": {"IDR": 18911, "USD": 1.1622, "GBP": 0.86433}}
BATCH = subscribe(Frankfurter, "EURUSD", "EUR/IDR")
ROWS = [
    {"date": "2026-07-17", "base": "EUR", "quote": "IDR", "rate": 18911},
    {"date": "2026-07-20", "base": "EUR", "quote": "USD", "rate": 1.1622},
]
NOON = 1_796_040_000_000
"""2026-11-30 12:00 UTC, a Monday."""


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
        "EURUSD": Tick(price=1.1622, currency="USD", quote_time=made_ms, delay_min=DAY_MIN, cadence="day"),
        "EUR/IDR": Tick(price=18911.0, currency="IDR", quote_time=made_ms, delay_min=DAY_MIN, cadence="day"),
    }


@pytest.mark.parametrize("odd", [{"base": "USD"}, {"amount": 100.0}, {"amount": None}, {"rates": []}])
def test_rates_of_something_else_are_refused(odd: dict[str, Any]) -> None:
    """Of another base, of a hundred euros."""
    complaint(lambda: parse(json.dumps(ANSWER | odd).encode(), "EUR", BATCH))


@pytest.mark.parametrize("day", [None, "", "today", "1998-12-31"])
def test_a_day_that_can_not_be_read_costs_no_rate(day: str | None) -> None:
    """They are without a time, which is odd where one stands."""
    tick = parse(json.dumps(ANSWER | {"date": day}).encode(), "EUR", BATCH)["EURUSD"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.quote_time, tick.untimed) == (1.1622, None, None if day is None else True)
    assert [odd.field for odd in tick.odd or ()] == (["quote_time"] if day else [])


@pytest.mark.parametrize(
    ("row", "price", "made_ms"),
    [
        ({}, 3.6725, NOON + 4_200_000 - 3 * DAY_MS),
        ({"date": "2026-11-30"}, 3.6725, NOON - DAY_MS // 2),
        ({"date": "2026-12-01"}, 3.6725, NOON + DAY_MS // 2),
        ({"rate": 4}, 4.0, NOON + 4_200_000 - 3 * DAY_MS),
        ({"date": "soon"}, 3.6725, None),
    ],
    ids=["of Friday", "of today, before it is made", "of tomorrow", "a whole number", "of no day"],
)
def test_each_row_has_its_own_day(row: dict[str, Any], price: float, made_ms: int | None) -> None:
    """No rate is of a later moment than the beginning of tomorrow; what else is in the answer is nobody's."""
    rows = [
        {"date": "2026-11-27", "base": "USD", "quote": "AED", "rate": 3.6725} | row,
        {"date": "2026-12-01", "base": "USD", "quote": "USD", "rate": 1.0},
        {"base": "EUR", "quote": "AED", "rate": 9},
        None,
        {"quote": ["AED"], "base": "USD"},
    ]
    (tick,) = parse_rows(json.dumps(rows).encode(), subscribe(Frankfurter, "USDAED"), NOON).values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.currency, tick.quote_time, tick.cadence) == (price, "AED", made_ms, "day")


@given(mutated(ANSWER) | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(body: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(body, "EUR", BATCH), {"EURUSD", "EUR/IDR"})


@given(mutated(ROWS) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_rows_are_ticks_or_complaints(body: bytes) -> None:
    """Nothing else comes out of those of v2, either."""
    answers_or_complains(lambda: parse_rows(body, BATCH, NOON), {"EURUSD", "EUR/IDR"})


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


def test_what_the_bank_has_not_comes_from_others(feed: Frankfurter, provider: RunningProvider) -> None:
    """A base, or a currency among others; it is found out once, and the bank's own pairs stay the bank's."""
    symbols = ("EUR/USD", "EUR/AED", "XAU/USD", "USD/MAD")
    answer = feed.poll(subscribe(Frankfurter, *symbols))
    assert {symbol: type(outcome) for symbol, outcome in answer.items()} == dict.fromkeys(symbols, Tick)
    provider.forget()
    feed.poll(subscribe(Frankfurter, *symbols))
    assert [(request["path"], request["query"]) for request in provider.requests()] == [
        ("/v1/latest", {"base": "EUR", "symbols": "USD"}),
        ("/v2/rates", {"base": "EUR", "quotes": "AED"}),
        ("/v2/rates", {"base": "XAU", "quotes": "USD"}),
        ("/v2/rates", {"base": "USD", "quotes": "MAD"}),
    ]


def test_others_that_fail_cost_the_bank_s_pairs_nothing(feed: Frankfurter, provider: RunningProvider) -> None:
    """Nor is the pair called unknown for it."""
    feed.poll(subscribe(Frankfurter, "EUR/AED"))
    provider.fault("html", path="/v2/rates")
    answer = feed.poll(subscribe(Frankfurter, "EUR/USD", "EUR/AED"))
    assert isinstance(answer["EUR/USD"], Tick)
    error = answer["EUR/AED"]
    assert isinstance(error, FeedError)
    assert not error.rejects_symbol


@pytest.mark.parametrize(
    ("symbol", "says"),
    [
        ("BGN/EUR", "Frankfurter has no 'BGN/EUR': BGN is no more, the euro took its place on 2026-01-01"),
        ("USD/HRK", "Frankfurter has no 'USD/HRK': HRK is no more, the euro took its place on 2023-01-01"),
        ("EUR/DEM", "Frankfurter has no 'EUR/DEM': DEM is no more, the euro took its place on 1999-01-01"),
        ("EUR/QQQ", "Frankfurter has no 'EUR/QQQ'"),
    ],
)
def test_what_nobody_has_is_told_in_words(feed: Frankfurter, symbol: str, says: str) -> None:
    """Whether the code is refused or its row is missing; the others of its base have their prices."""
    answer = dict(feed.poll(subscribe(Frankfurter, symbol, "EUR/AED", "USD/MAD")))
    error = answer.pop(symbol)
    assert isinstance(error, FeedError)
    assert (str(error), error.rejects_symbol, error.retryable) == (says, True, False)
    assert all(isinstance(tick, Tick) for tick in answer.values())


def test_a_currency_without_rates_is_told_in_words() -> None:
    """One that is still there, as far as we know."""
    (error,) = parse_rows(b"[]", subscribe(Frankfurter, "EURKPW"), NOON).values()
    assert str(error) == "Frankfurter has no 'EUR/KPW': no bank that it asks has published a rate in the last two weeks"


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
