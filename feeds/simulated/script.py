"""Faults by the clock, for demonstrations and tests: what goes wrong with a `simulated` feed, from when, for how long, how often.

    [feeds.sim]
    kind = "simulated"
    faults = [
        { kind = "silence", at_s = 10, for_s = 15, every_s = 60, symbols = ["ACME"] },
        { kind = "bad_tick", at_s = 30, every_s = 60, price = "zero" },
        { kind = "429", at_s = 45, for_s = 5, every_s = 60, wait_s = 7 },
    ]

Times are counted from the feed's first poll. Nothing here is random: the same settings show the same faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import msgspec
from pydantic import Field, model_validator

from ticker.quote import Odd, Tick
from ticker.settings import Table

ScriptSeconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]

OF_SYMBOLS = frozenset({"silence", "freeze", "burst", "bad_tick", "halt", "odd", "cancel"})
"""What happens to symbols; the others happen to polls as a whole."""
SINGLE = frozenset({"bad_tick", "cancel"})
"""The faults that happen to one poll each time they are due."""
JUMP_FACTOR = 3.0
MISPRINT_FACTOR = 1.02
PAST_MS = 3_600_000


class ScriptedFault(Table):
    """One thing that goes wrong, once or again and again."""

    kind: Literal["silence", "freeze", "burst", "bad_tick", "halt", "odd", "cancel", "crash", "slow", "429"] = Field(
        description="silence: no news of the symbols; freeze: their last tick again and again, with its old time; "
        "burst: 50 ticks a second; bad_tick: one tick with a bad price; halt: trading is halted; odd: a bid that is no number; "
        "cancel: a trade 2 % above the others, taken back in the next tick; crash: polls raise an exception; "
        "slow: a poll takes wait_s; 429: polls are refused"
    )
    at_s: ScriptSeconds = Field(description="when it begins, counted from the feed's first poll")
    for_s: float = Field(
        10.0, gt=0, le=86_400, allow_inf_nan=False, description="how long it lasts; a bad tick and a cancelled trade have no length"
    )
    every_s: float | None = Field(
        None, gt=0, le=86_400, allow_inf_nan=False, description="how long from one beginning to the next; default: it happens once"
    )
    symbols: Annotated[tuple[str, ...], Field(strict=False)] = Field((), description="whom it happens to; default all of the feed")
    price: Literal["jump", "zero", "negative", "nan", "past"] = Field(
        "jump", description="what is bad about a bad tick: three times the price, 0, less than 0, not a number, an hour old"
    )
    wait_s: float = Field(3.0, gt=0, le=900, allow_inf_nan=False, description="how long a slow poll takes; what a 429 asks to wait")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.every_s is not None and self.every_s <= self.for_s:
            raise ValueError("every_s must be longer than for_s")
        if self.symbols and self.kind not in OF_SYMBOLS:
            raise ValueError(f"{self.kind} happens to the feed as a whole, without symbols")
        return self

    def occurrence(self, elapsed_s: float) -> int | None:
        """The how manieth time (from 0) it is happening `elapsed_s` after the first poll; `None`: it is not."""
        since_s = elapsed_s - self.at_s
        if since_s < 0:
            return None
        number, since_s = (0, since_s) if self.every_s is None else (int(since_s // self.every_s), since_s % self.every_s)
        return number if since_s < self.for_s else None

    def concerns(self, symbol: str) -> bool:
        """Whether it happens to `symbol`."""
        return not self.symbols or symbol in self.symbols


class Script:
    """Which faults there are at a moment. A bad tick or a cancelled trade comes once each time: with the first poll that asks."""

    def __init__(self, faults: Sequence[ScriptedFault]) -> None:
        self._faults = faults
        self._told: dict[int, int] = {}

    def at(self, elapsed_s: float) -> list[ScriptedFault]:
        """The faults to play in a poll so long after the first one."""
        playing = []
        for index, fault in enumerate(self._faults):
            number = fault.occurrence(elapsed_s)
            if number is None or (fault.kind in SINGLE and self._told.get(index) == number):
                continue
            self._told[index] = number
            playing.append(fault)
        return playing


def odd(tick: Tick) -> Tick:
    """`tick` without its bid, which could not be read."""
    return msgspec.structs.replace(tick, bid=None, odd=(Odd("bid", "not a number that can be used", '"unch"'),))


def misprinted(tick: Tick) -> Tick:
    """`tick` with a trade that will be taken back."""
    price = tick.price * MISPRINT_FACTOR
    return msgspec.structs.replace(
        tick,
        price=price,
        high=None if tick.high is None else max(tick.high, price),
        low=None if tick.low is None else min(tick.low, price),
        change=None,
        change_pct=None,
    )


def spoilt(tick: Tick, fault: ScriptedFault) -> Tick:
    """`tick` as a bad one."""
    if fault.price == "past":
        return msgspec.structs.replace(tick, quote_time=(tick.quote_time or 0) - PAST_MS)
    price = {"jump": tick.price * JUMP_FACTOR, "zero": 0.0, "negative": -tick.price, "nan": float("nan")}[fault.price]
    return msgspec.structs.replace(tick, price=price)
