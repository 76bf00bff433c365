"""Prices that look alive and are not, through the whole product: silent, frozen, wild, apart, or of a market that is shut."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.e2e.server import RunningServer, serving
from tests.e2e.waiting import wait
from tests.providers.client import RunningProvider, running

COINS = [f"{base}USDT" for base in ("ADA", "BTC", "DOGE", "ETH", "LTC", "SOL", "XRP")]
SETTINGS = """
[feeds.binance]
kind = "binance"
interval_s = 0.5
timeout_s = 60
stale_after_s = 3
base_url = "BINANCE"

[feeds.coinbase]
kind = "coinbase"
interval_s = 0.5
timeout_s = 60
stale_after_s = 3
base_url = "COINBASE"

[feeds.kraken]
kind = "kraken"
interval_s = 1.0
timeout_s = 60
base_url = "KRAKEN"

[feeds.sim]
kind = "simulated"

[symbols]
"SOL-USD" = { feed = ["coinbase", "kraken"], kraken = "SOLUSD" }
""" + "".join(f'{coin} = {{ feed = "binance" }}\n' for coin in COINS)
HOURS = """
NIGHT = { feed = "sim", calendar = "XNYS", sim = { volatility_pct = 0 } }
MOVES = { feed = "sim", calendar = "XNYS", sim = { volatility_pct = 1 } }
"""
AGREED: dict[str, dict[str, Any]] = {
    "coinbase": {"SOL-USD": {"price": "150.00", "bid": "149.99", "ask": "150.01"}},
    "kraken": {"SOLUSD": {"c": ["150.02", "1"], "b": ["150.01", "1", "1"], "a": ["150.03", "1", "1"]}},
}


@pytest.fixture(scope="module")
def providers() -> Iterator[dict[str, RunningProvider]]:
    """Three of them."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(running(name, limits=False)) for name in ("binance", "coinbase", "kraken")}


@contextmanager
def agreeing(providers: dict[str, RunningProvider], more: str = "") -> Iterator[RunningServer]:
    """A relay of all three, which agree about the price of SOL."""
    settings = SETTINGS + more
    for name, provider in providers.items():
        provider.forget()
        provider.set(rows=AGREED.get(name, {}))
        settings = settings.replace(name.upper(), provider.url)
    with serving(settings) as running_server:
        wait(lambda: states(running_server).keys() >= {"SOL-USD", *COINS})
        yield running_server


@pytest.fixture(scope="module")
def _shared(providers: dict[str, RunningProvider]) -> Iterator[RunningServer]:
    with agreeing(providers, HOURS) as running_server:
        yield running_server


@pytest.fixture
def server(providers: dict[str, RunningProvider], _shared: RunningServer) -> RunningServer:
    """One relay for all tests: whatever a test has made of the providers, for the next one they agree again, and are believed."""
    for name, provider in providers.items():
        provider.heal()
        provider.set(rows=AGREED.get(name, {}))

    def agreed() -> bool:
        sol = quotes(_shared)["SOL-USD"]
        return (sol["price"], sol["source"], sol["state"]) == (150.0, "coinbase", "fresh") and status(_shared)["divergences"] == []

    wait(agreed, lambda: quotes(_shared)["SOL-USD"])
    return _shared


def quotes(server: RunningServer) -> dict[str, dict[str, Any]]:
    """What REST has of each symbol."""
    return {quote["symbol"]: quote for quote in server.get("/api/quotes").json["quotes"]}


def states(server: RunningServer) -> dict[str, str]:
    """The state of each symbol."""
    return {symbol: quote["state"] for symbol, quote in quotes(server).items()}


def status(server: RunningServer) -> Any:
    """What the relay says of itself."""
    return server.get("/api/status").json


def test_one_silent_symbol_among_many(providers: dict[str, RunningProvider], server: RunningServer) -> None:
    """It is there in every answer, always the same: it alone turns stale, and is fresh again with the first answer that is not."""
    wait(lambda: all(states(server)[coin] == "fresh" for coin in COINS))
    row = {"lastPrice": "2000", "bidPrice": "1999", "askPrice": "2001", "closeTime": int(time.time() * 1000), "priceChange": "1"}
    providers["binance"].set(rows={"ETHUSDT": row})
    wait(lambda: {coin for coin, state in states(server).items() if coin in COINS and state == "stale"} == {"ETHUSDT"})
    providers["binance"].set(rows={})
    wait(lambda: states(server)["ETHUSDT"] == "fresh")


def test_a_market_keeps_its_hours(server: RunningServer) -> None:
    """Once they are known, which takes a moment: shut is closed, though the simulator goes on, and open is fresh; as is at any time what
    moves.
    """
    wait(lambda: status(server)["markets"][0]["market"] != "unknown")
    (market,) = status(server)["markets"]
    assert (market["calendar"], market["error"]) == ("XNYS", None)
    assert market["until"] > time.time() * 1000
    expected = "closed" if market["market"] == "shut" else "fresh"
    wait(lambda: (states(server)["NIGHT"], states(server)["MOVES"]) == (expected, "fresh"))


def test_sources_that_disagree_are_reported(providers: dict[str, RunningProvider], server: RunningServer) -> None:
    """While they do."""
    wait(lambda: quotes(server)["SOL-USD"]["source"] == "coinbase")
    assert status(server)["divergences"] == []
    providers["kraken"].set(rows={"SOLUSD": {"c": ["165.00", "1"]}})
    wait(lambda: status(server)["divergences"] != [])
    (found,) = status(server)["divergences"]
    assert (found["symbol"], found["feed"], found["price"], found["source"], found["source_price"], found["apart_pct"]) == (
        "SOL-USD", "kraken", 165.0, "coinbase", 150.0, 10.0)  # fmt: skip
    providers["kraken"].set(rows=AGREED["kraken"])
    wait(lambda: status(server)["divergences"] == [])


def test_bad_ticks_are_counted_and_not_shown(providers: dict[str, RunningProvider], server: RunningServer) -> None:
    """What is no price is never published; what is one is, when it is said again."""
    wait(lambda: quotes(server)["SOL-USD"]["source"] == "coinbase")
    before = status(server)["bad_ticks"]["count"]
    providers["coinbase"].set(rows={"SOL-USD": {"price": "unch"}})
    (entry,) = wait(lambda: [entry for entry in status(server)["bad_ticks"]["recent"] if entry["symbol"] == "SOL-USD"])
    wait(lambda: status(server)["bad_ticks"]["count"] > before + 2)
    assert (entry["feed"], entry["reason"], entry["excerpt"]) == ("coinbase", "price: not a number that can be used", '"unch"')
    assert quotes(server)["SOL-USD"]["price"] > 0
    assert len(server.lines("no price for SOL-USD: price: not a number that can be used")) == 1
    providers["coinbase"].set(rows=AGREED["coinbase"])
    wait(lambda: states(server)["SOL-USD"] == "fresh")
    providers["coinbase"].set(rows={"SOL-USD": {"price": "250.00"}})
    providers["kraken"].fault("hang_up")
    wait(lambda: quotes(server)["SOL-USD"]["price"] == 250.0)
    assert len(server.lines("a tick of SOL-USD is not believed: 250 after 150")) == 1


def test_a_frozen_copy_gives_way(providers: dict[str, RunningProvider]) -> None:
    """A feed that answers 200 with what it answered before is left for the next one, by a price that is no older; and that is told."""
    with agreeing(providers) as server:
        wait(lambda: (quotes(server)["SOL-USD"]["source"], states(server)["SOL-USD"]) == ("coinbase", "fresh"))
        before = quotes(server)["SOL-USD"]
        providers["coinbase"].fault("repeat")
        wait(lambda: (quotes(server)["SOL-USD"]["source"], states(server)["SOL-USD"]) == ("kraken", "fresh"))
        after = quotes(server)["SOL-USD"]
        assert after["received_time"] >= before["received_time"]
        assert after["seq"] > before["seq"]
        (switch,) = status(server)["switches"]["recent"][:1]
        assert (switch["symbol"], switch["from"], switch["to"], switch["reason"]) == ("SOL-USD", "coinbase", "kraken", "stale")
        assert all(feed["state"] == "ok" for feed in status(server)["feeds"]), "nobody has failed"
