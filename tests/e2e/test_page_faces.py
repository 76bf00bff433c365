"""The other faces of the page: row details, kiosk, embed, tape, several tabs, a hidden tab, an installed page without a network."""

from __future__ import annotations

import json
import re
import signal
import urllib.request

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.page import Complaints, Relay, Table

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[broadcast]
heartbeat_s = 1

[feeds.sim]
kind = "simulated"
interval_s = 0.2

[symbols]
ACME = { feed = "sim", name = "Acme", group = "Shares" }
BOLT = { feed = "sim", group = "Shares" }
COMET = { feed = "sim", group = "Coins" }
"""


def opened(context: BrowserContext, relay: Relay, path: str) -> tuple[Page, Complaints]:
    """A page at `path`, watched for complaints."""
    page = context.new_page()
    complaints = Complaints(relay.url)
    complaints.watch(page)
    page.goto(relay.url + path)
    page.wait_for_selector('body[data-connection="live"]')
    return page, complaints


def clients_of(relay: Relay) -> int:
    """How many connections the server holds."""
    with urllib.request.urlopen(f"{relay.url}/api/status") as answer:
        return int(json.load(answer)["clients"])


def test_enter_opens_the_details_and_escape_gives_the_focus_back(table: Table) -> None:
    """By keyboard alone: into the table, down a row, details with a live chart, and back to the same row."""
    page = table.page
    table.wait_priced("BOLT")
    table.cell("ACME", "price").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    details = page.locator("#details")
    expect(details.get_by_role("heading")).to_be_focused()
    expect(details.get_by_role("heading")).to_have_text("BOLT")
    expect(details.locator("canvas").first).to_be_visible()
    first = details.locator(".price").inner_text()
    expect(details.locator(".price")).not_to_have_text(first)
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    assert page.evaluate("document.activeElement.closest('[row-id]').getAttribute('row-id')") == "s:BOLT"


def test_the_chart_is_loaded_only_when_asked_for(relay: Relay, context: BrowserContext) -> None:
    """The first load has no chart in it; opening the details brings it, from the same host."""
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(relay.url)
    Table(page).wait_priced("ACME")
    assert not [url for url in asked if "/assets/chart-" in url]
    Table(page).cell("ACME", "price").click()
    expect(page.locator("#details canvas").first).to_be_visible()
    assert [url for url in asked if "/assets/chart-" in url]


def test_kiosk_shows_one_group_in_large(relay: Relay, context: BrowserContext) -> None:
    """`/?kiosk=1&group=X`: that group and the word of the connection, nothing to press."""
    page, complaints = opened(context, relay, "/?kiosk=1&group=Shares")
    table = Table(page)
    table.wait_priced("ACME")
    assert table.column("symbol") == ["ACME", "BOLT"]
    expect(page.locator("#connection")).to_be_visible()
    expect(page.locator("#search")).to_be_hidden()
    expect(page.locator("#view-button")).to_be_hidden()
    assert complaints.found == []


def test_embed_shows_the_symbols_it_was_given(relay: Relay, context: BrowserContext) -> None:
    """`/embed?symbols=A,B`: these rows and no other."""
    page, complaints = opened(context, relay, "/embed?symbols=COMET,ACME")
    table = Table(page)
    table.wait_priced("COMET")
    assert sorted(table.column("symbol")) == ["ACME", "COMET"]
    assert complaints.found == []


def test_tape_scrolls_live_prices_and_doubts_them_without_a_server(relay: Relay, context: BrowserContext) -> None:
    """`/tape`: every symbol with its price and change; grey and said so when the server is gone."""
    page, complaints = opened(context, relay, "/tape?group=Shares")
    acme = page.locator('li[data-symbol="ACME"]').first
    expect(acme.locator(".price")).to_have_text(re.compile(r"^\d+\.\d\d$"))
    expect(page.locator("li[data-symbol]")).to_have_count(4)  # two symbols, each of them twice for an endless strip
    first = acme.locator(".price").inner_text()
    expect(acme.locator(".price")).not_to_have_text(first)
    relay.stop(signal.SIGKILL)
    expect(page.locator("body")).to_have_attribute("data-connection", "recovering")
    expect(acme).to_have_attribute("data-state", "waiting")
    assert complaints.found == []


def test_tabs_share_one_connection(relay: Relay, context: BrowserContext) -> None:
    """Ten tabs of one browser are one client of the server; each of them is live."""
    pages = []
    for _ in range(10):
        page, _ = opened(context, relay, "/?group=Shares")  # each thinks that it is seen: ten full tables take a machine of their own
        pages.append(page)
    for page in pages:
        Table(page).wait_priced("ACME")
    assert clients_of(relay) == 1


def test_a_tab_that_closes_leaves_the_others_live(relay: Relay, context: BrowserContext) -> None:
    """The tab that opened the connection is closed; the other goes on."""
    first, second = (opened(context, relay, "/")[0] for _ in range(2))
    first.close()
    price = Table(second).cell("ACME", "price").locator(".value")
    shown = price.all_inner_texts()
    second.wait_for_function(
        "(shown) => document.querySelector('[row-id$=ACME] [col-id=price] .value').textContent !== shown", arg="".join(shown)
    )
    expect(second.locator("body")).to_have_attribute("data-connection", "live")


def test_a_hidden_tab_is_not_painted_and_catches_up_without_flashing(table: Table) -> None:
    """While hidden nothing in the page changes; on its return the newest prices stand there, and not one cell flashes for it."""
    page = table.page
    table.wait_priced("ACME")
    page.evaluate(
        """() => {
            window.hide = (hidden) => {
                Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
                document.dispatchEvent(new Event("visibilitychange"));
            };
            window.hide(true);
        }"""
    )
    before = table.column("price")
    page.wait_for_function("() => performance.now() > (window.until ??= performance.now() + 3000)", polling=100)
    assert table.column("price") == before
    flashed: list[str] = page.evaluate(
        """() => new Promise((resolve) => {
            for (const cell of document.querySelectorAll("[data-flash]")) delete cell.dataset.flash;
            const old = document.querySelector("#table").innerText;
            window.hide(false);
            const look = () => document.querySelector("#table").innerText === old
                ? requestAnimationFrame(look) : resolve([...document.querySelectorAll("[data-flash]")].map((cell) => cell.innerText));
            requestAnimationFrame(look);
        })"""
    )
    assert flashed == []
    assert table.column("price") != before


def test_an_installed_page_opens_without_a_server_and_shows_nothing_as_live(relay: Relay, context: BrowserContext) -> None:
    """The service worker keeps the page, never a price: without a server it opens, says so, and is live again once there is one."""
    page, _ = opened(context, relay, "/")
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    page.reload()  # this time through the service worker, which now keeps what it hands out
    Table(page).wait_connection("live")
    assert page.locator("#first-rows").inner_text()
    relay.stop(signal.SIGKILL)
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-connection", "recovering")
    expect(page.locator("#empty")).to_have_text("Waiting for prices…")
    assert page.locator("[row-id], .first .line").count() == 0
    assert page.locator("#first-rows").inner_text() == ""
    relay.start()
    Table(page).wait_connection("live", 6000)
    Table(page).wait_priced("ACME")
