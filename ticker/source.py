"""What the core asks of a feed, whoever wrote it. `feeds.base.Feed` is the base class that offers all of it.

A `Source` is asked again and again; a `StreamSource` talks by itself. That has three parts, so that each can be tested without the
others: a `Link` is the I/O of one connection and knows nothing of what is said over it; a `Session` is what is said, and does no I/O;
the `StreamSource` makes both. `ticker.streaming.streamer` owns their life.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

from ticker.errors import FeedError, said
from ticker.quote import Correction, Kind, Tick, VolumeOf, correcting
from ticker.rate_limit import Cost, Demand, Gate
from ticker.settings.model import FeedSettings, Settings, SymbolOptions

NO_NEW_SOURCE_FOR = ("interval_s", "stale_after_s", "interest", "idle_interval_s")
"""What may change in a feed's settings without a new source: how often it is polled, and when its prices are stale."""


class Subscription(NamedTuple):
    """One symbol as one feed is to serve it: our symbol, the provider's id of it, and this feed's options for it."""

    symbol: str
    id: str
    options: SymbolOptions


Answer = Mapping[str, Tick | FeedError]
"""By our symbol: a tick, or why there is none. A symbol that was asked for and is absent has no news."""


def merge(answer: dict[str, Tick | FeedError], news: Answer) -> None:
    """Put `news`, which came after it, into `answer`. Of each symbol the newest is kept, as what it has to be to be believed: after a
    correction whatever stands on it is one too, and an error that may pass does not hide it.
    """
    for symbol, one in news.items():
        if not isinstance(answer.get(symbol), Correction):
            answer[symbol] = one
        elif isinstance(one, Tick):
            answer[symbol] = correcting(one)
        elif not one.retryable:
            answer[symbol] = one


class Unread(NamedTuple("Unread", [("rows", int), ("first", str)])):
    """Rows of an answer that nobody can make anything of, not even whose they are. `first`: where the first one is, and why, in words
    that are fit to be published.
    """

    __slots__ = ()

    def __new__(cls, rows: int, first: str) -> Self:
        """Their number, and what there is to say of the first of them."""
        return super().__new__(cls, rows, said(first))


class Source(Protocol):
    """A feed as the core sees it. It knows nothing of boards, schedules or back-off."""

    @property
    def name(self) -> str:
        """The feed's name in the settings."""

    @property
    def settings(self) -> FeedSettings:
        """What it was made with. `interval_s` and `stale_after_s` are the poller's business and may change without a new source."""

    @property
    def kind(self) -> str:
        """The word in `kind = "…"` of the settings."""

    @property
    def quote_kind(self) -> Kind:
        """What the wire field `kind` says of its quotes."""

    @property
    def batch_size(self) -> int | None:
        """How many symbols one call can carry; `None`: all."""

    @property
    def cadence_s(self) -> float:
        """How old its newest prices may be by nature, seconds: for daily rates, the longest time from one to the next."""

    @property
    def volume_of(self) -> VolumeOf:
        """What the `volume` of its ticks counts, where a tick does not say so itself."""

    @property
    def again_in_s(self) -> float | None:
        """Looked at after a good poll: when it would like to be asked again, seconds; `None`: at the interval, as always."""

    @property
    def unread(self) -> Unread | None:
        """What of its last answer could not be read, if anything."""

    @property
    def gate(self) -> Gate | None:
        """What its calls go through, which keeps to the provider's limits; `None`: nobody counts them."""

    def cost(self, symbols: int) -> Cost:
        """What a call for so many symbols takes of the limits."""

    def demand(self, symbols: int, interval_s: float) -> Demand:
        """What polling so many symbols at that interval takes of the limits in a second."""

    def native_id(self, symbol: str) -> str:
        """The provider's id of `symbol` where the settings name none."""

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """Ask once for `batch`: 1 to `batch_size` symbols, all that are wanted or any part of them.

        Raises `FeedError` where the whole call failed; with `rejects_symbol` set, one of several symbols is unknown
        to the provider and spoils the batch. Never called twice at a time.
        """

    def close(self) -> None:
        """Give back what it holds. It is not polled afterwards; a call under way may fail in any way it likes."""


def bare(error: FeedError) -> FeedError:
    """`error` without what it was raised in and raised from: an error is kept, and would keep the whole answer that was looked at there."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def bared(answer: Answer) -> Answer:
    """`answer` with its errors `bare`."""
    for news in answer.values():
        if isinstance(news, FeedError):
            bare(news)
    return answer


def reason(error: FeedError) -> str:
    """The error in words without the excerpt of the payload: what is shown to clients, and tells one failure from another."""
    return str(error).removesuffix(f" [{error.excerpt}]")


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


def same_source(settings: FeedSettings, other: FeedSettings) -> bool:
    """Whether a source made with `settings` serves `other` as well."""
    ignored = {name: getattr(settings, name) for name in NO_NEW_SOURCE_FOR if name in type(settings).model_fields}
    return settings == other.model_copy(update=ignored)


def subscriptions(settings: Settings, source: Source) -> list[Subscription]:
    """What `source` is to be asked for, in the settings' order."""
    wanted = []
    for symbol, wish in settings.symbols.items():
        if source.name in wish.feed:
            options = wish.options.get(source.name) or SymbolOptions()
            wanted.append(Subscription(symbol, options.id or source.native_id(symbol), options))
    return wanted
