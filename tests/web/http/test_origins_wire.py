"""Which pages may connect, on the wire: one table for long polling and for the WebSocket handshake, and one behind a proxy."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.web.relaying import PATIENCE_S, Relaying, relaying

HOST = "relay.example:5000"
OWN = f"http://{HOST}"
LISTED = "https://app.example"

ROWS: list[tuple[str, list[str], bool]] = [
    ("no origin: a program", [], True),
    ("same origin", [f"Origin: {OWN}"], True),
    ("listed", [f"Origin: {LISTED}"], True),
    ("another site", ["Origin: http://evil.example"], False),
    ("null: a sandboxed frame, a file", ["Origin: null"], False),
    ("empty", ["Origin:"], False),
    ("suffix", [f"Origin: {OWN}.evil.example"], False),
    ("suffix of the listed", [f"Origin: {LISTED}.evil.example"], False),
    ("prefix", ["Origin: http://evil-relay.example:5000"], False),
    ("subdomain", ["Origin: https://www.app.example"], False),
    ("another port", ["Origin: http://relay.example:5001"], False),
    ("no port", ["Origin: http://relay.example"], False),
    ("the default port written out", [f"Origin: {LISTED}:443"], True),
    ("TLS that somebody ended before us", [f"Origin: https://{HOST}"], True),
    ("another scheme of the listed", ["Origin: http://app.example"], False),
    ("the socket's own address, as some programs send it", [f"Origin: ws://{HOST}"], True),
    ("the same of the listed", ["Origin: wss://app.example"], True),
    ("a program of no host", ["Origin: file://"], False),
    ("an extension", ["Origin: chrome-extension://abcdefghijklmnop"], False),
    ("case of the host", ["Origin: http://RELAY.example:5000"], False),
    ("case of the scheme", [f"Origin: HTTP://{HOST}"], False),
    ("a dot at the end", ["Origin: http://relay.example.:5000"], False),
    ("a dot at the end of the listed", [f"Origin: {LISTED}."], False),
    ("a path", [f"Origin: {OWN}/"], False),
    ("a name that looks alike, in punycode", ["Origin: https://xn--pp-2ja.example"], False),
    ("a name that looks alike, as it is", ["Origin: https://\u00e0pp.example"], False),
    ("a user in front", ["Origin: http://relay.example:5000@evil.example"], False),
    ("us as the user", ["Origin: https://app.example@evil.example"], False),
    ("two in one header", [f"Origin: {OWN}, http://evil.example"], False),
    ("two, separated by a space", [f"Origin: {OWN} http://evil.example"], False),
    ("two headers, ours first", [f"Origin: {OWN}", "Origin: http://evil.example"], False),
    ("two headers, ours last", ["Origin: http://evil.example", f"Origin: {OWN}"], False),
    ("with an underscore: no header at all", ["Origin: http://evil.example", f"X_Origin: {OWN}"], False),
    ("forged X-Forwarded-Host", ["Origin: http://evil.example", "X-Forwarded-Host: evil.example"], False),
    ("forged X-Forwarded-Proto", ["Origin: https://relay.example", "X-Forwarded-Proto: https"], False),
    ("forged Forwarded", ["Origin: http://evil.example", "Forwarded: host=evil.example;proto=http"], False),
    ("forged X-Original-Host", ["Origin: http://evil.example", "X-Original-Host: evil.example", "X-Host: evil.example"], False),
    ("the wildcard itself", ["Origin: *"], False),
]
BEHIND_A_PROXY: list[tuple[str, list[str], bool]] = [
    ("the public origin", ["Origin: https://quotes.example", "X-Forwarded-Host: quotes.example", "X-Forwarded-Proto: https"], True),
    ("the inner origin", [f"Origin: {OWN}", "X-Forwarded-Host: quotes.example", "X-Forwarded-Proto: https"], False),
    ("another site", ["Origin: https://evil.example", "X-Forwarded-Host: quotes.example", "X-Forwarded-Proto: https"], False),
    (
        "the client's own X-Forwarded-Host, in front of the proxy's",
        ["Origin: https://evil.example", "X-Forwarded-Host: evil.example, quotes.example", "X-Forwarded-Proto: https"],
        False,
    ),
    (
        "the same in a header of its own",
        ["Origin: https://evil.example", "X-Forwarded-Host: evil.example", "X-Forwarded-Host: quotes.example", "X-Forwarded-Proto: https"],
        False,
    ),
    ("TLS, and Host passed on", [f"Origin: https://{HOST}", "X-Forwarded-Proto: https"], True),
    ("TLS that a proxy before ours ended", [f"Origin: https://{HOST}", "X-Forwarded-Proto: http"], True),
    ("a page without TLS where there is TLS", [f"Origin: http://{HOST}", "X-Forwarded-Proto: https"], False),
]
HANDSHAKES = {
    "polling": ["GET /socket.io/?EIO=4&transport=polling HTTP/1.1"],
    "websocket": ["GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade",
                  "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
    "rest": ["GET /api/quotes HTTP/1.1"],
}  # fmt: skip
WELCOME = {"polling": 200, "websocket": 101}


@pytest.fixture(scope="module")
def running() -> Iterator[Relaying]:
    """A server that lists one page, and trusts nobody."""
    with relaying(["ACME"], {"ACME": 1.0}, allowed_origins=[LISTED], server={"allowed_hosts": ["*"]}) as core:
        yield core


@pytest.fixture(scope="module")
def proxied() -> Iterator[Relaying]:
    """The same behind a proxy at this address."""
    with relaying(["ACME"], {"ACME": 1.0}, allowed_origins=[LISTED], trusted_proxies=["127.0.0.1"]) as core:
        yield core


def answer(address: tuple[str, int], lines: list[str]) -> tuple[int, bytes]:
    """Status and head of the answer to these very lines; with `Host` added."""
    with socket.create_connection(address, PATIENCE_S) as connection:
        head, *headers = lines
        connection.sendall("\r\n".join([head, f"Host: {HOST}", *headers, "", ""]).encode())
        received = b""
        while b"\r\n\r\n" not in received:
            data = connection.recv(65_536)
            if not data:
                break
            received += data
    return int(received.split()[1]), received.partition(b"\r\n\r\n")[0]


def check(core: Relaying, transport: str, headers: list[str], allowed: bool) -> None:
    """Let in, or refused with 400 and no session."""
    status, head = answer(core.address, HANDSHAKES[transport] + headers)
    assert status == (WELCOME[transport] if allowed else 400)
    if not allowed:
        assert b"access-control-allow-origin" not in head.lower()


@pytest.mark.parametrize("transport", WELCOME)
@pytest.mark.parametrize(("what", "headers", "allowed"), ROWS)
def test_which_pages_may_connect(running: Relaying, transport: str, what: str, headers: list[str], allowed: bool) -> None:
    """The whole table."""
    check(running, transport, headers, allowed)


@pytest.mark.parametrize("transport", WELCOME)
@pytest.mark.parametrize(("what", "headers", "allowed"), BEHIND_A_PROXY)
def test_behind_a_trusted_proxy(proxied: Relaying, transport: str, what: str, headers: list[str], allowed: bool) -> None:
    """Our own origin is the public one, which the proxy names; what the client wrote to the left of it does not count."""
    check(proxied, transport, headers, allowed)


@pytest.mark.parametrize(("what", "headers", "allowed"), ROWS[1:])
def test_which_pages_may_read(running: Relaying, what: str, headers: list[str], allowed: bool) -> None:
    """REST answers whoever asks, and lets a browser hand the answer to the same pages only."""
    _, head = answer(running.address, HANDSHAKES["rest"] + headers)
    assert (b"access-control-allow-origin" in head.lower()) is allowed
