"""Finnhub: parsing, zeros, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.finnhub import LIMITED_WAIT_S, Finnhub, parse
from tests.feeds.support import CANARY, JSON, answers_or_complains, complaint, connected, mutated, subscribe
from tests.providers.client import RunningProvider, running
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "finnhub"
SYMBOLS = ("AAPL",)
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""
QUOTE = {"c": 412, "d": 3.17, "dp": 0.77541, "h": 413.5, "l": 407.06, "o": 408.2, "pc": 408.83, "t": 1779998399}
ZEROS = {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0}
BATCH = subscribe(Finnhub, "MSFT")


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[Finnhub]:
    """A feed on the local server."""
    feed = connected(Finnhub, provider, runtime)
    yield feed
    feed.close()


def test_a_quote_is_read_field_by_field() -> None:
    """Seconds, percent, an integer for a price; no volume, bid, ask and currency."""
    assert parse(json.dumps(QUOTE).encode(), BATCH) == {
        "MSFT": Tick(
            price=412.0,
            change=3.17,
            change_pct=0.7754,
            high=413.5,
            low=407.06,
            open=408.2,
            prev_close=408.83,
            quote_time=1_779_998_399_000,
            session="regular",
        )
    }


def test_before_the_open_the_day_is_unknown() -> None:
    """Zeros in a quote that has a price are nothing."""
    assert parse(json.dumps(QUOTE | {"o": 0, "h": 0, "l": 0, "d": None}).encode(), BATCH) == {
        "MSFT": Tick(price=412.0, change_pct=0.7754, prev_close=408.83, quote_time=1_779_998_399_000, session="regular")
    }


@pytest.mark.parametrize(("id", "time_s", "session"), [
    ("MSFT", 1_779_998_400, "regular"), ("MSFT", 1_779_998_401, "post"), ("BRK.B", 1_780_041_600, "pre"), ("MSFT", 0, None),
    ("VOD.L", 1_779_998_399, None), ("BINANCE:BTCUSDT", 1_779_998_399, None), ("OANDA:EUR_USD", 1_779_998_399, None)])  # fmt: skip
def test_a_session_is_that_of_the_trades_time(id: str, time_s: int, session: str | None) -> None:
    """Of US shares; the close is made at 16:00:00 sharp."""
    (tick,) = parse(json.dumps(QUOTE | {"t": time_s}).encode(), subscribe(Finnhub, id)).values()
    assert tick is not None
    assert (tick.session, tick.untimed) == (session, True if time_s == 0 else None)


def test_what_cannot_be_read_beside_the_price_is_unknown() -> None:
    """And where there is no close before, nothing is a change from it."""
    (tick,) = parse(json.dumps(QUOTE | {"pc": 0, "h": "n/a", "o": -1}).encode(), BATCH).values()
    assert tick is not None
    assert (tick.price, tick.prev_close, tick.change, tick.change_pct, tick.high, tick.open) == (412.0, None, None, None, None, -1.0)
    assert [odd.field for odd in tick.odd or ()] == ["high"]


@pytest.mark.parametrize("nothing", [0, None])
def test_a_price_of_nothing_is_none(nothing: object) -> None:
    """Though there is a time: it is not that the symbol is unknown."""
    error = complaint(lambda: parse(json.dumps(QUOTE | {"c": nothing}).encode(), BATCH))
    assert "no price for 'MSFT' at the moment" in str(error)
    assert (error.retryable, error.rejects_symbol) == (True, False)
    assert parse(json.dumps(QUOTE | {"c": nothing, "t": nothing}).encode(), BATCH) == {"MSFT": None}


def test_zeros_are_no_tick() -> None:
    """Never a price of 0."""
    assert parse(json.dumps(ZEROS).encode(), BATCH) == {"MSFT": None}


@pytest.mark.parametrize(
    ("message", "wait_s"), [("API limit reached. Please try again later. Remaining Limit: 0", LIMITED_WAIT_S), ("Something else.", None)]
)
def test_an_error_may_come_with_status_200(message: str, wait_s: float | None) -> None:
    """And then without headers that say how long."""
    error = complaint(lambda: parse(json.dumps({"error": message}).encode(), BATCH))
    assert (error.retry_after_s, error.retryable, error.rejects_symbol) == (wait_s, True, False)


@given(mutated(QUOTE) | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_a_tick_or_a_complaint(body: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: {symbol: tick for symbol, tick in parse(body, BATCH).items() if tick is not None}, {"MSFT"})


def test_the_symbol_goes_as_it_is_and_the_key_in_its_header(feed: Finnhub, provider: RunningProvider) -> None:
    """Colons and dots included."""
    for symbol in ("BRK.B", "BINANCE:BTCUSDT", "OANDA:EUR_USD"):
        assert isinstance(feed.poll(subscribe(Finnhub, symbol))[symbol], Tick)
    requests = provider.requests()
    assert [request["query"] for request in requests] == [{"symbol": symbol} for symbol in ("BRK.B", "BINANCE:BTCUSDT", "OANDA:EUR_USD")]
    assert {request["headers"]["x-finnhub-token"] for request in requests} == {CANARY}


def test_zeros_of_a_symbol_that_had_a_price_pass(feed: Finnhub, provider: RunningProvider) -> None:
    """Finnhub is busy, the last price stays, and the symbol is no stranger however long that goes on."""
    feed.poll(BATCH)
    provider.set(switches={"blank": ["MSFT"]})
    for _ in range(3):
        error = complaint(lambda: feed.poll(BATCH))
        assert (error.retryable, error.rejects_symbol) == (True, False)
    provider.set(switches={})
    feed.poll(BATCH)


def test_zeros_twice_of_a_symbol_that_never_had_a_price_mean_that_there_is_none(feed: Finnhub, provider: RunningProvider) -> None:
    """Once may be bad luck; and a price ends it at any time."""
    provider.set(switches={"blank": ["MSFT"]})
    assert [complaint(lambda: feed.poll(BATCH)).rejects_symbol for _ in range(3)] == [False, True, True]
    provider.set(switches={})
    feed.poll(BATCH)
    provider.set(switches={"blank": ["MSFT"]})
    assert not complaint(lambda: feed.poll(BATCH)).rejects_symbol


def test_a_symbol_of_another_plan_is_rejected(feed: Finnhub, provider: RunningProvider) -> None:
    """403, in Finnhub's own words; the feed itself is fine."""
    provider.set(switches={"forbidden": ["ERE.UN.TO"]})
    error = complaint(lambda: feed.poll(subscribe(Finnhub, "ERE.UN.TO")))
    assert (error.retryable, error.rejects_symbol) == (False, True)
    assert isinstance(feed.poll(BATCH)["MSFT"], Tick)


def test_a_rate_limit_lasts_until_the_reset_in_its_headers(runtime: Runtime) -> None:
    """Sixty calls a minute; more are 429, and the minute ends when `X-Ratelimit-Reset` says."""
    with running("finnhub") as provider:
        feed = connected(Finnhub, provider, runtime)
        for _ in range(3):
            feed.poll(BATCH)
        feed.close()
        provider.fault("status", status=429, body='{"error":"API limit reached."}')
        feed = connected(Finnhub, provider, runtime)
        error = complaint(lambda: feed.poll(BATCH))
        feed.close()
    assert error.retry_after_s is not None
    assert 1 <= error.retry_after_s <= 60
    assert error.retryable
