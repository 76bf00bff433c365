"""Where the engine meets Flask-SocketIO, python-socketio and python-engineio. Every private name of theirs that we use is used here
or in `door.py` and `members.py`, and stands in `RELIED_UPON`: `check_libraries` refuses to start where one is missing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import engineio
import flask_socketio
import msgspec
import socketio
from flask import Flask

from web.fanout.client import Client
from web.fanout.closing import Closing
from web.fanout.door import Door, Environ
from web.fanout.engine import Engine
from web.fanout.members import Members, frames_of
from web.runtime import ASYNC_MODE

TESTED = {"flask-socketio": "5.7.0", "python-socketio": "5.18.1", "python-engineio": "4.15.1", "eventlet": "0.41.3"}

RELIED_UPON: dict[Any, tuple[str, ...]] = {
    flask_socketio.SocketIO: ("init_app",),
    flask_socketio: ("_SocketIOMiddleware",),
    socketio.Server: ("_engineio_server_class", "_handle_eio_message", "_handle_connect", "_handle_disconnect", "_handle_event",
                      "_handle_ack", "_handle_eio_connect", "_handle_eio_disconnect", "_send_packet", "_trigger_event"),
    socketio.Manager: ("pre_connect", "connect", "is_connected", "sid_from_eio_sid", "eio_sid_from_sid", "pre_disconnect",
                       "disconnect", "get_participants", "emit", "enter_room", "leave_room", "close_room", "get_rooms",
                       "is_sid_room", "_generate_ack_id", "trigger_callback"),
    socketio.packet.Packet: ("encode", "decode", "add_attachment"),
    engineio.Server: ("handle_request", "_trigger_event", "generate_id", "send_packet", "disconnect"),
}

_MOST_ATTACHMENTS = 16  # of one message from a client; each is up to max_message_bytes
_PATIENCE = 20  # times the allowed events in one second, and the client is closed


class LibraryMismatch(Exception):
    """An installed library lacks a name that the engine builds on."""


def check_libraries() -> None:
    """Raises `LibraryMismatch`, naming what is missing and the versions that were tested."""
    missing = [f"{getattr(owner, '__module__', '') or owner.__name__}.{getattr(owner, '__qualname__', '')}.{name}"
               for owner, names in RELIED_UPON.items() for name in names if not hasattr(owner, name)]
    parameters = list(inspect.signature(socketio.Server._handle_connect).parameters)
    if parameters != ["self", "eio_sid", "namespace", "data"]:
        missing.append(f"socketio.Server._handle_connect{tuple(parameters)}")
    if missing:
        installed = ", ".join(f"{name} {version(name)}" for name in TESTED)
        tested = ", ".join(f"{name} {number}" for name, number in TESTED.items())
        raise LibraryMismatch(f"the installed libraries lack {', '.join(missing)}\n  installed: {installed}\n  tested:    {tested}\n"
                              "  mend it with: make setup")


class _Json:
    """What python-socketio asks of a JSON module. Strict, and NaN becomes null instead of a disconnected browser."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return msgspec.json.encode(value).decode()

    @staticmethod
    def loads(text: str, **_: Any) -> Any:
        return msgspec.json.decode(text)


Refusal = tuple[str, str]
"""A code and a message for people."""


class SocketServer(socketio.Server):  # type: ignore[misc]  # python-socketio has no types
    """A `socketio.Server` whose symbol namespaces are the engine's channels. Other namespaces work as documented there.

    `gate(client, symbol, auth)` is asked before a symbol is joined: `None` lets the client in. `unknown(namespace)` is the
    payload that refuses a namespace nobody serves. `joined(client, namespace)` is told when a client has joined a namespace that
    has handlers: what is sent from there follows the answer to its CONNECT.
    """

    gate: Callable[[Client, str, Any], Refusal | None]
    unknown: Callable[[str], dict[str, Any]]
    joined: Callable[[Client, str], None]

    def __init__(self, engine: Engine, **options: Any) -> None:
        super().__init__(client_manager=Members(), async_mode=ASYNC_MODE, async_handlers=False, json=_Json, monitor_clients=False,
                         logger=False, engineio_logger=False, namespaces="*", **options)
        self.engine = engine
        self.manager.engine = engine
        self.eio.engine = engine
        engine.receiver = self.eio
        self.gate = lambda client, symbol, auth: None
        self.joined = lambda client, namespace: None
        self.unknown = lambda namespace: {"message": "Invalid namespace"}

    def _engineio_server_class(self) -> type[Door]:
        return Door

    def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        """Check the shape of a packet before the library handles it. Raises `ValueError` for a malformed one."""
        try:
            if eio_sid not in self._binary_packet:
                self._check_packet(self.packet_class(encoded_packet=data))
            elif not isinstance(data, bytes):
                raise ValueError("an attachment was due")
        except (TypeError, IndexError, KeyError, AttributeError, RecursionError, msgspec.DecodeError) as error:
            raise ValueError("malformed Socket.IO packet") from error
        super()._handle_eio_message(eio_sid, data)

    @staticmethod
    def _check_packet(packet: Any) -> None:
        kind, data = packet.packet_type, packet.data
        if kind in (socketio.packet.EVENT, socketio.packet.BINARY_EVENT):
            well_formed = isinstance(data, list) and bool(data) and isinstance(data[0], str)
        elif kind in (socketio.packet.ACK, socketio.packet.BINARY_ACK):
            well_formed = isinstance(data, list) and packet.id is not None
        elif kind == socketio.packet.CONNECT:
            well_formed = data is None or isinstance(data, dict)
        else:
            well_formed = kind == socketio.packet.DISCONNECT
        if not well_formed or packet.attachment_count > _MOST_ATTACHMENTS:
            raise ValueError("malformed Socket.IO packet")

    def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        namespace = namespace or "/"
        client = self.eio.sockets.get(eio_sid)
        if client is None:
            return
        symbol = namespace[1:]
        channel = self.engine.readers.registry.get(symbol)
        if channel is None:
            if namespace in self.handlers:
                super()._handle_connect(eio_sid, namespace, data)
                if self.manager.is_connected(client.public_id + namespace, namespace):
                    self.joined(client, namespace)
            else:
                self.refuse(client, namespace, self.unknown(namespace))
            return
        sid = client.public_id + namespace
        if channel in client.spaces.channels:
            self.refuse(client, namespace, {"message": "already joined", "data": {"code": "already_joined", "symbol": symbol}})
            return
        refusal = self.gate(client, symbol, data)
        if refusal is not None:
            code, message = refusal
            self.refuse(client, namespace, {"message": message, "data": {"code": code, "symbol": symbol}})
            return
        self.manager.clients[client.public_id] = client
        self.engine.send(client, f'40{namespace},{{"sid":"{sid}"}}')
        self.engine.readers.join(client.spaces, channel)

    def refuse(self, client: Client, namespace: str, payload: dict[str, Any]) -> None:
        """Answer a CONNECT with CONNECT_ERROR."""
        for framed in frames_of(self.packet_class(socketio.packet.CONNECT_ERROR, data=payload, namespace=namespace)):
            self.engine.send_frame(client, framed)

    def _handle_disconnect(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> None:
        namespace = namespace or "/"
        channel = self.engine.readers.registry.get(namespace[1:])
        client = self.eio.sockets.get(eio_sid)
        if channel is not None and client is not None:
            if channel in client.spaces.channels:
                self.engine.readers.leave(client.spaces, channel)
            return
        super()._handle_disconnect(eio_sid, namespace, reason)

    def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: list[Any]) -> None:
        client = self.eio.sockets.get(eio_sid)
        if client is None:
            return
        limit = self.engine.limits.requests_per_s
        if client.over_rate(self.engine.clock(), "events", limit):
            if client.events > limit * _PATIENCE:
                self.engine.close(client, Closing.TOO_MANY_REQUESTS)
            elif id is not None:
                answer = {"ok": False, "code": "too_many_requests", "message": f"more than {limit} events in a second"}
                self._send_packet(eio_sid, self.packet_class(socketio.packet.ACK, namespace=namespace, id=id, data=[answer]))
            return
        super()._handle_event(eio_sid, namespace, id, data)

    def remove_symbol(self, symbol: str) -> None:
        """Take a symbol's namespace away: its clients are told (`removed`) and are out of it, nothing else. Needs `engine.turn`."""
        readers = self.engine.readers
        self.engine.flusher.forget(readers.registry[symbol])
        removed = frames_of(self.packet_class(socketio.packet.EVENT, namespace="/" + symbol, data=["removed", {"symbol": symbol}]))
        farewell = frames_of(self.packet_class(socketio.packet.DISCONNECT, namespace="/" + symbol))
        for client in readers.remove_channel(symbol):
            assert isinstance(client, Client)
            for framed in (*removed, *farewell):
                self.engine.send_frame(client, framed)

    def _handle_eio_connect(self, eio_sid: str, environ: Environ) -> None:
        if not self.manager_initialized:
            self.manager_initialized = True
            self.manager.initialize()
        self.environ[eio_sid] = environ

    def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self.environ.pop(eio_sid, None)
        self._binary_packet.pop(eio_sid, None)
        client = self.eio.sockets.get(eio_sid)
        if client is None:
            return
        for namespace, sid in self.manager.drop(client):
            self._trigger_event("disconnect", namespace, sid, reason)
            self.manager.disconnect(sid, namespace)


class TickerSocketIO(flask_socketio.SocketIO):  # type: ignore[misc]  # Flask-SocketIO has no types
    """Flask-SocketIO on our `SocketServer`: `emit`, `on` and the rest work as documented there."""

    def __init__(self, app: Flask, engine: Engine, **options: Any) -> None:
        check_libraries()
        self._engine = engine
        super().__init__(app, **options)

    def init_app(self, app: Flask, **options: Any) -> None:
        """Attach to `app`, with our server in place of the stock one."""
        flask_wsgi = app.wsgi_app
        super().init_app(app, async_mode=ASYNC_MODE, **options)
        options.pop("path", None)
        self.server = SocketServer(self._engine, **options)
        app.wsgi_app = flask_wsgi  # type: ignore[method-assign]  # Flask documents replacing it
        self.sockio_mw = flask_socketio._SocketIOMiddleware(self.server, app, socketio_path="socket.io")
        app.wsgi_app = self.sockio_mw  # type: ignore[method-assign]


__all__ = ["Closing", "LibraryMismatch", "SocketServer", "TickerSocketIO", "check_libraries"]
