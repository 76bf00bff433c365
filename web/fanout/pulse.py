"""What time does to clients: pings, clients that stopped answering, stalled ones, and ones that never joined anything.

Pings are spread over a wheel with a slot a second; deadlines are kept in the order they fall due, so a look costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.fanout.closing import Closing
from web.fanout.frames import text_frame

if TYPE_CHECKING:
    from web.fanout.client import Client
    from web.fanout.engine import Engine

_PING = text_frame(b"2")
_STEP_S = 1.0


class Pulse:
    """Looks around once a second."""

    def __init__(self, engine: Engine, ping_interval_s: int, ping_timeout_s: int) -> None:
        self._engine = engine
        self.ping_timeout_s = ping_timeout_s
        self._wheel: list[set[Client]] = [set() for _ in range(ping_interval_s)]
        self._hand = 0
        self.next_s = engine.clock() + _STEP_S
        self._unanswered: dict[Client, float] = {}  # by deadline, earliest first
        self._newcomers: dict[Client, float] = {}  # those that joined nothing yet, earliest first
        self._blocked: dict[Client, None] = {}

    def add(self, client: Client) -> None:
        """Start to watch a client; its first ping is a whole interval away."""
        client.ping_slot = (self._hand - 1) % len(self._wheel)
        self._wheel[client.ping_slot].add(client)
        self._newcomers[client] = client.since_s

    def remove(self, client: Client) -> None:
        """Stop watching it."""
        self._wheel[client.ping_slot].discard(client)
        self._unanswered.pop(client, None)
        self._newcomers.pop(client, None)
        self._blocked.pop(client, None)

    def pong(self, client: Client) -> None:
        """It answered. One that nobody asked for proves nothing and counts for nothing."""
        self._unanswered.pop(client, None)

    def blocked(self, client: Client) -> None:
        """Its socket is full, as of now: before, it had room."""
        client.progress_s = self._engine.clock()
        self._blocked[client] = None

    def unblocked(self, client: Client) -> None:
        """Its socket has room again."""
        self._blocked.pop(client, None)

    def beat(self, now_s: float) -> None:
        """Do what is due. `now_s`: monotonic seconds."""
        while now_s >= self.next_s:
            self.next_s += _STEP_S
            if self.next_s < now_s - len(self._wheel):
                self.next_s = now_s  # the process was stopped for long: one round of pings, not one for each second missed
            self._hand = (self._hand + 1) % len(self._wheel)
            self._ping(self._wheel[self._hand], now_s)
            self._reap(now_s)

    def _ping(self, clients: set[Client], now_s: float) -> None:
        for client in list(clients):
            if client not in self._unanswered:
                self._unanswered[client] = now_s + self.ping_timeout_s
                self._engine.send_frame(client, _PING)

    def _reap(self, now_s: float) -> None:
        engine = self._engine
        for client, deadline_s in list(self._unanswered.items()):
            if deadline_s > now_s:
                break
            engine.close(client, Closing.PING_TIMEOUT)
        for client, since_s in list(self._newcomers.items()):
            if client.anything_joined:
                del self._newcomers[client]
            elif since_s + engine.limits.join_timeout_s <= now_s:
                engine.close(client, Closing.JOIN_TIMEOUT)
        for client in list(self._blocked):
            if client.progress_s + engine.broadcast.stall_limit_s <= now_s:
                engine.close(client, Closing.STALLED)
        for client in list(engine.polling):
            if client.unsent_bytes and client.polled_s + engine.broadcast.stall_limit_s <= now_s:
                engine.close(client, Closing.STALLED)
