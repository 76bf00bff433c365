"""`python -m tests.attacks.clients NAME PORT SECONDS FROM [TOKEN]`: one hostile client, as fast as one core can, from the address FROM.

Each sends for so long and counts what it sent; whatever the relay does to it is right, and no error here.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.conformance.peer import masked

POLLING = b"/socket.io/?EIO=4&transport=polling"
HEAD_BYTES = 31 * 1024


class Attack(NamedTuple):
    """Whom it goes against, from where, with what, and for how long."""

    port: int
    until_s: float
    source: str
    token: str

    def connect(self) -> socket.socket:
        """A connection."""
        connection = socket.create_connection(("127.0.0.1", self.port), 20, (self.source, 0))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def request(self, target: bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
        """A request, with the token if there is one."""
        authorization = [b"Authorization: Bearer " + self.token.encode()] if self.token else []
        return b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"Host: localhost", *authorization, *headers, b"", b""])

    @property
    def goes_on(self) -> bool:
        """Whether its time is not over."""
        return time.monotonic() < self.until_s


def pour(attack: Attack, begin: bytes, block: bytes, connections: int = 1, begin_again: bool = True) -> int:
    """Send `begin` and then `block` for ever, on so many connections, anew whenever one is closed; returns how many bytes went."""
    sent = [0]

    def drain(connection: socket.socket) -> None:
        try:
            while connection.recv(1 << 20):
                pass
        except OSError:
            pass

    def run() -> None:
        while attack.goes_on:
            try:
                with attack.connect() as connection:
                    threading.Thread(target=drain, args=(connection,), daemon=True).start()
                    connection.sendall(begin)
                    while attack.goes_on:
                        connection.sendall(block)
                        sent[0] += len(block)
            except OSError:
                if not begin_again:
                    return

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sent[0]


def ask(attack: Attack, target: bytes, a_second: float, clients: int) -> int:
    """Requests at this rate in all, of so many clients that each wait for their answers; returns how many were answered."""
    answered = [0]

    def run(number: int) -> None:
        pause_s, next_s = clients / a_second, time.monotonic() + number / a_second
        try:
            with attack.connect() as connection:
                reader = connection.makefile("rb")
                while attack.goes_on:
                    time.sleep(max(0.0, next_s - time.monotonic()))
                    next_s += pause_s
                    connection.sendall(attack.request(target))
                    length = 0
                    while (line := reader.readline()) not in (b"\r\n", b""):
                        if line.lower().startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    reader.read(length)
                    answered[0] += 1
        except OSError:
            pass

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answered[0]


def sessions(attack: Attack) -> int:
    """Long-polling sessions that never join anything, one after the other, on eight connections; returns how many were asked for."""
    return pour(attack, b"", attack.request(POLLING) * 20, connections=8) // len(attack.request(POLLING))


def connects(attack: Attack) -> int:
    """TCP connections that say nothing and are closed at once; returns how many."""
    number = 0
    while attack.goes_on:
        try:
            attack.connect().close()
            number += 1
        except OSError:
            pass
    return number


def unfinished(attack: Attack, size: int, number: int = 3000) -> int:
    """Connections with so many bytes of headers that never end, all cut in the same moment; returns how many there were."""
    held = []
    block = attack.request(b"/")[:-2] + b"X: " + b"y" * size
    for _ in range(number):
        try:
            held.append(attack.connect())
            held[-1].sendall(block[:size])
        except OSError:
            pass
    for connection in held:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    for connection in held:
        connection.close()
    while attack.goes_on:
        time.sleep(0.05)
    return len(held)


def websocket(attack: Attack, block: bytes) -> int:
    """A WebSocket that sends this for ever, anew whenever it is closed."""
    begin = attack.request(
        b"/socket.io/?EIO=4&transport=websocket",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    return pour(attack, begin, block)


def post(attack: Attack, target: bytes, block: bytes, *, begin: bytes = b"", length: bytes = b"Transfer-Encoding: chunked") -> int:
    """A body that goes on for ever, in chunks if nothing else is said."""
    return pour(attack, attack.request(target, length, method=b"POST") + begin, block)


ATTACKS: dict[str, Callable[[Attack], int]] = {
    "requests without end": lambda attack: pour(attack, b"", attack.request(b"/healthz") * 400),
    "requests for history without end": lambda attack: pour(attack, b"", attack.request(b"/api/sparkline") * 400),
    "requests for metrics without end": lambda attack: pour(attack, b"", attack.request(b"/metrics") * 400),
    "requests that differ each time": lambda attack: pour(
        attack,
        b"",
        b"".join(
            attack.request(b"/api/quotes?symbols=" + b",".join(b"S%d" % (number + more) for more in range(100))) for number in range(400)
        ),
    ),
    "requests on 200 connections": lambda attack: pour(attack, b"", attack.request(b"/api/quotes") * 20, connections=200),
    "files of the page without end": lambda attack: pour(attack, b"", attack.request(b"/nothing.js") * 400),
    "chunks of a byte": lambda attack: post(attack, b"/healthz", b"1\r\nx\r\n" * 10_000),
    "chunks of a byte to a session": lambda attack: post(attack, POLLING + b"&sid=x", b"1\r\nx\r\n" * 10_000),
    "an extension without end": lambda attack: post(attack, b"/api/symbols", b"a" * 60_000, begin=b"1;"),
    "trailers without end": lambda attack: post(attack, b"/api/symbols", b"a: b\r\n" * 9000, begin=b"0\r\n"),
    "a body without end": lambda attack: post(attack, b"/api/symbols", b"x" * 60_000, length=b"Content-Length: 999999999"),
    "headers without end": lambda attack: pour(attack, b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 9000),
    "empty lines without end": lambda attack: pour(attack, b"", b"\r\n" * 30_000),
    "bytes without sense": lambda attack: pour(attack, b"", os.urandom(60_000)),
    "connections without a word": connects,
    "sessions that never join": sessions,
    "pings without end": lambda attack: websocket(attack, masked(9) * 10_000),
    "empty messages without end": lambda attack: websocket(attack, masked(1) * 10_000),
    "3,000 unfinished heads of 31 KiB": lambda attack: unfinished(attack, HEAD_BYTES),
    "3,000 unfinished heads of 60 KB": lambda attack: unfinished(attack, 60_000),
    "a thousand requests a second": lambda attack: ask(attack, b"/api/quotes", 1000, 20),
    "50 clients, 20 requests a second each": lambda attack: ask(attack, b"/metrics", 1000, 50),
}


if __name__ == "__main__":
    name, port, seconds, source, token = sys.argv[1:6]
    print(json.dumps(ATTACKS[name](Attack(int(port), time.monotonic() + float(seconds), source, token))))
