"""The three real feeds end to end, against servers that speak their wire: every number, and what a bad symbol or a lost provider does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.e2e.quote_checks import check_quote
from tests.e2e.raw import RawSocket
from tests.e2e.server import PATIENCE_S, RunningServer, serving
from tests.e2e.waiting import wait
from tests.providers.client import RunningProvider
from tests.providers.client import running as provider

SETTINGS = """
[feeds.coinbase]
kind = "coinbase"
interval_s = 0.5
timeout_s = 60
stale_after_s = 2
base_url = "COINBASE"

[feeds.kraken]
kind = "kraken"
interval_s = 0.5
timeout_s = 60
base_url = "KRAKEN"

[feeds.binance]
kind = "binance"
interval_s = 0.5
timeout_s = 60
base_url = "BINANCE"

[symbols]
"BTC-USD" = { feed = "coinbase" }
"ETH/USD" = { feed = "kraken" }
BTCUSDT = { feed = "binance" }
"SOL-USD" = { feed = ["coinbase", "kraken"] }
"ADA-USD" = { feed = "coinbase" }
"NOPE-USD" = { feed = "coinbase" }
"XRP/USD" = { feed = "kraken" }
"NOPE/USD" = { feed = "kraken" }
ETHUSDT = { feed = "binance" }
NOPEUSDT = { feed = "binance" }
"""
GOOD = ("BTC-USD", "ETH/USD", "BTCUSDT", "SOL-USD", "ADA-USD", "XRP/USD", "ETHUSDT")
UNKNOWN = {"NOPE-USD", "NOPE/USD", "NOPEUSDT"}
"""One for each provider, which does not know it."""
MADE_MS = int(time.time() * 1000)
"""When the prices below were made: a source's own time is believed, so it must be a recent one."""
NUMBERS: dict[str, tuple[str, dict[str, Any]]] = {
    "coinbase": ("BTC-USD", {"price": "64000.12", "bid": "63999.99", "ask": "64000.13", "volume": "12345.67890123", "open": "62500.5",
                             "high": "65001.0", "low": "61999.99",
                             "time": f"{datetime.fromtimestamp(MADE_MS / 1000, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"}),
    "kraken": ("XETHZUSD", {"a": ["307.20001", "3", "3.000"], "b": ["307.2", "1", "1.000"], "c": ["307.20001", "0.1"],
                            "v": ["1000.5", "99999.9"], "o": "300.0", "h": ["310.00001", "999.0"], "l": ["299.99999", "1.0"]}),
    "binance": ("BTCUSDT", {"lastPrice": "0.00001234", "bidPrice": "0.00001233", "askPrice": "0.00001235", "openPrice": "0.00001200",
                            "highPrice": "0.00001300", "lowPrice": "0.00001100", "volume": "123456789.12345678",
                            "priceChange": "0.00000034", "priceChangePercent": "2.833", "closeTime": MADE_MS}),
}  # fmt: skip
EXPECTED: dict[str, dict[str, Any]] = {
    "BTC-USD": {"price": 64000.12, "bid": 63999.99, "ask": 64000.13, "volume": 12345.67890123, "open": 62500.5, "high": 65001,
                "low": 61999.99, "change": 1499.62, "change_pct": 2.3994, "currency": "USD", "quote_time": MADE_MS, "source": "coinbase"},
    "ETH/USD": {"price": 307.20001, "bid": 307.2, "ask": 307.20001, "volume": 1000.5, "open": 300, "high": 310.00001, "low": 299.99999,
                "change": 7.20001, "change_pct": 2.4, "currency": "USD", "source": "kraken"},
    "BTCUSDT": {"price": 0.00001234, "bid": 0.00001233, "ask": 0.00001235, "volume": 123456789.12345678, "open": 0.000012, "high": 0.000013,
                "low": 0.000011, "change": 0.00000034, "change_pct": 2.833, "quote_time": MADE_MS,
                "source": "binance"},
}  # fmt: skip


@pytest.fixture(scope="module")
def providers() -> Iterator[dict[str, RunningProvider]]:
    """The three of them."""
    with provider("coinbase", limits=False) as coinbase, provider("kraken", limits=False) as kraken, provider("binance") as binance:
        yield {"coinbase": coinbase, "kraken": kraken, "binance": binance}


SOL: dict[str, dict[str, Any]] = {
    "coinbase": {"SOL-USD": {"price": "150.00", "bid": "149.99", "ask": "150.01"}},
    "kraken": {"SOLUSD": {"c": ["150.02", "1"], "b": ["150.01", "1", "1"], "a": ["150.03", "1", "1"]}},
}
"""One price of one coin at both, as in life: a source that takes over with quite another price would not be believed."""


@contextmanager
def polling(providers: dict[str, RunningProvider]) -> Iterator[RunningServer]:
    """A relay that polls all three."""
    settings = SETTINGS
    for name, running in providers.items():
        row, fields = NUMBERS[name]
        running.set(rows={row: fields, **SOL.get(name, {})})
        settings = settings.replace(name.upper(), running.url)
    with serving(settings) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def server(providers: dict[str, RunningProvider]) -> Iterator[RunningServer]:
    """One relay for all tests, when it has rejected what its providers do not know: nothing that a test does to them changes that."""
    with polling(providers) as running_server:
        wait(lambda: rejected(running_server) == UNKNOWN, lambda: listed(running_server))
        yield running_server


def listed(server: RunningServer) -> dict[str, dict[str, Any]]:
    """What REST says of each symbol."""
    return {entry["symbol"]: entry for entry in server.get("/api/symbols").json["symbols"]}


def rejected(server: RunningServer) -> set[str]:
    """The symbols that no provider knows."""
    return {symbol for symbol, entry in listed(server).items() if entry["status"] == "rejected"}


@contextmanager
def subscribed(server: RunningServer) -> Iterator[RawSocket]:
    """A client that is subscribed to everything."""
    with closing(RawSocket(server.address)) as client:
        client.join("/")
        assert client.ask("subscribe", {"symbols": "*"})["ok"]
        yield client


@pytest.fixture
def board(server: RunningServer) -> Iterator[RawSocket]:
    """A client of the relay of all tests."""
    with subscribed(server) as client:
        yield client


def follow(board: RawSocket, until: Callable[[dict[str, dict[str, Any]]], bool]) -> dict[str, dict[str, Any]]:
    """Read `quotes` until what is known of all symbols satisfies; returns it."""
    known: dict[str, dict[str, Any]] = {}
    deadline_s = time.monotonic() + PATIENCE_S
    while not until(known):
        assert time.monotonic() < deadline_s, known
        for quote in board.event("quotes"):
            check_quote(quote, quote["symbol"])
            known[quote["symbol"]] = quote
    return known


def test_every_field_of_each_provider(server: RunningServer, board: RawSocket) -> None:
    """The number that the provider wrote, to 15 digits; change in decimal; what is absent there is absent here."""

    def matches(known: dict[str, dict[str, Any]]) -> bool:
        return all(known.get(symbol, {}).get("price") == fields["price"] and "open" in known[symbol] for symbol, fields in EXPECTED.items())

    known = follow(board, matches)
    for symbol, fields in EXPECTED.items():
        quote = {name: value for name, value in known[symbol].items() if name not in {"seq", "received_time", "state", "snapshot", "epoch"}}
        assert quote == {**fields, "symbol": symbol, "kind": "polled"}
        served = server.get(f"/api/quotes/{symbol}").json
        assert {name: served[name] for name in fields} == fields


def test_one_bad_symbol_costs_nobody_else(server: RunningServer, board: RawSocket) -> None:
    """Each provider knows one symbol less: it is rejected by name, and all others have prices."""
    follow(board, lambda known: known.keys() >= set(GOOD))
    assert rejected(server) == UNKNOWN
    assert all(listed(server)[symbol]["error"] for symbol in UNKNOWN)
    wait(lambda: all((listed(server)[symbol]["status"], listed(server)[symbol]["error"]) == ("live", None) for symbol in GOOD))
    assert all(feed["state"] == "ok" for feed in server.get("/api/status").json["feeds"])
    for symbol in UNKNOWN:
        assert server.get(f"/api/quotes/{symbol}").json["error"]["code"] == "no_price_yet"
        assert len(server.lines(f"no price for {symbol}")) == 1


def test_the_first_healthy_feed_wins(providers: dict[str, RunningProvider], server: RunningServer, board: RawSocket) -> None:
    """A symbol with two feeds goes on with the second, `seq` and all, when the first falls silent; nobody else is concerned."""
    first = follow(board, lambda known: known.get("SOL-USD", {}).get("source") == "coinbase")["SOL-USD"]
    providers["coinbase"].fault("hang_up")
    second = follow(board, lambda known: known.get("SOL-USD", {}).get("source") == "kraken")["SOL-USD"]
    assert second["seq"] > first["seq"]
    server.wait_log("feed coinbase: .*next try")
    providers["coinbase"].heal()
    server.wait_log("feed coinbase: answers again")
    assert server.lines("feed (kraken|binance): .*next try") == []


def test_a_ban_is_kept(providers: dict[str, RunningProvider]) -> None:
    """A 429 with `Retry-After` is not asked again before its time; the others go on."""
    with provider("binance") as binance, polling({**providers, "binance": binance}) as server, subscribed(server) as board:
        follow(board, lambda known: known.keys() >= {"BTCUSDT", "ADA-USD"})
        binance.fault("status", status=429, retry_after="600")
        server.wait_log(r"feed binance: .*429.*next try in 6\d\d")
        asked = len(binance.requests())
        seq = server.get("/api/quotes/ADA-USD").json["seq"]
        follow(board, lambda known: known.get("ADA-USD", {}).get("seq", 0) > seq + 4)
        assert len(binance.requests()) == asked
        (feed,) = [feed for feed in server.get("/api/status").json["feeds"] if feed["feed"] == "binance"]
        assert feed["state"] == "retrying"
        assert feed["next_try"] - time.time() * 1000 > 500_000
