"""Who reads what: a `ReadingList` is one client's reading list, a `Cohort` all clients with the same list and rate.

A cohort's list is worked out when a client joins or leaves, never during a flush; its buffer is built once a flush.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from web.fanout.channel import BOARD_CHUNK_BYTES, Channel, board_body, board_frame
from web.fanout.frame_table import Pick, picker

if TYPE_CHECKING:
    from web.fanout.outbox import Outbox


class Part(NamedTuple):
    """One frame, and the channels whose newest quotes it carries; `snapshot`: as the first ones after joining."""

    frame: bytes
    channels: tuple[Channel, ...]
    snapshot: bool


def space_parts(channels: Iterable[tuple[Channel, bool]]) -> list[Part]:
    """Each quote in the namespace of its symbol: a frame a channel."""
    return [
        Part(channel.snapshot_frame() if snapshot else channel.frame(), (channel,), snapshot)
        for channel, snapshot in channels
        if channel.flushed
    ]


def board_parts(channels: Iterable[tuple[Channel, bool]]) -> list[Part]:
    """Quotes of the board: one frame with all snapshots (the answer to `subscribe`), the rest in frames of about 64 KiB."""
    known = [(channel, snapshot) for channel, snapshot in channels if channel.flushed]
    parts = []
    fresh = [channel for channel, snapshot in known if snapshot]
    if fresh:
        parts.append(Part(board_frame([board_body(channel, True) for channel in fresh]), tuple(fresh), True))
    chunk: list[Channel] = []
    bodies: list[bytes] = []
    size = 0
    for channel, snapshot in known:
        if snapshot:
            continue
        body = board_body(channel, False)
        if size + len(body) > BOARD_CHUNK_BYTES and chunk:
            parts.append(Part(board_frame(bodies), tuple(chunk), False))
            chunk, bodies, size = [], [], 0
        chunk.append(channel)
        bodies.append(body)
        size += len(body) + 1
    if chunk:
        parts.append(Part(board_frame(bodies), tuple(chunk), False))
    return parts


Encode = Callable[[Iterable[tuple[Channel, bool]]], list[Part]]
Write = Callable[[bytes | memoryview], int]
"""A socket's non-blocking send: how many bytes it took; raises `BlockingIOError` when it can take none."""


class ReadingList:
    """One of a client's two reading lists: the namespaces it joined (`space_parts`, or `Spelled` where it has other names for some),
    or its board subscription (`board_parts`).

    Invariant: the client has been sent everything its channels were flushed up to `synced`, save what stands in `pending`
    (the channel, and whether its next quote is the first after joining). A client that keeps up has an empty `pending`.
    """

    __slots__ = ("channels", "cohort", "due", "encode", "everything", "outbox", "pending", "period_ms", "synced")

    def __init__(self, outbox: Outbox, encode: Encode) -> None:
        self.outbox = outbox
        self.encode = encode
        self.channels: dict[Channel, None] | frozenset[Channel] = frozenset()  # its own, or its cohort's
        self.everything = False  # a "*" subscription: every channel there is and will be
        self.period_ms = 0.0  # shortest time between two sends; 0: every flush
        self.cohort: Cohort | None = None
        self.synced = 0
        self.due = False  # a rate-limited lane whose time has come
        self.pending: dict[Channel, bool] = {}

    @property
    def is_of_spaces(self) -> bool:
        """Whether it lists namespaces, each with frames of its own."""
        return self.encode is not board_parts

    @property
    def ready(self) -> bool:
        """Whether its cohort's shared buffer is all it needs; `synced` then stands still and the cohort's `sent` counts."""
        return self.cohort is not None and self in self.cohort.ready

    def collect(self, number: int, registry: Mapping[str, Channel]) -> None:
        """Put everything that was flushed since `synced` into `pending`; the client is then accounted for up to flush `number`."""
        synced, pending = self.synced, self.pending
        if synced < number:
            for channel in registry.values() if self.everything else self.cohort.channels if self.cohort else self.channels:
                if channel.flushed > synced and channel not in pending:
                    pending[channel] = channel.first > synced
            self.synced = number


class Cohort:
    """All lanes with one list and one rate. `ready` ones have everything up to flush `sent` and share one buffer;
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
        for channel in self.channels:
            channel.cohorts[self] = None

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
        """Let `reading_list` go; whether that leaves the cohort empty (its channels have then forgotten it)."""
        self.ready.pop(reading_list, None)
        self.stragglers.pop(reading_list, None)
        reading_list.cohort = None
        if self.ready or self.stragglers:
            return False
        for channel in self.channels:
            channel.cohorts.pop(self, None)
        return True


class CohortKey(NamedTuple):
    """What makes two clients share a buffer."""

    encode: Encode
    channels: frozenset[Channel]
    everything: bool
    period_ms: float


def _symbol(channel: Channel) -> str:
    return channel.symbol
