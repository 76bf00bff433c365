"""Who may come in: how many clients, how many from one address, how fast. The limits in force are the engine's."""

from __future__ import annotations

from typing import Any

from web.addresses import network_of
from web.fanout.client import Client
from web.fanout.engine import Engine

SURPLUS = 64
"""So many for whom there is no place come in to be told so in Socket.IO, where a program can read it; more are refused in HTTP, which costs
less."""


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
        limits, pools = self._engine.limits, self._engine.pools
        if pools.joined >= limits.max_clients and len(pools.waiting) >= SURPLUS:
            return "too many clients"
        if pools.of_network(network_of(environ.get("REMOTE_ADDR", ""))) >= limits.max_clients_per_address + SURPLUS:
            return "too many clients from this address"
        return None

    def is_surplus(self, client: Client) -> bool:
        """Whether `client` has no place and finds none. Those who wait take none from it."""
        limits, pools = self._engine.limits, self._engine.pools
        return client in pools.waiting and (pools.joined >= limits.max_clients
                                            or pools.of_network(client.network) > limits.max_clients_per_address)
