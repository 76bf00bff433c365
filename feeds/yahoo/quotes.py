"""Yahoo's two answers as ticks: rows of `v7/finance/quote`, and the `meta` of `v8/finance/chart`. Pure; `feeds.yahoo.feed` shows both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from feeds.base import Subscription
from feeds.values.fields import Fields, Known, Through, part
from feeds.values.parse import EARLIEST_MS, LATEST_MS, array, decode, epoch_ms, shown, table, text
from feeds.values.units import without_float32_noise
from ticker.errors import FeedError
from ticker.quote import MarketSession, Tick
from ticker.runtime import in_turns

FIELDS = Fields(times="s", float32=True, by_session=True)
ASKED_FOR = (
    "symbol,quoteType,currency,priceHint,marketState,hasPrePostMarketData,exchangeDataDelayedBy,"
    "regularMarketPrice,regularMarketTime,regularMarketPreviousClose,regularMarketOpen,regularMarketDayHigh,regularMarketDayLow,"
    "regularMarketVolume,regularMarketChange,regularMarketChangePercent,bid,ask,"
    "preMarketPrice,preMarketChangePercent,preMarketTime,postMarketPrice,postMarketChangePercent,postMarketTime,"
    "overnightMarketPrice,overnightMarketChangePercent,overnightMarketTime"
)
"""What a row is asked for: a third of what comes unasked. The night's fields come with `overnightPrice=true` only."""

SESSIONS: dict[str | None, MarketSession] = {
    # PREPRE and POSTPOST are the hours in which not even the extended markets trade. Whether the night does its price tells, not a word.
    "PREPRE": "closed", "PRE": "pre", "REGULAR": "regular", "POST": "post", "POSTPOST": "closed", "CLOSED": "closed", "OVERNIGHT": "closed"
}  # fmt: skip
EXTENDED = (
    ("PRE", "preMarketPrice", "preMarketChangePercent", "preMarketTime"),
    ("POST", "postMarketPrice", "postMarketChangePercent", "postMarketTime"),
    ("OVERNIGHT", "overnightMarketPrice", "overnightMarketChangePercent", "overnightMarketTime"),
)
"""The markets outside the regular hours: the state, and the keys of price, change against the regular price, and time."""
FUNDS = frozenset({"MUTUALFUND", "MONEYMARKET"})
"""Priced once a day, hours after the exchange has shut: its state says nothing of them."""
NO_QUOTES = frozenset({"ECNQUOTE", "ALTSYMBOL"})
"""What an alternative venue says of a symbol, and another name for one: neither is its quote."""
NOISELESS: dict[int, Through] = {decimals: partial(without_float32_noise, decimals=decimals) for decimals in range(16)}
NEW_YORK = ZoneInfo("America/New_York")
NIGHT_BEGINS, NIGHT_ENDS = 20, 4
"""The hours, in New York, between which shares trade at night."""
WITHOUT_VOLUME = frozenset({"CURRENCY", "INDEX"})
"""Nobody counts what is traded of these, so Yahoo's 0 is no number."""

_DOLLAR_PAIR = re.compile(r"USD([A-Z]{3}=X)")


def key_of(id: str) -> str:
    """The one spelling of an id. Yahoo writes capitals whatever was asked for, and `JPY=X` for `USDJPY=X`."""
    key = id.upper()
    return key[3:] if _DOLLAR_PAIR.fullmatch(key) else key


def parse(body: bytes, batch: Sequence[Subscription], now_ms: int) -> dict[str, Tick | FeedError]:
    """The ticks of a `v7/finance/quote` answer, by our symbol.

    An unknown symbol has no row, or a row of type `NONE`, or one without a price, and is rejected; whatever is wrong with a row costs
    its own symbol only. `now_ms` tells which night a price is of. Raises `FeedError` where the answer has no rows to look for.
    """
    whole = table(decode(body), "answer")
    for half in (whole.get("finance"), whole.get("quoteResponse")):
        if isinstance(half, dict) and half.get("error"):
            raise FeedError("Yahoo answers an error", payload=shown(half["error"]))
    answer = table(whole.get("quoteResponse"), "quoteResponse")
    rows = {}
    for row in in_turns(array(answer.get("result"), "result")):
        if isinstance(row, dict) and isinstance(row.get("symbol"), str):
            rows[key_of(row["symbol"])] = row
    ticks: dict[str, Tick | FeedError] = {}
    for subscription in in_turns(batch):
        try:
            ticks[subscription.symbol] = _tick(rows.get(key_of(subscription.id)), subscription.id, now_ms)
        except FeedError as error:
            ticks[subscription.symbol] = error
    return ticks


def parse_chart(body: bytes, subscription: Subscription, now_ms: int) -> Tick:
    """The tick in a `v8/finance/chart` answer for `range=1d&interval=1d`. The session is told by the market's hours and `now_ms`."""
    result = array(table(table(decode(body), "answer").get("chart"), "chart").get("result"), "result")
    chart = table(result[0] if result else None, "result")
    meta = table(chart.get("meta"), "meta")
    if key_of(text(meta.get("symbol"), "symbol")) != key_of(subscription.id):
        raise FeedError(f"the chart is not that of {subscription.id}", payload=shown(meta["symbol"]))
    if meta.get("regularMarketPrice") is None:
        raise unknown(subscription.id, shown(meta))
    prev_close = meta.get("previousClose")
    if prev_close is None and meta.get("range") == "1d":  # else it is the close before whatever range this is
        prev_close = meta.get("chartPreviousClose")
    kind = _word(meta.get("instrumentType"))
    return FIELDS.tick(
        meta["regularMarketPrice"],
        currency=meta.get("currency"),
        through=noiseless(meta.get("priceHint")),
        open=_opening(chart, meta),
        high=meta.get("regularMarketDayHigh"),
        low=meta.get("regularMarketDayLow"),
        prev_close=prev_close,
        volume=_volume(meta, kind),
        quote_time=meta.get("regularMarketTime"),
        known=_known(kind, _session_at(meta, now_ms)),
    )


def unknown(id: str, payload: bytes = b"", says: str = "") -> FeedError:
    """What is said of an id that Yahoo has no price for; `says`: in Yahoo's own words, where it has some."""
    why = says or "it is not known there, or may be delisted"
    return FeedError(f"Yahoo has no price for {id!r}: {why}", retryable=False, rejects_symbol=True, payload=payload)


def noiseless(hint: object) -> Through:
    """What frees prices of the noise of 32 bits, by the decimals that are hinted at."""
    return NOISELESS.get(hint, without_float32_noise) if type(hint) is int else without_float32_noise


def night_of(ms: float) -> date | None:
    """The day before whose opening shares trade at night at that time; `None` where they do not. There is a night before each weekday."""
    there = datetime.fromtimestamp(ms / 1000, NEW_YORK)
    if NIGHT_ENDS <= there.hour < NIGHT_BEGINS:
        return None
    day = there.date() + timedelta(days=there.hour >= NIGHT_BEGINS)
    return day if day.weekday() < 5 else None


def _tick(row: Mapping[str, Any] | None, id: str, now_ms: int) -> Tick:
    if row is None:
        raise unknown(id)
    try:
        tick = _read(row, id, now_ms)
        if tick.odd is None or not _is_formatted(row):
            return tick
    except FeedError:
        if not _is_formatted(row):
            raise
    return _read({key: _plain(value) for key, value in row.items()}, id, now_ms)


def _read(row: Mapping[str, Any], id: str, now_ms: int) -> Tick:
    kind = _word(row.get("quoteType"))
    if kind in NO_QUOTES:
        raise unknown(id, shown(row), f"what it has is of type {kind}, which is no quote")
    if kind == "NONE" or row.get("regularMarketPrice") is None:
        raise unknown(id, shown(row))
    state = _word(row.get("marketState"))
    ext = _extended(row, state)
    _, ext_price, ext_change_pct, ext_time, _ = ext
    return FIELDS.tick(
        row["regularMarketPrice"],
        currency=row.get("currency"),
        through=noiseless(row.get("priceHint")),
        bid=row.get("bid"),
        ask=row.get("ask"),
        open=row.get("regularMarketOpen"),
        high=row.get("regularMarketDayHigh"),
        low=row.get("regularMarketDayLow"),
        prev_close=row.get("regularMarketPreviousClose"),
        volume=_volume(row, kind),
        change=row.get("regularMarketChange"),
        change_pct=row.get("regularMarketChangePercent"),
        quote_time=row.get("regularMarketTime"),
        delay_min=row.get("exchangeDataDelayedBy"),
        ext_price=ext_price,
        ext_change_pct=ext_change_pct,
        ext_time=ext_time,
        known=_known(kind, _session(row, state, ext, now_ms)),
    )


def _known(kind: str | None, session: MarketSession | None) -> Known:
    if kind in FUNDS:
        return {"cadence": "day"}
    if kind == "CRYPTOCURRENCY":  # whose hours in charts leave out the last minute of the day
        return {"session": "regular", "volume_of": "24h"}
    return {"session": session}


_Ext = tuple[str, object, object, object, float | None]
"""A price outside the regular hours: its market's state, the price, its change and its time as they stand there, and when that was."""
_NONE: _Ext = ("", None, None, None, None)


def _extended(row: Mapping[str, Any], state: str | None) -> _Ext:
    """The newest trade outside the regular hours, if it is newer than the regular price.

    A row may hold this morning's, last evening's and last night's, and still hold them at noon.
    """
    newest, newest_s = _NONE, 0.0
    for market, price, change_pct, time in EXTENDED:
        value = row.get(price)
        if value is None or value == 0:
            continue
        if newest is _NONE:
            newest_s = _moment_s(row.get("regularMarketTime")) or 0.0
        made_s = _moment_s(row.get(time))
        # One without a time is taken at its market's word: it is trading now.
        if made_s > newest_s if made_s is not None else state == market:
            newest = market, value, row.get(change_pct), row.get(time), made_s
            newest_s = made_s or newest_s
    return newest


def _session(row: Mapping[str, Any], state: str | None, ext: _Ext, now_ms: int) -> MarketSession | None:
    """What the state says of a market that has such hours; by night, and only then, the night's price knows better."""
    session = _of_its_hours(SESSIONS.get(state), row)
    if session is None or session == "closed":
        market, *_, made_s = ext
        if market == "OVERNIGHT" or (state == "OVERNIGHT" and row.get("overnightMarketPrice")):
            tonight = night_of(now_ms)
            if tonight is not None and (market != "OVERNIGHT" or made_s is None or night_of(made_s * 1000) == tonight):
                return "overnight"
    return session


def _of_its_hours(session: MarketSession | None, row: Mapping[str, Any]) -> MarketSession | None:
    """The exchange's session is not that of what trades in its regular hours only."""
    return "closed" if session in ("pre", "post") and row.get("hasPrePostMarketData") is False else session


def _volume(row: Mapping[str, Any], kind: str | None) -> object:
    volume = row.get("regularMarketVolume")
    return None if kind in WITHOUT_VOLUME and volume in (0, "0") else volume


def _moment_s(value: object) -> float | None:
    """A time, if it can be one."""
    if type(value) is int and EARLIEST_MS <= value * 1000 <= LATEST_MS:
        return value
    try:
        return epoch_ms(value, "time", "s") / 1000 if value else None
    except FeedError:
        return None


def _opening(chart: Mapping[str, Any], meta: Mapping[str, Any]) -> object:
    """The open of the chart's only bar, if that bar is the day of the price, by the exchange's calendar."""
    times, quotes = chart.get("timestamp"), part(chart, "indicators").get("quote")
    opens = quotes[0].get("open") if isinstance(quotes, list) and quotes and isinstance(quotes[0], dict) else None
    if not (isinstance(times, list) and isinstance(opens, list) and len(times) == len(opens) == 1 and meta.get("dataGranularity") == "1d"):
        return None
    offset, bar_s, price_s = meta.get("gmtoffset"), _moment_s(times[0]), _moment_s(meta.get("regularMarketTime"))
    offset_s = offset if type(offset) is int else 0
    if bar_s is None or price_s is None:
        return None
    return opens[0] if (bar_s + offset_s) // 86_400 == (price_s + offset_s) // 86_400 else None


def _session_at(meta: Mapping[str, Any], now_ms: int) -> MarketSession | None:
    periods = part(meta, "currentTradingPeriod")
    hours: dict[MarketSession, tuple[float, float]] = {}
    for session in ("pre", "regular", "post"):
        period = periods.get(session)
        if isinstance(period, dict):
            start_s, end_s = _moment_s(period.get("start")), _moment_s(period.get("end"))
            if start_s is not None and end_s is not None:
                hours[session] = start_s, end_s
    trading = (session for session, (start_s, end_s) in hours.items() if start_s <= now_ms / 1000 < end_s)
    return _of_its_hours(next(trading, "closed"), meta) if "regular" in hours else None


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _is_formatted(row: Mapping[str, Any]) -> bool:
    return any(isinstance(value, dict) for value in row.values())


def _plain(value: object) -> object:
    """The number of `{"raw": 1.5, "fmt": "1.50"}`, which some of Yahoo's hosts answer with whatever was asked for; `{}` is none."""
    return value.get("raw") if isinstance(value, dict) and value.keys() <= {"raw", "fmt", "longFmt"} else value
