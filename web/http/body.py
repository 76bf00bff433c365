"""The body of a request as WSGI reads it: whole or not at all, counted while it is read."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator
from http import HTTPStatus
from time import monotonic

import h11

from web.http.connection import Connection, Gone
from web.http.head import BadRequest, bad

BODY_S = 30.0
"""From the first that is read of a body to its end."""
MOST_BYTES = 33_554_432
"""Twice the most that `limits.max_message_bytes` may be."""
MOST_CHUNKS, BYTES_A_CHUNK = 1024, 64
"""A body may have so many chunks, and more where they carry at least so much on average."""
MOST_TRAILERS = 32
LONGEST_LINE = 4096
"""Of a chunk's size with its extensions, and of all trailers together where they come late."""
_PIECE_BYTES = 4096
"""So much of a chunked body is looked at between two turns: some hundreds of the tiniest chunks."""


class Incomplete(Gone):
    """The body ended, or its time did, before it was whole."""


class Body:
    """`wsgi.input`. What it raises is an `OSError`, or `BadRequest` where the framing is broken: then nothing may be done."""

    def __init__(
        self, connection: Connection, parser: h11.Connection, is_chunked: bool, is_expected: bool, go_on: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._parser = parser
        self._is_chunked = is_chunked
        self.is_expected = is_expected
        """Whether the head says that there is one, though it may be empty."""
        self._go_on: Callable[[], None] | None = go_on
        self._until_s = 0.0
        self._taken = self._chunks = 0
        self._rest = b""
        self._tail = b""  # the last bytes that the parser was given
        self.ended = not is_expected
        """Whether all of it has come."""

    def read(self, size: int | None = -1) -> bytes:
        """As files do: `size` bytes, or less at the end."""
        size = MOST_BYTES + 1 if size is None or size < 0 else size
        pieces, length = [self._rest], len(self._rest)
        while length < size and (piece := self._next()) is not None:
            pieces.append(piece)
            length += len(piece)
        everything = b"".join(pieces)
        self._rest = everything[size:]
        return everything[:size]

    def readline(self, size: int | None = -1) -> bytes:
        """As files do."""
        while b"\n" not in self._rest and (piece := self._next()) is not None:
            self._rest += piece
        line = io.BytesIO(self._rest).readline(-1 if size is None else size)
        self._rest = self._rest[len(line) :]
        return line

    def readlines(self, hint: int | None = None) -> list[bytes]:
        """As files do."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _next(self) -> bytes | None:
        """The next piece; `None` at the end."""
        while not self.ended:
            self._connection.take_turn()
            try:
                event = self._parser.next_event()
            except h11.RemoteProtocolError:
                raise bad("the body's framing is broken") from None
            if event is h11.NEED_DATA:
                self._feed()
            elif isinstance(event, h11.Data):
                self._count(event)
                return bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._end(len(list(event.headers)))
        return None

    def _feed(self) -> None:
        """Give the parser more."""
        now_s = monotonic()
        self._until_s = self._until_s or now_s + BODY_S
        unread = self._connection.unread
        if not unread:
            go_on, self._go_on = self._go_on, None
            if go_on is not None:
                go_on()
            if not self._connection.fill(self._until_s):
                raise Incomplete(errno.ECONNABORTED, "the body breaks off")
        if now_s >= self._until_s:
            raise Incomplete(errno.ETIMEDOUT, "the body does not come in time")
        size = _PIECE_BYTES if self._is_chunked else len(unread)
        piece = bytes(unread[:size])
        del unread[:size]
        self._tail = self._tail[-4:] + piece
        self._parser.receive_data(piece)

    def _count(self, data: h11.Data) -> None:
        self._taken += len(data.data)
        self._chunks += data.chunk_start
        if self._taken > MOST_BYTES:
            raise BadRequest(HTTPStatus(413), f"a body may have {MOST_BYTES // 1_048_576} MiB")
        if self._chunks > MOST_CHUNKS + self._taken // BYTES_A_CHUNK:
            raise bad("too many tiny chunks")

    def _end(self, trailers: int) -> None:
        """It is whole. What follows it is the next request's."""
        self.ended = True
        rest = self._parser.trailing_data[0]
        self._connection.unread[:0] = rest
        if trailers > MOST_TRAILERS:
            raise bad("too many trailers")
        if self._is_chunked and not self._tail[: len(self._tail) - len(rest)].endswith(b"\r\n\r\n"):
            raise bad("a line must end with CR LF")  # h11 takes a bare line feed for the end of the trailers
