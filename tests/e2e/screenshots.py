"""Takes the pictures of docs/images with the tests' browser: `python -m tests.e2e.screenshots`. Takes about a minute; look at them."""

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

IMAGES = ROOT / "docs" / "images"
Scheme = Literal["dark", "light"]
DESK, PHONE = (1440, 470), (390, 760)
LINES_DRAWN = "() => [...document.querySelectorAll('.spark path')].filter((line) => (line.getAttribute('d') || '').length > 100).length > 3"
"""The sparklines have some history."""


def opened(browser: Browser, url: str, size: tuple[int, int], scheme: Scheme, language: str = "en-US") -> Page:
    """A live page in a profile of its own."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, locale=language, timezone_id="UTC",
        device_scale_factor=2 if size == PHONE else 1,
    )
    page = context.new_page()
    page.goto(url)
    Table(page).wait_connection("live")
    Table(page).wait_priced("COMET-USD")
    return page


def take(page: Page, name: str) -> None:
    """Write docs/images/NAME.png."""
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png", file=sys.stderr)


def main() -> None:
    """Serve the project's own settings and take every picture."""
    path = next(found for name in CHROMIUM_NAMES if (found := shutil.which(name)))
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        relay = Relay(Path(folder), (ROOT / "settings.toml").read_text())
        relay.start()
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            pictures = {
                "table-dark": opened(browser, relay.url, DESK, "dark"),
                "table-light": opened(browser, relay.url, DESK, "light"),
                "phone": opened(browser, relay.url, PHONE, "dark"),
                "chinese": opened(browser, relay.url, DESK, "light", "zh-CN"),
                "kiosk": opened(browser, f"{relay.url}/?kiosk=1&group=Coins", (1440, 330), "dark"),
            }
            details = opened(browser, relay.url, (1440, 700), "dark")
            pictures["table-dark"].wait_for_function(LINES_DRAWN, timeout=120_000)
            for name, page in pictures.items():
                take(page, name)
            Table(details).cell("COMET-USD", "price").dblclick()
            details.wait_for_selector(".plot canvas")
            details.wait_for_function("() => performance.now() > (window.until ??= performance.now() + 8000)", polling=200)
            take(details, "details")
            relay.signal(signal.SIGSTOP)
            Table(pictures["table-dark"]).wait_connection("recovering", 20_000)
            take(pictures["table-dark"], "recovering")
        finally:
            relay.stop(signal.SIGKILL)
            browser.close()


if __name__ == "__main__":
    main()
