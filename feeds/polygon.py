"""Polygon, which calls itself Massive now: US shares, and crypto. Many symbols a call, a key of a plan that has snapshots.

`GET /v2/snapshot/locale/us/markets/stocks/tickers?tickers=AAPL,MSFT` with the header `Authorization: Bearer KEY`
(https://polygon.io/docs/rest/stocks/snapshots/full-market-snapshot):

    {"count":1,"status":"OK","tickers":[{"ticker":"BCAT","day":{"c":20.506,"h":20.64,"l":20.506,"o":20.64,"v":37216,"vw":20.616},
     "lastQuote":{"P":20.6,"S":22,"p":20.5,"s":13,"t":1605192959994246100},"lastTrade":{"c":[14,41],"i":"71675577320245","p":20.506,
     "s":2416,"t":1605192894630916600,"x":4},"min":{"av":37216,"c":20.506,"h":20.506,"l":20.506,"o":20.506,"v":5000,"t":1684428600000, …},
     "prevDay":{"c":20.63,"h":21,"l":20.5,"o":20.79,"v":292738,"vw":20.6939},"todaysChange":-0.124,"todaysChangePerc":-0.601,
     "updated":1605192894630916600}]}

and `GET /v2/snapshot/locale/global/markets/crypto/tickers?tickers=X:BTCUSD`, without `lastQuote`. `P` is the ask and `p` the bid: only case
tells them apart. Shares have times in ns, crypto in ms. Before the open `day` is all zeros. Plans without trades have no `lastTrade` and
no `lastQuote`: then the newest minute has the price. `status` is `DELAYED` where the plan is 15 minutes behind.

What does not exist is left out. Errors are `{"status":"ERROR","request_id":"…","error":"Unknown API Key"}` (401), `{"status":
"NOT_AUTHORIZED", …,"message":"You are not entitled to this data. …"}` (403), and 429 `You've exceeded the maximum requests per minute, …`.
Symbols are as they write them, in which case matters: `BRK.B`, `BACpL`, `X:BTCUSD`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, HttpUrl

from feeds.base import Answer, Subscription
from feeds.keys import KeyedSettings
from feeds.parse import (
    array,
    decode,
    optional_epoch_ms,
    optional_number,
    optional_pct,
    optional_price,
    optional_size,
    price,
    table,
)
from feeds.polled import PolledFeed
from feeds.rows import for_each, in_parts, unknown
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings
from ticker.turn import in_turns

SHARES, CRYPTO = "us/markets/stocks", "global/markets/crypto"
CRYPTO_PREFIX = "X:"
DELAY_MIN = 15.0
NS_FROM = 10 ** 16
"""No time in ms of this era is so large, none in ns so small."""


class PolygonBudget(BudgetSettings):
    """Limits of a key (https://polygon.io/knowledge-base/article/what-is-the-request-limit-for-polygons-restful-apis)."""

    calls_per_s: int = Field(100, ge=1, le=100, description="at most so many calls in any second; those who pay are asked to keep to 100")


class PolygonSettings(KeyedSettings):
    """`[feeds.NAME]` of kind `polygon`."""

    budget: PolygonBudget = Field(PolygonBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.polygon.io"), description="scheme, host and path prefix of the provider")


class Polygon(PolledFeed):
    """`kind = "polygon"`."""

    kind = "polygon"
    Settings: ClassVar[type[PolledSettings]] = PolygonSettings
    batch_size: ClassVar[int | None] = 200
    """The address of a call with 200 symbols is 2 KB long; servers refuse one of more than 8 KB."""

    def __init__(self, name: str, settings: PolygonSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime, {"Authorization": f"Bearer {settings.key()}"})

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BRK-B` is `BRK.B`, and `BTC-USD` is `X:BTCUSD` there."""
        base, dash, rest = symbol.replace("/", "-").rpartition("-")
        if not dash or not base:
            return symbol
        return f"{CRYPTO_PREFIX}{base}{rest}" if len(rest) >= 3 else f"{base}.{rest}"

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        until_s = self.poll_ends_s()
        markets = [one for one in batch if not _is_crypto(one)], [one for one in batch if _is_crypto(one)]
        return in_parts(markets, lambda part: self._snapshots(part, until_s))

    def _snapshots(self, batch: Sequence[Subscription], until_s: float) -> dict[str, Tick | FeedError]:
        path = f"/v2/snapshot/locale/{CRYPTO if _is_crypto(batch[0]) else SHARES}/tickers"
        tickers = ",".join(dict.fromkeys(subscription.id for subscription in batch))
        return parse(self.http.get(path, {"tickers": tickers}, until_s=until_s).body, batch)


def parse(body: bytes, batch: Sequence[Subscription]) -> dict[str, Tick | FeedError]:
    """The ticks of a snapshot, by our symbol. Raises `FeedError` where there are no rows to look for."""
    answer = table(decode(body), "answer")
    status = answer.get("status")
    if status not in ("OK", "DELAYED"):
        raise FeedError("Polygon answers an error", payload=body)
    rows: dict[str, Mapping[str, Any]] = {}
    for row in in_turns(array(answer.get("tickers") or [], "tickers")):
        if isinstance(row, dict) and isinstance(row.get("ticker"), str):
            rows[row["ticker"]] = row

    def read(subscription: Subscription) -> Tick:
        row = rows.get(subscription.id)
        if row is None:
            raise unknown("Polygon", subscription.id)
        return _tick(row, DELAY_MIN if status == "DELAYED" else None)

    return for_each(batch, read)


def _is_crypto(subscription: Subscription) -> bool:
    return subscription.id.startswith(CRYPTO_PREFIX)


def _tick(row: Mapping[str, Any], delay_min: float | None) -> Tick:
    id = row["ticker"]

    def part(name: str) -> Mapping[str, Any]:
        return table(row.get(name) or {}, f"{id} {name}")

    def amount(name: str, key: str) -> float | None:
        return optional_price(part(name).get(key), f"{id} {name}.{key}")

    if part("lastTrade"):
        last, made = part("lastTrade").get("p"), part("lastTrade").get("t")
    else:
        last, made = part("min").get("c") or part("day").get("c"), row.get("updated")
    return Tick(
        price=price(last, f"{id} price"),
        bid=amount("lastQuote", "p"),
        ask=amount("lastQuote", "P"),
        open=amount("day", "o"),
        high=amount("day", "h"),
        low=amount("day", "l"),
        prev_close=amount("prevDay", "c"),
        volume=optional_size(part("day").get("v"), f"{id} day.v"),
        change=optional_number(row.get("todaysChange"), f"{id} todaysChange"),
        change_pct=optional_pct(row.get("todaysChangePerc"), f"{id} todaysChangePerc"),
        currency=None if id.startswith(CRYPTO_PREFIX) else "USD",
        quote_time=_time_ms(made, id),
        delay_min=delay_min,
    )


def _time_ms(value: object, id: str) -> int | None:
    in_ns = (isinstance(value, int) and value >= NS_FROM) or (isinstance(value, str) and len(value) > len(str(NS_FROM)))
    return optional_epoch_ms(value, f"{id} time", "ns" if in_ns else "ms")
