"""Twelve Data: `/quote`. A credit a symbol, 8 in a minute of the clock and 800 a day; a call that costs more than is left is refused whole.

One symbol's row comes bare, several are keyed by what was asked for. Switches: `"gated": ["SBIN:NSE"]` (another plan's),
`"day": true` (no credits today), `"error_200": true` (a single symbol's error comes with HTTP 200), `"old": true` (rows as of 2024,
without `last_quote_at`).

Recordings: `quote_AAPL*.json` is that symbol's row; `quote_batch*.json` holds rows by symbol. `error_401_apikey.json`,
`error_404_unknown_symbol.json` and `error_429_credits.json` are served as they are.

Where from: path, `symbol` and the names of fields are those of https://twelvedata.com/docs/llms/market-data/quote.md and of `endpoints.py`
of https://github.com/twelvedata/twelvedata-python (2024-09), whose `http_client.py` has `Is_batch` and errors with HTTP 200; the header
`Authorization: apikey …` is in https://twelvedata.com/auth.md. `last_quote_at`, `extended_…` and rows with HTTP 404 are as users' answers
of 2025 and 2026 show them, as is the text of another plan's symbol. Credits are those of https://twelvedata.com/pricing. Not verified: a
pair's `volume`, and the body of a row of a mutual fund.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from tests.providers.shares import SHARES, WRONG_KEY, Quota, midnight_s
from tests.providers.wire import BASES, Price, Provider, Reply, Request, not_found, read_json

PENCE = "VOD:LSE"
SYMBOLS = frozenset((*SHARES, PENCE, "EUR/USD", *(f"{base}/USD" for base in BASES)))
UNKNOWN = {"code": 404, "message": "**symbol** or **figi** parameter is missing or invalid.", "status": "error"}
GATED = {"code": 404, "message": "This symbol is available starting with Grow plan (Grow plan).", "status": "error"}
NO_KEY = {"code": 401, "message": "**apikey** parameter is incorrect or not specified.", "status": "error"}


class TwelveData(Provider):
    """`python -m tests.providers twelvedata`."""

    name: ClassVar[str] = "twelvedata"

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self._minute = Quota(8, 60)

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*.json")):
            content = read_json(path)
            if path.stem.startswith("quote_batch"):
                for symbol, row in content.items():
                    self.record(f"row/{symbol}", row)
            elif path.stem.startswith("quote_"):
                self.record(f"row/{content['symbol']}", content)
            else:
                self.record(path.stem, content)

    def answer(self, request: Request) -> Reply:
        if request.path != "/quote":
            return not_found()
        key = request.headers.get("authorization", "").removeprefix("apikey ") or request.query.get("apikey")
        if not key or key == WRONG_KEY:
            return Reply.json(self.recorded("error_401_apikey") or NO_KEY, 401)
        asked = [symbol for symbol in request.query.get("symbol", "").split(",") if symbol]
        limited = self._limited(len(asked)) if self.control.limits or self.control.switches.get("day") else None
        if limited is not None:
            return limited
        rows = {symbol: self._row(symbol) for symbol in asked}
        if len(rows) != 1:
            reply = Reply.json(rows, Is_batch="true")
        else:
            (row,) = rows.values()
            status = row["code"] if "code" in row and not self.control.switches.get("error_200") else 200
            reply = Reply.json(row, status)
        reply.headers |= {"api-credits-used": str(self._minute.used), "api-credits-left": str(self._minute.left)}
        return reply

    def _limited(self, credits: int) -> Reply | None:
        if self.control.switches.get("day"):
            message = "You have run out of API credits for the current day. 801 API credits were used, with the current limit being 800."
        elif self._minute.take(credits):
            return None
        else:
            message = (
                f"You have run out of API credits for the current minute. {self._minute.used} API credits were used, with the "
                "current limit being 8. Wait for the next minute or consider switching to a higher tier plan."
            )
        recording = None if self.control.switches.get("day") else self.recorded("error_429_credits")
        return Reply.json(recording or {"code": 429, "message": message, "status": "error"}, 429)

    def _row(self, symbol: str) -> dict[str, Any]:
        if symbol in self.control.switches.get("gated", []):
            return GATED
        row = self.row(symbol, SYMBOLS, lambda now: self._made_up(symbol, now))
        return row or self.recorded("error_404_unknown_symbol") or UNKNOWN

    def _made_up(self, symbol: str, now: Price) -> dict[str, Any]:
        pair = "/" in symbol
        last, before = float(now.last), float(now.open)
        name, _, exchange = symbol.partition(":")
        origin = (
            {"currency_base": "Euro", "currency_quote": "US Dollar"}
            if pair
            else {"mic_code": "XNGS", "currency": "GBp" if symbol == PENCE else "USD"}
        )
        return {"symbol": name, "name": f"{name} Inc.", "exchange": exchange or "NASDAQ", **origin,
                "datetime": datetime.fromtimestamp(now.time_s, UTC).strftime("%Y-%m-%d"),
                "timestamp": int(now.time_s if pair else midnight_s(now.time_s)),
                **({} if self.control.switches.get("old") else {"last_quote_at": int(time.time())}),
                "open": now.open, "high": f"{now.high}000", "low": now.low, "close": now.last, **({} if pair else {"volume": now.volume}),
                "previous_close": now.open, "change": f"{last - before:.5f}", "percent_change": f"{100 * (last - before) / before:.6f}",
                "is_market_open": True, "fifty_two_week": {"low": "1.00000", "high": "9.00000", "range": "1.000000 - 9.000000"}
        }  # fmt: skip
