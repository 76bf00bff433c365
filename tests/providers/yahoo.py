"""Yahoo Finance: cookie, consent, crumb, `/v7/finance/quote` and `/v8/finance/chart/ID`. Who does not look like a browser is limited.

Markets: some stocks (`AAPL`, `BRK-B`; `VOD.L` and `BARC.L` in pence), a fund (`VFIAX`), `^GSPC`, `EURUSD=X`, `JPY=X` (also called
`USDJPY=X`), `GC=F`, `BTC-USD` and every other base there is. Prices come as the 32-bit floats they were, written as 64-bit ones. Bids of
currencies are above their asks. Two calls a second, in bursts of 60; then 429, in text.

Nothing of it is documented by Yahoo. Where each part is from:

- `fc.yahoo.com`, the consent pages, `/v1/test/getcrumb`, `A3`, `Invalid Crumb`, `Too Many Requests`, `/v8/finance/chart/ID` with `range`
  and `interval`: https://github.com/ranaroussi/yfinance (`data.py`, `scrapers/history.py`), and what its users report;
- `/v7/finance/quote` with `symbols`, `fields`, `crumb`: there (`scrapers/quote.py`), and https://github.com/gadicc/yahoo-finance2
  (`src/modules/quote.ts`), which lists the keys of rows with their `quoteType`, `hasPrePostMarketData` and `marketState`, and says that a
  few come whatever `fields` names, and that what is delisted is of type `NONE`;
- `overnightPrice=true`, `formatted`: https://github.com/Verdenroz/finance-query (`src/adapters/yahoo/quote/quotes.rs`); that the keys
  which it brings need a crumb and stay in the row by day, and that the state is `OVERNIGHT` for some and for others still `PREPRE` and
  `POSTPOST`: what others report (https://github.com/GeekMagicClock/smalltv-pro/issues/200);
- of a fund what its rows have been seen to have: one price a day, neither sides, volume, high and low nor other hours.

Switches:

    "cookie": "d=AQAB"          the value of `A3` that is good; set another one, and whoever comes with the old one is refused
    "crumb": "x/y.z=1"          the crumb that is good, likewise
    "consent": true             nobody gets a cookie without agreeing; "http://localhost:PORT": the pages of it are on that host
    "getcrumb": "text"          what `getcrumb` answers, with status 200
    "refuse": "unable"          v7 answers 401 "User is unable to access this feature"; "gone": 404; "redirect": 307 to the consent pages
    "unknown_as": "none"        symbols in `unknown` have a row of type NONE; "no_price": of a real type without a price; else no row
    "market_state": "PRE"       PREPRE, PRE, REGULAR, POST, POSTPOST, CLOSED or OVERNIGHT
    "night": "now"              shares have a price of the night, for those who ask with `overnightPrice=true`; "over": one that stayed
                                in the row, eleven minutes old

Recordings: `v7_quote*.json` holds answers of v7, whole; each row is served under its `symbol`. `v8_chart*.json` likewise, under its
`meta.symbol`. `error_401_*.json`, `error_404_chart_not_found.json` and `error_429_edge.txt` are served as they are; of
`getcrumb_200.json`, which holds status, headers and `body_text`, the crumb.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from tests.providers.wire import BASES, Bucket, Provider, Reply, Request, not_found, read_json

COOKIE = "d=AQABBJ6x&S=AQAAAq1x/w.w="
CRUMB = "haT3o&=/qZ."
STOCKS = ("AAPL", "BABA", "BRK-B", "MSFT", "TSLA", "SPY")
PENCE = ("VOD.L", "BARC.L")
TYPES = {"^GSPC": "INDEX", "EURUSD=X": "CURRENCY", "JPY=X": "CURRENCY", "GC=F": "FUTURE", "SPY": "ETF", "VFIAX": "MUTUALFUND"}
ALWAYS = frozenset({
    "language", "region", "quoteType", "typeDisp", "symbol", "currency", "marketState", "exchange", "fullExchangeName", "market",
    "sourceInterval", "exchangeDataDelayedBy", "gmtOffSetMilliseconds", "priceHint", "firstTradeDateMilliseconds"})  # fmt: skip
"""The keys that a row has whatever `fields` names."""
MARKETS = frozenset((*STOCKS, *PENCE, *TYPES, *(f"{base}-USD" for base in BASES), *(base for base in BASES if base.startswith("T"))))
CONSENT = """<!DOCTYPE html><html lang="en"><head><title>Yahoo is part of the Yahoo family of brands</title></head><body>
<form action="/search"><input type="hidden" name="q" value=""></form>
<form method="post" class="consent-form">
<input type="hidden" name="csrfToken" value="{token}"><input type="hidden" name="sessionId" value="{session}">
<input type="hidden" name="originalDoneUrl" value="https://finance.yahoo.com/?a=1&amp;b=2">
<input type='hidden' name='namespace' value='yahoo'>
<button type="submit" name="agree" value="agree">Accept all</button><button type="submit" name="reject" value="reject">Reject all</button>
</form></body></html>"""
TOKEN, SESSION = "k9-Tok_en", "3_cc-session_5f"
INVALID_CRUMB, INVALID_COOKIE, UNABLE = "Invalid Crumb", "Invalid Cookie", "User is unable to access this feature"


class Yahoo(Provider):
    """`python -m tests.providers yahoo`."""

    name: ClassVar[str] = "yahoo"

    def __init__(self, fixtures: Path | None) -> None:
        self._known = set(MARKETS) if fixtures is None else set()
        super().__init__(fixtures)
        self._bucket = Bucket(rate_per_s=2, burst=60)

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("error_*.txt")):
            self.record(path.stem, path.read_bytes())
        for path in sorted(fixtures.glob("*.json")):
            content = read_json(path)
            if path.stem.startswith("v7_quote") and not path.name.endswith(".headers.json"):
                for row in content["quoteResponse"]["result"]:
                    self.record(f"row/{row['symbol']}", row)
            elif path.stem.startswith("v8_chart"):
                self.record(f"chart/{content['chart']['result'][0]['meta']['symbol']}", content)
            elif path.stem == "getcrumb_200":
                self.record("getcrumb", content["body_text"])
            elif path.stem.startswith("error_"):
                self.record(path.stem, content)
        self._known = {key.partition("/")[2] for key in self.recorded_keys() if key.startswith(("row/", "chart/"))}

    def answer(self, request: Request) -> Reply:
        limited = self.control.limits and not self._bucket.take()
        if limited or not request.headers.get("user-agent", "").startswith("Mozilla/5.0"):
            return Reply(429, self.recorded("error_429_edge") or b"Edge: Too Many Requests", {"Content-Type": "text/html"})
        if request.path in {"/", "/consent", "/v2/collectConsent", "/copyConsent"}:
            return self._page(request)
        if request.path == "/v1/test/getcrumb":
            return self._getcrumb(request)
        if request.path == "/v7/finance/quote":
            return self._quotes(request)
        if match := re.fullmatch("/v8/finance/chart/([^/]+)", request.path):
            return self._chart(match[1])
        return not_found()

    def _switch(self, name: str, default: Any = None) -> Any:
        return self.control.switches.get(name, default)

    def _page(self, request: Request) -> Reply:
        """A page that sets the cookie, or those on the way to it."""
        consent = self._switch("consent")
        host = consent if isinstance(consent, str) else ""
        given = {
            "Set-Cookie": f"A3={self._switch('cookie', COOKIE)}; Expires=Thu, 16 Nov 2034 12:40:11 GMT; Max-Age=31557600; "
            "Domain=.yahoo.com; Path=/; SameSite=None; Secure; HttpOnly"
        }
        asked = request.query.get("sessionId")
        if request.path == "/" and consent:
            done = quote("https://finance.yahoo.com/", safe="")
            return _redirect(
                307,
                f"{host}/consent?brandType=nonEu&gcrumb=Xvxf4hA&done={done}",
                {"Set-Cookie": "GUCS=AV78X-IQ; Max-Age=1800; Domain=.yahoo.com; Path=/; Secure"},
            )
        if request.path == "/":
            return Reply(404, b"<html>Not Found</html>", {"Content-Type": "text/html", **given})
        if "GUCS=" not in request.headers.get("cookie", ""):
            return Reply(400, b"no GUCS")
        if request.path == "/consent":
            return _redirect(302, f"{host}/v2/collectConsent?sessionId={SESSION}")
        if request.path == "/copyConsent":
            return _redirect(302, "https://finance.yahoo.com/", given) if asked == SESSION else Reply(400, b"no such session")
        if request.form is None:
            return Reply(200, CONSENT.format(token=TOKEN, session=SESSION).encode(), {"Content-Type": "text/html; charset=utf-8"})
        good = {"csrfToken": [TOKEN], "sessionId": [SESSION], "originalDoneUrl": ["https://finance.yahoo.com/?a=1&b=2"],
                "namespace": ["yahoo"], "agree": ["agree", "agree"]}  # fmt: skip
        return _redirect(302, f"{host}/copyConsent?sessionId={SESSION}") if request.form == good else Reply(400, b"not agreed")

    def _getcrumb(self, request: Request) -> Reply:
        headers = {"Content-Type": "text/plain;charset=utf-8", "Cache-Control": "private, max-age=60, stale-while-revalidate=30"}
        if (text := self._switch("getcrumb")) is not None:
            return Reply(200, text.encode(), headers)
        if not self._has_cookie(request):
            return self._unauthorized(INVALID_COOKIE)
        return Reply(200, self._crumb().encode(), headers)

    def _crumb(self) -> str:
        return str(self._switch("crumb") or self.recorded("getcrumb") or CRUMB)

    def _has_cookie(self, request: Request) -> bool:
        return f"A3={self._switch('cookie', COOKIE)}" in request.headers.get("cookie", "").split("; ")

    def _unauthorized(self, description: str) -> Reply:
        recording = self.recorded(f"error_401_{description.removeprefix('User is ').lower().replace(' ', '_')}")
        error = {"finance": {"result": None, "error": {"code": "Unauthorized", "description": description}}}
        return Reply.json(recording or error, 401)

    def _quotes(self, request: Request) -> Reply:
        refuse = self._switch("refuse")
        if refuse == "gone":
            return not_found()
        if refuse == "redirect":
            return _redirect(307, "https://guce.yahoo.com/consent?brandType=nonEu")
        if not self._has_cookie(request) or request.query.get("crumb") != self._crumb():
            return self._unauthorized(INVALID_CRUMB)
        if refuse == "unable":
            return self._unauthorized(UNABLE)
        night = request.query.get("overnightPrice") == "true"
        rows = [row for name in dict.fromkeys(request.query.get("symbols", "").split(",")) if (row := self._row(name, night)) is not None]
        if self.fixtures is None and (fields := request.query.get("fields")):
            rows = [{key: value for key, value in row.items() if key in ALWAYS or key in fields.split(",")} for row in rows]
        return Reply.json(
            {"quoteResponse": {"result": rows[::-1], "error": None}}, Cache_Control="public, max-age=1, stale-while-revalidate=9"
        )

    def _row(self, name: str, night: bool = False) -> dict[str, Any] | None:
        name = "JPY=X" if name.upper() == "USDJPY=X" else name.upper()
        if name in self.control.unknown:
            kind = {"none": "NONE", "no_price": "EQUITY"}.get(self._switch("unknown_as", ""))
            return {"language": "en-US", "quoteType": kind, "symbol": name, "exchange": "YHD", "marketState": "CLOSED"} if kind else None
        if name not in self._known:
            return None
        if self.fixtures is not None:
            recording: dict[str, Any] | None = self.recorded(f"row/{name}")
            return recording and recording | self.control.rows.get(name, {})
        return self._moving_row(name, night) | self.control.rows.get(name, {})

    def _moving_row(self, name: str, night: bool) -> dict[str, Any]:
        now, state, kind = self.price(name), self._switch("market_state", "REGULAR"), _type(name)
        last, first, before = float(now.last), float(now.open), round(float(now.open) * 0.98, 2)
        row = {"language": "en-US", "region": "US", "quoteType": kind, "currency": "GBp" if name in PENCE else "USD", "marketState": state,
               "regularMarketPrice": _widened(last), "regularMarketTime": int(now.time_s), "regularMarketOpen": _widened(first),
               "regularMarketDayHigh": _widened(float(now.high)), "regularMarketDayLow": _widened(float(now.low)),
               "regularMarketPreviousClose": _widened(before), "regularMarketChange": _widened(_widened(last) - _widened(before)),
               "regularMarketChangePercent": _widened(100 * (last / before - 1)),
               "regularMarketVolume": 0 if kind in {"CURRENCY", "INDEX"} else int(float(now.volume)), "priceHint": 2,
               "exchangeDataDelayedBy": 15 if name in PENCE else 0, "sourceInterval": 15, "gmtOffSetMilliseconds": -18000000,
               "firstTradeDateMilliseconds": 345479400000, "fullExchangeName": "NasdaqGS", "symbol": name,
               "hasPrePostMarketData": kind in {"EQUITY", "ETF"} and name not in PENCE}  # fmt: skip
        if kind == "MUTUALFUND":
            return _of_the_day_before(row, first, int(now.time_s))
        if kind == "CURRENCY":
            row |= {"bid": _widened(float(now.ask)), "ask": _widened(float(now.bid)), "bidSize": 0, "askSize": 0}
        elif kind == "INDEX":
            row |= {"bid": 0.0, "ask": 0.0, "bidSize": 0, "askSize": 0}
        elif kind != "CRYPTOCURRENCY":
            row |= {"bid": _widened(float(now.bid)), "ask": _widened(float(now.ask)), "bidSize": 2, "askSize": 1}
        if row["hasPrePostMarketData"]:
            row |= self._outside_the_hours(row, last, int(now.time_s), night)
        return row

    def _outside_the_hours(self, row: dict[str, Any], last: float, now_s: int, night: bool) -> dict[str, Any]:
        """The keys of a share's other markets, and the time of its regular price beside them."""
        state, lit = row["marketState"], self._switch("night") if night else None
        if state == "REGULAR":
            return {}
        keys = {"regularMarketTime": now_s - 14_400} | _of_market(
            "pre" if state == "PRE" else "post", last + 0.04, last, now_s if lit != "now" else now_s - 3600
        )
        if lit:
            keys |= _of_market("overnight", last - 0.06, last, now_s if lit == "now" else now_s - 660)
            keys["overnightMarketSource"] = "BOATS Real Time Price"
        return keys

    def _chart(self, name: str) -> Reply:
        row = self._row(name)
        if self.fixtures is not None and name not in self.control.unknown and (recording := self.recorded(f"chart/{name}")) is not None:
            return Reply.json(recording)
        if row is None or "regularMarketPrice" not in row:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return Reply.json(self.recorded("error_404_chart_not_found") or {"chart": {"result": None, "error": error}}, 404)
        made_s = row["regularMarketTime"]
        opened_s = made_s - made_s % 86_400
        edges = {"pre": (0, 9), "regular": (9, 15), "post": (15, 24)}
        periods = {
            part: {"timezone": "GMT", "start": opened_s + 3600 * first, "end": opened_s + 3600 * last, "gmtoffset": 0}
            for part, (first, last) in edges.items()
        }
        kept = ("currency", "symbol", "regularMarketTime", "regularMarketPrice", "regularMarketDayHigh", "regularMarketDayLow",
                "regularMarketVolume", "priceHint", "hasPrePostMarketData")  # fmt: skip
        meta = {key: row[key] for key in kept if key in row} | {
            "instrumentType": row["quoteType"], "gmtoffset": 0, "timezone": "GMT", "chartPreviousClose": row["regularMarketPreviousClose"],
            "currentTradingPeriod": periods, "dataGranularity": "1d", "range": "1d", "validRanges": ["1d", "5d", "max"]}  # fmt: skip
        bar = {
            name: [row.get(f"regularMarket{key}", row["regularMarketPrice"])]
            for name, key in (("open", "Open"), ("high", "DayHigh"), ("low", "DayLow"), ("close", "Price"), ("volume", "Volume"))
        }
        result = {"meta": meta, "timestamp": [made_s], "indicators": {"quote": [bar], "adjclose": [{"adjclose": bar["close"]}]}}
        return Reply.json({"chart": {"result": [result], "error": None}})


def _type(name: str) -> str:
    return TYPES.get(name) or ("CRYPTOCURRENCY" if name.endswith("-USD") else "EQUITY")


def _of_market(market: str, price: float, regular: float, time_s: int) -> dict[str, Any]:
    """What a row has of a market outside the regular hours."""
    return {
        f"{market}MarketPrice": _widened(price),
        f"{market}MarketChange": _widened(price - regular),
        f"{market}MarketChangePercent": 100 * (price / regular - 1),
        f"{market}MarketTime": time_s,
    }


def _of_the_day_before(row: dict[str, Any], price: float, now_s: int) -> dict[str, Any]:
    """A fund's row: the price of the evening before, and little else."""
    of_shares = {"regularMarketOpen", "regularMarketDayHigh", "regularMarketDayLow", "regularMarketVolume"}
    before = row["regularMarketPreviousClose"]
    return {key: value for key, value in row.items() if key not in of_shares} | {
        "regularMarketPrice": price,
        "regularMarketTime": now_s - now_s % 86_400 - 7200,
        "regularMarketChange": round(price - before, 2),
        "regularMarketChangePercent": 100 * (price / before - 1),
        "netAssets": 1457000000000.0,
    }


def _widened(value: float) -> float:
    """What 64 bits make of the nearest 32-bit float: 307.20001220703125 of 307.2."""
    widened: float = struct.unpack("f", struct.pack("f", value))[0]
    return widened


def _redirect(status: int, location: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, b"", {"Content-Type": "text/html", "Location": location, **(headers or {})})
