"""Handshakes, as plain functions: a WebSocket's (RFC 6455 section 4.2), what is kept of a request, and how one is refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from random import randint
from typing import Any

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
BAD_REQUEST = "400 Bad Request"

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

_REQUEST_BYTES = 16_384
"""The most that is remembered of a client's handshake, for handlers to look at."""
_RETRY_AFTER_S = (1, 5)
_KEPT = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
         "REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "flask.app")


class Refused(Exception):
    """Answer the request with this status and message."""

    def __init__(self, status: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


def accept_websocket(environ: Mapping[str, Any]) -> bytes:
    """The answer to a WebSocket handshake, without extensions. Raises `Refused`."""
    if environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        raise Refused(BAD_REQUEST, "a WebSocket needs HTTP/1.1")
    if environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ:
        raise Refused(BAD_REQUEST, "a WebSocket handshake has no body")
    upgrade = environ.get("HTTP_UPGRADE", "").lower()
    connection = [token.strip() for token in environ.get("HTTP_CONNECTION", "").lower().split(",")]
    if upgrade != "websocket" or "upgrade" not in connection:
        raise Refused(BAD_REQUEST, "not a WebSocket handshake")
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        raise Refused(BAD_REQUEST, "unsupported WebSocket version", (("Sec-WebSocket-Version", "13"),))
    key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "").encode("latin-1")
    try:
        if len(base64.b64decode(key, validate=True)) != 16:
            raise Refused(BAD_REQUEST, "bad WebSocket key")
    except binascii.Error:
        raise Refused(BAD_REQUEST, "bad WebSocket key") from None
    accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID, usedforsecurity=False).digest())
    return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def full(reason: str) -> Refused:
    """503, and when to come again: not everybody at once."""
    return Refused("503 Service Unavailable", reason, (("Retry-After", str(randint(*_RETRY_AFTER_S))),))


def slim(environ: Environ) -> Environ:
    """The request without the objects that keep its buffers alive: about 1 KB instead of 20. Cookies of others on the same host may be
    long: where they are, none is kept. Raises `Refused` where the rest is.
    """
    kept = {key: value for key, value in environ.items() if key in _KEPT or (key.startswith("HTTP_") and key != "HTTP_AUTHORIZATION")}
    if _size(kept) > _REQUEST_BYTES:
        kept.pop("HTTP_COOKIE", None)
        if _size(kept) > _REQUEST_BYTES:
            raise Refused("431 Request Header Fields Too Large", "headers too big")
    return kept


def _size(environ: Environ) -> int:
    return sum(len(value) for value in environ.values() if isinstance(value, str))


def answered(start_response: StartResponse, status: str, body: str, headers: list[tuple[str, str]]) -> list[bytes]:
    """A text as the answer to a request."""
    encoded = body.encode()
    start_response(status, [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", str(len(encoded))),
                            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), *headers])
    return [encoded]
