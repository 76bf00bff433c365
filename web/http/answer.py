"""An answer that stands ready: given out as it is, without Flask. And the refusals that the entrance itself gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import time

import msgspec

from ticker import wire

Headers = Sequence[tuple[str, str]]
NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of an answer that is nothing to show: a browser that shows it runs and frames nothing."""


class Answer:
    """Status, headers and body, encoded once. `headers` lack Date, Content-Length and what says how the connection goes on.

    `length`: that of the body which a GET would have, where this is the answer to a HEAD.
    """

    __slots__ = ("_head", "body", "headers", "status")

    def __init__(self, status: str, headers: Headers, body: bytes, length: int | None = None) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        size = [] if status[:3] in ("204", "304") else [("Content-Length", str(len(body) if length is None else length))]
        self._head = _lines([*headers, *size])

    def encoded(self, connection: bytes, more: Headers = (), with_body: bool = True) -> bytes:
        """The bytes to send. `connection`: lines that say how it goes on; `more`: headers of this very request's answer."""
        return b"HTTP/1.1 %b\r\nDate: %b\r\n%b%b%b\r\n%b" % (
            self.status.encode(), date(int(time())), self._head, _lines(more), connection, self.body if with_body else b"")  # fmt: skip


def refusal(status: HTTPStatus, code: str, message: str, headers: Headers = ()) -> Answer:
    """An error in the shape that all of them have."""
    return plain(status, msgspec.json.encode(wire.Error(error=wire.Problem(code=code, message=message))), headers)


def plain(status: HTTPStatus, body: bytes, headers: Headers = ()) -> Answer:
    """The same in another shape: `body` is JSON."""
    return Answer(f"{status.value} {status.phrase}", [
        ("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Vary", "Origin"), ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", NOTHING), *headers], body)  # fmt: skip


@lru_cache(maxsize=1)
def date(second: int) -> bytes:
    """The time of an answer as HTTP writes it (RFC 9110 section 5.6.7)."""
    return formatdate(second, usegmt=True).encode()


def _lines(headers: Iterable[tuple[str, str]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers])
