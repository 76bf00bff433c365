"""Yahoo's server is as unkind as Yahoo."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.providers.client import RunningProvider, running
from tests.providers.yahoo import COOKIE, CRUMB, TOKEN

BROWSER = {"User-Agent": "Mozilla/5.0"}
KNOWN = {**BROWSER, "Cookie": f"A1=x; A3={COOKIE}"}
AAPL = f"/v7/finance/quote?symbols=AAPL&crumb={quote(CRUMB, safe='')}"


@pytest.fixture(scope="module")
def _server() -> Iterator[RunningProvider]:
    with running("yahoo", limits=False) as provider:
        yield provider


@pytest.fixture
def yahoo(_server: RunningProvider) -> RunningProvider:
    """Yahoo, without what other tests set."""
    _server.forget()
    return _server


def ask(provider: RunningProvider, path: str, headers: dict[str, str] | None = None, form: str | None = None) -> tuple[int, Any, str]:
    """Status, headers and body of one request, as a browser with Yahoo's cookie unless told otherwise."""
    connection = http.client.HTTPConnection(provider.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET" if form is None else "POST", path, form, headers=KNOWN if headers is None else headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def rows(provider: RunningProvider, symbols: str, more: str = "") -> dict[str, dict[str, Any]]:
    """The rows of an answer, by symbol."""
    _, _, text = ask(provider, AAPL.replace("AAPL", quote(symbols, safe=",")) + more)
    return {row["symbol"]: row for row in json.loads(text)["quoteResponse"]["result"]}


@pytest.mark.parametrize("agent", [None, "python-requests/2.33.0", "curl/8.5.0"])
@pytest.mark.parametrize("path", ["/", "/v1/test/getcrumb", AAPL, "/v8/finance/chart/AAPL"])
def test_no_browser_no_answer(yahoo: RunningProvider, agent: str | None, path: str) -> None:
    """In a text that is no JSON, whatever is asked for."""
    headers = {name: value for name, value in KNOWN.items() if name != "User-Agent"} | ({} if agent is None else {"User-Agent": agent})
    status, _, text = ask(yahoo, path, headers)
    assert (status, text) == (429, "Edge: Too Many Requests")


def test_a_cookie_a_crumb_and_then_quotes(yahoo: RunningProvider) -> None:
    """In this order, each of them good."""
    status, headers, _ = ask(yahoo, "/", BROWSER)
    assert (status, headers["Set-Cookie"].partition(";")[0]) == (404, f"A3={COOKIE}")
    assert ask(yahoo, "/v1/test/getcrumb")[2] == CRUMB
    assert ask(yahoo, AAPL)[0] == 200
    assert "Invalid Cookie" in ask(yahoo, "/v1/test/getcrumb", BROWSER)[2]
    for path, known in ((AAPL, BROWSER), ("/v7/finance/quote?symbols=AAPL", KNOWN), (AAPL + "x", KNOWN)):
        status, _, text = ask(yahoo, path, known)
        assert (status, json.loads(text)["finance"]["error"]["description"]) == (401, "Invalid Crumb")
    yahoo.set(switches={"crumb": "other"})
    assert (ask(yahoo, AAPL)[0], ask(yahoo, "/v1/test/getcrumb")[2]) == (401, "other")
    yahoo.set(switches={"cookie": "other"})
    assert (ask(yahoo, AAPL)[0], ask(yahoo, "/v1/test/getcrumb")[0]) == (401, 401)


def test_consent_wants_its_form_back(yahoo: RunningProvider) -> None:
    """With the cookie of the way there, every hidden field, and two agreements."""
    yahoo.set(switches={"consent": True})
    status, headers, _ = ask(yahoo, "/", BROWSER)
    assert (status, headers["Location"].partition("?")[0], "A3=" in headers["Set-Cookie"]) == (307, "/consent", False)
    assert ask(yahoo, headers["Location"], BROWSER)[0] == 400
    there = {**BROWSER, "Cookie": headers["Set-Cookie"].partition(";")[0]}
    status, headers, _ = ask(yahoo, headers["Location"], there)
    page = headers["Location"]
    assert TOKEN in ask(yahoo, page, there)[2]
    fields = {"csrfToken": TOKEN, "sessionId": page.partition("=")[2], "originalDoneUrl": "https://finance.yahoo.com/?a=1&b=2",
              "namespace": "yahoo", "agree": ["agree", "agree"]}  # fmt: skip
    assert ask(yahoo, page, there, urlencode(fields | {"csrfToken": "?"}, doseq=True))[0] == 400
    status, headers, _ = ask(yahoo, page, there, urlencode(fields, doseq=True))
    assert (status, headers["Location"].partition("?")[0]) == (302, "/copyConsent")
    assert ask(yahoo, headers["Location"], there)[1]["Set-Cookie"].startswith(f"A3={COOKIE};")


def test_rows_come_in_another_order_and_with_their_quirks(yahoo: RunningProvider) -> None:
    """32-bit floats, pence, crossed bids, zeros, a name of Yahoo's own, and only one row for what is asked for twice."""
    found = rows(yahoo, "AAPL,VOD.L,EURUSD=X,^GSPC,USDJPY=X,BTC-USD,AAPL,nope")
    assert list(found) == ["BTC-USD", "JPY=X", "^GSPC", "EURUSD=X", "VOD.L", "AAPL"]
    assert found["VOD.L"]["currency"] == "GBp"
    assert found["EURUSD=X"]["bid"] > found["EURUSD=X"]["ask"]
    assert (found["^GSPC"]["bid"], found["EURUSD=X"]["regularMarketVolume"]) == (0, 0)
    assert "bid" not in found["BTC-USD"]
    assert any(len(repr(row["regularMarketPrice"])) > 14 for row in found.values())
    assert rows(yahoo, "AAPL")["AAPL"]["regularMarketPrice"] != found["AAPL"]["regularMarketPrice"]


def test_a_night_is_for_those_who_ask_for_it(yahoo: RunningProvider) -> None:
    """With the parameter, beside a good crumb; by day its price stays in the row, and is older than the morning's."""
    yahoo.set(switches={"market_state": "POSTPOST", "night": "now"})
    assert "overnightMarketPrice" not in rows(yahoo, "AAPL")["AAPL"]
    assert ask(yahoo, "/v7/finance/quote?symbols=AAPL&overnightPrice=true&crumb=x")[0] == 401
    row = rows(yahoo, "AAPL", "&overnightPrice=true")["AAPL"]
    assert row["overnightMarketTime"] > row["postMarketTime"] > row["regularMarketTime"]
    assert "overnightMarketPrice" not in rows(yahoo, "VOD.L", "&overnightPrice=true")["VOD.L"]
    yahoo.set(switches={"market_state": "PRE", "night": "over"})
    row = rows(yahoo, "AAPL", "&overnightPrice=true")["AAPL"]
    assert row["preMarketTime"] > row["overnightMarketTime"] > row["regularMarketTime"]


def test_fields_that_are_not_asked_for_stay_away(yahoo: RunningProvider) -> None:
    """But for a few."""
    row = rows(yahoo, "AAPL", "&fields=bid,regularMarketPrice")["AAPL"]
    assert {"bid", "regularMarketPrice", "symbol", "quoteType", "currency"} <= row.keys()
    assert not row.keys() & {"ask", "regularMarketTime", "hasPrePostMarketData"}


def test_a_fund_has_one_price_a_day(yahoo: RunningProvider) -> None:
    """And no sides, volume, high or low."""
    first, second = (rows(yahoo, "VFIAX")["VFIAX"] for _ in range(2))
    assert first == second
    assert (first["quoteType"], first["hasPrePostMarketData"]) == ("MUTUALFUND", False)
    assert not first.keys() & {"bid", "regularMarketVolume", "regularMarketDayHigh", "regularMarketOpen"}
    assert json.loads(ask(yahoo, "/v8/finance/chart/VFIAX", BROWSER)[2])["chart"]["result"][0]["meta"]["instrumentType"] == "MUTUALFUND"


def test_an_unknown_symbol_has_three_shapes(yahoo: RunningProvider) -> None:
    """And 404 as a chart, in JSON."""
    yahoo.set(unknown=["MSFT"])
    assert list(rows(yahoo, "MSFT,AAPL")) == ["AAPL"]
    for shape, kind in (("none", "NONE"), ("no_price", "EQUITY")):
        yahoo.set(switches={"unknown_as": shape})
        row = rows(yahoo, "MSFT,AAPL")["MSFT"]
        assert (row["quoteType"], "regularMarketPrice" in row) == (kind, False)
    status, _, text = ask(yahoo, "/v8/finance/chart/MSFT", BROWSER)
    assert (status, json.loads(text)["chart"]["error"]["code"]) == (404, "Not Found")
    assert json.loads(ask(yahoo, "/v8/finance/chart/AAPL", BROWSER)[2])["chart"]["result"][0]["meta"]["symbol"] == "AAPL"


def test_sixty_calls_at_once_and_then_a_ban() -> None:
    """Of two a second."""
    with running("yahoo") as yahoo:
        statuses = [ask(yahoo, "/")[0] for _ in range(120)]
    assert statuses[:60] == [404] * 60
    assert 429 in statuses[60:]


def test_recordings_are_served_at_their_paths(tmp_path: Path) -> None:
    """Rows by symbol, several of one in turn; charts; a crumb; errors in place of ours."""
    rejected = {"finance": {"result": None, "error": {"code": "Unauthorized", "description": "as recorded"}}}
    chart = {"chart": {"result": [{"meta": {"symbol": "Q"}}], "error": None}}
    recordings: dict[str, Any] = {
        "v7_quote_1.json": {"quoteResponse": {"result": [{"symbol": "P", "regularMarketPrice": 1}, {"symbol": "R"}], "error": None}},
        "v7_quote_2.json": {"quoteResponse": {"result": [{"symbol": "P", "regularMarketPrice": 2}], "error": None}},
        "v7_quote_3_empty.json": {"quoteResponse": {"result": [], "error": None}},
        "v7_quote_1.headers.json": {"status": 200, "headers": {}},
        "v8_chart_Q_1d.json": chart,
        "getcrumb_200.json": {"status": 200, "headers": {}, "body_text": "cr.mb"},
        "error_401_invalid_crumb.json": rejected,
        "error_404_chart_not_found.json": {"chart": {"error": {"code": "as recorded"}}},
    }
    for name, content in recordings.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "error_429_edge.txt").write_text("Edge: as recorded")
    with running("yahoo", fixtures=tmp_path) as yahoo:
        assert ask(yahoo, "/v1/test/getcrumb")[2] == "cr.mb"
        quotes = "/v7/finance/quote?symbols=P,R,NOPE&crumb=cr.mb"
        prices = [[row.get("regularMarketPrice") for row in json.loads(ask(yahoo, quotes)[2])["quoteResponse"]["result"]] for _ in range(3)]
        assert prices == [[None, 1], [None, 2], [None, 1]]
        assert json.loads(ask(yahoo, "/v8/finance/chart/Q")[2]) == chart
        assert "as recorded" in ask(yahoo, "/v8/finance/chart/NOPE")[2]
        assert "as recorded" in ask(yahoo, "/v7/finance/quote?symbols=P")[2]
        assert ask(yahoo, "/", {})[2] == "Edge: as recorded"
