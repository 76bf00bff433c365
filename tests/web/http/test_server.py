"""Connections that take their time, and requests one after the other; the deadlines are made short, and only waited for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import monotonic

import pytest
from flask import Response, request

from tests.conformance.peer import HANDSHAKE, TEXT, Connection, masked
from tests.web.fanout.stand import Stand
from web.http import body, server
from web.http.wsgi import responder
from web.runtime import Turns

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
    for module, name in ((server, "HEAD_S"), (body, "BODY_S"), (server, "ANSWER_S")):
        monkeypatch.setattr(module, name, SOON_S)
    monkeypatch.setattr(server, "ANSWER_BYTES_PER_S", 1e9)


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
        while stand.listener.open:
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
    assert stand.engine.ledger.closes == {"bad_packet": 1}
    assert stand.peer.poll(sid).status == 400


def test_an_endless_body_is_not_read_to_its_end(stand: Stand) -> None:
    """It is refused by its length, and the connection is over."""
    with Connection(stand.peer.address) as endless:
        endless.request("GET", "/nothing", {"Host": "a", "Content-Length": str(10**12)})
        assert endless.response().status == 413
        drip(endless, b"x" * 10_000)


def connections(stand: Stand, *requests: bytes) -> bytes:
    """What comes back until the server hangs up, on one connection that says nothing more."""
    with Connection(stand.peer.address) as connection:
        connection.send(b"".join(requests))
        connection.half_close()
        return connection.rest()


def get(*lines: str, method: str = "GET", path: str = "/nothing") -> bytes:
    """A request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: a", *lines, "", ""]).encode()


def test_how_long_it_waits_is_announced(stand: Stand) -> None:
    """So that a client knows when its connection may be gone."""
    with Connection(stand.peer.address) as connection:
        connection.send(get())
        answer = connection.response()
        assert (answer.headers["connection"], answer.headers["keep-alive"]) == ("keep-alive", "timeout=75")
        connection.send(get("Connection: close"))
        answer = connection.response()
        assert (answer.headers["connection"], "keep-alive" in answer.headers) == ("close", False)
        assert connection.rest() == b""


def test_who_comes_in_the_last_second_is_told_that_it_was_the_last(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """What he sent next might cross the server's hanging up; the first request of a connection has its time anew."""
    monkeypatch.setattr(server, "CLOSING_S", 74.999)
    with Connection(stand.peer.address) as connection:
        connection.send(get())
        connection.response()
        waited_s = monotonic() + 0.002
        while monotonic() < waited_s:
            stand.breathe()
        connection.send(get())
        assert connection.response().headers["connection"] == "close"
        assert connection.rest() == b""


def test_nobody_waits_longer_than_he_may(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the connection is closed without a word: there is no request to answer."""
    monkeypatch.setattr(stand.http, "_keep_alive_s", SOON_S)
    with Connection(stand.peer.address) as connection:
        connection.send(get())
        assert connection.response().status == 404
        assert connection.rest() == b""


def test_no_answer_to_head_has_a_body(stand: Stand) -> None:
    """But the length that GET's has; the next answer is read where it begins."""
    stand.app.add_url_rule("/ten", "ten", lambda: "0123456789")
    with Connection(stand.peer.address) as connection:
        connection.request("HEAD", "/ten", {"Host": "a"})
        assert connection.response().headers["content-length"] == "10"
        connection.request("GET", "/ten", {"Host": "a"})
        assert connection.response().text == "0123456789"


def test_who_asks_first_is_told_to_go_on(stand: Stand) -> None:
    """`Expect: 100-continue`: as soon as the body is wanted, and not where it never will be."""
    with Connection(stand.peer.address) as connection:
        connection.send(get("Content-Length: 3", "Expect: 100-continue", method="POST", path="/take"))
        assert connection.response().status == 100
        connection.send(b"abc")
        assert connection.response().text == "3"
        connection.send(get("Content-Length: 100000", "Expect: 100-continue", method="POST", path="/take"))
        assert connection.response().status == 413
        assert connection.rest() == b""


def test_every_answer_says_when_it_was_made(stand: Stand) -> None:
    """RFC 9110 section 6.6.1; also where Flask was never asked."""
    for said in (get(), b"nonsense\r\n\r\n"):
        assert re.search(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", connections(stand, said))


def test_an_error_of_ours_is_one_answer_and_one_traceback(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """500 in the shape of all errors; the connection goes on."""

    def broken(environ: object, start_response: object) -> list[bytes]:
        raise ZeroDivisionError("a bug")

    stand.http._respond = responder(broken)
    answers = connections(stand, get(), get())
    assert answers.count(b"HTTP/1.1 500 Internal Server Error\r\n") == 2
    assert answers.count(b'{"error":{"code":"internal_error","message":"Internal Server Error"}}') == 2
    assert b"a bug" not in answers
    assert [record.message for record in caplog.records] == ["a request could not be answered"] * 2


def test_a_refusal_is_read_to_its_end(stand: Stand) -> None:
    """Though more is on its way than anybody reads: hanging up with bytes unread would be a reset, and the answer lost."""
    for _ in range(20):
        answer = connections(stand, b"GET /" + b"a" * 600_000)
        assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
        assert answer.endswith(b'"the head of a request may have 32 KiB"}}')


def test_what_is_sent_right_behind_a_handshake_is_heard(stand: Stand) -> None:
    """A WebSocket client should wait for the answer; one that does not loses nothing."""
    with Connection(stand.peer.address) as eager:
        eager.request("GET", stand.peer.target(transport="websocket"), HANDSHAKE, masked(TEXT, "40/nobody,"))
        assert eager.response().status == 101
        assert eager.frame().text.startswith("0")
        assert eager.frame().text.startswith("44/nobody,")


@pytest.mark.parametrize(("said", "pieces"), [
    (get() * 100, 100), (get(path="/take") * 100, 100), (get("Content-Length: 1", method="POST", path="/take") + b"x", 2),
    (get("Transfer-Encoding: chunked", method="POST", path="/take") + b"1\r\nx\r\n" * 500 + b"0\r\n\r\n", 500),
    (get(*(f"X-{number}: y" for number in range(90))), 2), (b"\r\n" * 10_000 + get(), 2)])  # fmt: skip
def test_whatever_has_come_already_each_piece_of_work_takes_a_turn(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, said: bytes, pieces: int
) -> None:
    """Though none of it had to be waited for."""
    taken = [0]
    take = Turns.take

    def counted(self: Turns, round: int, key: str = "") -> int:
        taken[0] += 1
        return take(self, round, key)

    monkeypatch.setattr(Turns, "take", counted)
    assert b"HTTP/1.1 " in connections(stand, said)
    assert taken[0] >= pieces


def test_a_stream_of_requests_gives_others_their_turn(stand: Stand) -> None:
    """One connection that never runs dry, asked for by a client that never reads on; quotes go out meanwhile, window by window."""
    stand.add_symbols("A")
    with Connection(stand.peer.address) as greedy, stand.websocket("/A") as reader:
        stand.runtime.spawn(greedy.send, get(path="/take") * 3000)
        reads = stand.runtime.spawn(greedy.rest)
        for number in range(1, 30):
            stand.tick("A", price=float(number))
            assert reader.quote()["price"] == number
        reads.kill()
