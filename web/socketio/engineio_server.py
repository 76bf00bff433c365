"""Engine.IO over HTTP: handshakes, long polling, and the upgrade to WebSocket (Engine.IO protocol 4, RFC 6455).

python-engineio's own server gives every WebSocket three greenlets and an unbounded queue; this one hands its socket to
the engine and is done. Long polling keeps its request's task, and gets the same outbox.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import threading
import urllib.parse
from typing import Any, NoReturn

import engineio
import msgspec

from web.auth.identity import CHALLENGE, Identity, Unauthorized
from web.fanout.bugs import Bugs
from web.fanout.client import Client, payload_of
from web.fanout.close_reasons import CloseReason
from web.fanout.engine import Engine
from web.fanout.frames import Violation, close_frame, text_frame
from web.fanout.receive import PACKETS_PER_S
from web.http.handshake import Environ, Refused, StartResponse, accept_websocket, answered, full, slim, turned_away
from web.http.head import BadRequest
from web.http.origins import OriginCheck, is_cross_site, why_not
from web.http.request import CONNECTION
from web.refusals import Reason
from web.socketio.admission import Admission
from web.socketio.identify import Identification

log = Bugs(logging.getLogger(__name__))

_SEPARATOR = "\x1e"
_PACKETS_A_POLL = 16
"""python-engineio's client refuses an answer with more packets."""
_CLOSE, _NOOP = "1", "6"
_PAUSING_POLL_S = 0.1
"""A client that has heard that its probe works asks no more, and waits for the end of the poll that is under way."""


class EngineIOServer(engineio.Server):  # type: ignore[misc]  # python-engineio has no types
    """An `engineio.Server` whose clients are the engine's; its handlers, `send` and `disconnect` are as documented there, but that
    handlers run in the engine's turn (they must not wait) and that what `connect` returns is not asked.

    `admission` says whether there is room for who asks to come in, `identification` who that is, and `origin_allowed` whether the page
    that asks may.
    """

    def __init__(
        self, engine: Engine, admission: Admission, identification: Identification, origin_allowed: OriginCheck, **options: Any
    ) -> None:
        super().__init__(**options)
        self.engine = engine
        self._admission = admission
        self._identification = identification
        self._origin_allowed = origin_allowed

    def handle_request(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """The WSGI application of the Engine.IO path."""
        cors: list[tuple[str, str]] = []
        try:
            cors = self._cors(environ)
            return self._route(environ, start_response, cors)
        except Refused as refused:
            self.engine.refusals.note(refused.reason, environ.get("REMOTE_ADDR", ""), refused.message, refused.cure)
            return turned_away(start_response, refused, cors)

    def _cors(self, environ: Environ) -> list[tuple[str, str]]:
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            if is_cross_site(environ):
                raise Refused(Reason.CROSS_SITE)
            return []
        if not self._origin_allowed(origin, environ):
            raise Refused(Reason.ORIGIN, *why_not(origin, environ))
        headers = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"), ("Vary", "Origin")]
        if environ["REQUEST_METHOD"] == "OPTIONS":
            headers += [
                ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
                ("Access-Control-Allow-Headers", "Content-Type, Authorization"),
            ]
        return headers

    def _route(self, environ: Environ, start_response: StartResponse, cors: list[tuple[str, str]]) -> list[bytes]:
        method = environ["REQUEST_METHOD"]
        query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
        if method == "OPTIONS":
            return answered(start_response, "ok", cors)
        if query.get("EIO") != ["4"]:
            raise Refused(Reason.VERSION)
        transport = query.get("transport", [""])[0]
        if transport not in ("polling", "websocket"):
            raise Refused(Reason.TRANSPORT)
        if method != "GET" and (method != "POST" or transport == "websocket"):
            raise Refused(Reason.METHOD)
        if "sid" not in query:
            if method == "POST":
                self._say_why_not(environ)
            return self._handshake(environ, start_response, transport, cors)
        client = self.sockets.get(query["sid"][0])
        if client is None or client.closed is not None:
            raise Refused(Reason.SESSION)
        if transport == "websocket":
            return self._upgrade(client, environ)
        if client.transport == "websocket":
            raise Refused(Reason.SECOND_REQUEST, "the session speaks WebSocket")
        if method == "POST":
            self._receive(client, environ)
            return answered(start_response, "ok", cors)
        return answered(start_response, self._poll(client), cors)

    def _say_why_not(self, environ: Environ) -> NoReturn:
        """Refuse what opens no session, as a handshake would be, if it would: a page can't read why its WebSocket was."""
        reason = self._admission.refusal(environ)
        if reason is not None:
            raise full(reason)
        self._identity(environ)
        raise Refused(Reason.METHOD, "a session begins with a GET")

    def _handshake(self, environ: Environ, start_response: StartResponse, transport: str, cors: list[tuple[str, str]]) -> list[bytes]:
        engine = self.engine
        reason = self._admission.refusal(environ)
        identity = None if reason else self._identity(environ)
        reason = reason or self._admission.counted(environ, identity)
        if reason:
            raise full(reason)
        accept = accept_websocket(environ) if transport == "websocket" else b""
        kept = slim(environ)
        engine.handshake_queue.enter(engine.wake)
        if engine.draining:
            raise full(Reason.SHUTTING_DOWN)
        client = Client(self, self.generate_id(), self.generate_id()[:12], kept, "websocket" if accept else "polling", engine.clock())
        opening = "0" + msgspec.json.encode({
            "sid": client.sid, "upgrades": [] if accept else ["websocket"], "pingInterval": self.ping_interval * 1000,
            "pingTimeout": self.ping_timeout * 1000, "maxPayload": engine.limits.max_message_bytes}).decode()  # fmt: skip
        with engine.turn:
            self.sockets[client.sid] = client
            self._trigger_event("connect", client.sid, client.environ)
            if identity is not None:
                self._identification.recognised(client, identity)
            engine.admit(client)
            if accept:
                # The answer and the first packet leave in one segment.
                engine.attach(client, _take_socket(environ, accept + text_frame(opening.encode())))
                engine.open_for_quotes(client)
                engine.heard(client, _early(environ))
                return []  # the engine has written it
            engine.polling.add(client)
        return answered(start_response, opening, cors)

    def _identity(self, environ: Environ) -> Identity | None:
        try:
            return self._identification.of_request(environ)
        except Unauthorized as problem:
            self._admission.counted(environ, None)
            if problem.throttled_s is not None:
                raise Refused(Reason.GUESSES, str(problem), headers=(("Retry-After", str(problem.throttled_s)),)) from None
            raise Refused(Reason.UNAUTHORIZED, str(problem), headers=(("WWW-Authenticate", CHALLENGE),)) from None

    def _upgrade(self, client: Client, environ: Environ) -> list[bytes]:
        """Let a client that polls try out a WebSocket."""
        engine = self.engine
        accept = accept_websocket(environ)
        with engine.turn:
            if client.transport == "polling" and client.closed is None:
                engine.attach(client, _take_socket(environ, accept))
                client.transport = "probing"
                client.upgrade_s = engine.clock()
                engine.heard(client, _early(environ))
            else:
                # The protocol has a second WebSocket of a session closed, not refused.
                reason = CloseReason.SECOND_WEBSOCKET
                _take_socket(environ, accept + close_frame(reason.code, reason.word)).close()
                engine.ledger.turn_away(reason, client.address, engine.clock())
        return []  # the engine has written it

    def _poll(self, client: Client) -> str:
        """What the client is owed, after waiting for something where there is nothing.

        A client that polls while its probe has been answered has not heard the answer, and perhaps never will (there are proxies that let a
        WebSocket open and pass nothing on): it gets what it is owed here, and a no-op soon where that is nothing.
        """
        engine = self.engine
        if client.poll_event is not None:
            engine.close(client, CloseReason.BAD_PACKET)
            raise Refused(Reason.SECOND_REQUEST, "another request is polling already")
        client.poll_event = threading.Event()
        waited = False
        try:
            while True:
                with engine.turn:
                    if client.closed is CloseReason.CLIENT or client.transport == "websocket" or (waited and client.transport == "pausing"):
                        return _NOOP
                    last_words = [] if client.closed is None else [_CLOSE]
                    frames = client.frames(engine.subscriptions.number, engine.subscriptions.registry, _PACKETS_A_POLL - len(last_words))
                    size = sum(map(len, frames))
                    engine.flusher.delivered += client.accepted(size)
                    engine.flusher.bytes_sent += size
                    if engine.seeing_off and not frames and not last_words:
                        engine.close(client, CloseReason.SHUTDOWN)
                        last_words = [_CLOSE]
                    if frames or last_words:
                        return _SEPARATOR.join([*map(_polled, frames), *last_words])
                    client.poll_event.clear()
                client.poll_event.wait(_PAUSING_POLL_S if client.transport == "pausing" else self.ping_interval + self.ping_timeout)
                waited = True
        finally:
            client.poll_event = None
            client.polled_s = engine.clock()

    def _receive(self, client: Client, environ: Environ) -> None:
        """Handle the packets of a POST body."""
        engine = self.engine
        if client.posting:
            # Which of two bodies came first, nobody could say.
            engine.close(client, CloseReason.BAD_PACKET)
            raise Refused(Reason.SECOND_REQUEST, "another request is posting already")
        client.posting = True
        try:
            body = self._body(client, environ)
            with engine.turn:
                now_s = engine.clock()
                for packet in body.decode().split(_SEPARATOR):
                    if client.closed is not None:
                        break
                    if client.packets.exceeds(PACKETS_PER_S, now_s):
                        engine.close(client, CloseReason.TOO_MANY_REQUESTS)
                        break
                    self._handle(client, base64.b64decode(packet[1:], validate=True) if packet[:1] == "b" else packet)
        except Violation as violation:
            engine.close(client, CloseReason.of(violation))
            raise Refused(Reason.TOO_BIG) from None
        except ValueError:
            engine.close(client, CloseReason.BAD_PACKET)
            raise Refused(Reason.PACKET) from None
        except Refused:
            raise
        except Exception:
            log.report("a client's packet could not be handled")
            engine.close(client, CloseReason.ERROR)
            raise Refused(Reason.ERROR) from None
        finally:
            client.posting = False

    def _body(self, client: Client, environ: Environ) -> bytes:
        """The body of a POST. Raises `ValueError` where it ends early."""
        most = self.engine.limits.max_message_bytes
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        length = most + 1 if chunked else int(environ.get("CONTENT_LENGTH") or 0)
        try:
            body: bytes = environ["wsgi.input"].read(length) if chunked or length <= most else b""
        except (OSError, BadRequest):
            raise ValueError("the body breaks off, does not come in time, or is no body") from None
        if max(len(body), 0 if chunked else length) > most:
            self.engine.close(client, CloseReason.TOO_BIG)
            raise Refused(Reason.TOO_BIG)
        if not chunked and len(body) < length:
            raise ValueError("the body ends early")
        return body

    def packet(self, client: Client, payload: str | bytes) -> None:
        """Handle what came through the WebSocket of `client`. Raises `ValueError` for what makes no sense."""
        if client.upgrading:
            self._probe(client, payload)
        else:
            self._handle(client, payload)

    def _handle(self, client: Client, payload: str | bytes) -> None:
        """Handle one Engine.IO packet."""
        kind = "4" if isinstance(payload, bytes) else payload[:1]
        if kind == "4":
            self._trigger_event("message", client.sid, payload if isinstance(payload, bytes) else payload[1:])
        elif kind == "3":
            self.engine.timeouts.pong(client)
        elif kind == "1":
            self.engine.close(client, CloseReason.CLIENT)
        elif kind != "6":
            raise ValueError("not a packet that clients send")

    def _probe(self, client: Client, payload: str | bytes) -> None:
        """Go one step towards WebSocket."""
        if payload == "2probe":
            with contextlib.suppress(OSError):  # whoever left is noticed when its socket is read
                client.socket.send(text_frame(b"3probe"))
            client.transport = "pausing"
            if client.poll_event is not None:
                client.poll_event.set()  # the pending poll ends with a no-op
        elif payload == "5" and client.transport == "pausing":
            self.engine.polling.discard(client)
            self.engine.open_for_quotes(client)
        else:
            raise ValueError("not a step of an upgrade")

    def gone(self, client: Client, reason: CloseReason) -> None:
        """The engine closed `client`: tell the handlers."""
        words = {CloseReason.CLIENT: self.reason.CLIENT_DISCONNECT, CloseReason.PING_TIMEOUT: self.reason.PING_TIMEOUT}
        try:
            self._trigger_event("disconnect", client.sid, words.get(reason, self.reason.SERVER_DISCONNECT))
        except Exception:
            log.report("a handler of a client's end failed")
        finally:
            self.sockets.pop(client.sid, None)

    def _trigger_event(self, event: str, *arguments: Any, run_async: bool = False) -> Any:
        """Call a handler here and now. Not the library's: that one logs a traceback for whatever a client sends, and goes on."""
        handler = self.handlers.get(event)
        return handler(*arguments) if handler is not None else None

    def send_packet(self, sid: str, pkt: Any) -> None:
        """Send a packet of the library's to the client `sid`; one that is gone is nobody's fault."""
        client = self.sockets.get(sid)
        if client is not None:
            self.engine.send(client, pkt.encode())

    def disconnect(self, sid: str | None = None) -> None:
        """Close the client `sid`, or all."""
        clients = list(self.engine.clients) if sid is None else [self.sockets[sid]] if sid in self.sockets else []
        for client in clients:
            self.engine.close(client, CloseReason.SERVER)


def _take_socket(environ: Environ, answer: bytes) -> Any:
    """Take a request's socket over, which the HTTP server then no longer knows, and send `answer`."""
    sock = environ[CONNECTION].take_socket()
    with contextlib.suppress(OSError):  # whoever left during the handshake is noticed when the socket is read
        sock.send(answer)  # a few hundred bytes into an empty buffer: taken whole
    return sock


def _early(environ: Environ) -> bytes:
    """What the client sent right behind its request, without waiting for the answer."""
    return bytes(environ[CONNECTION].unread)


def _polled(framed: bytes) -> str:
    is_text, payload = payload_of(framed)
    return payload.decode() if is_text else "b" + base64.b64encode(payload).decode()
