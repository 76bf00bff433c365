"""The client's end, byte by byte: HTTP requests and WebSocket frames exactly as a test wants them, well-formed or not."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Self

PATIENCE_S = 20.0
"""How long an answer is waited for; only a failing test ever waits so long."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""The key of RFC 6455 section 1.3, and below the answer it gives to it."""
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
HANDSHAKE: Mapping[str, str] = {"Host": "server", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                                "Sec-WebSocket-Key": KEY}  # fmt: skip


class Address(NamedTuple):
    """Where the server listens."""

    host: str
    port: int


class Response(NamedTuple):
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Frame(NamedTuple):
    """A WebSocket frame as it came. Servers neither mask nor, ours, fragment."""

    opcode: int
    payload: bytes

    @property
    def text(self) -> str:
        """The payload of a text frame."""
        assert self.opcode == TEXT, self
        return self.payload.decode()

    @property
    def code(self) -> int:
        """The code of a close frame."""
        assert self.opcode == CLOSE, self
        return struct.unpack("!H", self.payload[:2])[0]  # type: ignore[no-any-return]  # struct knows no types


def masked(
    opcode: int,
    payload: bytes | str = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bytes | None = b"\x37\xfa\x21\x3d",
    length: int | None = None,
    length_bytes: int | None = None,
) -> bytes:
    """A client's frame. `reserved`: bits 1 to 3 as a number; `length`: what the header claims, and in how many further bytes (0, 2, 8)."""
    payload = payload.encode() if isinstance(payload, str) else payload
    size = len(payload) if length is None else length
    width = (0 if size < 126 else 2 if size < 65_536 else 8) if length_bytes is None else length_bytes
    short = {0: size, 2: 126, 8: 127}[width]
    header = bytes((fin << 7 | reserved << 4 | opcode, (mask is not None) << 7 | short)) + size.to_bytes(width if width else 1)[:width]
    if mask is None:
        return header + payload
    return header + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def close_payload(code: int, reason: str | bytes = b"") -> bytes:
    """What a close frame carries."""
    return struct.pack("!H", code) + (reason.encode() if isinstance(reason, str) else reason)


class Connection:
    """A TCP connection to the server."""

    def __init__(self, address: Address, receive_bytes: int | None = None) -> None:
        """`receive_bytes`: how much the kernel may receive before it is read (about half, Linux doubles it); default: megabytes."""
        self._socket = socket.socket()
        self._socket.settimeout(PATIENCE_S)
        if receive_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.connect(address)
        self._buffer = b""
        self._asked_head = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes, piece_bytes: int | None = None) -> None:
        """Send `data`, in pieces of `piece_bytes` if given. A server that has hung up already is no error: what it said can be read."""
        step = piece_bytes or len(data) or 1
        with suppress(BrokenPipeError, ConnectionResetError):
            for start in range(0, len(data), step):
                self._socket.sendall(data[start : start + step])

    def request(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", version: str = "HTTP/1.1") -> None:
        """Send an HTTP request as it is given."""
        self._asked_head = method == "HEAD"
        lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.send("\r\n".join(lines).encode() + body)

    def response(self) -> Response:
        """Read an answer; one without `Content-Length` has no body (a WebSocket follows), and none has to HEAD."""
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        length = 0 if self._asked_head else int(headers.get("content-length", 0))
        return Response(int(head[0].split()[1]), headers, self._exactly(length))

    def frame(self) -> Frame:
        """Read a frame."""
        first, size = self._exactly(2)
        assert first & 0x80, "fragmented"
        assert not first & 0x70, "reserved bits"
        assert not size & 0x80, "masked"
        if size >= 126:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8))
        return Frame(first & 0x0F, self._exactly(size))

    def packets(self, count: int) -> list[str]:
        """Read so many text frames."""
        return [self.frame().text for _ in range(count)]

    def until_close(self) -> Frame:
        """Read on until a close frame comes."""
        while (frame := self.frame()).opcode != CLOSE:
            pass
        return frame

    def rest(self) -> bytes:
        """All that comes until the server hangs up. (A reset, for what it did not read any more, ends it as well.)"""
        rest, self._buffer = self._buffer, b""
        with suppress(ConnectionResetError):
            while data := self._socket.recv(65_536):
                rest += data
        return rest

    @property
    def buffered(self) -> int:
        """How many bytes have come and are still to be read."""
        return len(self._buffer)

    def half_close(self) -> None:
        """Say nothing more, but listen. A server that has hung up already is no error."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._receive()
        found, self._buffer = self._buffer.split(end, 1)
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._receive()
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found

    def _receive(self) -> None:
        data = self._socket.recv(65_536)
        if not data:
            raise EOFError(f"the server hung up after {self._buffer!r}")
        self._buffer += data


class Client:
    """Requests to one Engine.IO path of the server."""

    def __init__(self, address: Address, path: str) -> None:
        self.address = address
        self.path = path

    def target(self, sid: str | None = None, transport: str = "polling", **query: str) -> str:
        """A request's target; `query` adds to it or, with an empty string, takes away."""
        asked = {"EIO": "4", "transport": transport, **({"sid": sid} if sid else {}), **query}
        return self.path + "?" + "&".join(f"{name}={value}" for name, value in asked.items() if value)

    def http(self, method: str, target: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None) -> Response:
        """One request on a connection of its own."""
        body = body.encode() if isinstance(body, str) else body
        headers = headers or {}
        length = {"Content-Length": str(len(body))} if (body or method == "POST") and "Transfer-Encoding" not in headers else {}
        with Connection(self.address) as connection:
            connection.request(method, target, {"Host": "server", **length, **headers}, body)
            return connection.response()

    def open_polling(self) -> str:
        """Begin a session by long polling; returns its id."""
        response = self.http("GET", self.target())
        assert response.status == 200
        assert response.text[0] == "0"
        sid = json.loads(response.text[1:])["sid"]
        assert isinstance(sid, str)
        return sid

    def poll(self, sid: str) -> Response:
        """Ask what there is."""
        return self.http("GET", self.target(sid))

    def pending_poll(self, sid: str) -> Connection:
        """Ask what there is; the answer can be read from the connection when it comes."""
        connection = Connection(self.address)
        connection.request("GET", self.target(sid), {"Host": "server"})
        return connection

    def post(self, sid: str, body: bytes | str) -> Response:
        """Say something."""
        return self.http("POST", self.target(sid), body)

    def websocket(self, sid: str | None = None) -> Connection:
        """A WebSocket: of the session `sid`, else with the server's `open` packet still to be read."""
        connection = Connection(self.address)
        connection.request("GET", self.target(sid, "websocket"), HANDSHAKE)
        response = connection.response()
        assert response.status == 101, response
        assert response.headers["sec-websocket-accept"] == ACCEPT
        return connection

    def open_websocket(self) -> tuple[Connection, dict[str, Any]]:
        """A WebSocket session of its own, and what the server opened it with."""
        connection = self.websocket()
        packet = connection.frame().text
        assert packet[0] == "0"
        return connection, json.loads(packet[1:])


def send_text(connection: Connection, *packets: str) -> None:
    """Send each packet as a text frame."""
    connection.send(b"".join(masked(TEXT, packet) for packet in packets))
