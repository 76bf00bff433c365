"""Tiingo IEX: US shares as they trade at that one exchange. Many symbols a call, a key.

`GET /iex/?tickers=AAPL,SPY` with the header `Authorization: Token KEY` (https://www.tiingo.com/documentation/iex):

    [{"ticker":"IBM","timestamp":"2024-06-24T10:28:57.053159184-04:00","lastSaleTimestamp":"2024-06-24T10:28:57.053159184-04:00",
     "quoteTimestamp":"2024-06-24T10:28:50.950142514-04:00","open":174.69,"high":178.46,"low":174.31,"mid":179.55,"tngoLast":177.97,
     "last":177.97,"lastSize":10,"bidSize":400,"bidPrice":174.1,"askPrice":185.0,"askSize":162,"prevClose":172.46,"volume":39782}]

`tngoLast` is the last trade, or the middle of bid and ask where Tiingo trusts that more; without an agreement with the exchange it is the
only price there is. After hours bid, ask and sizes are null or 0. Times have the exchange's offset and nine digits of a second. The volume
is that of this exchange, a few percent of all.

What does not exist is left out. Errors are `{"detail":"…"}`, with 401, 403, 404 or 429, and sometimes with 200, or as bare text: "Error:
You have run over your hourly request allocation. …", daily, or of "unique symbols" in a month. For nothing: 50 calls an hour, 1,000 a day.
Classes of shares have a dash: `BRK-B`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, HttpUrl

from feeds.base import Answer, Subscription
from feeds.keys import KeyedSettings
from feeds.limits import LONGEST_WAIT_S
from feeds.parse import array, decode, optional_iso_ms, optional_price, optional_size, price
from feeds.polled import PolledFeed
from feeds.rows import for_each, unknown
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings
from ticker.turn import in_turns


class TiingoBudget(BudgetSettings):
    """Limits of a key (https://www.tiingo.com/about/pricing)."""

    calls_per_hour: int | None = Field(50, ge=1, le=1_000_000, description="at most so many calls in any hour; 50 in the free plan")
    calls_per_day: int | None = Field(1000, ge=1, le=10_000_000, description="the same in any 24 hours; 1000 in the free plan")


class TiingoSettings(KeyedSettings):
    """`[feeds.NAME]` of kind `tiingo`."""

    interval_s: float = Field(120.0, ge=0.1, le=86_400, allow_inf_nan=False,
                              description="time between two polls; in the free plan 87 at least")
    budget: TiingoBudget = Field(TiingoBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.tiingo.com"), description="scheme, host and path prefix of the provider")


class Tiingo(PolledFeed):
    """`kind = "tiingo"`."""

    kind = "tiingo"
    Settings: ClassVar[type[PolledSettings]] = TiingoSettings
    batch_size: ClassVar[int | None] = 200
    """The address of a call with 200 symbols is 1 to 2 KB long; servers refuse one of more than 8 KB."""

    def __init__(self, name: str, settings: TiingoSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime, {"Authorization": f"Token {settings.key()}"})

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BRK.B` is `BRK-B` there."""
        return symbol.replace(".", "-")

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        tickers = ",".join(dict.fromkeys(subscription.id for subscription in batch))
        return parse(self.http.get("/iex/", {"tickers": tickers}).body, batch)


def parse(body: bytes, batch: Sequence[Subscription]) -> dict[str, Tick | FeedError]:
    """The ticks of an `iex` answer, by our symbol. Raises `FeedError` where it is an error as a whole."""
    if not body.lstrip().startswith((b"[", b"\xef\xbb\xbf[")):
        raise refusal(body)
    rows: dict[str, Mapping[str, Any]] = {}
    for row in in_turns(array(decode(body), "answer")):
        if isinstance(row, dict) and isinstance(row.get("ticker"), str):
            rows[row["ticker"].upper()] = row

    def read(subscription: Subscription) -> Tick:
        row = rows.get(subscription.id.upper())
        if row is None:
            raise unknown("Tiingo", subscription.id)
        return _tick(row, subscription.id)

    return for_each(batch, read)


def refusal(body: bytes) -> FeedError:
    """What stands in place of rows: an error with HTTP 200, as JSON or as text."""
    words = body[:1000].lower()
    if b"run over your" in words:
        return FeedError("Tiingo: no more calls", retry_after_s=LONGEST_WAIT_S, retryable=b"unique symbol" not in words, payload=body)
    if b"token" in words:
        return FeedError("Tiingo refuses the key", retryable=False, payload=body)
    return FeedError("Tiingo answers no rows", payload=body or b"(empty)")


def _tick(row: Mapping[str, Any], id: str) -> Tick:
    last = row.get("tngoLast")
    made_by = "lastSaleTimestamp" if last == row.get("last") else "quoteTimestamp" if last == row.get("mid") else "timestamp"
    return Tick(
        price=price(last, f"{id} tngoLast"),
        bid=optional_price(row.get("bidPrice"), f"{id} bidPrice"),
        ask=optional_price(row.get("askPrice"), f"{id} askPrice"),
        open=optional_price(row.get("open"), f"{id} open"),
        high=optional_price(row.get("high"), f"{id} high"),
        low=optional_price(row.get("low"), f"{id} low"),
        prev_close=optional_price(row.get("prevClose"), f"{id} prevClose"),
        volume=optional_size(row.get("volume"), f"{id} volume"),
        currency="USD",
        quote_time=optional_iso_ms(row.get(made_by) or row.get("timestamp"), f"{id} {made_by}"),
    )
