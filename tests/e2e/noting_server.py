"""An HTTP server that notes who comes and what for, and answers everybody alike. Where nobody may come, it is a canary."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Recorder(ThreadingHTTPServer):
    """Listens at `url`. `redirect`: where every answer leads, if anywhere."""

    daemon_threads = True

    def __init__(self, redirect: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.redirect = redirect
        self.connections = 0
        self.requests: list[str] = []
        """Request line and headers of each request."""

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.server_port}"

    def paths(self) -> list[str]:
        """What was asked for."""
        return [request.split()[1] for request in self.requests]

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Somebody has connected."""
        self.connections += 1
        return True


class _Handler(BaseHTTPRequestHandler):
    """Answers GET with a price, or with the redirect."""

    server: Recorder

    def do_GET(self) -> None:
        """Note it, and answer."""
        self.server.requests.append(f"{self.requestline}\n{self.headers}")
        body = b'{"last": 1.5, "price": "1.5", "message": "%b"}' % self.requestline.encode()
        if self.server.redirect is None:
            self.send_response(200)
        else:
            self.send_response(302)
            self.send_header("Location", self.server.redirect)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def recording(redirect: str | None = None) -> Iterator[Recorder]:
    """One that runs for the block."""
    with Recorder(redirect) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
