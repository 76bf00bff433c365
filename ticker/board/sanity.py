"""What of a tick can be meant, whoever said it: the one place where the signs of prices, their sides and their times are judged. Pure.

A symbol without `allow_negative` has prices above zero. What is beside the price can't cost the price: it is dropped, and told as odd.
What a price may be next to others is the business of `ticker.board.outliers`, what it may be next to the close before of
`ticker.board.change`.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from ticker.errors import BadTick
from ticker.quote import Odd, Tick, encode, plain

INFINITY, MINUS_INFINITY = math.inf, -math.inf
AHEAD_MS = 86_400_000
"""A price that says that it was made so long after now was not: clocks and time zones are a day apart at most."""
SIDES = ("bid", "ask", "open", "high", "low", "prev_close", "ext_price")
SIZES = ("volume", "delay_min")
NUMBERS = ("change", "change_pct", "ext_change_pct")

NEEDS_KEY = "the price is zero or below; a symbol whose price can be says allow_negative = true"
BELOW_ZERO = "below zero; a symbol whose price can be says allow_negative = true"
NOT_FINITE = "not a finite number"
ABOVE_THE_ASK = "above the ask"


def needs_key(price: float, allow_negative: bool) -> bool:
    """Whether a price is refused for want of `allow_negative` in the symbol's settings."""
    return price <= 0 and not allow_negative


def no_price(tick: Tick, now_ms: int, allow_negative: bool, is_replayed: bool) -> BadTick | None:
    """What is wrong with a price that can't be one whatever came before it. The times of a recording are told by its own clock."""
    price, made_ms = tick.price, tick.quote_time
    if not MINUS_INFINITY < price < INFINITY:  # true of NaN
        return BadTick(f"{price:g} is no price", payload=repr(tick))
    if needs_key(price, allow_negative):
        return BadTick(NEEDS_KEY, payload=encode(plain(tick)))
    if made_ms is not None and made_ms > now_ms + AHEAD_MS and not is_replayed:
        return BadTick("the price was made more than a day from now", payload=encode(plain(tick)))
    return None


def is_surely_sound(tick: Tick) -> bool:
    """Whether what always moves beside a price is sound, by a short look, thousands of times a second: what is rare is looked at again."""
    bid, ask, low, high = tick.bid, tick.ask, tick.low, tick.high
    opened, volume, change, change_pct = tick.open, tick.volume, tick.change, tick.change_pct
    return (
        (bid is ask if bid is None or ask is None else 0.0 < bid <= ask < INFINITY)
        and (low is high if low is None or high is None else 0.0 < low <= high < INFINITY)
        and (opened is None or 0.0 < opened < INFINITY)
        and (volume is None or 0.0 <= volume < INFINITY)
        and (change is None or MINUS_INFINITY < change < INFINITY)
        and (change_pct is None or MINUS_INFINITY < change_pct < INFINITY)
    )


def sound(tick: Tick, allow_negative: bool, is_final: bool) -> tuple[Tick, list[Odd]]:
    """What remains of a tick with a price, and what was odd about it besides what its feed had found.

    A previous close below zero is left for `ticker.board.change` to judge, save where the changes are final, as another board has judged
    them.
    """
    odd: list[Odd] = []
    close, extended, extended_pct, delay_min = tick.prev_close, tick.ext_price, tick.ext_change_pct, tick.delay_min
    if (
        tick.price > 0
        and is_surely_sound(tick)
        and (close is None or 0.0 < close < INFINITY)
        and (extended is None or 0.0 < extended < INFINITY)
        and (delay_min is None or 0.0 <= delay_min < INFINITY)
        and (extended_pct is None or MINUS_INFINITY < extended_pct < INFINITY)
    ):
        return tick, odd
    other: dict[str, Any] = {}
    if tick.price == 0:
        other["price"] = 0.0  # and never -0.0
    for name in SIDES:
        value = getattr(tick, name)
        if value is None or 0 < value < INFINITY:
            continue
        if not math.isfinite(value):
            other[name] = None
            _drop(odd, name, NOT_FINITE, value)
        elif allow_negative:
            if value == 0:
                other[name] = 0.0
        elif value == 0:
            other[name] = None
        elif name != "prev_close" or is_final:
            other[name] = None
            _drop(odd, name, BELOW_ZERO, value)
    for name in (*SIZES, *NUMBERS):
        value = getattr(tick, name)
        if value is not None and not (0 <= value < INFINITY or (math.isfinite(value) and name in NUMBERS)):
            other[name] = None
            _drop(odd, name, "below zero" if math.isfinite(value) else NOT_FINITE, value)
    bid, ask = other.get("bid", tick.bid), other.get("ask", tick.ask)
    if bid is not None and ask is not None and bid > ask:
        odd.append(Odd("bid", ABOVE_THE_ASK, f"{bid!r} and {ask!r}"))
        other["bid"] = other["ask"] = None
    return (msgspec.structs.replace(tick, **other) if other else tick), odd


def _drop(odd: list[Odd], field: str, reason: str, value: float) -> None:
    odd.append(Odd(field, reason, f"{value!r}"))
