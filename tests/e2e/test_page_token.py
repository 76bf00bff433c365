"""The page of a server that asks who reads: a dialog, a token that is in no address, and one question a browser."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from tests.e2e.accessibility import violations
from tests.e2e.page import Relay, Table

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[server]
auth = "token"

[feeds.sim]
kind = "simulated"
interval_s = 0.2

[symbols]
ACME = { feed = "sim" }
BOLT = { feed = "sim" }
"""
TOKEN = "open-sesame-open-sesame"
SECRETS = {"TICKERCAST_SERVER__TOKENS": TOKEN}


def give(page: Page, token: str) -> None:
    """Type a token into the dialog."""
    dialog = page.get_by_role("dialog", name="This server asks for a token")
    dialog.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")


def test_the_token_is_asked_for_and_kept_in_the_tab(relay: Relay, context: BrowserContext) -> None:
    """Nothing is shown without it; a wrong one is told; with the right one all is live, after a reload too; no address ever has it."""
    asked: list[Request] = []
    page = context.new_page()

    def note(request: Request) -> None:
        asked.append(request)

    page.on("request", note)
    page.goto(relay.url)
    table = Table(page)
    expect(page.get_by_role("dialog").get_by_label("Token")).to_be_focused()
    assert page.locator("#first-rows").inner_text() == ""
    expect(page.locator("#connection .word")).to_have_text("Token needed")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_visible()  # without a token there is nothing to see behind it
    assert page.locator("[row-id]").count() == 0
    give(page, "open-barley-open-barley")
    expect(page.get_by_text("The server refused this token.")).to_be_visible()
    give(page, TOKEN)
    table.wait_connection("live")
    table.wait_priced("ACME")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.wait_for_selector('[row-id="s:ACME"] [col-id="spark"] path[d^="M"]')
    sparklines = [request for request in asked if "/api/sparkline" in request.url]
    assert [request.headers.get("authorization") for request in sparklines] == [f"Bearer {TOKEN}"]
    page.reload()
    table.wait_connection("live")
    assert page.evaluate("[...Object.values(localStorage), document.cookie].join()").count(TOKEN) == 0
    assert not [request.url for request in asked if TOKEN in request.url]


def test_one_question_for_all_tabs(relay: Relay, context: BrowserContext) -> None:
    """The other tabs of the browser learn the token from the first, for what they ask over HTTP too."""
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(relay.url)
        expect(page.get_by_role("dialog")).to_be_visible()
    give(first, TOKEN)
    for page in (first, second):
        Table(page).wait_priced("ACME")
        expect(page.get_by_role("dialog")).to_have_count(0)
    third = context.new_page()
    third.goto(relay.url)
    Table(third).wait_priced("ACME")
    Table(third).cell("ACME", "price").dblclick()
    expect(third.locator("#details canvas").first).to_be_visible()
    expect(third.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("path", ["/tape", "/embed?symbols=ACME", "/?noworker"])
def test_every_face_asks(relay: Relay, context: BrowserContext, path: str) -> None:
    """Tape, frame, and a page without a worker."""
    page = context.new_page()
    page.goto(relay.url + path)
    give(page, TOKEN)
    page.wait_for_selector('body[data-connection="live"]')


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_dialog_is_for_everybody(relay: Relay, context: BrowserContext, scheme: Literal["dark", "light"]) -> None:
    """axe-core finds no fault with it."""
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    page.goto(relay.url)
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
