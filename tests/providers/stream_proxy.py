"""A network in front of a provider's stream, that cuts, silences, throttles, slices, loses, reorders and repeats what passes through.

    python -m tests.providers.stream_proxy --to http://127.0.0.1:8001 --port 0

The first line of output is `listening on http://127.0.0.1:PORT`; that address goes into `base_url`. `POST /_control` there takes any of

    {"cut": true}                       every connection is reset, once
    {"switches": {"silent": true}}      nothing passes, in either direction; connections stay open, new ones are not answered
    {"switches": {"refuse": true}}      new connections are closed
    {"switches": {"bytes_per_s": 2000}} no faster towards the client, whatever the provider sends
    {"switches": {"slice": 1}}          in so many bytes at a time, each on its own
    {"switches": {"drop": 4}}           each fourth message is lost, as where a provider's own server was too slow
    {"switches": {"reorder": 3}}        each third message arrives after the one that follows it
    {"switches": {"repeat": 5}}         each fifth message arrives twice

Switches are replaced by each call. What is no WebSocket passes whole and in order.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

READ_BYTES = 65_536
LOOK_S = 0.01
TEXT = 0x81


class Network:
    """Listens on 127.0.0.1:`port` and passes on to the server at `to`."""

    def __init__(self, to: str, port: int) -> None:
        parts = urlsplit(to)
        self._to = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._switches: dict[str, Any] = {}
        self._passing: set[socket.socket] = set()
        self._lock = threading.Lock()

    def serve_forever(self) -> None:
        """Take connections until the process ends."""
        while True:
            client, _ = self._listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := client.recv(READ_BYTES)):
                    return
                head += data
            if head.startswith(b"POST /_control "):
                self._control(client, head)
                return
            if self._switches.get("refuse"):
                return
            self._wait()
            with socket.create_connection(self._to) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._passing.add(client)
                server.sendall(head)
                threading.Thread(target=self._up, args=(client, server), daemon=True).start()
                try:
                    self._down(server, client)
                finally:
                    with self._lock:
                        self._passing.discard(client)

    def _control(self, client: socket.socket, head: bytes) -> None:
        start, _, body = head.partition(b"\r\n\r\n")
        lines = dict(line.lower().split(b": ", 1) for line in start.split(b"\r\n")[1:])
        while len(body) < int(lines.get(b"content-length", b"0")):
            body += client.recv(READ_BYTES)
        changes = json.loads(body)
        self._switches = changes.get("switches", self._switches)
        if changes.get("cut"):
            with self._lock:
                for passing in self._passing:
                    passing.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    with suppress(OSError):
                        passing.shutdown(socket.SHUT_RD)
                    passing.close()
                self._passing.clear()
        client.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}')

    def _wait(self) -> None:
        while self._switches.get("silent"):
            time.sleep(LOOK_S)

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while data := client.recv(READ_BYTES):
                self._wait()
                server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        messages = Messages()
        while data := server.recv(READ_BYTES):
            self._wait()
            self._send(client, messages.pass_on(data, self._switches))
        self._send(client, messages.rest())

    def _send(self, client: socket.socket, data: bytes) -> None:
        size, bytes_per_s = self._switches.get("slice"), self._switches.get("bytes_per_s")
        if bytes_per_s is not None:
            size = min(size or READ_BYTES, max(1, bytes_per_s // 20))
        if size is None:
            client.sendall(data)
            return
        for first in range(0, len(data), size):
            self._wait()
            client.sendall(data[first : first + size])
            time.sleep(len(data[first : first + size]) / bytes_per_s if bytes_per_s else 0)


class Messages:
    """One connection's bytes towards the client: an HTTP head, then frames, if it is a WebSocket."""

    def __init__(self) -> None:
        self._head = True
        self._plain = False
        self._buffer = b""
        self._held = b""
        self._count = 0

    def pass_on(self, data: bytes, switches: Mapping[str, Any]) -> bytes:
        """What of `data`, and of what came before, is to be sent now."""
        if self._plain:
            return data
        self._buffer += data
        out = b""
        if self._head:
            head, end, self._buffer = self._buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return b""
            self._head = False
            self._plain = b" 101 " not in head.split(b"\r\n")[0]
            out = head + end
            if self._plain:
                out, self._buffer = out + self._buffer, b""
                return out
        while (frame := self._frame()) is not None:
            if frame[0] != TEXT:
                out += self.rest_held() + frame
                continue
            self._count += 1
            if self._is_turn(switches.get("drop")):
                continue
            if self._is_turn(switches.get("reorder")) and not self._held:
                self._held = frame
                continue
            out += frame * (2 if self._is_turn(switches.get("repeat")) else 1) + self.rest_held()
        return out

    def _is_turn(self, every: int | None) -> bool:
        """Whether this message is one of each `every` messages."""
        return bool(every and self._count % every == 0)

    def rest_held(self) -> bytes:
        """The message that was held back."""
        held, self._held = self._held, b""
        return held

    def rest(self) -> bytes:
        """All that is left at the end."""
        return self.rest_held() + self._buffer

    def _frame(self) -> bytes | None:
        """The next whole frame; a server masks none."""
        if len(self._buffer) < 2:
            return None
        length, start = self._buffer[1] & 0x7F, 2
        if length > 125:
            start = 4 if length == 126 else 10
            if len(self._buffer) < start:
                return None
            length = int.from_bytes(self._buffer[2:start], "big")
        if len(self._buffer) < start + length:
            return None
        frame, self._buffer = self._buffer[: start + length], self._buffer[start + length :]
        return frame


def main() -> None:
    """Read the arguments, say where it listens, serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.providers.stream_proxy", description="Spoil what a stream says.")
    parser.add_argument("--to", required=True, help="the server behind: http://HOST:PORT")
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    arguments = parser.parse_args()
    network = Network(arguments.to, arguments.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"listening on {network.url}", flush=True)
    with suppress(KeyboardInterrupt):
        network.serve_forever()


if __name__ == "__main__":
    main()
