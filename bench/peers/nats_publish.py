"""Publishes quotes to a NATS server over its text protocol, a round of all symbols in one write."""

from __future__ import annotations

import json
import os
import select
import socket

from bench.peers.pace import Pace, Quotes, options


def main() -> None:
    """Publish until standard input or the connection ends."""
    given = options()
    pace, quotes = Pace(), Quotes(given.symbols, given.template)
    with socket.create_connection(("127.0.0.1", given.port)) as nats:
        nats.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        nats.sendall(b'CONNECT {"verbose":false,"pedantic":false,"lang":"python","version":"1"}\r\n')
        while True:
            readable, _, _ = select.select([0, nats.fileno()], [], [], pace.wait_s())
            if 0 in readable:
                text = os.read(0, 4096)
                if not text:
                    return
                pace.obey(text.decode())
            if nats.fileno() in readable:
                heard = nats.recv(65_536)
                if not heard:
                    return
                if b"PING" in heard:
                    nats.sendall(b"PONG\r\n")
            if pace.hz and pace.wait_s() == 0:
                pace.begin()
                nats.sendall(b"".join(_publication(name, quote) for name, quote in quotes.round()))


def _publication(name: str, quote: dict[str, object]) -> bytes:
    body = json.dumps(quote, separators=(",", ":")).encode()
    return b"PUB %s %d\r\n%s\r\n" % (name.encode(), len(body), body)


if __name__ == "__main__":
    main()
