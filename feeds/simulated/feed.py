"""Prices out of nothing, for a first look, for demonstrations, and as the load of the benchmarks.

    [feeds.sim]
    kind = "simulated"
    interval_s = 0.5
    seed = 7

    [symbols]
    ACME = { feed = "sim" }
    FAST = { feed = "sim", sim = { price = 80, volatility_pct = 0.2, spread_pct = 0.05, decimals = 3 } }

All fields but two are functions of (seed, symbol, tick) and of nothing else: not of the other symbols, nor of the interval, nor of
when the symbol was added. `high` and `low` are those of tick 0 and of the ticks that this run has shown.

The logarithm of price over mean is a mean-reverting walk, cut into blocks of 64 ticks. At each boundary it is drawn anew from the
distribution that it has in the long run; inside a block a Brownian bridge leads from one boundary to the next. So tick n costs the
same whether or not the ticks before it were ever looked at. All draws come from BLAKE2b of (seed, symbol, block): the same in every
process and in every version of Python.

With `faults` things go wrong as `feeds.simulated.script` tells.
"""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from statistics import NormalDist
from typing import Annotated, ClassVar, Self

import msgspec
from pydantic import Field, model_validator

from feeds.base import About, Answer, Feed, Subscription
from feeds.simulated.script import Script, ScriptedFault, misprinted, odd, spoilt
from ticker.errors import FeedError
from ticker.quote import Kind, Tick, VolumeOf, correcting
from ticker.runtime import Runtime
from ticker.settings import FeedSettings, SymbolOptions

BLOCK = 64
"""Ticks between two boundaries: as many as BLAKE2b gives bytes at once."""
REACH = math.sqrt(BLOCK / 2)
"""Standard deviation of the walk in the long run, in steps. With this one it is the same at every tick of a block: a bridge adds
what the middle between two boundaries lacks, REACH²·(1 − 2f(1 − f)) + BLOCK·f(1 − f) = REACH² at any fraction f of the way. And a
step has the variance 1 exactly: 1 − 1/BLOCK of the bridge, 2·REACH²/BLOCK² of the boundaries."""
NORMAL = tuple(NormalDist().inv_cdf((byte + 0.5) / 256) for byte in range(256))
"""A byte as a draw from the normal distribution, at most ±2.89 deviations: prices are bounded."""
SIZES = tuple(1 + byte % 16 for byte in blake2b(b"sizes").digest())
"""How many lots change hands at each tick of a block."""
TRADED = tuple(accumulate(SIZES))

BURST_S = 0.02
"""The time from one tick of a burst to the next."""

SMALLEST_PRICE = 1e-9
LARGEST_UNITS = 10**14
"""Price × 10^decimals stays below: exact as a float, with room for the walk."""


class SimulatedSettings(FeedSettings):
    """`[feeds.NAME]` of kind `simulated`."""

    interval_s: float = Field(0.5, ge=0.001, le=60, allow_inf_nan=False, description="time between two ticks of all symbols")
    seed: int = Field(7, ge=-(2**63), lt=2**63, description="the same seed gives the same prices")
    volatility_pct: float = Field(
        0.05, ge=0, le=5, allow_inf_nan=False, description="standard deviation of one tick's move, in percent of the price"
    )
    faults: Annotated[tuple[ScriptedFault, ...], Field(strict=False)] = Field((), max_length=100, description="what goes wrong, and when")


class SimulatedOptions(SymbolOptions):
    """What a symbol may say to a `simulated` feed."""

    price: float | None = Field(
        None, ge=-1e9, le=1e9, allow_inf_nan=False, description="mean price, 1e-9 or more above or below zero; default 20 to 500, by symbol"
    )
    volatility_pct: float | None = Field(None, ge=0, le=5, allow_inf_nan=False, description="overrides the feed's")
    spread_pct: float = Field(0.02, ge=0, le=10, allow_inf_nan=False, description="ask less bid, in percent of the mean price")
    decimals: int | None = Field(None, ge=0, le=12, description="digits after the point; default 2, more where the price is small")

    @model_validator(mode="after")
    def _digits_fit(self) -> Self:
        if self.price is not None and abs(self.price) < SMALLEST_PRICE:
            raise ValueError(f"a price must be {SMALLEST_PRICE:g} or more, above zero or below")
        if self.price is not None and self.decimals is not None and abs(self.price) * 10**self.decimals > LARGEST_UNITS:
            raise ValueError(f"a price of {self.price:g} with {self.decimals} decimals has more than 14 digits")
        return self


class Simulated(Feed):
    """`kind = "simulated"`. A poll is one tick of all symbols."""

    kind = "simulated"
    about = About(
        brings="prices out of nothing, for demonstrations and load",
        ids="the symbol itself",
        time="now",
        same_answer="only where a fault freezes it",
        market="never shuts",
    )
    quote_kind: ClassVar[Kind] = "simulated"
    Settings: ClassVar[type[FeedSettings]] = SimulatedSettings
    Options: ClassVar[type[SymbolOptions]] = SimulatedOptions
    batch_size: ClassVar[int | None] = None
    volume_of: ClassVar[VolumeOf] = "session"

    settings: SimulatedSettings

    def __init__(self, name: str, settings: SimulatedSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._walks: dict[str, PriceWalk] = {}
        self._tick = 0
        self._script = Script(settings.faults) if settings.faults else None
        self._first_s: float | None = None  # when the first poll was, while there is a script
        self._regular_s = 0.0  # when the next tick of all symbols is due; between two of them only those of a burst tick
        self._last: dict[str, Tick] = {}
        self._wrong: dict[str, Tick] = {}  # what was shown last before a trade that will be cancelled

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """The next tick. It can't fail unless it is told to."""
        if self._script is not None:
            return self._play(self._script, batch)
        return self._next(batch)

    def _next(self, batch: Sequence[Subscription]) -> dict[str, Tick]:
        tick, self._tick = self._tick, self._tick + 1
        return self.answer(batch, tick, int(time.time() * 1000))

    def answer(self, batch: Sequence[Subscription], tick: int, now_ms: int) -> dict[str, Tick]:
        """The ticks with number `tick` (0 is the first) of all of `batch`."""
        walks = self._walks
        if tick % BLOCK == 0:
            for gone in [symbol for symbol, walk in walks.items() if walk.is_forgotten(tick)]:
                del walks[gone]
        answer = {}
        for subscription in batch:
            symbol = subscription.symbol
            walk = walks.get(symbol)
            if walk is None or walk.subscription != subscription:
                walk = walks[symbol] = PriceWalk(subscription, self.settings)
            answer[symbol] = walk.at(tick, now_ms)
        return answer

    def _play(self, script: Script, batch: Sequence[Subscription]) -> Answer:
        """The next tick, and what goes wrong with it now."""
        now_s = time.monotonic()
        if self._first_s is None:
            self._first_s = self._regular_s = now_s
        faults = script.at(now_s - self._first_s)
        for fault in faults:
            if fault.kind == "crash":
                raise RuntimeError("a crash, as the settings want it")
            if fault.kind == "429":
                raise FeedError("HTTP 429 Too Many Requests, as the settings want it", retry_after_s=max(1.0, fault.wait_s))
            if fault.kind == "slow":
                self.runtime.sleep(fault.wait_s)
        rushing = [fault for fault in faults if fault.kind == "burst"]
        self.again_in_s = BURST_S if rushing else None
        if rushing and now_s < self._regular_s - BURST_S / 2:
            batch = [subscription for subscription in batch if any(fault.concerns(subscription.symbol) for fault in rushing)]
        else:
            self._regular_s = now_s + self.settings.interval_s
        frozen = {one.symbol: last for one in batch if (last := self._last.get(one.symbol)) is not None}
        answer = self._next(batch)
        self._last.update(answer)
        for symbol in self._wrong.keys() & answer.keys():
            self._last[symbol] = before = self._wrong.pop(symbol)
            answer[symbol] = correcting(before)
        for fault in faults:
            for symbol in [symbol for symbol in answer if fault.concerns(symbol)]:
                if fault.kind == "silence":
                    del answer[symbol]
                elif fault.kind == "freeze" and symbol in frozen:
                    answer[symbol] = self._last[symbol] = frozen[symbol]
                elif fault.kind == "halt" and symbol in frozen:
                    self._last[symbol] = frozen[symbol]
                    answer[symbol] = msgspec.structs.replace(frozen[symbol], halted=True)
                elif fault.kind == "odd":
                    answer[symbol] = odd(answer[symbol])
                elif fault.kind == "cancel" and symbol in frozen:
                    self._wrong[symbol] = frozen[symbol]
                    answer[symbol] = misprinted(answer[symbol])
                elif fault.kind == "bad_tick":
                    answer[symbol] = spoilt(answer[symbol], fault)
        return answer


class PriceWalk:
    """One symbol's prices. They are integers, counted in units of its last decimal, until a `Tick` is made of them."""

    __slots__ = ("_block", "_half_spread", "_high", "_key", "_lot", "_low", "_mean", "_open", "_phase", "_prices", "_scale", "_sign",
                 "_step", "_traded_before", "subscription")  # fmt: skip

    def __init__(self, subscription: Subscription, settings: SimulatedSettings) -> None:
        options = subscription.options
        assert isinstance(options, SimulatedOptions)
        self.subscription = subscription
        self._key = f"{settings.seed}\0{subscription.id}".encode()
        traits = self._draw(b"traits")
        price = abs(options.price or 20 * 25 ** (int.from_bytes(traits[:4]) / 2**32))
        self._sign = -1 if options.price is not None and options.price < 0 else 1
        decimals = min(12, max(2, 3 - math.floor(math.log10(price)))) if options.decimals is None else options.decimals
        volatility_pct = settings.volatility_pct if options.volatility_pct is None else options.volatility_pct
        self._scale = 10**decimals
        self._mean = max(1, round(price * self._scale))
        self._half_spread = min(math.ceil(self._mean * options.spread_pct / 200), self._mean // 2)
        self._step = volatility_pct / 100
        # Blocks of different symbols begin at different ticks, so that thousands are not worked out in one and the same.
        self._phase = traits[4] % BLOCK
        self._lot = 1.0 + traits[5]
        self._traded_before = TRADED[self._phase] - SIZES[self._phase]
        self._block = 0
        self._prices = self._block_prices(0)
        self._open = self._high = self._low = self._prices[self._phase]

    def at(self, tick: int, now_ms: int) -> Tick:
        """The tick with number `tick`, made at `now_ms`."""
        block, index = divmod(tick + self._phase, BLOCK)
        if block != self._block:
            self._block = block
            self._prices = self._block_prices(block)
        units, mean, scale, half_spread = self._prices[index], self._mean * self._sign, self._scale, self._half_spread
        if units > self._high:
            self._high = units
        elif units < self._low:
            self._low = units
        # An integer over a power of ten is the float nearest to the decimal number, so all of this is as exact as decimals are.
        return Tick(
            price=units / scale,
            bid=(units - half_spread) / scale,
            ask=(units + half_spread) / scale,
            open=self._open / scale,
            high=self._high / scale,
            low=self._low / scale,
            prev_close=mean / scale,
            volume=self._lot * (block * TRADED[-1] + TRADED[index] - self._traded_before),
            change=(units - mean) / scale,
            change_pct=(2_000_000 * (units - mean) + mean) // (2 * mean) / 10_000 if mean > 0 else None,  # rounded to 4 places
            quote_time=now_ms,
        )

    def is_forgotten(self, tick: int) -> bool:
        """Whether nobody has asked for this symbol for a block or more."""
        return (tick + self._phase) // BLOCK > self._block + 1

    def _block_prices(self, block: int) -> array[int]:
        """The 64 prices of a block, in units: one more than half the spread from zero at least, so that bid and ask have their sign."""
        steps = [NORMAL[byte] for byte in self._draw(b"steps", block)]
        start = self._boundary(block)
        drift = (self._boundary(block + 1) - start - sum(steps)) / BLOCK
        mean, step, lowest, sign = self._mean, self._step, self._half_spread + 1, self._sign
        deviation = start
        prices = array("q")
        for move in steps:
            prices.append(sign * max(lowest, round(mean * math.exp(step * deviation))))
            deviation += move + drift
        return prices

    def _boundary(self, block: int) -> float:
        one, other = self._draw(b"boundary", block)[:2]
        return REACH * (NORMAL[one] + NORMAL[other]) / math.sqrt(2)

    def _draw(self, what: bytes, block: int = 0) -> bytes:
        """64 bytes that look random and depend on seed, symbol, `what` and `block` only."""
        return blake2b(b"%b\0%d" % (self._key, block), person=what).digest()
