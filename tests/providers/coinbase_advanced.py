"""Coinbase Advanced Trade: `/api/v3/brokerage/market/products`. 10 calls a second. What does not exist is left out; what is traded no
longer comes with its last price and `"status":"delisted"`. Fields: docs.cdp.coinbase.com (list-public-products), coinbase-advanced-py.

Switches: `"strict": true` (one unknown product fails the call, 400 INVALID_ARGUMENT, unnamed).

Recordings: `product_*.json` holds a product, `products*.json` an answer; each is served under its `product_id`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tests.providers.coinbase import DELISTED
from tests.providers.wire import BASES, Bucket, Provider, Reply, Request, not_found, read_json

PATH = "/api/v3/brokerage/market/products"
PRODUCTS = frozenset(f"{base}-{currency}" for base in BASES for currency in ("USD", "EUR"))
KNOWN = PRODUCTS | DELISTED | {f"{base}-USDC" for base in BASES}
INVALID = {"error": "INVALID_ARGUMENT", "error_details": "valid product_id is required", "message": "valid product_id is required"}


class CoinbaseAdvanced(Provider):
    """`python -m tests.providers coinbase_advanced`."""

    name: ClassVar[str] = "coinbase_advanced"

    def __init__(self, fixtures: Path | None) -> None:
        super().__init__(fixtures)
        self._bucket = Bucket(rate_per_s=10, burst=10)

    def load(self, fixtures: Path) -> None:
        for path in sorted(fixtures.glob("product*.json")):
            content = read_json(path)
            for row in content.get("products", [content]):
                if "product_id" in row:
                    self.record(f"row/{row['product_id']}", row)

    def answer(self, request: Request) -> Reply:
        if request.path != PATH:
            return not_found()
        if self.control.limits and not self._bucket.take():
            return Reply.json({"error": "RATE_LIMIT_EXCEEDED", "message": "too many requests"}, 429)
        asked = list(request.repeated.get("product_ids", []))
        rows = [row for row in map(self._row, sorted(set(asked), reverse=True)) if row is not None]
        if len(rows) < len(set(asked)) and self.control.switches.get("strict"):
            return Reply.json(INVALID, 400)
        return Reply.json({"products": rows, "num_products": len(rows)})

    def _row(self, product: str) -> dict[str, Any] | None:
        return self.row(product, KNOWN, lambda _: self._made_up(product))

    def _made_up(self, product: str) -> dict[str, Any]:
        base, _, currency = product.replace("USDC", "USD").partition("-")  # one market, two names
        gone = product in DELISTED
        now = self.price(f"{base}-{currency}")
        last, before = float(now.last), float(now.open)
        return {"product_id": f"{base}-{currency}", "price": now.last, "price_percentage_change_24h": f"{100 * (last - before) / before}",
                "volume_24h": now.volume, "volume_percentage_change_24h": "-60.7", "base_increment": "0.00000001",
                "quote_increment": "0.01", "base_name": base, "quote_name": currency, "is_disabled": gone,
                "status": "delisted" if gone else "online", "trading_disabled": gone, "cancel_only": False, "view_only": False,
                "product_type": "SPOT", "quote_currency_id": currency, "base_currency_id": base,
                "mid_market_price": "", "alias": "", "alias_to": [f"{base}-USDC"] if currency == "USD" else []}  # fmt: skip
