"""Connections that take their time, and more of them than there is room for; the deadlines are made short, and only waited for."""

from __future__ import annotations

import errno
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Response, request

from tests.conformance.peer import Connection
from tests.web.fanout.stand import Stand
from web import entrance
from web.entrance import Entrance, MostRequests
from web.runtime import EventletRuntime

SOON_S = 0.3


@pytest.fixture
def stand() -> Iterator[Stand]:
    """A server that also answers at length, and takes bodies."""
    stand = Stand()
    stand.start()
    stand.app.add_url_rule("/long", "long", lambda: Response(b"x" * 20_000_000))
    stand.app.add_url_rule("/take", "take", lambda: str(len(request.get_data())), methods=["POST"])
    yield stand
    stand.stop()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience with everything."""
    for name in ("_IDLE_S", "_HEADERS_S", "_BODY_S", "_ANSWER_S"):
        monkeypatch.setattr(entrance, name, SOON_S)
    monkeypatch.setattr(entrance, "_ANSWER_BYTES_PER_S", 1e9)


def drip(connection: Connection, piece: bytes) -> None:
    """Send a piece again and again, until the server has hung up."""
    connection.send(piece)
    waiting = SOON_S / 10
    raw = connection._socket
    raw.settimeout(waiting)
    while True:
        try:
            if not raw.recv(65_536):
                return
        except TimeoutError:
            try:
                raw.sendall(piece)
            except OSError:
                return
        except OSError:
            return


DRIPS = {
    "the first line": (b"", b"G"),
    "the headers": (b"GET /take HTTP/1.1\r\n", b"a: b\r\n"),
    "one header": (b"GET /take HTTP/1.1\r\na: ", b"b"),
    "a body": (b"POST /take HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "a body nobody asked for": (b"GET /healthy HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "chunks": (b"POST /take HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "one chunk's length": (b"POST /take HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "trailers": (b"POST /take HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n"),
    "one request after the other": (b"GET /take HTTP/1.1\r\nHost: a\r\n\r\n", b"G"),
}


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("what", DRIPS)
def test_whoever_drips_is_cut_off(stand: Stand, what: str) -> None:
    """Each part of a request has its time as a whole, not a byte at a time; others are served meanwhile."""
    begin, piece = DRIPS[what]
    with Connection(stand.peer.address) as slow:
        slow.send(begin)
        assert stand.peer.http("POST", "/take", b"abc").text == "3"
        drip(slow, piece)
    assert stand.peer.http("POST", "/take", b"abc").text == "3"


@pytest.mark.usefixtures("hasty")
def test_whoever_does_not_read_his_answer_is_cut_off(stand: Stand) -> None:
    """However long the answer; what it took of memory is free."""
    with Connection(stand.peer.address, receive_bytes=4096) as deaf:
        deaf.request("GET", "/long", {"Host": "a"})
        deaf._socket.recv(1)
        while stand.entrance.open:
            stand.breathe()
        assert 0 < len(deaf.rest()) < 20_000_000


@pytest.mark.usefixtures("hasty")
def test_a_post_that_never_ends_closes_its_session(stand: Stand) -> None:
    """With a reason that is counted."""
    sid = stand.peer.open_polling()
    with Connection(stand.peer.address) as slow:
        slow.request("POST", stand.peer.target(sid), {"Host": "a", "Content-Length": "50"}, b"4")
        slow.rest()
    while stand.engine.clients:
        stand.breathe()
    assert stand.engine.closes == {"bad_packet": 1}
    assert stand.peer.poll(sid).status == 400


def test_an_endless_body_is_not_read_to_its_end(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody wants to know is read so far and no further: then the connection is over."""
    monkeypatch.setattr(entrance, "_BODY_BYTES", 100_000)
    with Connection(stand.peer.address) as endless:
        endless.request("GET", "/nothing", {"Host": "a", "Content-Length": str(10**12)})
        assert endless.response().status == 404
        drip(endless, b"x" * 10_000)


@pytest.mark.parametrize(("most", "used"), [(MostRequests(3, 100), 3), (MostRequests(100, 2), 2)])
def test_no_room_for_one_more(stand: Stand, most: MostRequests, used: int) -> None:
    """503 at once and when to come again, in all and from one address; there is room again when somebody leaves."""
    stand.most = most
    with ExitStack() as stack:
        inside = [stack.enter_context(Connection(stand.peer.address)) for _ in range(used)]
        for one in inside:
            one.request("GET", "/nothing", {"Host": "a"})
            assert one.response().status == 404
        refused = stand.peer.http("GET", "/nothing")
        assert (refused.status, refused.headers["retry-after"], refused.body) == (503, "5", b"")
    while stand.peer.http("GET", "/nothing").status == 503:
        pass


def test_websockets_take_no_room(stand: Stand) -> None:
    """Once they have shaken hands they are the engine's, whose limits are others."""
    stand.most = MostRequests(2, 2)
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(stand.websocket())


class Listener:
    """Accepts what a test says."""

    def __init__(self, outcomes: list[Any]) -> None:
        self._outcomes: Iterator[Any] = iter(outcomes)
        self.descriptor = 5

    def fileno(self) -> int:
        """As of a socket."""
        return self.descriptor

    def accept(self) -> Any:
        """The next outcome."""
        outcome = next(self._outcomes)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome, ("192.0.2.1", 1234)


def entered(outcomes: list[Any]) -> Entrance:
    """An entrance with plenty of room."""
    return Entrance(EventletRuntime(), Listener(outcomes), lambda: MostRequests(10, 10))


def test_those_behind_a_proxy_are_not_one() -> None:
    """As many connections as there is room for in all come from its address."""
    newcomers = [SimpleNamespace(fileno=lambda: 7) for _ in range(5)]
    behind = Entrance(EventletRuntime(), Listener(newcomers), lambda: MostRequests(10, 2), lambda address: address == "192.0.2.1")
    assert [behind.accept()[0] for _ in newcomers] == newcomers


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.EPROTO,
                                    errno.ECONNRESET, errno.EPIPE, errno.EPERM])
def test_no_error_of_accept_ends_the_server(number: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once, and tried again."""
    monkeypatch.setattr(entrance, "_AGAIN_S", 0)
    newcomer = SimpleNamespace(fileno=lambda: 7)
    assert entered([OSError(number, "no")] * 5 + [newcomer]).accept()[0] is newcomer
    assert [record.message for record in caplog.records] == [
        "a connection could not be taken: no; new clients are refused meanwhile"]


def test_a_listener_that_was_closed_ends_it() -> None:
    """As it should."""
    with pytest.raises(OSError, match="closed"):
        entered([OSError(errno.EBADF, "closed")]).accept()


def test_descriptors_are_left_for_others(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """When clients have taken nearly all the process may have, newcomers are refused, and feeds go on."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (40 + 64, 1000))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        refused = SimpleNamespace(fileno=lambda: 40, setblocking=ours.setblocking, send=ours.send, close=ours.close)
        newcomer = SimpleNamespace(fileno=lambda: 39)
        assert entered([refused, newcomer]).accept()[0] is newcomer
        assert theirs.recv(1000).startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n")
    assert "of 104 file descriptors only 64 are free" in caplog.text
