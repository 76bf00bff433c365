"""What a client can send that no client should: it harms nobody else, leaves no traceback in the log and none on the wire."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from tests.e2e.quote_checks import check_stream
from tests.e2e.raw import NO_CLOSE_FRAME, POLLING, WEBSOCKET, RawPolling, RawSocket, frame, text
from tests.e2e.server import PATIENCE_S, RunningServer, serving

SETTINGS = """
[broadcast]
flush_ms = 10

[feeds.sim]
kind = "simulated"
interval_s = 0.02

[symbols]
ACME = { feed = "sim" }
"BTC/USD" = { feed = "sim" }
"""
PROTOCOL, NOT_UTF8, TOO_BIG, BAD_PACKET, TOO_MANY = 1002, 1007, 1009, 4000, 4006
PLACEHOLDER = '{"_placeholder":true,"num":0}'
LEAKS = (b"Traceback", b".py", b'Error"', b"site-packages", b"werkzeug", b"eventlet", b"Python")
"""What an answer must not tell of us."""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A relay. In the end its log must hold no traceback; nor any warning, as nothing here is worth one."""
    with serving(SETTINGS) as running:
        yield running
        assert running.lines("WARNING|ERROR|CRITICAL") == []


@pytest.fixture(autouse=True)
def bystander(server: RunningServer) -> Iterator[RawSocket]:
    """Somebody who reads prices meanwhile, and afterwards too."""
    with closing(RawSocket(server.address)) as reader:
        reader.join("/ACME")
        before = [reader.quote("ACME")]
        yield reader
        reader.join("/BTC/USD")  # answered after whatever the test has sent
        check_stream(before + [reader.quote("ACME") for _ in range(2)], "ACME")


def member(server: RunningServer) -> RawSocket:
    """A client on the board that has read its greeting."""
    client = RawSocket(server.address)
    client.join("/")
    client.event("config")
    return client


FRAMES = {
    "unmasked": (frame(1, b"40", mask=None), PROTOCOL),
    "a reserved bit": (frame(1, b"40", reserved=0x40), PROTOCOL),
    "all reserved bits": (frame(1, b"40", reserved=0x70), PROTOCOL),
    "opcode 3": (frame(3, b"x"), PROTOCOL),
    "opcode 11": (frame(11, b"x"), PROTOCOL),
    "opcode 15": (frame(15, b""), PROTOCOL),
    "a continuation of nothing": (frame(0, b"x"), PROTOCOL),
    "text within a fragmented text": (frame(1, b"4", final=False) + frame(1, b"0"), PROTOCOL),
    "a long ping": (frame(9, b"x" * 126), PROTOCOL),
    "a fragmented ping": (frame(9, b"x", final=False), PROTOCOL),
    "a long close": (frame(8, b"\x03\xe8" + b"x" * 124), PROTOCOL),
    "half a close code": (frame(8, b"x"), PROTOCOL),
    "close code 999": (frame(8, (999).to_bytes(2)), PROTOCOL),
    "close code 1005": (frame(8, (1005).to_bytes(2)), PROTOCOL),
    "close code 65535": (frame(8, b"\xff\xff"), PROTOCOL),
    "a close reason that is no text": (frame(8, b"\x03\xe8\xff"), NOT_UTF8),
    "text that is none": (frame(1, b"4\xff\xfe"), NOT_UTF8),
    "half a character": (frame(1, b"4\xe4\xbb"), NOT_UTF8),
    "a surrogate": (text("4\ud800"), NOT_UTF8),
    "a length beyond 63 bits": (b"\x81\xff" + b"\xff" * 8 + b"1234", PROTOCOL),
    "a length of 4 GB": (b"\x81\xff" + (2**32).to_bytes(8) + b"1234", TOO_BIG),
    "70,000 bytes": (text("4" + "x" * 70_000), TOO_BIG),
    "70,000 bytes in fragments": (frame(1, b"4" + b"x" * 35_000, final=False) + frame(0, b"x" * 35_000), TOO_BIG),
    "70,000 fragments": (frame(1, b"4", final=False) + frame(0, b"x", final=False) * 70_000, TOO_BIG),
}


@pytest.mark.parametrize("what", FRAMES)
def test_a_breach_of_the_websocket_protocol_is_closed_with_its_code(server: RunningServer, what: str) -> None:
    """As RFC 6455 says; of a member and of a stranger alike."""
    data, code = FRAMES[what]
    for client in (RawSocket(server.address), member(server)):
        client.send_raw(data)
        assert client.closing().code in (code, NO_CLOSE_FRAME if len(data) > 100_000 else code)  # a reset may overtake the close frame


PACKETS: dict[str, list[str | bytes]] = {
    "an empty message": [""], "no Engine.IO type": ["x"], "Engine.IO type 9": ["9"], "an open packet": ["0{}"],
    "an upgrade without a probe": ["5"], "a probe of a WebSocket": ["2probe"], "no Socket.IO type": ["4"], "Socket.IO type 9": ["49"],
    "a refusal from a client": ["44{}"], "bytes that nobody announced": [b"\x00\x01"], "no bytes": [b""],
    "an event that is an object": ["42{}"], "an event that is a string": ['42"x"'], "an event without a name": ["42[]"],
    "an event called null": ["42[null]"], "an event called connect": ['42["connect"]'],
    "connect with arguments": ['42["connect",{},{}]'], "an event called disconnect": ['42["disconnect"]'],
    "an event called connect_error": ['42["connect_error"]'], "half an event": ['42["message","x'],
    "two events": ['42["message","x"]["y"]'],
    "single quotes": ["42['message','x']"], "30,000 brackets": ["42" + "[" * 30_000],
    "9,000 levels": ["42" + '["a",' * 9_000 + "1" + "]" * 9_000], "9,000 objects": ['42["a",' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "]"],
    "an id of 101 digits": ["42" + "9" * 101 + '["message","x"]'], "a number of 5,000 digits": ['421["rate",' + "9" * 5_000 + "]"],
    "a lone surrogate": ['421["message","\\ud800"]'], "control characters": ['42["message","\x01"]'],
    "an acknowledgement without an id": ['43["x"]'], "an acknowledgement that is an object": ["431{}"],
    "a list as credentials": ["40[]"], "a word as credentials": ['40"token"'],
    "a comma in a namespace": ["40/A,B,"], "a bracket after a namespace": ["40/ACME,["],
    "17 attachments": ['4517-["message"]'], "10 digits of attachments": ['459999999999-["message"]'],
    "text where bytes are due": [f'451-["message",{PLACEHOLDER}]', '42["message","x"]'],
    "an attachment without a place": ['451-["message",{"_placeholder":true,"num":7}]', b"abc"],
    "a place that is no number": ['451-["message",{"_placeholder":true,"num":"0"}]', b"abc"],
    "a place that is a list": ['451-["message",{"_placeholder":true,"num":[]}]', b"abc"],
}  # fmt: skip


@pytest.mark.parametrize("what", PACKETS)
def test_a_packet_that_makes_no_sense_is_closed(server: RunningServer, what: str) -> None:
    """With a code of its own, and nothing said that tells of our insides; on long polling, with 400."""
    client = member(server)
    for packet in PACKETS[what]:
        client.send(packet)
    assert client.closing().code == BAD_PACKET
    assert not [leak for leak in LEAKS if leak in client.wire]
    if all(isinstance(packet, str) for packet in PACKETS[what]) and PACKETS[what] not in (["5"], ["2probe"]):
        polling = RawPolling(server.address)
        polling.post("40")
        status, body = polling.request("POST", polling.target, "\x1e".join(map(str, PACKETS[what])).encode("utf-8"))
        assert status == 400
        assert not [leak for leak in LEAKS if leak in body.encode()]
        assert polling.post("40") == 400, "the session is over"


HARMLESS: dict[str, list[str | bytes]] = {
    "an event to a namespace that it has not joined": ['42/ACME,["message","x"]', '42/NOPE,1["x"]'],
    "an event that a symbol does not know": ["40/ACME,", '42/ACME,1["quote",{"symbol":"ACME","price":1}]'],
    "leaving what it has not joined": ["41/ACME,", "41/NOPE,"], "leaving twice": ["40/ACME,", "41/ACME,", "41/ACME,"],
    "an event called 1": ["42[1]"], "a number behind a join": ["407"],
    "a place before the first": ['451-["message",{"_placeholder":true,"num":-1}]', b"abc"],
    "an answer to nothing": ['437["x"]', '43/ACME,7["x"]'], "a noop": ["6"], "a pong that nobody asked for": ["3", "3", "3probe"],
    "joining twice": ["40", "40", "40/ACME,", "40/ACME,"], "credentials that nobody asked for": ['40/ACME,{"token":"secret"}'],
    "a query in a namespace": ["40/ACME?x=1,"], "an id of 90 digits": ["42" + "9" * 90 + '["message","x"]'],
    "bytes for a message": [f'451-["message",{PLACEHOLDER}]', b"abc"], "bytes for symbols": [f'451-["subscribe",{PLACEHOLDER}]', b"abc"],
    "NUL in a namespace": ["40/\x00,"], "line ends in a namespace": ["40/a\r\nINFO forged,"], "markup": ["40/<script>alert(1)</script>,"],
    "a namespace of 60,000 letters": ["40/" + "x" * 60_000 + ","], "no name in a namespace": ["40/,"], "other scripts": ["40/价格,"],
    "a path out": ["40/../../etc/passwd,"], "a decoded name": ["40/BTC%2FUSD,"],
    "keys twice": ['42["subscribe",{"symbols":"*","symbols":[]}]'],
    "names of Python": ['42["subscribe",{"symbols":["__class__","__init__"]}]', '42["__init__",1]', "40/__class__,"],
    "a symbol that is very long": ['42["subscribe",{"symbols":["' + "x" * 60_000 + '"]}]'],
    "30,000 unknown symbols": ['42["subscribe",{"symbols":[' + ",".join(['"a"'] * 15_000) + "]}]"],
}  # fmt: skip


@pytest.mark.parametrize("what", HARMLESS)
def test_what_is_odd_and_no_breach_is_borne(server: RunningServer, what: str) -> None:
    """The connection goes on, and so does what it was for."""
    client = member(server)
    for packet in HARMLESS[what]:
        client.send(packet)
    assert client.ask("message", "still here", number=77) == {"ok": True}
    assert not [leak for leak in LEAKS if leak in client.wire]
    client.close()


def test_a_thousand_packets_at_once(server: RunningServer, bystander: RawSocket) -> None:
    """Each is answered, some with `too_many_requests`; ten times as many close the connection that sends them."""
    client = member(server)
    client.send_raw(text(*(f'42{number}["message","x"]' for number in range(1000))))
    answers: list[dict[str, Any]] = [json.loads(client.wait("43").lstrip("0123456789"))[0] for _ in range(1000)]
    assert {answer.get("code") for answer in answers} == {None, "too_many_requests"}
    flood = member(server)
    flood.send_raw(text(*(f'42{number}["message","x"]' for number in range(10_000))))
    assert flood.closing().code in (TOO_MANY, NO_CLOSE_FRAME)
    bystander.quote("ACME")


def test_a_thousand_packets_in_one_body(server: RunningServer) -> None:
    """Over long polling: taken in order, and answered a few at a time."""
    client = RawPolling(server.address)
    assert client.post("40", *(f'42{number}["message","x"]' for number in range(1000))) == 200
    answers: list[str] = []
    while len(answers) < 1000:
        packets = client.poll()
        assert len(packets) <= 16, "python-engineio's client refuses more"
        answers += [packet for packet in packets if packet.startswith("43")]
    assert [answer.partition("[")[0] for answer in answers] == [f"43{number}" for number in range(1000)]


def test_somebody_who_never_reads(server: RunningServer, bystander: RawSocket) -> None:
    """Answers that are not fetched are kept up to 256 KiB; then the connection is closed, and the memory is free."""
    client = RawPolling(server.address)
    client.post("40")
    statuses = [client.post(f'42["message","{"x" * 50_000}"]') for _ in range(20)]
    assert statuses[0] == 200
    assert statuses[-1] == 400
    bystander.quote("ACME")


HTTP = {
    "no version": ("GET", "/socket.io/", 400),
    "version 3": ("GET", "/socket.io/?EIO=3&transport=polling", 400),
    "two versions": ("GET", "/socket.io/?EIO=4&EIO=3&transport=polling", 400),
    "no transport": ("GET", "/socket.io/?EIO=4", 400),
    "transport carrier": ("GET", "/socket.io/?EIO=4&transport=carrier", 400),
    "PUT": ("PUT", POLLING, 400),
    "DELETE": ("DELETE", POLLING, 400),
    "POST without a session": ("POST", POLLING, 400),
    "an unknown session": ("GET", f"{POLLING}&sid=x", 400),
    "a session that is no text": ("GET", f"{POLLING}&sid=%ff%00", 400),
    "a WebSocket that is none": ("GET", WEBSOCKET, 400),
    "a path below": ("GET", "/socket.io/../../etc/passwd", 400),
    "another path": ("GET", "/engine.io/?EIO=4&transport=polling", 404),
}


@pytest.mark.parametrize("what", HTTP)
def test_requests_that_make_no_sense(server: RunningServer, what: str) -> None:
    """4xx, in few words."""
    method, path, status = HTTP[what]
    answer = server.get(path, method=method)
    assert answer.status == status
    assert len(answer.body) < 200
    assert not [leak for leak in LEAKS if leak in answer.body + str(answer.headers).encode()]


KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
HANDSHAKES = {
    "no key": {"Sec-WebSocket-Version": "13"},
    "version 8": {"Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "8"},
    "no version": {"Sec-WebSocket-Key": KEY},
    "a short key": {"Sec-WebSocket-Key": "AAAA", "Sec-WebSocket-Version": "13"},
    "a key that is none": {"Sec-WebSocket-Key": "?", "Sec-WebSocket-Version": "13"},
    "the handshake of 2010": {"Sec-WebSocket-Key1": "1 2", "Sec-WebSocket-Key2": "3 4"},
}


@pytest.mark.parametrize("what", HANDSHAKES)
def test_handshakes_that_are_none(server: RunningServer, what: str) -> None:
    """Only RFC 6455 is spoken here."""
    answer = server.get(WEBSOCKET, {"Upgrade": "websocket", "Connection": "Upgrade", **HANDSHAKES[what]})
    assert answer.status == 400
    assert not [leak for leak in LEAKS if leak in answer.body + str(answer.headers).encode()]


NOISE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "a line without end": b"GET /" + b"x" * 100_000,
    "HTTP/9.9": b"GET / HTTP/9.9\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "NUL": b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "10,000 headers": b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(10_000)) + b"\r\n",
    "a header of 1 MB": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "a negative length": b"POST /socket.io/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "a length that is none": f"POST {POLLING}&sid=x HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n".encode(),
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "nothing": b"",
    "a chunk that is none": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    "a request smuggled behind another": (
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\nGET /api/status HTTP/1.1\r\nHost: a\r\n\r\n\r\n"
    ),
}


@pytest.mark.parametrize("what", NOISE)
def test_noise_on_the_port(server: RunningServer, what: str) -> None:
    """Port scanners, broken proxies, worse: an answer of 2xx or 4xx or none, and nothing told of us."""
    with socket.create_connection(server.address, PATIENCE_S) as client:
        try:
            client.sendall(NOISE[what])
            with suppress(OSError):  # it has hung up already
                client.shutdown(socket.SHUT_WR)
            answer = b""
            while data := client.recv(65_536):
                answer += data
        except ConnectionError:
            answer = b""
    assert answer == b"" or re.match(rb"HTTP/1\.[01] (200|4\d\d|505) ", answer)
    assert not [leak for leak in LEAKS if leak in answer]
    assert answer.count(b"HTTP/1.1 200") <= 1, "one request, one answer"


def test_somebody_who_hangs_up_in_the_middle(server: RunningServer) -> None:
    """Of a request, a handshake, a frame, a body, an answer: as if he had never come."""
    connected = server.get("/api/status").json["clients"]
    for data in (
        b"GET /api/quo",
        f"GET {WEBSOCKET} HTTP/1.1\r\nUpgr".encode(),
        f"POST {POLLING}&sid=x HTTP/1.1\r\nContent-Length: 9\r\n\r\n4".encode(),
    ):
        with socket.create_connection(server.address, PATIENCE_S) as client:
            client.sendall(data)
    for data in (b"\x81", b"\x81\xfe\x10", frame(1, b"x" * 1000)[:500], frame(1, b"4", final=False)):
        half = member(server)
        half.send_raw(data)
        half.close()
    while server.get("/api/status").json["clients"] > connected:
        pass
