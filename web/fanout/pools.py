"""Who is connected, in two pools: those that joined something, and those that wait. Whatever happens, nobody walks through all of them."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from web.fanout.client import Client

Crowd = tuple[str, bool]
"""What tells those who wait apart: their network, and whether they came with a good token."""
LOOKED_AT = 8
"""So many of a crowd are looked at to find one that has said nothing."""


class Pools:
    """Keeps count of clients by network, and of those that wait in crowds, by size. Each step takes as long with ten clients as with a
    million.

    Whoever has once joined something has its place until it goes, also while it is in no namespace: it could as well have stayed in one.
    """

    def __init__(self) -> None:
        self.joined = 0
        self.waiting: dict[Client, Crowd] = {}  # that joined nothing yet, the oldest first
        self._networks: Counter[str] = Counter()  # all clients
        self._crowds: dict[Crowd, dict[Client, None]] = {}  # each with its oldest first
        self._by_size: dict[int, dict[Crowd, None]] = {}
        self._largest = 0

    def enter(self, client: Client) -> None:
        """It has come, and waits."""
        crowd = client.network, client.identity is not None
        self._networks[client.network] += 1
        self.waiting[client] = crowd
        members = self._crowds.setdefault(crowd, {})
        members[client] = None
        self._resize(crowd, len(members) - 1, len(members))

    def seat(self, client: Client) -> None:
        """It has joined something, perhaps not for the first time."""
        if self._stop_waiting(client):
            self.joined += 1

    def leave(self, client: Client) -> None:
        """It is gone."""
        if not self._stop_waiting(client):
            self.joined -= 1
        self._networks[client.network] -= 1
        if not self._networks[client.network]:
            del self._networks[client.network]

    def of_network(self, network: str) -> int:
        """How many clients come from there."""
        return self._networks[network]

    def most_of_a_network(self) -> int:
        """How many clients come from the network that most come from. The one look at all networks."""
        return max(self._networks.values(), default=0)

    def first_to_go(self, spared: Client) -> Client:
        """Who makes room for `spared`, the newest of at least two that wait: the oldest of the largest crowd, unless what it has said
        nobody has read yet.
        """
        members = self._crowds[next(iter(self._by_size[self._largest]))]
        oldest = [client for client in islice(members, LOOKED_AT) if client is not spared]
        return next((client for client in oldest if not client.has_unread), oldest[0])

    def _stop_waiting(self, client: Client) -> bool:
        crowd = self.waiting.pop(client, None)
        if crowd is None:
            return False
        members = self._crowds[crowd]
        del members[client]
        if not members:
            del self._crowds[crowd]
        self._resize(crowd, len(members) + 1, len(members))
        return True

    def _resize(self, crowd: Crowd, before: int, now: int) -> None:
        """It has become larger or smaller by one."""
        if before:
            equals = self._by_size[before]
            del equals[crowd]
            if not equals:
                del self._by_size[before]
        if now:
            self._by_size.setdefault(now, {})[crowd] = None
        if now > self._largest or self._largest not in self._by_size:
            self._largest = now
