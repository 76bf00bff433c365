"""The system's Chromium over a running relay. A pytest plugin: `pytest_plugins = ["tests.e2e.browser"]`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.e2e.page import ROOT, Complaints, Relay, Table, relaying

BUILD = ROOT / "web" / "frontend" / "dist" / "index.html"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
"""No sandbox: as root Chromium has none. The others keep it from calling hosts of its maker."""

PATIENCE_MS = 60_000
"""How long a test waits for what must come; how soon it comes is measured by `make bench-page`."""
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One Chromium for all tests; each test has a context of its own."""
    if not BUILD.is_file():
        pytest.fail("The page is not built. Run `make setup`.", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def shared_relay(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Relay]:
    """One relay for all tests of a module, with its settings (`SETTINGS`) and its secrets (`SECRETS`), if it has some."""
    with relaying(tmp_path_factory.mktemp("relay"), request.module.SETTINGS, **getattr(request.module, "SECRETS", {})) as relay:
        yield relay


@pytest.fixture
def relay(shared_relay: Relay) -> Iterator[Relay]:
    """The relay of the module. A test may edit its settings, stop it and start it: the next one finds it as it was."""
    yield shared_relay
    shared_relay.restore()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader's profile at a desk, English, with nothing remembered."""
    context = browser.new_context(viewport={"width": 1440, "height": 800}, locale="en-US", timezone_id="UTC", color_scheme="dark")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def table(relay: Relay, context: BrowserContext) -> Iterator[Table]:
    """The page, open and live. In the end nothing may have gone wrong on it."""
    complaints = Complaints(relay.url)
    page = context.new_page()
    complaints.watch(page)
    page.goto(relay.url)
    table = Table(page)
    table.wait_connection("live")
    yield table
    assert complaints.found == []
