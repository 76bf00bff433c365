"""What every request passes before the application sees it: whom it comes from, which name it asks for, how often, whether it may read, and
whether its answer stands ready.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from http import HTTPStatus
from time import monotonic
from typing import Any

from web.auth.identity import ANYBODY, Identity
from web.http.answer import Answer, plain, refusal
from web.http.cache import AnswerCache, route_of
from web.http.guard import IDENTITY, Guard
from web.http.handshake import again
from web.http.hosts import HEALTH, Hosts, why_not
from web.http.origins import OriginCheck, is_foreign, shared_with
from web.http.proxies import Proxies
from web.http.rates import Rates
from web.http.request import Environ
from web.http.wsgi import Reply, Wsgi, called
from web.refusals import Reason, Refusals, body, sentence

log = logging.getLogger(__name__)

SOCKETS = "/socket.io"
LATE_S = 1.0
"""A request that takes so long to answer is told of in the log, at debug."""
LONGEST_PATH = 60
_UNCOUNTED = frozenset({"/", "/embed", "/tape", "/ws", SOCKETS, *HEALTH})
_UNCOUNTED_BELOW = (SOCKETS + "/", "/assets/")
_ALSO_IN_THE_END = frozenset({"/metrics", "/ws", SOCKETS, SOCKETS + "/", *HEALTH})
"""They answer for themselves when the end has begun: what goes on, goes on to its end."""


class Entrance:
    """A WSGI application before `app`; `respond` is the same for our own HTTP server.

    `requests_per_s()`: how many an address may make. `sees(identity)` stands for what an identity may see. `refusals` is told who asks
    under a name that is not ours. `is_closing()`: whether the end has begun, in which nothing new is.
    """

    def __init__(
        self,
        app: Wsgi,
        proxies: Proxies,
        hosts: Hosts,
        guard: Guard,
        cache: AnswerCache,
        origin_allowed: OriginCheck,
        requests_per_s: Callable[[], float],
        sees: Callable[[Identity], Hashable],
        refusals: Refusals,
        is_closing: Callable[[], bool] = lambda: False,
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._hosts = hosts
        self._guard = guard
        self._cache = cache
        self._origin_allowed = origin_allowed
        self._requests_per_s = requests_per_s
        self._sees = sees
        self._refusals = refusals
        self._is_closing = is_closing
        self._rates = Rates()

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        reply = self._ready(environ)
        if reply is None:
            return self._app(environ, start_response)
        answer, headers = reply
        start_response(answer.status, [*answer.headers, ("Content-Length", str(len(answer.body))), *headers])
        return [answer.body if environ["REQUEST_METHOD"] != "HEAD" else b""]

    def respond(self, environ: Environ) -> Reply | None:
        """The reply; `None` where the application has taken the socket."""
        if not log.isEnabledFor(logging.DEBUG):
            return self._respond(environ)
        method, path, begun_s = environ["REQUEST_METHOD"], environ["PATH_INFO"], monotonic()
        reply = self._respond(environ)
        _tell(method, path, environ, reply, monotonic() - begun_s)
        return reply

    def _respond(self, environ: Environ) -> Reply | None:
        reply = self._ready(environ)
        if reply is not None:
            return reply
        answer = called(self._app, environ)
        return None if answer is None else (answer, ())

    def _ready(self, environ: Environ) -> Reply | None:
        """What can be answered without the application."""
        self._proxies.believe(environ)
        if environ["PATH_INFO"] == SOCKETS:  # as some programs write it
            environ["PATH_INFO"] = SOCKETS + "/"
        answer = self._turned_away(environ) or self._kept(environ)
        return None if answer is None else (answer, shared_with(environ, self._origin_allowed))

    def _turned_away(self, environ: Environ) -> Answer | None:
        path, address = environ["PATH_INFO"], environ.get("REMOTE_ADDR", "")
        if not self._hosts.is_ours(environ):
            return self._unknown_host(environ)
        if path.startswith("//"):  # Flask would take it for one with a single slash, and what guards paths before us would not
            return refusal(HTTPStatus.NOT_FOUND, "not_found", "Not Found")
        if self._is_closing() and path not in _ALSO_IN_THE_END:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "shutting_down", "shutting down", [again()])
        if is_counted(path) and not self._proxies.is_trusted(address):
            wait_s = self._rates.wait_s(address, self._requests_per_s(), monotonic())
            if wait_s is not None:
                return refusal(
                    HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", "too many requests from this address", [("Retry-After", str(wait_s))]
                )
        return None

    def _unknown_host(self, environ: Environ) -> Answer:
        message, cure = why_not(environ["HTTP_HOST"])
        self._refusals.note(Reason.HOST, environ.get("REMOTE_ADDR", ""), message, cure)
        if environ["PATH_INFO"].startswith(SOCKETS):
            return plain(Reason.HOST.status, body(Reason.HOST, message, cure))
        return refusal(Reason.HOST.status, Reason.HOST.word, sentence(Reason.HOST, message, cure))

    def _kept(self, environ: Environ) -> Answer | None:
        if not self._cache.may_keep(environ):
            return None
        who = self._guard.who(environ, environ["PATH_INFO"])
        if isinstance(who, Answer):
            return who
        environ[IDENTITY] = who
        sees = None if who is ANYBODY else self._sees(who)
        return self._cache.answer(environ, sees, not is_foreign(environ, self._origin_allowed))


def _tell(method: str, path: str, environ: Environ, reply: Reply | None, took_s: float) -> None:
    """Log what was refused, and what took long, unless it was meant to wait (long polling). Of the address no more than the beginning of
    its path: what follows may be a secret.
    """
    where, address = route_of(path.partition(";")[0])[:LONGEST_PATH], environ.get("REMOTE_ADDR", "")
    if reply is not None and reply[0].status[0] in "45":
        log.debug("%s %s from %s is answered with %s", method, where, address, reply[0].status)
    if took_s >= LATE_S and not path.startswith(SOCKETS):
        log.debug("%s %s from %s took %.1f s to answer", method, where, address, took_s)


def is_counted(path: str) -> bool:
    """Whether requests for `path` are limited: all but Socket.IO's, which has limits of its own, the page's files, and who asks whether
    the process lives.
    """
    is_file = "." in path and path.count("/") == 1 and path != "/openapi.json"
    return not (is_file or path in _UNCOUNTED or path.startswith(_UNCOUNTED_BELOW))
