"""Carries a `Talk` over one WebSocket: RFC 6455 by the library's protocol object, on the thread of the HTTP request that asked for it."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol

from tests.providers.talk import Close, Out, Ping, Raw, Reset, Talk

STEP_S = 0.005
"""How often to look whether there is something to say."""
GOODBYE_S = 1.0
"""How long to wait for the other side's half of a close."""
READ_BYTES = 65_536


class Connection:
    """One open WebSocket. `lock` is held while its talk is asked for anything."""

    def __init__(self, connection: socket.socket, head: bytes, talk: Talk, lock: threading.Lock, stopping: threading.Event) -> None:
        self._socket = connection
        self._talk = talk
        self._lock = lock
        self._stopping = stopping
        self._pieces: list[bytes] = []
        self._protocol = ServerProtocol()
        self._protocol.receive_data(head)
        (handshake,) = self._protocol.events_received()
        assert isinstance(handshake, Handshake)
        self._protocol.send_response(self._protocol.accept(handshake))

    def run(self) -> None:
        """Talk until it is over."""
        self._flush()
        if not self._is(State.OPEN):  # the handshake was none
            return
        with self._lock:
            first = self._talk.opened()
        self._say(first)
        while self._is(State.OPEN) and not self._stopping.is_set():
            with self._lock:
                mute = self._talk.mute
                out = [] if mute else self._talk.due(time.monotonic())
            self._say(out)
            self._read(mute, STEP_S)
        deadline_s = time.monotonic() + GOODBYE_S
        while self._is(State.CLOSING) and time.monotonic() < deadline_s:
            self._read(False, STEP_S)
        with self._lock:
            received = self._protocol.close_rcvd
            if self._talk.over is None:
                self._talk.over = Close(1006) if received is None else Close(received.code, received.reason)

    def _say(self, out: Sequence[Out]) -> None:
        for one in out:
            if not self._is(State.OPEN):
                break
            if isinstance(one, str):
                self._protocol.send_text(one.encode())
            elif isinstance(one, bytes):
                self._protocol.send_binary(one)
            elif isinstance(one, Ping):
                self._protocol.send_ping(b"")
            elif isinstance(one, Raw):
                self._flush()
                self._socket.sendall(one.data)
            elif isinstance(one, Close):
                self._talk.over = one
                self._protocol.send_close(one.code, one.reason)
            else:
                assert isinstance(one, Reset)
                self._talk.over = Close(1006)
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._socket.close()
                raise ConnectionResetError
            self._talk.sent += isinstance(one, str | bytes)
        self._flush()

    def _read(self, mute: bool, timeout_s: float) -> None:
        self._socket.settimeout(timeout_s)
        try:
            data = self._socket.recv(READ_BYTES)
        except TimeoutError:
            return
        if mute and data:
            return
        with suppress(ProtocolError):
            self._protocol.receive_data(data) if data else self._protocol.receive_eof()
        for frame in self._protocol.events_received():
            assert isinstance(frame, Frame)
            self._hear(frame)
        self._flush()

    def _hear(self, frame: Frame) -> None:
        now_s = time.monotonic()
        with self._lock:
            if frame.opcode is Opcode.PONG:
                self._talk.pongs += 1
                refused = self._talk.count(now_s)
                out: list[Out] = [] if refused is None else [refused]
            elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._pieces.append(bytes(frame.data))
                if not frame.fin:
                    return
                message, self._pieces = b"".join(self._pieces), []
                out = self._talk.hear(message.decode("utf-8", "replace"), now_s)
            else:
                return
        self._say(out)

    def _is(self, state: State) -> bool:
        return self._protocol.state is state

    def _flush(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        if data:
            self._socket.settimeout(None)
            self._socket.sendall(data)
