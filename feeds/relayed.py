"""A quote of another tickercast as a tick. Pure."""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_args

from feeds.parse import epoch_ms, optional_number, optional_pct, optional_price, optional_size, price, shown, text
from ticker.errors import FeedError
from ticker.quote import Session, State, Tick
from ticker.settings.model import CURRENCY_CODE

MOST_HOPS = 16
"""Nobody needs so many relays one behind another; a loop that is not noticed otherwise ends here."""
LONGEST_NAME = 100
STATES: tuple[State, ...] = get_args(State)
SESSIONS: tuple[Session, ...] = get_args(Session)

Choice = TypeVar("Choice", bound=str)


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
        change_pct=optional_pct(row.get("change_pct"), "change_pct"),
        currency=_currency(row.get("currency")),
        quote_time=_time(row.get("quote_time"), "quote_time"),
        delay_min=optional_size(row.get("delay_min"), "delay_min"),
        session=_one_of(SESSIONS, row.get("session"), "session") if "session" in row else None,
        ext_price=optional_price(row.get("ext_price"), "ext_price"),
        ext_change_pct=optional_pct(row.get("ext_change_pct"), "ext_change_pct"),
        ext_time=_time(row.get("ext_time"), "ext_time"),
        origin=text(row.get("origin", row.get("source")), "origin")[:LONGEST_NAME],
        hops=hops,
        upstream_state=_one_of(STATES, row.get("state"), "state"),
    )
    return tick, _count(row.get("seq"), "seq")


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
