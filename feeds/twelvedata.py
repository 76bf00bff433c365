"""Twelve Data: shares of most exchanges, currencies, crypto. Many symbols a call, each costs a credit; a key.

`GET /quote?symbol=AAPL,EUR/USD` with the header `Authorization: apikey KEY` (https://twelvedata.com/docs#quote):

    {"AAPL":{"symbol":"AAPL","name":"Apple Inc.","exchange":"NASDAQ","mic_code":"XNGS","currency":"USD","datetime":"2025-12-02",
     "timestamp":1764685800,"last_quote_at":1764709140,"open":"283","high":"287.39999","low":"282.63000","close":"286.19000",
     "volume":"53615500","previous_close":"283.10001","change":"3.089996","percent_change":"1.091486","average_volume":"45722640",
     "is_market_open":false,"fifty_two_week":{…},"extended_price":"286.5","extended_percent_change":"0.11","extended_timestamp":1764720000},
     "EUR/USD":{"code":404,"message":"**symbol** or **figi** parameter is missing or invalid.","status":"error"}}

Rows are keyed by what was asked for; a single symbol's row comes bare. `close` is the price. `timestamp` (s) is when a share's session
began and, of what trades around the clock, the time of the price; `last_quote_at` (s, newer answers only) is that of the price everywhere.
Pairs have no `currency`, and their names (`currency_quote`) are no codes: the symbol has it.

Errors are `{"code":…,"message":…,"status":"error"}`, in a row or for all, with HTTP 200 or their own: 404 (older: 400) an unknown symbol,
401 a wrong key, 403 or 404 `… available starting with Grow plan …`, 429 `You have run out of API credits for the current minute. …` until
the minute of the clock ends, or `… for the current day …`. `api-credits-left` in the headers is what is left of the minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from pydantic import Field, HttpUrl

from feeds.api_keys import KeyedSettings
from feeds.base import About, Answer, Subscription
from feeds.http.feed import PolledFeed
from feeds.http.limit_headers import LONGEST_WAIT_S, credits_left, server_time_s, until_minute_ends_s
from feeds.values.batch import error_object, for_each, unknown
from feeds.values.fields import Fields
from feeds.values.pairs import slashed
from feeds.values.parse import decode, epoch_ms, shown, table
from ticker.errors import FeedError
from ticker.quote import MarketSession, Tick, VolumeOf
from ticker.rate_limit import Cost, Usage
from ticker.runtime import Runtime, in_turns
from ticker.settings import BudgetSettings, PolledSettings

CREDITS_A_MINUTE, CREDITS_A_DAY = 8, 800
"""The free plan has so many credits a minute."""
FIELDS = Fields(times="s", zero_until_traded=True, by_session=True)
ERRORS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS)


class TwelveDataBudget(BudgetSettings):
    """Limits of a key (https://twelvedata.com/pricing)."""

    credits_per_min: int = Field(
        CREDITS_A_MINUTE, ge=1, le=1_000_000, description="at most so many credits, one a symbol, in any minute; 8 in the free plan"
    )
    credits_per_day: int | None = Field(CREDITS_A_DAY, ge=1, le=10_000_000, description="the same in 24 hours; 800 in the free plan")


class TwelveDataSettings(KeyedSettings):
    """`[feeds.NAME]` of kind `twelvedata`."""

    interval_s: float = Field(
        120.0,
        ge=0.1,
        le=86_400,
        allow_inf_nan=False,
        description="time between two polls of a symbol; one symbol in the free plan: 108 at least",
    )
    budget: TwelveDataBudget = Field(TwelveDataBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.twelvedata.com"), description="scheme, host and path prefix of the provider")


class TwelveData(PolledFeed):
    """`kind = "twelvedata"`."""

    kind = "twelvedata"
    about = About(
        brings="shares of most exchanges, currencies, crypto",
        ids="`AAPL`, `SBIN:NSE`, `EUR/USD`; from `BTC-USD`",
        limits="8 credits a minute, 800 a day; a symbol costs one",
        delay="none to 4 h, by plan and exchange",
        time="the last minute's; none for the opening bell",
        market="open or closed",
        note="up to 4 h behind, by exchange",
    )
    Settings: ClassVar[type[PolledSettings]] = TwelveDataSettings
    settings: TwelveDataSettings
    batch_size: ClassVar[int | None] = CREDITS_A_MINUTE
    """A call may name 120, but one that costs more than the free plan's minute has is refused whole, and two cost what one costs."""
    volume_of: ClassVar[VolumeOf] = "session"

    def __init__(self, name: str, settings: TwelveDataSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime, {"Authorization": f"apikey {settings.key()}"})

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BTC-USD` is `BTC/USD` there."""
        return slashed(symbol)

    @classmethod
    def cost(cls, symbols: int) -> Cost:
        return {"calls": 1, "credits": symbols}

    @classmethod
    def usage(cls, headers: Mapping[str, str], now_s: float) -> Iterable[Usage]:
        return credits_left(headers, now_s)

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        ids = list(dict.fromkeys(subscription.id for subscription in batch))
        response = self.http.get("/quote", {"symbol": ",".join(ids)}, accept=ERRORS, cost=self.cost(len(ids)))
        now_s = server_time_s(response.headers)
        if not response.ok and not is_error(error_object(response.body)):
            raise response.error(until_minute_ends_s(now_s))
        return parse(response.body, batch, now_s)


def parse(body: bytes, batch: Sequence[Subscription], now_s: float) -> dict[str, Tick | FeedError]:
    """The ticks of a `quote` answer, by our symbol. Raises `FeedError` where it is an error as a whole; `now_s` is the provider's time."""
    answer = table(decode(body), "answer")
    if is_error(answer):
        raise refusal(answer, batch, now_s)
    if isinstance(answer.get("symbol"), str):  # bare: of the one that was asked for
        rows = {key_of(subscription.id): answer for subscription in batch}
    else:
        rows = {key_of(key): row for key, row in in_turns(answer.items())}

    def read(subscription: Subscription) -> Tick:
        row = rows.get(key_of(subscription.id))
        if row is None:
            raise FeedError(f"no row for {subscription.id}", payload=body)
        row = table(row, subscription.id)
        if is_error(row):
            raise refusal(row, [subscription], now_s)
        return _tick(row, subscription.id)

    ticks = for_each(batch, read)
    limits = [error for error in ticks.values() if isinstance(error, FeedError) and error.retry_after_s is not None]
    if len(limits) == len(ticks):  # nothing but that there is no more to be had
        raise limits[0]
    return ticks


def is_error(row: Mapping[str, Any]) -> bool:
    """Whether an answer, or a row of one, is an error."""
    return row.get("status") == "error" or ("code" in row and "message" in row)


def refusal(error: Mapping[str, Any], batch: Sequence[Subscription], now_s: float) -> FeedError:
    """What an error means: no more credits, a wrong key, or a symbol of `batch` that is unknown or in another plan."""
    code, message = error.get("code"), str(error.get("message"))
    asked = ", ".join(repr(subscription.id) for subscription in batch)
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        wait_s = LONGEST_WAIT_S if "day" in message else until_minute_ends_s(now_s)
        return FeedError("Twelve Data's credits are spent", retry_after_s=wait_s, payload=message)
    if "plan" in message and code in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        words = f"Twelve Data: the plan of this key does not include {asked}"
        return FeedError(words, retryable=False, rejects_symbol=True, payload=message)
    if "symbol" in message and code in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
        return unknown("Twelve Data", ", ".join(subscription.id for subscription in batch), message.encode())
    if code == HTTPStatus.UNAUTHORIZED:
        return FeedError("Twelve Data refuses the key", retryable=False, payload=message)
    client_error = isinstance(code, int) and 400 <= code <= 499
    return FeedError("Twelve Data answers an error", retryable=not client_error, payload=shown(error))


def key_of(id: str) -> str:
    """The one spelling of an id: `eur/usd` and `EUR/USD` are one."""
    return id.upper()


def _tick(row: Mapping[str, Any], id: str) -> Tick:
    _check_symbol(row, id)
    is_pair, is_open = "/" in id, row.get("is_market_open")
    made = row.get("last_quote_at")
    if is_pair and made in (None, "", 0):  # it trades around the clock: no session's beginning
        made = row.get("timestamp")
    extended_ms = _ms(row.get("extended_timestamp"))
    extended = row if is_open is not True and extended_ms is not None and extended_ms > (_ms(made) or 0) else {}
    session: MarketSession | None = ("regular" if is_open else "closed") if isinstance(is_open, bool) else None
    return FIELDS.tick(
        row.get("close"),
        open=row.get("open"),
        high=row.get("high"),
        low=row.get("low"),
        prev_close=row.get("previous_close"),
        volume=row.get("volume"),
        change=row.get("change"),
        change_pct=row.get("percent_change"),
        quote_time=made,
        currency=row.get("currency") or (id.partition(":")[0].rpartition("/")[2].upper() if is_pair else None),
        ext_price=extended.get("extended_price"),
        ext_change_pct=extended.get("extended_percent_change"),
        ext_time=extended.get("extended_timestamp"),
        known={"session": session, "volume_of": "24h" if is_pair else None},
    )


def _ms(value: object) -> int | None:
    """A time that is compared, where there is one."""
    try:
        return epoch_ms(value, "time", "s")
    except FeedError:
        return None


def _check_symbol(row: Mapping[str, Any], id: str) -> None:
    """Whether a row says that it is another symbol's. The exchange of `SBIN:NSE` is not in the row's `symbol`."""
    symbol = row.get("symbol")
    if isinstance(symbol, str) and symbol.upper() not in {key_of(id), key_of(id.partition(":")[0])}:
        raise FeedError(f"not the row of {id}", payload=shown(symbol))
