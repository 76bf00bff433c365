"""Coinbase Exchange: `/products/ID/ticker` and `/products/ID/stats`. 10 calls a second, in bursts of 15.

An unknown product is 404, one that is traded no longer (`DELISTED`) 400: `Not allowed for delisted products`. Paths, fields and messages as
docs.cdp.coinbase.com (get-product-ticker, get-product-stats), ccxt's `coinbaseexchange.ts` and ccxt/ccxt#14280 have them.

Recordings: `ticker_BTC-USD.json` and `stats_BTC-USD.json` are that product's (anything may follow the id after a dot or an
underscore); a file whose name holds no product's id (`ticker_doc_example.json`) serves every product that has none of its own.
`error_404.json` and `error_429.json` are served as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from tests.providers.wire import BASES, Bucket, Provider, Reply, Request, not_found, read_json

CURRENCIES = ("USD", "EUR", "USDT")
PRODUCTS = frozenset(f"{base}-{currency}" for base in BASES for currency in CURRENCIES)
DELISTED = frozenset({"WLUNA-USD", "YFII-USD"})
PATH = re.compile(r"/products/([^/]+)/(ticker|stats)")
FILE = re.compile(r"(ticker|stats)(?:_([A-Z0-9]+-[A-Z0-9]+))?")


class Coinbase(Provider):
    """`python -m tests.providers coinbase`."""

    name: ClassVar[str] = "coinbase"
    limits: ClassVar[Mapping[str, int]] = {"calls_per_s": 10}

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self._bucket = Bucket(rate_per_s=10, burst=15)

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("*.json")):
            if path.stem.startswith("error_"):
                self.record(path.stem, read_json(path))
            elif match := FILE.match(path.name):
                self.record(f"{match[1]}/{match[2] or '*'}", read_json(path))

    def answer(self, request: Request) -> Reply:
        match = PATH.fullmatch(request.path)
        if match is None:
            return not_found()
        if "user-agent" not in request.headers:
            return Reply.json({"message": "User-Agent header is required."}, 400)
        if self.control.limits and not self._bucket.take():
            return Reply.json(self.recorded("error_429") or {"message": "Public rate limit exceeded"}, 429)
        product, what = match[1], match[2]
        if product in DELISTED:
            return Reply.json({"message": "Not allowed for delisted products"}, 400)
        row = self._row(product, what)
        if row is None or product in self.control.unknown:
            return Reply.json(self.recorded("error_404") or {"message": "NotFound"}, 404)
        overlay = self.control.rows.get(product, {})
        return Reply.json(row | {name: value for name, value in overlay.items() if name in row})

    def _row(self, product: str, what: str) -> dict[str, Any] | None:
        if self.fixtures is not None:
            recording: dict[str, Any] | None = self.recorded(f"{what}/{product}", f"{what}/*")
            return recording
        if product not in PRODUCTS:
            return None
        now = self.price(product)
        if what == "stats":
            return {"open": now.open, "high": now.high, "low": now.low, "last": now.last, "volume": now.volume, "volume_30day": now.volume}
        time = datetime.fromtimestamp(now.time_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {"ask": now.ask, "bid": now.bid, "volume": now.volume, "trade_id": 18502105, "price": now.last, "size": "0.00730812",
                "time": time, "rfq_volume": "7.669923"}  # fmt: skip
