"""Takes the pictures of docs/images with the tests' browser: `python -m tests.e2e.screenshots`. Takes two minutes; look at them.

中文 needs a font that has it (Debian: fonts-wqy-microhei).
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import CHROMIUM_NAMES
from tests.e2e.browser import FLAGS
from tests.e2e.page import ROOT, Relay, Table
from tests.providers.client import running

IMAGES = ROOT / "docs" / "images"
Scheme = Literal["dark", "light"]
DESK, PHONE = (1440, 470), (390, 760)
FACES: tuple[tuple[str, str, tuple[int, int], Scheme, str], ...] = (
    ("table-light", "/", DESK, "light", "en-US"),
    ("phone", "/", PHONE, "dark", "en-US"),
    ("chinese", "/", DESK, "light", "zh-CN"),
    ("kiosk", "/?kiosk=1&group=Coins", (1440, 330), "dark", "en-US"),
    ("embed", "/embed?symbols=ACME,COMET-USD,TULIP-USD", (760, 164), "light", "en-US"),
    ("tape", "/tape", (1440, 48), "dark", "en-US"),
)
TROUBLE = """
[feeds.yahoo]
kind = "yahoo"
interval_s = 2
base_url = "{shares}"

[feeds.coinbase]
kind = "coinbase"
interval_s = 0.5
stale_after_s = 2
base_url = "{coins}"

[feeds.sim]
kind = "simulated"

[symbols]
AAPL = {{ feed = "yahoo", name = "Apple", group = "Shares" }}
MSFT = {{ feed = "yahoo", name = "Microsoft", group = "Shares" }}
TSLA = {{ feed = "yahoo", name = "Tesla", group = "Shares" }}
"BTC-USD" = {{ feed = "coinbase", name = "Bitcoin", group = "Coins" }}
"ETH-USD" = {{ feed = "coinbase", name = "Ether", group = "Coins" }}
"SOL-USD" = {{ feed = "coinbase", name = "Solana", group = "Coins" }}
ACME = {{ feed = "sim", name = "Acme Corporation", currency = "USD", group = "Shares" }}
"""
LINES_DRAWN = "() => [...document.querySelectorAll('.spark path')].filter((line) => (line.getAttribute('d') || '').length > 100).length > 3"
"""The sparklines have some history."""


def opened(browser: Browser, url: str, size: tuple[int, int], scheme: Scheme, language: str = "en-US", symbol: str = "COMET-USD") -> Page:
    """A live page in a profile of its own."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale=language,
        timezone_id="UTC",
        device_scale_factor=2 if size == PHONE else 1,
    )
    page = context.new_page()
    page.goto(url)
    Table(page).wait_connection("live")
    page.get_by_text(symbol).first.wait_for()
    return page


def take(page: Page, name: str) -> None:
    """Write docs/images/NAME.png."""
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png", file=sys.stderr)


def quiet(browser: Browser, folder: Path) -> None:
    """Markets that are closed, a feed that has nothing new, and one that is down."""
    with running("yahoo", limits=False) as shares, running("coinbase", limits=False) as coins:
        shares.set(switches={"market_state": "CLOSED"})
        relay = Relay(folder, TROUBLE.format(shares=shares.url, coins=coins.url))
        relay.start()
        try:
            page = opened(browser, relay.url, DESK, "light", symbol="BTC-USD")
            Table(page).wait_priced("MSFT")
            page.wait_for_timeout(3000)
            take(page, "closed")
            coins.fault("status", status=503)
            page.wait_for_selector('[row-id="s:BTC-USD"] [data-state="stale"]')
            take(page, "stale")
            page.wait_for_selector(".banner", timeout=60_000)
            page.wait_for_selector('[row-id="s:BTC-USD"] [data-state="failed"]', timeout=60_000)
            take(page, "failed")
        finally:
            relay.stop(signal.SIGKILL)


def live(browser: Browser, folder: Path) -> None:
    """The project's own settings, a minute after the start."""
    relay = Relay(folder, (ROOT / "settings.toml").read_text())
    relay.start()
    try:
        first = opened(browser, relay.url, DESK, "dark")
        first.wait_for_function(LINES_DRAWN, timeout=120_000)
        take(first, "table-dark")
        for name, path, size, scheme, language in FACES:
            page = opened(browser, relay.url + path, size, scheme, language)
            page.wait_for_timeout(2500)
            take(page, name)
            page.context.close()
        details = opened(browser, relay.url, (1440, 700), "dark")
        Table(details).cell("COMET-USD", "price").click()
        details.wait_for_selector(".plot canvas")
        details.wait_for_timeout(20_000)
        take(details, "details")
        details.get_by_role("button", name="Columns").click()
        take(details, "columns")
        details.keyboard.press("Escape")
        details.get_by_role("button", name="Add symbol").click()
        details.get_by_role("dialog").get_by_label("Symbol").fill("ZEBRA")
        take(details, "add-symbol")
        relay.signal(signal.SIGSTOP)
        Table(first).wait_connection("recovering", 20_000)
        take(first, "recovering")
    finally:
        relay.stop(signal.SIGKILL)


def main() -> None:
    """Take every picture."""
    path = next(found for name in CHROMIUM_NAMES if (found := shutil.which(name)))
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        quiet(browser, Path(folder))
        live(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
