"""Markup in whatever people and providers may write is text on the page: nothing runs, nothing is made of it, nothing breaks the policy."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Dialog, expect

from tests.e2e.page import relaying

pytest_plugins = ["tests.e2e.browser"]

TAGS = [
    "img src=x onerror=", "svg onload=", "svg/onload=", "body onload=", "iframe src=javascript:", "details open ontoggle=",
    "base href=javascript:", "video src=x onerror=",
    "input autofocus onfocus=", "marquee onstart=", "object data=javascript:", "embed src=javascript:",
    "math href=javascript:", "a href=javascript:", "audio src=x onerror=", "select autofocus onfocus=", "style onload=",
    "link rel=stylesheet onerror="]  # fmt: skip
MADE = [(before, tag) for before in ("", '">', "'>") for tag in TAGS]
PAYLOADS = [f"{before}<{tag}alert({number})>" for number, (before, tag) in enumerate(MADE)] + [
    "<script>alert(1)</script>", "</script><script>alert(2)</script>", "javascript:alert(3)", "{{constructor.constructor('alert(4)')()}}",
    "${alert(5)}", "<!--<img src=x onerror=alert(6)>-->", "&lt;img src=x onerror=alert(7)&gt;", "\u202e<b>txet</b>",
    "\u200d\u200d<b>\u200d", "<b>" + "x" * 70, "]]><img src=x onerror=alert(8)>", "'-alert(9)-'"]  # fmt: skip
"""At most 80 characters, as names are."""
UNWANTED = "img, iframe, object, embed, video, audio, math, marquee, details[ontoggle], a[href^='javascript'], b, base"
WATCH = """() => {
  window.violations = [];
  addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
}"""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A provider that writes markup: as the currency of one symbol, and as an error for another."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = {"error": PAYLOADS[0] * 20} if "BAD" in self.path else {"p": 1.5, "c": PAYLOADS[1]}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def settings(endpoint: str) -> str:
    """A symbol for each payload, and two of the provider's."""
    named = "\n".join(
        f'S{number} = {{ feed = "sim", name = {json.dumps(payload)}, group = {json.dumps(payload)} }}'
        for number, payload in enumerate(PAYLOADS)
    )
    return f"""
[feeds.sim]
kind = "simulated"
interval_s = 0.2
[feeds.odd]
kind = "http_json"
base_url = "{endpoint}"
path = "/{{symbol}}"
error = "error"
price = "p"
currency = "c"
[feeds.bad]
kind = "http_json"
base_url = "{endpoint}"
path = "/BAD{{symbol}}"
error = "error"
price = "p"
[symbols]
{named}
ODD = {{ feed = "odd" }}
SICK = {{ feed = "bad" }}
"""


def test_markup_is_text(tmp_path: Path, context: BrowserContext, endpoint: str) -> None:
    """66 names and groups, a currency and an error text, looked at as a reader does."""
    with relaying(tmp_path, settings(endpoint)) as relay:
        page = context.new_page()
        dialogs: list[str] = []

        def dismiss(dialog: Dialog) -> None:
            dialogs.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", dismiss)
        page.add_init_script(f"({WATCH})()")
        page.goto(relay.url)
        expect(page.locator('[row-id="s:S0"] [col-id="name"]')).to_have_text(PAYLOADS[0])
        seen = set()
        for _ in range(40):
            seen |= set(page.locator('[col-id="name"]').all_inner_texts())
            page.mouse.move(400, 400)
            page.mouse.wheel(0, 300)
            page.wait_for_timeout(50)
        assert len([payload for payload in PAYLOADS if payload.strip() in {text.strip() for text in seen}]) >= 60
        assert page.locator(UNWANTED).count() == 0
        assert dialogs == []
        assert page.evaluate("window.violations") == []
