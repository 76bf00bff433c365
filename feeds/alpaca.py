"""Alpaca market data: US shares and crypto. Many symbols a call, a key and its secret.

`GET /v2/stocks/snapshots?symbols=AAPL,TSLA&feed=iex` with the headers `APCA-API-KEY-ID` and `APCA-API-SECRET-KEY`
(https://docs.alpaca.markets/reference/stocksnapshots-1):

    {"AAPL":{"latestTrade":{"t":"2022-03-11T19:08:43.947998695Z","x":"V","p":156.055,"s":100,"c":["@"],"i":10593,"z":"C"},
     "latestQuote":{"t":"2022-03-11T19:09:06.125564144Z","ax":"V","ap":157.2,"as":5,"bx":"V","bp":156.08,"bs":1,"c":["R"],"z":"C"},
     "minuteBar":{…},"dailyBar":{"t":"2022-03-11T05:00:00Z","o":158.94,"h":159.25,"l":154.76,"c":156.055,"v":1180799,"n":10408,
     "vw":156.545239},"prevDailyBar":{"t":"2022-03-10T05:00:00Z","o":160.23,"h":160.38,"l":155.98,"c":158.52,"v":1889292, …}},"TSLA":{…}}

and `GET /v1beta3/crypto/us/snapshots?symbols=BTC/USD` (https://docs.alpaca.markets/reference/cryptosnapshots-1), the same within
`{"snapshots":{…}}`. Numbers are numbers, times have up to nine digits of a second. A side of 0 is none. A bar's `t` is when its day begins.
The newest trade may be of a later day than the newest daily bar, which then is the day before.

What Alpaca does not know is absent or null, and so are parts of what it knows. What can't be a symbol fails the whole call, and is named:
400 `{"message":"invalid symbol: BRK-B"}` (it is `BRK.B` there). 403 is a wrong key, or a `feed` that the plan has not. 200 calls a minute;
the headers say what is left (`X-Ratelimit-Remaining`, `X-Ratelimit-Reset` in epoch s).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, HttpUrl, SecretStr

from feeds.base import Answer, Subscription
from feeds.http import Response
from feeds.keys import KeyedSettings, Sendable
from feeds.pairs import slashed
from feeds.parse import decode, iso_ms, optional_price, optional_size, price, shown, table
from feeds.polled import PolledFeed
from feeds.rows import error_object, for_each, in_parts, unknown
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings

DAY_MS = 86_400_000
SIP_DELAY_MIN = 15.0
INVALID = re.compile(r"invalid symbol:? *(\S+)", re.IGNORECASE)


class AlpacaBudget(BudgetSettings):
    """Limits of a key (https://docs.alpaca.markets/docs/about-market-data-api)."""

    calls_per_min: int = Field(200, ge=1, le=10_000, description="at most so many calls in any minute; 200 in the free plan")


class AlpacaSettings(KeyedSettings):
    """`[feeds.NAME]` of kind `alpaca`."""

    secrets: ClassVar[tuple[str, ...]] = ("api_key", "api_secret")

    budget: AlpacaBudget = Field(AlpacaBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://data.alpaca.markets"), description="scheme, host and path prefix of the provider")
    data_feed: Literal["iex", "sip", "delayed_sip", "otc", "boats", "overnight"] = Field(
        "iex", description="which of Alpaca's sources of share prices; iex is that of the free plan")
    api_secret: Annotated[SecretStr, Sendable] = Field(max_length=1000, description="the secret that came with the key")


class Alpaca(PolledFeed):
    """`kind = "alpaca"`."""

    kind = "alpaca"
    Settings: ClassVar[type[PolledSettings]] = AlpacaSettings
    settings: AlpacaSettings
    batch_size: ClassVar[int | None] = 200
    """The address of a call with 200 symbols is 1 to 2 KB long; servers refuse one of more than 8 KB."""

    def __init__(self, name: str, settings: AlpacaSettings, runtime: Runtime) -> None:
        keys = {"APCA-API-KEY-ID": settings.key(), "APCA-API-SECRET-KEY": settings.api_secret.get_secret_value()}
        super().__init__(name, settings, runtime, keys)
        self._malformed: dict[str, FeedError] = {}  # by id: what Alpaca said can't be a symbol

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BRK-B` is `BRK.B`, and `BTC-USD` is `BTC/USD` there."""
        return re.sub(r"-(?=[A-Z]$)", ".", slashed(symbol))

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        until_s = self.poll_ends_s()
        if len(batch) == 1:  # asked for alone, whatever we believed of it so far
            self._malformed.pop(batch[0].id, None)
        malformed = {one.symbol: self._malformed[one.id] for one in batch if one.id in self._malformed}
        rest = [one for one in batch if one.symbol not in malformed]
        markets = [one for one in rest if "/" not in one.id], [one for one in rest if "/" in one.id]
        return {**malformed, **in_parts(markets, lambda part: self._snapshots(part, until_s))}

    def _snapshots(self, batch: Sequence[Subscription], until_s: float) -> dict[str, Tick | FeedError]:
        """The answer for symbols of one market. One that Alpaca names as malformed is left out from then on, and it is asked again."""
        query = {"symbols": ",".join(dict.fromkeys(one.id for one in batch))}
        if "/" in batch[0].id:
            path, delay_min = "/v1beta3/crypto/us/snapshots", None
        else:
            path, delay_min = "/v2/stocks/snapshots", SIP_DELAY_MIN if self.settings.data_feed == "delayed_sip" else None
            query["feed"] = self.settings.data_feed
        response = self.http.get(path, query, accept=(HTTPStatus.BAD_REQUEST,), until_s=until_s)
        if response.ok:
            return parse(response.body, batch, delay_min)
        error = refusal(response, batch)
        named = [one for one in batch if error.rejects_symbol and one.id == _named(response)]
        if not named:
            raise error
        self._malformed[named[0].id] = error
        rest = [one for one in batch if one not in named]
        return {**dict.fromkeys((one.symbol for one in named), error), **(self._snapshots(rest, until_s) if rest else {})}


def parse(body: bytes, batch: Sequence[Subscription], delay_min: float | None = None) -> dict[str, Tick | FeedError]:
    """The ticks of a `snapshots` answer, by our symbol; `delay_min` is how far its source is behind."""
    answer = table(decode(body), "answer")
    rows = table(answer.get("snapshots", answer), "snapshots")
    if isinstance(rows.get("message"), str):  # an error, whatever its status: nobody's symbol is unknown because of it
        raise FeedError("Alpaca answers an error", payload=body)

    def read(subscription: Subscription) -> Tick:
        row = rows.get(subscription.id)
        if row is None:
            raise unknown("Alpaca", subscription.id)
        return _tick(table(row, subscription.id), subscription.id, delay_min)

    return for_each(batch, read)


def refusal(response: Response, batch: Sequence[Subscription]) -> FeedError:
    """What a 400 means: a symbol that can be none, or something else about what was asked."""
    if "symbol" not in str(error_object(response).get("message")):
        return response.error()
    return unknown("Alpaca", _named(response) or ", ".join(one.id for one in batch), response.body)


def _named(response: Response) -> str | None:
    """The symbol that a 400 complains of."""
    match = INVALID.search(str(error_object(response).get("message")))
    return match[1] if match else None


def _tick(row: Mapping[str, Any], id: str, delay_min: float | None) -> Tick:
    def part(name: str) -> Mapping[str, Any]:
        return table(row.get(name) or {}, f"{id} {name}")

    def amount(name: str, key: str) -> float | None:
        return optional_price(part(name).get(key), f"{id} {name}.{key}")

    if not part("latestTrade"):
        raise FeedError(f"{id}: no trade so far", payload=shown(row))
    made_ms = iso_ms(part("latestTrade").get("t"), f"{id} latestTrade.t")
    day, day_before = "dailyBar", "prevDailyBar"
    if part(day) and made_ms - iso_ms(part(day).get("t"), f"{id} dailyBar.t") >= DAY_MS:
        day, day_before = "", "dailyBar"  # a new day, of which there is no bar yet
    return Tick(
        price=price(part("latestTrade").get("p"), f"{id} latestTrade.p"),
        bid=amount("latestQuote", "bp"),
        ask=amount("latestQuote", "ap"),
        open=amount(day, "o"),
        high=amount(day, "h"),
        low=amount(day, "l"),
        prev_close=amount(day_before, "c"),
        volume=optional_size(part(day).get("v"), f"{id} dailyBar.v"),
        currency=id.partition("/")[2] or "USD",
        quote_time=made_ms,
        delay_min=delay_min,
    )
