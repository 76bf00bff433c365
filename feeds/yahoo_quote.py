"""Yahoo's two answers as ticks: rows of `v7/finance/quote`, and the `meta` of `v8/finance/chart`. Pure; `feeds.yahoo` shows both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from feeds.base import Subscription
from feeds.parse import (
    array,
    decode_leniently,
    optional_epoch_ms,
    optional_number,
    optional_price,
    optional_size,
    price,
    shown,
    table,
    text,
)
from feeds.units import unit_of, without_difference_noise, without_float32_noise
from ticker.errors import FeedError
from ticker.quote import Session, Tick
from ticker.turn import in_turns

FIELDS = (
    "symbol,quoteType,currency,priceHint,marketState,exchangeDataDelayedBy,"
    "regularMarketPrice,regularMarketTime,regularMarketPreviousClose,regularMarketOpen,regularMarketDayHigh,regularMarketDayLow,"
    "regularMarketVolume,regularMarketChange,regularMarketChangePercent,bid,ask,"
    "preMarketPrice,preMarketChangePercent,preMarketTime,postMarketPrice,postMarketChangePercent,postMarketTime")
"""What a row is asked for: a third of what comes unasked."""

SESSIONS: dict[str | None, Session] = {
    # PREPRE and POSTPOST are the hours of the night in which not even the extended markets trade.
    "PREPRE": "closed", "PRE": "pre", "REGULAR": "regular", "POST": "post", "POSTPOST": "closed", "CLOSED": "closed"}
WITHOUT_VOLUME = frozenset({"CURRENCY", "INDEX"})
"""Nobody counts what is traded of these, so Yahoo's 0 is no number."""

_DOLLAR_PAIR = re.compile(r"USD([A-Z]{3}=X)")


def key_of(id: str) -> str:
    """The one spelling of an id. Yahoo writes capitals whatever was asked for, and `JPY=X` for `USDJPY=X`."""
    key = id.upper()
    return key[3:] if _DOLLAR_PAIR.fullmatch(key) else key


def parse(body: bytes, batch: Sequence[Subscription]) -> dict[str, Tick | FeedError]:
    """The ticks of a `v7/finance/quote` answer, by our symbol.

    An unknown symbol has no row, or a row of type `NONE`, or one without a price, and is rejected; whatever is wrong with a row costs
    its own symbol only. Raises `FeedError` where the answer has no rows to look for.
    """
    whole = table(decode_leniently(body), "answer")
    for part in (whole.get("finance"), whole.get("quoteResponse")):
        if isinstance(part, dict) and part.get("error"):
            raise FeedError("Yahoo answers an error", payload=shown(part["error"]))
    answer = table(whole.get("quoteResponse"), "quoteResponse")
    rows = {}
    for row in in_turns(array(answer.get("result"), "result")):
        if isinstance(row, dict) and isinstance(row.get("symbol"), str):
            rows[key_of(row["symbol"])] = row
    ticks: dict[str, Tick | FeedError] = {}
    for subscription in in_turns(batch):
        try:
            ticks[subscription.symbol] = _tick(rows.get(key_of(subscription.id)), subscription.id)
        except FeedError as error:
            ticks[subscription.symbol] = error
    return ticks


def parse_chart(body: bytes, subscription: Subscription, now_ms: int) -> Tick:
    """The tick in a `v8/finance/chart` answer for `range=1d&interval=1d`. The session is told by the market's hours and `now_ms`."""
    result = array(table(table(decode_leniently(body), "answer").get("chart"), "chart").get("result"), "result")
    chart = table(result[0] if result else None, "result")
    meta = table(chart.get("meta"), "meta")
    if key_of(text(meta.get("symbol"), "symbol")) != key_of(subscription.id):
        raise FeedError(f"the chart is not that of {subscription.id}", payload=shown(meta["symbol"]))
    if meta.get("regularMarketPrice") is None:
        raise unknown(subscription.id, shown(meta))
    scale = _Scale(meta)
    prev_close = meta.get("previousClose")
    if prev_close is None and meta.get("range") == "1d":  # else it is the close before whatever range this is
        prev_close = meta.get("chartPreviousClose")
    kind = _word(meta.get("instrumentType"))
    return _sound(Tick(
        price=scale.major(scale.last(meta)),
        open=scale.price(_opening(chart, meta), "open"),
        high=scale.price(meta.get("regularMarketDayHigh"), "regularMarketDayHigh"),
        low=scale.price(meta.get("regularMarketDayLow"), "regularMarketDayLow"),
        prev_close=scale.price(prev_close, "previousClose"),
        volume=_volume(meta, kind),
        currency=scale.currency,
        quote_time=_time_ms(meta, "regularMarketTime"),
        session=_session_at(meta, kind, now_ms),
    ))


def unknown(id: str, payload: bytes = b"") -> FeedError:
    """What is said of an id that Yahoo has no price for."""
    return FeedError(f"Yahoo has no price for {id!r}", retryable=False, rejects_symbol=True, payload=payload)


class _Scale:
    """How the prices of one row are read: freed of noise, in the major unit."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        code = row.get("currency")
        unit = unit_of(text(code, "currency") if code else None)
        self.currency, self.major = unit.currency, unit.major
        hint = row.get("priceHint")
        self._decimals = hint if isinstance(hint, int) and not isinstance(hint, bool) and 0 <= hint <= 15 else None

    def last(self, row: Mapping[str, Any]) -> float:
        """The regular price as it is quoted, which may be in pence."""
        return without_float32_noise(price(row.get("regularMarketPrice"), "regularMarketPrice"), self._decimals)

    def quoted(self, value: object, what: str) -> float | None:
        """A price as it is quoted, or `None`."""
        result = optional_price(value, what)
        return None if result is None else without_float32_noise(result, self._decimals)

    def price(self, value: object, what: str) -> float | None:
        """A price in `currency`, or `None`."""
        result = self.quoted(value, what)
        return None if result is None else self.major(result)


def _tick(row: Mapping[str, Any] | None, id: str) -> Tick:
    if row is None:
        raise unknown(id)
    try:
        return _read(row, id)
    except FeedError:
        if not any(isinstance(value, dict) for value in row.values()):
            raise
    return _read({key: _plain(value) for key, value in row.items()}, id)


def _read(row: Mapping[str, Any], id: str) -> Tick:
    kind = _word(row.get("quoteType"))
    if kind == "NONE" or row.get("regularMarketPrice") is None:
        raise unknown(id, shown(row))
    scale = _Scale(row)
    last, before = scale.last(row), scale.quoted(row.get("regularMarketPreviousClose"), "regularMarketPreviousClose")
    change = optional_number(row.get("regularMarketChange"), "regularMarketChange")
    if change is not None and before is not None:
        change = without_difference_noise(change, last, before)
    bid, ask = scale.price(row.get("bid"), "bid"), scale.price(row.get("ask"), "ask")
    if bid is not None and ask is not None and bid > ask:  # as Yahoo has it for currencies: one of them is old, and which is not said
        bid = ask = None
    made_ms = _time_ms(row, "regularMarketTime")
    ext_price, ext_change_pct, ext_time = _extended(row, scale, made_ms or 0)
    return _sound(Tick(
        price=scale.major(last),
        bid=bid,
        ask=ask,
        open=scale.price(row.get("regularMarketOpen"), "regularMarketOpen"),
        high=scale.price(row.get("regularMarketDayHigh"), "regularMarketDayHigh"),
        low=scale.price(row.get("regularMarketDayLow"), "regularMarketDayLow"),
        prev_close=None if before is None else scale.major(before),
        volume=_volume(row, kind),
        change=None if change is None else scale.major(change),
        change_pct=_percent(row, "regularMarketChangePercent"),
        currency=scale.currency,
        quote_time=made_ms,
        delay_min=optional_size(row.get("exchangeDataDelayedBy"), "exchangeDataDelayedBy"),
        session=SESSIONS.get(_word(row.get("marketState"))),
        ext_price=ext_price,
        ext_change_pct=ext_change_pct,
        ext_time=ext_time,
    ))


def _extended(row: Mapping[str, Any], scale: _Scale, made_ms: int) -> tuple[float | None, float | None, int | None]:
    """Price, percent and time of the newest trade outside the regular hours, if it is newer than the regular price.

    A row may hold both this morning's and last evening's, and still hold them at noon.
    """
    newest: tuple[float | None, float | None, int | None] = (None, None, None)
    newest_ms = made_ms
    for market in ("pre", "post"):
        what = f"{market}MarketPrice"
        if row.get(what) is None:
            continue
        ext_price = scale.price(row[what], what)
        time_ms = _time_ms(row, f"{market}MarketTime")
        # One without a time is taken at its market's word: it is trading now.
        if ext_price is not None and (row.get("marketState") == market.upper() if time_ms is None else time_ms > newest_ms):
            newest = ext_price, _percent(row, f"{market}MarketChangePercent"), time_ms
            newest_ms = time_ms or newest_ms
    return newest


def _sound(tick: Tick) -> Tick:
    """`tick`, without an open that would be taken for the price of a day ago, as it is where a source has no sessions."""
    return msgspec.structs.replace(tick, open=None) if tick.session is None and tick.prev_close is None else tick


def _volume(row: Mapping[str, Any], kind: str | None) -> float | None:
    volume = optional_size(row.get("regularMarketVolume"), "regularMarketVolume")
    return None if volume == 0 and kind in WITHOUT_VOLUME else volume


def _percent(row: Mapping[str, Any], key: str) -> float | None:
    """Already percent there; 4 places, as everywhere."""
    result = optional_number(row.get(key), key)
    return None if result is None else round(result, 4) + 0.0


def _time_ms(row: Mapping[str, Any], key: str) -> int | None:
    return optional_epoch_ms(row.get(key), key, "s")


def _opening(chart: Mapping[str, Any], meta: Mapping[str, Any]) -> object:
    """The open of the chart's only bar, if that bar is the day of the price, by the exchange's calendar."""
    times, indicators = chart.get("timestamp"), chart.get("indicators")
    quotes = indicators.get("quote") if isinstance(indicators, dict) else None
    opens = quotes[0].get("open") if isinstance(quotes, list) and quotes and isinstance(quotes[0], dict) else None
    if not (isinstance(times, list) and isinstance(opens, list) and len(times) == len(opens) == 1 and meta.get("dataGranularity") == "1d"):
        return None
    offset_s = optional_number(meta.get("gmtoffset"), "gmtoffset") or 0
    bar_day, price_day = ((optional_number(at, "timestamp") or 0) + offset_s for at in (times[0], meta.get("regularMarketTime")))
    return opens[0] if bar_day // 86_400 == price_day // 86_400 else None


def _session_at(meta: Mapping[str, Any], kind: str | None, now_ms: int) -> Session | None:
    if kind == "CRYPTOCURRENCY":  # its hours leave out the last minute of the day
        return "regular"
    periods = meta.get("currentTradingPeriod")
    hours: dict[Session, tuple[int, int]] = {}
    for session in ("pre", "regular", "post"):
        period = periods.get(session) if isinstance(periods, dict) else None
        if isinstance(period, dict):
            start_ms, end_ms = _time_ms(period, "start"), _time_ms(period, "end")
            if start_ms is not None and end_ms is not None:
                hours[session] = start_ms, end_ms
    trading = (session for session, (start_ms, end_ms) in hours.items() if start_ms <= now_ms < end_ms)
    return next(trading, "closed") if "regular" in hours else None


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _plain(value: object) -> object:
    """The number of `{"raw": 1.5, "fmt": "1.50"}`, which some of Yahoo's hosts answer with whatever was asked for; `{}` is none."""
    return value.get("raw") if isinstance(value, dict) and value.keys() <= {"raw", "fmt", "longFmt"} else value
