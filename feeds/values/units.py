"""What a provider's numbers are in: minor units of a currency, and 32-bit floats that were widened to 64 bits on their way."""

from __future__ import annotations

import re
import struct
from decimal import Context, Decimal
from functools import lru_cache
from typing import NamedTuple

from ticker import secrets
from ticker.errors import said
from ticker.settings.table import CURRENCY_CODE

MINOR_UNITS = {
    "GBp": ("GBP", 2),
    "GBX": ("GBP", 2),  # London, in pence
    "ZAc": ("ZAR", 2),
    "ZAC": ("ZAR", 2),  # Johannesburg, in cents
    "ILA": ("ILS", 2),  # Tel Aviv, in agorot
    "USX": ("USD", 2),  # American grain, meat and cotton, in cents
    "KWF": ("KWD", 3),  # Kuwait, in fils: a thousand are a dinar
}
"""By the provider's code: ISO 4217 code of the major unit, and the power of ten between the two. `GBP` itself is pounds."""

FLOAT32_ERROR = 2.0**-23
"""How far apart, of the larger one, the difference of two numbers may be when both went through 32 bits: half a last place each."""

_FLOAT32 = struct.Struct("f")
_SPLIT = 2.0**29 + 1
"""What tells the first 24 bits of a number from the rest (Dekker): `high - (high - value)` of `high = value * _SPLIT` is those, rounded."""
_EXACT = Context(prec=60)  # 17 digits of each of two numbers between 1e-18 and 1e18


class Unit(NamedTuple):
    """What prices are reported in, and how many digits that moves their point to the left."""

    currency: str | None
    shift: int

    def major(self, value: float) -> float:
        """`value` in `currency`, exact in decimal: 7012.3 pence are 70.123, not 70.12299999999999."""
        return float(Decimal(repr(value)).scaleb(-self.shift, _EXACT)) if self.shift else value


def unit_of(code: str | None) -> Unit:
    """The unit that a provider's currency code stands for: itself, unless it is a minor one."""
    return Unit(*MINOR_UNITS.get(code or "", (currency_of(code), 0)))


def currency_of(code: object) -> str | None:
    """A provider's currency code, if it is one: it is shown to everybody as it stands, so any other text of theirs is not."""
    return code if isinstance(code, str) and _is_code(code, secrets.HIDDEN.version) else None


def without_float32_noise(value: float, decimals: int | None = None) -> float:
    """307.2 for 307.20001220703125: the decimal number that `value` was before a 32-bit float held it.

    Numbers that no 32-bit float can hold were never in one and are left alone; so are whole ones. Rounded to `decimals` (the
    provider's hint) where the same float comes out of that, else to the fewest of 6 to 9 digits that give it again
    (nine always do: IEEE 754 section 5.12.2). Never to another float: 1.0489876 stays, though its hint be 4.
    """
    high = value * _SPLIT
    if high - (high - value) != value or value.is_integer():  # it has more than 24 bits
        return value
    if decimals is not None and _float32(rounded := round(value, decimals)) == value:
        return rounded
    for digits in range(6, 9):
        if _float32(shorter := float(f"{value:.{digits}g}")) == value:
            return shorter
    longest = float(f"{value:.9g}")
    return longest if _float32(longest) == value else value


def without_difference_noise(difference: float, minuend: float, subtrahend: float) -> float:
    """3.07 for 3.0700073 = 244.6 - 241.53: a provider's difference of two numbers, freed of what 32 bits did to it.

    A difference that 32 bits can't explain is the provider's own and is left alone.
    """
    exact = float(_EXACT.subtract(Decimal(repr(minuend)), Decimal(repr(subtrahend))))
    return exact if abs(difference - exact) <= FLOAT32_ERROR * max(abs(minuend), abs(subtrahend)) else difference


def _float32(value: float) -> float:
    nearest: float = _FLOAT32.unpack(_FLOAT32.pack(value))[0]
    return nearest


@lru_cache(maxsize=1024)
def _is_code(code: str, secrets: int) -> bool:
    """Whether it is a code; remembered, for the thousands of rows of an answer are in a few currencies. `secrets`: how many are known."""
    return re.fullmatch(CURRENCY_CODE, code) is not None and said(code) == code
