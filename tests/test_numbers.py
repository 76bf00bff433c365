"""Every row of the tables in docs/design/numbers.md, run."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feeds.base import Subscription
from feeds.values import parse
from feeds.values.fields import Fields
from feeds.values.units import unit_of, without_difference_noise, without_float32_noise
from feeds.yahoo import quotes
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.errors import FeedError
from ticker.quote import PRICE_FIELDS, Quote, Tick
from ticker.settings import SymbolOptions
from ticker.settings.model import SymbolSettings

PAGE = (Path(__file__).parents[1] / "docs" / "design" / "numbers.md").read_text(encoding="utf-8")
NOW_MS = 1_700_000_000_000
SIDED = PRICE_FIELDS[: PRICE_FIELDS.index("change")]
"""The price, and what is beside it."""


def rows(heading: str, number: int = 0) -> list[list[str]]:
    """The cells of each row of a table (the first, unless told otherwise) under a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = re.findall(r"(?:^\|.*\|\n)+", section, re.MULTILINE)[number]
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()[2:]]


def json_of(cell: str) -> Any:
    """What stands between the backticks of a cell, as JSON; `None` of *unknown*."""
    return None if cell == "unknown" else json.loads(cell.strip("`"))


def outcome(read: Callable[[], object]) -> str:
    """What comes of a reading, in the words of the page."""
    try:
        value = read()
    except FeedError as error:
        return "rejected" if error.rejects_symbol else "error"
    if isinstance(value, list | dict):
        return f"`{json.dumps(value, separators=(',', ':'))}`"
    return "unknown" if value is None else str(value)


def found(tick: Tick, field: str) -> str:
    """What was made of a field, in the words of the page."""
    return "odd" if tick.odd else outcome(lambda: getattr(tick, field))


@pytest.mark.parametrize("row", rows("A number in an answer"), ids=lambda row: row[0])
def test_a_number_in_an_answer(row: list[str]) -> None:
    """As each kind of field."""
    value = parse.decode(row[0].strip("`").encode())
    fields = Fields()
    assert [
        outcome(lambda: fields.tick(value).price),
        *(found(fields.tick(1.0, **{name: value}), name) for name in ("bid", "volume", "change")),
    ] == row[1:]


@pytest.mark.parametrize("row", rows("What is no JSON"), ids=lambda row: row[0])
def test_what_is_no_json(row: list[str]) -> None:
    """To all feeds."""
    body = row[0].strip("`").encode()
    assert outcome(lambda: parse.decode(body)) == row[1]


@pytest.mark.parametrize("row", rows("Times"), ids=lambda row: " ".join(row[:2]))
def test_times(row: list[str]) -> None:
    """In each unit, and as text."""
    counted_in, cell, expected = row
    value = json_of(cell)
    units: dict[str, parse.TimeUnit] = {"s": "s", "ms": "ms", "µs": "us", "ns": "ns"}
    fields = Fields(units[counted_in]) if counted_in in units else Fields()
    assert outcome(lambda: found(fields.tick(1.0, quote_time=value), "quote_time")) == expected


def made_ms(cell: str) -> int | None:
    """`5 s ago`, `in 400 s` or `unknown` as an epoch time, seen from `NOW_MS`."""
    seconds = re.search(r"[0-9]+", cell)
    if seconds is None:
        return None
    return NOW_MS + int(seconds[0]) * (-1000 if cell.endswith("ago") else 1000)


@pytest.mark.parametrize("row", rows("Times", 1), ids=lambda row: f"{row[0]} then {row[1]}")
def test_no_step_back_in_time(row: list[str]) -> None:
    """On the board."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a",))}, {"a": FeedTerms("polled", 2.0)}, NOW_MS)
    board.apply("a", {"X": Tick(price=100.0, quote_time=made_ms(row[0]))}, NOW_MS)
    board.apply("a", {"X": Tick(price=101.0, quote_time=made_ms(row[1]))}, NOW_MS + 1)
    assert ("shown" if board.quotes["X"].price == 101.0 else "passed over") == row[2]


@pytest.mark.parametrize("row", rows("Minor units"), ids=lambda row: " ".join(row[:2]))
def test_minor_units(row: list[str]) -> None:
    """Exactly."""
    unit = unit_of(row[0])
    assert [str(unit.major(json_of(row[1]))), unit.currency] == row[2:]


@pytest.mark.parametrize("row", rows("The noise of 32 bits"), ids=" ".join)
def test_noise_of_prices(row: list[str]) -> None:
    """Goes, and nothing else."""
    assert str(without_float32_noise(json_of(row[0]), json_of(row[1]))) == row[2]


@pytest.mark.parametrize("row", rows("The noise of 32 bits", 1), ids=" ".join)
def test_noise_of_changes(row: list[str]) -> None:
    """Likewise."""
    price, before, own = map(json_of, row[:3])
    assert str(without_difference_noise(own, price, before)) == row[3]


def quote_of(tick: Tick, allow_negative: bool) -> Quote | None:
    """What a board makes of a first tick, if it makes anything of it."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a",), allow_negative=allow_negative)}, {"a": FeedTerms("polled", 2.0)}, NOW_MS)
    board.apply("a", {"X": tick}, NOW_MS)
    error = board.symbols_state()[0].error
    assert error is None or "allow_negative = true" in error
    assert (error is None) == ("X" in board.quotes)
    return board.quotes.get("X")


@pytest.mark.parametrize("row", rows("Signs and sides"), ids=lambda row: row[0])
def test_signs_and_sides(row: list[str]) -> None:
    """As a symbol has them by its settings."""
    said: dict[str, Any] = {name: float(value) for name, value in json_of(row[0]).items()}
    for cell, allow_negative in zip(row[1:], (False, True), strict=True):
        quote = quote_of(Tick(**said), allow_negative)
        if quote is None:
            assert cell == "error"
        else:
            assert f"`{json.dumps({name: value for name in SIDED if (value := getattr(quote, name)) is not None})}`" == cell


@pytest.mark.parametrize(
    ("row", "allow_negative"),
    [(row, number == 1) for number in (0, 1) for row in rows("Change", number)],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_change(row: list[str], allow_negative: bool) -> None:
    """Against what there is to compare with."""
    price, prev_close, open_price, change, change_pct = map(json_of, [*row[:3], *row[4:6]])
    quote = quote_of(
        Tick(
            price=price,
            prev_close=prev_close,
            open=open_price,
            change=change,
            change_pct=change_pct,
            session="regular" if row[3] == "regular" else None,
        ),
        allow_negative,
    )
    assert quote is not None
    assert ["unknown" if value is None else str(value) for value in (quote.change, quote.change_pct)] == row[6:]


@pytest.mark.parametrize("row", rows("Rows of Yahoo's"), ids=lambda row: row[0])
def test_rows_of_yahoos(row: list[str]) -> None:
    """What is left of them in the quote."""
    body = json.dumps({"quoteResponse": {"result": [{"symbol": "X", "regularMarketPrice": 100} | json_of(row[0])], "error": None}})

    def read() -> dict[str, Any]:
        tick = quotes.parse(body.encode(), [Subscription("X", "X", SymbolOptions())], NOW_MS)["X"]
        if isinstance(tick, FeedError):
            raise tick
        fields = {name: value for name in PRICE_FIELDS if (value := getattr(tick, name)) is not None}
        assert fields.pop("price") == 100.0
        return fields

    expected = row[1] if row[1] in {"rejected", "error"} else f"`{json.dumps(json_of(row[1]), separators=(',', ':'))}`"
    assert outcome(read) == expected


def test_every_table_of_the_page_is_run() -> None:
    """A new one needs a test."""
    assert len(re.findall(r"^\| ---", PAGE, re.MULTILINE)) == 11
