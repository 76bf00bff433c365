"""The HTTP entrance of Engine.IO: handshakes, long polling, and the upgrade to WebSocket (Engine.IO protocol 4, RFC 6455).

python-engineio's own entrance hands every WebSocket three greenlets and an unbounded queue; this one hands its socket to
the engine and is done. Long polling keeps its request's task, and gets the same outbox.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import threading
import urllib.parse
from collections.abc import Callable
from typing import Any

import engineio
import msgspec

from web.fanout.client import Client, payload_of
from web.fanout.closing import Closing
from web.fanout.engine import Engine
from web.fanout.frames import text_frame
from web.runtime import leave_response_to_us, take_socket

log = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_SEPARATOR = "\x1e"
_PACKETS_A_POLL = 16
"""python-engineio's client refuses an answer with more packets."""
_NOOP = "6"
_KEPT = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
         "REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "flask.app")


class Refused(Exception):
    """Answer the request with this status and message."""

    def __init__(self, status: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class Door(engineio.Server):  # type: ignore[misc]  # python-engineio has no types
    """An `engineio.Server` whose transports are ours; its handlers, `send` and `disconnect` are as documented there.

    `engine` must be set before the first request; `origin_allowed(origin, environ)` decides who may connect.
    """

    engine: Engine
    origin_allowed: Callable[[str, Environ], bool]
    max_clients_reached: Callable[[Environ], str | None]

    def handle_request(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """The WSGI application of the Engine.IO path."""
        cors: list[tuple[str, str]] = []
        try:
            cors = self._cors(environ)
            return self._route(environ, start_response, cors)
        except Refused as refused:
            return _answer(start_response, refused.status, str(refused), [*cors, *refused.headers])

    def _cors(self, environ: Environ) -> list[tuple[str, str]]:
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            return []
        if not self.origin_allowed(origin, environ):
            raise Refused("400 Bad Request", "origin not allowed")
        headers = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"), ("Vary", "Origin")]
        if environ["REQUEST_METHOD"] == "OPTIONS":
            headers += [("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
                        ("Access-Control-Allow-Headers", "Content-Type, Authorization")]
        return headers

    def _route(self, environ: Environ, start_response: StartResponse, cors: list[tuple[str, str]]) -> list[bytes]:
        method = environ["REQUEST_METHOD"]
        query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
        if method == "OPTIONS":
            return _answer(start_response, "200 OK", "ok", cors)
        if query.get("EIO") != ["4"]:
            raise Refused("400 Bad Request", "unsupported Engine.IO version")
        transport = query.get("transport", [""])[0]
        if transport not in ("polling", "websocket"):
            raise Refused("400 Bad Request", "unknown transport")
        if method not in ("GET", "POST"):
            raise Refused("400 Bad Request", "method not allowed")
        if "sid" not in query:
            if method == "POST":
                raise Refused("400 Bad Request", "no session")
            return self._handshake(environ, start_response, transport, cors)
        client = self.sockets.get(query["sid"][0])
        if client is None or client.closed is not None:
            raise Refused("400 Bad Request", "unknown session")
        if transport == "websocket":
            return self._upgrade(client, environ)
        if client.transport == "websocket":
            raise Refused("400 Bad Request", "the session speaks WebSocket")
        if method == "POST":
            self._receive(client, environ)
            return _answer(start_response, "200 OK", "ok", cors)
        return _answer(start_response, "200 OK", self._poll(client), cors)

    def _handshake(self, environ: Environ, start_response: StartResponse, transport: str, cors: list[tuple[str, str]]) -> list[bytes]:
        reason = self.max_clients_reached(environ)
        if reason:
            raise Refused("503 Service Unavailable", reason, (("Retry-After", "5"),))
        accept = _accept_websocket(environ) if transport == "websocket" else b""
        engine = self.engine
        engine.waiting_room.enter(engine.wake)
        client = Client(engine, self.generate_id(), self.generate_id()[:12], _slim(environ),
                        "websocket" if accept else "polling")
        opening = "0" + msgspec.json.encode({
            "sid": client.sid, "upgrades": [] if accept else ["websocket"], "pingInterval": self.ping_interval * 1000,
            "pingTimeout": self.ping_timeout * 1000, "maxPayload": engine.limits.max_message_bytes}).decode()
        with engine.turn:
            if accept:
                # The answer and the first packet leave in one segment.
                self._take_over(client, environ, accept + text_frame(opening.encode()))
            self.sockets[client.sid] = client
            engine.admit(client)
            self._trigger_event("connect", client.sid, client.environ, run_async=False)
            if accept:
                engine.open_for_quotes(client)
                return leave_response_to_us()
        engine.polling.add(client)
        return _answer(start_response, "200 OK", opening, cors)

    def _upgrade(self, client: Client, environ: Environ) -> list[bytes]:
        if client.transport != "polling":
            raise Refused("400 Bad Request", "the session is upgraded already")
        accept = _accept_websocket(environ)
        with self.engine.turn:
            self._take_over(client, environ, accept)
            client.transport = "probing"
        return leave_response_to_us()

    def _take_over(self, client: Client, environ: Environ, answer: bytes) -> None:
        sock = take_socket(environ)
        try:
            sock.send(answer)  # a few hundred bytes into an empty buffer: taken whole
        except OSError:
            log.debug("a client left during its handshake")
        self.engine.attach(client, sock)

    def _poll(self, client: Client) -> str:
        """What the client is owed, after waiting for something where there is nothing."""
        engine = self.engine
        if client.poll_event is not None:
            engine.close(client, Closing.BAD_PACKET)
            raise Refused("400 Bad Request", "another request is polling already")
        client.poll_event = threading.Event()
        try:
            while True:
                with engine.turn:
                    if client.closed is not None:
                        return "1"
                    if client.transport != "polling":
                        return _NOOP
                    frames = client.frames(engine.readers.number, engine.readers.registry, _PACKETS_A_POLL)
                    client.accepted(sum(map(len, frames)))
                    if frames:
                        return _SEPARATOR.join([_polled(framed) for framed in frames])
                    client.poll_event.clear()
                client.poll_event.wait(self.ping_interval + self.ping_timeout)
        finally:
            client.poll_event = None
            client.polled_s = engine.clock()

    def _receive(self, client: Client, environ: Environ) -> None:
        """Handle the packets of a POST body."""
        engine = self.engine
        try:
            length = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            raise Refused("400 Bad Request", "bad content length") from None
        if length > engine.limits.max_message_bytes:
            engine.close(client, Closing.TOO_BIG)
            raise Refused("413 Content Too Large", "message too big")
        body = environ["wsgi.input"].read(length)
        with engine.turn:
            try:
                for packet in body.decode().split(_SEPARATOR):
                    if client.closed is not None:
                        break
                    self.packet(client, base64.b64decode(packet[1:], validate=True) if packet[:1] == "b" else packet)
            except ValueError:
                engine.close(client, Closing.BAD_PACKET)
                raise Refused("400 Bad Request", "malformed packet") from None

    def packet(self, client: Client, payload: str | bytes) -> None:
        """Handle one Engine.IO packet of `client`. Raises `ValueError` for one that makes no sense."""
        if isinstance(payload, bytes):
            self._trigger_event("message", client.sid, payload, run_async=False)
            return
        kind = payload[:1]
        if client.transport == "probing" and client.reader is not None and kind in "25":
            self._probe(client, payload)
        elif kind == "4":
            self._trigger_event("message", client.sid, payload[1:], run_async=False)
        elif kind == "3":
            self.engine.pulse.pong(client)
        elif kind == "1":
            self.engine.close(client, Closing.CLIENT)
        elif kind != "6":
            raise ValueError("unknown Engine.IO packet")

    def _probe(self, client: Client, payload: str) -> None:
        if payload == "2probe":
            client.socket.send(text_frame(b"3probe"))
            if client.poll_event is not None:
                client.poll_event.set()  # the pending poll ends with a no-op
        elif payload == "5":
            self.engine.polling.discard(client)
            self.engine.open_for_quotes(client)
        else:
            raise ValueError("not a step of an upgrade")

    def gone(self, client: Client, closing: Closing) -> None:
        """The engine closed `client`: tell the handlers."""
        reason = {Closing.CLIENT: self.reason.CLIENT_DISCONNECT, Closing.PING_TIMEOUT: self.reason.PING_TIMEOUT}
        self._trigger_event("disconnect", client.sid, reason.get(closing, self.reason.SERVER_DISCONNECT), run_async=False)
        self.sockets.pop(client.sid, None)

    def send_packet(self, sid: str, pkt: Any) -> None:
        """Send a packet of the library's to the client `sid`; one that is gone is nobody's fault."""
        client = self.sockets.get(sid)
        if client is not None:
            client.send(pkt)

    def disconnect(self, sid: str | None = None) -> None:
        """Close the client `sid`, or all."""
        clients = list(self.engine.clients) if sid is None else [self.sockets[sid]] if sid in self.sockets else []
        for client in clients:
            self.engine.close(client, Closing.SERVER)


def _accept_websocket(environ: Environ) -> bytes:
    """The answer to a WebSocket handshake (RFC 6455 section 4.2), without extensions. Raises `Refused`."""
    upgrade = environ.get("HTTP_UPGRADE", "").lower()
    connection = [token.strip() for token in environ.get("HTTP_CONNECTION", "").lower().split(",")]
    if upgrade != "websocket" or "upgrade" not in connection:
        raise Refused("400 Bad Request", "not a WebSocket handshake")
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        raise Refused("400 Bad Request", "unsupported WebSocket version", (("Sec-WebSocket-Version", "13"),))
    key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "").encode("latin-1")
    try:
        if len(base64.b64decode(key, validate=True)) != 16:
            raise Refused("400 Bad Request", "bad WebSocket key")
    except binascii.Error:
        raise Refused("400 Bad Request", "bad WebSocket key") from None
    accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID, usedforsecurity=False).digest())
    return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def _polled(framed: bytes) -> str:
    is_text, payload = payload_of(framed)
    return payload.decode() if is_text else "b" + base64.b64encode(payload).decode()


def _slim(environ: Environ) -> Environ:
    """The request without the objects that keep its buffers alive: about 1 KB instead of 20."""
    return {key: value for key, value in environ.items() if key in _KEPT or key.startswith("HTTP_")}


def _answer(start_response: StartResponse, status: str, body: str, headers: list[tuple[str, str]]) -> list[bytes]:
    encoded = body.encode()
    start_response(status, [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", str(len(encoded))),
                            ("Cache-Control", "no-store"), *headers])
    return [encoded]
