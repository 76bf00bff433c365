"""RFC 6455 on the raw socket: what a server must answer to each frame, and with which code it closes."""

from __future__ import annotations

import pytest

from tests.conformance.peer import (
    ACCEPT,
    BINARY,
    CLOSE,
    CONTINUATION,
    HANDSHAKE,
    KEY,
    PING,
    PONG,
    TEXT,
    Address,
    Client,
    Connection,
    Frame,
    close_payload,
    masked,
    send_text,
)
from tests.conformance.server import MAX_PAYLOAD_BYTES

Case = tuple[str, bytes, list[Frame]]


def echoed(payload: str | bytes) -> Frame:
    """What the bare Engine.IO server sends back."""
    return Frame(TEXT, payload.encode()) if isinstance(payload, str) else Frame(BINARY, payload)


def closed(code: int) -> Frame:
    """A close frame; of its payload only the code is looked at."""
    return Frame(CLOSE, close_payload(code))


TEXTS: list[Case] = [
    (f"text of {size} bytes", masked(TEXT, "4" + "x" * (size - 1)), [echoed("4" + "x" * (size - 1))])
    for size in (1, 2, 125, 126, 127, 128, 65_535, 65_536, 200_000)
]
BINARIES: list[Case] = [
    (f"binary of {size} bytes", masked(BINARY, b"\xfe" * size), [echoed(b"\xfe" * size)])
    for size in (0, 1, 125, 126, 127, 65_535, 65_536, 200_000)
]
MASKS: list[Case] = [
    ("mask of zeros", masked(TEXT, "4a", mask=bytes(4)), [echoed("4a")]),
    ("mask of ones", masked(TEXT, "4abcdefg", mask=b"\xff" * 4), [echoed("4abcdefg")]),
    *((f"unmasked, opcode {opcode}", masked(opcode, "4a", mask=None), [closed(1002)]) for opcode in (TEXT, BINARY, CLOSE, PING, PONG)),
    ("unmasked continuation", masked(TEXT, "4", fin=False) + masked(CONTINUATION, "a", mask=None), [closed(1002)]),
]
RESERVED_BITS: list[Case] = [
    *((f"reserved bits {bits:03b}", masked(TEXT, "4a", reserved=bits), [closed(1002)]) for bits in range(1, 8)),
    *((f"reserved bit, opcode {opcode}", masked(opcode, b"", reserved=4), [closed(1002)]) for opcode in (BINARY, CLOSE, PING, PONG)),
    ("reserved bit in a continuation", masked(TEXT, "4", fin=False) + masked(CONTINUATION, "a", reserved=1), [closed(1002)]),
    ("reserved bit after a message", masked(TEXT, "4a") + masked(TEXT, "4b", reserved=2), [echoed("4a"), closed(1002)]),
]
OPCODES: list[Case] = [
    *((f"opcode {opcode}", masked(opcode), [closed(1002)]) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    *((f"opcode {opcode} with a payload", masked(opcode, "payload"), [closed(1002)]) for opcode in (3, 7, 11, 15)),
    *((f"opcode {opcode} within a message", masked(TEXT, "4", fin=False) + masked(opcode), [closed(1002)]) for opcode in (3, 11)),
]
PINGS: list[Case] = [
    *((f"ping of {size} bytes", masked(PING, b"\xff" * size), [Frame(PONG, b"\xff" * size)]) for size in (0, 1, 124, 125)),
    ("ten pings", b"".join(masked(PING, f"{number}") for number in range(10)), [Frame(PONG, b"%d" % number) for number in range(10)]),
    ("pong nobody asked for", masked(PONG, "x") + masked(TEXT, "4a"), [echoed("4a")]),
    ("empty pong", masked(PONG) + masked(PING, "y"), [Frame(PONG, b"y")]),
    ("ping of 126 bytes", masked(PING, b"x" * 126), [closed(1002)]),
    ("pong of 126 bytes", masked(PONG, b"x" * 126), [closed(1002)]),
    ("ping with a long length", masked(PING, b"x", length_bytes=2), [closed(1002)]),
    ("ping in fragments", masked(PING, "a", fin=False) + masked(CONTINUATION, "b"), [closed(1002)]),
    ("pong in fragments", masked(PONG, "a", fin=False) + masked(CONTINUATION, "b"), [closed(1002)]),
]
FRAGMENTS: list[Case] = [
    ("two", masked(TEXT, "4ab", fin=False) + masked(CONTINUATION, "cd"), [echoed("4abcd")]),
    ("two, of binary", masked(BINARY, b"\x01", fin=False) + masked(CONTINUATION, b"\x02"), [echoed(b"\x01\x02")]),
    (
        "a hundred",
        masked(TEXT, "4", fin=False) + masked(CONTINUATION, "x", fin=False) * 98 + masked(CONTINUATION, "x"),
        [echoed("4" + "x" * 99)],
    ),
    ("an empty first", masked(TEXT, "", fin=False) + masked(CONTINUATION, "4a"), [echoed("4a")]),
    ("an empty last", masked(TEXT, "4a", fin=False) + masked(CONTINUATION, ""), [echoed("4a")]),
    ("all empty", masked(BINARY, "", fin=False) + masked(CONTINUATION, "", fin=False) + masked(CONTINUATION, ""), [echoed(b"")]),
    ("a ping between", masked(TEXT, "4a", fin=False) + masked(PING, "p") + masked(CONTINUATION, "b"), [Frame(PONG, b"p"), echoed("4ab")]),
    (
        "a ping before each",
        masked(PING, "1")
        + masked(TEXT, "4a", fin=False)
        + masked(PING, "2")
        + masked(CONTINUATION, "b", fin=False)
        + masked(PING, "3")
        + masked(CONTINUATION, "c"),
        [*(Frame(PONG, b"%d" % number) for number in (1, 2, 3)), echoed("4abc")],
    ),
    ("a pong between", masked(TEXT, "4a", fin=False) + masked(PONG, "p") + masked(CONTINUATION, "b"), [echoed("4ab")]),
    ("a close between", masked(TEXT, "4a", fin=False) + masked(CLOSE, close_payload(1001)) + masked(CONTINUATION, "b"), [closed(1001)]),
    ("twice", (masked(TEXT, "4a", fin=False) + masked(CONTINUATION, "b")) * 2, [echoed("4ab")] * 2),
    ("a message after", masked(TEXT, "4a", fin=False) + masked(CONTINUATION, "b") + masked(TEXT, "4c"), [echoed("4ab"), echoed("4c")]),
    ("none begun", masked(CONTINUATION, "4a"), [closed(1002)]),
    ("none begun, not the last", masked(CONTINUATION, "4a", fin=False), [closed(1002)]),
    ("none begun any more", masked(TEXT, "4a") + masked(CONTINUATION, "b"), [echoed("4a"), closed(1002)]),
    ("a text within", masked(TEXT, "4a", fin=False) + masked(TEXT, "4b"), [closed(1002)]),
    ("a binary within", masked(TEXT, "4a", fin=False) + masked(BINARY, "b"), [closed(1002)]),
    ("another begun", masked(TEXT, "4a", fin=False) + masked(TEXT, "4b", fin=False), [closed(1002)]),
]
UTF8 = {
    "two bytes": "é".encode(), "three bytes": "κόσμε €".encode(), "four bytes": "𝄞😀".encode(),
    "the first of each length": "\x00\x80\u0800\U00010000".encode(),
    "the last of each length": "\x7f\u07ff\uffff\U0010ffff".encode(), "around the surrogates": "\ud7ff\ue000".encode(),
    "no character": "\ufffe\U0001ffff".encode(), "a byte order mark": "\ufeffa".encode(), "a combination": "e\u0301".encode(),
}  # fmt: skip
NOT_UTF8 = {
    "a lone continuation": b"\x80", "the last continuation": b"\xbf", "a lone start of two": b"\xc3", "a start before a space": b"\xc3 ",
    "a start of three, cut": b"\xe2\x82", "a start of four, cut": b"\xf0\x9f\x98", "an overlong slash": b"\xc0\xaf",
    "an overlong slash in three": b"\xe0\x80\xaf", "an overlong slash in four": b"\xf0\x80\x80\xaf", "an overlong zero": b"\xc0\x80",
    "an overlong maximum": b"\xe0\x9f\xbf", "a high surrogate": b"\xed\xa0\x80", "a low surrogate": b"\xed\xbf\xbf",
    "a pair of surrogates": b"\xed\xa0\x80\xed\xb0\x80", "above the last": b"\xf4\x90\x80\x80", "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80", "fe": b"\xfe", "ff": b"\xff", "Latin-1": "Zürich".encode("latin-1"),
    "good, then bad": "κόσμε".encode() + b"\xed\xa0\x80" + b"edited",
}  # fmt: skip
TEXT_ENCODING: list[Case] = [
    *((name, masked(TEXT, b"4" + text), [Frame(TEXT, b"4" + text)]) for name, text in UTF8.items()),
    *((f"{name}, a byte a fragment", masked(TEXT, "4", fin=False) + b"".join(
        masked(CONTINUATION, text[at:at + 1], fin=at == len(text) - 1) for at in range(len(text))), [Frame(TEXT, b"4" + text)])
      for name, text in UTF8.items()),
    *((name, masked(TEXT, b"4" + text), [closed(1007)]) for name, text in NOT_UTF8.items()),
    *((f"{name}, a byte a fragment", masked(TEXT, "4", fin=False) + b"".join(
        masked(CONTINUATION, text[at:at + 1], fin=at == len(text) - 1) for at in range(len(text))), [closed(1007)])
      for name, text in NOT_UTF8.items()),
    ("as binary it is well", masked(BINARY, b"\xff\xfe\xed\xa0\x80"), [echoed(b"\xff\xfe\xed\xa0\x80")]),
]  # fmt: skip
ALLOWED_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
FORBIDDEN_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65_535)
CLOSES: list[Case] = [
    ("no code", masked(CLOSE), [Frame(CLOSE, b"")]),
    *((f"code {code}", masked(CLOSE, close_payload(code)), [closed(code)]) for code in ALLOWED_CODES),
    *((f"code {code} with a reason", masked(CLOSE, close_payload(code, "Grüße")), [closed(code)]) for code in (1000, 4999)),
    *((f"code {code}", masked(CLOSE, close_payload(code)), [closed(1002)]) for code in FORBIDDEN_CODES),
    ("half a code", masked(CLOSE, b"\x03"), [closed(1002)]),
    ("the longest reason", masked(CLOSE, close_payload(1000, "x" * 123)), [closed(1000)]),
    ("too long a reason", masked(CLOSE, close_payload(1000, "x" * 124)), [closed(1002)]),
    *(
        (f"a reason that is not UTF-8: {name}", masked(CLOSE, close_payload(1000, text)), [closed(1007)])
        for name, text in list(NOT_UTF8.items())[:5]
    ),
    ("in fragments", masked(CLOSE, close_payload(1000), fin=False) + masked(CONTINUATION, ""), [closed(1002)]),
    ("and a message after it", masked(CLOSE, close_payload(1000)) + masked(TEXT, "4a"), [closed(1000)]),
    ("and a ping after it", masked(CLOSE, close_payload(1000)) + masked(PING, "a"), [closed(1000)]),
    ("and nonsense after it", masked(CLOSE, close_payload(1000)) + b"\xff" * 100, [closed(1000)]),
    ("twice", masked(CLOSE, close_payload(1001)) * 2, [closed(1001)]),
    ("after a message", masked(TEXT, "4a") + masked(CLOSE, close_payload(1000)), [echoed("4a"), closed(1000)]),
]
LIMITS: list[Case] = [
    ("as long as allowed", masked(TEXT, "6" + "x" * (MAX_PAYLOAD_BYTES - 1)) + masked(TEXT, "4a"), [echoed("4a")]),
    (
        "as long as allowed, in fragments",
        masked(TEXT, "6" + "x" * 499_999, fin=False) + masked(CONTINUATION, "x" * 500_000) + masked(TEXT, "4a"),
        [echoed("4a")],
    ),
    ("a byte too much", masked(TEXT, b"", length=MAX_PAYLOAD_BYTES + 1), [closed(1009)]),
    ("far too much, of which nothing comes", masked(BINARY, b"", length=(1 << 63) - 1), [closed(1009)]),
    ("a byte too much that all comes", masked(TEXT, "4" + "x" * MAX_PAYLOAD_BYTES), [closed(1009)]),
    ("a byte too much in fragments", masked(TEXT, b"4" * MAX_PAYLOAD_BYTES, fin=False) + masked(CONTINUATION, "x"), [closed(1009)]),
    ("the sum of fragments", masked(BINARY, b"x" * 600_000, fin=False) + masked(CONTINUATION, "", length=600_000), [closed(1009)]),
    ("a length with its highest bit", masked(TEXT, b"", length=1 << 63), [closed(1002)]),
    ("two bytes for a length of 125", masked(TEXT, b"4" * 125, length_bytes=2), [closed(1002)]),
    ("eight bytes for a length of 1", masked(TEXT, b"4", length_bytes=8), [closed(1002)]),
    ("eight bytes for a length of 65,535", masked(TEXT, b"4" * 65_535, length_bytes=8), [closed(1002)]),
    ("not Engine.IO", masked(TEXT, "abc"), [closed(4000)]),
    ("an empty text", masked(TEXT, ""), [closed(4000)]),
    ("not Engine.IO after a message", masked(TEXT, "4a") + masked(TEXT, "x"), [echoed("4a"), closed(4000)]),
]
CASES: dict[str, list[Case]] = {
    "texts": TEXTS, "binaries": BINARIES, "masks": MASKS, "reserved": RESERVED_BITS, "opcodes": OPCODES, "pings": PINGS,
    "fragments": FRAGMENTS, "utf8": TEXT_ENCODING, "closes": CLOSES, "limits": LIMITS,
}  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "expected"),
    [pytest.param(sent, expected, id=f"{group}: {name}") for group, cases in CASES.items() for name, sent, expected in cases],
)
def test_frames(server: Address, sent: bytes, expected: list[Frame]) -> None:
    """Exactly the frames that are due come back. A close frame is the last thing sent, and with it the session is gone."""
    client = Client(server, "/engine.io/")
    connection, opened = client.open_websocket()
    with connection:
        connection.send(sent)
        came = [connection.frame() for _ in expected]
        assert [Frame(frame.opcode, frame.payload[:2] if frame.opcode == CLOSE else frame.payload) for frame in came] == expected
        if came[-1].opcode == CLOSE:
            assert connection.rest() == b""
            assert client.poll(opened["sid"]).status == 400
        else:
            connection.send(masked(CLOSE, close_payload(1000)))
            assert connection.frame().code == 1000
            assert connection.rest() == b""


@pytest.mark.parametrize(("sent", "expected"), [
    pytest.param(sent, expected, id=f"{group}: {name}") for group, cases in CASES.items() for name, sent, expected in cases
    if len(sent) < 200 and group in ("masks", "pings", "fragments", "utf8", "limits")][::4])  # fmt: skip
def test_frames_that_come_byte_by_byte(server: Address, sent: bytes, expected: list[Frame]) -> None:
    """How a stream is cut into segments changes nothing."""
    connection, _ = Client(server, "/engine.io/").open_websocket()
    with connection:
        connection.send(sent, piece_bytes=1)
        assert [connection.frame()[:1] for _ in expected] == [frame[:1] for frame in expected]


@pytest.mark.parametrize("code", range(0, 5001, 97))
def test_a_sample_of_all_close_codes(server: Address, code: int) -> None:
    """Codes of RFC 6455 section 7.4 and the IANA registry are returned, all others are a breach of the protocol."""
    connection, _ = Client(server, "/engine.io/").open_websocket()
    with connection:
        connection.send(masked(CLOSE, close_payload(code)))
        assert connection.frame().code == (code if code in ALLOWED_CODES or 3000 <= code <= 4999 else 1002)
        assert connection.rest() == b""


def test_a_client_that_only_hangs_up_is_forgotten(server: Address) -> None:
    """The end of the stream is the end of the session."""
    client = Client(server, "/engine.io/")
    connection, opened = client.open_websocket()
    with connection:
        connection.half_close()
        connection.until_close()
        assert client.poll(opened["sid"]).status == 400


Headers = dict[str, str]


def changed(**headers: str | None) -> Headers:
    """The handshake with some headers other than they should be, or (`None`) missing. An underscore stands for a hyphen."""
    replaced = {name.replace("_", "-"): value for name, value in headers.items()}
    return {name: value for name, value in (dict(HANDSHAKE) | replaced).items() if value is not None}


HIXIE_76 = {"Host": "server", "Upgrade": "WebSocket", "Connection": "Upgrade", "Origin": "http://server",
            "Sec-WebSocket-Key1": "4 @1  46546xW%0l 1 5", "Sec-WebSocket-Key2": "12998 5 Y3 1  .P00"}  # fmt: skip
HANDSHAKES: dict[str, tuple[str, str, Headers, bytes]] = {
    "Hixie-75": ("GET", "HTTP/1.1", {"Host": "server", "Upgrade": "WebSocket", "Connection": "Upgrade", "Origin": "http://server"}, b""),
    "Hixie-76": ("GET", "HTTP/1.1", HIXIE_76, b"^n:ds[4U"),
    "no version": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Version=None), b""),
    "version 0": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Version="0"), b""),
    "version 8": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Version="8"), b""),
    "version 12": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Version="12"), b""),
    "version 14": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Version="14"), b""),
    "a version with words": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Version="13abc"), b""),
    "no key": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Key=None), b""),
    "an empty key": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Key=""), b""),
    "a key of 15 bytes": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAA"), b""),
    "a key of 17 bytes": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAAA="), b""),
    "a key that is not base64": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Key="!" * 24), b""),
    "a key of other letters": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Key="é" * 12), b""),
    "two keys": ("GET", "HTTP/1.1", changed(Sec_WebSocket_Key=f"{KEY}\r\nSec-WebSocket-Key: {KEY}"), b""),
    "no Upgrade": ("GET", "HTTP/1.1", changed(Upgrade=None), b""),
    "another Upgrade": ("GET", "HTTP/1.1", changed(Upgrade="h2c"), b""),
    "no Connection": ("GET", "HTTP/1.1", changed(Connection=None), b""),
    "another Connection": ("GET", "HTTP/1.1", changed(Connection="keep-alive"), b""),
    "HTTP/1.0": ("GET", "HTTP/1.0", changed(), b""),
    "POST": ("POST", "HTTP/1.1", changed(Content_Length="0"), b""),
    "PUT": ("PUT", "HTTP/1.1", changed(Content_Length="0"), b""),
    "a body": ("GET", "HTTP/1.1", changed(Content_Length="4"), b"body"),
    "a body in chunks": ("GET", "HTTP/1.1", changed(Transfer_Encoding="chunked"), b"4\r\nbody\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("path", ["/engine.io/", "/socket.io/"])
@pytest.mark.parametrize("name", HANDSHAKES)
def test_handshakes_that_are_refused(server: Address, name: str, path: str) -> None:
    """400 before anything else happens, saying which version is known where that was the trouble."""
    method, version, headers, body = HANDSHAKES[name]
    with Connection(server) as connection:
        connection.request(method, Client(server, path).target(transport="websocket"), headers, body, version)
        response = connection.response()
    assert response.status == 400
    assert "upgrade" not in response.headers
    if "version " in name:
        assert response.headers["sec-websocket-version"] == "13"


ACCEPTED: dict[str, Headers] = {
    "as browsers do": changed(Connection="keep-alive, Upgrade", Origin="http://server"),
    "in capitals": changed(Upgrade="WebSocket", Connection="UPGRADE"),
    "offering compression": changed(Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits"),
    "offering more extensions": changed(Sec_WebSocket_Extensions="x-webkit-deflate-frame, permessage-deflate"),
    "offering protocols": changed(Sec_WebSocket_Protocol="chat, superchat"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_handshakes_that_are_accepted(server: Address, name: str) -> None:
    """The key is answered; no extension and no protocol is taken, whatever is on offer."""
    with Connection(server) as connection:
        connection.request("GET", Client(server, "/engine.io/").target(transport="websocket"), ACCEPTED[name])
        response = connection.response()
        assert (response.status, response.headers["sec-websocket-accept"]) == (101, ACCEPT)
        assert (response.headers["upgrade"].lower(), response.headers["connection"].lower()) == ("websocket", "upgrade")
        assert not {"sec-websocket-extensions", "sec-websocket-protocol"} & set(response.headers)
        assert connection.frame().text[0] == "0"
        send_text(connection, "4hello")
        assert connection.frame().text == "4hello"


NOT_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
    "an unknown version": b"GET / HTTP/9.9x\r\n\r\n",
    "one word": b"HELLO\r\n\r\n",
    "a method of its own": b"<script> /socket.io/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header without a name": b"GET /socket.io/ HTTP/1.1\r\n: x\r\n\r\n",
    "a header of 80 KB": b"GET / HTTP/1.1\r\nA: " + b"x" * 80_000,
}


@pytest.mark.parametrize("name", NOT_HTTP)
def test_what_is_no_http_is_told_nothing(server: Address, name: str) -> None:
    """Neither a version of ours nor a word of what was sent comes back."""
    with Connection(server) as connection:
        connection.send(NOT_HTTP[name])
        connection.half_close()
        answer = connection.rest()
    assert answer == b"" or 400 <= int(answer.split()[1]) < 500
    for secret in (b"Python", b"eventlet", b"Traceback", b'File "', b"site-packages", b"script", b"HELLO", b"xxx"):
        assert secret not in answer
