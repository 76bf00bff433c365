"""Symbols' namespaces as some clients write them: percent-encoded, as in an address, or with a slash at the end. Pure.

Such a client is answered under the name that it sent, and hears of no other. Its reading list differs from others' by that: it has a cohort
of its own, or with those that spell alike; everybody else's frames are what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from web.fanout.channel import Channel
from web.fanout.reading_list import Part


def meant(symbol: str) -> str:
    """What `symbol` spells, where no symbol is called so: without a slash at its end, and decoded once."""
    return unquote(symbol.removesuffix("/"))


class Spelled:
    """As `space_parts`, with other names for some namespaces. Two that have the same names are equal.

    One that has been compared may be part of a cohort's key, and changes no more: until then a client that joins a thousand namespaces
    one after the other changes its own.
    """

    __slots__ = ("_key", "names")

    def __init__(self, names: Mapping[Channel, str]) -> None:
        self.names = dict(names)
        self._key: frozenset[tuple[Channel, str]] | None = None

    def __call__(self, channels: Iterable[tuple[Channel, bool]]) -> list[Part]:
        """A frame a channel, under the name that it has here."""
        return [
            Part(channel.framed_as(self.names.get(channel, channel.namespace), snapshot), (channel,), snapshot)
            for channel, snapshot in channels
            if channel.flushed
        ]

    def changeable(self) -> Spelled:
        """Itself, or the like of it where it must not change any more."""
        return self if self._key is None else Spelled(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spelled) and self._fixed() == other._fixed()

    def __hash__(self) -> int:
        return hash(self._fixed())

    def _fixed(self) -> frozenset[tuple[Channel, str]]:
        if self._key is None:
            self._key = frozenset(self.names.items())
        return self._key
