"""Binance spot: `/api/v3/ticker/24hr`, by `symbol`, by `symbols`, or for all. 6,000 of weight a minute for an address.

One bad symbol fails the call: HTTP 400, -1121, unnamed; a character that no symbol has, a space in the list included, is -1100; a
symbol twice is -1151. Whoever goes on after a 429 is banned: 418 until two minutes later, and each further call lengthens it. Every answer
says in `X-MBX-USED-WEIGHT-1M` what was used. Paths, fields, weights and codes: binance-spot-api-docs, `rest-api.md` and `errors.md`.

Recordings: `ticker24hr*.json` holds a row or an array of rows, each served under its `symbol`; `error_400_invalid_symbol.json`,
`error_400_illegal_chars.json`, `error_429.json` and `error_418_ip_ban.json` are served as they are.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tests.providers.wire import BASES, Price, Provider, Reply, Request, not_found, read_json

WEIGHT_A_MINUTE = 6000
BAN_S = 120
SYMBOLS = frozenset(base + quote for base in BASES for quote in ("USDT", "EUR", "BTC") if base != quote)
LIST = re.compile(r'\[("[A-Z0-9_.-]{1,50}"(,"[A-Z0-9_.-]{1,50}")*)?\]')
ILLEGAL = (
    "Illegal characters found in parameter 'symbols'; legal range is "
    '\'^\\[("[\\w\\-._&&[^a-z]]{1,50}"(,"[\\w\\-._&&[^a-z]]{1,50}"){0,}){0,1}\\]$\'.'
)
TOO_MUCH = "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."


def weight_of(symbols: int) -> int:
    """What a call for so many symbols weighs; 0: for all there are."""
    return 80 if symbols > 100 or not symbols else 40 if symbols > 20 else 2


class Binance(Provider):
    """`python -m tests.providers binance`."""

    name: ClassVar[str] = "binance"
    limits: ClassVar[Mapping[str, int]] = {"weight_per_min": WEIGHT_A_MINUTE}

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self._started_s = time.monotonic()
        self._minute = 0
        self._used = 0
        self._warned = False
        self._banned_until_s = 0.0

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*.json")):
            content = read_json(path)
            if path.stem.startswith("ticker24hr"):
                for row in content if isinstance(content, list) else [content]:
                    self.record(f"row/{row['symbol']}", row)
            elif path.stem.startswith("error_"):
                self.record(path.stem, content)

    def cost(self, request: Request) -> dict[str, int]:
        asked = request.query.get("symbols", "")
        names = 1 if "symbol" in request.query else asked.count(",") + 1 if asked else 0
        return {"weight": weight_of(names)}

    def answer(self, request: Request) -> Reply:
        if request.path != "/api/v3/ticker/24hr":
            return not_found()
        asked = request.query.get("symbols")
        legal = asked is None or LIST.fullmatch(asked) is not None
        names: list[str] = [request.query["symbol"]] if "symbol" in request.query else []
        if asked is not None and legal:
            names = json.loads(asked)
        everything = asked is None and not names
        refused = self._spend(weight_of(0 if everything else max(1, len(names))))
        reply = refused or self._rows(names, legal, single="symbol" in request.query)
        reply.headers["X-MBX-USED-WEIGHT"] = reply.headers["X-MBX-USED-WEIGHT-1M"] = str(self._used)
        return reply

    def _rows(self, names: list[str], legal: bool, single: bool) -> Reply:
        if not legal:
            return self._error(400, -1100, ILLEGAL, "error_400_illegal_chars")
        if len(set(names)) != len(names):
            return self._error(400, -1151, "Symbol is present multiple times in the list.", "")
        found = map(self._row, sorted(names or self._known(), reverse=True))
        rows = [row for row in found if row is not None]
        if len(rows) < len(names):
            return self._error(400, -1121, "Invalid symbol.", "error_400_invalid_symbol")
        return Reply.json(rows[0] if single else rows)

    def _known(self) -> frozenset[str]:
        if self.fixtures is None:
            return SYMBOLS
        return frozenset(key.removeprefix("row/") for key in self.recorded_keys() if key.startswith("row/"))

    def _row(self, symbol: str) -> dict[str, Any] | None:
        return self.row(symbol, SYMBOLS, lambda now: self._made_up(symbol, now))

    def _made_up(self, symbol: str, now: Price) -> dict[str, Any]:
        change, close_ms = float(now.last) - float(now.open), int(now.time_s * 1000)
        return {"symbol": symbol, "priceChange": f"{change:.8f}", "priceChangePercent": f"{100 * change / float(now.open):.3f}",
                "weightedAvgPrice": now.last, "prevClosePrice": now.low, "lastPrice": f"{now.last}000000", "lastQty": "0.01000000",
                "bidPrice": now.bid, "bidQty": "0.18401100", "askPrice": now.ask, "askQty": "0.19518800", "openPrice": now.open,
                "highPrice": now.high, "lowPrice": now.low, "volume": now.volume, "quoteVolume": "392659910.62660750",
                "openTime": close_ms - 86_400_000, "closeTime": close_ms, "firstId": 1, "lastId": 2, "count": 2}  # fmt: skip

    def _spend(self, weight: int) -> Reply | None:
        """Count a call; a reply where it is one too many. Minutes are counted from the start, so that a short test sees one only."""
        now_s, minutes = time.time(), (time.monotonic() - self._started_s) / 60
        if int(minutes) != self._minute:
            self._minute, self._used, self._warned = int(minutes), 0, False
        self._used += weight
        if not self.control.limits:
            return None
        if self._used > WEIGHT_A_MINUTE and self._warned:
            self._banned_until_s = max(self._banned_until_s, now_s) + BAN_S
        if self._banned_until_s > now_s:
            text = f"Way too much request weight used; IP banned until {int(self._banned_until_s * 1000)}."
            return self._error(418, -1003, text, "error_418_ip_ban", str(int(self._banned_until_s - now_s) + 1))
        if self._used > WEIGHT_A_MINUTE:
            self._warned = True
            return self._error(429, -1003, TOO_MUCH, "error_429", str(60 - int(minutes % 1 * 60)))
        return None

    def _error(self, status: int, code: int, message: str, recording: str, retry_after: str | None = None) -> Reply:
        reply = Reply.json(self.recorded(recording) or {"code": code, "msg": message}, status)
        if retry_after is not None:
            reply.headers["Retry-After"] = retry_after
        return reply
