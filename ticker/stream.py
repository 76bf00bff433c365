"""What the core asks of a feed that is not asked again and again but talks by itself: a stream. Beside `ticker.source`.

Three parts, so that each can be tested without the others: a `Link` is the I/O of one connection and knows nothing of what is said
over it; a `Session` is what is said, and does no I/O; the `StreamSource` makes both. `ticker.streaming.streamer` owns their life.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ticker.errors import FeedError
from ticker.source import Answer, Source, Subscription


class Ended(FeedError):
    """This connection is over: the other side refuses or closes it, or it broke. Every other `FeedError` of a session costs one message.

    `planned`: it was to be expected and nobody failed (an hour that a provider cuts at, the end of a recording): the next connection
    is made at once, and nothing is said of it. `anew`: what the next one brings may be older than what came before.
    """

    def __init__(
        self,
        message: str,
        *,
        planned: bool = False,
        anew: bool = False,
        retryable: bool = True,
        retry_after_s: float | None = None,
        payload: bytes | str = b"",
    ) -> None:
        super().__init__(message, retryable=retryable, retry_after_s=retry_after_s, payload=payload)
        self.planned = planned
        self.anew = anew


class Silence(NamedTuple):
    """For how long, in seconds, a connection may bring no message.

    `heartbeat`: the protocol has the other side say something in that time whatever the markets do, so that it is dead if it does not.
    Else it may just be a quiet night, and the connection is renewed to be sure, less and less often.
    """

    limit_s: float
    heartbeat: bool


class Link(Protocol):
    """One open connection. Used by one task at a time."""

    def send(self, message: bytes) -> None:
        """Send `message` whole. Raises `Ended`."""

    def receive(self, timeout_s: float) -> list[bytes] | None:
        """All messages that have come, after waiting for at most `timeout_s`; `None`: not a byte came in that time.

        An empty list: something came that is no message (a pong, a part of one). Raises `Ended`, after all messages before it.
        """

    def ping(self) -> None:
        """Make the other side send something. Raises `Ended`."""

    def leave(self) -> None:
        """Say that we go: the other side will end the connection, which `receive` tells. Raises `Ended`."""

    def close(self) -> None:
        """Close the connection, without waiting for the other side. Raises nothing."""


class Session(Protocol):
    """What is said over one connection, from its first message on. Times are arguments: monotonic seconds."""

    @property
    def silence(self) -> Silence | None:
        """What silence means at this moment; `None`: nothing."""

    @property
    def ready(self) -> bool:
        """Whether the other side has taken note of all that is wanted."""

    @property
    def leaving(self) -> bool:
        """Whether the other side has announced that it will close this connection: a new one is to be made before it does."""

    @property
    def gaps(self) -> int:
        """How many messages are missing so far, by the protocol's own count."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What else the wire's entry of this feed shows."""

    def want(self, subscriptions: Sequence[Subscription]) -> None:
        """Ask for these from now on, and for nothing else."""

    def receive(self, message: bytes, now_s: float) -> Answer:
        """What `message` says of prices. Raises `FeedError` where it makes no sense, `Ended` where it ends the connection."""

    def due(self, now_s: float) -> tuple[list[bytes], Answer]:
        """What is to be sent now, and what there is to say of symbols meanwhile (asked for in vain, say). Raises `Ended`."""

    def next_due_s(self, now_s: float) -> float:
        """In how many seconds to ask `due` again; 0 or less: now."""

    def ask_beside(self) -> Collection[str]:
        """Symbols of which too little is known since this was asked last: what there is beside the stream is to be asked for once more."""

    def take_snapshot(self, answer: Answer) -> Answer:
        """What was asked for beside the stream, joined with what the stream has brought since."""


@runtime_checkable
class StreamSource(Source, Protocol):
    """A feed that talks by itself."""

    @property
    def snapshots(self) -> Source | None:
        """Whom to ask what was before the first word of the stream; `None` where that begins with the newest price."""

    @property
    def snapshot_every_s(self) -> float:
        """How often to ask again: for what changes without a word of the stream (the close before)."""

    @property
    def longest_s(self) -> float | None:
        """The age at which to replace a connection before the provider cuts it; `None`: it cuts none."""

    @property
    def overlaps(self) -> bool:
        """Whether a second connection may be made before the first is closed."""

    def open(self, subscriptions: Sequence[Subscription]) -> Link:
        """Connect. Raises `FeedError`; ends within `timeout_s` of the settings."""

    def session(self, here: str) -> Session:
        """What is to be said over a new connection. `here`: the epoch of this process."""
