"""The head of a request, looked at as it came: what two readers could understand differently is refused before anybody reads it. Pure.

h11 parses it afterwards, and is lenient where RFC 9112 lets it be: it takes bare line feeds, folded lines, versions it does not know, a
Content-Length beside a Transfer-Encoding, and several Content-Lengths that agree. Behind a proxy that reads one of them differently, the
rest of a request would be a second one that the proxy has never seen (request smuggling).
"""

from __future__ import annotations

import re
from http import HTTPStatus

MOST_BYTES = 32_768
"""Of the request line and the headers together. Cookies of a whole domain and a token of 8 KiB have room in it."""
MOST_LINES = 101
"""The request line and 100 headers."""
END = b"\r\n\r\n"

_ODD_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP/([0-9])\.([0-9])\r\n")
_FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding)[ \t]*:[ \t]*([^\r]*?)[ \t]*(?=\r)", re.IGNORECASE)
_LENGTH = re.compile(rb"[0-9]{1,18}")


class BadRequest(Exception):
    """What came is no request that may be carried out: answer `status` and hang up. The message has nothing in it of what came."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def bad(message: str) -> BadRequest:
    """The common case."""
    return BadRequest(HTTPStatus.BAD_REQUEST, message)


def find_end(unread: bytearray, searched: int) -> int:
    """Where the head ends that `unread` begins with, -1: not yet. The first `searched` bytes have been looked at before.

    Raises `BadRequest` as soon as it can be none: too long, or with a bare line feed, at which somebody else may think that it ends.
    """
    end = unread.find(END, max(0, searched - 3))
    if (end < 0 and len(unread) > MOST_BYTES) or end + len(END) > MOST_BYTES:
        raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the head of a request may have {MOST_BYTES // 1024} KiB")
    if _BARE_LINE_FEED.search(unread, max(0, searched - 1), len(unread) if end < 0 else end):
        raise bad("a line must end with CR LF")
    return end


def check(head: bytes) -> None:
    """Raises `BadRequest` where `head`, a whole one with its empty line, is not of one meaning."""
    if _ODD_LINE_END.search(head) or _CONTROL.search(head):
        raise bad("a control character, or a line that does not end with CR LF")
    if b"\r\n " in head or b"\r\n\t" in head:
        raise bad("a folded header")
    if head.count(b"\r\n") - 1 > MOST_LINES:
        raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {MOST_LINES - 1} headers")
    line = _REQUEST_LINE.match(head)
    if line is None:
        raise bad("not a request line of HTTP")
    if line[1] != b"1" or line[2] not in b"01":
        raise BadRequest(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 and HTTP/1.0 are spoken here")
    framing = _FRAMING.findall(head)
    if framing:
        _check_framing(framing, line[2] == b"0")


def _check_framing(framing: list[tuple[bytes, bytes]], is_old: bool) -> None:
    """The headers that say where the body ends: one of them, once, and without a doubt."""
    if len(framing) > 1:
        raise bad("more than one Content-Length or Transfer-Encoding")
    ((name, value),) = framing
    if name.lower() == b"transfer-encoding":
        if is_old:
            raise bad("HTTP/1.0 knows no Transfer-Encoding")
        if value.lower() != b"chunked":
            raise bad("the one Transfer-Encoding understood is chunked")
    elif not _LENGTH.fullmatch(value):
        raise bad("Content-Length must be a whole number")
