"""The page in networks that swallow what they do not like, that refuse, or that only seem to be there; and after an update."""

from __future__ import annotations

import re
from contextlib import ExitStack

from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.e2e.judging_proxy import Fate, JudgingProxy, Request, answer
from tests.e2e.page import Relay, Table

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
ACME = { feed = "sim" }
"""
PROXYS_PAGE = answer("502 Bad Gateway", "text/html", "<html><h1>502 Bad Gateway</h1></html>")
REFUSAL = answer("400 Bad Request", "application/json", '{"code":4,"message":"not on <b>Sundays</b>","reason":"sunday"}')


def passed(_: Request) -> Fate:
    """Everything gets through."""
    return Fate.PASSED


def no_websockets(request: Request) -> Fate:
    """A company's proxy: a WebSocket's handshake is never answered."""
    return Fate.SWALLOWED if request.is_websocket else Fate.PASSED


def no_frames(request: Request) -> Fate:
    """A virus scanner: a WebSocket opens, and passes nothing on after its first packet."""
    return Fate.OPENED if request.is_websocket else Fate.PASSED


def no_polling(request: Request) -> Fate:
    """A proxy that keeps answers until they end: a poll is never answered."""
    return Fate.SWALLOWED if request.is_polling else Fate.PASSED


def test_what_hangs_makes_room_for_the_other_transport(relay: Relay, browser: Browser) -> None:
    """No error ever comes; the page is live all the same, by the one that gets through, and begins with that when it is loaded again."""
    with ExitStack() as stack:
        pages: list[tuple[JudgingProxy, Page]] = []
        for judge in (no_websockets, no_frames, no_polling):
            proxy = stack.enter_context(JudgingProxy(relay.port, judge))
            context = browser.new_context()
            stack.callback(context.close)
            if judge is no_polling:  # as it was in another network
                context.add_init_script("sessionStorage.getItem('tickercast-road') || sessionStorage.setItem('tickercast-road', 'polling')")
            page = context.new_page()
            page.goto(proxy.url)
            pages.append((proxy, page))
        for (proxy, page), kept in zip(pages, ("polling", "polling", "websocket"), strict=True):
            Table(page).wait_connection("live")
            page.wait_for_function("(kept) => sessionStorage.getItem('tickercast-road') === kept", arg=kept)
            proxy.asked.clear()
            page.reload()
            Table(page).wait_connection("live")
            first = next(request for request in list(proxy.asked) if request.target.startswith("/socket.io/"))
            assert first.is_polling == (kept == "polling"), kept


def test_a_refusal_is_told_in_words_until_there_is_none(relay: Relay, context: BrowserContext) -> None:
    """A proxy's page and a relay's sentence are shown, as text, and no count of what is unknown; then the page is live and says nothing."""
    refused = PROXYS_PAGE

    def judge(request: Request) -> Fate | bytes:
        return refused if request.target.startswith("/socket.io/") and refused else Fate.PASSED

    with JudgingProxy(relay.port, judge) as proxy:
        page, tape = context.new_page(), context.new_page()
        page.goto(proxy.url)
        tape.goto(f"{proxy.url}tape")
        banner = page.locator("#banners .banner")
        expect(banner).to_contain_text("The proxy at this address does not reach the relay (502)")
        expect(page.locator("#connection .word")).to_have_text("Blocked")
        expect(page.locator("body")).to_have_attribute("data-connection", "recovering")
        expect(page.locator("#count")).to_have_text("")
        expect(tape.get_by_role("status")).to_have_text("The proxy at this address does not reach the relay (502)")
        refused = REFUSAL
        expect(banner).to_contain_text("The relay refuses this page (400): not on <b>Sundays</b>")
        refused = b""
        Table(page).wait_connection("live")
        expect(banner).to_have_count(0)
        expect(page.locator("#count")).to_have_text(re.compile("^[0-9]+ symbols$"))
        expect(tape.get_by_role("status")).to_have_count(0)


def test_code_that_is_gone_after_an_update_is_loaded_anew(relay: Relay, browser: Browser) -> None:
    """The document is loaded once more, which names the new files; where they are missing, too, the page says so."""
    context = browser.new_context(service_workers="block")  # a worker's own questions can't be answered here
    page = context.new_page()
    missing = [1]

    def serve(route: Route) -> None:
        if missing:
            missing.pop()
            route.fulfill(status=404, body="gone")
        else:
            route.continue_()

    page.route(re.compile(r"/assets/app-"), serve)
    page.goto(relay.url)
    Table(page).wait_connection("live")
    assert missing == []
    other = context.new_page()
    other.route(re.compile(r"/assets/app-"), lambda route: route.fulfill(status=404, body="gone"))
    other.goto(f"{relay.url}/?noworker")
    expect(other.get_by_role("alert")).to_contain_text("could not be loaded")
    expect(other.get_by_role("button", name="Load again")).to_be_visible()
    context.close()


def test_a_network_that_only_seems_to_be_there_shows_the_kept_page(relay: Relay, context: BrowserContext) -> None:
    """The service worker does not wait for a document for ever; what it has kept opens, and says so. All below a path."""
    with JudgingProxy(relay.port, passed, "/ticker/") as proxy:
        page = context.new_page()
        page.goto(proxy.url)
        page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        page.reload()
        Table(page).wait_connection("live")
        page.wait_for_function("() => caches.open('tickercast-page /ticker/').then((cache) => cache.match('/ticker/')).then(Boolean)")
        proxy.judge = lambda _: Fate.SWALLOWED
        page.reload(wait_until="commit")
        expect(page.locator("body")).to_have_attribute("data-connection", "recovering")
        expect(page.locator("#zone")).not_to_be_empty()
        proxy.judge = passed
        Table(page).wait_connection("live")
        assert [request.target for request in proxy.asked if not request.is_below] == []
