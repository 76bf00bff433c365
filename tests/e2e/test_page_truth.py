"""Nothing old is shown as new: restarts, silence, feeds that fail, settings that change, browsers that lose the network."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.page import Relay, Table, relaying
from tests.providers.client import RunningProvider, running

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[broadcast]
heartbeat_s = 1

[feeds.sim]
kind = "simulated"
interval_s = 0.2

[symbols]
ACME = { feed = "sim" }
BOLT = { feed = "sim" }
"""

WATCH = """
window.lies = [];
const look = () => {
    const connection = document.body?.dataset.connection;
    for (const cell of document.querySelectorAll('[col-id="state"] .cell')) {
        if (cell.innerText === "fresh" && (connection === "recovering" || connection === "offline")) window.lies.push(connection);
    }
    requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""Looks at every frame: while the page says that it is not live, no row may say that it is."""


def test_a_killed_server_is_noticed_and_its_return_too(relay: Relay, table: Table) -> None:
    """From the moment the connection breaks no price is called fresh; after the restart all of them are, with nothing done by hand."""
    table.page.evaluate(WATCH)
    table.wait_priced("ACME")
    relay.stop(signal.SIGKILL)
    table.wait_connection("recovering", 3000)
    expect(table.cell("ACME", "state")).to_have_text("waiting")
    relay.start()
    table.wait_connection("live", 5000)
    expect(table.cell("ACME", "state")).to_have_text("fresh")
    assert sorted(table.column("symbol")) == ["ACME", "BOLT"]
    assert table.page.evaluate("window.lies") == []


def test_a_server_that_says_goodbye_is_found_again(relay: Relay, table: Table) -> None:
    """A clean stop tells clients to leave, which Socket.IO takes for good; the page comes back all the same."""
    relay.stop(signal.SIGTERM)
    table.wait_connection("recovering", 3000)
    relay.start()
    table.wait_connection("live", 6000)
    expect(table.cell("BOLT", "state")).to_have_text("fresh")


def test_a_server_that_says_when_to_come_back(relay: Relay, table: Table) -> None:
    """On a clean stop the page says that the server restarts and not only that it is gone; then it comes back by itself."""
    table.page.evaluate(
        """() => { window.words = []; const word = document.querySelector("#connection .word");
            new MutationObserver(() => window.words.push(word.textContent))
                .observe(word, {childList: true, characterData: true, subtree: true}); }"""
    )
    table.page.evaluate(WATCH)
    relay.stop(signal.SIGTERM)
    table.wait_connection("recovering", 3000)
    relay.start()
    table.wait_connection("live", 10_000)
    words: list[str] = table.page.evaluate("window.words")
    assert words[0] == "Restarting"
    assert words[-1] == "Live"
    assert table.page.evaluate("window.lies") == []


def test_a_symbol_that_is_gone_after_a_restart_leaves_no_row(relay: Relay, table: Table) -> None:
    """The server's new list replaces the old one, rows of before included."""
    relay.stop()
    relay.edit(lambda text: text.replace('BOLT = { feed = "sim" }', 'CRUX = { feed = "sim" }'))
    relay.start()
    table.wait_priced("CRUX")
    assert table.column("symbol") == ["ACME", "CRUX"]


def test_a_mute_server_is_not_called_live(relay: Relay, table: Table) -> None:
    """The socket stays open, nothing comes: two heartbeats later the page says so; when words come again it is live again."""
    table.page.evaluate(WATCH)
    relay.signal(signal.SIGSTOP)
    try:
        table.wait_connection("recovering", 6000)
        expect(table.cell("ACME", "state")).to_have_text("waiting")
    finally:
        relay.signal(signal.SIGCONT)
    table.wait_connection("live", 8000)
    assert table.page.evaluate("window.lies") == []


def test_a_browser_without_network_says_offline(table: Table, context: BrowserContext) -> None:
    """Offline is said at once, every price is in doubt; back online everything returns by itself."""
    table.page.evaluate(WATCH)
    context.set_offline(True)
    table.wait_connection("offline", 2000)
    expect(table.cell("ACME", "state")).to_have_text("waiting")
    context.set_offline(False)
    table.wait_connection("live", 5000)
    expect(table.cell("ACME", "state")).to_have_text("fresh")
    assert table.page.evaluate("window.lies") == []


def test_without_a_shared_worker_the_page_does_the_same(relay: Relay, context: BrowserContext) -> None:
    """A browser that has no SharedWorker gets its prices all the same."""
    page = context.new_page()
    page.add_init_script("delete window.SharedWorker")
    page.goto(relay.url)
    table = Table(page)
    table.wait_connection("live")
    table.wait_priced("ACME")
    expect(table.cell("ACME", "state")).to_have_text("fresh")


def test_a_line_in_the_settings_becomes_a_row(relay: Relay, table: Table) -> None:
    """A symbol that is saved appears with a price and one that is taken out disappears, while the others go on."""
    relay.edit(lambda text: text + 'CRUX = { feed = "sim", name = "Crux" }\n')
    expect(table.cell("CRUX", "name")).to_have_text("Crux")
    table.wait_priced("CRUX")
    relay.edit(lambda text: re.sub("ACME.*\n", "", text))
    expect(table.page.locator('[row-id="s:ACME"]')).to_have_count(0)
    expect(table.page.locator("body")).to_have_attribute("data-connection", "live")
    assert table.column("symbol") == ["BOLT", "CRUX"]


def test_the_dialog_shows_the_line_and_says_when_it_is_picked_up(relay: Relay, table: Table) -> None:
    """The line of the dialog, saved as it stands, adds the symbol, and the dialog says so by itself."""
    page = table.page
    page.get_by_role("button", name="Add symbol").click()
    page.get_by_role("dialog").get_by_label("Symbol").fill("BRK.B")
    verdict = page.get_by_role("dialog").get_by_role("status")
    expect(verdict).to_have_text("Waiting for BRK.B to appear in the settings…")
    line = page.locator("#add-symbol code").inner_text()
    assert line == '"BRK.B" = { feed = "sim" }'
    relay.edit(lambda text: f"{text}{line}\n")
    expect(verdict).to_have_text("BRK.B has been picked up.")
    page.keyboard.press("Escape")
    table.wait_priced("BRK.B")


def test_settings_that_were_refused_are_told_with_their_reason(relay: Relay, table: Table) -> None:
    """A mistake in the file changes nothing but a banner that names it; the banner goes with the mistake."""
    relay.edit(lambda text: text + 'CRUX = { feed = "smi" }\n')
    banner = table.page.locator(".banner")
    expect(banner).to_contain_text("CRUX")
    expect(table.page.locator('[row-id="s:CRUX"]')).to_have_count(0)
    relay.edit(lambda text: text.replace("smi", "sim"))
    expect(banner).to_have_count(0)
    table.wait_priced("CRUX")


@pytest.fixture
def coinbase() -> Iterator[RunningProvider]:
    """A provider that can be broken."""
    with running("coinbase", limits=False) as provider:
        yield provider


def test_a_feed_that_goes_down_and_comes_up(coinbase: RunningProvider, tmp_path: Path, context: BrowserContext) -> None:
    """A broken provider's rows turn grey and stale, a banner gives the reason, another feed's rows go on; all heals by itself."""
    settings = f"""
[feeds.coinbase]
kind = "coinbase"
interval_s = 0.3
stale_after_s = 1
base_url = "{coinbase.url}"

[feeds.sim]
kind = "simulated"
interval_s = 0.2

[symbols]
"BTC-USD" = {{ feed = "coinbase" }}
ACME = {{ feed = "sim" }}
"""
    with relaying(tmp_path, settings) as relay:
        page = context.new_page()
        page.goto(relay.url)
        table = Table(page)
        table.wait_priced("BTC-USD")
        expect(table.cell("BTC-USD", "source")).to_have_text("coinbase")
        fresh_colour = table.cell("BTC-USD", "price").locator(".value").evaluate("(cell) => getComputedStyle(cell).color")
        coinbase.fault("status", status=503)
        expect(table.cell("BTC-USD", "state")).to_have_text(re.compile("stale|failed"))
        stale_colour = table.cell("BTC-USD", "price").locator(".value").evaluate("(cell) => getComputedStyle(cell).color")
        assert stale_colour != fresh_colour
        expect(page.locator('.feed[data-feed="coinbase"]')).to_have_attribute("data-state", re.compile("retrying|down"))
        expect(table.cell("ACME", "state")).to_have_text("fresh")
        expect(page.locator(".banner")).to_contain_text("coinbase", timeout=40_000)
        coinbase.heal()
        expect(table.cell("BTC-USD", "state")).to_have_text("fresh", timeout=40_000)
        expect(page.locator(".banner")).to_have_count(0)
        expect(page.locator('.feed[data-feed="coinbase"]')).to_have_attribute("data-state", "ok")
