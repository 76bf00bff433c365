"""Who is let in over HTTP: as many as there is room for, in all and of one network; whoever waits for nothing has to make room."""

from __future__ import annotations

import errno
import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conformance.peer import Connection
from tests.web.fanout.stand import Stand
from web.http import listener
from web.http.connection import Connection as Inside
from web.http.listener import Listener, MostConnections
from web.http.server import Idle
from web.runtime import EventletRuntime


@pytest.fixture
def stand() -> Iterator[Stand]:
    """A server."""
    stand = Stand()
    stand.start()
    yield stand
    stand.stop()


@pytest.mark.parametrize(("most", "used"), [(MostConnections(3, 100), 3), (MostConnections(100, 2), 2)])
def test_no_room_for_one_more(stand: Stand, most: MostConnections, used: int) -> None:
    """503 at once and when to come again, in all and from one network, while all of them are at something; else the idle make room."""
    stand.most = most
    with ExitStack() as stack:
        inside = [stack.enter_context(Connection(stand.peer.address)) for _ in range(used)]
        for one in inside:
            one.send(b"GET /nothing HTTP/1.1\r\n")
        while stand.listener.open < used or stand.listener.idle:
            stand.breathe()
        refused = stand.peer.http("GET", "/nothing")
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        assert json.loads(refused.text) == {"code": 3, "message": "too many connections", "reason": "too_many_connections"}
        for one in inside:
            one.send(b"Host: a\r\n\r\n")
            assert one.response().status == 404
        assert stand.peer.http("GET", "/nothing").status == 404, "the one that waited longest made room"
        assert inside[0].rest() == b""
        for one in inside[1:]:
            one.send(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
            assert one.response().status == 404
    while stand.listener.open:
        stand.breathe()


def test_websockets_take_no_room(stand: Stand) -> None:
    """Once they have shaken hands they are the engine's, whose limits are others."""
    stand.most = MostConnections(2, 2)
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(stand.websocket())
        assert stand.listener.open == 0


class Crowd:
    """Accepts what a test says, and holds on to whoever was let in."""

    def __init__(self, outcomes: list[Any], address: str = "192.0.2.1") -> None:
        self._outcomes = iter(outcomes)
        self._address = address
        self.inside: list[Any] = []

    def fileno(self) -> int:
        """As of a socket."""
        return 5

    def accept(self) -> Any:
        """The next outcome; then it was closed."""
        outcome = next(self._outcomes, OSError(errno.EBADF, "closed"))
        if isinstance(outcome, OSError):
            raise outcome
        return outcome, (self._address, 1234)

    def serve(self, connection: Inside, idle: Idle) -> None:
        """As `HttpServer.serve`, and never done."""
        self.inside.append(connection.socket)
        EventletRuntime().sleep(3600)


def newcomer(descriptor: int = 7, **methods: Any) -> Any:
    """What looks like a socket."""
    usual = {"fileno": lambda: descriptor, "setblocking": lambda flag: None, "send": len, "close": lambda: None}
    return SimpleNamespace(**{**usual, **methods})


PLENTY = MostConnections(10, 10)


def let_in(crowd: Crowd, most: MostConnections = PLENTY, **options: Any) -> list[Any]:
    """Who came in of a crowd."""
    runtime: Any = EventletRuntime()
    server: Any = crowd
    Listener(runtime, crowd, server, lambda: most, **options).run()
    runtime.sleep(0)
    return crowd.inside


def test_those_behind_a_proxy_are_not_one() -> None:
    """As many connections as there is room for in all come from its address."""
    five = [newcomer() for _ in range(5)]
    assert let_in(Crowd(five), MostConnections(10, 2)) == five[:2]
    assert let_in(Crowd(five), MostConnections(10, 2), is_proxy=lambda address: address == "192.0.2.1") == five


@pytest.mark.parametrize(
    ("address", "number"), [("2001:db8:1:2::%d", 2), ("2001:db8:1:%d::1", 5), ("192.0.2.%d", 5), ("::ffff:192.0.2.%d", 5)]
)
def test_who_has_one_address_of_ipv6_has_them_all(address: str, number: int) -> None:
    """Its first 64 bits are what counts; an IPv4 address counts as itself, however it is written."""
    addresses = iter(range(1, 10))

    class Many(Crowd):
        def accept(self) -> Any:
            self._address = address % next(addresses)
            return super().accept()

    assert len(let_in(Many([newcomer() for _ in range(5)]), MostConnections(10, 2))) == number


@pytest.mark.parametrize(
    "number",
    [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.EPROTO, errno.ECONNRESET, errno.EPIPE, errno.EPERM],
)
def test_no_error_of_accept_ends_the_server(number: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once, and tried again."""
    monkeypatch.setattr(listener, "_AGAIN_S", 0)
    one = newcomer()
    assert let_in(Crowd([OSError(number, "no")] * 5 + [one])) == [one]
    assert [record.message for record in caplog.records] == ["a connection could not be taken: no; new clients are refused meanwhile"]


def test_descriptors_are_left_for_others(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """When clients have taken nearly all the process may have, newcomers are refused, and feeds go on."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (40 + 64, 1000))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        refused = newcomer(40, send=ours.send, close=ours.close)
        one = newcomer(39)
        assert let_in(Crowd([refused, one])) == [one]
        assert theirs.recv(1000).startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n")
    assert "of 104 file descriptors only 64 are free" in caplog.text
