"""Engine.IO protocol, revision 4, checked from its text: every MUST of a server, on a bare Engine.IO server and beneath Socket.IO.

https://github.com/socketio/engine.io-protocol (README.md). Constants are those of the official suite but for its ping times.
"""

from __future__ import annotations

import json

import pytest

from tests.conformance.peer import BINARY, CLOSE, TEXT, Address, Client, Connection, Frame, masked, send_text
from tests.conformance.server import MAX_PAYLOAD_BYTES

SEPARATOR = "\x1e"


@pytest.fixture(params=["/engine.io/", "/socket.io/"])
def client(request: pytest.FixtureRequest, server: Address) -> Client:
    """Of either server: they share all of Engine.IO."""
    return Client(server, request.param)


@pytest.fixture
def echo(server: Address) -> Client:
    """Of the bare one, which sends every message back."""
    return Client(server, "/engine.io/")


@pytest.fixture
def pinged(impatient: Address) -> Client:
    """Of a bare one that pings every second."""
    return Client(impatient, "/engine.io/")


# Handshake


def test_polling_handshake(client: Client) -> None:
    """The open packet, with the five keys of the protocol and no other."""
    response = client.http("GET", client.target())
    assert response.status == 200
    assert response.headers["content-type"].lower() == "text/plain; charset=utf-8"
    opened = json.loads(response.text.removeprefix("0"))
    assert isinstance(opened.pop("sid"), str)
    assert opened == {"upgrades": ["websocket"], "pingInterval": 60_000, "pingTimeout": 50_000, "maxPayload": MAX_PAYLOAD_BYTES}


def test_websocket_handshake(client: Client) -> None:
    """The same in a frame; there is nothing to upgrade to."""
    connection, opened = client.open_websocket()
    with connection:
        assert isinstance(opened.pop("sid"), str)
        assert opened == {"upgrades": [], "pingInterval": 60_000, "pingTimeout": 50_000, "maxPayload": MAX_PAYLOAD_BYTES}


def test_session_ids_are_unlike(client: Client) -> None:
    """They are the only secret between the two: long, and no two the same."""
    sids = {client.open_polling() for _ in range(50)}
    assert len(sids) == 50
    assert min(map(len, sids)) >= 20


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("query", [{"EIO": ""}, {"EIO": "abc"}, {"EIO": "3"}, {"EIO": "5"}, {"transport": ""}, {"transport": "abc"}])
def test_query_parameters_are_mandatory(client: Client, transport: str, query: dict[str, str]) -> None:
    """Missing or unknown ones are answered with 400."""
    assert client.http("GET", client.target(**{"transport": transport, **query})).status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD"])
def test_a_session_begins_with_get(client: Client, method: str) -> None:
    """Any other method is answered with 400."""
    assert client.http(method, client.target(), headers={"Content-Length": "0"}).status == 400


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_unknown_sessions(client: Client, transport: str) -> None:
    """400 for a session id that nobody was given."""
    target = client.target("nobody", transport)
    assert client.http("GET", target).status == 400
    assert client.http("POST", target, "4hello").status == 400


# Messages


@pytest.mark.parametrize("payload", [
    "4hello", SEPARATOR.join(("4test1", "4test2", "4test3")), SEPARATOR.join(("4hello", "bAQIDBA==")), "bAAEC", "4", "4€uro 😀",
    SEPARATOR.join(("bAQ==", "4x", "bAg==")),
])  # fmt: skip
def test_polling_payloads(echo: Client, payload: str) -> None:
    """Text and binary packets come back in their order, several in one answer, binary as base64."""
    sid = echo.open_polling()
    posted = echo.post(sid, payload)
    assert (posted.status, posted.text) == (200, "ok")
    polled = echo.poll(sid)
    assert (polled.status, polled.text) == (200, payload)


def test_a_poll_waits_for_something_to_say(echo: Client) -> None:
    """It is answered when there is a packet, not before."""
    sid = echo.open_polling()
    with echo.pending_poll(sid) as pending:
        assert echo.post(sid, "4hello").text == "ok"
        assert pending.response().text == "4hello"


def test_chunked_bodies(echo: Client) -> None:
    """A body may come in chunks, as from a proxy."""
    sid = echo.open_polling()
    response = echo.http("POST", echo.target(sid), b"4\r\n4hel\r\n2\r\nlo\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"})
    assert (response.status, response.text) == (200, "ok")
    assert echo.poll(sid).text == "4hello"


def test_chunked_bodies_that_are_too_long(echo: Client) -> None:
    """The limit holds without a length in the header, too."""
    sid = echo.open_polling()
    body = b"%x\r\n" % (MAX_PAYLOAD_BYTES + 1) + b"4" * (MAX_PAYLOAD_BYTES + 1) + b"\r\n0\r\n\r\n"
    assert echo.http("POST", echo.target(sid), body, {"Transfer-Encoding": "chunked"}).status == 413
    assert echo.poll(sid).status == 400


def test_a_body_that_ends_early(echo: Client) -> None:
    """Half a body is handled as none: the session is closed, for something is lost."""
    sid = echo.open_polling()
    with Connection(echo.address) as connection:
        connection.request("POST", echo.target(sid), {"Host": "server", "Content-Length": "100"}, b"4hello")
        connection.half_close()
        assert connection.response().status == 400
    assert echo.poll(sid).status == 400


@pytest.mark.parametrize("body", [
    "abc", "", "4a" + SEPARATOR, SEPARATOR, "0", "2", "2probe", "5", "7", "9", "b!!!", "bAQ", b"4\xff\xfe", "b\u20ac",
])  # fmt: skip
def test_polling_packets_that_make_no_sense(client: Client, body: str | bytes) -> None:
    """400, and the session is closed."""
    sid = client.open_polling()
    assert client.post(sid, body).status == 400
    assert client.poll(sid).status == 400


def test_polling_bodies_that_are_too_long(client: Client) -> None:
    """More than `maxPayload` is refused before it is read, and the session is closed."""
    sid = client.open_polling()
    assert client.http("POST", client.target(sid), "4", {"Content-Length": str(MAX_PAYLOAD_BYTES + 1)}).status == 413
    assert client.poll(sid).status == 400


def test_two_polls_at_a_time(client: Client) -> None:
    """The second is answered with 400, the first with a close packet, and the session is closed."""
    sid = client.open_polling()
    with client.pending_poll(sid) as first:
        assert client.poll(sid).status == 400
        response = first.response()
        assert (response.status, response.text) == (200, "1")
    assert client.poll(sid).status == 400


def test_two_posts_at_a_time(echo: Client) -> None:
    """400, and the session is closed."""
    sid = echo.open_polling()
    with Connection(echo.address) as slow:
        slow.request("POST", echo.target(sid), {"Host": "server", "Content-Length": "6", "Expect": "100-continue"})
        assert slow.response().status == 100  # it is being read
        assert echo.post(sid, "4hello").status == 400
        assert echo.poll(sid).status == 400


@pytest.mark.parametrize("packet", ["4hello", "4", "4€uro 😀", "4" + "x" * 100_000])
def test_websocket_text(echo: Client, packet: str) -> None:
    """A packet a frame."""
    connection, _ = echo.open_websocket()
    with connection:
        send_text(connection, packet)
        assert connection.frame().text == packet


def test_websocket_binary(echo: Client) -> None:
    """Binary goes as it is."""
    connection, _ = echo.open_websocket()
    with connection:
        connection.send(masked(BINARY, b"\x01\x02\x03\x04"))
        assert connection.frame() == Frame(BINARY, b"\x01\x02\x03\x04")


@pytest.mark.parametrize("packet", ["abc", "", "0", "2", "2probe", "5", "7", "b"])
def test_websocket_packets_that_make_no_sense(client: Client, packet: str) -> None:
    """The connection is closed."""
    connection, opened = client.open_websocket()
    with connection:
        send_text(connection, packet)
        assert connection.frame().code == 4000
        assert connection.rest() == b""
        assert client.poll(opened["sid"]).status == 400


# Heartbeat


def test_heartbeat(pinged: Client) -> None:
    """A ping an interval, by both transports, and who answers it stays."""
    connection, _ = pinged.open_websocket()
    sid = pinged.open_polling()
    with connection:
        for _ in range(3):
            assert connection.frame().text == "2"
            send_text(connection, "3")
            assert pinged.poll(sid).text == "2"
            assert pinged.post(sid, "3").text == "ok"


def test_who_answers_no_ping_is_closed(pinged: Client) -> None:
    """A pending poll ends with a close packet, a WebSocket with our code."""
    connection, _ = pinged.open_websocket()
    sid = pinged.open_polling()
    with connection:
        assert pinged.poll(sid).text == "2"
        assert pinged.poll(sid).text == "1"
        assert pinged.poll(sid).status == 400
        assert connection.frame().text == "2"
        assert connection.frame().code == 4004


def test_a_pong_before_the_ping_proves_nothing(pinged: Client) -> None:
    """Unsolicited pongs do not keep a session."""
    connection, _ = pinged.open_websocket()
    with connection:
        send_text(connection, *["3"] * 50)
        assert connection.frame().text == "2"
        assert connection.frame().code == 4004


# Close


def test_polling_close(client: Client) -> None:
    """A close packet ends the session; the pending poll is answered with a no-op."""
    sid = client.open_polling()
    with client.pending_poll(sid) as pending:
        assert client.post(sid, "1").text == "ok"
        response = pending.response()
        assert (response.status, response.text) == (200, "6")
    assert client.poll(sid).status == 400


def test_websocket_close(client: Client) -> None:
    """A close packet ends the connection."""
    connection, opened = client.open_websocket()
    with connection:
        send_text(connection, "1")
        assert connection.frame().code == 1000
        assert connection.rest() == b""
        assert client.poll(opened["sid"]).status == 400


# Upgrade


def test_upgrade(echo: Client) -> None:
    """Probe, the pending poll ends with a no-op, upgrade; what waits goes through the WebSocket."""
    sid = echo.open_polling()
    with echo.pending_poll(sid) as pending, echo.websocket(sid) as connection:
        send_text(connection, "2probe")
        assert connection.frame().text == "3probe"
        assert pending.response().text == "6"
        assert echo.poll(sid).text == "6"
        assert echo.post(sid, "4last").text == "ok"
        send_text(connection, "5", "4hello")
        assert connection.packets(2) == ["4last", "4hello"]


def test_until_it_is_probed_a_websocket_takes_nothing_from_the_polls(echo: Client) -> None:
    """A proxy may let the handshake through and no frame: messages go on by polling."""
    sid = echo.open_polling()
    with echo.websocket(sid):
        assert echo.post(sid, "4hello").text == "ok"
        assert echo.poll(sid).text == "4hello"


@pytest.mark.parametrize("packets", [["4hello"], ["5"], ["2probe", "4hello"], ["2probe", "2probe", "abc"], ["2"], [""]])
def test_a_failed_probe_leaves_the_session_polling(echo: Client, packets: list[str]) -> None:
    """Whatever goes wrong on the WebSocket, that alone is closed; another may be tried."""
    sid = echo.open_polling()
    for _ in range(2):
        with echo.websocket(sid) as connection:
            send_text(connection, *packets)
            assert connection.until_close().code == 4000
            assert connection.rest() == b""
        assert echo.post(sid, "4hello").text == "ok"
        assert echo.poll(sid).text == "4hello"


def test_a_probe_that_hangs_up_leaves_the_session_polling(echo: Client) -> None:
    """The same for a WebSocket that is gone."""
    sid = echo.open_polling()
    with echo.websocket(sid) as connection:
        send_text(connection, "2probe")
        assert connection.frame().text == "3probe"
        connection.half_close()
        assert connection.frame().opcode == CLOSE
    assert echo.post(sid, "4hello").text == "ok"
    assert echo.poll(sid).text == "4hello"


def test_after_the_upgrade_http_is_refused(echo: Client) -> None:
    """400 for polls and posts; the WebSocket is not disturbed."""
    sid = echo.open_polling()
    with echo.websocket(sid) as connection:
        send_text(connection, "2probe", "5", "4ready")
        assert connection.packets(2) == ["3probe", "4ready"]
        assert echo.poll(sid).status == 400
        assert echo.post(sid, "4x").status == 400
        send_text(connection, "4hello")
        assert connection.frame().text == "4hello"


@pytest.mark.parametrize("upgraded", [True, False])
def test_a_second_websocket_is_closed(echo: Client, upgraded: bool) -> None:
    """It is answered, then closed; the first one stays."""
    sid = echo.open_polling()
    with echo.websocket(sid) as connection:
        send_text(connection, "2probe", *(["5", "4ready"] if upgraded else []))
        assert connection.packets(2 if upgraded else 1)[0] == "3probe"
        with echo.websocket(sid) as second:
            assert second.frame().code == 4007
            assert second.rest() == b""
        send_text(connection, *([] if upgraded else ["5"]), "4hello")
        assert connection.frame().text == "4hello"


def test_cross_origin_requests(client: Client) -> None:
    """An origin that is allowed is named in each answer, errors included, so that the page may read it."""
    origin = {"Origin": "http://elsewhere"}
    for response in (
        client.http("GET", client.target(), headers=origin),
        client.http("OPTIONS", client.target(), headers=origin),
        client.http("GET", client.target(EIO="3"), headers=origin),
    ):
        assert response.headers["access-control-allow-origin"] == "http://elsewhere"
        assert response.headers["access-control-allow-credentials"] == "true"
        assert response.headers["vary"] == "Origin"


def test_text_is_sent_as_text(echo: Client) -> None:
    """A message that holds only ASCII letters of base64 stays text."""
    connection, _ = echo.open_websocket()
    with connection:
        send_text(connection, "4bAQIDBA==")
        assert connection.frame() == Frame(TEXT, b"4bAQIDBA==")
