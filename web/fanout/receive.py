"""What clients send: whose turn it is to be read, and what their bytes mean. Messages go to the client's handler; what ends a connection is
returned, for the engine to end it.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

from web.fanout.bugs import Bugs
from web.fanout.client import Client, Ending
from web.fanout.close_reasons import CloseReason
from web.fanout.frames import BINARY, CLOSE, PING, PONG, TEXT, Violation, close_code, decode_text, frame

log = Bugs(logging.getLogger(__name__))

READ_S = 0.004
"""How long a round reads before quotes get their turn, seconds."""
READ_SHARE = 0.25
"""What part of the time a round reads where the rest of it takes long: whoever comes in must not wait for ever."""
AT_ONCE = 256
"""So many clients are looked up at a time."""
READ_BYTES = 16_384
"""So much of one client is read at a time: thousands of tiny frames, after which it is somebody else's turn."""
PACKETS_PER_S = 5000
"""What one client may send, pings, pongs and joins included: far more than any has reason to, and little enough to be borne."""


class Receiver:
    """Reads for the engine.

    `epoll` is what it waits on, `wake` the descriptor that others wake it with, `send_frame` what answers a ping of a WebSocket.
    """

    def __init__(self, epoll: Any, wake: int, clients: Mapping[int, Client], send_frame: Callable[[Client, bytes], None]) -> None:
        self._epoll = epoll
        self._wake = wake
        self._clients = clients  # by descriptor
        self._send_frame = send_frame
        self._read_s = READ_S
        self._turns: deque[tuple[int, int]] = deque()  # descriptors and what epoll said of them, of those who wait for their turn

    def turns(self) -> Iterator[tuple[Client, int]]:
        """Whose turn it is, and what epoll said of its socket, until all have had one or the time is up. Whose turn did not come has it
        first in the next round: epoll itself would begin with others.
        """
        until_s = perf_counter() + self._read_s
        everybody = False
        while not everybody:
            if not self._turns:
                events = self._epoll.poll(0, AT_ONCE)
                everybody = len(events) < AT_ONCE
                self._turns.extend(events)
            while self._turns:
                descriptor, event = self._turns.popleft()
                client = self._clients.get(descriptor)
                if client is not None:
                    yield client, event
                elif descriptor == self._wake:
                    os.eventfd_read(self._wake)
                if perf_counter() > until_s:
                    return

    def take_share(self, rest_s: float) -> None:
        """The rest of the round took so long: the next one may read in proportion."""
        self._read_s = max(READ_S, rest_s * READ_SHARE / (1 - READ_SHARE))

    def readable(self, client: Client, now_s: float) -> Ending | None:
        """The client's socket has something: bytes, or its end. `now_s`: monotonic seconds."""
        try:
            data = client.socket.recv(READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        return self.heard(client, data, now_s) if data else Ending(CloseReason.CLIENT, client.upgrading)

    def heard(self, client: Client, data: bytes, now_s: float) -> Ending | None:
        """These bytes came from the client. Whatever is wrong with them ends this client and nobody else."""
        try:
            return self._received(client, data, now_s)
        except Violation as violation:
            return Ending(CloseReason.of(violation), client.upgrading)
        except ValueError:
            return Ending(CloseReason.BAD_PACKET, client.upgrading)
        except Exception:
            log.report("a client's packet could not be handled")
            return Ending(CloseReason.ERROR)

    def _received(self, client: Client, data: bytes, now_s: float) -> Ending | None:
        assert client.reader is not None
        handler = client.handler
        for opcode, payload in client.reader.feed(data):
            if client.packets.exceeds(PACKETS_PER_S, now_s):
                return Ending(CloseReason.TOO_MANY_REQUESTS, client.upgrading)
            if opcode == TEXT:
                handler.packet(client, decode_text(payload))
            elif opcode == BINARY:
                handler.packet(client, payload)
            elif opcode == PING and not client.upgrading:
                self._send_frame(client, frame(PONG, payload))
            elif opcode == CLOSE:
                close_code(payload)
                # Its own code comes back (RFC 6455 section 5.5.1).
                return Ending(CloseReason.CLIENT, client.upgrading, frame(CLOSE, payload[:2]))
            if client.socket is None:
                return None
        return None
