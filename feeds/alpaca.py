"""Alpaca market data: US shares and crypto. Many symbols a call, a key and its secret.

`GET /v2/stocks/snapshots?symbols=AAPL,TSLA&feed=iex` with the headers `APCA-API-KEY-ID` and `APCA-API-SECRET-KEY`
(https://docs.alpaca.markets/reference/stocksnapshots-1):

    {"AAPL":{"latestTrade":{"t":"2022-03-11T19:08:43.947998695Z","x":"V","p":156.055,"s":100,"c":["@"],"i":10593,"z":"C"},
     "latestQuote":{"t":"2022-03-11T19:09:06.125564144Z","ax":"V","ap":157.2,"as":5,"bx":"V","bp":156.08,"bs":1,"c":["R"],"z":"C"},
     "minuteBar":{…},"dailyBar":{"t":"2022-03-11T05:00:00Z","o":158.94,"h":159.25,"l":154.76,"c":156.055,"v":1180799,"n":10408,
     "vw":156.545239},"prevDailyBar":{"t":"2022-03-10T05:00:00Z","o":160.23,"h":160.38,"l":155.98,"c":158.52,"v":1889292, …}},"TSLA":{…}}

and `GET /v1beta3/crypto/us/snapshots?symbols=BTC/USD` (https://docs.alpaca.markets/reference/cryptosnapshots-1), the same within
`{"snapshots":{…}}`, without `x`, `c` and `z`. `feed` is `iex`, `sip`, `delayed_sip`, `otc`, and for the night `boats` (the Blue Ocean ATS
itself) or `overnight` (Alpaca's own, derived from it). Numbers are numbers, times have up to nine digits of a second. A side of 0 is none.

The newest trade is not always the price: `c` and `z` say what it may set (`feeds.values.conditions`). Where it may not, the newest bar's
close is, made at the latest when its minute ended. A bar's `t` is when its day begins: midnight in New York for shares, in Chicago for
crypto, whose days have 25 hours once a year. The newest trade may be of a later day than the newest daily bar, which then is the day
before; from 20:00 in New York it is of the next trading day, and so are the bars of the night. Bars are not adjusted: on the day of a
split the day before is as it was (the board does not believe it then).

A trade with `u` was changed since: `canceled` and `incorrect` are none any more, `corrected` is what one of them should have been (so the
schema of trades in https://docs.alpaca.markets/openapi/market-data-api.json). Then the price goes back.

What Alpaca does not know is absent or null, and so are parts of what it knows. What can't be a symbol fails the whole call, and is named:
400 `{"message":"invalid symbol: BRK-B"}` (it is `BRK.B` there). 403 is a wrong key, or a `feed` that the plan has not. 200 calls a minute;
the headers say what is left (`X-Ratelimit-Remaining`, `X-Ratelimit-Reset` in epoch s).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field, HttpUrl, SecretStr

from feeds.api_keys import KeyedSettings, Sendable
from feeds.base import About, Answer, Subscription
from feeds.http.client import Response
from feeds.http.feed import PolledFeed
from feeds.values.batch import error_object, for_each, in_parts, unknown
from feeds.values.conditions import allowed, us_session, us_trading_day
from feeds.values.fields import Fields, Known, part
from feeds.values.pairs import slashed
from feeds.values.parse import decode, shown, table
from ticker.errors import FeedError
from ticker.quote import MarketSession, Tick, correcting
from ticker.runtime import Runtime
from ticker.settings import BudgetSettings, PolledSettings

FIELDS = Fields(zero_until_traded=True, by_session=True)
NIGHT = frozenset({"boats", "overnight"})
"""The sources that trade from 20:00 to 4:00 in New York, and then only."""
CRYPTO_ZONE = "America/Chicago"
MINUTE_MS, SESSION_MS = 60_000, 57_600_000
"""How long after a bar's beginning its close may have been made: the day's is made at 16:00."""
SIP_DELAY_MIN = 15.0
TAKEN_BACK = ("canceled", "incorrect")
CHANGED = (*TAKEN_BACK, "corrected")
"""What `u` of a trade says."""
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
        "iex", description="which of Alpaca's sources of share prices; iex is that of the free plan, overnight and boats are the night's"
    )
    api_secret: Annotated[SecretStr, Sendable] = Field(max_length=1000, description="the secret that came with the key")


class Alpaca(PolledFeed):
    """`kind = "alpaca"`."""

    kind = "alpaca"
    about = About(
        brings="US shares by day and night, crypto",
        ids="`AAPL`, `BRK.B`, `BTC/USD`; from `BRK-B`, `BTC-USD`",
        limits="200 calls a minute",
        delay="none; 15 min with `delayed_sip`",
        time="the last trade's that may be the price, or the end of the minute whose close is",
        market="not said: use a calendar; `session` by the trade's time and conditions",
        note="`iex` is one exchange: quiet shares are quiet there for minutes",
    )
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
        response = self.http.get(path, query, accept=(HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN), until_s=until_s)
        if response.ok:
            return parse(response.body, batch, delay_min, self.settings.data_feed)
        if response.status == HTTPStatus.FORBIDDEN:
            raise self._forbidden(response)
        error = refusal(response, batch)
        named = [one for one in batch if error.rejects_symbol and one.id == _named(response)]
        if not named:
            raise error
        self._malformed[named[0].id] = error
        rest = [one for one in batch if one not in named]
        return {**dict.fromkeys((one.symbol for one in named), error), **(self._snapshots(rest, until_s) if rest else {})}

    def _forbidden(self, response: Response) -> FeedError:
        """What a 403 means: a source that the plan has not, or keys that are none."""
        if "subscription" not in str(error_object(response.body).get("message")):
            return response.error()
        source = self.settings.data_feed
        return FeedError(
            f'Alpaca\'s plan does not include data_feed = "{source}" (iex is in every plan)', retryable=False, payload=response.body
        )


def parse(
    body: bytes, batch: Sequence[Subscription], delay_min: float | None = None, data_feed: str = "iex"
) -> dict[str, Tick | FeedError]:
    """The ticks of a `snapshots` answer, by our symbol; `delay_min` is how far its source, `data_feed`, is behind."""
    answer = table(decode(body), "answer")
    rows = table(answer.get("snapshots", answer), "snapshots")
    if isinstance(rows.get("message"), str):  # an error, whatever its status: nobody's symbol is unknown because of it
        raise FeedError("Alpaca answers an error", payload=body)

    def read(subscription: Subscription) -> Tick:
        row = rows.get(subscription.id)
        if row is None:
            raise unknown("Alpaca", subscription.id)
        return _tick(table(row, subscription.id), subscription.id, delay_min, data_feed)

    return for_each(batch, read)


def refusal(response: Response, batch: Sequence[Subscription]) -> FeedError:
    """What a 400 means: a symbol that can be none, or something else about what was asked."""
    if "symbol" not in str(error_object(response.body).get("message")):
        return response.error()
    return unknown("Alpaca", _named(response) or ", ".join(one.id for one in batch), response.body)


def _named(response: Response) -> str | None:
    """The symbol that a 400 complains of."""
    match = INVALID.search(str(error_object(response.body).get("message")))
    return match[1] if match else None


def day_of(id: str) -> Callable[[int], date]:
    """What tells the trading day of a time, in the market of `id`."""
    return _crypto_day if "/" in id else us_trading_day


def session_of(id: str, data_feed: str, made_ms: int | None, codes: object) -> MarketSession | None:
    """The session of a trade of `id`; `None` where there are none, or nobody says when it was made."""
    if "/" in id:
        return None
    if data_feed in NIGHT:
        return "overnight"
    return None if made_ms is None else us_session(made_ms, codes)


def terms_of(id: str) -> Known:
    """What is the same for all ticks of `id`. Crypto's days are Chicago's: to others their volume says no more than that of 24 hours."""
    return {"volume_of": "24h" if "/" in id else "session"}


def _tick(row: Mapping[str, Any], id: str, delay_min: float | None, data_feed: str) -> Tick:
    trade, quote = part(row, "latestTrade"), part(row, "latestQuote")
    if not trade:
        raise FeedError(f"{id}: no trade so far", payload=shown(row))
    made_ms = FIELDS.time(trade.get("t"))
    if trade.get("u") not in TAKEN_BACK and allowed(trade.get("c"), trade.get("z"), made_ms).last:
        price, session = trade.get("p"), session_of(id, data_feed, made_ms, trade.get("c"))
    else:
        price, made_ms = _newest_close(row, id, made_ms)
        session = session_of(id, data_feed, made_ms, None)
    today, before = part(row, "dailyBar"), part(row, "prevDailyBar")
    begins_ms = FIELDS.time(today.get("t"))
    if begins_ms is not None and made_ms is not None and day_of(id)(begins_ms) < day_of(id)(made_ms):
        today, before = {}, today  # a new day, of which there is no bar yet
    known = terms_of(id)
    known["session"] = session
    tick = FIELDS.tick(
        price,
        bid=quote.get("bp"),
        ask=quote.get("ap"),
        open=today.get("o"),
        high=today.get("h"),
        low=today.get("l"),
        prev_close=before.get("c"),
        volume=today.get("v"),
        currency=id.partition("/")[2] or "USD",
        quote_time=trade.get("t"),
        delay_min=delay_min,
        known=known,
    )
    tick = tick if tick.quote_time == made_ms else msgspec.structs.replace(tick, quote_time=made_ms, untimed=None)
    return correcting(tick) if trade.get("u") in CHANGED else tick


def _newest_close(row: Mapping[str, Any], id: str, until_ms: int | None) -> tuple[object, int]:
    """The price where the newest trade is none, and when it was made at the latest: bars are made of those that are."""
    for name, length_ms in (("minuteBar", MINUTE_MS), ("dailyBar", SESSION_MS)):
        bar = part(row, name)
        begins_ms = FIELDS.time(bar.get("t"))
        if begins_ms is not None and bar.get("c") not in (None, 0, ""):
            ends_ms = begins_ms + length_ms - 1
            return bar.get("c"), ends_ms if until_ms is None else min(ends_ms, until_ms)
    raise FeedError(f"{id}: the newest trade is none that sets a price, and no bar tells another", payload=shown(row))


def _crypto_day(time_ms: int) -> date:
    return datetime.fromtimestamp(time_ms / 1000, ZoneInfo(CRYPTO_ZONE)).date()
