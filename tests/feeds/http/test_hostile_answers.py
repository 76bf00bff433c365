"""Polled providers that send without end: each way fails the call, by a count of ours or by the deadline, and others have their turn."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from typing import NamedTuple

import pytest

import feeds.http.answers
import ticker.runtime
from feeds.http.answers import MAX_CHUNKS, MAX_LINE_BYTES
from feeds.http.client import Http
from feeds.http.decompress import MAX_MEMBERS
from tests.feeds.hostile import Witness, hostile
from tests.feeds.support import complaint
from ticker.errors import FeedError
from ticker.runtime import Runtime
from ticker.settings import PolledSettings

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PACKED = OK + b"Content-Encoding: gzip\r\n\r\n"
DEFLATED = OK + b"Content-Encoding: deflate\r\n\r\n"
IN_CHUNKS = OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG_S = 60.0
"""A deadline that is never met: a count of ours comes first."""


def chunk(body: bytes) -> bytes:
    """One chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(body), body)


class Way(NamedTuple):
    """What is sent, once and then without end; what is said of it; and how many turns others have meanwhile, at least."""

    name: str
    first: bytes
    again: bytes
    said: str
    pieces: int = 1


GZIP_HEAD, EMPTY_BLOCK = gzip.compress(b"")[:10], b"\0\0\0\xff\xff"
BOMB = gzip.compress(bytes(200_000_000), 6)
WAYS = [
    Way("interim answers", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, "more than 16 interim answers", 32),
    Way("interim answers with headers", OK.replace(b"200", b"100"), b"X-A: b\r\n" * 9000, "more than 100 lines of headers", 100),
    Way("headers", OK, b"X-A: b\r\n" * 9000, "more than 100 lines of headers", 100),
    Way("long headers", OK, b"X-A: " + b"b" * 30_000 + b"\r\n", "the headers are longer than 128 KiB", 5),
    Way("headers in one line", OK + b"X: a", b"\rX: a" * 1000, "a line around the answer is longer than 32 KiB|carriage return"),
    Way("a header without end", OK + b"X-A: ", b"b" * 100_000, "a line around the answer is longer than 32 KiB"),
    Way("a status line without end", b"HTTP/1.1 200 ", b"b" * 100_000, "a line around the answer is longer than 32 KiB"),
    Way("tiny chunks", CHUNKED, chunk(b"x") * 10_000, "too many pieces", 2 * MAX_CHUNKS),
    Way("small chunks", CHUNKED, chunk(b"x" * 20) * 10_000, "too many pieces", 2 * MAX_CHUNKS),
    Way("an extension without end", CHUNKED + b"1;", b"a" * 100_000, "a line around the answer is longer than 32 KiB"),
    Way("extensions", CHUNKED, b"40;" + b"a" * 30_000 + b"\r\n" + b"x" * 64 + b"\r\n", "longer than 10240 KiB as it is sent", 100),
    Way("trailers", CHUNKED + b"0\r\n", b"X-A: b\r\n" * 9000, "more than 100 lines of headers or trailers", 100),
    Way("a trailer without end", CHUNKED + b"0\r\nX-A: ", b"b" * 100_000, "a line around the answer is longer than 32 KiB"),
    Way("a chunk of less than nothing", CHUNKED, b"-1\r\n" + b"x" * 1000, "a chunk of less than no bytes"),
    Way("a chunk of everything", CHUNKED + b"F" * 16 + b"\r\n", b"x" * 100_000, "the answer is longer than 8192 KiB", 100),
    Way("a chunk of no number", CHUNKED, b"\r\n" * 1000, "the answer broke off"),
    Way("a body without end", OK + b"\r\n", b"x" * 100_000, "the answer is longer than 8192 KiB", 100),
    Way("an error without end", b"HTTP/1.1 500 No\r\n\r\n", b"x" * 100_000, "HTTP 500 Internal Server Error"),
    Way("a long answer", OK + b"Content-Length: 999999999999\r\n\r\n", b"x" * 100_000, "the answer is longer than 8192 KiB", 100),
    Way("gzip members", PACKED, gzip.compress(b"") * 3000, f"more than {MAX_MEMBERS} pieces", MAX_MEMBERS),
    Way("gzip members with a byte", PACKED, gzip.compress(b"x") * 3000, f"more than {MAX_MEMBERS} pieces", MAX_MEMBERS),
    Way(
        "gzip in tiny chunks",
        IN_CHUNKS + chunk(GZIP_HEAD),
        b"".join(chunk(b"%c" % byte) for byte in EMPTY_BLOCK) * 2000,
        "too many pieces",
        3 * MAX_CHUNKS,
    ),
    Way("a gzip bomb", PACKED + BOMB, b"", "the answer is longer than 8192 KiB", 100),
    Way(
        "a gzip bomb in chunks",
        IN_CHUNKS + b"".join(chunk(BOMB[at : at + 500]) for at in range(0, len(BOMB), 500)),
        b"",
        "the answer is longer than 8192 KiB",
        100,
    ),
    Way("a deflate bomb", DEFLATED + zlib.compress(bytes(100_000_000)), b"", "the answer is longer than 8192 KiB", 100),
    Way("a gzip file of nothing", PACKED + GZIP_HEAD, EMPTY_BLOCK * 20_000, "longer than 10240 KiB as it is sent", 1000),
    Way("gzip in gzip", OK + b"Content-Encoding: gzip, gzip\r\n\r\n" + gzip.compress(BOMB), b"", "a way that was not asked for"),
    Way("brotli", OK + b"Content-Encoding: br\r\n\r\n", b"x" * 1000, "a way that was not asked for"),
    Way("a redirect with a body without end", b"HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\n\r\n", b"x" * 100_000, "with a redirect"),
]


def asked(way: Callable[[bytes], tuple[bytes, bytes]], runtime: Runtime, timeout_s: float) -> tuple[FeedError, int]:
    """What becomes of a call, and how many turns others had during it."""
    with hostile(way) as provider:
        http = Http(PolledSettings.model_validate({"kind": "x", "base_url": f"http://{provider.address}", "timeout_s": timeout_s}), runtime)
        witness = Witness(runtime)
        try:
            return complaint(lambda: http.get("/q")), witness.stop()
        finally:
            witness.stop()
            http.close()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_what_never_ends_is_ended(way: Way, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what it has too much of, long before the deadline, in little memory. Turns have no length here: others have one at each step."""
    monkeypatch.setattr(ticker.runtime, "LONGEST_TURN_S", 0.0)
    tracemalloc.start()
    try:
        error, turns = asked(lambda _: (way.first, way.again), runtime, LONG_S)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.args[0].startswith("127.0.0.1/q: ")
    assert any(said in str(error) for said in way.said.split("|")), error
    assert turns >= way.pieces
    assert peak < 24 * 1024 * 1024


@pytest.mark.parametrize("way", [way for way in WAYS if way.name in {
    "interim answers", "headers", "tiny chunks", "extensions", "trailers", "a chunk of everything", "a body without end", "gzip members",
    "a gzip file of nothing"}], ids=lambda way: way.name)  # fmt: skip
def test_a_deadline_ends_what_no_count_does(way: Way, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes are always there, so the call never waits: the deadline fires all the same, and others have their turns, as long as usual."""
    for name in ("MAX_INTERIM", "MAX_HEADERS", "MAX_CHUNKS", "MAX_RAW_BYTES", "MAX_HEAD_BYTES"):
        monkeypatch.setattr(feeds.http.answers, name, 10**12)
    monkeypatch.setattr("feeds.http.client.MAX_BODY_BYTES", 10**12)
    monkeypatch.setattr("feeds.http.decompress.MAX_MEMBERS", 10**12)
    monkeypatch.setattr("http.client._MAXHEADERS", 10**12)
    error, turns = asked(lambda _: (way.first, way.again), runtime, 0.2)
    assert "no full answer within 0.2 s" in str(error)
    assert turns >= 5


def test_what_honest_providers_send_is_read(runtime: Runtime) -> None:
    """An interim answer, chunks of 100 bytes with extensions, trailers, gzip in a few members with something behind them."""
    body = b"".join(b'{"n":%d}\n' % number for number in range(50_000))
    packed = gzip.compress(body[:300_000]) + gzip.compress(b"") + gzip.compress(body[300_000:]) + b"\0\0\0"
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in (packed[at : at + 100] for at in range(0, len(packed), 100)))
    answer = b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" + IN_CHUNKS + chunks + b"0\r\nX-Sum: 1\r\n\r\n"
    with hostile(lambda _: (answer, b"")) as provider:
        http = Http(PolledSettings.model_validate({"kind": "x", "base_url": f"http://{provider.address}", "timeout_s": LONG_S}), runtime)
        assert http.get("/q").body == body


@pytest.mark.parametrize(
    "packed",
    [zlib.compress(b"x" * 100_000), zlib.compress(b"x" * 100_000)[2:-4], zlib.compress(b"x" * 100_000) + b"more", zlib.compress(b"")],
)
def test_deflate_is_either_of_two_formats(packed: bytes, runtime: Runtime) -> None:
    """With a head or without, as servers send it, also where the first byte comes alone."""
    answer = OK + b"Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(packed[:1]) + chunk(packed[1:]) + b"0\r\n\r\n"
    with hostile(lambda _: (answer, b"")) as provider:
        http = Http(PolledSettings.model_validate({"kind": "x", "base_url": f"http://{provider.address}", "timeout_s": LONG_S}), runtime)
        assert http.get("/q").body == (b"" if len(packed) < 20 else b"x" * 100_000)


def test_the_longest_line_is_still_one() -> None:
    """The limits are above what others allow: nginx takes 8 KiB for all headers of an answer, Node.js 16."""
    assert MAX_LINE_BYTES >= 32 * 1024
