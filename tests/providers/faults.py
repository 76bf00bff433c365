"""What can go wrong between a provider and us, each as a script of what goes onto the wire in place of a good reply.

| name | what the client sees | options |
| --- | --- | --- |
| `status` | an error status, with a body of its own | `status`, `retry_after`, `headers`, `body`, `drip_s` between its bytes |
| `html` | a page, with status 200 | |
| `empty` `null` `garbage` | no body at all; `null`; bytes that are no text | |
| `nan` | NaN in place of every number | |
| `numbers` `strings` | every number in a string without its quotes; every number with quotes | |
| `torn` | half of the body, under a `Content-Length` that is right for it | |
| `truncate` | half of the body, then the end of the connection | |
| `huge` `bomb` | 10 MB of good JSON; 200 MB that gzip made small | |
| `not_gzip` `wrong_type` | plain text that calls itself gzip; good JSON that calls itself an image | |
| `slow` | nothing for a while, then the good reply | `wait_s` |
| `drip` `drip_headers` | the body, or the headers, byte by byte | `wait_s` between bytes |
| `hang_up` `reset` | the connection closed, or reset, without an answer | |
| `redirect` | 302, or `status` | `location`, `bomb` (true: with a body like that), `status` |
| `cookie` `headers` | the good reply, with a `Set-Cookie`; with these headers | `headers` (an object) |
| `past` | the good reply, with all its times moved back | `by_s` |
| `repeat` | the reply that the same request got when the fault began, again and again | |
| `odd_header` | the good reply, with a line among the headers that is none | |
| `noise` | no HTTP at all | |

Every fault takes `path` (only below it), `upgrade` (only where a WebSocket is asked for), `times` (only so often) and `every` (only each
so manieth request).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import formatdate
from enum import Enum
from functools import cache
from http import HTTPStatus
from typing import NamedTuple

from tests.providers.wire import Reply


class Pause(NamedTuple):
    """Send nothing for so long."""

    seconds: float


class End(Enum):
    """How a connection ends that is not kept."""

    CLOSE = "close"
    RESET = "reset"


Script = Iterator[bytes | Pause | End]

NUMBER = rb"-?[0-9]+(?:\.[0-9]+)?"
EPOCH_TIME = re.compile(rb"(?<![0-9.])1[5-9][0-9]{8}(?:[0-9]{3}|[0-9]{6}|[0-9]{9})?(?![0-9.])")
"""A time since 2017 in s, ms, µs or ns; a price or a volume has a point, or is not so long."""
ISO_TIME = re.compile(rb"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]")
PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"


def render(reply: Reply) -> tuple[bytes, bytes]:
    """Head and body of a reply as HTTP/1.1 has them."""
    reason = HTTPStatus(reply.status).phrase if reply.status in set(HTTPStatus) else ""
    always = {"Date": formatdate(usegmt=True), "Content-Type": "application/json", "Content-Length": str(len(reply.body))}
    headers = always | reply.headers
    lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1"), reply.body


def good(reply: Reply) -> Script:
    """The reply as it is, in one piece."""
    yield b"".join(render(reply))


def status(
    _reply: Reply,
    status: int = 500,
    retry_after: str | None = None,
    body: str = '{"message":"no"}',
    drip_s: float = 0,
    headers: Mapping[str, str] | None = None,
) -> Script:
    bad = Reply(status, body.encode(), {**(headers or {}), **({} if retry_after is None else {"Retry-After": retry_after})})
    return drip(bad, drip_s) if drip_s else good(bad)


def html(_reply: Reply) -> Script:
    return good(Reply(200, PAGE, {"Content-Type": "text/html; charset=utf-8"}))


def empty(_reply: Reply) -> Script:
    return good(Reply(200, b""))


def null(_reply: Reply) -> Script:
    return good(Reply(200, b"null"))


def garbage(_reply: Reply) -> Script:
    return good(Reply(200, bytes(range(256))))


def nan(reply: Reply) -> Script:
    return good(Reply(200, re.sub(rb'"' + NUMBER + rb'"|(?<=[:,\[])' + NUMBER, b"NaN", reply.body)))


def numbers(reply: Reply) -> Script:
    return good(Reply(200, re.sub(rb'"(' + NUMBER + rb')"(?!:)', rb"\1", reply.body)))


def strings(reply: Reply) -> Script:
    return good(Reply(200, re.sub(rb"(?<=[:,\[])(" + NUMBER + rb")(?=[,\]}])", rb'"\1"', reply.body)))


def torn(reply: Reply) -> Script:
    return good(Reply(200, reply.body[: len(reply.body) // 2]))


def truncate(reply: Reply) -> Script:
    head, body = render(reply)
    yield head + body[: len(body) // 2]
    yield End.CLOSE


def huge(reply: Reply) -> Script:
    return good(Reply(200, reply.body + b" " * 10_000_000))


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(level=1, wbits=31)  # 31: gzip
    return b"".join(packer.compress(b" " * 10_000_000) for _ in range(20)) + packer.flush()


def bomb(_reply: Reply) -> Script:
    return good(Reply(200, _bomb(), {"Content-Encoding": "gzip"}))


def not_gzip(reply: Reply) -> Script:
    return good(Reply(200, reply.body, {"Content-Encoding": "gzip"}))


def wrong_type(reply: Reply) -> Script:
    return good(Reply(200, reply.body, {"Content-Type": "image/png"}))


def slow(reply: Reply, wait_s: float = 10) -> Script:
    yield Pause(wait_s)
    yield from good(reply)


def drip(reply: Reply, wait_s: float = 0.05) -> Script:
    head, body = render(reply)
    yield head
    yield from _byte_by_byte(body, wait_s)


def drip_headers(reply: Reply, wait_s: float = 0.05) -> Script:
    head, body = render(reply)
    yield from _byte_by_byte(head, wait_s)
    yield body


def _byte_by_byte(data: bytes, wait_s: float) -> Script:
    for byte in data:
        yield bytes([byte])
        yield Pause(wait_s)


def hang_up(_reply: Reply) -> Script:
    yield End.CLOSE


def reset(_reply: Reply) -> Script:
    yield End.RESET


def redirect(_reply: Reply, location: str = "/", bomb: bool = False, status: int = 302) -> Script:
    body = {"Content-Encoding": "gzip"} if bomb else {}
    return good(Reply(status, _bomb() if bomb else b"", {"Location": location, **body}))


def cookie(reply: Reply) -> Script:
    return good(Reply(reply.status, reply.body, {**reply.headers, "Set-Cookie": "track=1; Path=/"}))


def headers(reply: Reply, headers: dict[str, str]) -> Script:
    return good(Reply(reply.status, reply.body, {**reply.headers, **headers}))


def past(reply: Reply, by_s: int = 3600) -> Script:
    def epoch(match: re.Match[bytes]) -> bytes:
        scale = 10 ** (len(match[0]) - 10)  # s, ms, µs or ns
        return b"%d" % (int(match[0]) - by_s * scale)

    def iso(match: re.Match[bytes]) -> bytes:
        moved = datetime.fromisoformat(match[0].decode()) - timedelta(seconds=by_s)
        return moved.isoformat(timespec="seconds").encode()

    return good(Reply(reply.status, ISO_TIME.sub(iso, EPOCH_TIME.sub(epoch, reply.body)), reply.headers))


def repeat(reply: Reply) -> Script:
    return good(reply)  # the server has put the old one in its place


def odd_header(reply: Reply) -> Script:
    head, body = render(reply)
    yield head.removesuffix(b"\r\n") + b"no header\r\n\r\n" + body


def noise(_reply: Reply) -> Script:
    yield b"220 mail.example ESMTP\r\n"
    yield End.CLOSE


FAULTS: dict[str, Callable[..., Script]] = {fault.__name__: fault for fault in (
    status, html, empty, null, garbage, nan, numbers, strings, torn, truncate, huge, bomb, not_gzip, wrong_type, slow, drip,
    drip_headers, hang_up, reset, redirect, cookie, headers, past,
    repeat, odd_header, noise)}  # fmt: skip
