"""What time does to clients: pings, clients that stopped answering, stalled ones, ones that never joined anything, expired tokens.

Pings are spread over a wheel with a slot a quarter of a second; deadlines are kept in the order they fall due, so a look costs nothing.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from web.fanout.close_reasons import CloseReason
from web.fanout.frames import text_frame

if TYPE_CHECKING:
    from web.fanout.client import Client
    from web.fanout.engine import Engine

_PING = text_frame(b"2")
_STEP_S = 0.25
UPGRADE_S = 10.0
"""How long a polling client may try out a WebSocket before it is taken away again."""


class Timeouts:
    """Looks around four times a second. Time-outs are kept to within a step: the step nearest to the deadline is the one that counts."""

    def __init__(self, engine: Engine, ping_interval_s: int, ping_timeout_s: int) -> None:
        self._engine = engine
        self.ping_timeout_s = ping_timeout_s
        self._wheel: list[set[Client]] = [set() for _ in range(round(ping_interval_s / _STEP_S))]
        self._hand = 0
        self.next_s = engine.clock() + _STEP_S
        self._unanswered: dict[Client, float] = {}  # by deadline, earliest first
        self._blocked: dict[Client, None] = {}

    def add(self, client: Client) -> None:
        """Start to watch a client; its first ping is an interval away, less one or two steps."""
        client.ping_slot = (self._hand - 1) % len(self._wheel)
        self._wheel[client.ping_slot].add(client)

    def remove(self, client: Client) -> None:
        """Stop watching it."""
        self._wheel[client.ping_slot].discard(client)
        self._unanswered.pop(client, None)
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

    @property
    def stalled(self) -> int:
        """How many clients' sockets are full at this moment."""
        return len(self._blocked)

    def beat(self, now_s: float) -> None:
        """Do what is due. `now_s`: monotonic seconds."""
        if now_s >= self.next_s:
            self._engine.counters.lag_s.observe(now_s - self.next_s)
        while now_s >= self.next_s:
            self.next_s += _STEP_S
            if self.next_s < now_s - len(self._wheel) * _STEP_S:
                self.next_s = now_s  # the process was stopped for long: one round of pings, not one for each step missed
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
        now_s += _STEP_S / 2  # a beat that is a little early must not make a time-out a whole step late
        for client, deadline_s in list(self._unanswered.items()):
            if deadline_s > now_s:
                break
            if client.has_unread:  # its answer may be in there: that we are slow is not its fault
                del self._unanswered[client]
                self._unanswered[client] = now_s + self.ping_timeout_s
            else:
                engine.close(client, CloseReason.PING_TIMEOUT)
        for client in engine.expiry.due(engine.wall_clock()):
            engine.close(client, CloseReason.TOKEN_EXPIRED)
        late = list(takewhile(lambda client: client.since_s + engine.limits.join_timeout_s <= now_s, engine.pools.waiting))
        for client in late:
            if not client.has_unread:
                engine.close(client, CloseReason.JOIN_TIMEOUT)
        for client in list(self._blocked):
            if client.progress_s + engine.broadcast.stall_limit_s <= now_s:
                engine.close(client, CloseReason.STALLED)
        for client in list(engine.polling):
            if client.upgrading and client.upgrade_s + UPGRADE_S <= now_s:
                engine.give_up_probe(client, CloseReason.PING_TIMEOUT)
            if client.unsent_bytes and client.poll_event is None and client.polled_s + engine.broadcast.stall_limit_s <= now_s:
                engine.close(client, CloseReason.STALLED)
