"""The live table in a real browser: what a reader sees and does."""

from __future__ import annotations

import json
import re
import urllib.request
from itertools import pairwise

from playwright.sync_api import BrowserContext, expect

from tests.e2e.page import Relay, Table

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = 0.2
seed = 7

[symbols]
ACME = { feed = "sim", name = "Acme <img src=x onerror=alert(1)>", currency = "USD", group = "Shares" }
BOLT = { feed = "sim", name = "Bolt", group = "Shares", sim = { volatility_pct = 0.3 } }
"^GSPC" = { feed = "sim", name = "Index" }
"BTC/USD" = { feed = "sim", group = "Coins", sim = { price = 62000 } }
"PEBBLE-USD" = { feed = "sim", group = "Coins", decimals = 7, sim = { price = 0.0042 } }
""" + "\n".join(f'SIM{number:03} = {{ feed = "sim" }}' for number in range(200))


def quotes_of(relay: Relay, *symbols: str) -> dict[str, dict[str, object]]:
    """What REST says of `symbols` now."""
    with urllib.request.urlopen(f"{relay.url}/api/quotes?symbols={','.join(symbols)}") as answer:
        return {quote["symbol"]: quote for quote in json.load(answer)["quotes"]}


def test_a_row_shows_every_field_of_its_quote(table: Table) -> None:
    """Each column of a symbol holds a value in its format."""
    table.wait_priced("ACME")
    for field in ("price", "bid", "ask", "high", "low"):
        expect(table.cell("ACME", field)).to_contain_text(re.compile(r"^\d+\.\d\d"))
    expect(table.cell("ACME", "change")).to_have_text(re.compile(r"^([+-]\d+|0)\.\d\d$"))
    expect(table.cell("ACME", "change_pct")).to_have_text(re.compile(r"^([+-]\d+|0)\.\d\d%$"))
    expect(table.cell("ACME", "volume")).to_have_text(re.compile(r"^[\d.]+[KM]?$"))
    expect(table.cell("ACME", "age")).to_have_text(re.compile(r"^(<1|\d+)s$"))
    expect(table.cell("ACME", "currency")).to_have_text("USD")
    expect(table.cell("ACME", "source")).to_have_text("sim")
    expect(table.cell("ACME", "state")).to_have_text("fresh")


def test_every_symbol_of_the_settings_has_a_row(table: Table) -> None:
    """Symbols with a slash, a caret or a hyphen are rows like all others, in the order of the settings."""
    expect(table.page.locator("#count")).to_have_text("205 symbols")
    assert table.column("symbol")[:5] == ["ACME", "BOLT", "^GSPC", "BTC/USD", "PEBBLE-USD"]
    for symbol in ("^GSPC", "BTC/USD"):
        table.wait_priced(symbol)


def test_what_is_shown_is_what_the_server_has(relay: Relay, table: Table) -> None:
    """A price on the page is one that REST gave for the symbol at about the same time: with the setting's decimals, in its size."""
    table.wait_priced("PEBBLE-USD")
    expect(table.cell("PEBBLE-USD", "price")).to_contain_text(re.compile(r"^0\.\d{7}"))
    shown = table.number("BTC/USD", "price")
    known = float(str(quotes_of(relay, "BTC/USD")["BTC/USD"]["price"]))
    assert abs(shown / known - 1) < 0.01


def test_a_move_flashes_its_cell_with_arrow_and_sign(table: Table) -> None:
    """The direction of the flash, the arrow and the sign agree, so that colour is never the only messenger."""
    flashed: list[str] = table.page.evaluate(
        """() => new Promise((resolve) => new MutationObserver((changes, observer) => {
            for (const { target } of changes) {
                if (!target.dataset.flash) continue;
                observer.disconnect();
                resolve([target.dataset.flash, target.querySelector(".arrow").textContent, target.querySelector(".move").textContent[0]]);
                return;
            }
        }).observe(document.querySelector("#table"), {attributes: true, attributeFilter: ["data-flash"], subtree: true}))"""
    )
    assert flashed in (["up", "▲", "+"], ["down", "▼", "-"])


def test_flashes_go_out(table: Table) -> None:
    """A flash lasts a moment: a row that rests is dark again."""
    cell = table.cell("BOLT", "price").locator(".cell")
    expect(cell).to_have_attribute("data-flash", re.compile("up|down"))
    table.page.get_by_role("button", name="View").click()
    table.page.get_by_label("Flash on change").uncheck()
    expect(cell).not_to_have_attribute("data-flash", re.compile("."))


def test_a_reader_who_wants_no_motion_sees_no_flash(relay: Relay, context: BrowserContext) -> None:
    """Under prefers-reduced-motion prices change, and nothing flashes."""
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.add_init_script(
        """window.flashes = 0; window.moves = 0;
        new MutationObserver((changes) => { for (const change of changes) {
            if (change.type === "attributes") window.flashes += 1; else window.moves += 1;
        } }).observe(document, {attributes: true, attributeFilter: ["data-flash"], subtree: true, characterData: true});"""
    )
    page.goto(relay.url)
    Table(page).wait_connection("live")
    page.wait_for_function("() => window.moves > 500")
    assert page.evaluate("window.flashes") == 0


def test_strings_from_the_settings_are_text(table: Table) -> None:
    """Markup in a name is shown as it is written, and makes no element."""
    expect(table.cell("ACME", "name")).to_have_text("Acme <img src=x onerror=alert(1)>")
    assert table.page.locator("#table img").count() == 0


def test_three_state_sort(table: Table) -> None:
    """A click sorts by the largest first, a second by the smallest, a third brings back the order of the settings."""
    table.header("symbol").click()
    expect(table.header("symbol")).to_have_attribute("aria-sort", "ascending")
    assert table.column("symbol")[:2] == ["^GSPC", "ACME"]
    table.header("symbol").click()
    expect(table.header("symbol")).to_have_attribute("aria-sort", "descending")
    assert table.column("symbol")[0] == "SIM199"
    table.header("symbol").click()
    expect(table.header("symbol")).to_have_attribute("aria-sort", "none")
    assert table.column("symbol")[:2] == ["ACME", "BOLT"]


def test_the_order_follows_the_prices(table: Table) -> None:
    """Sorted by price, the dearest symbol is first and the table stays in order while prices move."""
    table.header("price").click()
    table.page.wait_for_function("() => document.querySelector('[row-index=\"0\"][row-id]').getAttribute('row-id') === 's:BTC/USD'")
    prices = [float(text.replace(",", "")) for text in table.column("price")]
    assert len(prices) > 20
    out_of_order = sum(left < right * 0.99 for left, right in pairwise(prices))  # a second's moves are < 1 %
    assert out_of_order == 0


def test_quick_search(table: Table) -> None:
    """`/` goes to the search from anywhere, letters narrow the table by symbol and name, Escape widens it again."""
    table.page.keyboard.press("/")
    expect(table.page.locator("#search")).to_be_focused()
    table.page.keyboard.type("bolt")
    expect(table.page.locator("#count")).to_have_text("1 of 205 symbols")
    assert table.column("symbol") == ["BOLT"]
    table.page.keyboard.press("Escape")
    expect(table.page.locator("#count")).to_have_text("205 symbols")
    table.page.keyboard.press("/")
    table.page.keyboard.type("no such thing")
    expect(table.page.locator("#empty")).to_have_text("No symbol matches “no such thing”")


def test_groups_are_tabs(table: Table) -> None:
    """A group of the settings is a tab that shows its symbols; the arrow keys go from tab to tab; the choice is remembered."""
    table.page.get_by_role("tab", name="Coins").click()
    assert table.column("symbol") == ["BTC/USD", "PEBBLE-USD"]
    table.page.keyboard.press("ArrowLeft")
    expect(table.page.get_by_role("tab", name="Shares")).to_have_attribute("aria-selected", "true")
    assert table.column("symbol") == ["ACME", "BOLT"]
    table.page.reload()
    expect(table.page.locator("#count")).to_have_text("2 of 205 symbols")


def test_a_column_filter(table: Table) -> None:
    """A column's own filter keeps the rows that pass it."""
    header = table.header("price")
    header.hover()
    header.locator(".ag-header-cell-filter-button").click()
    table.page.locator(".ag-filter input[type=number]").first.fill("60000")
    table.page.locator(".ag-filter .ag-picker-field-wrapper").first.click()
    table.page.get_by_role("option", name="Greater than", exact=True).click()
    expect(table.page.locator(".ag-row:has([col-id=price])")).to_have_count(1)
    assert table.column("symbol") == ["BTC/USD"]


def test_columns_are_chosen_and_remembered(table: Table) -> None:
    """A column that is switched off or on stays so after a reload."""
    page = table.page
    expect(table.header("prev_close")).to_have_count(0)
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Bid", exact=True).uncheck()
    page.get_by_label("Open", exact=True).check()
    expect(table.header("bid")).to_have_count(0)
    page.reload()
    table.wait_connection("live")
    expect(table.header("open")).to_have_count(1)
    expect(table.header("bid")).to_have_count(0)


def test_rows_scrolled_into_view_get_every_update(table: Table) -> None:
    """A row far down is joined once scrolling rests: it then moves faster than the board's one update a second."""
    table.page.locator(".ag-body-viewport, .ag-grid-viewport").first.hover()
    table.page.mouse.wheel(0, 2000)
    table.wait_priced("SIM080")
    changes: int = table.page.evaluate(
        """() => new Promise((resolve) => {
            let changes = 0;
            const seen = new MutationObserver((records) => { changes += records.length; });
            const bid = document.querySelector('[row-id="s:SIM080"] [col-id="bid"]');
            setTimeout(() => seen.observe(bid, {characterData: true, subtree: true}), 1000);
            setTimeout(() => resolve(changes), 4000);
        })"""
    )
    assert changes > 6  # 5 ticks a second for 3 s; the board alone would bring 3


def test_phone_width_shows_what_matters(relay: Relay, context: BrowserContext) -> None:
    """At 390 pixels: symbol, price, change and age fit without scrolling sideways."""
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(relay.url)
    table = Table(page)
    table.wait_priced("ACME")
    shown = page.evaluate("[...document.querySelectorAll('.ag-header-cell')].map((cell) => cell.getAttribute('col-id'))")
    assert sorted(shown) == ["age", "change_pct", "price", "symbol"]
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    right_edge = page.evaluate("document.querySelector('[row-id$=ACME] [col-id=age]').getBoundingClientRect().right")
    assert right_edge <= 390


def test_the_symbol_stays_in_view_where_the_columns_do_not_fit(table: Table) -> None:
    """Scrolled sideways, it is still at the left edge, over what scrolls; in a window wide enough nothing has to stick."""
    page = table.page
    symbol, state = table.cell("ACME", "symbol"), table.cell("ACME", "state")
    expect(page.locator("#table")).to_have_attribute("data-fits", "")
    page.set_viewport_size({"width": 900, "height": 800})
    expect(page.locator("#table")).not_to_have_attribute("data-fits", "")
    table.cell("ACME", "price").hover()
    page.mouse.wheel(600, 0)
    expect(state).to_be_in_viewport(ratio=1)
    assert symbol.evaluate("(cell) => cell.getBoundingClientRect().left") == 0
    assert symbol.evaluate("""(cell) => cell.contains(document.elementFromPoint(30, cell.getBoundingClientRect().top + 10))"""), (
        "nothing lies over it"
    )


def test_two_languages(table: Table) -> None:
    """The whole page changes its language at once and remembers it."""
    page = table.page
    page.get_by_role("button", name="View").click()
    page.get_by_label("Language").select_option("zh")
    expect(table.header("price")).to_contain_text("现价")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.reload()
    expect(page.locator("#connection .word")).to_have_text("实时")
