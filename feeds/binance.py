"""Binance spot, public market data. Many symbols a call, no key.

`GET /api/v3/ticker/24hr?symbols=["BTCUSDT","ETHUSDT"]`
(https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints#24hr-ticker-price-change-statistics):

    [{"symbol":"BTCUSDT","priceChange":"-166.82000000","priceChangePercent":"-2.427","weightedAvgPrice":"6786.67321489",
      "prevClosePrice":"6872.37000000","lastPrice":"6705.82000000","lastQty":"0.01000000","bidPrice":"6705.88000000",
      "bidQty":"0.18401100","askPrice":"6706.21000000","askQty":"0.19518800","openPrice":"6872.64000000",
      "highPrice":"6933.00000000","lowPrice":"6680.10000000","volume":"57857.49485700","quoteVolume":"392659910.62660750",
      "openTime":1586904878494,"closeTime":1586991278494,"firstId":294247387,"lastId":294801814,"count":554428}, …]

The window is the last 24 hours: `openPrice` is the price of a day ago, `priceChange` counts from it, and `prevClosePrice` is the last
trade before it, no session's close. `priceChangePercent` is in percent. `closeTime` is when the window ends: the time of the numbers.
It moves without trades, of a coin that was delisted too (those stay in the answers with their last price: GLEECBTC/coins#895), so a market
with no trade in the window, no bid and no ask is closed; `type=MINI` has no bid and no ask for anybody, and proves nothing. A last price
of 0 is that of a market in which nobody ever traded.

Symbols are concatenated capitals, without spaces between them in the list, each once. There is no dollar market: BTCUSDT is
priced in Tether, and `BTC-USD` (BTCUSD there) is refused rather than answered with another currency's price.

One bad symbol fails the whole call with HTTP 400 and is not named: `{"code":-1121,"msg":"Invalid symbol."}`, or -1100 where it has
a character that no symbol has. A call costs weight: 2 for up to 20 symbols, 40 for up to 100, 80 above; an address has 6000 a
minute, at Binance.US (https://docs.binance.us/#general-api-information; the same paths and rows) 1200. Beyond them: 429, then 418 (a ban
from 2 minutes to 3 days, longer with each further call), both with `Retry-After`. Every answer says in `X-MBX-USED-WEIGHT-1M` what all
programs behind this address have used of the minute: it counts against `budget.weight_per_min`.

Paths, fields and codes as in binance-spot-api-docs (`rest-api.md`, `errors.md`) and ccxt's `binance.ts`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
from pydantic import Field, HttpUrl, model_validator

from feeds.base import About, Answer, Subscription
from feeds.http.client import Response
from feeds.http.feed import PolledFeed
from feeds.http.limit_headers import LONGEST_BAN_S, bounded_wait_s, retry_after_s, until_minute_ends_s
from feeds.values.fields import Fields, untraded
from feeds.values.parse import decode, table
from ticker.errors import FeedError
from ticker.quote import Tick, VolumeOf
from ticker.rate_limit import Cost, Usage
from ticker.runtime import in_turns
from ticker.settings import BudgetSettings, PolledSettings

BAD_SYMBOL_CODES = frozenset({-1121, -1100})
BANNED_UNTIL = re.compile(rb"banned until ([0-9]{13})")
"""How the body of a 418 says until when the ban lasts, in epoch ms."""
US_HOST = re.compile(r"https?://(?:[^/@:]+\.)?binance\.us(?:[:/]|$)", re.IGNORECASE)
WEIGHT_A_MINUTE, WEIGHT_A_MINUTE_US = 6000, 1200
LEFT_TO_OTHERS = 20
"""One part in so many of a minute's weight is left to others: what they use meanwhile must not bring the 429 upon us."""

FIELDS = Fields(times="ms", zero_until_traded=True)


class BinanceBudget(BudgetSettings):
    """Limits for an address (https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits)."""

    weight_per_min: int = Field(
        WEIGHT_A_MINUTE,
        ge=2,
        le=WEIGHT_A_MINUTE,
        description="of Binance's weight, in any minute, of all that use the address; a call for 20 symbols "
        "weighs 2; 1200 where base_url is Binance.US",
    )


class BinanceSettings(PolledSettings):
    """`[feeds.NAME]` of kind `binance`."""

    budget: BinanceBudget = Field(BinanceBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.binance.com"), description="scheme, host and path prefix of the provider")

    @model_validator(mode="before")
    @classmethod
    def _limit_of_its_host(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not US_HOST.match(str(given.get("base_url"))):
            return given
        budget = given.get("budget", {})
        return given if not isinstance(budget, dict) else {**given, "budget": {"weight_per_min": WEIGHT_A_MINUTE_US, **budget}}


class Binance(PolledFeed):
    """`kind = "binance"`."""

    kind = "binance"
    about = About(
        brings="crypto, last 24 hours",
        ids="`BTCUSDT`; from `BTC-USDT`, `BTC/USDT`",
        limits="6,000 of weight a minute (Binance.US 1,200); a call weighs 2",
        time="when the 24 hours end: now",
        market="`closed` without trade in 24 h, bid and ask",
        note="the time moves without trades: it proves that the exchange answers",
    )
    Settings: ClassVar[type[PolledSettings]] = BinanceSettings
    batch_size: ClassVar[int | None] = 20
    """The cheapest: 100 symbols weigh 10 in five calls and 40 in one."""
    volume_of: ClassVar[VolumeOf] = "24h"

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BTC-USDT`, `BTC/USDT` and `btcusdt` are `BTCUSDT` there."""
        return symbol.replace("-", "").replace("/", "").upper()

    @classmethod
    def cost(cls, symbols: int) -> Cost:
        return {"calls": 1, "weight": 2 if symbols <= 20 else 40 if symbols <= 100 else 80}

    def usage(self, headers: Mapping[str, str], now_s: float) -> Iterator[Usage]:
        used = headers.get("X-MBX-USED-WEIGHT-1M", "")
        limits = [rate.most for rate in self.gate.budget.rates if rate.unit == "weight"]
        if limits and re.fullmatch(r"[0-9]{1,9}", used):
            limit = min(limits)
            yield Usage("weight", max(0, limit - limit // LEFT_TO_OTHERS - int(used)), until_minute_ends_s(now_s))

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        symbols = list(dict.fromkeys(subscription.id.upper() for subscription in batch))
        response = self.http.get(
            "/api/v3/ticker/24hr",
            {"symbols": msgspec.json.encode(symbols).decode()},
            cost=self.cost(len(symbols)),
            accept=(HTTPStatus.BAD_REQUEST, HTTPStatus.IM_A_TEAPOT),
        )
        if not response.ok:
            raise refusal(response, now_ms=time.time() * 1000)
        return parse(response.body, batch)


def parse(body: bytes, batch: Sequence[Subscription]) -> dict[str, Tick | FeedError]:
    """The ticks of a `24hr` answer, by our symbol. One symbol asked for by itself (`symbol=`) is answered without the array."""
    found = decode(body)
    rows = {}
    for row in in_turns(found if isinstance(found, list) else [table(found, "answer")]):
        if isinstance(row, dict) and isinstance(row.get("symbol"), str):
            rows[row["symbol"]] = row
    answer: dict[str, Tick | FeedError] = {}
    for subscription in in_turns(batch):
        symbol = subscription.id.upper()
        try:
            if symbol not in rows:
                raise FeedError(f"no row for {symbol}", payload=body)
            answer[subscription.symbol] = _tick(rows[symbol])
        except FeedError as error:
            answer[subscription.symbol] = error
    return answer


def refusal(response: Response, now_ms: float) -> FeedError:
    """What an error answer means: a bad symbol among those asked for, a ban, or what its status says."""
    error = response.error()
    if response.status == HTTPStatus.IM_A_TEAPOT:
        banned = BANNED_UNTIL.search(response.body)
        if banned and retry_after_s(response.headers.get("Retry-After"), now_ms / 1000) is None:
            error.retry_after_s = bounded_wait_s((int(banned[1]) - now_ms) / 1000, LONGEST_BAN_S)
        return error
    if response.status != HTTPStatus.BAD_REQUEST:
        return error
    try:
        code = table(decode(response.body), "error").get("code")
    except FeedError:
        return error
    if isinstance(code, int) and code in BAD_SYMBOL_CODES:
        return FeedError("Binance does not know a symbol", retryable=False, rejects_symbol=True, payload=response.body)
    return error


def _tick(row: dict[str, Any]) -> Tick:
    return FIELDS.tick(
        row.get("lastPrice"),
        bid=row.get("bidPrice"),
        ask=row.get("askPrice"),
        open=row.get("openPrice"),
        high=row.get("highPrice"),
        low=row.get("lowPrice"),
        volume=row.get("volume"),
        change=row.get("priceChange"),
        change_pct=row.get("priceChangePercent"),
        quote_time=row.get("closeTime"),
        known={"session": "closed" if untraded(row, "count", "bidPrice", "askPrice") else None},
    )
