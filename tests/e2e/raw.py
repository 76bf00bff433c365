"""Clients that know the wire only: a WebSocket spoken by wsproto, and long polling by hand. They can also break every rule of it."""

from __future__ import annotations

import http.client
import json
import socket
import time
import weakref
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, RejectConnection, Request, TextMessage

from tests.e2e.server import PATIENCE_S

WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"
POLLING = "/socket.io/?EIO=4&transport=polling"
NO_CLOSE_FRAME = 1006
SEPARATOR = "\x1e"


class Closed(Exception):
    """The connection is over; `code` is that of the close frame, 1006 where there was none."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class RawSocket:
    """A WebSocket. wsproto judges every frame that the server sends: one that breaks RFC 6455 raises."""

    def __init__(self, address: tuple[str, int], target: str = WEBSOCKET, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self.sock = socket.create_connection(address, PATIENCE_S)
        weakref.finalize(self, self.sock.close)  # however the test ends
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._packets: deque[str | bytes] = deque()
        self._partial = b""
        self._closed: Closed | None = None
        self.wire = bytearray()
        """All bytes that came."""
        self.sock.sendall(self._protocol.send(Request(host=f"{address[0]}:{address[1]}", target=target, extra_headers=list(headers))))
        answer, *more = self._events()
        if isinstance(answer, RejectConnection):
            self.sock.close()
            raise ConnectionRefusedError(answer.status_code)
        assert isinstance(answer, AcceptConnection), answer
        self._handle(more)

    def send(self, packet: str | bytes) -> None:
        """Send an Engine.IO packet."""
        self.sock.sendall(self._protocol.send(TextMessage(packet) if isinstance(packet, str) else BytesMessage(packet)))

    def send_raw(self, data: bytes) -> None:
        """Send these very bytes. The server may hang up before it has read all of them."""
        with suppress(ConnectionError):
            self.sock.sendall(data)

    def receive(self) -> str | bytes:
        """The next packet, pings answered and left out. Raises `Closed`."""
        while True:
            while self._packets:
                packet = self._packets.popleft()
                if packet != "2":
                    return packet
                if self._closed is None:  # else its close came with the ping, and nothing may be sent any more
                    self.send("3")
            if self._closed is not None:
                raise self._closed
            self._handle(self._events())

    def wait(self, prefix: str) -> str:
        """The next text packet that begins with `prefix`; others are dropped."""
        return self._wait((prefix,))

    def join(self, namespace: str, token: object = None) -> str:
        """Join a namespace, with a token in `auth` if one is given; returns the answer: `40…` or `44…`."""
        place = "" if namespace == "/" else namespace + ","
        self.send(f"40{place}" + ("" if token is None else json.dumps({"token": token})))
        return self._wait((f"40{place}", f"44{place}"))

    def quote(self, symbol: str) -> dict[str, Any]:
        """The next quote of a joined symbol."""
        prefix = f"42/{symbol},"
        event, quote = json.loads(self.wait(prefix).removeprefix(prefix))
        assert event == "quote"
        assert isinstance(quote, dict)
        return quote

    def event(self, name: str) -> Any:
        """The payload of the next event called `name` on `/`."""
        return json.loads(self.wait(f'42["{name}",').removeprefix("42"))[1]

    def ask(self, event: str, *arguments: Any, number: int = 0) -> Any:
        """Emit on `/` and return the acknowledgement."""
        self.send(f"42{number}" + json.dumps([event, *arguments]))
        return json.loads(self.wait(f"43{number}[").removeprefix(f"43{number}"))[0]

    def closing(self) -> Closed:
        """How the server ends the connection."""
        with pytest.raises(Closed) as closed:
            self._wait(())
        self.close()
        return closed.value

    def close(self) -> None:
        """Hang up without a word."""
        self.sock.close()

    def _wait(self, prefixes: tuple[str, ...]) -> str:
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            packet = self.receive()
            if isinstance(packet, str) and packet.startswith(prefixes):
                return packet
        raise TimeoutError(f"no packet begins with {' or '.join(prefixes)}" if prefixes else "the connection was not closed")

    def _events(self) -> list[Any]:
        """What the next bytes bring, at least one event."""
        while True:
            try:
                data = self.sock.recv(65_536)
            except ConnectionResetError:
                data = b""
            self.wire += data
            if not data:
                return [CloseConnection(NO_CLOSE_FRAME)]
            self._protocol.receive_data(data)
            if events := list(self._protocol.events()):
                return events

    def _handle(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, TextMessage | BytesMessage):
                self._partial += event.data if isinstance(event, BytesMessage) else event.data.encode()
                if event.message_finished:
                    whole, self._partial = self._partial, b""
                    self._packets.append(whole.decode() if isinstance(event, TextMessage) else whole)
            elif isinstance(event, CloseConnection):
                self._closed = self._closed or Closed(event.code, event.reason or "")


class RawPolling:
    """A long-polling client. Each request has a connection of its own, as through a careless proxy."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        status, body = self.request("GET", POLLING)
        assert status == 200, (status, body)
        assert body.startswith("0{")
        self.opening = json.loads(body[1:])
        self.target = f"{POLLING}&sid={self.opening['sid']}"

    def request(self, method: str, target: str, body: str | bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """One request: status and body."""
        connection = http.client.HTTPConnection(*self._address, timeout=PATIENCE_S)
        try:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def post(self, *packets: str) -> int:
        """Send packets; returns the status."""
        return self.request("POST", self.target, SEPARATOR.join(packets))[0]

    def poll(self) -> list[str]:
        """What is there, after waiting for something. Pings are answered and left out."""
        status, body = self.request("GET", self.target)
        assert status == 200, (status, body)
        packets = body.split(SEPARATOR)
        if "2" in packets:
            self.post("3")
        return [packet for packet in packets if packet != "2"]

    def wait(self, prefix: str) -> str:
        """The first packet that begins with `prefix`; others are dropped."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            for packet in self.poll():
                if packet.startswith(prefix):
                    return packet
        raise TimeoutError(f"no packet begins with {prefix!r}")


def frame(opcode: int, payload: bytes, *, final: bool = True, reserved: int = 0, mask: bytes | None = b"\x37\xfa\x21\x3d") -> bytes:
    """One frame as a client sends it, or as none may: `mask=None` leaves it unmasked, `reserved` sets bits of the first byte."""
    first, size, masked = (0x80 if final else 0) | reserved | opcode, len(payload), 0 if mask is None else 0x80
    if size < 126:
        header = bytes((first, masked | size))
    elif size < 65_536:
        header = bytes((first, masked | 126)) + size.to_bytes(2)
    else:
        header = bytes((first, masked | 127)) + size.to_bytes(8)
    if mask is None:
        return header + payload
    return header + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def text(*packets: str) -> bytes:
    """Packets as text frames, all in one piece."""
    return b"".join(frame(1, packet.encode("utf-8", "surrogatepass")) for packet in packets)
