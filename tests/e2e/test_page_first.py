"""Before the table is there: prices that came with the document, in its place and as nobody's word; then the table, with no gap between."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.e2e.page import Complaints, Relay, Table

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = 0.2

[symbols]
ACME = { feed = "sim", name = "</script><b>Acme</b>", group = "first" }
BOLT = { feed = "sim", decimals = 3, group = "second" }
""" + "\n".join(f'S{number:03} = {{ feed = "sim" }}' for number in range(100))
WITNESS = """
window.gaps = [];
window.begun = false;
const look = () => {
    const first = document.querySelector(".first .price .value:not(:empty)");
    const table = document.querySelector(".ag-row .price .value:not(:empty)");
    window.begun ||= first !== null;
    if (window.begun && !first && !table) window.gaps.push(performance.now());
    requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def held(context: BrowserContext, relay: Relay, path: str = "/") -> tuple[Page, list[Route]]:
    """The page while the table's code is on its way; it arrives when the routes go on."""
    while context.request.get(f"{relay.url}/readyz").status != 200:
        pass
    page = context.new_page()
    page.add_init_script(WITNESS)
    on_their_way: list[Route] = []
    page.route("**/assets/app-*.js", lambda route: on_their_way.append(route))  # noqa: PLW0108  # Playwright marks its handlers
    page.goto(relay.url + path, wait_until="commit")
    page.wait_for_selector(".first .line")
    return page, on_their_way


def test_prices_stand_there_before_the_table_and_are_nobodys_word(relay: Relay, context: BrowserContext) -> None:
    """Each says that it waits, its age grows, a name is text; and they are no rows of the table."""
    page, _ = held(context, relay)
    line = page.locator(".first .line").first
    expect(line.locator('[col-id="symbol"]')).to_have_text("ACME")
    expect(line.locator('[col-id="name"]')).to_have_text("</script><b>Acme</b>")
    assert float(line.locator(".price .value").inner_text().replace(",", "")) > 0
    assert page.locator(".first .line").nth(1).locator(".price .value").inner_text().partition(".")[2].isdigit()
    states = page.locator(".first .cell").evaluate_all("(cells) => [...new Set(cells.map((cell) => cell.dataset.state))]")
    assert states == ["waiting"]
    expect(page.locator("body")).to_have_attribute("data-connection", "recovering")
    expect(page.locator("#connection .word")).to_have_text("Recovering")
    expect(line.locator('[col-id="age"]')).to_have_text(re.compile("^[2-9]s$"))
    assert page.locator("[row-id]").count() == 0


def test_the_table_takes_their_place_without_a_gap(relay: Relay, context: BrowserContext) -> None:
    """No frame is without a price from the first one on, columns stay where they were, and nothing is left of what was there before."""
    complaints = Complaints(relay.url)
    page, on_their_way = held(context, relay)
    complaints.watch(page)
    edges = """(selector) => ["price", "bid", "state"].map((id) => Math.round(
        document.querySelector(`${selector} [col-id="${id}"] .cell`).getBoundingClientRect().right))"""
    before = page.evaluate(edges, ".first .line")
    for route in on_their_way:
        route.continue_()
    table = Table(page)
    table.wait_connection("live")
    table.wait_priced("ACME")
    expect(page.locator(".first")).to_have_count(0)
    assert page.evaluate("window.begun")
    assert page.evaluate("window.gaps") == []
    after = page.evaluate(edges, ".ag-row[row-id$=ACME]")
    assert all(abs(one - other) <= 2 for one, other in zip(before, after, strict=True)), (before, after)
    assert complaints.found == []


@pytest.mark.parametrize(
    ("path", "symbols"), [("/?group=second", ["BOLT"]), ("/?kiosk=1&group=first", ["ACME"]), ("/embed?symbols=BOLT,ACME", ["ACME", "BOLT"])]
)
def test_the_address_says_which(relay: Relay, context: BrowserContext, path: str, symbols: list[str]) -> None:
    """The other faces bring theirs."""
    page, _ = held(context, relay, path)
    assert page.locator('.first .line [col-id="symbol"] .main').all_inner_texts() == symbols


def test_what_the_reader_chose_holds_from_the_first_frame(relay: Relay, context: BrowserContext) -> None:
    """Columns, colours and the group; where the table is sorted nobody knows yet what comes first, and nothing is shown."""
    chosen = """localStorage.setItem("tickercast", JSON.stringify({ theme: "light", palette: "blue-up", view: "?group=first",
        columns: { wide: [{ colId: "price", width: 200 }, { colId: "symbol" }, { colId: "name", hide: true }] } }))"""
    context.add_init_script(chosen)
    page, _ = held(context, relay)
    assert page.locator(".first .head > div").all_inner_texts() == ["Price", "Symbol"]
    assert page.locator('.first .line [col-id="symbol"] .main').all_inner_texts() == ["ACME"]
    assert page.evaluate("({ ...document.documentElement.dataset })") == {"theme": "light", "palette": "blue-up"}
    assert page.url == f"{relay.url}/?group=first"
    page.goto(f"{relay.url}/?sort=-price", wait_until="commit")
    page.wait_for_selector("#connection .word:not(:empty)")
    assert page.locator(".first").count() == 0
