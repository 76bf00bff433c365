"""What clients send: bytes off a socket become messages for the library's server, and breaches end the connection that made them."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from web.fanout.bugs import Bugs
from web.fanout.client import Client
from web.fanout.close_reasons import CloseReason
from web.fanout.frames import BINARY, CLOSE, PING, PONG, TEXT, Violation, close_code, decode_text, frame
from web.runtime import original

if TYPE_CHECKING:
    from web.fanout.engine import Engine

log = Bugs(logging.getLogger(__name__))

select = original("select")  # the patched one has no epoll

READ_S = 0.004
"""How long a round reads before quotes get their turn, seconds."""
READ_SHARE = 0.25
"""Or what part of the time, where the rest of a round takes long: whoever comes in must not wait for ever."""
AT_ONCE = 256
"""So many clients are looked up at a time."""
READ_BYTES = 16_384
"""At a time of one client: thousands of tiny frames, after which it is somebody else's turn."""
PACKETS_PER_S = 5000
"""Of one client, pings, pongs and joins included: far more than any has reason to send, and little enough to be borne."""


class PacketHandler(Protocol):
    """Who handles what clients send: the library's server (`web.socketio.server`)."""

    def packet(self, client: Client, payload: str | bytes) -> None:
        """An Engine.IO packet came. Raises `ValueError` for one that makes no sense."""

    def gone(self, client: Client, closing: CloseReason) -> None:
        """The client was closed."""


class Receiver:
    """Reads for the engine, and closes through it. `epoll` is what it waits on, `wake` the descriptor that others wake it with."""

    def __init__(self, engine: Engine, epoll: Any, wake: int, clients: Mapping[int, Client]) -> None:
        self._engine = engine
        self._epoll = epoll
        self._wake = wake
        self._clients = clients  # by descriptor
        self._read_s = READ_S
        self._turns: deque[tuple[int, int]] = deque()  # descriptors and what epoll said of them, of those who wait for their turn

    def read(self) -> None:
        """Take in what clients have sent, each in its turn, until all have had one or the time is up. Whose turn did not come has it first
        in the next round: epoll itself would begin with others.
        """
        until_s = perf_counter() + self._read_s
        everybody = False
        while not everybody:
            if not self._turns:
                events = self._epoll.poll(0, AT_ONCE)
                everybody = len(events) < AT_ONCE
                self._turns.extend(events)
            while self._turns:
                self._turn(*self._turns.popleft())
                if perf_counter() > until_s:
                    return

    def _turn(self, descriptor: int, event: int) -> None:
        if descriptor == self._wake:
            os.eventfd_read(self._wake)
            return
        client = self._clients.get(descriptor)
        if client is None:
            return
        if event & select.EPOLLOUT:
            self._engine.writable(client)
        if event & ~select.EPOLLOUT:
            self.readable(client)

    def take_share(self, rest_s: float) -> None:
        """The rest of the round took so long: the next one may read in proportion."""
        self._read_s = max(READ_S, rest_s * READ_SHARE / (1 - READ_SHARE))

    def readable(self, client: Client) -> None:
        """The client's socket has something: bytes, or its end."""
        try:
            data = client.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.heard(client, data)
        else:
            self._end(client, CloseReason.CLIENT)

    def heard(self, client: Client, data: bytes) -> None:
        """These bytes came from the client. Whatever is wrong with them ends this client and nobody else."""
        try:
            self._received(client, data)
        except Violation as violation:
            self._end(client, CloseReason.of(violation))
        except ValueError:
            self._end(client, CloseReason.BAD_PACKET)
        except Exception:
            log.report("a client's packet could not be handled")
            self._engine.close(client, CloseReason.ERROR)

    def _received(self, client: Client, data: bytes) -> None:
        assert client.reader is not None
        packet_handler = self._engine.packet_handler
        assert packet_handler is not None
        now_s = self._engine.clock()
        for opcode, payload in client.reader.feed(data):
            if client.over_rate(now_s, "packets", PACKETS_PER_S):
                self._end(client, CloseReason.TOO_MANY_REQUESTS)
                return
            if opcode == TEXT:
                packet_handler.packet(client, decode_text(payload))
            elif opcode == BINARY:
                packet_handler.packet(client, payload)
            elif opcode == PING and not client.upgrading:
                self._engine.send_frame(client, frame(PONG, payload))
            elif opcode == CLOSE:
                close_code(payload)
                self._end(client, CloseReason.CLIENT, frame(CLOSE, payload[:2]))  # its own code comes back (section 5.5.1)
            if client.socket is None:
                return

    def _end(self, client: Client, closing: CloseReason, farewell: bytes = b"") -> None:
        """End what speaks through the client's WebSocket: the connection, or only the try of one."""
        if client.upgrading:
            self._engine.give_up_probe(client, closing)
        else:
            self._engine.close(client, closing, farewell)
