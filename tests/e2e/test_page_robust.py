"""What breaks and heals by itself: networks, lids, tabs, thousands of new symbols. Times are scaled down by settings, the parts are real.

Every test has a witness in the page that looks at each frame (tests/e2e/frame_witness.py).
"""

from __future__ import annotations

import json
import re
import signal
import urllib.request

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.e2e.frame_witness import lies, watch
from tests.e2e.page import Relay, Table, frozen, stopped
from tests.e2e.waiting import wait
from tests.faults import FaultProxy

pytest_plugins = ["tests.e2e.browser"]

HEARTBEAT_S = 0.5
SETTINGS = f"""
[server]
ping_interval_s = 1
ping_timeout_s = 1

[broadcast]
heartbeat_s = {HEARTBEAT_S}
stall_limit_s = 1

[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
""" + "\n".join(f'OLD{number:03} = {{ feed = "sim" }}' for number in range(200))
LIMIT_S = 2 * HEARTBEAT_S + 1
RECOVERED_MS = 40_000
"""More than the 5 s that recovery may take, which `make bench-page` measures: the machine of a test may be busy."""


def opened(context: BrowserContext, url: str) -> Table:
    """A live page with its witness."""
    page = context.new_page()
    page.goto(url)
    table = Table(page)
    table.wait_connection("live")
    table.wait_priced("OLD000")
    watch(page, LIMIT_S)
    return table


def expect_right(relay: Relay, table: Table, symbol: str = "OLD000") -> None:
    """Live again, every row in view fresh, and prices are the server's of now."""
    table.wait_connection("live", RECOVERED_MS)
    table.page.wait_for_function(
        """() => [...document.querySelectorAll('[col-id="state"] .cell')].every((cell) => cell.dataset.state === "fresh")""",
        timeout=RECOVERED_MS,
    )
    seen = set()

    def matches() -> bool:
        with urllib.request.urlopen(f"{relay.url}/api/quotes/{symbol}") as answer:
            seen.add(f"{json.load(answer)['price']:.2f}")
        return table.text(symbol, "price").replace(",", "") in seen

    table.page.wait_for_timeout(0)  # lets events in
    wait(matches)
    assert lies(table.page) == []


def wait_clients(relay: Relay, count: int) -> None:
    """Until the server holds so many connections."""

    def reached() -> bool:
        with urllib.request.urlopen(f"{relay.url}/api/status") as answer:
            return bool(json.load(answer)["clients"] == count)

    wait(reached)


def test_a_network_that_swallows_everything(relay: Relay, context: BrowserContext) -> None:
    """Nothing arrives for two heartbeats: recovering, every price in doubt; then what was on its way arrives late, and all is right."""
    with FaultProxy(relay.port) as network:
        table = opened(context, network.url)
        network.cut()
        table.wait_connection("recovering", RECOVERED_MS)
        expect(table.cell("OLD000", "state")).to_have_text("waiting")
        wait_clients(relay, 0)
        network.heal()
        expect_right(relay, table)


def test_a_short_gap_in_the_network(relay: Relay, context: BrowserContext) -> None:
    """A gap that the connection survives leaves nothing behind, and nothing old is taken for new while the backlog comes in."""
    with FaultProxy(relay.port) as network:
        table = opened(context, network.url)
        for _ in range(3):
            network.cut()
            expect(table.cell("OLD000", "age")).to_have_text(re.compile("^[1-9]s$"))
            network.heal()
            expect_right(relay, table)


def test_a_machine_that_sleeps(relay: Relay, browser: Browser, context: BrowserContext) -> None:
    """A closed lid: no process of the browser runs until the server has given the client up; awake, the page is right by itself."""
    table = opened(context, relay.url)
    with stopped(browser):
        wait_clients(relay, 0)
    expect_right(relay, table)


def test_a_machine_that_sleeps_with_its_buffers_full(relay: Relay, browser: Browser, context: BrowserContext) -> None:
    """Prices that lay in the buffers of the network while the lid was closed are old when they are read, and are not called fresh."""
    with FaultProxy(relay.port) as network:
        table = opened(context, network.url)
        with stopped(browser):
            wait_clients(relay, 0)
        expect_right(relay, table)


def test_a_frozen_tab(relay: Relay, context: BrowserContext) -> None:
    """The tab stands still while its connection goes on beside it: on its return it finds one snapshot, not all that it missed."""
    table = opened(context, relay.url)
    with frozen(table.page):
        before = seq_of(relay)
        wait(lambda: seq_of(relay) > before + 60)
        wait_clients(relay, 1)
    expect_right(relay, table)


def test_a_frozen_tab_whose_server_is_another_one_now(relay: Relay, context: BrowserContext) -> None:
    """The server restarts with other symbols while the tab is frozen: on its return no old row and no old price is left."""
    table = opened(context, relay.url)
    with frozen(table.page):
        relay.stop(signal.SIGKILL)
        relay.edit(lambda text: text.replace("OLD", "NEW"))
        relay.start()
        wait_clients(relay, 1)  # the worker has come back, the tab is still frozen
    table.wait_priced("NEW000")
    expect_right(relay, table, "NEW000")
    assert table.page.locator('[row-id^="s:OLD"]').count() == 0


def test_a_frozen_tab_is_frozen(relay: Relay, context: BrowserContext) -> None:
    """What these tests stand on: no timer of it ran while the server made 30 updates."""
    table = opened(context, relay.url)
    table.page.evaluate("""() => {
        window.longest_ms = 0;
        let last_ms = performance.now();
        setInterval(() => {
            window.longest_ms = Math.max(window.longest_ms, performance.now() - last_ms);
            last_ms = performance.now();
        }, 50);
    }""")
    with frozen(table.page):
        before = seq_of(relay)
        wait(lambda: seq_of(relay) > before + 30)
    table.page.wait_for_function("() => window.longest_ms > 2500")  # 30 updates are 3 s


def seq_of(relay: Relay) -> int:
    """How many updates the server has accepted of one symbol."""
    with urllib.request.urlopen(f"{relay.url}/api/quotes/OLD000") as answer:
        return int(json.load(answer)["seq"])


@pytest.mark.parametrize("count", [1000])
def test_a_reload_of_a_thousand_symbols(relay: Relay, context: BrowserContext, count: int) -> None:
    """All symbols go and a thousand others come, while everybody stays connected: each has one row, in order, priced."""
    table = opened(context, relay.url)
    new = "\n".join(f'NEW{number:04} = {{ feed = "sim" }}' for number in range(count))
    relay.edit(lambda text: text[: text.index("[symbols]")] + "[symbols]\n" + new)
    expect(table.page.locator("#count")).to_have_text("1000 symbols", timeout=RECOVERED_MS)
    table.wait_priced("NEW0000")
    expect_right(relay, table, "NEW0000")
    assert table.column("symbol")[:3] == ["NEW0000", "NEW0001", "NEW0002"]
    assert table.page.locator('[row-id^="s:OLD"]').count() == 0


def test_a_server_that_restarts_again_and_again(relay: Relay, context: BrowserContext) -> None:
    """Three restarts in a row, each with a new epoch: right after each of them, one row a symbol."""
    table = opened(context, relay.url)
    for _ in range(3):
        relay.stop(signal.SIGKILL)
        table.wait_connection("recovering", RECOVERED_MS)
        relay.start()
        expect_right(relay, table)
