"""Finnhub: US shares in real time, other exchanges by plan, crypto and currencies. One symbol a call, a key.

`GET /api/v1/quote?symbol=AAPL` with the header `X-Finnhub-Token` (https://finnhub.io/docs/api/quote):

    {"c":291.15,"d":-4.48,"dp":-1.5154,"h":297.14,"l":289.62,"o":296.04,"pc":295.63,"t":1781294400}

c price, d change, dp change in percent, h l o of the day, pc previous close, t time of the last trade in s (the close's is 16:00:00 sharp).
The answer does not name its symbol, and there is no bid, ask, volume or currency, nor a word of conditions, corrections or halts.

What Finnhub does not know has zeros and nulls, with HTTP 200: `{"c":0,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":0}`, or some of
them: before a day's first trade h, l and o are 0. Known symbols have them all, now and then, when it is busy. Errors are
`{"error":"…"}`, sometimes with HTTP 200: 401 for a wrong key, 403 for a symbol that the plan does not include, 429 `API limit reached.
Please try again later. Remaining Limit: 0`, with `X-Ratelimit-Reset` in epoch s.
Symbols are as on its site: `AAPL`, `BRK.B`, `ERE.UN.TO`, `BINANCE:BTCUSDT`, `OANDA:EUR_USD`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from http import HTTPStatus
from typing import Any, ClassVar

from pydantic import Field, HttpUrl

from feeds.api_keys import KeyedSettings
from feeds.base import About, Answer, Subscription
from feeds.http.client import Response
from feeds.http.feed import PolledFeed
from feeds.values.batch import error_object, unknown
from feeds.values.conditions import us_session_by_time, us_trading_day
from feeds.values.fields import Fields
from feeds.values.parse import decode, shown, table
from ticker.errors import FeedError
from ticker.quote import MarketSession, Tick
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings

FIELDS = Fields(times="s", by_session=True)
US_SHARE = re.compile(r"[A-Z]+(\.[ABC])?")
"""`AAPL`, `BRK.B`; another exchange is named behind the last dot (`VOD.L`), another market before a colon."""
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
    about = About(
        brings="US shares; more by plan",
        ids="`AAPL`, `BINANCE:BTCUSDT`, `OANDA:EUR_USD`",
        limits="60 calls a minute, 30 a second",
        time="the last trade's",
        market="not said: use a calendar",
        note="`session` of US shares by the trade's time",
    )
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
    return {subscription.symbol: _tick(row, subscription.id)}


def forbidden(response: Response, id: str) -> FeedError:
    """Finnhub's own 403 is about the symbol (its exchange is in another plan); any other is somebody's on the way."""
    if "access" not in str(error_object(response.body).get("error")):
        return response.error()
    return FeedError(f"Finnhub's plan does not include {id!r}", retryable=False, rejects_symbol=True, payload=response.body)


def day_of(id: str) -> Callable[[int], date]:
    """What tells the trading day of a time, in the market of `id`: that of New York has room for every exchange's; others have no days."""
    return _no_day if ":" in id else us_trading_day


def session_of(id: str, made_ms: int | None) -> MarketSession | None:
    """The session of a trade of `id`, by its time; `None` where that is not for us to say."""
    if made_ms is None or not US_SHARE.fullmatch(id):
        return None
    return us_session_by_time(made_ms)


def _tick(row: dict[str, Any], id: str) -> Tick | None:
    if row.get("c") in (0, None):
        if row.get("t") in (0, None):
            return None
        raise FeedError(f"Finnhub has no price for {id!r} at the moment", payload=shown(row))
    change, change_pct = (row.get("d"), row.get("dp")) if row.get("pc") else (None, None)
    return FIELDS.tick(
        row.get("c"),
        open=row.get("o"),
        high=row.get("h"),
        low=row.get("l"),
        prev_close=row.get("pc"),
        change=change,
        change_pct=change_pct,
        quote_time=row.get("t"),
        known={"session": session_of(id, FIELDS.time(row.get("t")))},
    )


def _no_day(time_ms: int) -> date:
    return date.min
