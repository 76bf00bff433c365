"""Who may read over HTTP: asked before an answer is looked for, so that whatever route is added later is guarded too."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from flask import Flask, Response, g, request

from web.auth.authenticator import Authenticator
from web.auth.identity import ANYBODY, CHALLENGE, Identity, Unauthorized
from web.http.answer import Answer, refusal
from web.http.hosts import is_loopback
from web.http.proxies import PASSED_ON

GUARDED = "/api/"
"""What stands below it is data. `/healthz`, `/readyz` and the page have none."""
METRICS = "/metrics"
"""Is about all symbols at once: for who may see all of them."""
ADMIN = "admin"
"""The blueprint that asks for a token of its own."""
IDENTITY = "tickercast.identity"
"""In the environment: who sends the request, once that is found out."""

WhoseMetrics = Literal["loopback", "open", "public", "off"]


class Guard:
    """Asks `authenticator` who reads; `metrics` is `server.metrics`."""

    def __init__(self, authenticator: Authenticator, metrics: WhoseMetrics) -> None:
        self._authenticator = authenticator
        self._metrics = metrics

    @property
    def is_open(self) -> bool:
        """Whether everybody may read everything."""
        return self._authenticator.is_open

    def who(self, environ: Mapping[str, Any], path: str) -> Identity | Answer:
        """Who asks for `path`, or the answer to who may not."""
        if path == METRICS:
            return self._of_metrics(environ)
        return self._of_reader(environ) if path.startswith(GUARDED) else ANYBODY

    def _of_metrics(self, environ: Mapping[str, Any]) -> Identity | Answer:
        if self._metrics == "public":
            return ANYBODY
        if self._metrics == "loopback" and not from_this_machine(environ):
            return refusal(
                HTTPStatus.FORBIDDEN, "loopback_only", 'metrics are for this machine; server.metrics = "open" lets others read them'
            )
        identity = self._of_reader(environ)
        if isinstance(identity, Identity) and not identity.sees_all:
            return refusal(HTTPStatus.FORBIDDEN, "unauthorized", "this token is for some symbols only")
        return identity

    def _of_reader(self, environ: Mapping[str, Any]) -> Identity | Answer:
        try:
            identity = self._authenticator.of_request(environ)
        except Unauthorized as problem:
            return _refused(problem)
        return identity or _refused(Unauthorized("a token is needed: send it as Authorization: Bearer …"))


def install(guard: Guard, app: Flask) -> None:
    """Have `app` ask `guard` who reads, unless that was found out before."""

    @app.before_request
    def may_read() -> Response | None:
        if request.method == "OPTIONS" or request.blueprint == ADMIN:
            return None
        who = request.environ.get(IDENTITY) or guard.who(request.environ, request.path)
        if isinstance(who, Answer):
            return as_response(who)
        g.identity = who
        return None

    @app.after_request
    def not_for_all(response: Response) -> Response:
        if not guard.is_open and request.path.startswith((GUARDED, METRICS)):
            response.vary.add("Authorization")
            response.cache_control.private = True
        return response


def refused(problem: Unauthorized) -> Response:
    """The answer to who may not: 401, or 429 where nobody listens."""
    return as_response(_refused(problem))


def as_response(answer: Answer) -> Response:
    """`answer` as Flask knows it."""
    return Response(answer.body, answer.status, list(answer.headers))


def from_this_machine(environ: Mapping[str, Any]) -> bool:
    """Whether the request was made here, and not by a proxy here for somebody else, as far as that proxy says so."""
    return not environ.get(PASSED_ON) and is_loopback(environ.get("REMOTE_ADDR", ""))


def _refused(problem: Unauthorized) -> Answer:
    if problem.throttled_s is not None:
        return refusal(HTTPStatus.TOO_MANY_REQUESTS, problem.code, str(problem), [("Retry-After", str(problem.throttled_s))])
    return refusal(HTTPStatus.UNAUTHORIZED, problem.code, str(problem), [("WWW-Authenticate", CHALLENGE)])
