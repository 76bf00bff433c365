"""The two normal forms of a price: `Tick`, what one source said, and `Quote`, what the board publishes.

Both are frozen. Field names, units and meaning are those of the wire (`docs/protocol.md`): absent is unknown and is `None`
here, never 0 in its place; prices are finite floats equal to the provider's number to 15 significant digits; times are Unix epoch ms.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

State = Literal["fresh", "stale", "closed", "failed"]
Kind = Literal["simulated", "polled", "streamed", "replayed", "relayed"]
MarketSession = Literal["pre", "regular", "post", "overnight", "closed"]
Ms = Annotated[int, Meta(description="Unix epoch, milliseconds")]
VolumeOf = Literal["session", "day_utc", "24h"]
"""What a source's `volume` counts: the trading session's trades, those since midnight UTC, or those of the last 24 hours, which falls all
the time: no bar has a volume from it."""


class Odd(NamedTuple):
    """A field of an answer that can't be read, and so is unknown: which one of ours, why, and the start of what stood there, fit to be
    shown."""

    field: str
    reason: str
    excerpt: str


class Price(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a tick and a quote have in common, all of it on the wire, in major currency units.

    `change` and `change_pct` (percent: 1.27 is 1.27 %) of a tick only where the source states them itself; else the board computes them.
    Fields are given by name, save in `ticker.board.publish`, which makes a quote by position, in the order in which they stand here.
    """

    price: float
    bid: float | None = None
    ask: float | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    prev_close: float | None = None
    volume: float | None = None
    change: float | None = None
    change_pct: Annotated[float | None, Meta(description="Percent: 1.27 is 1.27 %")] = None
    currency: str | None = None
    quote_time: Ms | None = None
    delay_min: float | None = None
    session: MarketSession | None = None
    ext_price: float | None = None
    ext_change_pct: float | None = None
    ext_time: Ms | None = None
    halted: Annotated[Literal[True] | None, Meta(description="Trading is halted, by the source's own word")] = None
    origin: str | None = None
    hops: int | None = None


class Tick(Price, frozen=True, omit_defaults=True, gc=False):
    """One observation of one symbol by one source: as it was said, prices of any sign. What of it is believed the board decides.

    The fields of its own are never on the wire.
    """

    upstream_state: State | None = None
    """What the source itself says of the price's state, for as long as it is heard; it is worth more than what the times tell."""
    untimed: Literal[True] | None = None
    """The source tells when its prices were made, and does not of this one: to hear it again proves nothing."""
    cadence: Literal["day"] | None = None
    """It is priced once a trading day (funds, fixings, reference rates), by the source's own word."""
    volume_of: VolumeOf | None = None
    """What `volume` counts, where that is not the same for all symbols of the source."""
    kind: Kind | None = None
    """How it came, where that is not how its source's prices come: polled, in the place of a stream that is not to be had."""
    odd: tuple[Odd, ...] | None = None
    """What of the answer could not be read. Told once, with the tick that it came with."""


class Correction(Tick, frozen=True, omit_defaults=True, gc=False):
    """A tick that takes back one before it, by the source's own word: a trade was cancelled, or was another one. What it says holds, though
    its price was made before the one that is shown.
    """


class Quote(Price, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The published price of a symbol. `seq` starts at 1 in an epoch and grows by one with each accepted update."""

    symbol: str
    received_time: Ms
    seq: Annotated[int, Meta(description="A jump of n: n - 1 updates were folded into this one", extra_json_schema={"minimum": 1})]
    source: str
    kind: Kind
    state: State


PRICE_FIELDS: tuple[str, ...] = Price.__struct_fields__
"""The names of what a tick and a quote have in common, in the order in which `ticker.board.publish` gives them to a quote."""


def encode(quote: Price) -> bytes:
    """The quote (or the tick) as the JSON object of the wire: unknown fields are absent, numbers are shortest round-trip."""
    return _ENCODER.encode(quote)


def plain(tick: Tick) -> Tick:
    """`tick` as it is remembered: what was odd about it is told, and what it corrected is corrected."""
    if type(tick) is Tick and tick.odd is None:
        return tick
    return Tick(**msgspec.structs.asdict(tick) | {"odd": None})


def correcting(tick: Tick) -> Correction:
    """`tick` as one that takes back what was said before."""
    return tick if isinstance(tick, Correction) else Correction(**msgspec.structs.asdict(tick))


_ENCODER = msgspec.json.Encoder()
