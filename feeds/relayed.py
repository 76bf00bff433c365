"""Quotes of another tickercast as ticks. Pure. Whole messages are checked by msgspec while it decodes them, ten times as fast as we could;
where one is refused, each of its quotes is looked at alone, so that a bad one costs no other.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_args

import msgspec
from msgspec import Meta

from feeds.parse import (
    EARLIEST_MS,
    LARGEST,
    LATEST_MS,
    SMALLEST_PRICE,
    elements,
    epoch_ms,
    optional_number,
    optional_price,
    optional_size,
    price,
    shown,
    text,
)
from feeds.slices import LARGE_BYTES
from ticker import hidden
from ticker.errors import FeedError, said
from ticker.nested import undisturbed
from ticker.quote import Session, State, Tick
from ticker.settings.model import CURRENCY_CODE

MOST_HOPS = 16
"""Nobody needs so many relays one behind another; a loop that is not noticed otherwise ends here."""
LONGEST_NAME = 100
MOST_ROWS = 50_000
"""Of one message."""
STATES: tuple[State, ...] = get_args(State)
SESSIONS: tuple[Session, ...] = get_args(Session)

Choice = TypeVar("Choice", bound=str)
Price = Annotated[float, Meta(ge=SMALLEST_PRICE, le=LARGEST)] | None
Number = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)] | None
Size = Annotated[float, Meta(ge=0, le=LARGEST)] | None
Time = Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS)] | None
Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]


class Row(msgspec.Struct, gc=False):
    """A quote that is all right."""

    symbol: str
    price: Annotated[float, Meta(ge=SMALLEST_PRICE, le=LARGEST)]
    source: Name
    state: State
    seq: Annotated[int, Meta(ge=0, lt=2**53)]
    bid: Price = None
    ask: Price = None
    open: Price = None
    high: Price = None
    low: Price = None
    prev_close: Price = None
    volume: Size = None
    change: Number = None
    change_pct: Number = None
    currency: Annotated[str, Meta(pattern=CURRENCY_CODE.removesuffix("$") + r"\Z")] | None = None
    quote_time: Time = None
    delay_min: Size = None
    session: Session | None = None
    ext_price: Price = None
    ext_change_pct: Number = None
    ext_time: Time = None
    origin: Name | None = None
    hops: Annotated[int, Meta(ge=0, lt=MOST_HOPS)] = 0


def read_rows(event: bytes) -> list[Row] | None:
    """The rows of an event `["quotes",[…]]` in which all is well; `None` where it is not, and of any other."""
    try:
        if len(event) > LARGE_BYTES:
            return _many_rows(event)
        name, rows = undisturbed(_ROWS.decode, event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, FeedError):
        return None
    return rows if name == "quotes" else None


def _many_rows(event: bytes) -> list[Row] | None:
    """The same, with others' turns meanwhile."""
    name, raw = undisturbed(_EVENT.decode, event)
    if name != "quotes":
        return None
    rows: list[Row] = []
    for group in elements(bytes(raw), lambda group: undisturbed(_GROUP.decode, group)):
        rows += group
        if len(rows) > MOST_ROWS:
            return None
    return rows


def tick_of(row: Row) -> Tick:
    """The tick of a row."""
    return Tick(
        price=row.price, bid=row.bid, ask=row.ask, open=row.open, high=row.high, low=row.low, prev_close=row.prev_close, volume=row.volume,
        change=row.change, change_pct=row.change_pct, currency=row.currency, quote_time=row.quote_time, delay_min=row.delay_min,
        session=row.session, ext_price=row.ext_price, ext_change_pct=row.ext_change_pct, ext_time=row.ext_time,
        origin=_name(row.origin or row.source, hidden.HIDDEN.version), hops=row.hops + 1, upstream_state=row.state)


def read_quote(row: dict[str, Any]) -> tuple[Tick, int]:
    """The tick and its `seq` there. Raises `FeedError` where it is no quote, or has passed too many relays."""
    hops = _count(row.get("hops", 0), "hops") + 1
    if hops > MOST_HOPS:
        raise FeedError(f"passed more than {MOST_HOPS} relays: a loop?", retryable=False, rejects_symbol=True)
    tick = Tick(
        price=price(row.get("price"), "price"),
        bid=optional_price(row.get("bid"), "bid"),
        ask=optional_price(row.get("ask"), "ask"),
        open=optional_price(row.get("open"), "open"),
        high=optional_price(row.get("high"), "high"),
        low=optional_price(row.get("low"), "low"),
        prev_close=optional_price(row.get("prev_close"), "prev_close"),
        volume=optional_size(row.get("volume"), "volume"),
        change=optional_number(row.get("change"), "change"),
        change_pct=optional_number(row.get("change_pct"), "change_pct"),
        currency=_currency(row.get("currency")),
        quote_time=_time(row.get("quote_time"), "quote_time"),
        delay_min=optional_size(row.get("delay_min"), "delay_min"),
        session=None if row.get("session") is None else _one_of(SESSIONS, row["session"], "session"),
        ext_price=optional_price(row.get("ext_price"), "ext_price"),
        ext_change_pct=optional_number(row.get("ext_change_pct"), "ext_change_pct"),
        ext_time=_time(row.get("ext_time"), "ext_time"),
        origin=_name(text(row.get("origin") or row.get("source"), "origin"), hidden.HIDDEN.version),
        hops=hops,
        upstream_state=_one_of(STATES, row.get("state"), "state"),
    )
    return tick, _count(row.get("seq"), "seq")


@lru_cache(maxsize=1024)
def _name(name: str, secrets: int) -> str:
    """A source's name as it may be shown, by as many `secrets` as are known: others will read it in each quote."""
    return said(name, LONGEST_NAME)


def _one_of(choices: tuple[Choice, ...], value: object, what: str) -> Choice:
    for choice in choices:
        if value == choice:
            return choice
    raise FeedError(f"{what}: none of {', '.join(choices)}", payload=shown(value))


def _count(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise FeedError(f"{what}: a whole number was expected", payload=shown(value))
    return value


def _time(value: object, what: str) -> int | None:
    return None if value is None else epoch_ms(value, what, "ms")


def _currency(value: object) -> str | None:
    if value is None or (isinstance(value, str) and re.fullmatch(CURRENCY_CODE, value)):
        return value
    raise FeedError("currency: no code of one", payload=shown(value))


_ROWS = msgspec.json.Decoder(tuple[str, list[Row]])
_EVENT = msgspec.json.Decoder(tuple[str, msgspec.Raw])
_GROUP = msgspec.json.Decoder(list[Row])
