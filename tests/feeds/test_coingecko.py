"""CoinGecko: parsing, ids, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from feeds.coingecko import CoinGecko, parse
from tests.feeds.support import CANARY, JSON, answers_or_complains, complaint, connected, mutated, subscribe
from tests.providers.client import RunningProvider, running
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings.model import SymbolSettings

PROVIDER = "coingecko"
SYMBOLS = ("bitcoin", "ethereum/eur")
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""
ANSWER = {
    "monero": {"usd": 338.127, "usd_24h_vol": 91442871.5512, "usd_24h_change": 1.27004999, "eur": 296, "eur_24h_vol": 8.0051e7,
               "eur_24h_change": None, "last_updated_at": 1779999871},
    "status": {"usd": 1.85e-2, "last_updated_at": 1779999860}}  # fmt: skip
NOW_MS = 1_780_000_000_000
BATCH = subscribe(CoinGecko, "monero", "MONERO/EUR", "status")


def ticks(answer: Any, *symbols: str) -> dict[str, Tick | FeedError]:
    """What is read from an answer."""
    return parse(json.dumps(answer).encode(), subscribe(CoinGecko, *symbols))


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[CoinGecko]:
    """A feed on the local server."""
    feed = connected(CoinGecko, provider, runtime)
    yield feed
    feed.close()


def test_an_answer_is_read_field_by_field() -> None:
    """Seconds, percent, integers and exponents; one coin in two currencies; a coin that is called like the place of errors."""
    assert parse(json.dumps(ANSWER).encode(), BATCH) == {
        "monero": Tick(price=338.127, volume=91442871.5512, change_pct=1.27, currency="USD", quote_time=1_779_999_871_000),
        "MONERO/EUR": Tick(price=296.0, volume=80051000.0, currency="EUR", quote_time=1_779_999_871_000),
        "status": Tick(price=0.0185, currency="USD", quote_time=1_779_999_860_000),
    }


def test_what_is_missing_is_unknown_to_coingecko() -> None:
    """A coin, or a currency of a coin; a row without anything in it is only an error."""
    answer = ticks(ANSWER | {"bare": {}}, "nope", "monero/xyz", "bare")
    rejected = {symbol: isinstance(error, FeedError) and error.rejects_symbol for symbol, error in answer.items()}
    assert rejected == {"nope": True, "monero/xyz": True, "bare": False}


def test_a_side_field_that_can_not_be_read_costs_no_price() -> None:
    """Nor does a time: to hear such a price again proves nothing."""
    (tick,) = ticks({"monero": {"usd": 338, "usd_24h_vol": -5, "usd_24h_change": "n/a", "last_updated_at": "today"}}, "monero").values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.volume, tick.change_pct, tick.quote_time, tick.untimed) == (338.0, None, None, None, True)
    assert [odd.field for odd in tick.odd or ()] == ["volume", "change_pct", "quote_time"]


def test_a_coin_that_nobody_trades_is_not_fresh() -> None:
    """Its last average is old and stays so, whatever answers come; nor is one without a time for longer than it was new."""
    board = Board("epoch")
    board.configure(
        {"dead": SymbolSettings(feed=("gecko",)), "bare": SymbolSettings(feed=("gecko",))}, {"gecko": FeedTerms("polled", 60.0)}, NOW_MS
    )
    states = []
    for minute in range(4):
        now_ms = NOW_MS + minute * 60_000
        answer = ticks(
            {
                "dead": {"usd": 0.0012, "usd_24h_vol": 0.0, "last_updated_at": NOW_MS // 1000 - 86_400},
                "bare": {"usd": 0.0012, "usd_24h_vol": 0.0, "last_updated_at": 0},
            },
            "dead",
            "bare",
        )
        board.apply("gecko", answer, now_ms)
        board.sweep(now_ms)
        states.append([board.quotes[symbol].state for symbol in ("dead", "bare")])
    assert states == [["stale", "fresh"]] * 3 + [["stale", "stale"]]


@pytest.mark.parametrize(
    "answer", [{"status": {"error_code": 429, "error_message": "You've exceeded the Rate Limit."}}, {"error": "coin not found"}]
)
def test_an_error_is_one_whatever_its_status(answer: dict[str, Any]) -> None:
    """And no coin."""
    assert not complaint(lambda: ticks(answer, "monero", "status")).rejects_symbol


@given(mutated(ANSWER) | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(payload: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(payload, BATCH), {"monero", "MONERO/EUR", "status"})


def test_one_call_carries_all_coins_and_currencies(feed: CoinGecko, provider: RunningProvider) -> None:
    """Each named once."""
    answer = feed.poll(subscribe(CoinGecko, "bitcoin", "bitcoin/eur", "Ethereum/EUR", BTC="bitcoin"))
    assert all(isinstance(tick, Tick) for tick in answer.values())
    (request,) = provider.requests()
    assert (request["query"]["ids"], request["query"]["vs_currencies"]) == ("bitcoin,ethereum", "usd,eur")
    assert answer["BTC"] == answer["bitcoin"]


def test_a_key_is_optional_and_has_its_host_s_header(provider: RunningProvider, runtime: Runtime) -> None:
    """None is sent where there is none."""
    for key in (None, SecretStr(CANARY)):
        feed = connected(CoinGecko, provider, runtime, api_key=key)
        feed.poll(subscribe(CoinGecko, "bitcoin"))
        feed.close()
    assert [request["headers"].get("x-cg-demo-api-key") for request in provider.requests()] == [None, CANARY]
    pro = connected(CoinGecko, provider, runtime, base_url="https://pro-api.coingecko.com")
    assert pro.http._transport._session.headers["x-cg-pro-api-key"] == CANARY  # nobody can be asked at that host
    pro.close()


@pytest.mark.parametrize(("retry_after", "wait_s"), [("7", 7.0), (None, 60.0)])
def test_a_rate_limit_waits_as_told_or_a_minute(runtime: Runtime, retry_after: str | None, wait_s: float) -> None:
    """Failed calls count, so asking on would be no use."""
    with running("coingecko") as provider:
        provider.set(switches={"retry_after": retry_after} if retry_after else {})
        feed = connected(CoinGecko, provider, runtime, api_key=None)
        error = complaint(lambda: [feed.poll(subscribe(CoinGecko, "bitcoin")) for _ in range(30)])
        feed.close()
    assert (error.retryable, error.retry_after_s) == (True, wait_s)
