"""Thousands of nonsensical frames, bodies and requests: each is refused or ignored, none is told anything, and the server serves on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.peer import BINARY, CLOSE, TEXT, Address, Client, Connection, masked, send_text

ROOT = str(Path(__file__).parents[2]).encode()
SECRETS = (b"Traceback", b"/site-packages/", b'File "', b"eventlet", b"Python", b"Werkzeug", b"Error(", ROOT)
"""What no answer may contain: traces, paths, versions."""
CLOSE_CODES = {1000, 1002, 1007, 1009, 4000, 4006}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.builds("42{}{}".format, st.sampled_from(["", "7", "/custom,", "/custom,7"]), JSON.map(json.dumps))
PIECES = st.sampled_from([
    "4", "2", "0", "1", "3", "5", "6", "-", "/", "/custom", ",", "[", "]", "{", "}", '"', "message", "message-with-ack",
    '{"_placeholder":true,"num":0}', "1e999", "9" * 40, "\x00", "\ud7ff", "?", "b", "\x1e", "null", "probe",
])  # fmt: skip
PACKETS = EVENTS | st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=30)
FRAMES = st.builds(masked, st.sampled_from([TEXT, TEXT, TEXT, BINARY, 0, 9, 10]), PACKETS, fin=st.sampled_from([True, True, True, False]))
HEADERS = st.dictionaries(st.sampled_from(["Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Origin", "Content-Type",
                                           "Cookie", "X-Forwarded-Host", "Expect"]),
                          st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30), max_size=5)  # fmt: skip
QUERIES = st.lists(st.sampled_from([
    "EIO=4", "EIO=3", "EIO=4", "transport=polling", "transport=websocket", "sid=x", "sid=", "t=%00", "%ff", "&", "a[]=1", "j=0", "=",
    "EIO=%34"]), max_size=5).map("&".join)  # fmt: skip

# Each example talks to a server: few of them would be a weak test, and none may be judged by how long it took.
fuzzed = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(params=["/engine.io/", "/socket.io/"])
def client(request: pytest.FixtureRequest, server: Address) -> Client:
    """Of either server."""
    return Client(server, request.param)


def check_silence(answer: bytes) -> None:
    """The answer gives nothing away."""
    for secret in SECRETS:
        assert secret not in answer


@fuzzed
@given(frames=st.lists(FRAMES, max_size=8), joined=st.booleans())
def test_frames(client: Client, frames: list[bytes], joined: bool) -> None:
    """Whatever the frames hold: packets come back, or one close frame with one of few codes and then nothing."""
    connection, _ = client.open_websocket()
    with connection:
        if joined:
            send_text(connection, "40")
        connection.send(b"".join(frames) + masked(CLOSE, b"\x03\xe8"))
        while (frame := connection.frame()).opcode != CLOSE:
            if frame.opcode != BINARY:
                check_silence(frame.payload)
        assert frame.code in CLOSE_CODES
        assert connection.rest() == b""


@fuzzed
@given(body=PACKETS.map(str.encode) | st.binary(max_size=60))
def test_bodies(client: Client, body: bytes) -> None:
    """A body is taken with `ok`, or refused with 400 and the session closed."""
    sid = client.open_polling()
    response = client.post(sid, body)
    check_silence(response.body)
    assert (response.status, response.text) == (200, "ok") if response.status == 200 else response.status == 400
    if response.status == 400:
        assert client.post(sid, "6").status == 400


@fuzzed
@given(method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS"]), query=QUERIES, headers=HEADERS, body=st.binary(max_size=20))
def test_requests(client: Client, method: str, query: str, headers: dict[str, str], body: bytes) -> None:
    """Every request has an answer of the protocol, and none is a server error."""
    with Connection(client.address) as connection:
        connection.request(method, f"{client.path}?{query}", {"Host": "server", "Content-Length": str(len(body)), **headers}, body)
        connection.half_close()
        answer = connection.rest()
    check_silence(answer)
    assert 100 <= int(answer.split()[1]) < 500
