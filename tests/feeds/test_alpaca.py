"""Alpaca: snapshots, days, malformed symbols, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.alpaca import Alpaca, parse
from tests.feeds.support import CANARY, JSON, answers_or_complains, complaint, connected, mutated, subscribe, well_formed
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "alpaca"
SPY: dict[str, Any] = {
    "latestTrade": {"t": "2026-05-28T19:59:59.870914553Z", "x": "V", "p": 611.23, "s": 40, "c": ["@", "I"], "i": 52983525, "z": "B"},
    "latestQuote": {"t": "2026-05-28T20:00:00Z", "ax": "V", "ap": 611.31, "as": 2, "bx": "V", "bp": 0, "bs": 0, "c": ["R"], "z": "B"},
    "minuteBar": {"t": "2026-05-28T19:59:00Z", "o": 611, "h": 611.4, "l": 611, "c": 611.23, "v": 7031, "n": 80, "vw": 611.2},
    "dailyBar": {"t": "2026-05-28T04:00:00Z", "o": 607.5, "h": 612, "l": 606.18, "c": 611.23, "v": 2110455, "n": 30021, "vw": 609.9},
    "prevDailyBar": {"t": "2026-05-27T04:00:00Z", "o": 604.2, "h": 608.8, "l": 603.77, "c": 606.94, "v": 1870220, "n": 28110, "vw": 606.1}}
MADE_MS = 1_779_998_399_870
BATCH = subscribe(Alpaca, "SPY", "BRK-B")


def ticks(rows: Any, *symbols: str, delay_min: float | None = None) -> dict[str, Tick | FeedError]:
    """What is read from an answer."""
    return parse(json.dumps(rows).encode(), subscribe(Alpaca, *symbols), delay_min)


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[Alpaca]:
    """A feed on the local server."""
    feed = connected(Alpaca, provider, runtime)
    yield feed
    feed.close()


@pytest.mark.parametrize(("symbol", "id"), [
    ("BRK-B", "BRK.B"), ("BRK.B", "BRK.B"), ("BTC-USD", "BTC/USD"), ("BTC/USD", "BTC/USD"), ("SPY", "SPY")])
def test_a_symbol_is_spelt_as_alpaca_does(symbol: str, id: str) -> None:
    """A class behind a dot, a currency behind a slash."""
    assert Alpaca.native_id(symbol) == id


def test_an_error_with_status_200_is_no_unknown_symbol() -> None:
    """Whoever answers it."""
    assert not complaint(lambda: ticks({"message": "too many requests."}, "SPY", "BRK-B")).rejects_symbol


def test_a_snapshot_is_read_field_by_field() -> None:
    """Nine digits of a second; a bid of 0 is none; the close before comes from yesterday's bar."""
    assert ticks({"SPY": SPY}, "SPY", delay_min=15.0) == {"SPY": Tick(
        price=611.23, ask=611.31, open=607.5, high=612.0, low=606.18, prev_close=606.94, volume=2110455.0, currency="USD",
        quote_time=MADE_MS, delay_min=15.0)}


def test_crypto_is_wrapped_and_priced_in_its_second_half() -> None:
    """The rows are the same."""
    (tick,) = ticks({"snapshots": {"BTC/USDT": SPY}}, "BTC/USDT").values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.currency) == (611.23, "USDT")


def test_a_trade_of_a_new_day_is_compared_with_the_last_day_s_close() -> None:
    """Before the open the newest bar is still yesterday's."""
    early = SPY | {"latestTrade": SPY["latestTrade"] | {"t": "2026-05-29T08:01:02Z", "p": 612}}
    assert ticks({"SPY": early}, "SPY") == {"SPY": Tick(
        price=612.0, ask=611.31, prev_close=611.23, currency="USD", quote_time=1_780_041_662_000)}
    late = SPY | {"latestTrade": SPY["latestTrade"] | {"t": "2026-05-28T23:59:58Z"}}  # after hours, of the same day
    (tick,) = ticks({"SPY": late}, "SPY").values()
    assert isinstance(tick, Tick)
    assert tick.prev_close == 606.94


def test_parts_may_be_missing() -> None:
    """Null, absent, empty: unknown. Without a trade there is no price."""
    bare = SPY | {"latestQuote": None, "dailyBar": None, "prevDailyBar": {}}
    assert ticks({"SPY": bare}, "SPY") == {"SPY": Tick(price=611.23, currency="USD", quote_time=MADE_MS)}
    error = ticks({"SPY": SPY | {"latestTrade": None}}, "SPY")["SPY"]
    assert isinstance(error, FeedError)
    assert not error.rejects_symbol


def test_null_and_absent_are_unknown_symbols() -> None:
    """Beside others that are known."""
    answer = ticks({"SPY": SPY, "NULL": None}, "SPY", "NULL", "GONE")
    assert isinstance(answer["SPY"], Tick)
    errors = [outcome for outcome in answer.values() if isinstance(outcome, FeedError)]
    assert [error.rejects_symbol for error in errors] == [True, True]


@given(mutated({"SPY": SPY, "BRK.B": SPY}) | mutated({"snapshots": {"SPY": SPY}}) | JSON.map(lambda value: json.dumps(value).encode())
       | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(body: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(body, BATCH), {"SPY", "BRK-B"})


def test_shares_and_crypto_have_a_call_each(feed: Alpaca, provider: RunningProvider) -> None:
    """With both halves of the key, and the source of share prices."""
    answer = feed.poll(subscribe(Alpaca, "AAPL", "BTC-USD", "BRK-B"))
    assert all(isinstance(tick, Tick) and well_formed(tick) for tick in answer.values())
    assert [(request["path"], request["query"]) for request in provider.requests()] == [
        ("/v2/stocks/snapshots", {"symbols": "AAPL,BRK.B", "feed": "iex"}), ("/v1beta3/crypto/us/snapshots", {"symbols": "BTC/USD"})]
    for request in provider.requests():
        assert [request["headers"][name] for name in ("apca-api-key-id", "apca-api-secret-key")] == [CANARY, CANARY]


def test_the_delayed_source_says_so(provider: RunningProvider, runtime: Runtime) -> None:
    """Fifteen minutes; crypto is not delayed."""
    feed = connected(Alpaca, provider, runtime, data_feed="delayed_sip")
    delays = {symbol: tick.delay_min for symbol, tick in feed.poll(subscribe(Alpaca, "AAPL", "BTC-USD")).items() if isinstance(tick, Tick)}
    feed.close()
    assert delays == {"AAPL": 15.0, "BTC-USD": None}


def test_a_malformed_symbol_is_named_and_left_out_from_then_on(feed: Alpaca, provider: RunningProvider) -> None:
    """The others have their prices in the same poll, and from the next on no call is lost."""
    batch = subscribe(Alpaca, "AAPL", "MSFT", A="BRK-B", B="no")
    for calls in (3, 1):
        provider.forget()
        answer = feed.poll(batch)
        assert [type(outcome) for outcome in answer.values()].count(Tick) == 2
        for symbol, id in (("A", "BRK-B"), ("B", "no")):
            error = answer[symbol]
            assert isinstance(error, FeedError)
            assert error.rejects_symbol
            assert repr(id) in str(error)
        assert len(provider.requests()) == calls


def test_a_malformed_symbol_is_asked_for_alone_again(feed: Alpaca, provider: RunningProvider) -> None:
    """That is how the poller tries a rejected symbol again."""
    batch = subscribe(Alpaca, "AAPL", A="BRK-B")
    feed.poll(batch)
    provider.forget()
    feed.poll(batch[1:])
    assert len(provider.requests()) == 1


def test_a_malformed_symbol_that_is_not_named_is_for_the_poller_to_find(feed: Alpaca, provider: RunningProvider) -> None:
    """The feed blames nobody without evidence."""
    provider.set(switches={"unnamed": True})
    assert complaint(lambda: feed.poll(subscribe(Alpaca, "AAPL", A="BRK-B"))).rejects_symbol


def test_a_market_that_fails_costs_its_own_symbols(feed: Alpaca, provider: RunningProvider) -> None:
    """Crypto goes on without shares."""
    provider.fault("html", path="/v2/stocks")
    answer = feed.poll(subscribe(Alpaca, "AAPL", "BTC-USD"))
    assert [type(outcome) for outcome in answer.values()] == [FeedError, Tick]
