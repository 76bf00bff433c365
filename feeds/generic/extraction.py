"""From any JSON or CSV to ticks, by expressions that the settings hold. Pure: bytes in, ticks and errors out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

from jmespath.parser import ParsedResult

from feeds.base import Subscription
from feeds.generic.csvs import MOST_ROWS, Csv, read_csv
from feeds.generic.expressions import search
from feeds.generic.notation import Notation
from feeds.values.batch import for_each
from feeds.values.fields import Fields
from feeds.values.parse import decode, shown
from ticker.errors import FeedError, excerpt
from ticker.quote import MarketSession, Odd, Tick
from ticker.runtime import in_turns
from ticker.source import Unread

VALUES = ("bid", "ask", "open", "high", "low", "prev_close", "volume", "change", "change_pct", "quote_time")
WORDS: Mapping[str, Mapping[object, object]] = {
    "session": {session: session for session in get_args(MarketSession)},
    "halted": {True: True, False: None, "true": True, "false": None},
}
"""The fields that are words of ours, and what each means."""
FIELDS = ("price", *VALUES, "currency", *WORDS)
"""What an expression can be given for, besides `symbol`."""


class FoundField(NamedTuple):
    """What one expression found in a row, for people; `odd` says why that can't be read, where it can't."""

    field: str
    found: Any
    odd: str = ""


class ExtractedTicks(NamedTuple):
    """What an answer says, by our symbol; and what of it can't be read."""

    ticks: dict[str, Tick | FeedError]
    unread: Unread | None


class RowsBySymbol:
    """The rows of an answer. A symbol is found as it is written; in another case, only where no two differ by case alone: endpoints are
    rarely strict about that, but `AAPLx` is not `AAPLX`.
    """

    def __init__(self, by_symbol: dict[str, Any]) -> None:
        self._by_symbol = by_symbol
        self._by_capitals: dict[str, Any] | None = None  # made where it is needed; `None` for what two rows are called

    def of(self, symbol: str) -> Any:
        """The row of `symbol`, `None` where there is none, or no telling which."""
        row = self._by_symbol.get(symbol)
        if row is not None:
            return row
        if self._by_capitals is None:
            self._by_capitals = {}
            for other, row in in_turns(self._by_symbol.items()):
                capitals = other.upper()
                self._by_capitals[capitals] = None if capitals in self._by_capitals else row
        return self._by_capitals.get(symbol.upper())


@dataclass(frozen=True)
class Extraction:
    """Where in an answer the rows are, where in a row each field is, and how it is written.

    Without `symbol` the rows' keys are the symbols where the rows are an object, and a lone row is that of the one that was asked for.
    `error` finds something in an answer that is one.
    """

    fields: Mapping[str, ParsedResult]
    notation: Notation
    rows: ParsedResult | None = None
    symbol: ParsedResult | None = None
    error: ParsedResult | None = None
    csv: Csv | None = None
    one_a_call: bool = False
    delay_min: float | None = None
    cadence: Literal["day"] | None = None

    def parse(self, body: bytes, batch: Sequence[Subscription]) -> ExtractedTicks:
        """The ticks of an answer, by our symbol. Raises `FeedError` where it is an error, or none of it can be read."""
        rows, unread = self.by_symbol(body, batch)

        def read(subscription: Subscription) -> Tick:
            return self.tick(_row_of(rows, subscription, body))

        return ExtractedTicks(for_each(batch, read), unread)

    def explain(self, body: bytes, subscription: Subscription) -> list[FoundField]:
        """What each expression finds for one symbol, before it is read, and what of it can't be."""
        row = _row_of(self.by_symbol(body, [subscription])[0], subscription, body)
        found = {name: self._found(row, name) for name in self.fields}
        try:
            odd = {odd.field: odd.reason for odd in self._tick(found).odd or ()}
        except FeedError as error:
            name, _, why = str(error).removesuffix(f" [{error.excerpt}]").partition(": ")
            odd = {name: why}
        return [FoundField(name, None if isinstance(value, FeedError) else value, odd.get(name, "")) for name, value in found.items()]

    def by_symbol(self, body: bytes, batch: Sequence[Subscription]) -> tuple[RowsBySymbol, Unread | None]:
        """The rows of an answer by their symbol, and what is no row. What nobody can have asked for is passed over."""
        answer, unread = (decode(body), None) if self.csv is None else read_csv(body, self.csv)
        return RowsBySymbol(self._by_symbol(answer, body, batch)), unread

    def _by_symbol(self, answer: Any, body: bytes, batch: Sequence[Subscription]) -> dict[str, Any]:
        if self.error is not None and (complaint := search(self.error, answer, "error", large=True)) not in (None, False, "", [], {}, 0):
            raise FeedError("the endpoint answers an error", payload=shown(complaint))
        rows = answer if self.rows is None else search(self.rows, answer, "rows", large=True)
        if isinstance(rows, list | dict) and len(rows) > MOST_ROWS:
            raise FeedError(f"{len(rows)} rows, more than the {MOST_ROWS} that are looked through", payload=body)
        if self.symbol is not None:
            found = {}
            for row in in_turns(rows if isinstance(rows, list) else [rows]):
                symbol = search(self.symbol, row, "symbol")
                if isinstance(symbol, str | int) and not isinstance(symbol, bool):
                    found[str(symbol).strip()] = row
            return found
        if self.one_a_call:
            if isinstance(rows, list):
                rows = rows[0] if len(rows) == 1 else None
            return {} if rows is None else {subscription.id.strip(): rows for subscription in batch}
        if not isinstance(rows, dict):
            raise FeedError("rows: without `symbol` an object was expected, with symbols for keys", payload=body)
        return {key.strip(): row for key, row in in_turns(rows.items())}

    @cached_property
    def _reader(self) -> Fields:
        """Reads the fields as this endpoint writes them. Zero is none where the symbol can't be zero, which the board knows: a rate's bid
        may be.
        """
        notation = self.notation
        return Fields(notation.time_ms, zero_is_none=False, pct=notation.pct, plain=notation.plain)

    def tick(self, row: Any) -> Tick:
        """One row as a tick. Raises `FeedError` where there is no price in it, or a time that can't be meant."""
        return self._tick({name: self._found(row, name) for name in self.fields})

    def _found(self, row: Any, name: str) -> Any:
        """What an expression finds, or the `FeedError` that it can't be applied."""
        try:
            return search(self.fields[name], row, name)
        except FeedError as error:
            return error

    def _tick(self, found: Mapping[str, Any]) -> Tick:
        if isinstance(found["price"], FeedError):
            raise found["price"]
        notation = self.notation
        odd: list[Odd] = []
        values: Any = {name: found.get(name) for name in VALUES}
        known: Any = {name: _word(notation.word(_readable(found.get(name), name, odd)), name, odd) for name in WORDS}
        currency = notation.word(_readable(found.get("currency"), "currency", odd))
        known["cadence"] = self.cadence
        return self._reader.tick(found["price"], currency=currency, odd=odd, delay_min=self.delay_min, known=known, **values)


def _readable(value: Any, name: str, odd: list[Odd]) -> Any:
    """What was found, if the expression could be applied."""
    if not isinstance(value, FeedError):
        return value
    odd.append(Odd(name, "the expression fails on this answer", value.excerpt))
    return None


def _word(value: Any, name: str, odd: list[Odd]) -> Any:
    """What one of our words means; another one is unknown, and odd."""
    known = WORDS[name]
    value = value.casefold() if isinstance(value, str) else value
    if value is None or (isinstance(value, str | int) and value in known):
        return None if value is None else known[value]
    odd.append(Odd(name, f"none of {', '.join(word for word in known if isinstance(word, str))}", excerpt(shown(value))))
    return None


def _row_of(rows: RowsBySymbol, subscription: Subscription, body: bytes) -> Any:
    row = rows.of(subscription.id.strip())
    if row is None:
        raise FeedError(f"no row for {subscription.id}", payload=body)
    return row
