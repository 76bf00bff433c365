"""Twelve Data: both shapes of an answer, credits, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.http.limit_headers import LONGEST_WAIT_S
from feeds.twelvedata import TwelveData, parse
from tests.feeds.support import JSON, answers_or_complains, complaint, connected, mutated, subscribe, well_formed
from tests.providers.client import RunningProvider, running
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.rate_limit import Usage
from ticker.runtime import Runtime

PROVIDER = "twelvedata"
SYMBOLS = ("AAPL", "EUR/USD")
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""
NOW_S = 1_780_000_063.0  # 17 s before its minute ends
IBM = {
    "symbol": "IBM", "name": "International Business Machines", "exchange": "NYSE", "mic_code": "XNYS", "currency": "USD",
    "datetime": "2026-05-28", "timestamp": 1779975000, "last_quote_at": 1779998340, "open": "263", "high": "265.12000", "low": "261.04999",
    "close": "264.87", "volume": "2918400", "previous_close": "262.03000", "change": "2.84", "percent_change": "1.0838453",
    "average_volume": "4063196", "is_market_open": True, "fifty_two_week": {"low": "214.50000", "range": "214.500000 - 296.160004"}
}  # fmt: skip
PAIR = {
    "symbol": "EUR/USD", "name": "Euro / US Dollar", "exchange": "Forex", "currency_base": "Euro", "currency_quote": "US Dollar",
    "datetime": "2026-05-28", "timestamp": 1779999990, "open": "1.14206", "high": "1.14420", "low": "1.14010", "close": "1.14312",
    "previous_close": "1.14205", "change": "0.00107", "percent_change": "0.09369", "is_market_open": True}  # fmt: skip
UNKNOWN = {"code": 404, "message": "**symbol** or **figi** parameter is missing or invalid.", "status": "error"}
BATCH = subscribe(TwelveData, "IBM", "EUR-USD")


def ticks(answer: Any, *symbols: str) -> dict[str, Tick | FeedError]:
    """What is read from an answer."""
    return parse(json.dumps(answer).encode(), subscribe(TwelveData, *symbols), NOW_S)


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[TwelveData]:
    """A feed on the local server."""
    feed = connected(TwelveData, provider, runtime)
    yield feed
    feed.close()


def test_a_bare_row_is_read_field_by_field() -> None:
    """Strings of any width as the numbers they are; the time is that of the last quote, not that of the opening bell."""
    assert ticks(IBM, "IBM") == {
        "IBM": Tick(
            price=264.87,
            open=263.0,
            high=265.12,
            low=261.04999,
            prev_close=262.03,
            volume=2918400.0,
            change=2.84,
            change_pct=1.0838,
            currency="USD",
            quote_time=1_779_998_340_000,
            session="regular",
        )
    }


def test_several_rows_are_keyed_by_what_was_asked_for() -> None:
    """In any order, beside an error; a pair's currency is in its symbol, and its time is that of the price."""
    answer = ticks({"NOPE": UNKNOWN, "EUR/USD": PAIR, "IBM": IBM}, "IBM", "NOPE", "EUR-USD")
    assert answer["IBM"] == ticks(IBM, "IBM")["IBM"]
    assert answer["EUR-USD"] == Tick(
        price=1.14312,
        open=1.14206,
        high=1.1442,
        low=1.1401,
        prev_close=1.14205,
        change=0.00107,
        change_pct=0.0937,
        currency="USD",
        quote_time=1_779_999_990_000,
        session="regular",
        volume_of="24h",
    )
    error = answer["NOPE"]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, error.retryable) == (True, False)


def test_what_cant_be_read_costs_itself_only() -> None:
    """The price goes on; a time that is none is told from one that is not there."""
    (tick,) = ticks(IBM | {"low": "-", "volume": -1, "currency": 7, "last_quote_at": 0}, "IBM").values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.low, tick.volume, tick.currency, tick.quote_time, tick.untimed) == (264.87, None, None, None, None, True)
    assert {odd.field for odd in tick.odd or ()} == {"low", "volume", "currency"}


def test_a_refusal_names_the_symbol_or_the_key() -> None:
    """In words that reach whoever looks at the symbol."""
    beyond = {"code": 404, "message": "This symbol is available starting with Grow plan (Grow plan).", "status": "error"}
    answer = ticks({"IBM": IBM, "SBIN:NSE": beyond, "NOPE": UNKNOWN}, "IBM", "SBIN:NSE", "NOPE")
    assert "the plan of this key does not include 'SBIN:NSE'" in str(answer["SBIN:NSE"])
    assert "Twelve Data has no 'NOPE'" in str(answer["NOPE"])
    wrong = {"code": 401, "message": "**apikey** parameter is incorrect or not specified.", "status": "error"}
    assert "refuses the key" in str(complaint(lambda: ticks(wrong, "IBM")))


def test_the_exchange_of_a_symbol_is_not_in_its_row() -> None:
    """`SBIN:NSE` is `SBIN` there; another symbol's row is refused."""
    assert isinstance(ticks(IBM, "IBM:NYSE")["IBM:NYSE"], Tick)
    assert isinstance(ticks(IBM, "AAPL")["AAPL"], FeedError)


def test_the_opening_bell_is_no_time_of_a_price() -> None:
    """Older answers have `timestamp` only, which of a share is when its session began."""
    (tick,) = ticks({name: value for name, value in IBM.items() if name != "last_quote_at"}, "IBM").values()
    assert isinstance(tick, Tick)
    assert tick.quote_time is None


def test_pence_become_pounds() -> None:
    """Every price with them, and the change; the volume is a number of shares."""
    (tick,) = ticks(IBM | {"currency": "GBp"}, "IBM").values()
    assert tick == Tick(
        price=2.6487,
        open=2.63,
        high=2.6512,
        low=2.6104999,
        prev_close=2.6203,
        volume=2918400.0,
        change=0.0284,
        change_pct=1.0838,
        currency="GBP",
        quote_time=1_779_998_340_000,
        session="regular",
    )


def test_a_price_after_hours_is_the_extended_one() -> None:
    """Only if it is newer than the regular one, and the market is shut."""
    late = {"is_market_open": False, "extended_price": "265.5", "extended_percent_change": "0.23785", "extended_timestamp": 1780002000}
    (tick,) = ticks(IBM | late, "IBM").values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.session, tick.ext_price, tick.ext_change_pct, tick.ext_time) == (
        264.87, "closed", 265.5, 0.2379, 1_780_002_000_000)  # fmt: skip
    for old in ({"extended_timestamp": 1779990000}, {"is_market_open": True}):
        (tick,) = ticks(IBM | late | old, "IBM").values()
        assert isinstance(tick, Tick)
        assert (tick.ext_price, tick.ext_change_pct, tick.ext_time) == (None, None, None)


@pytest.mark.parametrize(("error", "retryable", "wait_s", "rejects"), [
    (UNKNOWN, False, None, True),
    (UNKNOWN | {"code": 400}, False, None, True),
    ({"code": 403, "message": "This symbol is available starting with Grow plan.", "status": "error"}, False, None, True),
    ({"code": 401, "message": "**apikey** parameter is incorrect or not specified.", "status": "error"}, False, None, False),
    ({"code": 429, "message": "You have run out of API credits for the current minute. 9 …", "status": "error"}, True, 18.0, False),
    ({"code": 429, "message": "You have run out of API credits for the current day. …", "status": "error"}, True, LONGEST_WAIT_S, False),
    ({"code": 500, "message": "Internal error", "status": "error"}, True, None, False),
    ({"code": "odd", "message": "?"}, True, None, False)])  # fmt: skip
def test_an_error_says_what_it_is_about(error: dict[str, Any], retryable: bool, wait_s: float | None, rejects: bool) -> None:
    """A minute's credits come back when the minute of the clock ends, and a second later."""
    caught = complaint(lambda: ticks(error, "IBM"))
    assert (caught.retryable, caught.retry_after_s, caught.rejects_symbol) == (retryable, wait_s, rejects)


def test_rows_without_credits_are_no_answer() -> None:
    """All of them: the call failed. One of them: it has its own error."""
    spent = {"code": 429, "message": "You have run out of API credits for the current minute.", "status": "error"}
    assert complaint(lambda: ticks({"IBM": spent, "EUR/USD": spent}, "IBM", "EUR/USD")).retry_after_s == 18.0
    answer = ticks({"IBM": IBM, "EUR/USD": spent}, "IBM", "EUR/USD")
    assert [type(outcome) for outcome in answer.values()] == [Tick, FeedError]


@given(
    mutated({"IBM": IBM, "EUR/USD": PAIR, "NOPE": UNKNOWN})
    | mutated(IBM)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
)
def test_any_body_is_ticks_or_complaints(body: bytes) -> None:
    """In whatever shape."""
    answers_or_complains(lambda: parse(body, BATCH, NOW_S), {"IBM", "EUR-USD"})


def test_one_call_carries_a_batch_and_costs_a_credit_each(feed: TwelveData, provider: RunningProvider) -> None:
    """The same symbol under two names is asked for once."""
    batch = subscribe(TwelveData, "AAPL", "BTC-USD", "VOD", VOD="VOD:LSE", OTHER="AAPL")
    answer = feed.poll(batch)
    assert all(isinstance(tick, Tick) and well_formed(tick) for tick in answer.values())
    assert [request["query"]["symbol"] for request in provider.requests()] == ["AAPL,BTC/USD,VOD:LSE"]
    pounds = answer["VOD"]
    assert isinstance(pounds, Tick)
    assert pounds.currency == "GBP"
    assert TwelveData.cost(3) == {"calls": 1, "credits": 3}


def test_what_is_left_of_the_minute_is_heard() -> None:
    """Whoever else uses the key."""
    assert list(TwelveData.usage({"api-credits-left": "3"}, NOW_S)) == [Usage("credits", 3, 18.0)]


@pytest.mark.parametrize("switch", [{"gated": ["AAPL"]}, {"error_200": True}])
def test_a_lone_symbol_may_be_refused_with_any_status(feed: TwelveData, provider: RunningProvider, switch: dict[str, Any]) -> None:
    """404 or 200: the body counts."""
    provider.set(switches=switch, unknown=["AAPL"])
    assert complaint(lambda: feed.poll(subscribe(TwelveData, "AAPL"))).rejects_symbol


def test_more_than_a_minute_holds_is_refused_until_it_ends(runtime: Runtime) -> None:
    """By the provider, whole; we wait for the next minute."""
    with running("twelvedata") as provider:
        feed = connected(TwelveData, provider, runtime)
        symbols = ("AAPL", "MSFT", "TSLA", "IBM", "SPY", "BTC-USD", "ETH-USD", "SOL-USD", "XRP-USD")
        error = complaint(lambda: feed.poll(subscribe(TwelveData, *symbols)))
        feed.close()
    assert error.retry_after_s is not None
    assert 1 <= error.retry_after_s <= 61
