"""Quotes of another tickercast as ticks. Pure. Whole messages are checked by msgspec while it decodes them, ten times as fast as we could;
where one is refused, each of its quotes is looked at alone, so that a bad one costs no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from feeds.values.fields import Fields
from feeds.values.parse import EARLIEST_MS, LARGEST, LATEST_MS, SMALLEST_PRICE, elements, number, shown, text
from feeds.values.slices import LARGE_BYTES
from feeds.values.units import currency_of
from ticker import secrets
from ticker.errors import FeedError, excerpt, said
from ticker.nested import undisturbed
from ticker.quote import MarketSession, Odd, State, Tick, VolumeOf
from ticker.settings.table import CURRENCY_CODE

MOST_HOPS = 16
"""Nobody needs so many relays one behind another; a loop that is not noticed otherwise ends here."""
LONGEST_NAME = 100
MOST_ROWS = 50_000
"""One message may have so many quotes."""
STATES: tuple[State, ...] = get_args(State)
SESSIONS: tuple[MarketSession, ...] = get_args(MarketSession)
VOLUMES: tuple[VolumeOf, ...] = get_args(VolumeOf)
READ = ("bid", "ask", "open", "high", "low", "prev_close", "volume", "change", "change_pct", "quote_time", "delay_min", "ext_price",
        "ext_change_pct", "ext_time")  # fmt: skip
FIELDS = Fields(times="ms", zero_is_none=False, pct=number)

Number = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
Size = Annotated[float, Meta(ge=0, le=LARGEST)] | None
Time = Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS)] | None
Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]


class RelayedQuote(msgspec.Struct, gc=False):
    """A quote that is all right."""

    symbol: str
    price: Number
    source: Name
    state: State
    seq: Annotated[int, Meta(ge=0, lt=2**53)]
    bid: Number | None = None
    ask: Number | None = None
    open: Number | None = None
    high: Number | None = None
    low: Number | None = None
    prev_close: Number | None = None
    volume: Size = None
    change: Number | None = None
    change_pct: Number | None = None
    currency: Annotated[str, Meta(pattern=CURRENCY_CODE.removesuffix("$") + r"\Z")] | None = None
    quote_time: Time = None
    delay_min: Size = None
    session: MarketSession | None = None
    halted: Literal[True] | None = None
    ext_price: Number | None = None
    ext_change_pct: Number | None = None
    ext_time: Time = None
    origin: Name | None = None
    hops: Annotated[int, Meta(ge=0, lt=MOST_HOPS)] = 0

    def __post_init__(self) -> None:
        """Prices next to nothing, and zero with a sign, are rare enough to be looked at closer."""
        for price in (self.price, self.bid, self.ask, self.open, self.high, self.low, self.prev_close, self.ext_price):
            if price is not None and -SMALLEST_PRICE < price < SMALLEST_PRICE:
                raise ValueError("a price next to nothing")


def read_rows(event: bytes) -> list[RelayedQuote] | None:
    """The rows of an event `["quotes",[…]]` in which all is well; `None` where it is not, and of any other."""
    try:
        if len(event) > LARGE_BYTES:
            return _many_rows(event)
        name, rows = undisturbed(_ROWS.decode, event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, FeedError):
        return None
    return rows if name == "quotes" else None


def _many_rows(event: bytes) -> list[RelayedQuote] | None:
    """The same, with others' turns meanwhile."""
    name, raw = undisturbed(_EVENT.decode, event)
    if name != "quotes":
        return None
    rows: list[RelayedQuote] = []
    for group in elements(bytes(raw), lambda group: undisturbed(_GROUP.decode, group)):
        rows += group
        if len(rows) > MOST_ROWS:
            return None
    return rows


def tick_of(row: RelayedQuote, volume_of: VolumeOf | None = None) -> Tick:
    """The tick of a row. `volume_of`: what its volume counts, by the word of its symbol's entry there."""
    return Tick(
        price=row.price,
        bid=row.bid,
        ask=row.ask,
        open=row.open,
        high=row.high,
        low=row.low,
        prev_close=row.prev_close,
        volume=row.volume,
        change=row.change,
        change_pct=row.change_pct,
        currency=row.currency,
        quote_time=row.quote_time,
        delay_min=row.delay_min,
        session=row.session,
        ext_price=row.ext_price,
        ext_change_pct=row.ext_change_pct,
        ext_time=row.ext_time,
        halted=row.halted,
        origin=_name(row.origin or row.source, secrets.HIDDEN.version),
        hops=row.hops + 1,
        upstream_state=row.state,
        volume_of=volume_of,
    )


def read_quote(row: dict[str, Any], volume_of: VolumeOf | None = None) -> tuple[Tick, int]:
    """The tick and its `seq` there. What can't be read is unknown and odd, unless it makes the quote: the price, the state, the source, its
    `seq`. Raises `FeedError` where it is no quote, or has passed too many relays.
    """
    hops = _count(row.get("hops", 0), "hops") + 1
    if hops > MOST_HOPS:
        raise FeedError(f"passed more than {MOST_HOPS} relays: a loop?", retryable=False, rejects_symbol=True)
    odd: list[Odd] = []
    raw: dict[str, Any] = {name: row.get(name) for name in READ}
    tick = FIELDS.tick(row.get("price"), **raw)
    whole = msgspec.structs.replace(
        tick,
        currency=_known(currency_of(row.get("currency")), row, "currency", odd),
        session=_known(next((word for word in SESSIONS if word == row.get("session")), None), row, "session", odd),
        halted=_known(row.get("halted") is True or None, row, "halted", odd),
        origin=_name(text(row.get("origin") or row.get("source"), "origin"), secrets.HIDDEN.version),
        hops=hops,
        upstream_state=_state(row.get("state")),
        volume_of=volume_of,
        untimed=None,  # its state says more than its times
    )
    return msgspec.structs.replace(whole, odd=(*(tick.odd or ()), *odd) or None), _count(row.get("seq"), "seq")


def volumes_of(rows: Sequence[Any]) -> dict[str, VolumeOf]:
    """By symbol, what the entries of the wire's `symbols` say of volumes. An older upstream says nothing, a newer one perhaps more."""
    return {
        row["symbol"]: row["volume_of"]
        for row in rows
        if isinstance(row, dict) and isinstance(row.get("symbol"), str) and row.get("volume_of") in VOLUMES
    }


@lru_cache(maxsize=1024)
def _name(name: str, secrets: int) -> str:
    """A source's name as it may be shown, by as many `secrets` as are known: others will read it in each quote."""
    return said(name, LONGEST_NAME)


def _known(value: Any, row: dict[str, Any], name: str, odd: list[Odd]) -> Any:
    """`value`, which is what is understood of a word of `row`; where that is nothing, though there is a word, it is odd."""
    word = row.get(name)
    if value is None and word is not None and word is not False:
        odd.append(Odd(name, "a word that is unknown here", excerpt(shown(word))))
    return value


def _state(value: object) -> State:
    """A newer upstream may have more of them: whatever one means, the price is not said to be fresh."""
    word = text(value, "state")
    return next((state for state in STATES if state == word), "stale")


def _count(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise FeedError(f"{what}: a whole number was expected", payload=shown(value))
    return value


_ROWS = msgspec.json.Decoder(tuple[str, list[RelayedQuote]])
_EVENT = msgspec.json.Decoder(tuple[str, msgspec.Raw])
_GROUP = msgspec.json.Decoder(list[RelayedQuote])
