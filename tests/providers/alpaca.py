"""Alpaca: `/v2/stocks/snapshots` and `/v1beta3/crypto/us/snapshots`. 200 calls a minute; what can't be a symbol fails the call, by name.

Where each part is from: paths, `symbols` and `feed` (iex, sip, delayed_sip, otc, boats, overnight) are those of the reference
(https://docs.alpaca.markets/reference/stocksnapshots-1, /reference/cryptosnapshots-1); the keys of trades, quotes and bars those of
`alpaca/data/mappings.py` in alpacahq/alpaca-py (t p s x i c z; ax ap as bx bp bs; o h l c v n vw), crypto without x, c and z. A day begins
at midnight in New York, from 20:00 on it is the next one's; for crypto at midnight in Chicago (alpacahq/alpaca-py#169). `X-Ratelimit-…`
and the 400 that names a symbol are as users report them.

Symbols in `unknown` are left out. Switches: `"null": ["AAPL"]` (null in place of a snapshot), `"yesterday": true` (the daily bar is of
the day before the newest trade), `"unnamed": true` (a malformed symbol is not named), `"conditions": ["@", "I"]` (of the newest trade,
which then is at 1.3 times the price), `"not_in_plan": ["sip"]` (403 for these sources).

Recordings: `stocks_snapshots*.json` and `crypto_snapshots*.json` hold answers, `stock_snapshot_single_*.json` one snapshot; each is served
under its symbol. `error_400_invalid_symbol.json`, `error_403_forbidden.json` and `error_429.json` are served as they are.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from tests.providers.shares import SHARES, WRONG_KEY, Quota, rfc3339_ns
from tests.providers.wire import BASES, Price, Provider, Reply, Request, not_found, read_json

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
            reply.headers |= {
                "X-Ratelimit-Limit": "200",
                "X-Ratelimit-Remaining": str(self._minute.left),
                "X-Ratelimit-Reset": str(self._minute.reset_s),
            }
        return reply

    def _snapshots(self, request: Request, form: re.Pattern[str]) -> Reply:
        asked = request.query.get("symbols", "").split(",")
        malformed = next((symbol for symbol in asked if not form.fullmatch(symbol)), None)
        if malformed is not None:
            named = "" if self.control.switches.get("unnamed") else f": {malformed}"
            return Reply.json({"message": f"invalid symbol{named}"}, 400)
        if form is SHARE and request.query.get("feed", "iex") not in FEEDS:
            return Reply.json({"message": "invalid feed"}, 400)
        if form is SHARE and request.query.get("feed", "iex") in self.control.switches.get("not_in_plan", []):
            return Reply.json({"message": "subscription does not permit querying recent SIP data"}, 403)
        null = self.control.switches.get("null", [])
        found = {symbol: self._row(symbol) for symbol in sorted(asked, reverse=True)}
        rows = {symbol: None if symbol in null else row for symbol, row in found.items() if row is not None}
        return Reply.json(rows if form is SHARE else {"snapshots": rows})

    def _row(self, symbol: str) -> dict[str, Any] | None:
        return self.row(symbol, SYMBOLS, lambda now: self._made_up(symbol, now))

    def _made_up(self, symbol: str, now: Price) -> dict[str, Any]:
        codes, last = self.control.switches.get("conditions"), float(now.last)
        days = 1 if self.control.switches.get("yesterday") else 0
        bar = {"o": float(now.open), "h": float(now.high), "l": float(now.low), "c": last, "v": int(float(now.volume)), "n": 10408,
               "vw": last}  # fmt: skip
        trade = {"t": rfc3339_ns(now.time_s), "x": "V", "p": last if codes is None else 1.3 * last, "s": 100, "c": codes or ["@"],
                 "i": 10593, "z": "C"}  # fmt: skip
        quote = {"t": rfc3339_ns(now.time_s), "ax": "V", "ap": float(now.ask), "as": 5, "bx": "V", "bp": float(now.bid), "bs": 1,
                 "c": ["R"], "z": "C"}  # fmt: skip
        if "/" in symbol:
            for part in (trade, quote):
                for key in ("x", "c", "z", "ax", "bx"):
                    part.pop(key, None)
        return {
            "latestTrade": trade,
            "latestQuote": quote,
            "minuteBar": {"t": begins(now.time_s // 60 * 60), **bar},
            "dailyBar": {"t": day_begins(symbol, now.time_s, days), **bar},
            "prevDailyBar": {"t": day_begins(symbol, now.time_s, days + 1), **bar, "c": float(now.open)},
        }


def day_begins(symbol: str, time_s: float, days_before: int = 0) -> str:
    """When the trading day of a time began, or one before it, as a bar has it."""
    zone, ahead_h = (ZoneInfo("America/Chicago"), 0) if "/" in symbol else (ZoneInfo("America/New_York"), 4)
    day = (datetime.fromtimestamp(time_s, zone) + timedelta(hours=ahead_h)).date() - timedelta(days=days_before)
    return begins(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def begins(time_s: float) -> str:
    """A bar's `t`: whole seconds."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
