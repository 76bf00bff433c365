"""A page of another site in a real browser: it can neither connect nor read, unless it is listed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.e2e.server import serving

pytest_plugins = ["tests.e2e.browser"]

SETTINGS = """
[server]
allowed_origins = LISTED

[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
ACME = { feed = "sim" }
"""
TRY_ALL = """
async url => {
    const socket = await new Promise(resolve => {
        const socket = new WebSocket(url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket");
        socket.onmessage = event => resolve(event.data.slice(0, 1));
        socket.onclose = () => resolve("closed");
    });
    const read = path => fetch(url + path).then(answer => answer.text()).then(text => text.length > 0 ? "read" : "empty", () => "failed");
    return [socket, await read("/socket.io/?EIO=4&transport=polling"), await read("/api/quotes"), await read("/api/symbols")];
}
"""


class _Blank(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        """Whatever is asked for."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>another site</title>")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def another_site() -> Iterator[str]:
    """The origin of an empty page on another port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("listed", [False, True])
def test_a_page_on_another_port(context: BrowserContext, listed: bool) -> None:
    """Neither WebSocket nor long polling nor REST; listed, all of them."""
    with another_site() as site, serving(SETTINGS.replace("LISTED", f'["{site}"]' if listed else "[]")) as server:
        page = context.new_page()
        page.goto(site)
        assert page.evaluate(TRY_ALL, server.url) == (["0", "read", "read", "read"] if listed else ["closed", "failed", "failed", "failed"])
