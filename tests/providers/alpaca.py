"""Alpaca: `/v2/stocks/snapshots` and `/v1beta3/crypto/us/snapshots`. 200 calls a minute; what can't be a symbol fails the call, by name.

Symbols in `unknown` are left out. Switches: `"null": ["AAPL"]` (null in place of a snapshot), `"yesterday": true` (the daily bar is of
the day before the newest trade), `"unnamed": true` (a malformed symbol is not named).

Recordings: `stocks_snapshots*.json` and `crypto_snapshots*.json` hold answers, `stock_snapshot_single_*.json` one snapshot; each is served
under its symbol. `error_400_invalid_symbol.json`, `error_403_forbidden.json` and `error_429.json` are served as they are.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from tests.providers.shares import SHARES, WRONG_KEY, Quota, midnight_s, rfc3339_ns
from tests.providers.wire import BASES, Provider, Reply, Request, not_found, read_json

SHARE, PAIR = re.compile(r"[A-Z]{1,5}(\.[A-Z]{1,3})?|T[0-9]{3}"), re.compile(r"[A-Z0-9]+/[A-Z]+")
PATHS = {"/v2/stocks/snapshots": SHARE, "/v1beta3/crypto/us/snapshots": PAIR}
SYMBOLS = frozenset((*SHARES, *(f"{base}/USD" for base in BASES)))
FEEDS = {"iex", "sip", "delayed_sip", "otc", "boats", "overnight"}


class Alpaca(Provider):
    """`python -m tests.providers alpaca`."""

    name: ClassVar[str] = "alpaca"

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self._minute = Quota(200, 60)

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*.json")):
            content = read_json(path)
            if "snapshot_single" in path.stem:
                self.record(f"row/{content['symbol']}", {key: value for key, value in content.items() if key != "symbol"})
            elif "snapshots" in path.stem:
                for symbol, row in content.get("snapshots", content).items():
                    self.record(f"row/{symbol}", row)
            else:
                self.record(path.stem, content)

    def answer(self, request: Request) -> Reply:
        form = PATHS.get(request.path)
        if form is None:
            return not_found()
        key, secret = request.headers.get("apca-api-key-id"), request.headers.get("apca-api-secret-key")
        if not key or not secret or WRONG_KEY in (key, secret):
            return Reply.json(self.recorded("error_403_forbidden") or {"message": "forbidden."}, 403)
        limited = self.control.limits and not self._minute.take()
        if limited:
            reply = Reply.json(self.recorded("error_429") or {"message": "too many requests."}, 429)
        else:
            reply = self._snapshots(request, form)
        if self.control.limits:
            reply.headers |= {"X-Ratelimit-Limit": "200", "X-Ratelimit-Remaining": str(self._minute.left),
                              "X-Ratelimit-Reset": str(self._minute.reset_s)}
        return reply

    def _snapshots(self, request: Request, form: re.Pattern[str]) -> Reply:
        asked = request.query.get("symbols", "").split(",")
        malformed = next((symbol for symbol in asked if not form.fullmatch(symbol)), None)
        if malformed is not None:
            named = "" if self.control.switches.get("unnamed") else f": {malformed}"
            return Reply.json({"message": f"invalid symbol{named}"}, 400)
        if form is SHARE and request.query.get("feed", "iex") not in FEEDS:
            return Reply.json({"message": "invalid feed"}, 400)
        null = self.control.switches.get("null", [])
        rows = {symbol: None if symbol in null else self._row(symbol) for symbol in sorted(asked, reverse=True) if self._knows(symbol)}
        return Reply.json(rows if form is SHARE else {"snapshots": rows})

    def _knows(self, symbol: str) -> bool:
        known = f"row/{symbol}" in self.recorded_keys() if self.fixtures is not None else symbol in SYMBOLS
        return known and symbol not in self.control.unknown

    def _row(self, symbol: str) -> dict[str, Any] | None:
        if self.fixtures is not None:
            recording: dict[str, Any] | None = self.recorded(f"row/{symbol}")
            return recording
        now = self.price(symbol)
        last, day_s = float(now.last), midnight_s(now.time_s, 1 if self.control.switches.get("yesterday") else 0)
        day = {"t": rfc3339_ns(day_s).replace(".000000000", ""), "o": float(now.open), "h": float(now.high), "l": float(now.low), "c": last,
               "v": int(float(now.volume)), "n": 10408, "vw": last}
        before = day | {"t": rfc3339_ns(day_s - 86_400).replace(".000000000", ""), "c": float(now.open)}
        return {"latestTrade": {"t": rfc3339_ns(now.time_s), "x": "V", "p": last, "s": 100, "c": ["@"], "i": 10593, "z": "C"},
                "latestQuote": {"t": rfc3339_ns(now.time_s), "ax": "V", "ap": float(now.ask), "as": 5, "bx": "V", "bp": float(now.bid),
                                "bs": 1, "c": ["R"], "z": "C"},
                "minuteBar": day, "dailyBar": day, "prevDailyBar": before} | self.control.rows.get(symbol, {})
