"""What a price may be, next to the one before it and next to another source's. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

from ticker.errors import BadTick
from ticker.quote import Tick

FORGET_MS = 600_000
"""A price not heard again for so long is no yardstick for the next: in that time a market may go anywhere."""
INSIST_MS = 5_000
"""A source that says the very same for so long means it."""
LOWEST_RATIO = 1e-9
"""However much a price may fall at once by the settings, it does not fall to nothing."""


class Ratios(NamedTuple):
    """Between which multiples of the price before it a price is believed at once."""

    lowest: float
    highest: float


def ratios(max_jump_pct: float) -> Ratios:
    """Those of `max_jump_pct`, in percent of the price before, up or down."""
    return Ratios(max(1 - max_jump_pct / 100, LOWEST_RATIO), 1 + max_jump_pct / 100)


def no_price(tick: Tick) -> BadTick | None:
    """What is wrong with a price that can't be one whatever came before it: zero, negative, infinite or not a number."""
    if 0 < tick.price < math.inf:  # false for NaN
        return None
    return BadTick(f"{tick.price:g} is no price", payload=repr(tick))


def apart_pct(price: float, other: float) -> float:
    """By how much `price` differs from `other`, in percent of `other`, 0 or more. Both are above 0."""
    return abs(price - other) / other * 100
