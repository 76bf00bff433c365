"""The one place where the fields of a provider's answer are read, so that no provider's file can do it differently.

Only what makes a quote can cost a quote: a price that can't be read, and a time that can't be meant (before 1990, after 2100). Every other
field that can't be read is unknown, and told in the tick's `odd`: with its name on the wire, why, and what stood there.

    FIELDS = Fields(times="ms")
    tick = FIELDS.tick(price=row.get("lastPrice"), bid=row.get("bidPrice"), quote_time=row.get("closeTime"))

Prices have any sign here: whether one of zero or below can be meant is for the symbol's settings to say, and for the board to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypedDict, Unpack

import msgspec

from feeds.values.parse import LARGEST, SMALLEST_PRICE, BadTime, NoTime, TimeUnit, epoch_ms, iso_ms, no_price, number, shown
from feeds.values.units import Unit, unit_of, without_difference_noise
from ticker.errors import BadTick, FeedError, excerpt
from ticker.quote import MarketSession, Odd, State, Tick, VolumeOf

Through = Callable[[float], float]
ReadTime = Callable[[object, str], int | None]
ReadPct = Callable[[object, str], float | None]

_ZERO = re.compile(r"0(?:\.0*)?")


class Raw(TypedDict, total=False):
    """The fields of a tick as they stand in an answer; what the provider does not have is left out. Prices may be in minor units, if
    `currency` says so. A `FeedError` in place of one says why it could not even be looked for."""

    bid: object
    ask: object
    open: object
    high: object
    low: object
    prev_close: object
    volume: object
    change: object
    change_pct: object
    quote_time: object
    delay_min: object
    ext_price: object
    ext_change_pct: object
    ext_time: object


class Known(TypedDict, total=False):
    """What the provider's file has made of its words itself."""

    session: MarketSession | None
    halted: Literal[True] | None
    cadence: Literal["day"] | None
    volume_of: VolumeOf | None
    upstream_state: State | None


class Fields(NamedTuple):
    """How one provider writes. `times`: in what it counts them, `iso` for texts (RFC 3339), or what reads them.

    `zero_is_none`: a price of 0 beside the last one says that there is none, as nearly everybody writes it. `pct` reads a percentage where
    it is more than a number with or without its sign.
    """

    times: TimeUnit | Literal["iso"] | ReadTime = "iso"
    zero_is_none: bool = True
    pct: ReadPct | None = None
    plain: Callable[[object], object] | None = None
    """What is done to a number before it is read: how it is written here, as JSON would write it; `None` for none."""
    float32: bool = False
    """Prices were in 32 bits once: a change against `prev_close` that was computed in those is freed of what they did to it."""
    zero_until_traded: bool = False
    """A last price of 0 says that nobody has traded yet, so there is none."""
    by_session: bool = False
    """Its days are trading sessions: an open that stands alone, without session or previous close, is left out, for it would be taken for
    the price of a day ago."""

    def tick(
        self,
        price: object,
        *,
        currency: object = None,
        through: Through | None = None,
        odd: Iterable[Odd] = (),
        known: Known | None = None,
        **raw: Unpack[Raw],
    ) -> Tick:
        """A row as a tick. `currency`: the provider's code, of a minor unit perhaps; `through`: what is done to each price before that.

        `odd`: what was odd about it already. Raises `BadTick` where there is no price in it, or a time that can't be meant.
        """
        strange = list(odd)
        unit = _unit(currency, strange)
        row = _Row(self, strange, through, unit)
        last, values = row.last(price), row.values(raw)
        if self.float32 and (change := values.get("change")) is not None and (before := values.get("prev_close")) is not None:
            values["change"] = without_difference_noise(change, last, before)
        if known is not None:
            values.update(known)
        if strange:
            values["odd"] = tuple(strange)
        return self._without_day_ago(Tick(price=last, currency=unit.currency, **values))

    def update(
        self,
        before: Tick,
        *,
        price: object = None,
        currency: object = None,
        through: Through | None = None,
        known: Known | None = None,
        **raw: Unpack[Raw],
    ) -> Tick:
        """`before` with these fields anew: what a message of a stream says that has not all of them. Raises `BadTick` as `tick` does."""
        strange: list[Odd] = []
        unit = _unit(currency, strange)
        row = _Row(self, strange, through, unit)
        values = row.values(raw)
        if price is not None:
            values["price"] = row.last(price)
        if unit.currency is not None:
            values["currency"] = unit.currency
        return self._without_day_ago(msgspec.structs.replace(before, odd=tuple(strange) or None, **values, **(known or {})))

    def time(self, value: object) -> int | None:
        """A time of what is no tick; `None` where there is none that can be read."""
        try:
            return None if value is None else _Row(self, [], None, unit_of(None)).time("time", value)
        except FeedError:
            return None

    def _without_day_ago(self, tick: Tick) -> Tick:
        if not self.by_session or tick.open is None or tick.session is not None or tick.prev_close is not None:
            return tick
        return msgspec.structs.replace(tick, open=None)


class _Row:
    """Reads one row."""

    __slots__ = ("_fields", "_major", "_odd", "_through")

    def __init__(self, fields: Fields, odd: list[Odd], through: Through | None, unit: Unit) -> None:
        self._fields = fields
        self._odd = odd
        self._through = through
        self._major = unit.major if unit.shift else None

    def last(self, value: object) -> float:
        read = self._number("price", value)
        if read is None:
            raise FeedError("price: there is none", payload=shown(value))
        if -SMALLEST_PRICE < read < SMALLEST_PRICE and read != 0:
            raise no_price("price", value)
        if read == 0 and self._fields.zero_until_traded:
            raise FeedError("price: there is none, nobody has traded it", payload=shown(value))
        return self._scaled(read)

    def values(self, raw: Mapping[str, object]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        plain, through, major = self._fields.plain, self._through, self._major
        for name, value in raw.items():
            if value is None:
                if name not in _KINDS:
                    raise TypeError(f"no field of a tick is called {name!r}")
                continue
            kind = _KINDS[name]
            if kind is _PRICE and type(value) is float and SMALLEST_PRICE <= value <= LARGEST and plain is None:
                # What most fields of most answers are, in fewer steps.
                read = value if through is None else through(value)
                values[name] = read if major is None else major(read)
                continue
            try:
                if isinstance(value, FeedError):
                    raise value
                values[name] = kind(self, name, value)
            except FeedError as error:
                if isinstance(error, BadTime) and name == "quote_time":
                    raise
                values[name] = None
                self._odd.append(_odd(name, error, value))
        if "quote_time" in values:
            values["untimed"] = True if values["quote_time"] is None else None
        if values.get("ext_price", self) is None:  # the others are of that price
            values |= dict.fromkeys(("ext_price", "ext_change_pct", "ext_time"))
        return values

    def price(self, name: str, value: object) -> float | None:
        read = self._number(name, value)
        if read is None or (read == 0 and self._fields.zero_is_none):
            return None
        if -SMALLEST_PRICE < read < SMALLEST_PRICE and read != 0:
            raise no_price(name, value)
        return self._scaled(read)

    def change(self, name: str, value: object) -> float | None:
        read = self._number(name, value)
        return read if read is None or self._major is None else self._major(read)

    def size(self, name: str, value: object) -> float | None:
        read = self._number(name, value)
        if read is not None and read < 0:
            raise BadTick(f"{name}: less than nothing", payload=shown(value))
        return read

    def pct(self, name: str, value: object) -> float | None:
        if self._fields.pct is not None:
            return self._fields.pct(value, name)
        read = self._number(name, value.removesuffix("%") if type(value) is str else value)
        return None if read is None else round(read, 4) + 0.0

    def time(self, name: str, value: object) -> int | None:
        times = self._fields.times
        if type(value) is int and value > 0 and isinstance(times, str) and times != "iso":
            return epoch_ms(value, name, times)  # what most are, in fewer steps
        plain = value.strip() if isinstance(value, str) else value
        if plain == "" or _is_zero(plain):
            return None
        try:
            if times == "iso":
                return iso_ms(value, name)
            return epoch_ms(value, name, times) if isinstance(times, str) else times(value, name)
        except NoTime:
            return None

    def _number(self, name: str, value: object) -> float | None:
        if self._fields.plain is None and (type(value) is float or type(value) is int) and -LARGEST <= value <= LARGEST:
            return value + 0.0  # as `number` has it, in fewer steps
        plain = value if self._fields.plain is None else self._fields.plain(value)
        return None if plain is None or plain == "" else number(plain, name)

    def _scaled(self, read: float) -> float:
        if self._through is not None:
            read = self._through(read)
        return read if self._major is None else self._major(read)


_PRICE = _Row.price
_KINDS: dict[str, Callable[[_Row, str, object], object]] = {
    **dict.fromkeys(("bid", "ask", "open", "high", "low", "prev_close", "ext_price"), _PRICE),
    **dict.fromkeys(("volume", "delay_min"), _Row.size),
    "change": _Row.change,
    **dict.fromkeys(("change_pct", "ext_change_pct"), _Row.pct),
    **dict.fromkeys(("quote_time", "ext_time"), _Row.time),
}


def part(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object `name` of a row; empty where there is none. Of something else each field reads as that, and is odd."""
    value = row.get(name)
    if isinstance(value, dict):
        return value
    return {} if value in (None, "", 0, False) else _NotAnObject(value)


def first(row: Mapping[str, Any], name: str) -> object:
    """The first item of the array `name` of a row; `None` where there is none. Something else is read as it is, in an array: as odd."""
    value = row.get(name)
    if isinstance(value, list):
        return value[0] if value else None
    return None if value is None else [value]


def untraded(row: Mapping[str, Any], traded: str, *sides: str) -> bool:
    """Whether nobody trades it, by the source's own word: `traded` (its count, or its volume) is 0 in figures, and each of `sides` (its
    bid, its ask) is in the row, and is none or 0; of an array, all of it. What is left out or can't be read says nothing of the kind.
    """
    return (
        traded in row
        and row[traded] != []
        and all(_is_zero(value) for value in _items(row[traded]))
        and all(name in row and all(value is None or value == "" or _is_zero(value) for value in _items(row[name])) for name in sides)
    )


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_zero(value: object) -> bool:
    return _ZERO.fullmatch(value) is not None if isinstance(value, str) else value == 0 and value is not False


class _NotAnObject(dict[str, Any]):
    """What stands where an object should: whatever is asked of it is that."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self._value = value

    def get(self, key: str, default: object = None) -> object:
        """What stands in its place, in an array, so that it is read as odd."""
        return [self._value]


def _unit(currency: object, odd: list[Odd]) -> Unit:
    """What a row's prices are quoted in."""
    unit = unit_of(currency if isinstance(currency, str) else None)
    if unit.currency is None and currency not in (None, ""):
        odd.append(_odd("currency", FeedError("no code of a currency"), currency))
    return unit


def _odd(name: str, error: FeedError, value: object) -> Odd:
    reason = str(error).removesuffix(f" [{error.excerpt}]").removeprefix(f"{name}: ")
    return Odd(name, reason, error.excerpt or ("" if value is error else excerpt(shown(value))))
