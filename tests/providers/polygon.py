"""Polygon: `/v2/snapshot/locale/us/markets/stocks/tickers` and `/v2/snapshot/locale/global/markets/crypto/tickers`.

Switches: `"delayed": true` (status DELAYED), `"no_trades": true` (a plan without `lastTrade` and `lastQuote`), `"before_open": true` (`day`
all zeros), `"not_entitled": true` (403), `"limited": true` (429).

Recordings: `snapshot_tickers*.json` holds an answer, `snapshot_ticker_*.json` one of a single ticker; each row is served under its
`ticker`. `error_401_*.json`, `error_403_not_authorized.json` and `error_429.json` are served as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tests.providers.shares import SHARES, WRONG_KEY
from tests.providers.wire import BASES, Provider, Reply, Request, not_found, read_json

PATHS = {"/v2/snapshot/locale/us/markets/stocks/tickers": frozenset(SHARES),
         "/v2/snapshot/locale/global/markets/crypto/tickers": frozenset(f"X:{base}USD" for base in BASES)}
NOT_ENTITLED = {"status": "NOT_AUTHORIZED", "request_id": "1", "message": "You are not entitled to this data. Please upgrade your plan."}
LIMITED = {"status": "ERROR", "request_id": "1", "error": "You've exceeded the maximum requests per minute, please wait or upgrade."}


class Polygon(Provider):
    """`python -m tests.providers polygon`."""

    name: ClassVar[str] = "polygon"

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*.json")):
            content = read_json(path)
            rows = content.get("tickers") or ([content["ticker"]] if "ticker" in content else [])
            for row in rows:
                self.record(f"row/{row['ticker']}", row)
            if not rows:
                self.record(path.stem, content)

    def answer(self, request: Request) -> Reply:
        known = PATHS.get(request.path)
        if known is None:
            return not_found()
        key = request.headers.get("authorization", "").removeprefix("Bearer ") or request.query.get("apiKey")
        if not key:
            return Reply.json(self.recorded("error_401_no_key") or _error("API Key was not provided"), 401)
        if key == WRONG_KEY:
            return Reply.json(self.recorded("error_401_unknown_key") or _error("Unknown API Key"), 401)
        if self.control.switches.get("limited"):
            return Reply.json(self.recorded("error_429") or LIMITED, 429)
        if self.control.switches.get("not_entitled"):
            return Reply.json(self.recorded("error_403_not_authorized") or NOT_ENTITLED, 403)
        asked = sorted(request.query.get("tickers", "").split(","), reverse=True)
        rows = [row for row in (self._row(ticker, known) for ticker in asked) if row]
        return Reply.json({"count": len(rows), "status": "DELAYED" if self.control.switches.get("delayed") else "OK", "tickers": rows})

    def _row(self, ticker: str, known: frozenset[str]) -> dict[str, Any] | None:
        if ticker in self.control.unknown:
            return None
        overlay = self.control.rows.get(ticker, {})
        if self.fixtures is not None:
            recording: dict[str, Any] | None = self.recorded(f"row/{ticker}")
            return None if recording is None else recording | overlay
        return self._made_up(ticker) | overlay if ticker in known else None

    def _made_up(self, ticker: str) -> dict[str, Any]:
        now, crypto = self.price(ticker), ticker.startswith("X:")
        last, before = float(now.last), float(now.open)
        made = int(now.time_s * 1000) if crypto else int(now.time_s * 1_000_000) * 1000 + 343
        bar = {"c": last, "h": float(now.high), "l": float(now.low), "o": before, "v": int(float(now.volume)), "vw": last}
        row = {"ticker": ticker, "day": bar, "prevDay": bar | {"c": before}, "min": bar | {"av": 1, "t": int(now.time_s) * 1000, "n": 5},
               "todaysChange": round(last - before, 4), "todaysChangePerc": 100 * (last - before) / before, "updated": made}
        if self.control.switches.get("before_open"):
            row["day"] = dict.fromkeys(bar, 0)
        if not self.control.switches.get("no_trades"):
            row["lastTrade"] = {"c": None, "i": "121351", "p": last, "s": 200, "t": made, "x": 12}
            if not crypto:
                row["lastQuote"] = {"P": float(now.ask), "S": 5, "p": float(now.bid), "s": 3, "t": made}
        return row


def _error(message: str) -> dict[str, str]:
    return {"status": "ERROR", "request_id": "1", "error": message}
