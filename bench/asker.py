"""`python -m bench.asker PORT PATH SECONDS`: HTTP clients that keep their connections and each ask again as soon as they are answered.

Prints one line of JSON: how many were answered with 200 in how many seconds. One thread, one selector; it parses no more than it must.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time

CONNECTIONS = 8
END = b"\r\n\r\n"


class Client:
    """One connection, with one request under way."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".encode()
        self._heard = b""
        self.ask()

    def ask(self) -> None:
        """Send the request."""
        self._heard = b""
        self.socket.sendall(self._request)

    def hear(self) -> bool:
        """Read what is there; whether that completes an answer. Raises `ConnectionError` where it is none, or not 200."""
        self._heard += self.socket.recv(1 << 20)
        head, end, body = self._heard.partition(END)
        if not end:
            if not self._heard:
                raise ConnectionError("the server hung up")
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(head[:80].decode(errors="replace"))
        return len(body) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])


def main() -> None:
    """Ask for so long."""
    port, path, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    selector = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        client = Client(port, path)
        selector.register(client.socket, selectors.EVENT_READ, client)
    answers, began_s = 0, time.perf_counter()
    while (took_s := time.perf_counter() - began_s) < seconds:
        for key, _ in selector.select(0.1):
            if key.data.hear():
                answers += 1
                key.data.ask()
    print(json.dumps({"answers": answers, "seconds": took_s}))


if __name__ == "__main__":
    main()
