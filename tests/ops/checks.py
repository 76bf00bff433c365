"""What must hold behind each proxy, for programs and for the page."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests
import socketio
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.server import PATIENCE_S, RunningServer, serving
from tests.ops.proxies import KINDS, OWN_NAME, SHARED_NAME, Proxy, running

SETTINGS = f"""
[server]
trusted_proxies = ["127.0.0.1"]
allowed_hosts = ["{OWN_NAME}", "{SHARED_NAME}"]
[feeds.sim]
kind = "simulated"
interval_s = 0.1
[symbols]
ACME = {{ feed = "sim" }}
"BTC/USD" = {{ feed = "sim" }}
"""
FACES = ("", "?kiosk=1", "embed?symbols=ACME", "tape")


class Others:
    """What else the host has: it knows none of our paths, and notes who asked for what."""

    def __init__(self) -> None:
        self.asked: list[str] = []


@contextmanager
def others() -> Iterator[tuple[Others, int]]:
    """One that listens, and its port."""
    noted = Others()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            noted.asked.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield noted, server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def all_running(folder: Path, names: tuple[str, ...] = tuple(KINDS)) -> Iterator[tuple[RunningServer, list[Proxy], Others]]:
    """One relay with the proxies before it."""
    with serving(SETTINGS, headless=False) as relay, others() as (noted, port), ExitStack() as stack:
        proxies = [stack.enter_context(running(name, folder / name, relay.address[1], port)) for name in names]
        yield relay, proxies, noted


def check_programs(proxy: Proxy) -> None:
    """A quote over `wss`, one over long polling, REST, the page's headers, and that `/metrics` stays shut; below a path and at the root."""
    for base in (proxy.own, proxy.below):
        for transport in ("websocket", "polling"):
            assert _price(base, proxy.chain, transport) > 0
        assert _answer(f"{base}metrics", proxy.chain)[0] == 403
        status, headers = _answer(f"{base}api/quotes/BTC%2FUSD", proxy.chain)
        assert status == 200
        assert "max-age=31536000" in headers
        assert "nginx/" not in headers, "no version banner"
    status, headers = _answer(proxy.below.rstrip("/"), proxy.chain)
    assert status == 308
    assert "/ticker/" in headers


def open_pages(browser: Browser, proxy: Proxy) -> tuple[BrowserContext, list[Page], list[str]]:
    """All faces below the path, and every address that they ask for from now on."""
    context = browser.new_context(ignore_https_errors=True)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    pages = []
    for face in FACES:
        page = context.new_page()
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.goto(proxy.below + face, wait_until="commit")
        pages.append(page)
    return context, pages, asked


def check_pages(proxy: Proxy, pages: list[Page], asked: list[str]) -> None:
    """Each is live, over HTTP/2, and nothing was asked for at the root."""
    for page in pages:
        page.wait_for_selector('body[data-connection="live"]', timeout=PATIENCE_S * 1000)
        assert page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
    outside = [url for url in asked if not urlsplit(url).path.startswith("/ticker/") and not url.startswith(("data:", "blob:"))]
    assert outside == [], proxy.name


def _price(base: str, chain: Path, transport: str) -> float:
    """The first quote of ACME over that transport."""
    session = requests.Session()
    session.verify, session.trust_env = str(chain), False
    parts = urlsplit(base)
    with socketio.SimpleClient(http_session=session) as client:
        client.connect(
            f"{parts.scheme}://{parts.netloc}", namespace="/ACME", transports=[transport], socketio_path=f"{parts.path}socket.io"
        )
        event, payload = client.receive(timeout=PATIENCE_S)
        assert event == "quote", event
        price: float = payload["price"]
        return price


def _answer(url: str, chain: Path) -> tuple[int, str]:
    """Status and headers of an answer."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, verify=str(chain), allow_redirects=False, timeout=PATIENCE_S)
    return answer.status_code, str(answer.headers)
