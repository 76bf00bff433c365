"""Alpha Vantage: parsing, messages in place of quotes, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from feeds.alphavantage import AlphaVantage, parse
from feeds.http.limit_headers import LONGEST_WAIT_S, SHORTEST_WAIT_S
from feeds.values.pairs import DAY_MIN
from tests.feeds.support import JSON, answers_or_complains, complaint, connected, mutated, subscribe
from tests.providers.client import RunningProvider
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "alphavantage"
SYMBOLS = ("IBM",)
KEY_IN_ADDRESS = True
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""
QUOTE: dict[str, dict[str, Any]] = {"Global Quote": {
    "01. symbol": "TSCO.LON", "02. open": "431.6000", "03. high": "434.9000", "04. low": "430.1000", "05. price": "433.0000",
    "06. volume": "11840213", "07. latest trading day": "2026-05-28", "08. previous close": "434.5000", "09. change": "-1.5000",
    "10. change percent": "-0.3452%"}}  # fmt: skip
BATCH = subscribe(AlphaVantage, "TSCO.LON")
TICK = Tick(price=433.0, open=431.6, high=434.9, low=430.1, prev_close=434.5, volume=11840213.0, change=-1.5, change_pct=-0.3452)


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[AlphaVantage]:
    """A feed on the local server."""
    feed = connected(AlphaVantage, provider, runtime)
    yield feed
    feed.close()


def body(answer: Any) -> bytes:
    """An answer as it comes."""
    return json.dumps(answer).encode()


def test_a_quote_is_read_field_by_field() -> None:
    """A percent sign; no currency, and no time where it is not of a close."""
    assert parse(body(QUOTE), BATCH, None) == {"TSCO.LON": TICK}


def test_a_close_is_a_price_a_day_of_the_time_of_the_close() -> None:
    """Of the exchange that the symbol names, in summer time; of others the time is not known."""
    (london,) = parse(body(QUOTE), BATCH, DAY_MIN).values()
    assert isinstance(london, Tick)
    assert (london.quote_time, london.cadence, london.delay_min) == (1_779_982_200_000, "day", DAY_MIN)  # 15:30 UTC
    for symbol, made_ms in {"IBM": 1_779_998_400_000, "PETR4.SAO": None}.items():
        quote = {"Global Quote": QUOTE["Global Quote"] | {"01. symbol": symbol}}
        (tick,) = parse(body(quote), subscribe(AlphaVantage, symbol), DAY_MIN).values()
        assert isinstance(tick, Tick)
        assert (tick.quote_time, tick.cadence) == (made_ms, "day")


@pytest.mark.parametrize("day", ["2026-13-01", "tomorrow", 7, [], {"a": 1}])
def test_what_is_no_day_leaves_the_price_without_a_time(day: Any) -> None:
    """Told as odd, as all that stands beside the price is."""
    odd = {"07. latest trading day": day, "03. high": "n/a"}
    (tick,) = parse(body({"Global Quote": QUOTE["Global Quote"] | odd}), BATCH, DAY_MIN).values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.quote_time, tick.untimed, tick.high) == (433.0, None, True, None)
    assert {field.field for field in tick.odd or ()} == {"quote_time", "high"}


def test_a_delay_in_the_name_of_the_quote_counts() -> None:
    """More than what we believed."""
    delayed = {"Global Quote - DATA DELAYED BY 15 MINUTES": QUOTE["Global Quote"]}
    (tick,) = parse(body(delayed), BATCH, DAY_MIN).values()
    assert isinstance(tick, Tick)
    assert (tick.delay_min, tick.cadence, tick.quote_time) == (15.0, None, None)


def test_an_empty_quote_is_an_unknown_symbol() -> None:
    """With HTTP 200, as all of it; and another symbol's quote is none of ours."""
    error = complaint(lambda: parse(body({"Global Quote": {}}), BATCH, None))
    assert (error.rejects_symbol, error.retryable) == (True, False)
    assert "not the quote of IBM" in str(parse(body(QUOTE), subscribe(AlphaVantage, "IBM"), None)["IBM"])


@pytest.mark.parametrize(("key", "message", "wait_s", "retryable", "rejects"), [
    ("Information", "Please consider spreading out your free API requests more sparingly (1 request per second). … (25 requests per day) …",
     SHORTEST_WAIT_S, True, False),
    ("Information", "We have detected your API key as ABC and our standard API rate limit is 25 requests per day.", LONGEST_WAIT_S, True,
     False),
    ("Note", "Our standard API call frequency is 5 calls per minute and 500 calls per day.", LONGEST_WAIT_S, True, False),
    ("Error Message", "the parameter apikey is invalid or missing. Please claim …", None, False, False),
    ("Information", "The **demo** API key is for demo purposes only. Please claim your free API key …", None, False, False),
    ("Information", "Thank you! This is a premium endpoint. …", None, False, False),
    ("Error Message", "Invalid API call. Please retry or visit the documentation for GLOBAL_QUOTE.", None, False, True),
    ("Information", "We are moving house.", None, True, False)])  # fmt: skip
def test_a_message_in_place_of_a_quote(key: str, message: str, wait_s: float | None, retryable: bool, rejects: bool) -> None:
    """The one about bursts names the limit of a day as well."""
    error = complaint(lambda: parse(body({key: message}), BATCH, None))
    assert (error.retry_after_s, error.retryable, error.rejects_symbol) == (wait_s, retryable, rejects)


def test_a_plan_is_told_from_a_key() -> None:
    """In words."""
    premium = {"Information": "Thank you! This is a premium endpoint. You may subscribe to any of the premium plans …"}
    assert "plan of this key does not include" in str(complaint(lambda: parse(body(premium), BATCH, None)))
    wrong = {"Error Message": "the parameter apikey is invalid or missing. Please claim …"}
    assert "refuses the key" in str(complaint(lambda: parse(body(wrong), BATCH, None)))


def test_a_message_beside_a_quote_outranks_it() -> None:
    """What stands there is not what was asked for."""
    complaint(lambda: parse(body({**QUOTE, "Information": "no"}), BATCH, None))


@given(mutated(QUOTE) | JSON.map(body) | st.binary(max_size=60))
def test_any_body_is_a_tick_or_a_complaint(payload: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(payload, BATCH, DAY_MIN), {"TSCO.LON"})


@pytest.mark.parametrize(("entitlement", "delay_min"), [(None, DAY_MIN), ("delayed", 15.0), ("realtime", None)])
def test_what_the_plan_pays_for_is_asked_for(
    provider: RunningProvider, runtime: Runtime, entitlement: str | None, delay_min: float | None
) -> None:
    """Without an entitlement prices are those of the last close, which may be a day old."""
    feed = connected(AlphaVantage, provider, runtime, entitlement=entitlement)
    tick = feed.poll(subscribe(AlphaVantage, "IBM"))["IBM"]
    feed.close()
    assert isinstance(tick, Tick)
    assert tick.delay_min == delay_min
    assert provider.requests()[0]["query"].get("entitlement") == entitlement


def test_the_key_that_the_limit_echoes_is_blanked(provider: RunningProvider, runtime: Runtime) -> None:
    """ "We have detected your API key as …"."""
    provider.set(switches={"no_more_today": True})
    feed = connected(AlphaVantage, provider, runtime, api_key=SecretStr("QX81J4"))
    error = complaint(lambda: feed.poll(subscribe(AlphaVantage, "IBM")))
    feed.close()
    assert error.retry_after_s == LONGEST_WAIT_S
    assert "API key as *** and our" in str(error)


def test_a_burst_waits_a_second(feed: AlphaVantage, provider: RunningProvider) -> None:
    """The limit of the server, not ours, which is wide in tests."""
    provider.set(limits=True)
    error = complaint(lambda: [feed.poll(subscribe(AlphaVantage, "IBM")) for _ in range(5)])
    assert (error.retry_after_s, error.retryable) == (SHORTEST_WAIT_S, True)


def test_an_invalid_call_is_about_the_symbol(feed: AlphaVantage, provider: RunningProvider) -> None:
    """Nothing else about the question changes."""
    provider.set(switches={"invalid_call": ["IBM"]})
    assert complaint(lambda: feed.poll(subscribe(AlphaVantage, "IBM"))).rejects_symbol
    provider.set(switches={"note": True})
    assert not complaint(lambda: feed.poll(subscribe(AlphaVantage, "IBM"))).rejects_symbol
