"""What a price may be, next to the one before it and next to another source's. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ticker.quote import Tick

FORGET_MS = 600_000
"""A price that was not heard again for so long says nothing of the next: in that time a market may go anywhere."""
LOWEST_RATIO = 1e-9
"""However much a price may fall at once by the settings, it does not fall to nothing."""
FAR_RATIO = 10.0
"""What is beyond this multiple of the price before it, up or down, is more likely a fault that lasts than a market: it takes more to
confirm it (`ticker.board.unconfirmed_jump`)."""


class Band(NamedTuple):
    """How far a price may be from the one before it to be believed at once: by multiples of that one; or, where prices may be of any sign
    (`absolute`) and multiples say nothing, by so much.
    """

    lowest: float
    highest: float
    reach: float = 0.0
    absolute: bool = False

    def holds(self, price: float, last: float) -> bool:
        """Whether `price` is near enough to `last`."""
        return last * self.lowest - self.reach <= price <= last * self.highest + self.reach

    def is_far(self, price: float, last: float) -> bool:
        """Whether a second observation would not be enough for it."""
        return not self.absolute and not last / FAR_RATIO <= price <= last * FAR_RATIO

    def confirms(self, price: float, unconfirmed_price: float, last: float) -> bool:
        """Whether one that sees `price` confirms the one that saw the `unconfirmed_price`, rather than the `last` one that was believed.

        Without multiples it has to be nearer to the unconfirmed one than to the last, and than those are to each other: garbage far beyond
        both is nearer to one of them too.
        """
        return (
            abs(price - unconfirmed_price) < min(abs(price - last), abs(unconfirmed_price - last))
            if self.absolute
            else self.holds(price, unconfirmed_price)
        )


def band(max_jump_pct: float) -> Band:
    """That of `max_jump_pct`, in percent of the price before, up or down."""
    return Band(max(1 - max_jump_pct / 100, LOWEST_RATIO), 1 + max_jump_pct / 100)


def absolute_band(reach: float) -> Band:
    """That of prices of any sign, which may move by `reach`."""
    return Band(1.0, 1.0, reach, absolute=True)


class PriceRange:
    """Where a symbol's prices have been: those that were believed, and the day's highest and lowest with them."""

    __slots__ = ("high", "low")

    def __init__(self) -> None:
        self.low = self.high = 0.0
        self.forget()

    def forget(self) -> None:
        """Nothing was seen yet."""
        self.low, self.high = float("inf"), float("-inf")

    def note(self, tick: Tick) -> None:
        """`tick` is believed."""
        self.low = min(self.low, tick.price, tick.price if tick.low is None else tick.low)
        self.high = max(self.high, tick.price, tick.price if tick.high is None else tick.high)

    def reach(self, least_pct: float) -> float:
        """How far a price may move at once: as far as they have been apart, and at least `least_pct` percent of the largest magnitude."""
        if self.low > self.high:
            return 0.0
        return max(self.high - self.low, max(abs(self.low), abs(self.high)) * least_pct / 100)


def apart_pct(price: float, other: float) -> float:
    """By how much `price` differs from `other`, in percent of `other`, 0 or more. Both are above 0."""
    return abs(price - other) / other * 100
