"""What REST answers, path by path, from a server that polls a source of the test's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from flask import Flask
from werkzeug.test import TestResponse

import ticker
from tests.web.relaying import Relaying, relaying
from ticker.board.history import History
from ticker.clock import SystemClock
from ticker.errors import FeedError
from ticker.settings.reload import Reload
from web.api.rest import rest

ODD = ["BTC/USD", "^GSPC", "EURUSD=X", "A+B", "A.B:C_D-E"]
ALLOWED = "Access-Control-Allow-Origin"
SYMBOLS = ["ACME", "QUIET", *ODD]
PRICES: dict[str, float | FeedError] = {symbol: 100.5 for symbol in reversed(SYMBOLS) if symbol != "QUIET"}


@pytest.fixture
def running() -> Iterator[Relaying]:
    """A server with prices of all symbols but one."""
    with relaying(SYMBOLS, PRICES) as core:
        core.wait("ACME")
        yield core


def body(answer: TestResponse) -> Any:
    """The body as JSON."""
    assert answer.mimetype == "application/json"
    return answer.get_json()


def code(answer: TestResponse) -> str:
    """The code in an error."""
    problem: dict[str, Any] = body(answer)["error"]
    assert problem.keys() == {"code", "message"}
    return str(problem["code"])


def test_quotes(running: Relaying) -> None:
    """All that have a price, in the settings' order, each as the wire has it."""
    answer = running.http.get("/api/quotes")
    assert answer.status_code == 200
    assert body(answer).keys() == {"epoch", "quotes", "unknown"}
    assert (body(answer)["epoch"], body(answer)["unknown"]) == ("epoch", [])
    assert [quote["symbol"] for quote in body(answer)["quotes"]] == ["ACME", *ODD]
    quote = body(answer)["quotes"][0]
    assert {**quote, "received_time": 0} == {
        "symbol": "ACME", "price": 100.5, "volume": 0.0, "seq": 1, "received_time": 0, "source": "feed", "kind": "polled", "state": "fresh"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found", "unknown"),
    [
        ("symbols=ACME", ["ACME"], []),
        ("symbols=BTC/USD,ACME,NOPE", ["BTC/USD", "ACME"], ["NOPE"]),
        ("symbols=QUIET,NOPE,acme,NOPE", [], ["NOPE", "acme"]),
        ("symbols=ACME&symbols=^GSPC,ACME", ["ACME", "^GSPC"], []),
        ("symbols=A+B,EURUSD=X", ["A+B", "EURUSD=X"], []),
        ("symbols=A%2BB%2CBTC%2FUSD,%5EGSPC", ["A+B", "BTC/USD", "^GSPC"], []),
        ("symbols=A%252BB,%FF", [], ["A%2BB", "\ufffd"]),
        ("symbols=", [], []),
        ("symbols", [], []),
        ("symbols=,,", [], []),
        ("symbol=ACME", ["ACME", *ODD], []),
        ("", ["ACME", *ODD], []),
    ],
)
def test_some_quotes(running: Relaying, query: str, found: list[str], unknown: list[str]) -> None:
    """In the order asked for, each once; what is unknown is listed, what has no price yet is in neither list; always 200."""
    answer = running.http.get(f"/api/quotes?{query}")
    assert answer.status_code == 200
    assert [quote["symbol"] for quote in body(answer)["quotes"]] == found
    assert body(answer)["unknown"] == unknown


@pytest.mark.parametrize("symbol", ["ACME", *ODD])
def test_one_quote(running: Relaying, symbol: str) -> None:
    """By its name, slashes and all."""
    answer = running.http.get(f"/api/quotes/{symbol}")
    assert (answer.status_code, body(answer)["symbol"], body(answer)["price"]) == (200, symbol, 100.5)
    assert not {"snapshot", "epoch"} & body(answer).keys()


@pytest.mark.parametrize("symbol", ["NOPE", "acme", "ACME/", "BTC//USD", "BTC/USD/", "ACME%00", "%E2%82%AC", "x" * 5000, "<script>"])
def test_an_unknown_symbol(running: Relaying, symbol: str) -> None:
    """404, in JSON, in few words."""
    answer = running.http.get(f"/api/quotes/{symbol}")
    assert (answer.status_code, code(answer)) == (404, "unknown_symbol")
    assert len(body(answer)["error"]["message"]) < 100
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_price_yet(running: Relaying) -> None:
    """Another 404, since another remedy: wait."""
    answer = running.http.get("/api/quotes/QUIET")
    assert (answer.status_code, code(answer)) == (404, "no_price_yet")


def test_symbols(running: Relaying) -> None:
    """Every symbol of the settings with its state: priced, not yet, or rejected and why."""
    running.prices["A+B"] = FeedError("no such product", rejects_symbol=True)
    running.prices["ACME"] = 101.0
    running.wait("ACME")
    listed = body(running.http.get("/api/symbols"))["symbols"]
    assert [entry["symbol"] for entry in listed] == SYMBOLS
    assert listed[0] == {"symbol": "ACME", "name": None, "decimals": None, "group": [], "feed": "feed", "currency": None,
                         "stale_after_s": 10, "status": "live", "error": None, "volume_of": "24h"}  # fmt: skip
    assert {entry["symbol"]: entry["status"] for entry in listed}["QUIET"] == "pending"


def test_a_candle_has_a_volume_where_it_can_be_told(running: Relaying) -> None:
    """Else the key is absent: it is not 0."""
    now_ms, history, app = SystemClock().now_ms(), History(), Flask(__name__)
    for minutes_ago, count in ((2, 100.0), (1, 107.0)):
        quote = msgspec.structs.replace(running.core.quotes["ACME"], price=-37.63, volume=count)
        history.sample({"ACME": quote}, {"ACME": "session"}, now_ms - minutes_ago * 60_000)
    app.register_blueprint(rest(running.core, SystemClock(), history, lambda: 0, lambda: False, lambda _: False))
    first, second = body(app.test_client().get("/api/candles/ACME"))["candles"]
    prices = dict.fromkeys(("open", "high", "low", "close"), -37.63)
    assert first == {"time_ms": (now_ms // 60_000 - 2) * 60_000, **prices}
    assert second == {"time_ms": (now_ms // 60_000 - 1) * 60_000, **prices, "volume": 7.0}


@pytest.mark.parametrize("path", ["/api/symbols", "/api/quotes", "/api/quotes?symbols=ACME,BTC/USD", "/api/quotes/ACME"])
def test_what_a_client_has_is_not_sent_again(running: Relaying, path: str) -> None:
    """304 while nothing has changed, then 200 with another tag; a proxy's weak tag is as good."""
    first = running.http.get(path)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "no-cache"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = running.http.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert running.http.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    if path != "/api/symbols":
        running.prices["ACME"] = 102.25
        running.wait("ACME")
        while (changed := running.http.get(path, headers={"If-None-Match": tag})).status_code == 304:
            pass  # an answer may be one flush old
        assert changed.status_code == 200
        assert changed.headers["ETag"] != tag


def test_status(running: Relaying) -> None:
    """Version, epoch, clients, feeds and the last reload."""
    status = body(running.http.get("/api/status"))
    assert status.keys() >= {"version", "epoch", "uptime_s", "clients", "feeds", "last_reload"}
    of_prices = {"symbols", "bad_ticks", "odd_fields", "divergences", "switches", "markets"}
    assert status.keys() >= of_prices, "docs/freshness.md tells what is in them"
    assert [entry["symbol"] for entry in status["symbols"]] == SYMBOLS
    assert (status["version"], status["epoch"], status["clients"]) == (ticker.__version__, "epoch", 0)
    assert status["uptime_s"] >= 0
    assert [(feed["feed"], feed["kind"], feed["state"], feed["error"]) for feed in status["feeds"]] == [("feed", "scripted", "ok", None)]
    assert status["last_reload"].keys() == {"ok", "at", "error", "restart_required"}
    running.core.report_reload(Reload(False, 1_700_000_000_000, "port: must be a number", ("server.host",)))
    while body(running.http.get("/api/status"))["last_reload"]["ok"]:
        pass  # an answer may be one flush old
    assert body(running.http.get("/api/status"))["last_reload"] == {
        "ok": False,
        "at": 1_700_000_000_000,
        "error": "port: must be a number",
        "restart_required": ["server.host"],
    }


def test_healthy_and_ready(running: Relaying) -> None:
    """200 for both while prices come."""
    assert (running.http.get("/healthz").status_code, body(running.http.get("/healthz"))) == (200, {"ok": True})
    assert (running.http.get("/readyz").status_code, body(running.http.get("/readyz"))) == (200, {"ready": True, "reason": None})


def test_not_ready_before_the_first_quotes() -> None:
    """But healthy."""
    before = Relaying(["ACME"], {"ACME": 1.0})
    answer = before.http.get("/readyz")
    assert (answer.status_code, body(answer)) == (503, {"ready": False, "reason": "no quotes yet"})
    assert before.http.get("/healthz").status_code == 200
    assert Relaying([], {}).http.get("/readyz").status_code == 200, "nothing to wait for"


def test_not_ready_while_every_feed_is_down() -> None:
    """A feed is down after five failures running; the last prices are still served."""
    with relaying(["ACME"], {"ACME": 1.0}) as running:
        running.wait("ACME")
        running.down = FeedError("no answer")
        assert running.wait("ACME").state == "failed"
        answer = running.http.get("/readyz")
        assert (answer.status_code, body(answer)) == (503, {"ready": False, "reason": "every feed is down"})
        assert running.http.get("/healthz").status_code == 200
        assert body(running.http.get("/api/quotes/ACME"))["price"] == 1.0
        running.down = None
        assert running.wait("ACME").state == "fresh"
        assert running.http.get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/", "/api", "/api/", "/api/quotes/", "/api/symbols/", "/nope", "/api/quote/ACME"])
def test_other_paths_are_not_found(running: Relaying, path: str) -> None:
    """In JSON too."""
    answer = running.http.get(path)
    assert (answer.status_code, code(answer)) == (404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(running: Relaying, method: str) -> None:
    """405, with the methods there are."""
    answer = running.http.open("/api/quotes/ACME", method=method)
    assert (answer.status_code, code(answer)) == (405, "method_not_allowed")
    assert set(answer.allow) == {"GET", "HEAD", "OPTIONS"}


def test_head(running: Relaying) -> None:
    """As GET, without a body."""
    answer = running.http.head("/api/quotes/ACME")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["ETag"] == running.http.get("/api/quotes/ACME").headers["ETag"]


def test_other_origins_may_read_where_they_are_listed() -> None:
    """A listed page may read, with its own name in the answer; another page, and any browser's cache between them, may not."""
    core = Relaying(["ACME"], {}, allowed_origins=["https://app.example"])
    for path, status in (("/api/symbols", 200), ("/api/quotes/NOPE", 404), ("/healthz", 200)):
        allowed = core.http.get(path, headers={"Origin": "https://app.example"})
        assert (allowed.status_code, allowed.headers.get(ALLOWED)) == (status, "https://app.example")
        assert set(allowed.access_control_expose_headers) == {"ETag"}
        refused = core.http.get(path, headers={"Origin": "https://evil.example"})
        assert (refused.status_code, refused.headers.get(ALLOWED)) == (status, None)
        for answer in (allowed, refused, core.http.get(path)):
            assert "Origin" in answer.vary
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_may_ask_first() -> None:
    """The preflight of a request with `If-None-Match`."""
    core = Relaying(["ACME"], {}, allowed_origins=["https://app.example"])
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "if-none-match"}
    answer = core.http.options("/api/quotes", headers={"Origin": "https://app.example", **asked})
    assert answer.status_code == 200
    assert "If-None-Match" in answer.headers["Access-Control-Allow-Headers"]
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    refused = core.http.options("/api/quotes", headers={"Origin": "https://evil.example", **asked})
    assert not [name for name, _ in refused.headers if name.startswith("Access-Control")]


def test_everybody_may_read_where_the_settings_say_so() -> None:
    """`allowed_origins = ["*"]`."""
    core = Relaying(["ACME"], {}, allowed_origins=["*"])
    for origin in ("https://any.example", "null"):
        assert core.http.get("/api/symbols", headers={"Origin": origin}).access_control_allow_origin == origin
