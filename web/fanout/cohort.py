"""All clients with the same reading list and rate: they share one buffer a flush.

A cohort's list is worked out when a client joins or leaves, never during a flush; its buffer is built once a flush.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from web.fanout.channel import Channel
from web.fanout.frame_table import Pick, picker
from web.fanout.reading_list import CohortKey, ReadingList, Write, space_parts


class Cohort:
    """All reading lists of the same channels at the same rate. `ready` ones have everything up to flush `sent` and share one buffer;
    `stragglers` (a full socket, a late joiner of a rate-limited cohort, long polling) are served one by one."""

    __slots__ = ("channels", "due_at_ms", "encode", "everything", "key", "period_ms", "pick", "queued", "ready", "sent", "stragglers")

    def __init__(self, key: CohortKey, sent: int) -> None:
        self.key = key
        self.encode = key.encode
        self.everything = key.everything
        self.period_ms = key.period_ms
        self.channels: tuple[Channel, ...] = tuple(sorted(key.channels, key=_symbol))
        # For lists that need no more than the frames as they are.
        self.pick: Pick | None = picker(self.channels) if self.encode is space_parts and not self.period_ms else None
        self.sent = sent
        self.due_at_ms = 0.0
        self.queued = False
        self.ready: dict[ReadingList, Write] = {}
        self.stragglers: dict[ReadingList, None] = {}

    def news(self, registry: Mapping[str, Channel], since: int) -> list[Channel]:
        """The channels flushed after flush `since`."""
        channels: Collection[Channel] = registry.values() if self.everything else self.channels
        return [channel for channel in channels if channel.flushed > since]

    def add(self, reading_list: ReadingList) -> None:
        """Take `reading_list` in, and let it share the cohort's own set of channels."""
        reading_list.cohort = self
        reading_list.channels = self.key.channels
        self.place(reading_list)

    def place(self, reading_list: ReadingList) -> None:
        """Put a member that is not ready among the ready ones, if it is exactly up to date with them and its socket has room."""
        outbox = reading_list.outbox
        level = reading_list.synced <= self.sent if self.period_ms else True
        if level and outbox.write is not None and not outbox.blocked and not reading_list.pending:
            self.stragglers.pop(reading_list, None)
            self.ready[reading_list] = outbox.write
        else:
            self.stragglers[reading_list] = None

    def demote(self, reading_list: ReadingList, number: int) -> None:
        """Serve a ready member by itself from now on; it has everything up to `sent`, and nothing happened since in a list of full rate."""
        if self.ready.pop(reading_list, None) is not None:
            reading_list.synced = self.sent if self.period_ms else number
            self.stragglers[reading_list] = None

    def remove(self, reading_list: ReadingList) -> bool:
        """Let `reading_list` go; whether that leaves the cohort empty."""
        self.ready.pop(reading_list, None)
        self.stragglers.pop(reading_list, None)
        reading_list.cohort = None
        return not self.ready and not self.stragglers


def _symbol(channel: Channel) -> str:
    return channel.symbol
