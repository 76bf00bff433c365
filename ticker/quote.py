"""The two normal forms of a price: `Tick`, what one source said, and `Quote`, what the board publishes.

Both are frozen. Field names, units and meaning are those of the wire (`docs/protocol.md`): absent is unknown and is `None`
here, never 0; prices are finite floats equal to the provider's number to 15 significant digits; times are Unix epoch ms.
"""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["fresh", "stale", "closed", "failed"]
Kind = Literal["simulated", "polled", "streamed", "replayed", "relayed"]
Session = Literal["pre", "regular", "post", "closed"]


class Tick(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One observation of one symbol by one source, already in major currency units.

    `change` and `change_pct` (percent: 1.27 is 1.27 %) only where the source states them itself; else the board computes them.
    Fields are given by name, save by the board: by position a quote is made in a third of the time.
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
    change_pct: float | None = None
    currency: str | None = None
    quote_time: int | None = None
    delay_min: float | None = None
    session: Session | None = None
    ext_price: float | None = None
    ext_change_pct: float | None = None
    ext_time: int | None = None
    origin: str | None = None
    hops: int | None = None
    upstream_state: State | None = None
    """What the source itself says of the price's state, for as long as it is heard; it is worth more than what the times tell. Never on
    the wire: a quote has its own `state`."""


class Quote(Tick, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The published price of a symbol. `seq` starts at 1 in an epoch and grows by one with each accepted update."""

    symbol: str
    received_time: int
    seq: int
    source: str
    kind: Kind
    state: State


TICK_FIELDS: tuple[str, ...] = Tick.__struct_fields__


def encode(quote: Tick) -> bytes:
    """The quote (or the tick) as the JSON object of the wire: unknown fields are absent, numbers are shortest round-trip."""
    return _ENCODER.encode(quote)


_ENCODER = msgspec.json.Encoder()
