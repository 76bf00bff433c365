"""What is a request and what is none, byte by byte: RFC 9112 (framing), RFC 9110 (fields), and where both leave room, the stricter reading.

Each row sends its bytes and nothing more. What counts is not only the answer but what was carried out: a request that two readers could
understand differently must not be, and none that hides behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import request

from tests.conformance.peer import Connection
from tests.web.fanout.stand import Stand
from web.http import body
from web.http.head import MOST_BYTES
from web.http.wsgi import LONGEST_BODY

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


def get(*lines: bytes, first: bytes = b"GET /a HTTP/1.1") -> bytes:
    """A request without a body, of these header lines."""
    return b"\r\n".join([first, *lines, b"", b""])


def post(*lines: bytes, content: bytes = b"") -> bytes:
    """A request with a body."""
    return get(b"Host: h", *lines, first=b"POST /a HTTP/1.1") + content


# What it is about: the bytes, the statuses of the answers, and which paths were carried out with which bodies.
GOOD: dict[str, tuple[bytes, list[int], list[tuple[str, bytes]]]] = {
    "a request": (GET, [200], [("/a", b"")]),
    "two, one behind the other": (GET + GET, [200, 200], [("/a", b"")] * 2),
    "many in one piece": (GET * 30, [200] * 30, [("/a", b"")] * 30),
    "empty lines before it (9112 2.2)": (b"\r\n\r\n" + GET, [200], [("/a", b"")]),
    "empty lines between two": (GET + b"\r\n" + GET, [200, 200], [("/a", b"")] * 2),
    "a body by its length": (post(b"Content-Length: 3", content=b"abc") + GET, [200, 200], [("/a", b"abc"), ("/a", b"")]),
    "a length with zeros before it": (post(b"Content-Length: 003", content=b"abc") + GET, [200, 200], [("/a", b"abc"), ("/a", b"")]),
    "a length of none": (post(b"Content-Length: 0") + GET, [200, 200], [("/a", b""), ("/a", b"")]),
    "POST without a length has no body (9112 6.3)": (post() + GET, [200, 200], [("/a", b""), ("/a", b"")]),
    "spaces around a value": (post(b"Content-Length: \t3 ", content=b"abc"), [200], [("/a", b"abc")]),
    "names in any case": (post(b"cONTENT-lENGTH: 3", content=b"abc"), [200], [("/a", b"abc")]),
    "a body in chunks": (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n" + GET, [200, 200], [("/a", b"abc"), ("/a", b"")]),
    "chunks, the coding in capitals": (post(b"Transfer-Encoding: Chunked", content=b"1\r\na\r\n0\r\n\r\n"), [200], [("/a", b"a")]),
    "a size in hexadecimal": (CHUNKED + b"00A\r\n0123456789\r\n0\r\n\r\n", [200], [("/a", b"0123456789")]),
    "an extension of a chunk (9112 7.1.1)": (CHUNKED + b'1;a=b;c="d"\r\nx\r\n0;e\r\n\r\n', [200], [("/a", b"x")]),
    "trailers, which are dropped (9112 7.1.2)": (
        CHUNKED + b"1\r\nx\r\n0\r\nHost: evil\r\nA: b\r\n\r\n" + GET,
        [200, 200],
        [("/a", b"x"), ("/a", b"")],
    ),
    "no chunk at all": (CHUNKED + b"0\r\n\r\n", [200], [("/a", b"")]),
    "an absolute target (9112 3.2.2)": (get(b"Host: other", first=b"GET http://h:80/a?b HTTP/1.1"), [200], [("/a", b"")]),
    "an absolute target without a path": (get(b"Host: h", first=b"GET HTTP://h HTTP/1.1"), [404], []),
    "OPTIONS of the whole server": (get(b"Host: h", first=b"OPTIONS * HTTP/1.1"), [404], []),
    "an empty value": (get(b"Host: h", b"X:"), [200], [("/a", b"")]),
    "Latin-1 in a value": (get(b"Host: h", b"X: \xe4\xff"), [200], [("/a", b"")]),
    "a hundred headers": (get(b"Host: h", *[b"X-%d: y" % number for number in range(99)]), [200], [("/a", b"")]),
    "30 KiB of headers": (get(b"Host: h", b"Cookie: " + b"c" * 30_000), [200], [("/a", b"")]),
    "HTTP/1.0 without Host": (b"GET /a HTTP/1.0\r\n\r\n", [200], [("/a", b"")]),
    "HTTP/1.0 with a body": (b"POST /a HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", [200], [("/a", b"x")]),
    "HTTP/1.0 is for one request": (b"GET /a HTTP/1.0\r\n\r\n" + SMUGGLED, [200], [("/a", b"")]),
    "nothing after Connection: close": (get(b"Host: h", b"Connection: keep-alive, Close") + SMUGGLED, [200], [("/a", b"")]),
    "a header with an underscore is none": (get(b"Host: h", b"Content_Length: 9"), [200], [("/a", b"")]),
}

BAD: dict[str, tuple[bytes, int]] = {
    "two lengths that differ": (post(b"Content-Length: 43", b"Content-Length: 0", content=SMUGGLED), 400),
    "two lengths that agree": (post(b"Content-Length: 3", b"Content-Length: 3", content=b"abc" + SMUGGLED), 400),
    "lengths in a list": (post(b"Content-Length: 3, 3", content=b"abc" + SMUGGLED), 400),
    "a space before the colon": (post(b"Content-Length : 43", content=SMUGGLED), 400),
    "a tab before the colon": (post(b"Content-Length\t: 43", content=SMUGGLED), 400),
    "a length with a sign": (post(b"Content-Length: +43", content=SMUGGLED), 400),
    "a negative length": (post(b"Content-Length: -1", content=SMUGGLED), 400),
    "a length with an underscore": (post(b"Content-Length: 4_3", content=SMUGGLED), 400),
    "a length in hexadecimal": (post(b"Content-Length: 0x2b", content=SMUGGLED), 400),
    "a length with a fraction": (post(b"Content-Length: 43.0", content=SMUGGLED), 400),
    "an empty length": (post(b"Content-Length:", content=SMUGGLED), 400),
    "a length beyond all bounds": (post(b"Content-Length: " + b"9" * 30, content=SMUGGLED), 400),
    "digits that are no ASCII": (post("Content-Length: \u0664".encode(), content=SMUGGLED), 400),
    "a length and a coding": (post(b"Content-Length: 43", b"Transfer-Encoding: chunked", content=b"0\r\n\r\n" + SMUGGLED), 400),
    "a coding and a length": (post(b"Transfer-Encoding: chunked", b"Content-Length: 4", content=b"0\r\n\r\n" + SMUGGLED), 400),
    "a coding we do not know, then chunked": (post(b"Transfer-Encoding: gzip, chunked", content=b"0\r\n\r\n" + SMUGGLED), 400),
    "something like chunked": (post(b"Transfer-Encoding: xchunked", content=b"0\r\n\r\n" + SMUGGLED), 400),
    "chunked twice": (post(b"Transfer-Encoding: chunked, chunked", content=b"0\r\n\r\n" + SMUGGLED), 400),
    "chunked in two headers": (post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", content=b"0\r\n\r\n" + SMUGGLED), 400),
    "chunked in quotes": (post(b'Transfer-Encoding: "chunked"', content=b"0\r\n\r\n" + SMUGGLED), 400),
    "chunked behind a vertical tab": (post(b"Transfer-Encoding: \x0bchunked", content=b"0\r\n\r\n" + SMUGGLED), 400),
    "an empty coding": (post(b"Transfer-Encoding:", content=SMUGGLED), 400),
    "a coding with a space before the colon": (post(b"Transfer-Encoding : chunked", content=b"0\r\n\r\n" + SMUGGLED), 400),
    "a coding in HTTP/1.0 (9112 6.1)": (b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a negative chunk": (CHUNKED + b"-5\r\nabcde\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a chunk's size with a prefix": (CHUNKED + b"0x2b\r\n" + SMUGGLED, 400),
    "a chunk's size with a sign": (CHUNKED + b"+1\r\nx\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a chunk's size with an underscore": (CHUNKED + b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a chunk's size beyond 64 bits": (CHUNKED + b"1" + b"0" * 20 + b"\r\nx", 400),
    "a chunk without a size": (CHUNKED + b"\r\nx\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a chunk longer than it says": (CHUNKED + b"1\r\nxy\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a chunk that ends with LF": (CHUNKED + b"1\r\nx\n0\r\n\r\n" + SMUGGLED, 400),
    "a size that ends with LF": (CHUNKED + b"1\nx\r\n0\r\n\r\n" + SMUGGLED, 400),
    "an extension with LF in it": (CHUNKED + b"1;a\nb\r\nx\r\n0\r\n\r\n" + SMUGGLED, 400),
    "the last line ends with LF": (CHUNKED + b"1\r\nx\r\n0\r\n\n" + SMUGGLED, 400),
    "trailers that end with LF": (CHUNKED + b"1\r\nx\r\n0\r\nA: b\n\n" + SMUGGLED, 400),
    "a trailer that is none": (CHUNKED + b"0\r\nno header\r\n\r\n" + SMUGGLED, 400),
    "too many trailers": (CHUNKED + b"0\r\n" + b"A: b\r\n" * 33 + b"\r\n" + SMUGGLED, 400),
    "an extension without end": (CHUNKED + b"1;" + b"a" * 9000, 400),
    "a thousand chunks of a byte": (CHUNKED + b"1\r\nx\r\n" * 1100 + b"0\r\n\r\n" + SMUGGLED, 400),
    "lines that end with LF (9112 2.2 lets us refuse)": (b"GET /a HTTP/1.1\nHost: h\n\n" + SMUGGLED, 400),
    "one line that ends with LF": (b"GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n" + SMUGGLED, 400),
    "a lone CR": (b"GET /a HTTP/1.1\r\nHost: h\rX: y\r\n\r\n" + SMUGGLED, 400),
    "CR CR LF": (b"GET /a HTTP/1.1\r\r\nHost: h\r\n\r\n" + SMUGGLED, 400),
    "NUL in a value": (get(b"Host: h", b"X: a\0b"), 400),
    "a control character in a value": (get(b"Host: h", b"X: a\x07b"), 400),
    "DEL in a value": (get(b"Host: h", b"X: a\x7fb"), 400),
    "a folded header (9112 5.2)": (post(b"X: a", b" b", content=SMUGGLED), 400),
    "a folded length": (post(b"Content-Length:", b"\t43", content=SMUGGLED), 400),
    "a space before the first header": (get(b" Host: h"), 400),
    "a line that is no header hides what follows": (get(b"Host: h", b"nonsense", b"X-Forwarded-For: 10.0.0.1"), 400),
    "a header without a name": (get(b"Host: h", b": x"), 400),
    "a name with a space in it": (get(b"Host: h", b"X Y: z"), 400),
    "a name that is no ASCII": (get(b"Host: h", b"X\xe4: z"), 400),
    "no Host (9112 3.2)": (get(), 400),
    "two Hosts": (get(b"Host: h", b"Host: evil"), 400),
    "two Hosts that agree": (get(b"Host: h", b"host: h"), 400),
    "no version": (b"GET /a\r\nHost: h\r\n\r\n", 400),
    "two spaces": (get(b"Host: h", first=b"GET  /a HTTP/1.1"), 400),
    "a tab between": (get(b"Host: h", first=b"GET\t/a HTTP/1.1"), 400),
    "a space in the target": (get(b"Host: h", first=b"GET /a b HTTP/1.1"), 400),
    "a space at the end of the line": (get(b"Host: h", first=b"GET /a HTTP/1.1 "), 400),
    "a space before it": (get(b"Host: h", first=b" GET /a HTTP/1.1"), 400),
    "a method that is none": (get(b"Host: h", first=b"G(T /a HTTP/1.1"), 400),
    "a target that is no path": (get(b"Host: h", first=b"GET a HTTP/1.1"), 400),
    "a target that is another scheme's": (get(b"Host: h", first=b"GET ftp://h/a HTTP/1.1"), 400),
    "a target that names a user": (get(b"Host: h", first=b"GET http://h@evil/a HTTP/1.1"), 400),
    "CONNECT": (get(b"Host: h", first=b"CONNECT h:80 HTTP/1.1"), 400),
    "another protocol": (get(b"Host: h", first=b"GET /a FTP/1.1"), 400),
    "a version in small letters": (get(b"Host: h", first=b"GET /a http/1.1"), 400),
    "HTTP/1.2": (get(b"Host: h", first=b"GET /a HTTP/1.2"), 505),
    "HTTP/0.9": (get(b"Host: h", first=b"GET /a HTTP/0.9"), 505),
    "HTTP/2.0": (get(b"Host: h", first=b"GET /a HTTP/2.0"), 505),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "a hundred and one headers": (get(b"Host: h", *[b"X-%d: y" % number for number in range(100)]), 431),
    "one header of 33 KiB": (get(b"Host: h", b"Cookie: " + b"c" * MOST_BYTES), 431),
    "a line of 33 KiB": (b"GET /" + b"a" * MOST_BYTES, 431),
    "headers of 33 KiB without end": (b"GET /a HTTP/1.1\r\n" + b"X: y\r\n" * 5600, 431),
    "empty lines only": (b"\r\n" * 17_000, 400),
}


class Acting(Stand):
    """A server that remembers what it carried out."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[str, bytes]] = []
        for path in ("/a", "/smuggled"):
            self.app.add_url_rule(path, path, self._act, methods=["GET", "POST", "DELETE"])

    def _act(self) -> str:
        self.done.append((request.path, request.get_data()))
        return "ok"


@pytest.fixture(scope="module")
def _stand() -> Iterator[Acting]:
    stand = Acting()
    stand.start()
    yield stand
    stand.stop()


@pytest.fixture
def stand(_stand: Acting) -> Acting:
    """The one server of all of them, which has done nothing yet."""
    _stand.done.clear()
    return _stand


def answers(stand: Stand, sent: bytes, piece_bytes: int | None = None) -> list[int]:
    """The statuses that come back, until the server hangs up."""
    with Connection(stand.peer.address) as connection:
        connection.send(sent, piece_bytes)
        connection.half_close()
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", connection.rest())]


@pytest.mark.parametrize("what", GOOD)
@pytest.mark.parametrize("piece_bytes", [None, 1])
def test_what_is_a_request(stand: Acting, what: str, piece_bytes: int | None) -> None:
    """It is carried out, once, whether it comes in one piece or byte by byte."""
    sent, statuses, done = GOOD[what]
    if piece_bytes is not None and len(sent) > 2000:
        piece_bytes = 997
    assert answers(stand, sent, piece_bytes) == statuses
    assert stand.done == done


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("piece_bytes", [None, 1])
def test_what_is_none(stand: Acting, what: str, piece_bytes: int | None) -> None:
    """It is refused, nothing is carried out, and what follows it is not looked at."""
    sent, status = BAD[what]
    if piece_bytes is not None and len(sent) > 2000:
        piece_bytes = 997
    assert answers(stand, sent, piece_bytes) == [status]
    assert stand.done == []


@pytest.mark.parametrize("sent", [
    get(b"Host: h", first=b"DELETE /a HTTP/1.1")[:-2], get(b"Host: h", b"X-Conditi", first=b"DELETE /a HTTP/1.1")[:-4],
    b"DELETE /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab", b"DELETE /a HTTP/1.1\r\n", b"DELETE /a HT", b"\r\n", b"",
    CHUNKED + b"3\r\nab", CHUNKED + b"3\r\nabc\r\n", CHUNKED + b"3\r\nabc\r\n0\r\n", CHUNKED + b"3\r\nabc\r\n0\r\nA: b\r\n",
])  # fmt: skip
def test_what_breaks_off_is_not_carried_out(stand: Acting, sent: bytes) -> None:
    """However little is missing."""
    assert set(answers(stand, sent)) <= {400}
    assert stand.done == []


def test_the_bounds_of_a_body_are_what_they_are(stand: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too long is refused while it is read, whatever it said of its length."""
    monkeypatch.setattr(body, "MOST_BYTES", 1000)
    for most in (1000, LONGEST_BODY):
        assert answers(stand, CHUNKED + b"%x\r\n" % most + b"x" * most + b"\r\n0\r\n\r\n") == [200]
        assert answers(stand, CHUNKED + b"%x\r\n" % (most + 1) + b"x" * (most + 1) + b"\r\n0\r\n\r\n") == [413]
        monkeypatch.undo()
    assert len(stand.done) == 2
