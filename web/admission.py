"""Who may come in: how many clients, how many from one address, how fast. The limits in force are the engine's."""

from __future__ import annotations

from typing import Any

from web.addresses import network_of
from web.fanout.client import Client
from web.fanout.engine import Engine

SURPLUS = 64
"""So many above a limit come in to be told so in Socket.IO, where a program can read it; more are refused in HTTP, which costs less."""


class Admission:
    """Asked at each handshake (`refusal`), and when a client joins its first namespace (`is_surplus`)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._second = self._connects = 0

    def refusal(self, environ: dict[str, Any]) -> str | None:
        """Why no further client may shake hands now, `None` if one may."""
        if self._engine.draining:
            return "shutting down"
        second = int(self._engine.clock())
        self._connects = self._connects + 1 if second == self._second else 1
        self._second = second
        if self._connects > self._engine.limits.connects_per_s:
            return "too many connects a second"
        return self._crowd(network_of(environ.get("REMOTE_ADDR", "")), coming=1, tolerated=SURPLUS)

    def is_surplus(self, client: Client) -> bool:
        """Whether `client`, which has joined nothing yet, finds no place."""
        return not client.anything_joined and self._crowd(client.network, coming=0, tolerated=0) is not None

    def _crowd(self, network: str, coming: int, tolerated: int) -> str | None:
        limits, clients = self._engine.limits, self._engine.clients
        if len(clients) + coming > limits.max_clients + tolerated:
            return "too many clients"
        most = limits.max_clients_per_address + tolerated
        # Counted only where the address can have so many at all.
        if len(clients) + coming > most and sum(client.network == network for client in clients) + coming > most:
            return "too many clients from this address"
        return None
