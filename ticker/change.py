"""What a price has moved since the close before, in decimal: 0.3 against 0.1 is +0.2 and +200 %, not +0.19999999999999998."""

from __future__ import annotations

import math
from decimal import Context, Decimal

from ticker.quote import Tick

_PCT_PLACES = Decimal("0.0001")
# Wide enough that the difference of two 17-digit floats is exact whatever their magnitudes, and never raises.
_CONTEXT = Context(prec=700)
_DIVISION = Context(prec=40)


def change_of(tick: Tick) -> tuple[float | None, float | None]:
    """`change` (in the price's currency) and `change_pct` (percent, 4 places, half to even) of `tick`.

    The source's own where it states them, each for itself. Else against `prev_close`; or against `open` where the source has no
    sessions and `open` is that of the day or the last 24 h. Where there is nothing to compare with, or it is not positive, `None`:
    better no change than a wrong one.
    """
    change, change_pct = tick.change, tick.change_pct
    if change is not None and change_pct is not None:
        return change, change_pct
    base = tick.prev_close
    if base is None and tick.session is None:
        base = tick.open
    if base is None or base <= 0:
        return change, change_pct
    before = Decimal(repr(base))
    moved = _CONTEXT.subtract(Decimal(repr(tick.price)), before)
    if change is None:
        change = _finite(moved)
    if change_pct is None:
        ratio = _DIVISION.divide(moved, before).scaleb(2, _DIVISION)
        change_pct = _finite(ratio.quantize(_PCT_PLACES, context=_CONTEXT))
    return change, change_pct


def _finite(number: Decimal) -> float | None:
    nearest = float(number)
    return nearest if math.isfinite(nearest) else None
