"""The whole fan-out on a port of this machine, served by this very (patched) process, with raw clients at its other end."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from flask import Flask

from tests.conformance.peer import CLOSE, HANDSHAKE, TEXT, Address, Connection, send_text
from tests.conformance.peer import Client as Peer
from tests.web.fanout.quotes import quote
from ticker.settings import BroadcastSettings, LimitSettings
from web.auth.authenticator import Authenticator
from web.auth.identity import Identity
from web.fanout.client import Client
from web.fanout.close_reasons import CloseReason
from web.fanout.engine import Engine
from web.http.listener import Listener, MostConnections
from web.http.origins import origin_check
from web.http.server import HttpServer
from web.http.wsgi import responder, whole
from web.refusals import Reason
from web.runtime import EventletRuntime
from web.socketio.admission import Admission
from web.socketio.identify import Identification
from web.socketio.server import BoardHandlers, TickerSocketIO
from web.socketio.watched import Interested, WatchedSymbols

PING_INTERVAL_S, PING_TIMEOUT_S = 3600, 3600
SMALL_BYTES = 4096
"""A receive buffer in which a stall shows at once."""


class SaidAdmission(Admission):
    """Lets in whoever comes, or refuses everybody for the `reason` that a test gives."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, Authenticator())
        self.reason: Reason | None = None

    def refusal(self, environ: dict[str, Any]) -> Reason | None:
        """As the test has it."""
        return self.reason

    def counted(self, environ: dict[str, Any], identity: Identity | None) -> Reason | None:
        """However many they are."""
        return None


class Unwatched:
    """No feed goes by what is watched."""

    matters = False

    def watch(self, symbols: Collection[str] | None) -> None:
        """Never asked."""


class Stand:
    """Engine, Socket.IO server and listener. `tick` publishes; `peer` and `websocket` are clients."""

    def __init__(
        self,
        limits: LimitSettings | None = None,
        broadcast: BroadcastSettings | None = None,
        *,
        identification: type[Identification] = Identification,
        board: BoardHandlers | None = None,
        watching: Interested | None = None,
    ) -> None:
        self.runtime = EventletRuntime()
        self.app = Flask("stand", static_folder=None)
        self.app.wsgi_app = whole(self.app.wsgi_app)  # type: ignore[method-assign]  # as Flask documents
        self.watched = WatchedSymbols(self._read_symbols, self.runtime, watching or Unwatched())
        self.engine = Engine(
            self.runtime,
            "e1",
            broadcast or BroadcastSettings(flush_ms=1),
            limits or LimitSettings(),
            PING_INTERVAL_S,
            PING_TIMEOUT_S,
            self.watched.changed,
        )
        self.admission = SaidAdmission(self.engine)
        self.socketio = TickerSocketIO(
            self.app,
            self.engine,
            self.admission,
            identification(Authenticator(), self.engine),
            origin_check(["http://friend"]),
            board,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
        )
        self.server = self.socketio.server
        self.most = MostConnections(1000, 1000)
        self.socketio.on_event("echo", lambda *arguments: arguments)
        self._seqs: dict[str, Iterator[int]] = {}

    def _read_symbols(self) -> set[str] | None:
        return self.engine.subscriptions.read()

    def start(self) -> None:
        """Listen and serve."""
        self._socket = self.runtime.listen("127.0.0.1", 0)
        host, port = self._socket.getsockname()[:2]
        self.peer = Peer(Address(host, port), "/socket.io/")
        self.http = HttpServer(responder(self.app), (host, port))
        self.listener = Listener(self.runtime, self._socket, self.http, lambda: self.most)
        self._tasks = [self.runtime.spawn(self.engine.run), self.runtime.spawn(self.listener.run)]

    def stop(self) -> None:
        """Close everything."""
        for client in list(self.engine.clients):
            self.engine.close(client, CloseReason.SHUTDOWN)
        self.engine.stop()
        for task in self._tasks:
            task.kill()
        self._socket.close()
        assert self.engine.ledger.opened == self.engine.ledger.closes.total(), "each connection ends for a reason that is counted, once"

    def add_symbols(self, *symbols: str) -> None:
        """Make symbols known."""
        for symbol in symbols:
            self.engine.subscriptions.add_channel(symbol)

    def tick(self, *symbols: str, price: float = 1.5) -> None:
        """Publish the next quote of each symbol, as one batch."""
        self.engine.publish([quote(symbol, next(self._seqs.setdefault(symbol, count(1))), price) for symbol in symbols])

    def breathe(self) -> None:
        """Let the server and everybody else have a turn."""
        self.runtime.sleep(0)

    def flush(self, *symbols: str) -> None:
        """The same as `tick`, and return when it was flushed."""
        number = self.engine.subscriptions.number
        self.tick(*symbols)
        while self.engine.subscriptions.number == number:
            self.breathe()

    def client(self) -> Client:
        """The engine's side of the only client there is."""
        (client,) = self.engine.clients
        return client

    @contextmanager
    def websocket(self, *namespaces: str, receive_bytes: int | None = None) -> Iterator[Reader]:
        """A WebSocket client that has joined `namespaces`."""
        reader = Reader(self.peer, receive_bytes)
        with reader.connection:
            for namespace in namespaces:
                reader.join(namespace)
            yield reader


class Reader:
    """A WebSocket client: sends packets, and reads them one by one."""

    def __init__(self, peer: Peer, receive_bytes: int | None = None) -> None:
        self.connection = Connection(peer.address, receive_bytes)
        self.connection.request("GET", peer.target(transport="websocket"), HANDSHAKE)
        assert self.connection.response().status == 101
        self.sid = json.loads(self.text()[1:])["sid"]

    def text(self) -> str:
        """The next packet, as it came."""
        return self.connection.frame().text

    def say(self, *packets: str) -> None:
        """Send packets."""
        send_text(self.connection, *packets)

    def join(self, namespace: str) -> str:
        """Join a namespace, and return the id there."""
        self.say("40" if namespace == "/" else f"40{namespace},")
        answer = self.text()
        assert answer.startswith("40"), answer
        sid = json.loads("{" + answer.partition("{")[2])["sid"]
        assert isinstance(sid, str)
        return sid

    def quote(self) -> dict[str, Any]:
        """The next packet, which must be a `quote` in its symbol's namespace."""
        namespace, _, body = self.text().removeprefix("42/").partition(",")
        event, payload = json.loads(body)
        assert (event, payload["symbol"]) == ("quote", namespace)
        assert isinstance(payload, dict)
        return payload

    def echo(self, text: str) -> None:
        """A round trip: whatever was sent before has been handled when it is over."""
        self.say(f'427["echo","{text}"]')
        assert self.text() == f'437["{text}"]'

    def everything(self) -> tuple[list[str], int]:
        """All text packets until the server closes, and the code it closes with."""
        packets = []
        while (frame := self.connection.frame()).opcode == TEXT:
            packets.append(frame.text)
        assert frame.opcode == CLOSE
        return packets, frame.code

    def is_cut_off(self) -> bool:
        """Whether it ends with the rest of what was being sent, and no close frame."""
        try:
            while self.connection.frame().opcode != CLOSE:
                pass
        except (EOFError, ConnectionResetError):
            return True
        return False
