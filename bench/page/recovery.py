"""How soon everything is right again after something broke: no reload by hand, no row twice, no stale price shown as live at any moment."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator

from playwright.sync_api import Browser, Page

from bench.children import SERVER_CORE
from bench.page.chromium import Tab, on_core
from bench.page.figures import Figure
from bench.page.speed import serving, settings
from tests.e2e.frame_witness import lies, watch
from tests.e2e.page import Relay, frozen, stopped
from tests.faults import FaultProxy
from tests.providers.client import running

BOUND_S = 5.0
SYMBOLS = 500
OUTAGE_S = 30.0
FRESH_S = 12.0
"""A price may be called fresh for two heartbeats, or its stale limit, and a moment for the clock on the screen."""
PATIENCE_S = 60.0
RIGHT = """
(prefix) => {
    const names = [...document.querySelectorAll(".ag-row[row-id]")].map((row) => row.getAttribute("row-id").slice(2));
    return document.body.dataset.connection === "live" && names.length > 0
        && new Set(names).size === names.length && names.every((name) => name.startsWith(prefix))
        && [...document.querySelectorAll('[col-id="state"] .cell')].every((cell) => cell.dataset.state === "fresh")
        && [...document.querySelectorAll('[col-id="price"] .value')].every((cell) => cell.textContent !== "");
}
"""
"""Live, every row in view of the symbols that must be there, each of them once, fresh and with a price."""


def recovery(browser: Browser, minutes: float) -> Iterator[Figure]:
    """Every case, each with a page of its own; the frozen tab stays so for `minutes`."""
    with serving(settings(SYMBOLS, 0.2)) as relay:
        yield _case(browser, relay.url, "server restart", lambda page: _restart(relay))
        yield _case(browser, relay.url, "browser that slept for 30 s", lambda page: _sleep(browser))
        yield _case(browser, relay.url, f"tab frozen for {minutes:g} minutes", lambda page: _frozen(page, 60 * minutes))
        with FaultProxy(relay.port) as network:
            yield _case(browser, network.url, f"network lost for {OUTAGE_S:g} s", lambda page: _outage(network))
        yield _case(browser, relay.url, "reload of 1,000 symbols", lambda page: _reload(relay), prefix="NEW")
    yield from _feed_loss(browser)


def _case(
    browser: Browser, url: str, what: str, harm: Callable[[Page], float | None], *, before: str = "SIM", prefix: str = "SIM"
) -> Figure:
    """`harm` breaks something, waits, mends it, and returns when it was mended (`time.monotonic`); by default when it returns.

    `before`, `prefix`: how the names of the symbols begin that must be there before, and afterwards."""
    tab = Tab(browser, url)
    tab.page.wait_for_function(RIGHT, arg=before)
    watch(tab.page, FRESH_S)
    mended_s = harm(tab.page) or time.monotonic()
    tab.page.wait_for_function(RIGHT, arg=prefix, timeout=1000 * PATIENCE_S, polling=50)
    took_s = time.monotonic() - mended_s
    untrue = lies(tab.page)
    tab.close()
    return Figure(f"right again after: {what}", took_s if not untrue else float("inf"), "s", BOUND_S, note="; ".join(untrue[:3]))


def _restart(relay: Relay) -> None:
    relay.stop(signal.SIGKILL)
    time.sleep(2)
    with on_core(SERVER_CORE):
        relay.start()  # returns when it listens


def _outage(network: FaultProxy) -> None:
    network.cut()
    time.sleep(OUTAGE_S)
    network.heal()


def _sleep(browser: Browser) -> None:
    with stopped(browser):
        time.sleep(OUTAGE_S)


def _frozen(page: Page, seconds: float) -> None:
    with frozen(page):
        time.sleep(seconds)


def _reload(relay: Relay) -> float:
    rows = settings(1000, 0.2).replace("SIM", "NEW")
    relay.edit(lambda _: rows)
    return time.monotonic()


def _feed_loss(browser: Browser) -> Iterator[Figure]:
    """A provider that answers 503 until its feed is down. Mended is when the relay has a fresh price again."""
    with (
        running("coinbase", limits=False) as provider,
        serving(
            f'[feeds.coinbase]\nkind = "coinbase"\ninterval_s = 0.5\nstale_after_s = 2\nbase_url = "{provider.url}"\n\n'
            '[symbols]\n"BTC-USD" = { feed = "coinbase" }\n"ETH-USD" = { feed = "coinbase" }\n'
        ) as relay,
    ):

        def harm(page: Page) -> float:
            provider.fault("status", status=503)
            page.wait_for_selector('.feed[data-state="down"]', timeout=1000 * PATIENCE_S)
            provider.heal()
            while _state(relay, "BTC-USD") != "fresh":
                time.sleep(0.05)
            return time.monotonic()

        yield _case(browser, relay.url, "feed loss", harm, before="", prefix="")


def _state(relay: Relay, symbol: str) -> str:
    with urllib.request.urlopen(f"{relay.url}/api/quotes/{symbol}") as answer:
        state: str = json.load(answer)["state"]
    return state
