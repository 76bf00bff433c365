"""The base of every feed that talks by itself over a WebSocket: its settings, and the connection."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Annotated, Any, ClassVar

from pydantic import AnyUrl, Field, HttpUrl, UrlConstraints, field_validator

from feeds.api_keys import spellings
from feeds.base import Answer, Feed, Subscription
from feeds.http.feed import PolledFeed
from feeds.streams.websocket import WebSocket
from ticker.errors import FeedError
from ticker.quote import Kind, Tick
from ticker.rate_limit import Gate
from ticker.runtime import Runtime
from ticker.settings import CaFile, FeedSettings
from ticker.source import Ended, Link, Session, StreamSource, merge

StreamUrl = Annotated[AnyUrl, UrlConstraints(max_length=2083, allowed_schemes=["ws", "wss", "http", "https"], host_required=True)]
"""`http` stands for `ws`, `https` for `wss`."""
LISTEN_S = 5.0


class StreamSettings(FeedSettings):
    """Keys of every feed that streams."""

    interval_s: float = Field(
        0.5,
        ge=0.1,
        le=3600,
        allow_inf_nan=False,
        description="pause before connecting again after a failure; it grows with each, up to 300 s",
    )
    stale_after_s: float | None = Field(
        None, gt=0, le=86_400, allow_inf_nan=False, description="silence after which a price is stale; default 30"
    )
    timeout_s: float = Field(10.0, gt=0, le=300, allow_inf_nan=False, description="for connecting: the name, TCP, TLS and the handshake")
    base_url: StreamUrl = Field(description="scheme, host and path prefix of the provider")
    ca_file: CaFile = None

    @field_validator("base_url", "rest_url", check_fields=False)
    @classmethod
    def _plain(cls, url: AnyUrl | None) -> AnyUrl | None:
        # As with polled feeds: a password in a URL would reach logs and error messages.
        if url is None:
            return None
        if url.username or url.password:
            raise ValueError("a user and password do not belong in the URL")
        if url.query is not None or url.fragment is not None:
            raise ValueError("only scheme, host, port and path are used: nothing may follow a ? or #")
        return url

    def websocket_url(self, path: str) -> str:
        """The address of `path` (with its query) there."""
        return _with_scheme("ws", self.base_url).rstrip("/") + path


class SnapshotSettings(StreamSettings):
    """Keys of every feed whose stream says nothing of a symbol until somebody trades it."""

    rest_url: HttpUrl | None = Field(
        None,
        description="where prices from before the first trade are asked for; default the provider's, "
        "or base_url's host if that is not the provider's",
    )
    snapshot_every_s: float = Field(
        900.0,
        ge=10,
        le=86_400,
        allow_inf_nan=False,
        description="how often they are asked for again, because of the close before and the like",
    )


class StreamFeed(Feed):
    """A feed that streams: what the core knows as a `ticker.source.StreamSource`. A kind names its address and its session."""

    quote_kind: ClassVar[Kind] = "streamed"
    Settings: ClassVar[type[StreamSettings]] = StreamSettings
    settings: StreamSettings
    batch_size: ClassVar[int | None] = None
    headers: ClassVar[Mapping[str, str]] = {}
    """The headers of the handshake, besides ours or in place of them."""
    snapshots: PolledFeed | None = None
    snapshot_every_s: float = 86_400.0
    longest_s: float | None = None
    overlaps: bool = True

    def __init__(self, name: str, settings: StreamSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self.known: dict[str, Tick] = {}

    @abstractmethod
    def path(self, subscriptions: Sequence[Subscription]) -> str:
        """Where to connect, below `base_url`, with its query."""

    @abstractmethod
    def session(self, here: str) -> Session:
        """What is to be said over a new connection. `here`: the epoch of this process."""

    def open(self, subscriptions: Sequence[Subscription]) -> Link:
        """Connect. Raises `FeedError`; ends within `timeout_s` of the settings."""
        return WebSocket(
            self.settings.websocket_url(self.path(subscriptions)),
            self.runtime,
            self.settings.timeout_s,
            self.headers,
            spellings(self.settings),
            self.settings.ca_file,
        )

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """What there is to ask for beside the stream; where there is nothing, what a connection of its own says first."""
        return listen(self, batch) if self.snapshots is None else self.snapshots.poll(batch)

    def close(self) -> None:
        if self.snapshots is not None:
            self.snapshots.close()


class SnapshotFeed(StreamFeed):
    """A stream beside which `Polled`, a feed of the same provider with the same key, is asked for what was before the first trade."""

    Polled: ClassVar[type[PolledFeed]]
    Settings: ClassVar[type[SnapshotSettings]] = SnapshotSettings
    settings: SnapshotSettings
    snapshots: PolledFeed

    def __init__(self, name: str, settings: SnapshotSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self.snapshot_every_s = settings.snapshot_every_s
        self.snapshots = self.Polled(name, self.Polled.Settings.model_validate(self.rest_settings()), runtime)
        self.gate: Gate | None = self.snapshots.gate

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """As the polled feed of the provider has it."""
        return cls.Polled.native_id(symbol)

    def rest_settings(self) -> dict[str, Any]:
        """The settings of the polled feed: what it has in common with this one, else its defaults."""
        settings = self.settings
        shared = ("ca_file", *settings.secrets)
        same: dict[str, Any] = {"kind": self.Polled.kind, **{name: getattr(settings, name) for name in shared}}
        if settings.rest_url is not None:
            same["base_url"] = settings.rest_url
        elif str(settings.base_url) != str(type(settings).model_fields["base_url"].default):
            # Neither prices nor keys go to the provider itself where the user named another host.
            same["base_url"] = HttpUrl(_with_scheme("http", settings.base_url))
        return same


def listen(source: StreamSource, batch: Sequence[Subscription], limit_s: float = LISTEN_S) -> Answer:
    """What a new connection says of `batch`, until something was said of each or `limit_s` is over: for whoever asks once."""
    link, session = source.open(batch), source.session("")
    session.want(batch)
    answer: dict[str, Tick | FeedError] = {}
    until_s = monotonic() + limit_s
    try:
        while len(answer) < len(batch) and (now_s := monotonic()) < until_s:
            messages, news = session.due(now_s)
            merge(answer, news)
            for message in messages:
                link.send(message)
            for message in link.receive(max(0.0, min(0.25, session.next_due_s(now_s)))) or []:
                try:
                    merge(answer, session.receive(message, now_s))
                except Ended:
                    raise
                except FeedError:  # a message that makes no sense costs only itself, as while serving
                    continue
    finally:
        link.close()
    return answer


def _with_scheme(scheme: str, url: AnyUrl) -> str:
    """`url` with `ws` or `http` for the other, and the `s` of TLS where it has one."""
    was, rest = str(url).split("://", 1)
    return f"{scheme}{'s' if was.endswith('ps') or was == 'wss' else ''}://{rest}"
