"""Whoever can't see the page, or holds no mouse: axe-core finds no fault with any of its faces, and the keyboard gets everywhere."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.accessibility import violations
from tests.e2e.page import Relay, Table

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[broadcast]
heartbeat_s = 1

[feeds.sim]
kind = "simulated"
interval_s = 0.5

[symbols]
ACME = { feed = "sim", name = "Acme", group = "Shares", currency = "USD" }
BOLT = { feed = "sim", name = "Bolt", group = "Shares" }
COMET = { feed = "sim", name = "Comet", group = "Coins" }
"""
Scheme = Literal["dark", "light"]
SCHEMES: tuple[Scheme, Scheme] = ("dark", "light")


def opened(context: BrowserContext, relay: Relay, path: str = "/", width: int = 1440) -> Page:
    """A live page. Prices don't flash: colours in the middle of a fade are nobody's choice."""
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    page.goto(relay.url + path)
    page.wait_for_selector('body[data-connection="live"]')
    return page


def dark_and_light(page: Page) -> list[str]:
    """What axe-core objects to, by day and by night."""
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.wait_for_function("(scheme) => getComputedStyle(document.documentElement).colorScheme === scheme", arg=scheme)
        found += [f"{scheme}: {one}" for one in violations(page)]
    return found


@pytest.mark.parametrize("width", [1440, 390])
def test_table_menus_dialogs_and_details(relay: Relay, context: BrowserContext, width: int) -> None:
    """At a desk and on a phone, dark and light, with each of them open: no violation."""
    page = opened(context, relay, width=width)
    table = Table(page)
    table.wait_priced("COMET")
    assert dark_and_light(page) == []
    for name in ("Columns", "View"):
        page.get_by_role("button", name=name).click()
        assert dark_and_light(page) == []
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Add symbol").click()
    page.locator("#add-symbol summary").click()
    assert dark_and_light(page) == []
    page.keyboard.press("Escape")
    table.cell("ACME", "price").dblclick()
    expect(page.locator("#details canvas").first).to_be_visible()
    assert dark_and_light(page) == []


def test_a_column_filter_and_an_empty_table(relay: Relay, context: BrowserContext) -> None:
    """The grid's own menu, and a search that finds nothing."""
    page = opened(context, relay)
    header = Table(page).header("price")
    header.hover()
    header.locator(".ag-header-cell-filter-button").click()
    expect(page.locator(".ag-filter")).to_be_visible()
    assert dark_and_light(page) == []
    page.keyboard.press("Escape")
    page.locator("#search").fill("nothing has this name")
    expect(page.locator("#empty")).to_be_visible()
    assert dark_and_light(page) == []


@pytest.mark.parametrize("path", ["/?kiosk=1&group=Shares", "/embed?symbols=ACME,COMET", "/tape"])
def test_the_other_faces(relay: Relay, context: BrowserContext, path: str) -> None:
    """Kiosk, embedded table and tape."""
    page = opened(context, relay, path)
    expect(page.get_by_text("ACME").first).to_be_visible()
    assert dark_and_light(page) == []


def focused(page: Page) -> str:
    """The name of what has the focus: its label, its text, or what it is."""
    name: str = page.evaluate(
        """() => { const { activeElement: at } = document;
            return at.closest(".ag-root-wrapper") ? "table" : at.getAttribute("aria-label") || at.textContent || at.tagName; }"""
    )
    return name


def test_the_keyboard_gets_everywhere_in_the_order_of_the_page(relay: Relay, context: BrowserContext) -> None:
    """Tab goes through the header's controls into the table; each of them shows that it has the focus."""
    page = opened(context, relay)
    Table(page).wait_priced("ACME")
    visited = []
    for _ in range(7):
        page.keyboard.press("Tab")
        visited.append(focused(page))
        if visited[-1] == "table":
            break
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert visited == ["All", "Search symbols", "Add symbol", "Columns", "View", "table"]


def test_menus_open_and_close_by_keyboard_and_give_the_focus_back(relay: Relay, context: BrowserContext) -> None:
    """Enter opens, Escape closes, the focus is where it was; a column can be switched and moved without a mouse."""
    page = opened(context, relay)
    table = Table(page)
    columns = page.get_by_role("button", name="Columns")
    columns.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Symbol", exact=True)).to_be_focused()
    page.get_by_label("Volume", exact=True).focus()
    page.keyboard.press("Space")
    expect(table.header("volume")).to_have_count(0)
    page.get_by_role("button", name="Move Ask left").focus()
    page.keyboard.press("Enter")
    shown: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(".ag-header-cell")].sort((left, right) => left.ariaColIndex - right.ariaColIndex)
            .map((cell) => cell.getAttribute("col-id"))"""
    )
    assert shown.index("ask") == shown.index("bid") - 1
    page.keyboard.press("Escape")
    expect(columns).to_be_focused()
    page.get_by_role("button", name="Add symbol").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Symbol")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Add symbol")).to_be_focused()


def test_a_column_is_sorted_by_keyboard(relay: Relay, context: BrowserContext) -> None:
    """Enter on a title sorts, and the title says so to whoever can't see its arrow."""
    page = opened(context, relay)
    table = Table(page)
    table.wait_priced("ACME")
    table.header("symbol").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(table.header("symbol")).to_have_attribute("aria-sort", "descending")
    assert table.column("symbol") == ["COMET", "BOLT", "ACME"]


def test_what_a_screen_reader_is_told(relay: Relay, context: BrowserContext) -> None:
    """Roles and names of the parts; rows and columns with their numbers; a lost connection is read out, prices that move are not."""
    page = opened(context, relay)
    table = Table(page)
    table.wait_priced("ACME")
    grid: dict[str, Any] = page.evaluate(
        """() => { const grid = document.querySelector("[role=grid], [role=treegrid]");
            return {label: grid.ariaLabel, rows: grid.ariaRowCount, columns: grid.ariaColCount}; }"""
    )
    assert grid["label"] == "Prices"
    assert int(grid["rows"]) == 4  # the titles' row is one
    assert int(grid["columns"]) > 10
    expect(table.cell("ACME", "price")).to_have_attribute("role", "gridcell")
    expect(page.get_by_role("columnheader", name="Change %")).to_be_visible()
    assert page.locator("[aria-live]:not([aria-live=off], .ag-aria-description-container)").count() == 1  # but for the grid's own
    expect(page.locator("#announcer")).to_have_text("Connection: Live")
    page.evaluate(
        """() => { window.said = 0; new MutationObserver(() => { window.said += 1; })
            .observe(document.querySelector("#announcer"), {childList: true, characterData: true, subtree: true}); }"""
    )
    price = table.text("ACME", "price")
    page.wait_for_function("(price) => !document.querySelector('[row-id$=ACME] [col-id=price]').innerText.startsWith(price)", arg=price)
    assert page.evaluate("window.said") == 0
    relay.stop()
    expect(page.locator("#announcer")).to_have_text("Connection: Recovering")
    relay.start()
    expect(page.locator("#announcer")).to_have_text("Connection: Live")


def test_the_open_symbol_is_read_out_now_and_then(relay: Relay, context: BrowserContext) -> None:
    """Of a price that moves twice a second one sentence in ten seconds, with symbol, price and change; off at the reader's wish."""
    page = opened(context, relay)
    table = Table(page)
    table.wait_priced("ACME")
    page.evaluate(
        """() => { window.sentences = [];
            new MutationObserver(() => window.sentences.push(document.querySelector("#announcer").textContent))
                .observe(document.querySelector("#announcer"), {childList: true, characterData: true, subtree: true}); }"""
    )
    table.cell("ACME", "price").dblclick()
    page.wait_for_function("() => window.sentences.length > 0")
    first = table.text("ACME", "price")
    page.wait_for_function("(first) => !document.querySelector('[row-id$=ACME] [col-id=price]').innerText.startsWith(first)", arg=first)
    sentences: list[str] = page.evaluate("window.sentences")
    assert len(sentences) == 1
    assert re.fullmatch(r"ACME, \d+\.\d\d, [+-]?\d+\.\d\d%", sentences[0])
