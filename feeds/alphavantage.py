"""Alpha Vantage: shares of many exchanges, by default as of the last close. One symbol a call, 25 calls a day, a key.

`GET /query?function=GLOBAL_QUOTE&symbol=MSFT&apikey=KEY` (https://www.alphavantage.co/documentation/#latestprice):

    {"Global Quote":{"01. symbol":"MSFT","02. open":"112.6300","03. high":"113.1700","04. low":"110.6400","05. price":"112.1300",
     "06. volume":"29062853","07. latest trading day":"2018-10-05","08. previous close":"112.7900","09. change":"-0.6600",
     "10. change percent":"-0.5852%"}}

There is no currency and no time: of the last close the day, which is that of its exchange (the part behind the point). Plans that pay get
newer prices with `entitlement=realtime`, or `delayed` by 15 minutes; then the key is `Global Quote - DATA DELAYED BY 15 MINUTES`. The key
can go into the query only, and comes back in some answers.

Everything is HTTP 200. An unknown symbol is `{"Global Quote":{}}`. A wrong key, or a question that makes no sense, is
`{"Error Message":"…"}`. Limits are `{"Information":"…"}`, with older keys `{"Note":"…"}`: "… our standard API rate limit is 25 requests per
day. …" and, faster than one a second, "… consider spreading out your free API requests more sparingly (1 request per second). …", which
names both limits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, HttpUrl

from feeds.api_keys import KeyedSettings
from feeds.base import About, Answer, Subscription
from feeds.http.feed import PolledFeed
from feeds.http.limit_headers import LONGEST_WAIT_S, SHORTEST_WAIT_S
from feeds.values.batch import for_each, unknown
from feeds.values.fields import Fields
from feeds.values.pairs import DAY_MIN
from feeds.values.parse import decode, table
from ticker.errors import FeedError
from ticker.quote import Tick, VolumeOf
from ticker.settings import BudgetSettings, PolledSettings

QUOTE = "Global Quote"
CLOSES = {
    "": ("America/New_York", time(16)), "LON": ("Europe/London", time(16, 30)), "TRT": ("America/Toronto", time(16)),
    "TRV": ("America/Toronto", time(16)), "DEX": ("Europe/Berlin", time(17, 30)), "BSE": ("Asia/Kolkata", time(15, 30)),
    "SHH": ("Asia/Shanghai", time(15)), "SHZ": ("Asia/Shanghai", time(15))}  # fmt: skip
"""When the exchanges close that the documentation names, by the part of a symbol behind its point."""
FIELDS = Fields(times="ms", zero_until_traded=True, by_session=True)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DELAYED = re.compile(r"DELAYED BY ([0-9]{1,4}) MINUTES")


class AlphaVantageBudget(BudgetSettings):
    """Limits of a key (https://www.alphavantage.co/support/#support)."""

    calls_per_s: int = Field(1, ge=1, le=100, description="at most so many calls in any second; 1 for a free key")
    calls_per_day: int | None = Field(25, ge=1, le=10_000_000, description="the same in any 24 hours; 25 for a free key")


class AlphaVantageSettings(KeyedSettings):
    """`[feeds.NAME]` of kind `alphavantage`."""

    interval_s: float = Field(
        4320.0,
        ge=0.1,
        le=86_400,
        allow_inf_nan=False,
        description="time between two polls of a symbol; one symbol and a free key: 3840 at least",
    )
    budget: AlphaVantageBudget = Field(
        AlphaVantageBudget(), description="the most to spend with the provider; intervals grow until they fit"
    )
    base_url: HttpUrl = Field(HttpUrl("https://www.alphavantage.co"), description="scheme, host and path prefix of the provider")
    entitlement: Literal["realtime", "delayed"] | None = Field(
        None, description="which newer prices the plan pays for; unset: those of the last close"
    )


class AlphaVantage(PolledFeed):
    """`kind = "alphavantage"`."""

    kind = "alphavantage"
    about = About(
        brings="shares of many exchanges",
        ids="`IBM`, `TSCO.LON`",
        limits="25 calls a day, 1 a second",
        delay="a day; 15 min or none by plan",
        time="the close's, without `entitlement`; else not given",
        same_answer="nothing; else it is current",
        market="not said",
        note="without `entitlement` it is the last close, a price a day (`delay_min` 1440)",
    )
    Settings: ClassVar[type[PolledSettings]] = AlphaVantageSettings
    settings: AlphaVantageSettings
    volume_of: ClassVar[VolumeOf] = "session"

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        (subscription,) = batch
        query = {"function": "GLOBAL_QUOTE", "symbol": subscription.id, "apikey": self.settings.key()}
        if self.settings.entitlement is not None:
            query["entitlement"] = self.settings.entitlement
        closing = self.settings.entitlement is None
        return parse(self.http.get("/query", query).body, batch, DAY_MIN if closing else None)


def parse(body: bytes, batch: Sequence[Subscription], delay_min: float | None) -> dict[str, Tick | FeedError]:
    """The tick of a `GLOBAL_QUOTE` answer. `delay_min` is what the prices that were asked for lag behind, if the answer does not say."""
    answer = table(decode(body), "answer")
    (subscription,) = batch
    for kind in ("Error Message", "Information", "Note"):  # in this order: what stands beside them is no quote
        if kind in answer:
            raise refusal(str(answer[kind]), subscription.id)
    key = next((key for key in answer if key.startswith(QUOTE)), QUOTE)
    row = table(answer.get(key), QUOTE)
    if not row:
        raise unknown("Alpha Vantage", subscription.id)
    said = DELAYED.search(key)
    return for_each(batch, lambda one: _tick(row, one.id, float(said[1]) if said else delay_min))


def refusal(message: str, id: str) -> FeedError:
    """What a message in place of a quote means."""
    words = message.lower()
    if "spreading out" in words or "per second" in words:  # before the day's limit: it names that too
        return FeedError("Alpha Vantage: more than a call a second", retry_after_s=SHORTEST_WAIT_S, payload=message)
    if "per day" in words or "rate limit" in words or "call frequency" in words:
        return FeedError("Alpha Vantage: no more calls today", retry_after_s=LONGEST_WAIT_S, payload=message)
    if "premium" in words:  # after the limits: they name premium plans, too
        return FeedError("Alpha Vantage: the plan of this key does not include what is asked for", retryable=False, payload=message)
    if "apikey" in words or "api key" in words:
        return FeedError("Alpha Vantage refuses the key", retryable=False, payload=message)
    if "invalid api call" in words:  # of all that was asked only the symbol can be wrong
        return unknown("Alpha Vantage", id, message.encode())
    return FeedError("Alpha Vantage answers an error", payload=message)


def _tick(row: Mapping[str, Any], id: str, delay_min: float | None) -> Tick:
    symbol = row.get("01. symbol")
    if isinstance(symbol, str) and symbol.upper() != id.upper():
        raise FeedError(f"not the quote of {id}", payload=symbol)
    is_close = delay_min == DAY_MIN
    return FIELDS.tick(
        row.get("05. price"),
        open=row.get("02. open"),
        high=row.get("03. high"),
        low=row.get("04. low"),
        prev_close=row.get("08. previous close"),
        volume=row.get("06. volume"),
        change=row.get("09. change"),
        change_pct=row.get("10. change percent"),
        delay_min=delay_min,
        quote_time=_closed(row.get("07. latest trading day"), id) if is_close else None,
        known={"cadence": "day" if is_close else None},
    )


def _closed(day: object, id: str) -> object:
    """When the exchange of a symbol closed on a day, epoch ms; what is no day in an array: as odd."""
    zone, close = CLOSES.get(id.partition(".")[2], ("", None))
    if close is None:
        return None
    if day in (None, ""):
        return ""
    try:
        if not isinstance(day, str) or not DAY.fullmatch(day):
            return [day]
        return int(datetime.combine(date.fromisoformat(day), close, ZoneInfo(zone)).timestamp() * 1000)
    except ValueError:
        return [day]
