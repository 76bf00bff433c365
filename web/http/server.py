"""Serves a WSGI application over HTTP/1.1: one task a connection, one request after the other.

What the client must do has its time (the head, the body, taking the answer), what it can say has its size, and each piece of it takes a
turn with everybody else's (`web.http.connection`). A request is carried out when its head is whole and of one meaning (`web.http.head`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from math import inf
from time import monotonic
from typing import Protocol

import h11
import msgspec

from ticker import wire
from web.http import proxy_protocol
from web.http.answer import plain, refusal
from web.http.body import Body, Incomplete
from web.http.connection import Connection, Gone
from web.http.head import MOST_BYTES, BadRequest, check, find_end
from web.http.request import Environ, environ_of
from web.http.wsgi import Reply, Responder
from web.refusals import Reason, Refusals, body

log = logging.getLogger(__name__)

HEAD_S = 15.0
"""From a request's first byte to the end of its head; and for the first byte of a connection."""
ANSWER_S, ANSWER_BYTES_PER_S = 30.0, 10_000
"""So long an answer may be on its way, and longer where there is more of it."""
CLOSING_S = 1.0
"""So long before an idle connection is closed its answers say that it will be: who sends then would send into nothing."""
UNREAD_BYTES = 65_536
"""So much of a body that nobody wanted is read to get at the next request."""

_CLOSE = b"Connection: close\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Idle(Protocol):
    """Is told when a connection waits for its next request: those go first when room is needed."""

    def waits(self, connection: Connection) -> None:
        """It has nothing to do."""

    def works(self, connection: Connection) -> None:
        """It has."""


class HttpServer:
    """Speaks HTTP with connections, and has `respond` answer; `answering` counts those that have asked for what is not written yet.

    `server`: host and port where it listens. `keep_alive_s`: how long a connection may wait between two requests. `is_closing` tells
    whether the end has begun. `refusals` is told of what is no request.
    """

    def __init__(
        self,
        respond: Responder,
        server: tuple[str, int],
        keep_alive_s: float = 75,
        is_closing: Callable[[], bool] = lambda: False,
        refusals: Refusals | None = None,
    ) -> None:
        self._respond = respond
        self._server = server[0], str(server[1])
        self._keep_alive_s = keep_alive_s
        self._is_closing = is_closing
        self._refusals = refusals or Refusals()
        self._stay = b"Connection: keep-alive\r\nKeep-Alive: timeout=%d\r\n" % keep_alive_s
        self.answering = 0

    def serve(self, connection: Connection, idle: Idle) -> None:
        """Answer one request after the other until there are no more, or the socket is given away. Raises nothing; hangs up."""
        try:
            if connection.is_proxy:
                _hear_proxy(connection)
            goes_on = self._one(connection, idle, HEAD_S, is_last_from_s=inf)
            while goes_on:
                goes_on = self._one(connection, idle, self._keep_alive_s, is_last_from_s=self._keep_alive_s - CLOSING_S)
        except Gone:
            pass
        except BadRequest as problem:
            self._refuse(connection, problem)
        finally:
            connection.hang_up()

    def _one(self, connection: Connection, idle: Idle, wait_s: float, is_last_from_s: float) -> bool:
        """Answer the next request; whether there may be another one. Raises `Gone` and `BadRequest`.

        It may begin within `wait_s`; one that needs `is_last_from_s` to come is the last.
        """
        waited_since_s = monotonic()
        idle.waits(connection)
        head = _read_head(connection, waited_since_s + wait_s, lambda: idle.works(connection))
        if head is None:
            return False
        connection.take_turn()  # it may have come with many others, and then nothing was read for it
        check(head)
        exchange = _Exchange(connection, head, self._server)
        is_last = monotonic() - waited_since_s >= is_last_from_s or exchange.must_close or self._is_closing()
        self.answering += 1
        try:
            self._answer(exchange, is_last)
        finally:
            self.answering -= 1
        return not is_last and exchange.is_over() and connection.socket is not None

    def _answer(self, exchange: _Exchange, is_last: bool) -> None:
        environ, connection = exchange.environ, exchange.connection
        reply = self._reply(environ)
        if reply is None or connection.socket is None:
            return  # somebody else answers
        is_last = is_last or not exchange.can_go_on()
        answer, headers = reply
        data = answer.encoded(_CLOSE if is_last else self._stay, headers, environ["REQUEST_METHOD"] != "HEAD")
        connection.send(data, monotonic() + ANSWER_S + len(data) / ANSWER_BYTES_PER_S)
        if is_last:
            exchange.leave()

    def _reply(self, environ: Environ) -> Reply | None:
        try:
            return self._respond(environ)
        except (Gone, BadRequest):
            raise
        except Exception:
            log.exception("a request could not be answered")
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Internal Server Error"), ()

    def _refuse(self, connection: Connection, problem: BadRequest) -> None:
        """Answer what is no request, and hang up."""
        if connection.socket is None:
            return
        log.debug("what came from %s is no request: %s", connection.address, problem)
        reason = Reason.HEADERS if problem.status is Reason.HEADERS.status else Reason.BAD_REQUEST
        self._refusals.note(reason, connection.address, str(problem))
        # Nobody knows yet what was asked for: a client of Socket.IO finds here what it knows, and so does any other.
        said = {**msgspec.json.decode(body(reason, str(problem))), "error": wire.Problem(code="bad_request", message=str(problem))}
        answer = plain(problem.status, msgspec.json.encode(said))
        with suppress(Gone):
            connection.send(answer.encoded(_CLOSE), monotonic() + CLOSING_S)
            connection.hang_up_gently()


class _Exchange:
    """One request and its answer."""

    def __init__(self, connection: Connection, head: bytes, server: tuple[str, str]) -> None:
        self.connection = connection
        self._parser = parser = h11.Connection(h11.SERVER, max_incomplete_event_size=4096)
        parser.receive_data(head)
        try:
            request = parser.next_event()
        except h11.RemoteProtocolError:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "a malformed request") from None
        assert isinstance(request, h11.Request)
        self.environ = environ = environ_of(request, connection, server)
        self._awaits = parser.they_are_waiting_for_100_continue
        self.must_close = request.http_version == b"1.0" or _says_close(environ)
        is_chunked = "wsgi.input_terminated" in environ
        self._body = Body(connection, parser, is_chunked, is_chunked or "CONTENT_LENGTH" in environ, self._go_on)
        environ["wsgi.input"] = self._body

    def _go_on(self) -> None:
        """The body is wanted: say so to who waits for that."""
        if self._awaits:
            self._awaits = False
            self.connection.send(_CONTINUE, monotonic() + CLOSING_S)

    def can_go_on(self) -> bool:
        """Whether there can be another request after this one: its body has come, or what is left of it is little."""
        if self._body.ended:
            return True
        if self._awaits or "wsgi.input_terminated" in self.environ:
            return False  # the client may or may not send it now; or nobody knows how long it is
        return int(self.environ.get("CONTENT_LENGTH") or 0) <= UNREAD_BYTES

    def is_over(self) -> bool:
        """Read what nobody wanted of the body. Raises `Gone` and `BadRequest`."""
        if not self._body.ended and self.connection.socket is not None:
            self._body.read(UNREAD_BYTES + 1)  # one more, to come upon the end
            return self._body.ended
        return True

    def leave(self) -> None:
        """The answer was the last one."""
        if self.connection.has_unread:
            self.connection.hang_up_gently()
        else:
            self.connection.hang_up()


def _says_close(environ: Environ) -> bool:
    return "close" in [word.strip() for word in environ.get("HTTP_CONNECTION", "").lower().split(",")]


def _hear_proxy(connection: Connection) -> None:
    """Take in whom a proxy says that it speaks for, if it says so before anything else. Raises `Gone` and `BadRequest`."""
    until_s = monotonic() + HEAD_S
    while (said := proxy_protocol.read(connection.unread)) is None:
        if not connection.fill(until_s):
            raise Gone("the connection ends before it begins")
    del connection.unread[: said.size]
    if said.client is not None:
        connection.address, connection.port = said.client


def _read_head(connection: Connection, begins_until_s: float, begun: Callable[[], object]) -> bytes | None:
    """The next request's head; `None` where there is none. Raises `Gone` and `BadRequest`.

    CRLFs before it are passed over, as RFC 9112 section 2.2 has it; they count as a part of it.
    """
    unread, searched, skipped = connection.unread, 0, 0
    until_s, is_begun = begins_until_s, False
    while True:
        while unread[:2] == b"\r\n":
            del unread[:2]
            skipped += 2
            searched = 0
        if unread and not is_begun:
            is_begun, until_s = True, monotonic() + HEAD_S
            begun()
        if unread and unread != b"\r":
            end = find_end(unread, searched)
            if end >= 0:
                head = bytes(unread[: end + 4])
                del unread[: end + 4]
                return head
            searched = len(unread)
        if skipped > MOST_BYTES:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "empty lines only")
        if not connection.fill(until_s, MOST_BYTES + 1 - min(len(unread), MOST_BYTES)):
            if is_begun:
                raise Incomplete("the head of a request breaks off")
            return None
