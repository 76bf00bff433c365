"""Handshakes, as plain functions: a WebSocket's (RFC 6455 section 4.2), what is kept of a request, and how one is refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from random import randint
from typing import Any

from web.http.answer import NOTHING
from web.refusals import Reason, body, sentence

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

_REQUEST_BYTES = 16_384
"""The most that is remembered of a client's handshake, for handlers to look at."""
_RETRY_AFTER_S = (1, 5)
_KEPT = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
         "REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "flask.app")  # fmt: skip


class Refused(Exception):
    """Answer the request so; `message` and `cure` where more can be said than the reason says itself."""

    def __init__(self, reason: Reason, message: str = "", cure: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(sentence(reason, message, cure))
        self.reason = reason
        self.message = message
        self.cure = cure
        self.headers = headers


def accept_websocket(environ: Mapping[str, Any]) -> bytes:
    """The answer to a WebSocket handshake, without extensions. Raises `Refused`."""
    if environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        raise Refused(Reason.WEBSOCKET, "a WebSocket needs HTTP/1.1")
    if environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ:
        raise Refused(Reason.WEBSOCKET, "a WebSocket handshake has no body")
    upgrade = environ.get("HTTP_UPGRADE", "").lower()
    connection = [token.strip() for token in environ.get("HTTP_CONNECTION", "").lower().split(",")]
    if upgrade != "websocket" or "upgrade" not in connection:
        raise Refused(Reason.WEBSOCKET)
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        raise Refused(Reason.WEBSOCKET, "unsupported WebSocket version", "version 13 is spoken here", (("Sec-WebSocket-Version", "13"),))
    key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "").encode("latin-1")
    try:
        if len(base64.b64decode(key, validate=True)) != 16:
            raise Refused(Reason.WEBSOCKET, "bad WebSocket key", "it is 16 bytes in base64")
    except binascii.Error:
        raise Refused(Reason.WEBSOCKET, "bad WebSocket key", "it is 16 bytes in base64") from None
    accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID, usedforsecurity=False).digest())
    return b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"


def full(reason: Reason) -> Refused:
    """503, and when to come again."""
    return Refused(reason, headers=(again(),))


def again() -> tuple[str, str]:
    """The header that says when to come again: not everybody at once."""
    return "Retry-After", str(randint(*_RETRY_AFTER_S))


def slim(environ: Environ) -> Environ:
    """The request without the objects that keep its buffers alive: about 1 KB instead of 20. Cookies of others on the same host may be
    long: where they are, none is kept. Raises `Refused` where the rest is.
    """
    kept = {key: value for key, value in environ.items() if key in _KEPT or (key.startswith("HTTP_") and key != "HTTP_AUTHORIZATION")}
    if _size(kept) > _REQUEST_BYTES:
        kept.pop("HTTP_COOKIE", None)
        if _size(kept) > _REQUEST_BYTES:
            raise Refused(Reason.HEADERS)
    return kept


def _size(environ: Environ) -> int:
    return sum(len(value) for value in environ.values() if isinstance(value, str))


def answered(start_response: StartResponse, text: str, headers: Sequence[tuple[str, str]]) -> list[bytes]:
    """A text as the answer to a request."""
    return _answered(start_response, "200 OK", "text/plain; charset=UTF-8", text.encode(), headers)


def turned_away(start_response: StartResponse, refused: Refused, headers: Sequence[tuple[str, str]]) -> list[bytes]:
    """The answer to who is not let in."""
    status, said = refused.reason.status, body(refused.reason, refused.message, refused.cure)
    return _answered(
        start_response,
        f"{status.value} {status.phrase}",
        "application/json",
        said,
        [("Content-Security-Policy", NOTHING), *headers, *refused.headers],
    )


def _answered(start_response: StartResponse, status: str, kind: str, data: bytes, headers: Sequence[tuple[str, str]]) -> list[bytes]:
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(data))), ("Cache-Control", "no-store"),
                            ("X-Content-Type-Options", "nosniff"), *headers])  # fmt: skip
    return [data]
