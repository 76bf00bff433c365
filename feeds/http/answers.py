"""The one place where the answers of polled providers are read from their sockets: it counts what comes, and gives way while more does.

`requests`, `urllib3` and `http.client` read an answer with two calls, `read` and `readline`, of the file that stands before the socket.
That file is ours. Whatever a provider sends without end (interim answers, headers, chunks, trailers), each of its pieces is one of these
calls, so here it is bounded while it is read, and other tasks have their turn between any two. Counts are of one answer: a connection that
is used again begins anew.
"""

from __future__ import annotations

import http.client
import io
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from feeds.http.errors import TooMuch
from ticker.runtime import Turn

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A body may be so long after decompression. The longest honest answer known (all of Binance's tickers) is 2 MB."""
MAX_RAW_BYTES = MAX_BODY_BYTES * 5 // 4
"""All that comes for one answer may be so long: headers, body as it was sent, and what stands around its chunks."""
MAX_HEAD_BYTES = 128 * 1024
"""The status lines and headers of one answer may be so long together, those of interim answers too."""
MAX_LINE_BYTES = 32 * 1024
"""One line of a head, or the line before a chunk, may be so long."""
MAX_HEADERS = 100
"""One block of headers, or the trailers, may have so many lines."""
MAX_INTERIM = 16
"""So many answers with the status 100 may come before the one that counts."""
MAX_CHUNKS, BYTES_A_CHUNK = 10_000, 64
"""`MAX_CHUNKS` may be as small as they like; beyond those there may be one chunk for each `BYTES_A_CHUNK` bytes."""


class BoundedResponse(http.client.HTTPResponse):
    """An answer as `http.client` reads it, through a file that is bounded."""

    fp: io.BufferedReader

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fp = self._file = BoundedReader(self.fp.detach())
        self._interim = -1

    def begin(self) -> None:
        """Read as far as the body."""
        super().begin()
        self._file.in_head = False

    def _read_status(self) -> Any:
        self._interim += 1
        if self._interim > MAX_INTERIM:
            raise TooMuch(f"more than {MAX_INTERIM} interim answers before the one that counts")
        self._file.running = 0
        return super()._read_status()  # type: ignore[misc] # typeshed does not know it; it is what `begin` calls for each of them


class BoundedReader(io.BufferedReader):
    """The file that stands before the socket. Raises `TooMuch`, for what no honest answer comes near."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self.in_head = True
        self.running = 0  # lines since something else was read
        self._turn = Turn()
        self._lines = 0
        self._head_bytes = 0
        self._counted = _CountingReader(raw, self._turn)
        super().__init__(self._counted)

    def readline(self, size: int | None = -1, /) -> bytes:
        """A line, whatever the length that is asked for: ours is less."""
        self._turn.step()
        self.running += 1
        if self.running > MAX_HEADERS + 1:  # the status line
            raise TooMuch(f"more than {MAX_HEADERS} lines of headers or trailers")
        self._lines += 1
        if self._lines > MAX_CHUNKS + self._counted.read_bytes // BYTES_A_CHUNK:
            raise TooMuch("the answer comes in too many pieces, which are too small")
        line = super().readline(MAX_LINE_BYTES + 1)
        if len(line) > MAX_LINE_BYTES:
            raise TooMuch(f"a line around the answer is longer than {MAX_LINE_BYTES // 1024} KiB")
        if self.in_head:
            self._head_bytes += len(line)
            if self._head_bytes > MAX_HEAD_BYTES:
                raise TooMuch(f"the headers are longer than {MAX_HEAD_BYTES // 1024} KiB")
            if b"\r" in line[:-2]:  # each would begin a line of its own to the parser of headers, uncounted
                raise TooMuch("a header line with a carriage return in it")
        return line

    def read(self, size: int | None = -1, /) -> bytes:
        """Some bytes, of which it must be said how many at most."""
        self._turn.step()
        self.running = 0
        if size is None or size < 0:  # a chunk of −1 bytes would be all that ever comes
            raise TooMuch("a chunk of less than no bytes")
        return super().read(size)


class _CountingReader(io.RawIOBase):
    """The socket: what comes from it is counted, and between two of its pieces others have their turn."""

    def __init__(self, raw: io.RawIOBase, turn: Turn) -> None:
        self.read_bytes = 0
        self._raw = raw
        self._turn = turn

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._turn.step()
        count = self._raw.readinto(buffer)
        self.read_bytes += count or 0
        if self.read_bytes > MAX_RAW_BYTES:
            raise TooMuch(f"the answer is longer than {MAX_RAW_BYTES // 1024} KiB as it is sent")
        return count

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            super().close()


class _Connection(HTTPConnection):
    response_class = BoundedResponse


class _SecureConnection(HTTPSConnection):
    response_class = BoundedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class BoundedAdapter(HTTPAdapter):
    """Has a session of `requests` read all its answers through `BoundedReader`."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
