"""What a price has moved since the close before, in decimal: 0.3 against 0.1 is +0.2 and +200 %, not +0.19999999999999998."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from functools import lru_cache

from ticker.board.sanity import BELOW_ZERO
from ticker.quote import Odd, Tick

MOST_RATIO = 3.000000000001
"""No session makes a price three times as high, or a third: beyond that the share was split since, or the base is no close. A little more
than 3, so that three times is not too much by the rounding of a float.
"""
MOST_PCT = 1_000_000.0
"""Beyond this many percent the base is so small that a percentage says nothing, and there is none."""
_PCT_PLACES = Decimal("0.0001")
# Wide enough that the difference of two 17-digit floats is exact whatever their magnitudes, and never raises.
_CONTEXT = Context(prec=700)
_DIVISION = Context(prec=40)


def change_of(tick: Tick) -> tuple[float | None, float | None]:
    """`change` (in the price's currency) and `change_pct` (percent, 4 places, half to even) of `tick`.

    The source's own where it states them, each for itself. Else against `prev_close`; or against `open` where the source has no
    sessions and `open` is that of the day or the last 24 h. Where there is nothing to compare with, `None`: better no change than a
    wrong one. Of a base or a price of zero or below there is no percentage, and the source's own says nothing.
    """
    price, change, change_pct = tick.price, tick.change, tick.change_pct
    base = tick.prev_close
    if base is None and tick.session is None:
        base = tick.open
    if base is None:
        return change, None if price <= 0 or (change is not None and change >= price) else change_pct
    has_signs = price <= 0 or base <= 0
    if has_signs:
        change_pct = None
    if change is None or (change_pct is None and not has_signs):
        before = _exactly(base)
        moved = _CONTEXT.subtract(Decimal(repr(price)), before)
        if change is None:
            change = _finite(moved)
        if change_pct is None and not has_signs:
            ratio = _DIVISION.divide(moved, before).scaleb(2, _DIVISION)
            computed = _finite(ratio.quantize(_PCT_PLACES, context=_CONTEXT))
            change_pct = None if computed is None or computed > MOST_PCT else computed
    return change, change_pct


def strange_base(tick: Tick) -> list[Odd]:
    """What is odd about the previous close of a price that can't be zero or below, if no session explains it: then nobody knows what the
    price has moved, whatever the source says.
    """
    base = tick.prev_close
    if base is None or (tick.price <= base * MOST_RATIO and base <= tick.price * MOST_RATIO):
        return []
    return [Odd("prev_close", BELOW_ZERO if base < 0 else "no session explains it", f"{base!r}")]


@lru_cache(maxsize=16_384)
def _exactly(base: float) -> Decimal:
    """The base as it is written: the same all day."""
    return Decimal(repr(base))


def _finite(number: Decimal) -> float | None:
    nearest = float(number)
    return nearest if math.isfinite(nearest) else None
