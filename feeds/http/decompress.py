"""The body of an answer, decompressed a little at a time: neither a bomb nor a stream of nothing takes much memory, or others' turn.

`urllib3` unpacks as much as one read brings, through as many layers as the answer names. We ask for gzip and deflate, and take one of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import urllib3
from urllib3.exceptions import DecodeError

from feeds.http.errors import TooMuch
from ticker.runtime import Turn

ACCEPTED = "gzip, deflate"
"""The codings that the header `Accept-Encoding` of our requests names."""
READ_BYTES = 64 * 1024
PACKED_STEP_BYTES, STEP_BYTES = 8 * 1024, 64 * 1024
"""In one step zlib is given and gives at most so much: the worst that can be made takes some 2 ms."""
MAX_MEMBERS = 1_000
"""A gzip file may have so many members; nearly all have one, those that were packed in blocks of 64 KiB have a hundred."""
REFUSED = ("br", "zstd", "compress")


def pieces(response: urllib3.HTTPResponse) -> Iterator[bytes]:
    """The body as it arrives, a few KiB at a time. Raises what `urllib3` raises, and `TooMuch`."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if "," in coding or coding in REFUSED:
        raise TooMuch("the answer is packed in a way that was not asked for")
    arriving = response.stream(READ_BYTES, decode_content=False)
    if coding in ("gzip", "x-gzip", "deflate"):
        return unpacked(arriving, coding)
    return arriving  # also what names a coding that is none: `none`, `utf-8`


def unpacked(arriving: Iterator[bytes], coding: str) -> Iterator[bytes]:
    """What `arriving` holds, packed in `coding`; what stands behind the end is passed over. Raises `DecodeError`, `TooMuch`."""
    unpacker = _Unpacker(coding == "deflate")
    for packed in arriving:
        for start in range(0, len(packed), PACKED_STEP_BYTES):
            yield from unpacker.take(packed[start : start + PACKED_STEP_BYTES])
    if rest := unpacker.rest():
        yield rest


class _Unpacker:
    """One body, fed piece by piece."""

    def __init__(self, deflate: bool) -> None:
        self._deflate = deflate
        self._turn = Turn()
        self._zlib = None if deflate else zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._first = b""
        self._members = 1
        self._over = False

    def take(self, packed: bytes) -> Iterator[bytes]:
        """What a packed piece holds."""
        if self._zlib is None:  # `deflate` means either of two formats; the first two bytes tell which
            packed = self._first + packed
            if len(packed) < 2:
                self._first = packed
                return
            wrapped = packed[0] & 15 == 8 and int.from_bytes(packed[:2]) % 31 == 0
            self._zlib = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        while packed and not self._over:
            self._turn.step()
            try:
                piece = self._zlib.decompress(packed, STEP_BYTES)
            except zlib.error as error:
                if self._members == 1:
                    raise DecodeError("not what it says", error) from error
                self._over = True  # not a further member, but something behind the last
                return
            if piece:
                yield piece
            packed = self._zlib.unconsumed_tail
            if self._zlib.eof:
                packed = self._zlib.unused_data
                self._next_member()

    def rest(self) -> bytes:
        """What is left once no more comes: a few bytes that the last step had no room for."""
        return b"" if self._zlib is None or self._over else self._zlib.flush()

    def _next_member(self) -> None:
        self._over = self._deflate
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise TooMuch(f"the answer is packed in more than {MAX_MEMBERS} pieces")
        self._zlib = zlib.decompressobj(16 + zlib.MAX_WBITS)
