"""A provider, and an upstream relay, that give back the key that they were sent: in a spelling and by a way that the address names."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import unquote

from tests.spelling import SPELLINGS

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PATH = re.compile(rb"[A-Z]+ /([a-z_]+)/([0-9]+)/")
_UPGRADES = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


def _http(status: str, headers: str = "", body: str = "") -> bytes:
    content = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n{headers}\r\n"
    return head.encode("latin-1", "replace") + content


def _plain(spelt: str) -> str:
    return "".join(char for char in spelt if " " < char < "\x7f")


def _frame(opcode: int, payload: bytes) -> bytes:
    length = len(payload)
    return bytes([0x80 | opcode]) + (bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big")) + payload


def _finnhub(complaint: str) -> bytes:
    return _frame(1, json.dumps({"type": "error", "msg": complaint}).encode())


def _relay(*packets: str) -> bytes:
    greeting = '0{"sid":"a","upgrades":[],"pingInterval":10000,"pingTimeout":25000,"maxPayload":65536}'
    return b"".join(_frame(1, packet.encode()) for packet in (greeting, '40{"sid":"b"}', *packets))


def _event(name: str, payload: object) -> str:
    return "42" + json.dumps([name, payload])


def _hello(**feed: object) -> tuple[str, str]:
    hello = {"epoch": "e" * 12, "version": "0", "server_time": 1, "flush_ms": 50, "heartbeat_s": 5}
    return _event("hello", hello), _event("feeds", [{"feed": "sim", "kind": "simulated", "state": "ok", **feed}])


def _quotes(spelt: str) -> str:
    quote = {"symbol": "A", "price": 2.5, "quote_time": 1795377851903, "seq": 1, "kind": "polled", "state": "fresh"}
    return _event("quotes", [{**quote, "source": spelt[:100], "origin": spelt[:100]}])


HTTP_WAYS: dict[str, Callable[[str], bytes]] = {
    "body": lambda spelt: _http("403 Forbidden", body=f'{{"error":"no such key: {spelt}"}}'),
    "cut_body": lambda spelt: _http("403 Forbidden", body=f"no such key: {spelt}"),
    "answer": lambda spelt: _http("200 OK", body=json.dumps({"p": spelt})),
    "complaint": lambda spelt: _http("200 OK", body=json.dumps({"error": {"message": spelt}})),
    "reason": lambda spelt: _http(f"403 {_plain(spelt)}"),
    "header": lambda spelt: _http("429 Too Many Requests", f"Retry-After: {_plain(spelt)}\r\nX-Key: {_plain(spelt)}\r\n"),
    "redirect": lambda spelt: _http("302 Found", f"Location: http://192.0.2.1/{_plain(spelt)}\r\n"),
    "encoding": lambda spelt: _http("200 OK", f"Content-Encoding: gzip\r\nContent-Type: {_plain(spelt)}\r\n", spelt),
    "no_http": lambda spelt: f"{_plain(spelt)} {_plain(spelt)}\r\n\r\n".encode(),
}
STREAM_WAYS: dict[str, Callable[[str, bytes], bytes]] = {
    "upgrade": lambda spelt, accept: _UPGRADES.replace(b"websocket", _plain(spelt).encode(), 1) + accept + b"\r\n\r\n",
    "accept": lambda spelt, accept: _UPGRADES + _plain(spelt).encode() + b"\r\n\r\n",
    "protocol": lambda spelt, accept: _UPGRADES + accept + b"\r\nSec-WebSocket-Protocol: " + _plain(spelt).encode() + b"\r\n\r\n",
    "handshake_body": lambda spelt, accept: _http("403 No", body=spelt),
    "message": lambda spelt, accept: _UPGRADES + accept + b"\r\n\r\n" + _finnhub(f"Invalid API key {spelt}"),
    "no_json": lambda spelt, accept: _UPGRADES + accept + b"\r\n\r\n" + _frame(1, spelt.encode()) * 120,
    "close": lambda spelt, accept: _UPGRADES + accept + b"\r\n\r\n" + _frame(8, b"\x03\xf0" + spelt.encode()[:110]),
}
RELAY_WAYS: dict[str, Callable[[str], bytes]] = {
    "refusal": lambda spelt: _relay("44" + json.dumps({"message": spelt, "data": {"code": spelt}})),
    "behind": lambda spelt: _relay(*_hello(upstream=[spelt])),
    "rejected": lambda spelt: _relay(*_hello(), _event("symbols", [{"symbol": "A", "status": "rejected", "error": spelt}])),
    "refused": lambda spelt: _relay(*_hello(), "431[" + json.dumps({"ok": True, "subscribed": [], "refused": {"A": spelt}}) + "]"),
    "denied": lambda spelt: _relay(*_hello(), "431[" + json.dumps({"ok": False, "message": spelt}) + "]"),
    "quote": lambda spelt: _relay(*_hello(), _quotes(spelt)),
    "bad_quote": lambda spelt: _relay(*_hello(), _event("quotes", [{"symbol": "A", "price": spelt, "seq": 1, "state": spelt}])),
}


class _Talk(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """One request, one answer; then silence, until the other side leaves."""
        head = b""
        while b"\r\n\r\n" not in head:
            data = self.request.recv(65536)
            if not data:
                return
            head += data
        path = _PATH.match(unquote(head.split(b"\r\n", 1)[0].decode("latin-1")).encode("latin-1"))
        assert path is not None, head
        way, spelt = path[1].decode(), list(SPELLINGS.values())[int(path[2])]
        key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)
        accept = b"" if key is None else base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
        if way in HTTP_WAYS:
            answer = HTTP_WAYS[way](spelt)
        elif way in STREAM_WAYS:
            answer = STREAM_WAYS[way](spelt, accept)
        else:
            answer = _UPGRADES + accept + b"\r\n\r\n" + RELAY_WAYS[way](spelt)
        with suppress(OSError):
            self.request.sendall(answer)
            if way not in HTTP_WAYS:
                while self.request.recv(65536):
                    pass


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256


@contextmanager
def echoing() -> Iterator[int]:
    """Its port."""
    with _Server(("127.0.0.1", 0), _Talk) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
