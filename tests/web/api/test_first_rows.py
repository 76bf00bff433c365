"""The rows that a document brings along: which, of what moment, for whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.web.relaying import Relaying, relaying
from ticker.clock import SystemClock
from ticker.settings.model import FeedSettings, Settings, SymbolSettings
from web.api.first_rows import MOST_ROWS, first_rows

SYMBOLS = ["ACME", "QUIET", "BTC/USD"]


@pytest.fixture
def running() -> Iterator[Relaying]:
    """A server with prices of all symbols but one."""
    with relaying(SYMBOLS, {"ACME": 100.5, "BTC/USD": 2.0}) as core:
        core.wait("BTC/USD")
        yield core


def rows(running: Relaying, query: bytes = b"", is_open: bool = True) -> dict[str, Any] | None:
    """What comes with the document at an address with this query."""
    found = first_rows(running.core, SystemClock(), lambda: is_open)(query, False)
    return msgspec.json.decode(found) if found else None


def test_the_rows_are_what_the_relay_knows(running: Relaying) -> None:
    """Symbols in the settings' order, prices of those that have one, the epoch they count in and the clock they are measured by."""
    before_ms = SystemClock().now_ms()
    found = rows(running)
    assert found is not None
    assert before_ms <= found["server_time"] <= SystemClock().now_ms()
    assert found["epoch"] == "epoch"
    assert [symbol["symbol"] for symbol in found["symbols"]] == SYMBOLS
    assert found["symbols"] == msgspec.to_builtins(running.core.symbols_state())
    assert [(quote["symbol"], quote["price"]) for quote in found["quotes"]] == [("ACME", 100.5), ("BTC/USD", 2.0)]


def test_nothing_is_shown_to_somebody_who_may_not_read(running: Relaying) -> None:
    """Where a token is needed a document, which is asked for without one, brings no price."""
    assert rows(running, is_open=False) is None


@pytest.mark.parametrize(("query", "expected"), [
    (b"symbols=BTC/USD,ACME", ["ACME", "BTC/USD"]), (b"symbols=BTC%2FUSD", ["BTC/USD"]), (b"symbols=QUIET", None), (b"symbols=NOPE", None),
    (b"symbols=", SYMBOLS), (b"kiosk=1", SYMBOLS), (b"group=none", None), (b"group=", SYMBOLS), (b"group=&group=none", SYMBOLS),
    (b"symbols=%ff&group", None)])  # fmt: skip
def test_the_address_says_which(running: Relaying, query: bytes, expected: list[str] | None) -> None:
    """As the page reads it; without a price there is nothing to show."""
    found = rows(running, query)
    assert (found and [symbol["symbol"] for symbol in found["symbols"]]) == expected


def test_a_group(running: Relaying) -> None:
    """Of a group, its symbols."""
    groups = {"ACME": ("a", "b"), "BTC/USD": ("b",)}
    running.core.configure(
        Settings(
            feeds={"feed": FeedSettings(kind="scripted", interval_s=0.1)},
            symbols={symbol: SymbolSettings(feed=("feed",), group=groups.get(symbol, ())) for symbol in SYMBOLS},
        )
    )
    found = rows(running, b"group=a")
    assert found is not None
    assert [symbol["symbol"] for symbol in found["symbols"]] == ["ACME"]


def test_a_long_list_is_cut() -> None:
    """A document stays small however many symbols there are."""
    symbols = [f"S{number}" for number in range(MOST_ROWS + 5)]
    with relaying(symbols, dict.fromkeys(symbols, 1.0)) as core:
        core.wait(symbols[-1])
        found = rows(core)
    assert found is not None
    assert [quote["symbol"] for quote in found["quotes"]] == symbols[:MOST_ROWS]


def test_no_name_ends_the_element_it_stands_in(running: Relaying) -> None:
    """Markup in a name stays JSON."""
    name = "</script><script>alert(1)</script><!--"
    running.core.configure(
        Settings(feeds={"feed": FeedSettings(kind="scripted", interval_s=0.1)}, symbols={"ACME": SymbolSettings(feed=("feed",), name=name)})
    )
    found = first_rows(running.core, SystemClock(), lambda: True)(b"", False)
    assert b"<" not in found
    assert msgspec.json.decode(found)["symbols"][0]["name"] == name
