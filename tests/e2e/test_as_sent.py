"""Prices as the world sends them, through the whole product and through a relay behind it: one provider of every kind, all odd at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.e2e.server import RunningServer, serving
from tests.e2e.waiting import wait
from tests.providers.server import ProviderServer
from tests.providers.wire import Provider, Reply, Request, not_found

SECRETS = {
    f"FEEDS__{feed}__API_{part}": "a-key-of-ours"
    for feed, part in (("ALPACA", "KEY"), ("ALPACA", "SECRET"), ("NIGHT", "KEY"), ("NIGHT", "SECRET"), ("MASSIVE", "KEY"), ("MOVED", "KEY"))
}
NEGATIVE = "allow_negative = true"


def iso(ago_s: float = 0.0) -> str:
    """A time as Alpaca writes it."""
    return datetime.fromtimestamp(time.time() - ago_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")


def a_shut_market() -> str:
    """The calendar of an exchange that is shut at this hour: Tokyo and New York never are open at a time."""
    return "XTKS" if 12 <= datetime.now(UTC).hour < 22 else "XNYS"


def yahoo_rows() -> list[dict[str, Any]]:
    """Oil below zero, the day after it, a bid of next to nothing, a yield, a fund, and previous closes that are none."""

    def row(symbol: str, kind: str, price: float, **more: Any) -> dict[str, Any]:
        return {"symbol": symbol, "quoteType": kind, "currency": "USD", "priceHint": 2, "exchangeDataDelayedBy": 0,
                "marketState": "REGULAR", "regularMarketPrice": price, "regularMarketTime": int(time.time()), **more}  # fmt: skip

    return [
        row("CL=F", "FUTURE", -37.63, regularMarketPreviousClose=18.27, regularMarketDayHigh=17.85, regularMarketDayLow=-40.32,
            regularMarketChange=-55.9, regularMarketChangePercent=-305.97),
        row("BZ=F", "FUTURE", 10.01, regularMarketPreviousClose=-37.63, regularMarketDayHigh=13.86, regularMarketDayLow=-16.74,
            regularMarketChange=47.64, regularMarketChangePercent=126.6),
        row("NG=F", "FUTURE", 4.61, regularMarketPreviousClose=4.5, bid=-0.01, ask=4.62),
        row("GBPUSD=X", "CURRENCY", 1.25, bid=1.26, ask=1.24),
        row("VTSAX", "MUTUALFUND", 158.21, regularMarketPreviousClose=157.4, regularMarketTime=int(time.time()) - 237_000),
        row("^VIX", "INDEX", 19.21, regularMarketPreviousClose=1.1e-10),
        row("^RUT", "INDEX", 2650.1, regularMarketPreviousClose=4.9e-322),
    ]  # fmt: skip


def share(price: float, **parts: Any) -> dict[str, Any]:
    """A snapshot of Alpaca's."""
    return {"latestTrade": {"t": iso(), "x": "V", "p": price, "s": 100, "c": ["@"], "i": 1, "z": "C"}, **parts}


class World(Provider):
    """Yahoo, Alpaca, Massive, Frankfurter and an endpoint of nobody's, all at one address."""

    name: ClassVar[str] = "world"

    def load(self, fixtures: Path) -> None:
        """Nothing is recorded."""

    def answer(self, request: Request) -> Reply:
        path, query = request.path, request.query
        if path == "/v1/test/getcrumb":
            return Reply(200, b"abcDEF12345", {"Content-Type": "text/plain"})
        if path == "/v7/finance/quote":
            return Reply.json({"quoteResponse": {"result": yahoo_rows(), "error": None}})
        if path == "/power":
            return Reply.json({"rows": [{"id": "DE", "p": -2.82}, {"id": "SNB", "p": "-0.75"}, {"id": "FLAT", "p": 0.0},
                                        {"id": "AT", "p": 41.5, "low": -2.82}]})  # fmt: skip
        if path == "/broker":
            return Reply.json({"A": {"p": 10.5, "b": -1, "a": -1}, "B": {"p": 10.5, "v": -2147483648}, "C": {"p": 10.5, "t": 0},
                               "D": {"p": 10.5, "t": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")}, "E": {"p": 10.5, "lo": "unch"},
                               "F": {"p": "10.5 "}, "G": {"p": "1,234.5"}, "H": {"p": "C10.5"}})  # fmt: skip
        if path == "/v2/stocks/snapshots" and query.get("feed") == "overnight":
            return Reply.json({"AAPL": share(110 + time.time() % 10 / 100)})
        if path == "/v2/stocks/snapshots":
            day_before = {"t": iso(300_000), "o": 1, "h": 1, "l": 1, "c": 1112.17, "v": 1}
            contingent = {"t": iso(), "x": "D", "p": 114.6247, "s": 125_984, "c": ["@", "4", "7", "V"], "i": 11, "z": "C"}
            return Reply.json(
                {
                    "NFLX": share(110.5, latestQuote={"t": iso(), "ap": 110.6, "bp": 110.4}, prevDailyBar=day_before),
                    "XYZ": share(71.2, latestQuote={"t": iso(), "ap": 71.1, "bp": 71.4}),
                    "IWM": share(0.0, latestTrade=contingent, minuteBar={"t": iso(30), "o": 109, "h": 110, "l": 109, "c": 109.4}),
                }
            )
        return self._others(path, query)

    def _others(self, path: str, query: Mapping[str, str]) -> Reply:
        now_ns = time.time_ns()
        if path == "/v2/snapshot/locale/us/markets/stocks/tickers":
            zeros = {"c": 0, "h": 0, "l": 0, "o": 0, "v": 0, "vw": 0}
            return Reply.json({"count": 2, "status": "OK", "tickers": [
                {"ticker": "CHKP", "day": zeros, "min": {**zeros, "t": 0}, "todaysChange": 0, "todaysChangePerc": 0, "updated": 0,
                 "prevDay": {"c": 197.9, "h": 199, "l": 195, "o": 196, "v": 900_000, "vw": 197}}]})  # fmt: skip
        if path == "/v3/snapshot/indices":
            return Reply.json({"status": "OK", "results": [
                {"ticker": "I:SPX", "value": 6012.5, "type": "indices", "market_status": "regular_trading", "timeframe": "REAL-TIME",
                 "last_updated": now_ns, "session": {"previous_close": 6000.0, "open": 6001.0, "high": 6020.0, "low": 5990.0}
                }]})  # fmt: skip
        if path == "/v2/snapshot/locale/global/markets/forex/tickers":
            return Reply.json({"status": "OK", "tickers": [
                {"ticker": "C:EURUSD", "lastQuote": {"a": 1.1602, "b": 1.16, "t": now_ns // 1_000_000, "x": 48},
                 "prevDay": {"c": 1.158}, "updated": now_ns // 1_000_000}]})  # fmt: skip
        if path.startswith("/moved/"):
            return Reply(301, b"", {"Location": "https://api.massive.com/v2/snapshot/locale/us/markets/stocks/tickers?tickers=AAPL"})
        if path == "/v1/latest" and {query.get("base", "EUR"), *query.get("symbols", "USD").split(",")} != {"EUR", "USD"}:
            return Reply.json({"message": "not found"}, 404)
        if path == "/v1/latest":
            return Reply.json({"amount": 1.0, "base": "EUR", "date": f"{datetime.now(UTC):%Y-%m-%d}", "rates": {"USD": 1.1603}})
        if path == "/v2/rates" and query.get("base") == "BGN":
            return Reply.json([])
        if path == "/v2/rates":
            return Reply.json([{"date": f"{datetime.now(UTC):%Y-%m-%d}", "base": "USD", "quote": "AED", "rate": 3.6725}])
        if path == "/":
            return Reply(200, b"<html>", {"Set-Cookie": "A3=x; Path=/", "Content-Type": "text/html"})
        return not_found()


def settings(url: str) -> str:
    """A feed of each kind at that address."""
    rows = 'rows = "rows", symbol = "id", price = "p", low = "low"'
    fields = 'price = "p", bid = "b", ask = "a", volume = "v", quote_time = "t", low = "lo"'
    return f"""
[feeds]
yahoo = {{ kind = "yahoo", base_url = "{url}", interval_s = 2 }}
power = {{ kind = "http_json", base_url = "{url}", path = "/power", {rows}, interval_s = 1 }}
broker = {{ kind = "http_json", base_url = "{url}", path = "/broker", {fields}, interval_s = 1, stale_after_s = 2 }}
alpaca = {{ kind = "alpaca", base_url = "{url}", interval_s = 1 }}
night = {{ kind = "alpaca", data_feed = "overnight", base_url = "{url}", interval_s = 1 }}
massive = {{ kind = "massive", base_url = "{url}", interval_s = 1 }}
moved = {{ kind = "polygon", base_url = "{url}/moved", interval_s = 1 }}
frankfurter = {{ kind = "frankfurter", base_url = "{url}" }}

[symbols]
OIL = {{ feed = "yahoo", yahoo = "CL=F", {NEGATIVE} }}
"CL=F" = {{ feed = "yahoo" }}
"BZ=F" = {{ feed = "yahoo" }}
BRENT = {{ feed = "yahoo", yahoo = "BZ=F", {NEGATIVE} }}
"NG=F" = {{ feed = "yahoo" }}
"GBPUSD=X" = {{ feed = "yahoo" }}
VTSAX = {{ feed = "yahoo" }}
"^VIX" = {{ feed = "yahoo" }}
"^RUT" = {{ feed = "yahoo" }}
DE = {{ feed = "power", {NEGATIVE} }}
SNB = {{ feed = "power", {NEGATIVE} }}
FLAT = {{ feed = "power", {NEGATIVE} }}
AT = {{ feed = "power" }}
A = {{ feed = "broker" }}
B = {{ feed = "broker" }}
C = {{ feed = "broker" }}
D = {{ feed = "broker" }}
E = {{ feed = "broker" }}
F = {{ feed = "broker" }}
G = {{ feed = "broker" }}
H = {{ feed = "broker" }}
NFLX = {{ feed = "alpaca" }}
XYZ = {{ feed = "alpaca" }}
IWM = {{ feed = "alpaca" }}
AAPL = {{ feed = "night", calendar = "{a_shut_market()}" }}
CHKP = {{ feed = "massive" }}
SPX = {{ feed = "massive", massive = "I:SPX" }}
EURUSD = {{ feed = "massive", massive = "C:EURUSD" }}
MOVED = {{ feed = "moved" }}
"EUR/USD" = {{ feed = "frankfurter" }}
"USD/AED" = {{ feed = "frankfurter" }}
"BGN/EUR" = {{ feed = "frankfurter" }}
"""


RELAYED = {"OIL": NEGATIVE, "BRENT": NEGATIVE, "DE": NEGATIVE, "FLAT": NEGATIVE, "SNB": "", "NG=F": "", "A": "", "VTSAX": "", "CHKP": "",
           "NFLX": "", "AAPL": ""}  # fmt: skip
PRICELESS = {"CL=F", "G", "H", "MOVED", "BGN/EUR"}


@contextmanager
def world() -> Iterator[str]:
    """Its address."""
    server = ProviderServer(World(None), 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.url
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def relays() -> Iterator[tuple[RunningServer, RunningServer]]:
    """One that asks the world, and one behind it."""
    with world() as url, serving(settings(url), variables=SECRETS) as first:
        lines = "\n".join(f'"{symbol}" = {{ feed = "first", {more} }}'.replace(",  }", " }") for symbol, more in RELAYED.items())
        behind = f'[feeds.first]\nkind = "relay"\nbase_url = "{first.url}"\n[symbols]\n{lines}\n'
        with serving(behind) as second:
            yield first, second


def quotes(server: RunningServer) -> dict[str, dict[str, Any]]:
    """By symbol."""
    return {quote["symbol"]: quote for quote in server.get("/api/quotes").json["quotes"]}


def errors(server: RunningServer) -> dict[str, str]:
    """By symbol: what is wrong with it, if anything is."""
    return {entry["symbol"]: entry["error"] or "" for entry in server.get("/api/symbols").json["symbols"]}


@pytest.fixture(scope="module")
def known(relays: tuple[RunningServer, RunningServer]) -> dict[str, dict[str, Any]]:
    """Every quote that there can be."""
    first, _ = relays

    def all_there() -> dict[str, dict[str, Any]] | None:
        found, wrong = quotes(first), errors(first)
        return found if wrong.keys() - found.keys() == PRICELESS and all(wrong[symbol] for symbol in PRICELESS - {"MOVED"}) else None

    return wait(all_there)


def shown(quote: dict[str, Any], *fields: str) -> tuple[Any, ...]:
    """These fields of a quote; `None` where it has none."""
    return tuple(quote.get(field) for field in fields)


FACE = ("price", "bid", "ask", "low", "prev_close", "change", "change_pct")


@pytest.mark.parametrize(
    ("symbol", "face"),
    [
        ("OIL", (-37.63, None, None, -40.32, 18.27, -55.9, None)),
        ("BRENT", (10.01, None, None, -16.74, -37.63, 47.64, None)),
        ("BZ=F", (10.01, None, None, None, None, None, None)),
        ("NG=F", (4.61, None, 4.62, None, 4.5, 0.11, 2.4444)),
        ("GBPUSD=X", (1.25, None, None, None, None, None, None)),
        ("^VIX", (19.21, None, None, None, None, None, None)),
        ("^RUT", (2650.1, None, None, None, None, None, None)),
        ("DE", (-2.82, None, None, None, None, None, None)),
        ("SNB", (-0.75, None, None, None, None, None, None)),
        ("FLAT", (0.0, None, None, None, None, None, None)),
        ("AT", (41.5, None, None, None, None, None, None)),
        *((symbol, (10.5, None, None, None, None, None, None)) for symbol in "ABCDEF"),
        ("NFLX", (110.5, 110.4, 110.6, None, None, None, None)),
        ("XYZ", (71.2, None, None, None, None, None, None)),
        ("IWM", (109.4, None, None, None, None, None, None)),
        ("SPX", (6012.5, None, None, 5990.0, 6000.0, 12.5, 0.2083)),
        ("EUR/USD", (1.1603, None, None, None, None, None, None)),
        ("USD/AED", (3.6725, None, None, None, None, None, None)),
    ],
)
def test_what_is_left_of_an_answer(known: dict[str, dict[str, Any]], symbol: str, face: tuple[Any, ...]) -> None:
    """The price always, and of the rest what can be believed."""
    assert shown(known[symbol], *FACE) == face


def test_how_true_they_are(relays: tuple[RunningServer, RunningServer], known: dict[str, dict[str, Any]]) -> None:
    """A fund is fresh for days, a night price while the exchange sleeps; the close of the last session is closed."""
    assert [known[symbol]["state"] for symbol in ("VTSAX", "USD/AED", "CHKP", "OIL")] == ["fresh", "fresh", "closed", "fresh"]
    assert shown(known["CHKP"], "price", "session") == (197.9, "closed")
    assert wait(lambda: shown(quotes(relays[0])["AAPL"], "state", "session") == ("fresh", "overnight"))


def test_a_time_of_zero_proves_nothing(relays: tuple[RunningServer, RunningServer], known: dict[str, dict[str, Any]]) -> None:
    """The very same answer again and again does not keep the price fresh; without any time it does."""
    assert wait(lambda: shown(quotes(relays[0])["C"], "state", "quote_time") == ("stale", None))
    assert quotes(relays[0])["A"]["state"] == "fresh"


@pytest.mark.parametrize(
    ("symbol", "word"),
    [("CL=F", "allow_negative = true"), ("MOVED", "api.massive.com"), ("G", "price"), ("H", "price"), ("BGN/EUR", "BGN")],
)
def test_what_is_wrong_is_said(
    relays: tuple[RunningServer, RunningServer], known: dict[str, dict[str, Any]], symbol: str, word: str
) -> None:
    """Where there is no price, the symbol's error says why and what helps."""
    first, _ = relays
    wrong = errors(first)[symbol] + " ".join(str(feed["error"]) for feed in first.get("/api/status").json["feeds"] if symbol == "MOVED")
    assert word in wrong


def test_what_cant_be_read_is_counted(relays: tuple[RunningServer, RunningServer], known: dict[str, dict[str, Any]]) -> None:
    """By feed and field, and told once in the log."""
    first, _ = relays
    told = first.get("/api/status").json["odd_fields"]
    found = {(entry["feed"], entry["field"]) for entry in told["fields"]}
    assert {("yahoo", "bid"), ("yahoo", "prev_close"), ("broker", "bid"), ("broker", "volume"), ("broker", "low"), ("alpaca", "bid"),
            ("alpaca", "prev_close"), ("power", "low")} <= found  # fmt: skip
    assert told["count"] >= len(found)
    assert len(first.lines("feed broker.*volume")) == 1


def test_a_relay_passes_them_on(relays: tuple[RunningServer, RunningServer], known: dict[str, dict[str, Any]]) -> None:
    """As they are; and where it may not show a price below zero itself, it says which key is missing."""
    first, second = relays
    wait(lambda: RELAYED.keys() - quotes(second).keys() == {"SNB"} and errors(second)["SNB"])
    passed, there = quotes(second), quotes(first)
    for symbol in RELAYED.keys() - {"SNB", "AAPL", "OIL"}:
        assert shown(passed[symbol], *FACE, "session") == shown(there[symbol], *FACE, "session"), symbol
    assert passed["OIL"]["price"] == -37.63
    assert "allow_negative = true" in errors(second)["SNB"]
    assert json.dumps(passed).count("NaN") == 0
