"""Finnhub: US shares in real time, other exchanges by plan, crypto and currencies. One symbol a call, a key.

`GET /api/v1/quote?symbol=AAPL` with the header `X-Finnhub-Token` (https://finnhub.io/docs/api/quote):

    {"c":291.15,"d":-4.48,"dp":-1.5154,"h":297.14,"l":289.62,"o":296.04,"pc":295.63,"t":1781294400}

c price, d change, dp change in percent, h l o of the day, pc previous close, t time of the last trade in s. The answer does not name its
symbol, and there is no bid, ask, volume or currency.

What Finnhub does not know has zeros and nulls, with HTTP 200: `{"c":0,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":0}`. Known symbols
have them too, now and then, when it is busy. Errors are `{"error":"…"}`, sometimes with HTTP 200: 401 for a wrong key, 403 for a symbol
that the plan does not include, 429 `API limit reached. Please try again later. Remaining Limit: 0`, with `X-Ratelimit-Reset` in epoch s.
Symbols are as on its site: `AAPL`, `BRK.B`, `ERE.UN.TO`, `BINANCE:BTCUSDT`, `OANDA:EUR_USD`.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from pydantic import Field, HttpUrl

from feeds.base import Answer, Subscription
from feeds.http import Response
from feeds.keys import KeyedSettings
from feeds.parse import decode, optional_epoch_ms, optional_number, optional_pct, optional_price, price, table
from feeds.polled import PolledFeed
from feeds.rows import error_object, unknown
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings

LIMITED_WAIT_S = 60.0
"""How long to wait when the limit is told with HTTP 200, and so without headers: the limit is one of a minute."""


class FinnhubBudget(BudgetSettings):
    """Limits of a key (https://finnhub.io/docs/api/rate-limit)."""

    calls_per_s: int = Field(30, ge=1, le=30, description="at most so many calls in any second; 30 in every plan")
    calls_per_min: int = Field(60, ge=1, le=1800, description="the same in any minute; 60 in the free plan")


class FinnhubSettings(KeyedSettings):
    """`[feeds.NAME]` of kind `finnhub`."""

    budget: FinnhubBudget = Field(FinnhubBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://finnhub.io"), description="scheme, host and path prefix of the provider")


class Finnhub(PolledFeed):
    """`kind = "finnhub"`."""

    kind = "finnhub"
    Settings: ClassVar[type[PolledSettings]] = FinnhubSettings
    settings: FinnhubSettings

    def __init__(self, name: str, settings: FinnhubSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime, {"X-Finnhub-Token": settings.key()})
        self._priced: set[str] = set()  # ids that had a price once
        self._blank: set[str] = set()  # ids that never had one and whose last answer was zeros

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        (subscription,) = batch
        response = self.http.get("/api/v1/quote", {"symbol": subscription.id}, accept=(HTTPStatus.FORBIDDEN,))
        if response.status == HTTPStatus.FORBIDDEN:
            raise forbidden(response, subscription.id)
        tick = parse(response.body, batch)[subscription.symbol]
        if tick is None:
            raise self._nothing(subscription.id)
        self._priced.add(subscription.id)
        self._blank.discard(subscription.id)
        return {subscription.symbol: tick}

    def _nothing(self, id: str) -> FeedError:
        """Zeros for a symbol that once had a price pass; the first of one that never had may; the second mean that there is no such."""
        if id in self._priced or id not in self._blank:
            self._blank |= {id} - self._priced
            return FeedError(f"Finnhub has no price for {id!r} at the moment")
        return unknown("Finnhub", id)


def parse(body: bytes, batch: Sequence[Subscription]) -> dict[str, Tick | None]:
    """The tick in a `quote` answer, `None` where it is all zeros. The answer does not name its symbol: `batch` is the one asked for."""
    row = table(decode(body), "quote")
    if "error" in row:
        limited = "limit" in str(row["error"]).lower()
        raise FeedError("Finnhub answers an error", payload=body, retry_after_s=LIMITED_WAIT_S if limited else None)
    (subscription,) = batch
    return {subscription.symbol: _tick(row)}


def forbidden(response: Response, id: str) -> FeedError:
    """Finnhub's own 403 is about the symbol (its exchange is in another plan); any other is somebody's on the way."""
    if "access" not in str(error_object(response).get("error")):
        return response.error()
    return FeedError(f"Finnhub's plan does not include {id!r}", retryable=False, rejects_symbol=True, payload=response.body)


def _tick(row: dict[str, Any]) -> Tick | None:
    if row.get("c") == 0 and row.get("t") == 0:
        return None
    return Tick(
        price=price(row.get("c"), "c"),
        open=optional_price(row.get("o"), "o"),
        high=optional_price(row.get("h"), "h"),
        low=optional_price(row.get("l"), "l"),
        prev_close=optional_price(row.get("pc"), "pc"),
        change=optional_number(row.get("d"), "d"),
        change_pct=optional_pct(row.get("dp"), "dp"),
        quote_time=optional_epoch_ms(row.get("t"), "t", "s"),
    )
