"""Whose time is up: clients by the epoch time at which their token ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from web.fanout.client import Client


class Expiry:
    """Remembers for each client the earliest end it was given. A look costs nothing until one is due, and then a walk through all."""

    def __init__(self) -> None:
        self._ends: dict[Client, float] = {}
        self._next_s = math.inf  # no end is sooner

    def add(self, client: Client, expires_s: float) -> None:
        """End `client` at that epoch time, if nothing ends it sooner."""
        end_s = min(expires_s, self._ends.get(client, math.inf))
        self._ends[client] = end_s
        self._next_s = min(self._next_s, end_s)

    def remove(self, client: Client) -> None:
        """Forget a client."""
        self._ends.pop(client, None)

    def due(self, now_s: float) -> list[Client]:
        """The clients whose time has come by `now_s`, epoch seconds."""
        if now_s < self._next_s:
            return []
        due = [client for client, end_s in self._ends.items() if end_s <= now_s]
        for client in due:
            del self._ends[client]
        # In steps of a second: where every client has an end of its own, that is a walk a second and not one a client.
        self._next_s = max(min(self._ends.values(), default=math.inf), now_s + 1)
        return due
