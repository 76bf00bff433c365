"""Our engine with the handlers that the official suites of both protocols expect, on one port.

Socket.IO at `/socket.io/` (the README of the protocol, "Test suite"): `auth` with the handshake's payload on connecting to `/` and
`/custom`, `message` answered by `message-back`, `message-with-ack` acknowledged with its arguments. A bare Engine.IO echo at
`/engine.io/`. Both suites ask for a ping interval of 300 ms and a time-out of 200 ms; Engine.IO servers in Python count whole
seconds, so the suites are run with 1,000 ms for both. Then three pings take longer than the 1,000 ms in which the Socket.IO suite
wants a client closed that joins nothing; a client that answers no ping is closed within 2 s, which is what its test waits for.
"""

from __future__ import annotations

from typing import Any

import engineio
from flask import Flask, request
from flask_socketio import emit

from ticker.settings import BroadcastSettings, LimitSettings
from web.auth.authenticator import Authenticator
from web.fanout.engine import Engine
from web.http.listener import Listener, MostConnections
from web.http.origins import OriginCheck
from web.http.server import HttpServer
from web.http.wsgi import responder
from web.runtime import ASYNC_MODE, EventletRuntime
from web.socketio.admission import Admission
from web.socketio.engineio_server import EngineIOServer
from web.socketio.identify import Identification
from web.socketio.server import TickerSocketIO

_SEGMENT_S = 0.02
MAX_PAYLOAD_BYTES = 1_000_000  # what both suites expect the handshake to announce


class ConformanceServer:
    """Two engines behind one listener."""

    def __init__(self, ping_interval_s: int, ping_timeout_s: int, connect_timeout_s: int) -> None:
        """`connect_timeout_s`: a Socket.IO client that joined nothing for so long is closed."""
        self.runtime = EventletRuntime()
        self.app = Flask("conformance", static_folder=None)
        timeouts: dict[str, Any] = {"ping_interval_s": ping_interval_s, "ping_timeout_s": ping_timeout_s}
        self._socketio_engine = Engine(self.runtime, "conformance", BroadcastSettings(), _limits(connect_timeout_s), **timeouts)
        # An Engine.IO client joins nothing, ever.
        self._engineio_engine = Engine(self.runtime, "conformance", BroadcastSettings(), _limits(3600), **timeouts)
        pings: dict[str, Any] = {"ping_interval": ping_interval_s, "ping_timeout": ping_timeout_s}
        self.socketio = TickerSocketIO(self.app, *_entry(self._socketio_engine), **pings)
        echo = EngineIOServer(*_entry(self._engineio_engine), async_mode=ASYNC_MODE, **pings)
        self._add_handlers()
        echo.on("message", echo.send)
        self._wsgi = engineio.WSGIApp(echo, self.app, engineio_path="engine.io")

    def _add_handlers(self) -> None:
        def greet(auth: Any = None) -> None:
            recipient = {"namespace": request.namespace, "to": request.sid}  # type: ignore[attr-defined]  # Flask-SocketIO adds them
            self.runtime.spawn(greet_later, auth or {}, recipient)

        def greet_later(auth: Any, recipient: dict[str, str]) -> None:
            # Not in one segment with the answer to CONNECT, where it would go: of two messages that come at once, the suite sees the first.
            self.runtime.sleep(_SEGMENT_S)
            self.socketio.emit("auth", auth, **recipient)

        def message_back(*arguments: Any) -> None:
            emit("message-back", arguments)

        def acknowledge(*arguments: Any) -> tuple[Any, ...]:
            return arguments

        for namespace in ("/", "/custom"):
            self.socketio.on_event("connect", greet, namespace=namespace)
        self.socketio.on_event("message", message_back)
        self.socketio.on_event("message-with-ack", acknowledge)

    def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen and serve in tasks of their own; returns the address. Raises `OSError` where it is taken."""
        sock = self.runtime.listen(host, port)
        for work in (self._socketio_engine.run, self._engineio_engine.run):
            self.runtime.spawn(work)
        address: tuple[str, int] = sock.getsockname()[:2]
        listener = Listener(self.runtime, sock, HttpServer(responder(self._wsgi), address), lambda: MostConnections(1000, 1000))
        self.runtime.spawn(listener.run)
        return address


def _limits(join_timeout_s: float) -> LimitSettings:
    return LimitSettings(
        max_message_bytes=MAX_PAYLOAD_BYTES, join_timeout_s=join_timeout_s, requests_per_s=1_000_000, connects_per_s=1_000_000
    )


def _entry(engine: Engine) -> tuple[Engine, Admission, Identification, OriginCheck]:
    """An engine that anybody may come to, from any page."""
    return engine, Admission(engine, Authenticator()), Identification(Authenticator(), engine), lambda origin, environ: True
