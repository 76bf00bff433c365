"""Clients of an engine that no server let in."""

from __future__ import annotations

from web.fanout.client import Client, Transport
from web.fanout.close_reasons import CloseReason
from web.fanout.engine import Engine


class Nobody:
    """Handles what they send: not at all."""

    def packet(self, client: Client, payload: str | bytes) -> None:
        """They send nothing."""

    def gone(self, client: Client, reason: CloseReason) -> None:
        """And nobody misses them."""


def newcomer(engine: Engine, number: int, address: str = "", transport: Transport = "polling") -> Client:
    """One that has just come from `address`; the engine does not know it yet."""
    return Client(Nobody(), f"sid{number}", f"public{number}", {"REMOTE_ADDR": address}, transport, engine.clock())
