"""`python -m tests.attacks.witness PORT SECONDS TOKEN ENOUGH`: an honest client in a process of its own, and what it had to wait for.

It reads the quotes of one symbol over a WebSocket and asks `/healthz` 20 times a second on connections of their own, from 127.0.0.1, for so
long, or until it has ENOUGH of both (0: whatever it has). At the end it prints one line of JSON.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from tests.e2e.raw import WEBSOCKET, Closed, RawSocket

SYMBOL = "WITNESS"
ASK_EVERY_S = 0.05


class Seen(NamedTuple):
    """What a witness saw: how many quotes and answers, the longest time without a quote, and how long answers took, all in ms."""

    quotes: int
    gap_ms: float
    answers: int
    answer_p99_ms: float
    answer_longest_ms: float


class Witness:
    """One that begins to look now; `seen` waits until it has looked for so long."""

    def __init__(self, port: int, seconds: float, token: str = "", enough: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.attacks.witness", str(port), str(seconds), token, str(enough)], stdout=subprocess.PIPE
        )

    def begun(self) -> None:
        """Return when it reads."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"begun\n"

    def seen(self) -> Seen:
        """What it saw."""
        told, _ = self._process.communicate()
        return Seen(**json.loads(told))


def watch(port: int, seconds: float, token: str, enough: int) -> Seen:
    """Look for so long, or until there is enough."""
    address, authorization = ("127.0.0.1", port), [(b"Authorization", b"Bearer " + token.encode())] if token else []
    client = _let_in(address, authorization)
    client.join("/" + SYMBOL)
    client.wait(f"42/{SYMBOL},")
    print("begun", flush=True)
    until_s = time.monotonic() + seconds
    came_s, took_s = [time.monotonic()], [0.0]

    def is_enough() -> bool:
        return 0 < enough < min(len(came_s), len(took_s))

    asking = threading.Thread(target=_ask, args=(address, until_s, took_s, is_enough))
    asking.start()
    try:
        while time.monotonic() < until_s and not is_enough():
            client.wait(f"42/{SYMBOL},")
            came_s.append(time.monotonic())
    except (Closed, OSError):
        pass
    asking.join()
    came_s.append(max(time.monotonic(), 0.0 if is_enough() else until_s))  # if it was closed before its time, that is a gap
    gaps_s = [later - sooner for sooner, later in pairwise(came_s)]
    took_s.sort()
    return Seen(len(came_s) - 2, 1000 * max(gaps_s), len(took_s) - 1, 1000 * took_s[int(0.99 * (len(took_s) - 1))], 1000 * took_s[-1])


def _let_in(address: tuple[str, int], headers: list[tuple[bytes, bytes]]) -> RawSocket:
    """A WebSocket, once the attack before this one is no longer held against its address."""
    while True:
        try:
            return RawSocket(address, WEBSOCKET, headers)
        except ConnectionRefusedError:
            time.sleep(0.2)


def _ask(address: tuple[str, int], until_s: float, took_s: list[float], is_enough: Callable[[], bool]) -> None:
    while (began_s := time.monotonic()) < until_s and not is_enough():
        with socket.create_connection(address, 60) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if connection.recv(100).startswith(b"HTTP/1.1 200"):
                took_s.append(time.monotonic() - began_s)
        time.sleep(max(0.0, ASK_EVERY_S - (time.monotonic() - began_s)))


if __name__ == "__main__":
    print(json.dumps(watch(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], int(sys.argv[4]))._asdict()))
