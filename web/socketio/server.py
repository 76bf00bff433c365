"""Flask-SocketIO's and python-socketio's servers on the engine: it sends and receives, symbols' namespaces are its channels, and what a
client sends is checked and limited before any handler sees it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import flask_socketio
import msgspec
import socketio
from flask import Flask
from socketio.exceptions import ConnectionRefusedError

from web.auth.identity import Unauthorized
from web.fanout.bugs import Bugs
from web.fanout.channel import Channel
from web.fanout.client import Client
from web.fanout.close_reasons import CloseReason
from web.fanout.engine import Engine
from web.fanout.frames import Violation
from web.fanout.spelling import meant
from web.http.handshake import Environ
from web.http.origins import OriginCheck
from web.runtime import ASYNC_MODE
from web.socketio.admission import Admission
from web.socketio.engineio_server import EngineIOServer
from web.socketio.identify import Identification
from web.socketio.library_check import LibraryMismatch, check_libraries
from web.socketio.manager import NamespaceManager, frames_of
from web.socketio.packets import EVENTS, Json, check

log = Bugs(logging.getLogger(__name__))

PATIENCE = 20  # times the allowed events in one second, and the client is closed

Refusal = tuple[str, str]
"""A code and a message for people."""


class BoardHandlers(Protocol):
    """Serves the namespace `/`, and says who may join a symbol's (`web.socketio.board`)."""

    handlers: Mapping[str, Callable[..., Any]]
    """Of the events of `/`, `connect` and `disconnect` among them: each is called with the client and what came with the event."""

    def unknown_event(self, *_: Any) -> Any:
        """The answer to any other event of `/`."""

    def gate(self, client: Client, symbol: str) -> Refusal | None:
        """Asked before a symbol is joined: `None` lets the client in."""

    def unknown(self, namespace: str) -> dict[str, Any]:
        """The payload that refuses a namespace nobody serves."""

    def joined(self, client: Client, namespace: str) -> None:
        """`client` has joined a namespace that has handlers: what is sent from here follows the answer to its CONNECT."""


class NoBoard:
    """Lets everybody in and says nothing: for a server on which others serve `/`."""

    handlers: Mapping[str, Callable[..., Any]] = {}

    def unknown_event(self, *_: Any) -> Any:
        """Nobody asks: there are no handlers."""

    def gate(self, client: Client, symbol: str) -> Refusal | None:
        """May `client` join? It may."""
        return None

    def unknown(self, namespace: str) -> dict[str, Any]:
        """As python-socketio says it."""
        return {"message": "Invalid namespace"}

    def joined(self, client: Client, namespace: str) -> None:
        """That is nothing to it."""


class SocketIOServer(socketio.Server):  # type: ignore[misc]  # python-socketio has no types
    """A `socketio.Server` whose symbol namespaces are the engine's channels. Other namespaces work as documented there.

    What `admission`, `identification` and `origin_allowed` are for, `EngineIOServer` says. `options`: as of `socketio.Server`.
    """

    def __init__(
        self,
        engine: Engine,
        admission: Admission,
        identification: Identification,
        origin_allowed: OriginCheck,
        board: BoardHandlers | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            client_manager=NamespaceManager(engine),
            async_mode=ASYNC_MODE,
            async_handlers=False,
            json=Json,
            monitor_clients=False,
            logger=False,
            engineio_logger=False,
            namespaces="*",
            # The rest goes to the Engine.IO server.
            engine=engine,
            admission=admission,
            identification=identification,
            origin_allowed=origin_allowed,
            **options,
        )
        self.engine = engine
        self._identification = identification
        self._board = board or NoBoard()
        for event, handler in self._board.handlers.items():
            self.on(event, partial(self._call_with_client, handler), namespace="/")
        if self._board.handlers:
            self.on("*", self._board.unknown_event, namespace="/")

    def _call_with_client(self, handler: Callable[..., Any], sid: str, *arguments: Any) -> Any:
        return handler(self.manager.clients[sid.partition("/")[0]], *arguments)

    def _engineio_server_class(self) -> type[EngineIOServer]:
        return EngineIOServer

    def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        """Handle what an Engine.IO message brings. Raises `ValueError` where that is no Socket.IO, or comes before any CONNECT."""
        try:
            packet = self._complete(eio_sid, data)
        except (TypeError, LookupError, AttributeError, RecursionError, msgspec.DecodeError) as error:
            raise ValueError("malformed Socket.IO packet") from error
        client = self.eio.sockets.get(eio_sid)
        if packet is None or client is None:
            return
        kind = packet.packet_type
        if kind == socketio.packet.CONNECT:
            client.introduced = True
            self._handle_connect(eio_sid, packet.namespace, packet.data)
        elif not client.introduced:
            raise ValueError("the first packet must be CONNECT")
        elif kind == socketio.packet.DISCONNECT:
            self._handle_disconnect(eio_sid, packet.namespace, self.reason.CLIENT_DISCONNECT)
        elif kind in EVENTS:
            self._handle_event(eio_sid, packet.namespace, packet.id, packet.data)
        else:
            self._handle_ack(eio_sid, packet.namespace, packet.id, packet.data)

    def _complete(self, eio_sid: str, data: str | bytes) -> Any:
        """The packet that `data` completes, `None` while attachments of it are due."""
        packet = self._binary_packet.get(eio_sid)
        if packet is None:
            packet = self.packet_class(encoded_packet=data)
            check(packet)
            if not packet.attachment_count:
                return packet
            self._binary_packet[eio_sid] = packet
            return None
        if not isinstance(data, bytes):
            raise ValueError("an attachment was due")
        if sum(map(len, packet.attachments)) + len(data) > self.engine.limits.max_message_bytes:
            raise Violation(1009, "attachments too big")
        if not packet.add_attachment(data):
            return None
        del self._binary_packet[eio_sid]
        return packet

    def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        namespace = namespace or "/"
        client = self.eio.sockets.get(eio_sid)
        if client is None:
            return
        symbol, channel = namespace[1:], self._channel(namespace)
        try:
            identity = self._identification.identify(client, data)
            if not identity.may_see(meant(symbol) if channel is None else channel.symbol) and not self._has_handlers(namespace):
                raise Unauthorized("this token may not see that symbol")
        except Unauthorized as problem:
            self.refuse(client, namespace, {"message": str(problem), "data": {"code": problem.code, "symbol": symbol}})
            return
        sid = client.public_id + namespace
        if self.manager.sid_from_eio_sid(eio_sid, namespace) is not None:
            self.refuse(client, namespace, {"message": "already joined", "data": {"code": "already_joined", "symbol": symbol}})
            return
        if channel is not None and channel in client.spaces.channels:
            name = self.engine.subscriptions.name_of(client.spaces, channel)
            self.refuse(client, namespace, {"message": f"already joined as {name}", "data": {"code": "already_joined", "symbol": symbol}})
            return
        if channel is None:
            if namespace == "/":
                client.board_identity = identity
            self._connect_to_handlers(client, namespace, data)
            return
        refusal = self._board.gate(client, channel.symbol)
        if refusal is not None:
            code, message = refusal
            self.refuse(client, namespace, {"message": message, "data": {"code": code, "symbol": symbol}})
            return
        self.engine.counters.joins += 1
        self.manager.clients[client.public_id] = client
        self.engine.send(client, f'40{namespace},{{"sid":"{sid}"}}')
        self.engine.subscriptions.join(client.spaces, channel, namespace)
        self.engine.pools.seat(client)

    def _connect_to_handlers(self, client: Client, namespace: str, data: Any) -> None:
        """A CONNECT to a namespace that is no symbol's, as the library does it."""
        if not self._has_handlers(namespace):
            self.refuse(client, namespace, self._board.unknown(namespace))
            return
        sid = client.public_id + namespace
        try:
            super()._handle_connect(client.sid, namespace, data)
        except Exception:
            log.report("a connect handler of %.40r failed", namespace)
            self.manager.disconnect(sid, namespace)
            self.refuse(client, namespace, {"message": "internal error"})
        if self.manager.is_connected(sid, namespace):
            self.engine.counters.joins += 1
            self._board.joined(client, namespace)

    def _channel(self, namespace: str) -> Channel | None:
        """The symbol that a namespace means. What has handlers of its own means itself."""
        subscriptions = self.engine.subscriptions
        return subscriptions.registry.get(namespace[1:]) or (None if self._has_handlers(namespace) else subscriptions.named(namespace))

    def _has_handlers(self, namespace: str) -> bool:
        return namespace in self.handlers or namespace in self.namespace_handlers

    def refuse(self, client: Client, namespace: str, payload: dict[str, Any]) -> None:
        """Answer a CONNECT with CONNECT_ERROR."""
        self._count_refusal(payload)
        for framed in frames_of(self.packet_class(socketio.packet.CONNECT_ERROR, data=payload, namespace=namespace)):
            self.engine.send_frame(client, framed)

    def _count_refusal(self, payload: Any) -> None:
        data = payload.get("data") if isinstance(payload, dict) else None
        self.engine.counters.refused_joins[str(data.get("code", "other")) if isinstance(data, dict) else "other"] += 1

    def _handle_disconnect(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> None:
        namespace = namespace or "/"
        client = self.eio.sockets.get(eio_sid)
        if client is not None and self._channel(namespace) is not None:
            self.manager.disconnect(client.public_id + namespace, namespace)
            return
        super()._handle_disconnect(eio_sid, namespace, reason)

    def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: list[Any]) -> None:
        client = self.eio.sockets.get(eio_sid)
        if client is None:
            return
        limit, now_s = self.engine.limits.requests_per_s, self.engine.clock()
        if client.events.exceeds(limit, now_s):
            if client.events.so_far(now_s) > limit * PATIENCE:
                self.engine.close(client, CloseReason.TOO_MANY_REQUESTS)
            elif id is not None:
                answer = {"ok": False, "code": "too_many_requests", "message": f"more than {limit} events in a second"}
                self._send_packet(eio_sid, self.packet_class(socketio.packet.ACK, namespace=namespace, id=id, data=[answer]))
            return
        super()._handle_event(eio_sid, namespace, id, data)

    def _handle_ack(self, eio_sid: str, namespace: str | None, id: int | None, data: list[Any]) -> None:
        try:
            super()._handle_ack(eio_sid, namespace, id, data)
        except Exception:
            log.report("the callback of an acknowledgement failed")

    def _trigger_event(self, event: str, namespace: str, *arguments: Any) -> Any:
        """Call a handler. What it raises is logged and ends nothing but this event, as in the library; only `connect` may refuse."""
        if event == "connect":
            try:
                return super()._trigger_event(event, namespace, *arguments)
            except ConnectionRefusedError as refusal:
                self._count_refusal(refusal.error_args)
                raise
        try:
            return super()._trigger_event(event, namespace, *arguments)
        except Exception:
            log.report("the handler of %.40r in %s failed", event, namespace)
            return self.not_handled

    def remove_symbol(self, symbol: str) -> None:
        """Take a symbol's namespace away: its clients are told (`removed`) and are out of it, nothing else. Needs `engine.turn`."""
        subscriptions = self.engine.subscriptions
        self.engine.flusher.forget(subscriptions.registry[symbol])
        farewells: dict[str, list[bytes]] = {}
        for client, namespace in subscriptions.remove_channel(symbol):
            assert isinstance(client, Client)
            self.manager.forget(client.public_id + namespace)
            if namespace not in farewells:
                removed = self.packet_class(socketio.packet.EVENT, namespace=namespace, data=["removed", {"symbol": symbol}])
                farewells[namespace] = frames_of(removed) + frames_of(self.packet_class(socketio.packet.DISCONNECT, namespace=namespace))
            for framed in farewells[namespace]:
                self.engine.send_frame(client, framed)

    def _handle_eio_connect(self, eio_sid: str, environ: Environ) -> None:
        self.environ[eio_sid] = environ

    def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        """Tell the handlers, then forget the client: they may still ask for its request, session and rooms."""
        client = self.eio.sockets.get(eio_sid)
        if client is None:
            return
        for namespace in self.manager.namespaces_of(client):
            self._handle_disconnect(eio_sid, namespace, reason)
        self.manager.drop(client)
        self.environ.pop(eio_sid, None)
        self._binary_packet.pop(eio_sid, None)


class TickerSocketIO(flask_socketio.SocketIO):  # type: ignore[misc]  # Flask-SocketIO has no types
    """Flask-SocketIO on our `SocketIOServer`: `emit`, `on` and the rest work as documented there."""

    def __init__(
        self,
        app: Flask,
        engine: Engine,
        admission: Admission,
        identification: Identification,
        origin_allowed: OriginCheck,
        board: BoardHandlers | None = None,
        **options: Any,
    ) -> None:
        check_libraries()
        self._make_server = partial(SocketIOServer, engine, admission, identification, origin_allowed, board)
        super().__init__(app, **options)

    def init_app(self, app: Flask, **options: Any) -> None:
        """Attach to `app`, with our server in place of the stock one."""
        flask_wsgi = app.wsgi_app
        super().init_app(app, async_mode=ASYNC_MODE, **options)
        options.pop("path", None)
        self.server = self._make_server(**options)
        app.wsgi_app = flask_wsgi  # type: ignore[method-assign]  # Flask documents replacing it
        self.sockio_mw = flask_socketio._SocketIOMiddleware(self.server, app, socketio_path="socket.io")
        app.wsgi_app = self.sockio_mw  # type: ignore[method-assign]


__all__ = ["CloseReason", "LibraryMismatch", "SocketIOServer", "TickerSocketIO", "check_libraries"]
