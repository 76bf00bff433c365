"""What one client reads: its reading list, and how the quotes of one become frames.

What a reading list asks of the cohort that it is in, and of the client whose it is, stands here as protocols: they know it, not the other
way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from web.fanout.channel import BOARD_CHUNK_BYTES, Channel, board_body, board_frame


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


class Owner(Protocol):
    """Whose a reading list is: a client's `web.fanout.outbox.Outbox`."""

    write: Write | None
    blocked: bool

    def reading_lists(self) -> list[ReadingList]:
        """All that it has."""

    def cut(self, frame: bytes, count: int) -> None:
        """Its socket took only the first `count` bytes of `frame`."""


class CohortKey(NamedTuple):
    """What makes two clients share a buffer."""

    encode: Encode
    channels: frozenset[Channel]
    everything: bool
    period_ms: float


class Group(Protocol):
    """The lists that share one buffer: a `web.fanout.cohort.Cohort`."""

    key: CohortKey
    channels: tuple[Channel, ...]
    sent: int
    ready: dict[ReadingList, Write]

    def place(self, reading_list: ReadingList) -> None:
        """Let `reading_list` share the buffer again, if it has all that the others have."""

    def demote(self, reading_list: ReadingList, number: int) -> None:
        """Serve `reading_list` by itself from now on."""


class ReadingList:
    """One of a client's two reading lists: the namespaces it joined (`space_parts`, or `Spelled` where it has other names for some),
    or its board subscription (`board_parts`).

    Invariant: the client has been sent everything its channels were flushed up to `synced`, save what stands in `pending`
    (the channel, and whether its next quote is the first after joining). A client that keeps up has an empty `pending`.
    """

    __slots__ = ("channels", "cohort", "due", "encode", "everything", "outbox", "pending", "period_ms", "synced")

    def __init__(self, outbox: Owner, encode: Encode) -> None:
        self.outbox = outbox
        self.encode = encode
        self.channels: dict[Channel, None] | frozenset[Channel] = frozenset()  # its own, or its cohort's
        self.everything = False  # a "*" subscription: every channel there is and will be
        self.period_ms = 0.0  # shortest time between two sends; 0: every flush
        self.cohort: Group | None = None
        self.synced = 0
        self.due = False  # it is rate-limited, and its time has come
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
