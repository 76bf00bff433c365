"""Coinbase Exchange, public market data. One product a call, no key, symbols as Coinbase writes them: `BTC-USD`.

`GET /products/BTC-USD/ticker`
(https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-ticker):

    {"ask":"73369.19","bid":"73360.34","volume":"1207.50668151","trade_id":18502105,"price":"73367.8","size":"0.00730812",
     "time":"2024-03-13T11:10:41.270099Z","rfq_volume":"7.669923"}

`GET /products/BTC-USD/stats`
(https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-stats):

    {"open":"71475.37","high":"73650.25","low":"70000","last":"73367.8","volume":"17442.11028145","volume_30day":"541120.3"}

Both are about the last 24 hours, so `open` is what the price was a day ago and there is no previous close. An unknown product is
404 `{"message":"NotFound"}`. An address may ask 10 times a second, in bursts of 15 (429 `{"message":"Public rate limit exceeded"}`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar, NamedTuple
from urllib.parse import quote

import msgspec
from pydantic import Field, HttpUrl

from feeds.base import Answer, Subscription
from feeds.http import Response
from feeds.parse import decode, optional_iso_ms, optional_price, optional_size, price, table
from feeds.polled import PolledFeed
from ticker.budget import Demand
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings

log = logging.getLogger(__name__)

STATS_EVERY_S = 60.0
"""Of one product: they move slowly, and cost as much of the rate limit as a price."""
STATS_SPACING_S = 0.5
"""Of all products: at most a fifth of the rate limit, so that a hundred new symbols do not use it up."""
STATS_VALID_S = 900.0
"""Stats that could not be renewed for so long no longer describe the last 24 hours and are left out."""


class CoinbaseBudget(BudgetSettings):
    """Limits for an address (https://docs.cdp.coinbase.com/exchange/rest-api/rate-limits); bursts of 15 are not made use of."""

    calls_per_s: int = Field(10, ge=1, le=10, description="at most so many calls in any second")


class CoinbaseSettings(PolledSettings):
    """`[feeds.NAME]` of kind `coinbase`."""

    budget: CoinbaseBudget = Field(CoinbaseBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.exchange.coinbase.com"), description="scheme, host and path prefix of the provider")


class Stats(NamedTuple):
    """The last 24 hours of a product."""

    open: float | None = None
    high: float | None = None
    low: float | None = None


class _Kept(NamedTuple):
    """Stats as they were last known, and when (`time.monotonic()`) to ask again."""

    stats: Stats
    read_s: float
    next_s: float


class Coinbase(PolledFeed):
    """`kind = "coinbase"`."""

    kind = "coinbase"
    Settings: ClassVar[type[PolledSettings]] = CoinbaseSettings

    def __init__(self, name: str, settings: PolledSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._stats: dict[str, _Kept] = {}
        self._next_stats_s = 0.0

    @classmethod
    def demand(cls, symbols: int, interval_s: float) -> Demand:
        """A call a product each interval, and its stats now and then."""
        return {"calls": super().demand(symbols, interval_s)["calls"] + min(symbols / STATS_EVERY_S, 1 / STATS_SPACING_S)}

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        until_s = self.poll_ends_s()
        (subscription,) = batch
        path = f"/products/{quote(subscription.id, safe='')}"
        response = self.http.get(f"{path}/ticker", accept=(HTTPStatus.NOT_FOUND,), until_s=until_s)
        if response.status == HTTPStatus.NOT_FOUND:
            raise _not_found(response, subscription.id)
        answer = parse(response.body, batch)
        stats = self._recent_stats(subscription.id, path, until_s)
        return {symbol: with_stats(tick, stats) for symbol, tick in answer.items()}

    def _recent_stats(self, product: str, path: str, until_s: float) -> Stats:
        """The product's last 24 hours, asked for again where it is time; nothing that goes wrong here costs the price."""
        now_s = time.monotonic()
        kept = self._stats.get(product, _Kept(Stats(), now_s, now_s))
        if now_s >= kept.next_s and now_s >= self._next_stats_s and self.gate.has_room():
            self._next_stats_s = now_s + STATS_SPACING_S
            try:
                # Half of the time at most: the price is already here, and waits.
                body = self.http.get(f"{path}/stats", until_s=min(until_s, now_s + self.settings.timeout_s / 2)).body
                kept = _Kept(parse_stats(body), now_s, now_s + STATS_EVERY_S)
            except FeedError as error:
                log.info("feed %s: no 24 h stats of %s: %s", self.name, product, error)
                kept = kept._replace(next_s=now_s + max(STATS_EVERY_S, error.retry_after_s or 0.0))
            self._stats[product] = kept
        return kept.stats if now_s - kept.read_s <= STATS_VALID_S else Stats()


def parse(body: bytes, batch: Sequence[Subscription]) -> dict[str, Tick]:
    """The tick in a `ticker` answer. The answer does not name its product: `batch` is the one that was asked for."""
    row = table(decode(body), "ticker")
    (subscription,) = batch
    return {subscription.symbol: Tick(
        price=price(row.get("price"), "price"),
        bid=optional_price(row.get("bid"), "bid"),
        ask=optional_price(row.get("ask"), "ask"),
        volume=optional_size(row.get("volume"), "volume"),
        currency=_quote_currency(subscription.id),
        quote_time=optional_iso_ms(row.get("time"), "time"),
    )}


def parse_stats(body: bytes) -> Stats:
    """The 24 hours in a `stats` answer."""
    row = table(decode(body), "stats")
    return Stats(*(optional_price(row.get(name), name) for name in Stats._fields))


def with_stats(tick: Tick, stats: Stats) -> Tick:
    """The tick, with open, high and low."""
    return msgspec.structs.replace(tick, **stats._asdict())


def _not_found(response: Response, product: str) -> FeedError:
    """Coinbase's own 404 is about the product; any other (a wrong `base_url`, a proxy's page) is not the product's fault."""
    try:
        ours = table(decode(response.body), "error").get("message") == "NotFound"
    except FeedError:
        ours = False
    if not ours:
        return response.error()
    return FeedError(f"Coinbase has no product {product!r}", retryable=False, rejects_symbol=True)


def _quote_currency(product: str) -> str | None:
    """What `BTC-USD` is priced in. A product's id is base and quote currency."""
    base, _, currency = product.rpartition("-")
    return currency if base and currency else None
