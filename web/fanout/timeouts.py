"""What time does to clients: pings, clients that stopped answering, stalled ones, ones that never joined anything, expired tokens.

It says what is due, and the engine does it. Pings are spread over a wheel with a slot a quarter of a second; deadlines are kept in the
order they fall due, so a look costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from itertools import takewhile

from web.fanout.client import Client, Ending
from web.fanout.close_reasons import CloseReason

_STEP_S = 0.25
UPGRADE_S = 10.0
"""How long a polling client may try out a WebSocket before it is taken away again."""


class Timeouts:
    """Looks around four times a second. Time-outs are kept to within a step: the step nearest to the deadline is the one that counts.

    `waiting` are those who joined nothing yet, the oldest first, and `polling` those who poll. `now_s`: monotonic seconds, here and below.
    """

    def __init__(
        self, waiting: Collection[Client], polling: Collection[Client], ping_interval_s: int, ping_timeout_s: int, now_s: float
    ) -> None:
        self._waiting = waiting
        self._polling = polling
        self._ping_timeout_s = ping_timeout_s
        self._wheel: list[set[Client]] = [set() for _ in range(round(ping_interval_s / _STEP_S))]
        self._hand = 0
        self.next_s = now_s + _STEP_S
        self._unanswered: dict[Client, float] = {}  # by deadline, earliest first
        self._blocked: dict[Client, None] = {}
        self._tokens = _Tokens()

    def add(self, client: Client) -> None:
        """Start to watch a client; its first ping is an interval away, less one or two steps."""
        client.ping_slot = (self._hand - 1) % len(self._wheel)
        self._wheel[client.ping_slot].add(client)

    def remove(self, client: Client) -> None:
        """Stop watching it."""
        self._wheel[client.ping_slot].discard(client)
        self._unanswered.pop(client, None)
        self._blocked.pop(client, None)
        self._tokens.remove(client)

    def pong(self, client: Client) -> None:
        """It answered. One that nobody asked for proves nothing and counts for nothing."""
        self._unanswered.pop(client, None)

    def blocked(self, client: Client, now_s: float) -> None:
        """Its socket is full, as of now: before, it had room."""
        client.progress_s = now_s
        self._blocked[client] = None

    def unblocked(self, client: Client) -> None:
        """Its socket has room again."""
        self._blocked.pop(client, None)

    def expires(self, client: Client, epoch_s: float) -> None:
        """One of its tokens ends at that epoch time, and the connection with the first of them."""
        self._tokens.add(client, epoch_s)

    @property
    def stalled(self) -> int:
        """How many clients' sockets are full at this moment."""
        return len(self._blocked)

    def due(self, now_s: float, epoch_s: float, join_timeout_s: float, stall_limit_s: float) -> Iterator[tuple[Client, Ending | None]]:
        """Who is to be pinged (`None`), and whose connection is to end. Each is to be carried out before the next is asked for."""
        while now_s >= self.next_s:
            self.next_s += _STEP_S
            if self.next_s < now_s - len(self._wheel) * _STEP_S:
                self.next_s = now_s  # the process was stopped for long: one round of pings, not one for each step missed
            self._hand = (self._hand + 1) % len(self._wheel)
            for client in list(self._wheel[self._hand]):
                if client not in self._unanswered:
                    self._unanswered[client] = now_s + self._ping_timeout_s
                    yield client, None
            # A look that is a little early must not make a time-out a whole step late.
            yield from self._ended(now_s + _STEP_S / 2, epoch_s, join_timeout_s, stall_limit_s)

    def _ended(self, now_s: float, epoch_s: float, join_timeout_s: float, stall_limit_s: float) -> Iterator[tuple[Client, Ending]]:
        for client, deadline_s in list(self._unanswered.items()):
            if deadline_s > now_s:
                break
            if client.has_unread:  # its answer may be in there: that we are slow is not its fault
                del self._unanswered[client]
                self._unanswered[client] = now_s + self._ping_timeout_s
            else:
                yield client, Ending(CloseReason.PING_TIMEOUT)
        for client in self._tokens.due(epoch_s):
            yield client, Ending(CloseReason.TOKEN_EXPIRED)
        for client in list(takewhile(lambda client: client.since_s + join_timeout_s <= now_s, self._waiting)):
            if not client.has_unread:
                yield client, Ending(CloseReason.JOIN_TIMEOUT)
        for client in list(self._blocked):
            if client.progress_s + stall_limit_s <= now_s:
                yield client, Ending(CloseReason.STALLED)
        for client in list(self._polling):
            if client.upgrading and client.upgrade_s + UPGRADE_S <= now_s:
                yield client, Ending(CloseReason.PING_TIMEOUT, is_of_probe=True)
            if client.unsent_bytes and client.poll_event is None and client.polled_s + stall_limit_s <= now_s:
                yield client, Ending(CloseReason.STALLED)


class _Tokens:
    """Remembers for each client the earliest end of its tokens. A look costs nothing until one is due, and then a walk through all."""

    def __init__(self) -> None:
        self._ends: dict[Client, float] = {}
        self._next_s = math.inf  # no end is sooner

    def add(self, client: Client, epoch_s: float) -> None:
        """End `client` at that epoch time, if nothing ends it sooner."""
        end_s = min(epoch_s, self._ends.get(client, math.inf))
        self._ends[client] = end_s
        self._next_s = min(self._next_s, end_s)

    def remove(self, client: Client) -> None:
        """Forget a client."""
        self._ends.pop(client, None)

    def due(self, epoch_s: float) -> list[Client]:
        """The clients whose time has come."""
        if epoch_s < self._next_s:
            return []
        due = [client for client, end_s in self._ends.items() if end_s <= epoch_s]
        for client in due:
            del self._ends[client]
        # In steps of a second: where every client has an end of its own, that is a walk a second and not one a client.
        self._next_s = max(min(self._ends.values(), default=math.inf), epoch_s + 1)
        return due
