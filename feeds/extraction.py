"""From any JSON or CSV to ticks, by expressions that the settings hold. Pure: bytes in, ticks and errors out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from jmespath.parser import ParsedResult

from feeds.base import Subscription
from feeds.csvs import MOST_ROWS, Csv, read_csv
from feeds.expressions import search
from feeds.notation import Notation
from feeds.parse import decode_leniently, optional_number, optional_price, optional_size, price, shown
from feeds.rows import for_each
from feeds.units import unit_of
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.source import Unread
from ticker.turn import in_turns

PRICES = ("bid", "ask", "open", "high", "low", "prev_close")
FIELDS = ("price", *PRICES, "volume", "change", "change_pct", "currency", "quote_time")
"""What an expression can be given for, besides `symbol`."""



class Finding(NamedTuple):
    """What one expression found in a row, for people."""

    field: str
    found: Any


class Reading(NamedTuple):
    """What an answer says, by our symbol; and what of it can't be read."""

    ticks: dict[str, Tick | FeedError]
    unread: Unread | None


class Extraction(NamedTuple):
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

    def parse(self, body: bytes, batch: Sequence[Subscription]) -> Reading:
        """The ticks of an answer, by our symbol. Raises `FeedError` where it is an error, or none of it can be read."""
        rows, unread = self.by_symbol(body, batch)

        def read(subscription: Subscription) -> Tick:
            return self.tick(_row_of(rows, subscription, body))

        return Reading(for_each(batch, read), unread)

    def explain(self, body: bytes, subscription: Subscription) -> list[Finding]:
        """What each expression finds for one symbol, before it is read as a number."""
        row = _row_of(self.by_symbol(body, [subscription])[0], subscription, body)
        return [Finding(name, search(expression, row, name)) for name, expression in self.fields.items()]

    def by_symbol(self, body: bytes, batch: Sequence[Subscription]) -> tuple[dict[str, Any], Unread | None]:
        """The rows of an answer by `key_of` their symbol, and what is no row. What nobody can have asked for is passed over."""
        answer, unread = (decode_leniently(body), None) if self.csv is None else read_csv(body, self.csv)
        return self._by_symbol(answer, body, batch), unread

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
                    found[key_of(str(symbol))] = row
            return found
        if self.one_a_call:
            if isinstance(rows, list):
                rows = rows[0] if len(rows) == 1 else None
            return {} if rows is None else {key_of(subscription.id): rows for subscription in batch}
        if not isinstance(rows, dict):
            raise FeedError("rows: without `symbol` an object was expected, with symbols for keys", payload=body)
        return {key_of(key): row for key, row in in_turns(rows.items())}

    def tick(self, row: Any) -> Tick:
        """One row as a tick. Raises `FeedError` for whatever in it can't be read."""
        def found(name: str) -> Any:
            expression = self.fields.get(name)
            return None if expression is None else search(expression, row, name)

        def plain(name: str) -> Any:
            return self.notation.plain(found(name))

        code = found("currency")
        unit = unit_of(code if isinstance(code, str) and code else None)

        def major(read: Callable[[Any, str], float | None], name: str) -> float | None:
            value = read(plain(name), name)
            return None if value is None else unit.major(value)

        return Tick(
            price=unit.major(price(plain("price"), "price")),
            bid=major(optional_price, "bid"),
            ask=major(optional_price, "ask"),
            open=major(optional_price, "open"),
            high=major(optional_price, "high"),
            low=major(optional_price, "low"),
            prev_close=major(optional_price, "prev_close"),
            volume=optional_size(plain("volume"), "volume"),
            change=major(optional_number, "change"),
            change_pct=self.notation.pct(found("change_pct"), "change_pct"),
            currency=unit.currency,
            quote_time=self.notation.time_ms(found("quote_time"), "quote_time"),
            delay_min=self.delay_min,
        )


def key_of(id: str) -> str:
    """The one spelling of a symbol: endpoints are rarely strict about case."""
    return id.strip().upper()


def _row_of(rows: Mapping[str, Any], subscription: Subscription, body: bytes) -> Any:
    row = rows.get(key_of(subscription.id))
    if row is None:
        raise FeedError(f"no row for {subscription.id}", payload=body)
    return row
