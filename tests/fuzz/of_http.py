"""What clients send over HTTP, byte by byte: the server is real, its sockets are lists."""

from __future__ import annotations

import re
from typing import Any

from tests.fuzz.target import Target
from tests.web.http.test_framing import BAD, CHUNKED, GET, GOOD
from web.http.connection import Connection
from web.http.server import HttpServer
from web.http.wsgi import responder, whole
from web.runtime import EventletRuntime, Turns

LONGEST_ROW = 4000
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\nDate: [^\r\n]*\r\n")


class Fed(Connection):
    """A connection of which these pieces come, and then its end."""

    __slots__ = ("_pieces", "said")

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__(EventletRuntime(), Turns(), object(), "192.0.2.1", 1, "192.0.2.1")
        self._pieces = pieces
        self.said = b""

    def receive(self, until_s: float, most_bytes: int = 65_536) -> bytes:
        """The next piece, or as much of it as is wanted."""
        if not self._pieces:
            return b""
        piece, rest = self._pieces[0][:most_bytes], self._pieces[0][most_bytes:]
        self._pieces[:1] = [rest] if rest else []
        return piece

    def send(self, data: bytes, until_s: float) -> None:
        """Remember it."""
        self.said += data

    @property
    def has_unread(self) -> bool:
        """Whether more would come."""
        return bool(self.unread or self._pieces)

    def hang_up(self) -> None:
        """It is over."""
        self.socket = None

    def hang_up_gently(self) -> None:
        """The same."""
        self.hang_up()


class Nobody:
    """Is told when a connection waits, and does not care."""

    def waits(self, connection: Connection) -> None:
        """It has nothing to do."""

    def works(self, connection: Connection) -> None:
        """It has."""


def outcome(pieces: list[bytes]) -> tuple[list[bytes], list[tuple[str, str, bytes]]]:
    """Statuses, and what was carried out: method, path, body."""
    done: list[tuple[str, str, bytes]] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        done.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["wsgi.input"].read()))
        assert all(isinstance(value, str) for name, value in environ.items() if name.startswith("HTTP_"))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    connection = Fed([piece for piece in pieces if piece])
    HttpServer(responder(whole(app)), ("h", 80)).serve(connection, Nobody())
    assert connection.socket is None
    statuses = STATUS.findall(connection.said)
    assert len(statuses) == len(re.findall(rb"HTTP/1\.1 [2-5]\d\d ", connection.said))
    assert statuses.count(b"500") == 0
    assert statuses.count(b"200") == len(done)
    return statuses, done


def _http() -> Target:
    """Requests, in one piece and in others: what is cut elsewhere must come to the same."""

    def run(data: bytes) -> None:
        seen = outcome([data])
        assert seen == outcome([data[: len(data) // 2], data[len(data) // 2 :]])
        if len(data) < 300:
            assert seen == outcome([data[at : at + 1] for at in range(len(data))])

    rows = [row[0] for row in GOOD.values()] + [row[0] for row in BAD.values()]
    return Target(run, [*(sent for sent in rows if len(sent) < LONGEST_ROW), GET + CHUNKED + b"3\r\nabc\r\n0\r\n\r\n" + GET, b"", b"\r\n"])


def http_targets() -> dict[str, Target]:
    """All of them."""
    return {"http": _http()}
