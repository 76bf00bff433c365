"""One Socket.IO client on a blocking socket, for what a single client feels: joining, leaving, waiting its turn."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Sequence
from typing import Self


class ProbeFailed(Exception):
    """The server refused, closed, or took longer than the time allowed."""


class Probe:
    """Speaks Engine.IO 4 over WebSocket; knows nothing of what the packets mean beyond joining."""

    def __init__(self, port: int, timeout_s: float = 30) -> None:
        """Open the WebSocket and read the handshake. Raises `ProbeFailed`."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._heard, self._at = bytearray(), 0
        self._socket.sendall(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        while (end := self._heard.find(b"\r\n\r\n")) < 0:
            self._read()
        if not self._heard.startswith(b"HTTP/1.1 101"):
            raise ProbeFailed(self._heard[:60].decode(errors="replace"))
        self._at = end + 4
        if not self.receive().startswith(b"0"):
            raise ProbeFailed("no Engine.IO handshake")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection with nothing said."""
        self._socket.close()

    def send(self, packets: Sequence[str]) -> None:
        """All in one write, each a masked text frame."""
        self._socket.sendall(b"".join(masked(packet.encode()) for packet in packets))

    def receive(self) -> bytes:
        """The next text frame; answers pings of both layers. Raises `ProbeFailed`."""
        while True:
            opcode, payload = self._frame()
            if opcode == 8:
                raise ProbeFailed(f"closed: {payload[2:].decode(errors='replace')}")
            if payload == b"2":
                self.send(["3"])
            elif opcode == 1:
                return payload

    def join(self, namespaces: Sequence[str]) -> float:
        """Join all, and wait for every answer: seconds. Raises `ProbeFailed` on a refusal."""
        start = time.perf_counter()
        self.send([f"40{namespace}," for namespace in namespaces])
        left = len(namespaces)
        while left:
            packet = self.receive()
            if packet.startswith(b"44"):
                raise ProbeFailed(packet[:100].decode(errors="replace"))
            left -= packet.startswith(b"40")
        return time.perf_counter() - start

    def leave(self, namespaces: Sequence[str], then: str) -> float:
        """Leave all, then join `then`, whose answer says that the server has done it: seconds. It must not be one of them: Node
        closes a client that joins what it has only just left."""
        start = time.perf_counter()
        self.send([*(f"41{namespace}," for namespace in namespaces), f"40{then},"])
        while not self.receive().startswith(f"40{then},".encode()):
            pass
        return time.perf_counter() - start

    def _frame(self) -> tuple[int, bytes]:
        first, second = self._take(2)
        length: int = second & 127
        if length > 125:
            (length,) = struct.unpack("!H", self._take(2)) if length == 126 else struct.unpack("!Q", self._take(8))
        return first & 15, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self._heard) - self._at < count:
            self._read()
        self._at += count
        return bytes(self._heard[self._at - count : self._at])

    def _read(self) -> None:
        if self._at:
            del self._heard[: self._at]
            self._at = 0
        try:
            heard = self._socket.recv(262_144)
        except OSError as error:
            raise ProbeFailed(str(error)) from error
        if not heard:
            raise ProbeFailed("closed by the server")
        self._heard += heard


def masked(payload: bytes) -> bytes:
    """A text frame as a client sends it, up to 65,535 bytes."""
    mask = os.urandom(4)
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
    return b"\x81" + length + mask + bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload))
