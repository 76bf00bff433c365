"""What the page says beside its prices: banners of what is wrong, and why there are no rows. With two of three feeds down."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.accessibility import violations
from tests.e2e.page import Relay, Table, relaying

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[broadcast]
heartbeat_s = 1

[feeds.sim]
kind = "simulated"
interval_s = 0.5

[feeds.a_source_with_a_rather_long_name]
kind = "http_json"
interval_s = 0.1
base_url = "{nobody}"
path = "/prices"
price = "last"

[feeds.another_source_with_a_name_as_long]
kind = "http_json"
interval_s = 0.1
base_url = "{nobody}"
path = "/prices"
price = "last"

[symbols]
ACME = {{ feed = "sim", name = "Acme", group = "Shares" }}
BOLT = {{ feed = "sim", group = "Shares" }}
"BTC-USD" = {{ feed = "a_source_with_a_rather_long_name", group = "Coins" }}
"ETH/USD" = {{ feed = "another_source_with_a_name_as_long", group = "Coins" }}
"""
SCHEMES = ("dark", "light")
PALETTES = ("green-up", "red-up", "blue-up")
DOWN = "Feed a_source_with_a_rather_long_name is down"
TOPS = "() => [...document.querySelectorAll('.ag-row')].map((row) => row.getBoundingClientRect().top)"


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """A relay that has given up two of its three feeds."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and never listens
        settings = SETTINGS.format(nobody=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with relaying(tmp_path_factory.mktemp("troubled"), settings) as relay:
            yield relay


def opened(context: BrowserContext, relay: Relay, path: str = "/", width: int = 1440) -> Page:
    """A live page on which nothing flashes."""
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 600})
    page.emulate_media(reduced_motion="reduce")
    page.goto(relay.url + path)
    page.wait_for_selector('body[data-connection="live"]')
    return page


def in_all_colours(page: Page, palettes: Sequence[str] = PALETTES) -> list[str]:
    """What axe-core objects to in either theme and any palette."""
    found = []
    for scheme in SCHEMES:
        for palette in palettes:
            page.evaluate("(chosen) => Object.assign(document.documentElement.dataset, chosen)", {"theme": scheme, "palette": palette})
            found += [f"{scheme}, {palette}: {one}" for one in violations(page)]
    return found


def states_of(relay: Relay) -> list[str]:
    """How the feeds are."""
    with urllib.request.urlopen(f"{relay.url}/api/status") as answer:
        return [feed["state"] for feed in json.load(answer)["feeds"]]


def said(page: Page) -> list[str]:
    """Every text over the table's place."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("#empty, .ag-overlay, .ag-overlay-wrapper")].filter((part) => part.checkVisibility())
            .map((part) => part.innerText.trim()).filter(Boolean)"""
    )
    return found


def test_one_message_says_why_there_are_no_rows_in_the_readers_language(troubled: Relay, browser: Browser) -> None:
    """A search that finds nothing, a group and symbols that there are not: one sentence each, and none where there are rows."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 600})
    page = opened(context, troubled)
    Table(page).wait_priced("ACME")
    assert said(page) == []
    page.locator("#search").fill("nothing")
    expect(page.locator("#empty")).to_have_text("没有与“nothing”匹配的代码")
    expect(page.locator(".ag-row")).to_have_count(0)
    assert said(page) == ["没有与“nothing”匹配的代码"]
    assert in_all_colours(page, PALETTES[:1]) == []
    page.locator("#search").fill("ac")
    expect(page.locator("#empty")).to_have_text("")
    Table(page).wait_priced("ACME")
    for path, sentence in (
        ("/?q=nothing", "没有与“nothing”匹配的代码"),  # rows that came with the document make way for it
        ("/?kiosk=1&group=Bonds", "分组“Bonds”中没有代码"),
        ("/embed?symbols=X,Y", "所请求的代码均不在设置中"),
        ("/tape?symbols=X", "所请求的代码均不在设置中"),
    ):
        page.goto(troubled.url + path)
        expect(page.get_by_text(sentence)).to_be_visible()
    context.close()


def test_the_chosen_group_is_seen_where_the_system_has_the_colours(troubled: Relay, context: BrowserContext) -> None:
    """Forced colours take away the ground that the chosen tab stands on; a line is left."""
    page = opened(context, troubled)
    page.emulate_media(forced_colors="active")
    styles: list[str] = page.locator(".group").evaluate_all("(tabs) => tabs.map((tab) => getComputedStyle(tab).borderBottomStyle)")
    assert styles == ["solid", "none", "none"]


def test_a_tape_in_all_colours(troubled: Relay, context: BrowserContext) -> None:
    """With symbols that have no price beside those that have one."""
    page = opened(context, troubled, "/tape")
    expect(page.locator('li[data-symbol="ACME"] .price').first).not_to_have_text("–")
    assert in_all_colours(page) == []


def test_banners_move_no_row_are_one_line_and_go_at_the_readers_wish(troubled: Relay, context: BrowserContext) -> None:
    """From none to three and back to none: the rows stay where they are; three are one line with their number, which opens and closes."""
    page = opened(context, troubled)
    Table(page).wait_priced("BOLT")
    tops = page.evaluate(TOPS)
    banner = page.locator(".banner")
    expect(banner).to_contain_text("2 notices: Feed ")
    troubled.edit(lambda text: text + 'CRUX = { feed = "smi" }\n')
    expect(banner).to_contain_text("3 notices: settings.toml was not applied")
    expect(banner).to_have_count(1)
    assert banner.bounding_box() is not None
    assert page.evaluate(TOPS) == tops
    assert in_all_colours(page) == []
    page.get_by_role("button", name="Show all").click()
    expect(banner).to_have_count(3)
    expect(page.get_by_role("button", name="Show fewer")).to_be_focused()
    expect(banner.filter(has_text=DOWN)).to_be_visible()
    assert violations(page) == []
    assert page.evaluate(TOPS) == tops
    page.get_by_role("button", name="Show fewer").click()
    page.get_by_role("button", name="Dismiss all").click()
    expect(banner).to_have_count(0)
    assert page.evaluate(TOPS) == tops
    troubled.edit(lambda text: text.replace('CRUX = { feed = "smi" }\n', ""))


def test_a_face_has_banners_of_its_own_feeds_only(troubled: Relay, context: BrowserContext) -> None:
    """An embedded table or a kiosk of symbols that are well says nothing of feeds that it does not use."""
    coins = opened(context, troubled, "/embed?symbols=BTC-USD,ACME")
    expect(coins.locator(".banner")).to_contain_text(DOWN)
    wall = opened(context, troubled, "/?kiosk=1&group=Coins")
    expect(wall.locator(".banner")).to_contain_text("2 notices: ")
    assert "down" in states_of(troubled)
    for path in ("/embed?symbols=ACME", "/?kiosk=1&group=Shares"):
        page = opened(context, troubled, path)
        Table(page).wait_priced("ACME")
        expect(page.locator(".banner")).to_have_count(0)
        expect(page.locator(".feed")).to_have_count(1)
    assert in_all_colours(coins, PALETTES[:1]) == []
    assert in_all_colours(wall, PALETTES[:1]) == []


def test_a_phone_with_three_feeds(troubled: Relay, context: BrowserContext) -> None:
    """The line of feeds scrolls, by keyboard too; nothing is wider than the phone; axe-core finds no fault, details open or not."""
    page = opened(context, troubled, width=390)
    expect(page.locator(".banner")).to_contain_text("2 notices: ")
    assert in_all_colours(page, PALETTES[:1]) == []
    feeds = page.locator("#feeds")
    feeds.focus()
    expect(feeds).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('#feeds').scrollLeft > 0")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    Table(page).cell("ACME", "price").dblclick()
    expect(page.locator("#details canvas").first).to_be_visible()
    assert in_all_colours(page, PALETTES[:1]) == []
    page.set_viewport_size({"width": 1440, "height": 600})
    expect(feeds).not_to_have_attribute("tabindex", "0")
