"""The opening handshake of a WebSocket (RFC 6455 section 4.2), as plain functions."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
BAD_REQUEST = "400 Bad Request"


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
