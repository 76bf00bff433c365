"""How true a price is, on every face of the page: each state has a mark that is not colour alone, wherever the price stands."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.e2e.accessibility import violations
from tests.e2e.page import Relay, Table, relaying
from tests.providers.client import RunningProvider, running

pytest_plugins = ["tests.e2e.browser"]

DAY_MS = 86_400_000
OLD_MS = int(time.time() * 1000) - 3 * DAY_MS
SETTINGS = """
[broadcast]
heartbeat_s = 1

[feeds.late]
kind = "http_json"
interval_s = 0.3
base_url = "{endpoint}"
path = "/late"
price = "last"
delay_min = 15

[feeds.prompt]
kind = "http_json"
interval_s = 0.3
base_url = "{endpoint}"
path = "/prompt"
price = "last"
change = "change"
quote_time = "made"
time_form = "ms"
halted = "halted"

[feeds.shares]
kind = "yahoo"
interval_s = 2
base_url = "{shares}"

[feeds.sim]
kind = "simulated"
interval_s = 0.2

[symbols]
LATE = {{ feed = "late" }}
OLD = {{ feed = "prompt" }}
GONE = {{ feed = "prompt" }}
AAPL = {{ feed = "shares" }}
HALT = {{ feed = "prompt" }}
OIL = {{ feed = "prompt" }}
GOOD = {{ feed = "sim" }}
"""
ROWS = {"LATE": {"last": 20.5}, "OLD": {"last": 30.5, "change": 1.5, "made": OLD_MS}, "OIL": {"last": -37.63},
        "GONE": {"last": 40.5, "change": 2.5}, "HALT": {"last": 50.5, "halted": True}}  # fmt: skip


class Said(NamedTuple):
    """What a row says of its price."""

    mark: str
    words: str
    in_full: str
    doubtful: bool


SAID = {
    "LATE": Said("◷", "delayed 15m", "delayed by 15 minutes", False),
    "OLD": Said("◐", "stale", "stale", True),
    "GONE": Said("✕", "failed", "failed", True),
    "AAPL": Said("☾", "closed", "closed", False),
    "HALT": Said("‖", "halted", "halted", False),
}
UNVOUCHED = Said("◌", "waiting", "waiting", True)
REASON = "the price is zero or below; a symbol whose price can be says allow_negative = true"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[RunningProvider]:
    """Answers what it is told to."""
    with running("http_json") as provider:
        provider.set(switches={"body": json.dumps(ROWS)})
        yield provider


@pytest.fixture(scope="module")
def _shared(endpoint: RunningProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with running("yahoo", limits=False) as shares:
        shares.set(switches={"market_state": "CLOSED"})
        settings = SETTINGS.format(endpoint=endpoint.url, shares=shares.url)
        with relaying(tmp_path_factory.mktemp("marked"), settings) as relay:
            yield relay


@pytest.fixture
def marked(endpoint: RunningProvider, _shared: Relay) -> Relay:
    """A relay of symbols in every state there is, save for GONE, which still has its price. Where a test ended it, it is started again."""
    endpoint.set(switches={"body": json.dumps(ROWS)})
    _shared.restore()
    return _shared


@pytest.fixture
def readers(browser: Browser, marked: Relay) -> Iterator[BrowserContext]:
    """A profile for all pages."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 800},
        locale="en-US",
        timezone_id="UTC",
        color_scheme="dark",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(30_000)
    yield context
    context.close()


def opened(context: BrowserContext, relay: Relay, path: str, width: int = 1440) -> Page:
    """A page with a connection of its own."""
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{relay.url}{path}{'&' if '?' in path else '?'}noworker")
    page.wait_for_selector('body[data-connection="live"]')
    return page


def colour(element: Locator) -> str:
    """The colour of its text."""
    shown: str = element.evaluate("(element) => getComputedStyle(element).color")
    return shown


def check_table(page: Page, said: dict[str, Said]) -> None:
    """The state in words, and its mark in the column of the price."""
    table = Table(page)
    for symbol, (mark, words, in_full, _) in said.items():
        expect(table.cell(symbol, "state").locator(".cell")).to_have_text(words)
        expect(table.cell(symbol, "state").locator(".cell")).to_have_attribute("data-mark", mark)
        expect(table.cell(symbol, "price").locator(".arrow")).to_have_text(mark)
        expect(table.cell(symbol, "price").locator(".price")).to_have_attribute("title", re.compile(in_full))


def check_below_symbol(page: Page, said: dict[str, Said]) -> None:
    """On a phone and on a wall: below the symbol, and beside the price."""
    for symbol, (mark, words, _, _) in said.items():
        expect(Table(page).cell(symbol, "symbol").locator(".sub")).to_have_text(f"{mark} {words}")
        expect(Table(page).cell(symbol, "price").locator(".arrow")).to_have_text(mark)


def check_tape(page: Page, said: dict[str, Said]) -> None:
    """Beside the price; a move that nobody vouches for has no colour."""
    for symbol, (mark, _, in_full, doubtful) in said.items():
        item = page.locator(f'li[data-symbol="{symbol}"]').first
        expect(item.locator(".sign")).to_have_text(mark)
        expect(item.locator(".unseen")).to_have_text(in_full)
        expect(item).to_have_attribute("title", re.compile(in_full))
        if doubtful:
            assert colour(item.locator(".change")) == colour(item.locator(".symbol")) == colour(item.locator(".sign"))


def check_details(page: Page, said: dict[str, Said]) -> None:
    """Beside the price, among the fields, on the chart and in the chart's name."""
    for symbol, (mark, words, in_full, _) in said.items():
        Table(page).cell(symbol, "price").dblclick()
        details = page.locator("#details")
        expect(details.get_by_role("heading")).to_have_text(symbol)
        check_open(page, symbol, Said(mark, words, in_full, False))
        limit = details.locator("dl").get_by_text("stale after")
        expect(limit).to_have_count(0 if words == "halted" else 1)


def check_open(page: Page, symbol: str, said: Said) -> None:
    """The same of the symbol that is open."""
    details = page.locator("#details")
    expect(details.locator(".truth")).to_have_text(f"{said.mark} {said.words}")
    expect(details.locator("dl")).to_contain_text(f"{said.mark} {said.words}")
    expect(details.locator(".plot canvas").first).to_be_visible()
    expect(details.locator(".legend")).to_have_text(re.compile(rf"^{said.mark} {said.words} · "))
    expect(details.locator(".plot")).to_have_attribute("aria-label", f"Price chart of {symbol}, {said.in_full}")


def copied(page: Page) -> dict[str, str]:
    """The state of each symbol in what is copied of the table."""
    page.get_by_role("button", name="View").click()
    page.get_by_role("button", name="Copy table as CSV").click()
    expect(page.get_by_role("button", name=re.compile("Copied"))).to_be_visible()
    page.keyboard.press("Escape")
    text = str(page.evaluate("navigator.clipboard.readText()")).replace("\r\n", "\n").strip()
    lines = [line.split(",") for line in text.split("\n")]
    return {line[0]: line[lines[0].index("state")] for line in lines[1:]}


def test_a_price_that_was_refused_says_why_and_an_old_one_of_when_it_is(marked: Relay, readers: BrowserContext) -> None:
    """A refused price has a mark, and the reason in its row and its details; one of another day has its date wherever its time is."""
    page = opened(readers, marked, "/")
    table = Table(page)
    state, price = table.cell("OIL", "state").locator(".cell"), table.cell("OIL", "price").locator(".price")
    expect(state).to_have_attribute("data-mark", "!")
    expect(state).to_have_attribute("title", f"no price yet: {REASON}")
    expect(price.locator(".arrow")).to_have_text("!")
    expect(price).to_have_attribute("title", f"no price yet: {REASON}")
    table.cell("OIL", "symbol").dblclick()
    expect(page.locator("#details .error")).to_have_text(f"What is wrong: {REASON}")
    made = datetime.fromtimestamp(OLD_MS / 1000, UTC)
    date = f"{made:%b} {made.day}, {made.year}"
    table.cell("OLD", "symbol").dblclick()
    details = page.locator("#details")
    expect(details.locator("dl")).to_contain_text(f"3d · {date}, ")
    expect(details.locator(".legend")).to_contain_text(f"◐ stale · {date}, ")
    expect(details.locator(".error")).to_be_hidden()
    expect(table.cell("OLD", "age").locator(".cell")).to_have_attribute("title", re.compile(f"^Price made {date}, .*, received [0-9]+:"))
    tape = opened(readers, marked, "/tape")
    expect(tape.locator('li[data-symbol="OLD"]').first).to_have_attribute("title", re.compile(f"^OLD\nstale\n{date}, "))
    expect(tape.locator('li[data-symbol="OIL"]').first).to_have_attribute("title", f"OIL\nno price yet: {REASON}")
    expect(tape.locator('li[data-symbol="OIL"] .sign').first).to_have_text("!")


def test_every_state_on_every_face(marked: Relay, endpoint: RunningProvider, readers: BrowserContext) -> None:
    """Delayed, stale, failed, closed, halted, unvouched: in table, phone, kiosk, tape, details, chart, speech and CSV."""
    desk = opened(readers, marked, "/")
    table = Table(desk)
    table.wait_priced("GONE")
    endpoint.set(switches={"body": json.dumps({symbol: row for symbol, row in ROWS.items() if symbol != "GONE"})})
    check_table(desk, SAID)
    phone, kiosk = opened(readers, marked, "/", 390), opened(readers, marked, "/?kiosk=1")
    tape = opened(readers, marked, "/tape")
    check_below_symbol(phone, SAID)
    check_below_symbol(kiosk, SAID)
    check_tape(tape, SAID)
    assert copied(desk) == {symbol: said.words for symbol, said in SAID.items()} | {"OIL": "no price yet", "GOOD": "fresh"}
    check_details(desk, SAID)
    for page, theme in ((desk, "light"), (phone, "dark"), (kiosk, "light"), (tape, "dark")):
        page.evaluate("(theme) => Object.assign(document.documentElement.dataset, {theme})", theme)
        assert violations(page) == []
    table.cell("LATE", "price").dblclick()
    expect(desk.locator("#announcer")).to_have_text("LATE, 20.50, delayed by 15 minutes")
    marked.stop(signal.SIGKILL)
    unvouched = dict.fromkeys(SAID, UNVOUCHED)
    check_table(desk, unvouched)
    check_below_symbol(phone, unvouched)
    check_below_symbol(kiosk, unvouched)
    check_tape(tape, unvouched)
    check_open(desk, "LATE", UNVOUCHED)
    expect(desk.locator("#announcer")).to_have_text("Connection: Recovering. LATE, 20.50, waiting")
    assert set(copied(desk).values()) == {"waiting", "no price yet"}
