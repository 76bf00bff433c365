"""Finnhub: `/api/v1/quote`. 60 calls a minute and 30 a second; zeros for what it does not know, 403 for what the plan has not.

Where each part is from: path, `symbol` and the keys c d dp h l o pc t are those of https://finnhub.io/docs/api/quote (o h l c pc are in
`docs/Quote.md` of Finnhub-Stock-API/finnhub-python too, whose `quote` asks the same path); `token` in the query, as that client sends it,
or the header `X-Finnhub-Token` of https://finnhub.io/docs/api/authentication; limits those of https://finnhub.io/docs/api/rate-limit;
errors, zeros and `X-Ratelimit-…` are as users report them.

Switches: `"forbidden": ["ERE.UN.TO"]` (403), `"blank": ["AAPL"]` (zeros now, as when it is busy), `"error_200": "API limit reached. …"`
(an error with HTTP 200).

Recordings: `quote_AAPL.json` is that symbol's, `quote_200.json` that of every symbol that has none of its own. `error_401.json`,
`error_403.json`, `error_429.json` and `quote_200_unknown_symbol.json` are served as they are.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from tests.providers.shares import SHARES, WRONG_KEY, Quota
from tests.providers.wire import BASES, Bucket, Provider, Reply, Request, not_found, read_json

SYMBOLS = frozenset((*SHARES, *(f"BINANCE:{base}USDT" for base in BASES), "OANDA:EUR_USD"))
ZEROS = {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0}
LIMITED = "API limit reached. Please try again later. Remaining Limit: 0"


class Finnhub(Provider):
    """`python -m tests.providers finnhub`."""

    name: ClassVar[str] = "finnhub"

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self._minute = Quota(60, 60)
        self._second = Bucket(rate_per_s=30, burst=30)

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*.json")):
            match = re.fullmatch(r"quote_([A-Z][A-Z0-9.:_]*)", path.stem)
            self.record(f"quote/{match[1]}" if match else path.stem, read_json(path))

    def answer(self, request: Request) -> Reply:
        if request.path != "/api/v1/quote":
            return not_found()
        reply = self._reply(request)
        if self.control.limits:
            reply.headers |= {
                "X-Ratelimit-Limit": "60",
                "X-Ratelimit-Remaining": str(self._minute.left),
                "X-Ratelimit-Reset": str(self._minute.reset_s),
            }
        return reply

    def _reply(self, request: Request) -> Reply:
        key, symbol = request.headers.get("x-finnhub-token", request.query.get("token")), request.query.get("symbol", "")
        if key is None or key == WRONG_KEY:
            return Reply.json(self.recorded("error_401") or {"error": "Invalid API key" if key else "Please use an API key."}, 401)
        if self.control.limits and not (self._minute.take() and self._second.take()):
            return Reply.json(self.recorded("error_429") or {"error": LIMITED}, 429)
        if "error_200" in self.control.switches:
            return Reply.json({"error": self.control.switches["error_200"]})
        if symbol in self.control.switches.get("forbidden", []):
            return Reply.json(self.recorded("error_403") or {"error": "You don't have access to this resource."}, 403)
        return Reply.json(self._row(symbol) | self.control.rows.get(symbol, {}))

    def _row(self, symbol: str) -> dict[str, Any]:
        row = self.recorded(f"quote/{symbol}", "quote_200") if self.fixtures is not None else None
        known = row is not None or (self.fixtures is None and symbol in SYMBOLS)
        if not known or symbol in [*self.control.unknown, *self.control.switches.get("blank", [])]:
            return self.recorded("quote_200_unknown_symbol") or ZEROS
        if row is not None:
            recording: dict[str, Any] = row
            return recording
        now = self.price(symbol)
        last, before = float(now.last), float(now.open)
        return {"c": last, "d": round(last - before, 4), "dp": round(100 * (last - before) / before, 4), "h": float(now.high),
                "l": float(now.low), "o": before, "pc": before, "t": int(now.time_s)}  # fmt: skip
