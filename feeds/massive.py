"""Massive, called Polygon.io until 2025-10: US shares, indices, currencies and crypto. Many symbols a call, a key of a plan with snapshots.

`GET /v2/snapshot/locale/us/markets/stocks/tickers?tickers=AAPL,MSFT` with the header `Authorization: Bearer KEY`
(https://massive.com/docs/rest/stocks/snapshots/full-market-snapshot):

    {"count":1,"status":"OK","tickers":[{"ticker":"BCAT","day":{"c":20.506,"h":20.64,"l":20.506,"o":20.64,"v":37216,"vw":20.616},
     "lastQuote":{"P":20.6,"S":22,"p":20.5,"s":13,"t":1605192959994246100},"lastTrade":{"c":[14,41],"i":"71675577320245","p":20.506,
     "s":2416,"t":1605192894630916600,"x":4},"min":{"av":37216,"c":20.506,"h":20.506,"l":20.506,"o":20.506,"v":5000,"t":1684428600000},
     "prevDay":{"c":20.63,"h":21,"l":20.5,"o":20.79,"v":292738,"vw":20.6939},"todaysChange":-0.124,"todaysChangePerc":-0.601,
     "updated":1605192894630916600}]}

`P` is the ask and `p` the bid: only case tells them apart. `…/v2/snapshot/locale/global/markets/crypto/tickers` and `…/forex/tickers` have
the same rows, with times in ms; crypto has no `lastQuote`, currencies have `{"a":1.16254,"b":1.16251,"t":1796072401000,"x":48}` there and
no `lastTrade`. `GET /v3/snapshot/indices?ticker.any_of=I:SPX&limit=250` (https://massive.com/docs/rest/indices/snapshots/indices-snapshot;
10 rows without `limit`, at most 250):

    {"request_id":"6a7e","results":[{"ticker":"I:SPX","name":"S&P 500","type":"indices","value":6822.34,"market_status":"regular_trading",
     "timeframe":"REAL-TIME","last_updated":1796054401344223500,"session":{"change":14.81,"change_percent":0.2175,"close":6822.34,
     "high":6830.4,"low":6801.02,"open":6809.9,"previous_close":6807.53}},{"ticker":"APx","error":"NOT_FOUND","message":"Ticker not
     found."},{"ticker":"I:NDX","error":"NOT_ENTITLED","message":"Not entitled to this ticker."}],"status":"OK"}

Zeros mean "not yet". At 3:30 in New York all of a share's row is cleared but `prevDay`, which then is the session just closed. From 4:00 on
`lastTrade`, `lastQuote` and `min` are those before the open; `day` stays 0 until the first regular trade. Plans without trades have no
`lastTrade`, those without quotes no `lastQuote`. `status` is `DELAYED` where the plan is 15 minutes behind.

What does not exist is left out. Errors are `{"status":"ERROR","request_id":"…","error":"Unknown API Key"}` (401), `{"status":
"NOT_AUTHORIZED", …,"message":"You are not entitled to this data. …"}` (403), and 429 `You've exceeded the maximum requests per minute, …`.
Symbols are as they write them, in which case matters: `BRK.B`, `BACpL`, `X:BTCUSD`, `C:EURUSD`, `I:SPX`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple

from pydantic import Field, HttpUrl

from feeds.api_keys import KeyedSettings
from feeds.base import About, Answer, Subscription
from feeds.http.feed import PolledFeed
from feeds.values.batch import error_object, for_each, in_parts, unknown
from feeds.values.conditions import allowed_ids, us_session
from feeds.values.fields import Fields, part
from feeds.values.pairs import national_pair
from feeds.values.parse import array, decode, epoch_ms, number, table
from ticker.errors import FeedError
from ticker.quote import MarketSession, Tick, VolumeOf
from ticker.runtime import Runtime, in_turns
from ticker.settings import BudgetSettings, PolledSettings

DELAY_MIN = 15.0
MOST_ROWS = "250"
NS_FROM = 10**16
"""No time in ms of this era is so large, none in ns so small."""
MINUTE_MS = 60_000
REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
INDEX_SESSIONS: Mapping[str, MarketSession] = {
    "regular_trading": "regular", "open": "regular", "early_trading": "pre", "late_trading": "post", "closed": "closed"}  # fmt: skip

JsonObject = Mapping[str, Any]


class MassiveBudget(BudgetSettings):
    """Limits of a key (https://massive.com/knowledge-base/article/what-is-the-request-limit-for-polygons-restful-apis)."""

    calls_per_s: int = Field(100, ge=1, le=100, description="at most so many calls in any second; those who pay are asked to keep to 100")


class MassiveSettings(KeyedSettings):
    """`[feeds.NAME]` of kind `massive`."""

    hosts: ClassVar[tuple[str, ...]] = ("api.polygon.io", "api.massive.com")
    budget: MassiveBudget = Field(MassiveBudget(), description="the most to spend with the provider; intervals grow until they fit")
    base_url: HttpUrl = Field(HttpUrl("https://api.massive.com"), description="scheme, host and path prefix of the provider")


class Massive(PolledFeed):
    """`kind = "massive"`."""

    kind = "massive"
    about = About(
        brings="US shares, indices, currencies, crypto",
        ids="`AAPL`, `BRK.B`, `I:SPX`, `C:EURUSD`, `X:BTCUSD`; from `BRK-B`, `^SPX`, `EUR/USD`, `BTC-USD`",
        limits="100 calls a second",
        key="key, of a plan with snapshots",
        delay="none or 15 min, by plan",
        time="the last trade's, or the minute's; an index' and a quote's own",
        market="shares and indices: `session`; currencies and crypto not",
        note="`delay_min` by plan; after 3:30 in New York the close before, without a time",
    )
    Settings: ClassVar[type[PolledSettings]] = MassiveSettings
    batch_size: ClassVar[int | None] = 200
    """The address of a call with 200 symbols is 2 KB long; servers refuse one of more than 8 KB."""
    volume_of: ClassVar[VolumeOf] = "session"

    def __init__(self, name: str, settings: MassiveSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime, {"Authorization": f"Bearer {settings.key()}"})

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BRK-B` is `BRK.B`, `^VIX` is `I:VIX`, `EUR/USD` and `EURUSD=X` are `C:EURUSD`, and `BTC-USD` is `X:BTCUSD` there."""
        if prefix_of(symbol):
            return symbol
        if symbol.startswith("^"):
            return f"I:{symbol[1:]}"
        if (pair := national_pair(symbol)) is not None:
            return f"C:{''.join(pair)}"
        base, dash, rest = symbol.replace("/", "-").rpartition("-")
        if not dash or not base:
            return symbol
        return f"X:{base}{rest}" if len(rest) >= 3 else f"{base}.{rest}"

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        until_s = self.poll_ends_s()
        parts: dict[str, list[Subscription]] = {}
        strangers: dict[str, Tick | FeedError] = {}
        for subscription in batch:
            prefix = prefix_of(subscription.id)
            if prefix in MARKETS:
                parts.setdefault(prefix, []).append(subscription)
            else:
                strangers[subscription.symbol] = elsewhere(subscription.id)
        return strangers | in_parts([parts.get(prefix, []) for prefix in MARKETS], lambda one: self._snapshots(one, until_s))

    def _snapshots(self, batch: Sequence[Subscription], until_s: float) -> dict[str, Tick | FeedError]:
        market = MARKETS[prefix_of(batch[0].id)]
        query = {market.asks_by: ",".join(dict.fromkeys(subscription.id for subscription in batch)), **market.also}
        response = self.http.get(market.path, query, accept=REFUSALS, until_s=until_s)
        if not response.ok:
            raise refusal(error_object(response.body), market) or response.error()
        return parse(response.body, batch)


def prefix_of(id: str) -> str:
    """`I:` of `I:SPX`, and nothing of a share."""
    return id[:2] if id[1:2] == ":" else ""


def elsewhere(id: str) -> FeedError:
    """What is said of an id that belongs to none of the markets that are asked here: of options, say."""
    return FeedError(
        f"{id!r} is none of what is asked for here: shares, indices (I:SPX), currencies (C:EURUSD), crypto (X:BTCUSD)",
        retryable=False,
        rejects_symbol=True,
    )


def parse(body: bytes, batch: Sequence[Subscription]) -> dict[str, Tick | FeedError]:
    """The ticks of a snapshot of one market, by our symbol. Raises `FeedError` where there are no rows to look for."""
    market = MARKETS.get(prefix_of(batch[0].id), SHARES)
    answer = table(decode(body), "answer")
    status = answer.get("status")
    if status not in ("OK", "DELAYED") and (status is not None or market.rows not in answer):
        raise refusal(answer, market) or FeedError("Massive answers an error", payload=body)
    rows: dict[str, JsonObject] = {}
    for row in in_turns(array(answer.get(market.rows) or [], market.rows)):
        if isinstance(row, dict) and isinstance(row.get("ticker"), str):
            rows[row["ticker"]] = row

    def read(subscription: Subscription) -> Tick:
        row = rows.get(subscription.id)
        if row is None or row.get("error") == "NOT_FOUND":
            raise unknown("Massive", subscription.id)
        if row.get("error") == "NOT_ENTITLED":
            raise FeedError(f"Massive: the plan of this key does not include {subscription.id!r}", retryable=False, rejects_symbol=True)
        return market.read(row, DELAY_MIN if status == "DELAYED" else None)

    return for_each(batch, read)


def refusal(error: JsonObject, market: SnapshotCall) -> FeedError | None:
    """What an error means that is about the whole call; `None` where it is not said."""
    words = str(error.get("error") or error.get("message") or "")
    if error.get("status") == "NOT_AUTHORIZED":
        return FeedError(f"Massive: the plan of this key does not include snapshots of {market.name}", retryable=False, payload=words)
    if "api key" in words.lower():
        return FeedError("Massive refuses the key", retryable=False, payload=words)
    return None


def _time_ms(value: object, what: str) -> int:
    in_ns = (isinstance(value, int | float) and value >= NS_FROM) or (isinstance(value, str) and len(value) > len(str(NS_FROM)))
    return epoch_ms(value, what, "ns" if in_ns else "ms")


FIELDS = Fields(times=_time_ms, by_session=True)


class _Last(NamedTuple):
    """The newest price of a row, its time (0: it has none), and whether it is of the day that `todaysChange` and `prevDay` go with."""

    price: object
    made: object
    of_today: bool = True


def _known(value: object) -> object:
    """`value`, or `None` where nothing has happened yet: they write 0 then."""
    return None if value in (None, "", 0, "0", "0.0") and value is not False else value


def _ms(value: object) -> int | None:
    """A time that is needed for more than to be told, where there is one."""
    try:
        return _time_ms(value, "time") if _known(value) else None
    except FeedError:
        return None


def _of_bars(row: JsonObject) -> _Last:
    """The close of the newest minute, of the day, or of the day before."""
    minute, day = part(row, "min"), part(row, "day")
    if _known(minute.get("c")) is not None:
        began_ms, updated_ms = _ms(minute.get("t")), _ms(row.get("updated"))
        ends = [ms for ms in (began_ms and began_ms + MINUTE_MS - 1, updated_ms) if ms]  # made in that minute, and not after the row
        return _Last(minute.get("c"), min(ends, default=0))
    if _known(day.get("c")) is not None:
        return _Last(day.get("c"), row.get("updated"))
    return _Last(_known(part(row, "prevDay").get("c")), 0, of_today=False)


def _share(row: JsonObject, delay_min: float | None) -> Tick:
    trade, quote = part(row, "lastTrade"), part(row, "lastQuote")
    codes, traded_ms = trade.get("c"), _ms(trade.get("t"))
    is_price = _known(trade.get("p")) is not None and allowed_ids(codes, traded_ms).last
    last = _Last(trade.get("p"), trade.get("t")) if is_price else _of_bars(row)
    if last.of_today:
        made_ms = traded_ms if is_price else _ms(last.made)
        session = None if made_ms is None else us_session(made_ms, codes if is_price else None)
    else:  # nothing has been traded yet: it is the session that its quotes are made in, if there are any
        quoted_ms = _ms(quote.get("t"))
        session = "closed" if quoted_ms is None else us_session(quoted_ms)
    counts_theirs = last.of_today and (is_price or not trade)  # their change may be that of a trade that is not the price
    day = part(row, "day" if last.of_today else "prevDay")
    return _tick(
        row, last, delay_min, day, session, counts_theirs, bid=quote.get("p"), ask=quote.get("P"), volume=day.get("v"), currency="USD"
    )


def _coin(row: JsonObject, delay_min: float | None) -> Tick:
    trade = part(row, "lastTrade")
    last = _of_bars(row) if _known(trade.get("p")) is None else _Last(trade.get("p"), trade.get("t"))
    day = part(row, "day")
    return _tick(row, last, delay_min, day, volume=day.get("v"), volume_of="24h")  # their day begins at midnight in New York


def _currency(row: JsonObject, delay_min: float | None) -> Tick:
    """Nobody trades there: the price is the middle of bid and ask. What they call a volume is a number of quotes."""
    quote, id = part(row, "lastQuote"), row["ticker"]
    bid, ask = _known(quote.get("b")), _known(quote.get("a"))
    last = _of_bars(row) if bid is None or ask is None else _Last(_middle(bid, ask), quote.get("t"))
    return _tick(
        row,
        last,
        delay_min,
        part(row, "day"),
        counts_theirs=bid is None or ask is None,
        bid=bid,
        ask=ask,
        currency=id[-3:] if len(id) == len("C:EURUSD") else None,
    )


def _middle(bid: object, ask: object) -> float:
    """Exact in decimal. Raises `FeedError` where one of them is no number."""
    return float((Decimal(repr(number(bid, "price"))) + Decimal(repr(number(ask, "price")))) / 2)


def _tick(
    row: JsonObject,
    last: _Last,
    delay_min: float | None,
    day: JsonObject,
    session: MarketSession | None = None,
    counts_theirs: bool = True,
    *,
    bid: object = None,
    ask: object = None,
    volume: object = None,
    currency: str | None = None,
    volume_of: VolumeOf | None = None,
) -> Tick:
    """A row as a tick. A change of 0 is left to be reckoned: they write it where they know none, too."""
    theirs = row if counts_theirs and last.of_today else {}
    return FIELDS.tick(
        last.price,
        bid=bid,
        ask=ask,
        open=day.get("o"),
        high=day.get("h"),
        low=day.get("l"),
        volume=_known(volume),
        prev_close=part(row, "prevDay").get("c") if last.of_today else None,
        change=_known(theirs.get("todaysChange")),
        change_pct=_known(theirs.get("todaysChangePerc")),
        currency=currency,
        quote_time=_known(last.made) or 0,
        delay_min=delay_min,
        known={"session": session, "volume_of": volume_of},
    )


def _index(row: JsonObject, delay_min: float | None) -> Tick:
    session, status = part(row, "session"), row.get("market_status")
    value = _known(row.get("value"))
    if value is None:
        return FIELDS.tick(_known(session.get("previous_close")), quote_time=0, known={"session": "closed"})
    return FIELDS.tick(
        value,
        open=session.get("open"),
        high=session.get("high"),
        low=session.get("low"),
        prev_close=session.get("previous_close"),
        change=_known(session.get("change")),
        change_pct=_known(session.get("change_percent")),
        quote_time=row.get("last_updated"),
        delay_min=DELAY_MIN if row.get("timeframe") == "DELAYED" else delay_min,
        known={"session": INDEX_SESSIONS.get(status) if isinstance(status, str) else None},
    )


class SnapshotCall(NamedTuple):
    """Where one kind of symbols is asked for, and how its rows are read: `asks_by` and `rows` are names of theirs."""

    name: str
    path: str
    read: Callable[[JsonObject, float | None], Tick]
    asks_by: str = "tickers"
    rows: str = "tickers"
    also: Mapping[str, str] = {}


SHARES = SnapshotCall("shares", "/v2/snapshot/locale/us/markets/stocks/tickers", _share)
MARKETS: Mapping[str, SnapshotCall] = {
    "": SHARES,
    "X:": SnapshotCall("crypto", "/v2/snapshot/locale/global/markets/crypto/tickers", _coin),
    "C:": SnapshotCall("currencies", "/v2/snapshot/locale/global/markets/forex/tickers", _currency),
    "I:": SnapshotCall("indices", "/v3/snapshot/indices", _index, "ticker.any_of", "results", {"limit": MOST_ROWS}),
}
"""The call that a symbol is asked for with, by the prefix of its id."""
