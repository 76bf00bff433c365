"""Massive: snapshots of shares, crypto and currencies under `/v2/snapshot/locale/…/tickers`, of indices under `/v3/snapshot/indices`.

Switches: `"delayed": true` (status and indices' `timeframe` DELAYED), `"no_trades": true` (a plan without `lastTrade` and `lastQuote`),
`"before_open": true` (`day` all zeros), `"cleared": true` (as at 3:30 in New York: nothing but `prevDay`), `"conditions": [53]` (those of
the last trade of each share), `"not_entitled": true` (403; `["indices"]`: that market only), `"not_in_plan": ["I:NDX"]` (rows of indices),
`"limited": true` (429), `"moved": "https://…"` (301 to that host).

Recordings: `*snapshot_tickers*.json` and `v2_snapshot_*.json` hold an answer, `snapshot_ticker_*.json` one of a single ticker,
`v3_snapshot_indices*.json` one of indices; each row is served under its `ticker`. `error_401_*.json`, `error_403_not_….json` and
`error_429.json` are served as they are.

Where from: paths, `tickers` (case-sensitive, with commas between), `ticker.any_of` (at most 250), `limit` (10 where nothing is said, at
most 250) and the names of fields are those of https://massive.com/docs/rest/stocks/snapshots/full-market-snapshot, the same of `crypto` and
`forex`, and https://massive.com/docs/rest/indices/snapshots/indices-snapshot; `massive/rest/snapshot.py` and `models/snapshot.py` of
https://github.com/massive-com/client-python (2026-07) have the same, and the header of the key, and rows `NOT_FOUND` and `NOT_ENTITLED` in
its recorded answer of indices. Zeros in place of `day` and `min` without `lastTrade` are as in
https://github.com/massive-com/client-js/issues/303 (2026-08). The texts of 401, 403 and 429 are as users report them. Not verified: how a
`limit` out of bounds is refused, what a redirect of the old host looks like, which fields of an index are 0 after a reset.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tests.providers.shares import SHARES, WRONG_KEY
from tests.providers.wire import BASES, Price, Provider, Reply, Request, not_found, read_json

INDICES = "/v3/snapshot/indices"
PATHS = {
    "/v2/snapshot/locale/us/markets/stocks/tickers": ("stocks", frozenset(SHARES)),
    "/v2/snapshot/locale/global/markets/crypto/tickers": ("crypto", frozenset(f"X:{base}USD" for base in BASES)),
    "/v2/snapshot/locale/global/markets/forex/tickers": ("forex", frozenset({"C:EURUSD", "C:USDJPY", "C:XAUUSD"})),
    INDICES: ("indices", frozenset({"I:SPX", "I:VIX", "I:NDX", *(f"I:T{number:03}" for number in range(30))})),
}
DEFAULT_LIMIT, MOST_ROWS = 10, 250
NOT_ENTITLED = {"status": "NOT_AUTHORIZED", "request_id": "1", "message": "You are not entitled to this data. Please upgrade your plan."}
LIMITED = {"status": "ERROR", "request_id": "1", "error": "You've exceeded the maximum requests per minute, please wait or upgrade."}


class Massive(Provider):
    """`python -m tests.providers massive`."""

    name: ClassVar[str] = "massive"

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*.json")):
            content = read_json(path)
            rows = content.get("tickers") or ([content["ticker"]] if "ticker" in content else [])
            if path.stem.startswith("v3_snapshot_indices"):
                rows = content["results"]
            for row in rows:
                self.record(f"row/{row['ticker']}", row)
            if not rows:
                self.record(path.stem, content)

    def answer(self, request: Request) -> Reply:
        if request.path not in PATHS:
            return not_found()
        if "moved" in self.control.switches:
            return Reply(301, b"", {"Location": self.control.switches["moved"] + request.target})
        market, known = PATHS[request.path]
        refused = self._refused(request, market)
        if refused is not None:
            return refused
        delayed = bool(self.control.switches.get("delayed"))
        if request.path == INDICES:
            return self._indices(request, known, "DELAYED" if delayed else "REAL-TIME")
        asked = sorted(request.query.get("tickers", "").split(","), reverse=True)
        rows = [row for row in (self._row(ticker, known) for ticker in asked) if row]
        count = {"count": len(rows)} if market == "stocks" else {}
        return Reply.json(count | {"status": "DELAYED" if delayed else "OK", "tickers": rows})

    def _refused(self, request: Request, market: str) -> Reply | None:
        key = request.headers.get("authorization", "").removeprefix("Bearer ") or request.query.get("apiKey")
        if not key:
            return Reply.json(self.recorded("error_401_no_key") or _error("API Key was not provided"), 401)
        if key == WRONG_KEY:
            return Reply.json(self.recorded("error_401_unknown_key") or _error("Unknown API Key"), 401)
        if self.control.switches.get("limited"):
            return Reply.json(self.recorded("error_429") or LIMITED, 429)
        beyond = self.control.switches.get("not_entitled")
        if beyond is True or (beyond and market in beyond):
            return Reply.json(self.recorded("error_403_not_authorized", "error_403_not_entitled") or NOT_ENTITLED, 403)
        return None

    def _indices(self, request: Request, known: frozenset[str], timeframe: str) -> Reply:
        """One page, in the order of tickers; what can't be had is a row, too."""
        limit = int(request.query.get("limit", DEFAULT_LIMIT))
        asked = sorted(set(request.query.get("ticker.any_of", "").split(",")))
        if not 1 <= limit <= MOST_ROWS or len(asked) > MOST_ROWS:
            return Reply.json(_error("'limit' must be between 1 and 250"), 400)
        rows = []
        for ticker in asked[:limit]:
            row = self._row(ticker, known, timeframe)
            if ticker in self.control.switches.get("not_in_plan", []):
                row = {"ticker": ticker, "error": "NOT_ENTITLED", "message": "Not entitled to this ticker."}
            rows.append(row or {"ticker": ticker, "error": "NOT_FOUND", "message": "Ticker not found."})
        return Reply.json({"request_id": "1", "results": rows, "status": "OK"})

    def _row(self, ticker: str, known: frozenset[str], timeframe: str = "") -> dict[str, Any] | None:
        return self.row(ticker, known, lambda now: _index(ticker, now, timeframe) if timeframe else self._made_up(ticker, now))

    def _made_up(self, ticker: str, now: Price) -> dict[str, Any]:
        market = {"X:": "crypto", "C:": "forex"}.get(ticker[:2], "stocks")
        last, before, switches = float(now.last), float(now.open), self.control.switches
        made = int(now.time_s * 1_000_000) * 1000 + 343 if market == "stocks" else int(now.time_s * 1000)
        bar = {"c": last, "h": float(now.high), "l": float(now.low), "o": before, "v": int(float(now.volume)), "vw": last}
        minute = bar | {"av": 1, "t": int(now.time_s) // 60 * 60_000, "n": 5}
        row = {"ticker": ticker, "day": bar, "prevDay": bar | {"c": before}, "min": minute, "todaysChange": round(last - before, 4),
               "todaysChangePerc": 100 * (last - before) / before, "updated": made}  # fmt: skip
        if switches.get("before_open") or switches.get("cleared"):
            row["day"] = dict.fromkeys(bar, 0)
        if switches.get("cleared"):
            return row | {"min": dict.fromkeys(minute, 0), "todaysChange": 0, "todaysChangePerc": 0, "updated": 0}
        if not switches.get("no_trades"):
            if market != "forex":
                conditions = switches.get("conditions") if market == "stocks" else [2]
                row["lastTrade"] = {"c": conditions, "i": "121351", "p": last, "s": 200, "t": made, "x": 12}
            if market == "stocks":
                row["lastQuote"] = {"P": float(now.ask), "S": 5, "p": float(now.bid), "s": 3, "t": made}
            elif market == "forex":
                row["lastQuote"] = {"a": float(now.ask), "b": float(now.bid), "t": made, "x": 48}
        return row


def _index(ticker: str, now: Price, timeframe: str) -> dict[str, Any]:
    last, before = float(now.last), float(now.open)
    return {"ticker": ticker, "name": ticker, "type": "indices", "value": last, "market_status": "regular_trading", "timeframe": timeframe,
            "last_updated": int(now.time_s * 1_000_000) * 1000,
            "session": {"change": round(last - before, 4), "change_percent": 100 * (last - before) / before, "close": last,
                        "high": float(now.high), "low": float(now.low), "open": before, "previous_close": before}}  # fmt: skip


def _error(message: str) -> dict[str, str]:
    return {"status": "ERROR", "request_id": "1", "error": message}
