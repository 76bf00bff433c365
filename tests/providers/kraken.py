"""Kraken: `/0/public/Ticker`, `/0/public/AssetPairs` and `/0/public/SystemStatus`. One call a second, in bursts of 15.

Rows come keyed by Kraken's own names, in an order that is not the one asked for. One unknown pair fails the call, unnamed, with
HTTP 200 and without `result`; so does one of the other asset class: tokenized shares are listed with `aclass_base=tokenized_asset` and
priced with `asset_class=tokenized_asset`. Case matters: `AAPLxUSD`, never `AAPLXUSD`.

Parameters, fields and errors as docs.kraken.com (get-ticker-information, get-tradable-asset-pairs), ccxt's `kraken.ts` and, for tokenized
shares, JKorf/Kraken.Net#146 and nautechsystems/nautilus_trader#3455 have them.

Recordings: `ticker*.json` holds `Ticker` answers, whole; each row is served under its key, and under the spelling that was asked for
where the file's name tells it (`ticker_XBTUSD_keyed_XXBTZUSD.json`). `asset_pairs*.json` holds an `AssetPairs` answer; without one, a
list is made of the recorded rows. `error_unknown_pair.json`, `error_too_many_requests.json` and `system_status.json` are served as
they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tests.providers.wire import BASES, Bucket, Provider, Reply, Request, not_found, read_json

NAMES = {"BTC": "XBT", "DOGE": "XDG"}
FOUR_LETTERS = {"XBT": "XXBT", "ETH": "XETH", "XRP": "XXRP", "LTC": "XLTC", "XDG": "XXDG", "USD": "ZUSD", "EUR": "ZEUR"}
SHARES = ("AAPLx", "TSLAx", "SPYx", "NVDAx")
FILE = re.compile(r"ticker_([A-Z0-9]+)_keyed_([A-Z0-9]+)")


def pairs() -> dict[str, dict[str, str]]:
    """The `AssetPairs` rows by Kraken's own name: old assets have their four letters in it, where both are old (but not XDGUSD)."""
    rows = {}
    for base in (NAMES.get(base, base) for base in BASES):
        for quote in ("USD", "EUR", "USDT"):
            old = base in FOUR_LETTERS and quote in FOUR_LETTERS and base != "XDG"
            key = FOUR_LETTERS[base] + FOUR_LETTERS[quote] if old else base + quote
            rows[key] = {"altname": base + quote, "wsname": f"{base}/{quote}", "aclass_base": "currency",
                         "base": FOUR_LETTERS.get(base, base), "aclass_quote": "currency", "quote": FOUR_LETTERS.get(quote, quote),
                         "lot": "unit", "status": "online"}  # fmt: skip
    return rows | tokenized()


def tokenized() -> dict[str, dict[str, str]]:
    """The rows of tokenized shares."""
    return {share + quote: {"altname": share + quote, "wsname": f"{share}/{quote}", "aclass_base": "tokenized_asset", "base": share,
                            "aclass_quote": "currency", "quote": FOUR_LETTERS[quote], "lot": "unit", "status": "online"}
            for share in SHARES for quote in ("USD", "EUR")}  # fmt: skip


class Kraken(Provider):
    """`python -m tests.providers kraken`."""

    name: ClassVar[str] = "kraken"
    limits: ClassVar[Mapping[str, int]] = {"calls_per_s": 1}

    def __init__(self, fixtures: Path | None) -> None:
        self._pairs: dict[str, dict[str, str]] = {}
        super().__init__(fixtures)
        self._bucket = Bucket(rate_per_s=1, burst=15)
        if fixtures is None:
            self._pairs = pairs()
        self._keys = {name: key for key, pair in self._pairs.items() for name in (key, pair["altname"], pair["wsname"])}

    def load(self, fixtures: Path) -> None:
        listed: dict[str, dict[str, str]] = {}
        for path in sorted(fixtures.glob("*.json")):
            content = read_json(path)
            if path.stem.startswith("asset_pairs"):
                listed |= content["result"]
            elif path.stem.startswith("ticker"):
                for key, row in content["result"].items():
                    self.record(f"ticker/{key}", row)
                    self._pairs.setdefault(key, {"altname": key, "wsname": key})
                if match := FILE.match(path.stem):
                    self._pairs[match[2]] = {"altname": match[1], "wsname": match[1]}
            else:
                self.record(path.stem, content)
        if listed:
            self._pairs = listed

    def answer(self, request: Request) -> Reply:
        if request.path == "/0/public/SystemStatus":
            return Reply.json(self.recorded("system_status") or {"error": [], "result": {"status": "online"}})
        if request.path not in {"/0/public/Ticker", "/0/public/AssetPairs"}:
            return not_found()
        if self.control.limits and not self._bucket.take():
            return Reply.json(self.recorded("error_too_many_requests") or {"error": ["EGeneral:Too many requests"]})
        is_ticker = request.path.endswith("/Ticker")
        asset_class = request.query.get("asset_class" if is_ticker else "aclass_base", "currency")
        listed = {key: pair for key, pair in self._pairs.items() if pair.get("aclass_base", "currency") == asset_class}
        asked = [name for name in request.query.get("pair", "").split(",") if name] or list(listed)
        keys = [self._keys.get(name) for name in dict.fromkeys(asked)]
        if any(key is None or key not in listed or self._is_unknown(key) for key in keys) and "pair" in request.query:
            return Reply.json(self.recorded("error_unknown_pair") or {"error": ["EQuery:Unknown asset pair"]})
        known = sorted({key for key in keys if key and not self._is_unknown(key)}, reverse=True)
        row = self._row if is_ticker else self._pairs.get
        return Reply.json({"error": [], "result": {key: row(key) for key in known}})

    def _is_unknown(self, key: str) -> bool:
        return bool({key, *self._pairs[key].values()} & set(self.control.unknown))

    def _row(self, key: str) -> dict[str, Any]:
        overlay = self.control.rows.get(key) or self.control.rows.get(self._pairs[key]["altname"], {})
        if self.fixtures is not None:
            recording: dict[str, Any] = self.recorded(f"ticker/{key}") or {}
            return recording | overlay
        now = self.price(key)
        return {"a": [now.ask, "3", "3.000"], "b": [now.bid, "1", "1.000"], "c": [now.last, "0.00842808"],
                "v": [now.volume, f"1{now.volume}"], "p": [now.last, now.last], "t": [33574, 43062],
                "l": [now.low, "1.00"], "h": [now.high, "99999999.00"], "o": now.open} | overlay  # fmt: skip
