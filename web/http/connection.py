"""The bytes of one HTTP connection: the one place where a client's are read before it is a WebSocket, and where it is answered.

Nothing here trusts the client to pause. A deadline is looked at before each read, for a timer would never fire while bytes keep coming; and
each read, and each piece of work between two of them, takes a turn (`web.runtime.Turns`), so that others have theirs.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from time import monotonic
from typing import Any

from web.runtime import EventletRuntime, Turns, original

socket = original("socket")

READ_BYTES = 65_536
_LINGER_S, _LINGER_BYTES = 2.0, 1_048_576


class Gone(OSError):
    """The client has hung up, or its time is over."""


class Connection:
    """One accepted socket, unpatched and non-blocking, of the client at `address`. Deadlines are monotonic seconds."""

    __slots__ = ("_round", "_runtime", "_turns", "address", "is_proxy", "network", "port", "socket", "unread")

    def __init__(self, runtime: EventletRuntime, turns: Turns, sock: Any, address: str, port: int, network: str) -> None:
        self._runtime = runtime
        self._turns = turns
        self._round = 0
        self.socket = sock
        self.address = address
        self.port = port
        self.network = network
        """What it is counted by (`web.auth.addresses`)."""
        self.is_proxy = False
        """Whether it may say for whom it speaks (`web.http.proxy_protocol`)."""
        self.unread = bytearray()
        """What has come and nobody has looked at."""

    def take_turn(self) -> None:
        """Let others work, if it is their turn."""
        self._round = self._turns.take(self._round, self.network)

    def receive(self, until_s: float, most_bytes: int = READ_BYTES) -> bytes:
        """What has come meanwhile, after waiting for something; empty at the end. Raises `Gone` where its time is over, or it is reset."""
        while True:
            self.take_turn()
            if monotonic() >= until_s:
                raise Gone(errno.ETIMEDOUT, "the client's time is over")
            try:
                data: bytes = self.socket.recv(most_bytes)
            except BlockingIOError:
                self._runtime.wait_readable(self.socket.fileno(), max(until_s - monotonic(), 0.001))
            except OSError as error:
                raise Gone(error.errno, "the client has hung up") from None
            else:
                return data

    def fill(self, until_s: float, most_bytes: int = READ_BYTES) -> bool:
        """Add what has come to `unread`, after waiting for something; false at the end. Raises as `receive` does."""
        data = self.receive(until_s, most_bytes)
        self.unread += data
        return bool(data)

    def send(self, data: bytes, until_s: float) -> None:
        """Send all of it. Raises `Gone`."""
        rest = memoryview(data)
        while True:
            try:
                sent = self.socket.send(rest)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                raise Gone(error.errno, "the client has hung up") from None
            rest = rest[sent:]
            if not rest:
                return
            if not self._runtime.wait_writable(self.socket.fileno(), max(until_s - monotonic(), 0.001)):
                raise Gone(errno.ETIMEDOUT, "the client does not take its answer")
            self.take_turn()

    @property
    def has_unread(self) -> bool:
        """Whether more has come than was read."""
        if self.unread or self.socket is None:
            return bool(self.unread)
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def take_socket(self) -> Any:
        """Give the socket away: who takes it closes it."""
        taken, self.socket = self.socket, None
        return taken

    def hang_up(self) -> None:
        """Close what is not given away."""
        if self.socket is not None:
            with suppress(OSError):
                self.socket.close()
            self.socket = None

    def cut(self) -> None:
        """Have whoever waits for this client see its end; called from outside."""
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)

    def hang_up_gently(self) -> None:
        """Close after an answer to what was not read to its end: a socket closed with bytes unread is reset, and the answer may be lost."""
        if self.socket is None:
            return
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            until_s, dropped = monotonic() + _LINGER_S, len(self.unread)
            self.unread.clear()
            while dropped < _LINGER_BYTES and (data := self.receive(until_s)):
                dropped += len(data)
        self.hang_up()
