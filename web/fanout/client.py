"""One client: its outbox, its transport, and what it did lately. It acts on nobody: the engine closes it and sends to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

from ticker.per_second import PerSecond
from web.auth.addresses import network_of
from web.auth.identity import ANYBODY, Identity
from web.fanout.close_reasons import CloseReason
from web.fanout.frames import TEXT, FrameReader
from web.fanout.outbox import Outbox

Transport = Literal["polling", "probing", "pausing", "websocket"]
"""`probing`: it polls, and has opened a WebSocket to try out. `pausing`: that works, and its polls end until it switches over."""


class PacketHandler(Protocol):
    """Who handles what clients send: the server that let them in (`web.socketio.engineio_server`)."""

    def packet(self, client: Client, payload: str | bytes) -> None:
        """A message came. Raises `ValueError` for one that makes no sense."""

    def gone(self, client: Client, reason: CloseReason) -> None:
        """The client was closed."""


class Ending(NamedTuple):
    """The decision to end a connection, for the engine to carry out."""

    reason: CloseReason
    is_of_probe: bool = False
    """Whether only the WebSocket ends that a polling client tries out."""
    farewell: bytes = b""
    """The last frame; empty: one that says why."""


class Client(Outbox):
    """A connected client, whose packets go to `handler`.

    python-engineio's server holds it where it would hold a socket of its own, and looks at `closed`, `upgraded` and `session`.
    """

    __slots__ = ("_events", "_joins", "_session", "address", "board_identity", "board_joined", "closed", "environ", "handler", "identity",
                 "introduced", "known_token", "max_hz", "namespaces", "network", "packets", "ping_slot", "poll_event",
                 "polled_s", "posting", "progress_s", "public_id", "reader", "refused_token", "sid", "since_s", "socket", "transport",
                 "upgrade_s")  # fmt: skip

    def __init__(
        self, handler: PacketHandler, sid: str, public_id: str, environ: Mapping[str, Any], transport: Transport, now_s: float
    ) -> None:
        """`now_s`: monotonic seconds, when it came."""
        super().__init__()
        self.handler = handler
        self.sid = sid
        self.public_id = public_id
        """What its Socket.IO ids begin with; `sid` itself is a secret between server and client."""
        self.environ = environ
        self.address: str = environ.get("REMOTE_ADDR", "")
        self.network = network_of(self.address)
        """What is counted of its address."""
        self.transport: Transport = transport
        self.socket: Any = None
        self.reader: FrameReader | None = None
        self.closed: CloseReason | None = None
        self.board_joined = False
        self.identity: Identity | None = None
        """Who it is, once it has said so: counts for every namespace that it joins without another token."""
        self.board_identity = ANYBODY
        """Who it was when it joined the board, which is not joined before."""
        self.max_hz: float | None = None  # the least that its tokens allow
        self.known_token: tuple[bytes, Identity] | None = None
        """The hash of the last token that was good, and whose it is: a page sends the same to each of its namespaces."""
        self.refused_token: bytes | None = None
        """That of the last one that was wrong: the same again is no further guess, however many namespaces it is sent to."""
        self.namespaces = 0
        """How many other namespaces than symbols' it joined."""
        self.introduced = False
        """Whether it sent a Socket.IO CONNECT, which must come before anything else."""
        self.since_s = self.progress_s = self.polled_s = self.upgrade_s = now_s
        """Monotonic seconds: when it came, when its socket last took a byte while full, when it last polled, when it opened the
        WebSocket it tries out."""
        self.ping_slot = 0
        self.poll_event: threading.Event | None = None  # while one of its requests polls
        self.posting = False  # while one of its requests posts
        self.packets = PerSecond()
        """What it sends, of any kind."""
        self._events: PerSecond | None = None
        self._joins: PerSecond | None = None
        self._session: dict[str, Any] | None = None

    @property
    def upgraded(self) -> bool:
        """Whether it speaks WebSocket."""
        return self.transport == "websocket"

    @property
    def events(self) -> PerSecond:
        """The events among them; made on first use."""
        if self._events is None:
            self._events = PerSecond()
        return self._events

    @property
    def joins(self) -> PerSecond:
        """The namespaces that it asks to join; made on first use."""
        if self._joins is None:
            self._joins = PerSecond()
        return self._joins

    @property
    def session(self) -> dict[str, Any]:
        """The user session of `Server.session()`; made on first use."""
        if self._session is None:
            self._session = {}
        return self._session

    @session.setter
    def session(self, value: dict[str, Any]) -> None:
        self._session = value

    @property
    def upgrading(self) -> bool:
        """Whether it polls and has a WebSocket that nothing but a probe may go through."""
        return self.transport in ("probing", "pausing")

    @property
    def has_unread(self) -> bool:
        """Whether it has sent something that nobody has looked at yet."""
        try:
            return self.socket is not None and bool(self.socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False


def payload_of(frame: bytes | memoryview) -> tuple[bool, bytes]:
    """Take a frame apart again for long polling: whether it is text, and its payload."""
    size = frame[1]
    start = 2 if size < 126 else 4 if size == 126 else 10
    return frame[0] & 0x0F == TEXT, bytes(frame[start:])
