"""Tiingo: US shares as they trade at one exchange, IEX by day or BOATS (Blue Ocean) by night. Many symbols a call, a key.

`GET /iex/?tickers=AAPL,SPY` with the header `Authorization: Token KEY` (https://www.tiingo.com/documentation/iex):

    [{"ticker":"IBM","timestamp":"2024-06-24T10:28:57.053159184-04:00","lastSaleTimestamp":"2024-06-24T10:28:57.053159184-04:00",
     "quoteTimestamp":"2024-06-24T10:28:50.950142514-04:00","open":174.69,"high":178.46,"low":174.31,"mid":179.55,"tngoLast":177.97,
     "last":177.97,"lastSize":10,"bidSize":400,"bidPrice":174.1,"askPrice":185.0,"askSize":162,"prevClose":172.46,"volume":39782}]

`GET /boats/?tickers=AAPL,SPY` (https://www.tiingo.com/documentation/boats; beta since 2026-07, an add-on) has the same rows of the night,
from 20:00 to 3:59 in New York: `open`, `high`, `low` and `volume` are the night's, `prevClose` is the close of the day before, wherever.

`tngoLast` is the last trade, or the middle of bid and ask where Tiingo trusts that more; without an agreement with the exchange it is the
only price there is. After hours bid, ask and sizes are null or 0; a price of 0 is none. Times have the exchange's offset and nine digits
of a second. The volume is that of this exchange, a few percent of all.

What does not exist is left out. Errors are `{"detail":"…"}`, with 401, 403, 404 or 429, and sometimes with 200, or as bare text: "Error:
You have run over your hourly request allocation. …", daily, or of "unique symbols" in a month. For nothing: 50 calls an hour, 1,000 a day.
Classes of shares have a dash: `BRK-B`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Literal

from pydantic import Field, HttpUrl

from feeds.api_keys import KeyedSettings
from feeds.base import About, Answer, Subscription
from feeds.http.client import Response
from feeds.http.feed import PolledFeed
from feeds.http.limit_headers import LONGEST_WAIT_S
from feeds.values.batch import error_object, for_each, unknown
from feeds.values.conditions import us_session_by_time
from feeds.values.fields import Fields
from feeds.values.parse import array, decode
from ticker.errors import FeedError
from ticker.quote import Tick, VolumeOf
from ticker.runtime import Runtime, in_turns
from ticker.settings import BudgetSettings, PolledSettings

FIELDS = Fields(zero_until_traded=True, by_session=True)
REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class TiingoBudget(BudgetSettings):
    """Limits of a key (https://www.tiingo.com/about/pricing)."""

    calls_per_hour: int | None = Field(50, ge=1, le=1_000_000, description="at most so many calls in any hour; 50 in the free plan")
    calls_per_day: int | None = Field(1000, ge=1, le=10_000_000, description="the same in any 24 hours; 1000 in the free plan")


class TiingoSettings(KeyedSettings):
    """`[feeds.NAME]` of kind `tiingo`."""

    interval_s: float = Field(
        120.0, ge=0.1, le=86_400, allow_inf_nan=False, description="time between two polls; in the free plan 87 at least"
    )
    budget: TiingoBudget = Field(TiingoBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.tiingo.com"), description="scheme, host and path prefix of the provider")
    data_feed: Literal["iex", "boats"] = Field("iex", description="which exchange; boats is that of the night, an add-on to the plan")


class Tiingo(PolledFeed):
    """`kind = "tiingo"`."""

    kind = "tiingo"
    about = About(
        brings="US shares at one exchange (IEX; by night BOATS)",
        ids="`AAPL`, `BRK-B`; from `BRK.B`",
        limits="50 calls an hour, 1,000 a day",
        time="the trade's, or the quote's",
        market="`session` is that of the price's time: use a calendar",
        note="one exchange only, IEX or BOATS",
    )
    Settings: ClassVar[type[PolledSettings]] = TiingoSettings
    settings: TiingoSettings
    batch_size: ClassVar[int | None] = 200
    """The address of a call with 200 symbols is 1 to 2 KB long; servers refuse one of more than 8 KB."""
    volume_of: ClassVar[VolumeOf] = "session"

    def __init__(self, name: str, settings: TiingoSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime, {"Authorization": f"Token {settings.key()}"})

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BRK.B` is `BRK-B` there."""
        return symbol.replace(".", "-")

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        tickers = ",".join(dict.fromkeys(subscription.id for subscription in batch))
        response = self.http.get(f"/{self.settings.data_feed}/", {"tickers": tickers}, accept=REFUSALS)
        if not response.ok:
            raise self._refused(response)
        return parse(response.body, batch)

    def _refused(self, response: Response) -> FeedError:
        """What a 401 or 403 means: a wrong key, or that the plan has no nights. With what words the latter is said nobody tells."""
        detail = error_object(response.body).get("detail")
        if isinstance(detail, str) and "token" in detail.lower():
            return FeedError("Tiingo refuses the key", retryable=False, payload=detail)
        if isinstance(detail, str) and self.settings.data_feed == "boats":
            return FeedError("Tiingo: the plan of this key does not include BOATS, an add-on", retryable=False, payload=detail)
        return response.error()


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
        return _tick(row)

    return for_each(batch, read)


def refusal(body: bytes) -> FeedError:
    """What stands in place of rows: an error with HTTP 200, as JSON or as text."""
    words = body[:1000].lower()
    if b"run over your" in words:
        return FeedError("Tiingo: no more calls", retry_after_s=LONGEST_WAIT_S, retryable=b"unique symbol" not in words, payload=body)
    if b"token" in words:
        return FeedError("Tiingo refuses the key", retryable=False, payload=body)
    return FeedError("Tiingo answers no rows", payload=body or b"(empty)")


def _tick(row: Mapping[str, Any]) -> Tick:
    last = row.get("tngoLast")
    made_by = "lastSaleTimestamp" if last == row.get("last") else "quoteTimestamp" if last == row.get("mid") else "timestamp"
    made = row.get(made_by) or row.get("timestamp") or ""
    made_ms = FIELDS.time(made)
    return FIELDS.tick(
        last,
        bid=row.get("bidPrice"),
        ask=row.get("askPrice"),
        open=row.get("open"),
        high=row.get("high"),
        low=row.get("low"),
        prev_close=row.get("prevClose"),
        volume=row.get("volume"),
        currency="USD",
        quote_time=made,
        known={"session": None if made_ms is None else us_session_by_time(made_ms)},
    )
