"""What goes over the wire as state, each form written down once. The server encodes these; the OpenAPI document and the page's types are
made of them (`python -m cli.document`), so what is said here about a field is said everywhere.

Keys stand on the wire in the order of the fields. A field that can be unknown is `None` and stands there as null; one that can be absent is
`UNSET` (in structs with `omit_defaults`: `None`) and does not stand there at all. Times are Unix epoch ms. A quote is in `ticker.quote`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ticker.quote import Ms, Quote, State, VolumeOf

FeedCondition = Literal["ok", "retrying", "down"]
SymbolStatus = Literal["pending", "live", "rejected"]
Window = Literal["s", "min", "hour", "day"]
LimitFrom = Literal["cadence", "settings", "learnt", "interval"]
MarketPhase = Literal["open", "extended", "shut", "unknown"]


class _OnTheWire(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What all of them have in common: they are made once, handed about and encoded, and refer to nothing that refers to them."""


# The events of `/` (docs/protocol.md).


class Hello(_OnTheWire, frozen=True, kw_only=True):
    """The greeting: who is speaking, and how often it will."""

    epoch: str
    version: str
    server_time: Ms
    flush_ms: int
    heartbeat_s: float


class Beat(_OnTheWire, frozen=True, kw_only=True):
    """The heartbeat."""

    server_time: Ms


class Shutdown(_OnTheWire, frozen=True, kw_only=True):
    """The server stops. Each client is given a time of its own at which to come again."""

    retry_after_ms: int


class FirstQuote(Quote, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The first quote after joining a symbol's namespace."""

    snapshot: Literal[True]
    epoch: str


class Symbol(_OnTheWire, frozen=True, kw_only=True):
    """A symbol of the settings, and how it stands."""

    symbol: str
    name: str | None
    decimals: int | None
    group: list[str]
    feed: Annotated[str | list[str], Meta(description="A list where the symbol has several")]
    currency: str | None
    stale_after_s: Annotated[float, Meta(description="The limit in force")]
    status: SymbolStatus
    error: str | None
    volume_of: Annotated[VolumeOf, Meta(description="What the volume of its quotes counts")]


class Spent(_OnTheWire, frozen=True, kw_only=True):
    """A limit of a feed's provider, and how much of it is spent in the window that ends now."""

    unit: str
    per: Window
    most: int
    used: int
    left: int


class UnreadRows(_OnTheWire, frozen=True, kw_only=True):
    """Rows of a feed's last answer that nobody can make anything of."""

    rows: int
    first: Annotated[str, Meta(description="Where the first of them is, and why it could not be read")]


class Feed(_OnTheWire, frozen=True, kw_only=True):
    """A feed of the settings, and how it is. What it is not asked for or can't say is absent."""

    feed: str
    kind: str
    state: FeedCondition
    last_success: Ms | None
    next_try: Ms | None
    error: str | None
    interval_s: Annotated[float | UnsetType, Meta(description="Of a polled feed: the time between two polls that is in force")] = UNSET
    widened: Annotated[str | UnsetType | None, Meta(description="Why that is longer than the settings say; null: it is not")] = UNSET
    reconnects: Annotated[int | UnsetType, Meta(description="Of a stream: connections after its first")] = UNSET
    gaps: Annotated[int | UnsetType, Meta(description="Of a stream: messages that were missing")] = UNSET
    folded: Annotated[int | UnsetType, Meta(description="Of a stream: messages that a newer one replaced")] = UNSET
    over: Annotated[Literal[True] | UnsetType, Meta(description="Of a recording: all of it was played")] = UNSET
    upstream: Annotated[list[str] | UnsetType, Meta(description="Of another relay: its epoch, and those behind it")] = UNSET
    budget: Annotated[list[Spent] | UnsetType, Meta(description="In /api/status, where the provider has limits")] = UNSET
    unread: Annotated[UnreadRows | UnsetType, Meta(description="In /api/status, where rows could not be read")] = UNSET


class Reload(_OnTheWire, frozen=True, kw_only=True):
    """How the last attempt to take new settings went; at first, the start."""

    ok: bool
    at: Ms
    error: str | None
    restart_required: Annotated[list[str], Meta(description="The keys that wait for a restart")]


# What /api/status says of the prices (docs/freshness.md).


class SymbolQuality(_OnTheWire, frozen=True, kw_only=True):
    """The limit in force for a symbol, where it comes from, and what it is compared with."""

    symbol: str
    source: str | None
    state: State | None
    error: str | None
    stale_after_s: float
    stale_after_from: LimitFrom
    current_as_of: Annotated[Ms | None, Meta(description="The latest moment at which the price was surely the newest there was")]
    market: MarketPhase
    market_until: Ms | None


class NotBelieved(_OnTheWire, frozen=True, kw_only=True):
    """Ticks of a symbol by a feed that were not believed: how many, and the last."""

    symbol: str
    feed: str
    count: int
    at: Ms
    reason: str
    excerpt: str


class BadTicks(_OnTheWire, frozen=True, kw_only=True):
    """Ticks that were not believed, the newest first."""

    count: int
    recent: list[NotBelieved]


class LeftOut(_OnTheWire, frozen=True, kw_only=True):
    """A field of a feed's answers that could not be read or meant: how often, and the last."""

    feed: str
    field: str
    count: int
    symbol: str
    at: Ms
    reason: str
    excerpt: str


class OddFields(_OnTheWire, frozen=True, kw_only=True):
    """Fields that are left out, the newest first."""

    count: int
    fields: list[LeftOut]


class Divergence(_OnTheWire, frozen=True, kw_only=True):
    """Two sources that disagree about a symbol now: `feed` and the `source` in use."""

    symbol: str
    feed: str
    since: Ms
    price: float
    source: str
    source_price: float
    apart: Annotated[float | UnsetType, Meta(description="In the price's own unit, where it may be negative")] = UNSET
    apart_pct: float | UnsetType = UNSET


class Switch(_OnTheWire, frozen=True, kw_only=True, rename={"left": "from", "taken": "to"}):
    """A symbol that went from one source to another."""

    symbol: str
    left: str
    taken: str
    reason: str
    at: Ms


class Switches(_OnTheWire, frozen=True, kw_only=True):
    """Symbols that went from one source to another, the newest first."""

    count: int
    recent: list[Switch]


class Calendar(_OnTheWire, frozen=True, kw_only=True):
    """A calendar in use that is ever shut."""

    calendar: str
    market: MarketPhase
    until: Annotated[Ms | None, Meta(description="The next opening or close")]
    error: str | None


class Quality(_OnTheWire, frozen=True, kw_only=True):
    """What was noticed about the prices."""

    symbols: list[SymbolQuality]
    bad_ticks: BadTicks
    odd_fields: OddFields
    divergences: list[Divergence]
    switches: Switches
    markets: list[Calendar]


# The answers of REST.


class Problem(_OnTheWire, frozen=True, kw_only=True):
    """What is wrong: `code` is for programs, `message` for people."""

    code: str
    message: str


class Error(_OnTheWire, frozen=True, kw_only=True):
    """The shape of every error."""

    error: Problem


class Symbols(_OnTheWire, frozen=True, kw_only=True):
    """Every symbol of the settings, in their order."""

    symbols: list[Symbol]


class Quotes(_OnTheWire, frozen=True, kw_only=True):
    """The quotes of the symbols asked for, and which of those there are not."""

    epoch: str
    quotes: list[Quote]
    unknown: list[str]


SparklinePoint = Annotated[tuple[Ms, float], Meta(description="Epoch ms, price")]


class Sparklines(_OnTheWire, frozen=True, kw_only=True):
    """Prices of the last hour, one a minute, by symbol."""

    epoch: str
    step_s: int
    sparklines: dict[str, list[SparklinePoint]]
    unknown: list[str]


class Candle(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One minute of a symbol."""

    time_ms: Annotated[int, Meta(description="When it began")]
    open: float
    high: float
    low: float
    close: float
    volume: Annotated[float | None, Meta(description="Absent where what the source counts can't tell")] = None


class Candles(_OnTheWire, frozen=True, kw_only=True):
    """The candles of a symbol, oldest first; a minute without a fresh price has none."""

    symbol: str
    interval_s: int
    candles: list[Candle]


class Status(_OnTheWire, frozen=True, kw_only=True):
    """How the server is. What is about all symbols at once is told to who may see them all."""

    version: str
    epoch: str
    uptime_s: float
    clients: int
    feeds: list[Feed]
    last_reload: Reload
    symbols: list[SymbolQuality] | UnsetType = UNSET
    bad_ticks: BadTicks | UnsetType = UNSET
    odd_fields: OddFields | UnsetType = UNSET
    divergences: list[Divergence] | UnsetType = UNSET
    switches: Switches | UnsetType = UNSET
    markets: list[Calendar] | UnsetType = UNSET


class Health(_OnTheWire, frozen=True, kw_only=True):
    """The process serves."""

    ok: bool


class Ready(_OnTheWire, frozen=True, kw_only=True):
    """Whether there is anything to offer, and why not."""

    ready: bool
    reason: str | None


class Edited(_OnTheWire, frozen=True, kw_only=True):
    """The settings were edited."""

    ok: bool
    symbol: str


class FirstRows(_OnTheWire, frozen=True, kw_only=True):
    """What the page's document brings along: the first rows of its table, and when they were so."""

    epoch: str
    server_time: Ms
    symbols: list[Symbol]
    quotes: list[Quote]
