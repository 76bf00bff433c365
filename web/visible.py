"""What of the relay's state an identity may know: of other symbols than its own not even that they exist."""

from __future__ import annotations

from typing import Any

from web.identity import Identity

NOT_TOLD = "not told with a token for some symbols only; the relay's log says it"
"""In place of words that may name other symbols: addresses of feeds, keys of settings."""
_OF_A_FEED = ("feed", "kind", "state", "last_success", "next_try", "upstream")


def symbols(state: list[dict[str, Any]], identity: Identity) -> list[dict[str, Any]]:
    """Of the wire's `symbols`."""
    return state if identity.sees_all else [entry for entry in state if identity.may_see(entry["symbol"])]


def feeds(state: list[dict[str, Any]], identity: Identity) -> list[dict[str, Any]]:
    """Of the wire's `feeds`: what is said of a feed besides is about all of its symbols."""
    if identity.sees_all:
        return state
    return [{**{name: entry[name] for name in _OF_A_FEED if name in entry}, "error": _hushed(entry)} for entry in state]


def config(state: dict[str, Any], identity: Identity) -> dict[str, Any]:
    """Of the wire's `config`."""
    return state if identity.sees_all else {**state, "error": _hushed(state), "restart_required": []}


def _hushed(entry: dict[str, Any]) -> str | None:
    return NOT_TOLD if entry["error"] else None
