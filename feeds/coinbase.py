"""Coinbase Exchange, public market data. One product a call, no key, symbols as Coinbase writes them: `BTC-USD`.

`GET /products/BTC-USD/ticker`
(https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-ticker):

    {"ask":"73369.19","bid":"73360.34","volume":"1207.50668151","trade_id":18502105,"price":"73367.8","size":"0.00730812",
     "time":"2024-03-13T11:10:41.270099Z","rfq_volume":"7.669923"}

`GET /products/BTC-USD/stats`
(https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-stats):

    {"open":"71475.37","high":"73650.25","low":"70000","last":"73367.8","volume":"17442.11028145","volume_30day":"541120.3"}

Both are about the last 24 hours, so `open` is what the price was a day ago and there is no previous close. Where nothing was traded in
them, and there is neither bid nor ask, the market is closed. (Whether trading is disabled says `/products/ID`, a call more for each.)

An unknown product is 404 `{"message":"NotFound"}`, one that is traded no longer 400 `{"message":"Not allowed for delisted products"}`
(ccxt/ccxt#14280; 404 in newer programs). "under maintenance" and "Cancel only mode" pass (ccxt's `coinbaseexchange.ts`). An address may ask
10 times a second, in bursts of 15 (429 `{"message":"Public rate limit exceeded"}`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote

from pydantic import Field, HttpUrl

from feeds.base import About, Answer, Subscription
from feeds.http.client import Response
from feeds.http.feed import PolledFeed
from feeds.values.batch import error_object, unknown
from feeds.values.fields import Fields, untraded
from feeds.values.parse import decode, table
from ticker.errors import FeedError
from ticker.quote import Tick, VolumeOf
from ticker.rate_limit import Demand
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings

log = logging.getLogger(__name__)

STATS_EVERY_S = 60.0
"""The stats of one product are asked for so often: they move slowly, and cost as much of the rate limit as a price."""
STATS_SPACING_S = 0.5
"""Stats of so many products are asked for in a second: a fifth of the rate limit, which a hundred new symbols must not use up."""
STATS_VALID_S = 900.0
"""Stats that could not be renewed for so long no longer describe the last 24 hours and are left out."""

FIELDS = Fields(zero_until_traded=True)
Stats = Mapping[str, Any]
"""The last 24 hours of a product, as they stand in the answer."""
NO_STATS: Stats = {}
UNKNOWN = ("NotFound", "not a valid product", "product ids are invalid")
PASSING = ("under maintenance", "Cancel only mode")
"""What is said of a product that will be back."""


class CoinbaseBudget(BudgetSettings):
    """Limits for an address (https://docs.cdp.coinbase.com/exchange/rest-api/rate-limits); bursts of 15 are not made use of."""

    calls_per_s: int = Field(10, ge=1, le=10, description="at most so many calls in any second")


class CoinbaseSettings(PolledSettings):
    """`[feeds.NAME]` of kind `coinbase`."""

    budget: CoinbaseBudget = Field(CoinbaseBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.exchange.coinbase.com"), description="scheme, host and path prefix of the provider")


class _KeptStats(NamedTuple):
    """Stats as they were last known, and when (`time.monotonic()`) to ask again."""

    stats: Stats
    read_s: float
    next_s: float


class Coinbase(PolledFeed):
    """`kind = "coinbase"`."""

    kind = "coinbase"
    about = About(
        brings="crypto, last 24 hours",
        ids="`BTC-USD`",
        limits="10 calls a second, bursts of 15",
        time="the last trade's",
        market="`closed` without trade in 24 h, bid and ask",
        note="a quiet product is learnt to be quiet",
    )
    Settings: ClassVar[type[PolledSettings]] = CoinbaseSettings
    volume_of: ClassVar[VolumeOf] = "24h"

    def __init__(self, name: str, settings: PolledSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._stats: dict[str, _KeptStats] = {}
        self._next_stats_s = 0.0

    @classmethod
    def demand(cls, symbols: int, interval_s: float) -> Demand:
        """A call a product each interval, and its stats now and then."""
        return {"calls": super().demand(symbols, interval_s)["calls"] + min(symbols / STATS_EVERY_S, 1 / STATS_SPACING_S)}

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        until_s = self.poll_ends_s()
        (subscription,) = batch
        path = f"/products/{quote(subscription.id, safe='')}"
        response = self.http.get(f"{path}/ticker", accept=(HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST), until_s=until_s)
        if not response.ok:
            raise refusal(response, subscription.id)
        parse(response.body, batch)  # without a price there is no need for its day
        return parse(response.body, batch, self._recent_stats(subscription.id, path, until_s))

    def _recent_stats(self, product: str, path: str, until_s: float) -> Stats:
        """The product's last 24 hours, asked for again where it is time; nothing that goes wrong here costs the price."""
        now_s = time.monotonic()
        kept = self._stats.get(product, _KeptStats(NO_STATS, now_s, now_s))
        if now_s >= kept.next_s and now_s >= self._next_stats_s and self.gate.has_room():
            self._next_stats_s = now_s + STATS_SPACING_S
            try:
                # Half of the time at most: the price is already here, and waits.
                body = self.http.get(f"{path}/stats", until_s=min(until_s, now_s + self.settings.timeout_s / 2)).body
                kept = _KeptStats(parse_stats(body), now_s, now_s + STATS_EVERY_S)
            except FeedError as error:
                log.info("feed %s: no 24 h stats of %s: %s", self.name, product, error)
                kept = kept._replace(next_s=now_s + max(STATS_EVERY_S, error.retry_after_s or 0.0))
            self._stats[product] = kept
        return kept.stats if now_s - kept.read_s <= STATS_VALID_S else NO_STATS


def parse(body: bytes, batch: Sequence[Subscription], stats: Stats = NO_STATS) -> dict[str, Tick]:
    """The tick in a `ticker` answer, with its day. The answer does not name its product: `batch` is the one that was asked for."""
    row = table(decode(body), "ticker")
    (subscription,) = batch
    return {
        subscription.symbol: FIELDS.tick(
            row.get("price"),
            bid=row.get("bid"),
            ask=row.get("ask"),
            volume=row.get("volume"),
            quote_time=row.get("time"),
            open=stats.get("open"),
            high=stats.get("high"),
            low=stats.get("low"),
            currency=_quote_currency(subscription.id),
            known={"session": "closed" if untraded(row, "volume", "bid", "ask") else None},
        )
    }


def parse_stats(body: bytes) -> Stats:
    """The 24 hours in a `stats` answer."""
    row = table(decode(body), "stats")
    return {name: row.get(name) for name in ("open", "high", "low")}


def refusal(response: Response, product: str) -> FeedError:
    """Coinbase's own 400 or 404 is about the product; any other (a wrong `base_url`, a proxy's page) is not the product's fault."""
    message = error_object(response.body).get("message")
    words = message if isinstance(message, str) else ""
    error = product_error(words, product, response.body)
    if error is None:
        error = response.error()
        error.retryable = error.retryable or any(passing in words for passing in PASSING)
    return error


def product_error(words: str, product: str, payload: bytes) -> FeedError | None:
    """What Coinbase's words say of a product for good, `None` where they say something else."""
    if "delisted" in words:
        return delisted(product, payload)
    if any(told in words for told in UNKNOWN):
        return unknown("Coinbase", product, payload)
    return None


def delisted(product: str, payload: bytes = b"") -> FeedError:
    """What is said of a product that is traded no longer."""
    return FeedError(f"Coinbase has delisted {product!r}", retryable=False, rejects_symbol=True, payload=payload)


def _quote_currency(product: str) -> str | None:
    """What `BTC-USD` is priced in. A product's id is base and quote currency."""
    base, _, currency = product.rpartition("-")
    return currency if base and currency else None
