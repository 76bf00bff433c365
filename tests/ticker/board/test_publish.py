"""A quote has each field of its tick, under the same name, though it is made by position."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from ticker.board.freshness import FeedTerms
from ticker.board.publish import make_quote
from ticker.board.source_state import SourceState
from ticker.board.symbol_state import SymbolState
from ticker.quote import PRICE_FIELDS, Price, Quote, Tick
from ticker.settings.model import SymbolSettings

ROOT = Path(__file__).parents[3]
MADE_BY_POSITION = "ticker/board/publish.py"


def unlike_any_other(name: str) -> Any:
    """A value that the field of that name may have, and no other field has."""
    place = PRICE_FIELDS.index(name)
    kinds = get_args(get_type_hints(Price)[name]) or (get_type_hints(Price)[name],)
    if float in kinds:
        return 100.0 + place / 10
    if int in kinds:
        return 1_000 + place
    if str in kinds:
        return name
    return get_args(kinds[0])[-1]  # a word, or `True`: there are too few for each field to have its own, but no two have the same type


def quote_of(kind: Any) -> tuple[Tick, Quote]:
    """A tick in which no field has the value of another, from a feed of that kind, and the quote that is made of it."""
    tick = Tick(**{name: unlike_any_other(name) for name in PRICE_FIELDS})
    settings = SymbolSettings(feed=("a",), currency="XXX")
    source = SourceState("a", feed_down=False)
    source.take_terms(FeedTerms(kind, 2.0), settings, None)
    return tick, make_quote(SymbolState("X", settings, 0), source, tick, 5, "fresh", 7)


@pytest.mark.parametrize("kind", ["polled", "relayed"])
@pytest.mark.parametrize("field", PRICE_FIELDS)
def test_each_field_is_in_its_place(kind: str, field: str) -> None:
    """A field that is added, taken away or moved in `Price` has to be so in `make_quote`, too."""
    tick, quote = quote_of(kind)
    assert getattr(quote, field) == getattr(tick, field) is not None


def test_the_values_tell_the_fields_apart() -> None:
    """Else the test above would prove nothing."""
    values = [unlike_any_other(name) for name in PRICE_FIELDS]
    assert len({(type(value), value) for value in values}) == len(PRICE_FIELDS)


def test_what_is_the_quotes_own() -> None:
    """By the symbol, the source and the moment."""
    quote = quote_of("polled")[1]
    assert (quote.symbol, quote.received_time, quote.seq) == ("X", 5, 7)
    assert (quote.source, quote.kind, quote.state) == ("a", "polled", "fresh")


@pytest.mark.parametrize("folder", ["cli", "ticker", "feeds", "web", "bench"])
def test_nobody_else_makes_one_by_position(folder: str) -> None:
    """Ticks and quotes are made by name everywhere but where these tests look."""
    by_position = [
        f"{path.relative_to(ROOT).as_posix()}:{call.lineno}"
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts and path != ROOT / MADE_BY_POSITION
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in ("Tick", "Quote", "Correction") and call.args
    ]
    assert by_position == []
