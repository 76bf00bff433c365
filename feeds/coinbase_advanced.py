"""Coinbase Advanced Trade, public market data. Many products a call, no key, symbols as Coinbase writes them: `BTC-USD`.

`GET /api/v3/brokerage/market/products?product_ids=BTC-USD&product_ids=ETH-USD`
(https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/list-public-products):

    {"products":[{"product_id":"ETH-USD","price":"4471.59","price_percentage_change_24h":"0.14243387238731",
     "volume_24h":"87329.92990204","volume_percentage_change_24h":"-60.7789801794578","base_currency_id":"ETH",
     "quote_currency_id":"USD","status":"online","is_disabled":false,"trading_disabled":false,"mid_market_price":"","alias":"",
     "alias_to":["ETH-USDC"],"approximate_quote_24h_volume":"390503641.25", …}, …],"num_products":2}

Numbers are strings, `""` is none. The change is in percent, of the last 24 hours; the volume is in the base currency. There is no bid, no
ask and no time. Two products that are one market (ETH-USDC is ETH-USD's) may come under one name: the other is in `alias_to`.

Where `is_disabled`, `trading_disabled` or `cancel_only` is true, or `status` is `delisted`, nobody trades it, and the market is closed; the
price is the last one. `view_only` may be about who asks (not verified): it counts where nothing was traded in 24 hours.

What does not exist is left out of the answer, or refused: 400 `{"error":"INVALID_ARGUMENT","error_details":"…","message":"…"}`, 404
`{"error":"NOT_FOUND", …}`. An address may ask 10 times a second (429).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import Field, HttpUrl

from feeds.base import About, Answer, Subscription
from feeds.coinbase import delisted
from feeds.http.feed import PolledFeed
from feeds.values.batch import error_object, for_each, unknown
from feeds.values.fields import Fields, untraded
from feeds.values.parse import array, decode, table
from ticker.errors import FeedError
from ticker.quote import Tick, VolumeOf
from ticker.runtime import in_turns
from ticker.settings import BudgetSettings, PolledSettings

FIELDS = Fields(zero_until_traded=True)
SHUT = ("is_disabled", "trading_disabled", "cancel_only")
"""What is true of a product that nobody can trade."""


class CoinbaseAdvancedBudget(BudgetSettings):
    """Limits for an address (https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/rest-api)."""

    calls_per_s: int = Field(10, ge=1, le=10, description="at most so many calls in any second")


class CoinbaseAdvancedSettings(PolledSettings):
    """`[feeds.NAME]` of kind `coinbase_advanced`."""

    budget: CoinbaseAdvancedBudget = Field(
        CoinbaseAdvancedBudget(), description="the most to spend with the provider; intervals grow until they fit"
    )
    base_url: HttpUrl = Field(HttpUrl("https://api.coinbase.com"), description="scheme, host and path prefix of the provider")


class CoinbaseAdvanced(PolledFeed):
    """`kind = "coinbase_advanced"`."""

    kind = "coinbase_advanced"
    about = About(
        brings="crypto, last 24 hours",
        ids="`BTC-USD`; from `BTC/USD`",
        limits="10 calls a second",
        time="not given",
        same_answer="it is current",
        market="`closed` where trading is disabled, or the product delisted",
    )
    Settings: ClassVar[type[PolledSettings]] = CoinbaseAdvancedSettings
    batch_size: ClassVar[int | None] = 100
    """The address of a call with 100 products is 2 to 3 KB long; servers refuse one of more than 8 KB."""
    volume_of: ClassVar[VolumeOf] = "24h"

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BTC/USD` is `BTC-USD` there."""
        return symbol.replace("/", "-")

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        query = urlencode([("product_ids", id) for id in dict.fromkeys(subscription.id for subscription in batch)])
        response = self.http.get(f"/api/v3/brokerage/market/products?{query}", accept=(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND))
        if not response.ok:
            # Coinbase's own refusal is about the products; any other (a wrong `base_url`, a proxy's page) is not their fault.
            ours = error_object(response.body).get("error") in ("INVALID_ARGUMENT", "NOT_FOUND")
            raise unknown("Coinbase", ", ".join(one.id for one in batch), response.body) if ours else response.error()
        return parse(response.body, batch)


def parse(body: bytes, batch: Sequence[Subscription]) -> dict[str, Tick | FeedError]:
    """The ticks of a `products` answer, by our symbol. Raises `FeedError` where there are no rows to look for."""
    rows: dict[str, Mapping[str, Any]] = {}
    aliases: dict[str, Mapping[str, Any]] = {}
    for row in in_turns(array(table(decode(body), "answer").get("products"), "products")):
        if isinstance(row, dict) and isinstance(row.get("product_id"), str):
            rows[row["product_id"]] = row
            others = row.get("alias_to")
            aliases |= {other: row for other in (others if isinstance(others, list) else []) if isinstance(other, str)}

    def read(subscription: Subscription) -> Tick:
        row = rows.get(subscription.id) or aliases.get(subscription.id)
        if row is None:
            raise unknown("Coinbase", subscription.id)
        if row.get("status") == "delisted" and not row.get("price"):
            raise delisted(subscription.id)
        return _tick(row)

    return for_each(batch, read)


def _tick(row: Mapping[str, Any]) -> Tick:
    shut = (
        row.get("status") == "delisted"
        or any(row.get(name) is True for name in SHUT)
        or (row.get("view_only") is True and untraded(row, "volume_24h"))
    )
    return FIELDS.tick(
        row.get("price"),
        volume=row.get("volume_24h"),
        change_pct=row.get("price_percentage_change_24h"),
        currency=row.get("quote_currency_id"),
        known={"session": "closed" if shut else None},
    )
