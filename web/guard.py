"""Who may read over HTTP: asked before any view of the API, so that one that is added later is guarded too."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, Response, g, request

from web.access import Access
from web.identity import CHALLENGE, Unauthorized
from web.rest import error

GUARDED = "/api/"
"""What stands below it is data. `/healthz`, `/readyz` and the page have none."""
OF_EVERYTHING = frozenset({"/metrics"})
"""Is about all symbols at once: for who may see all of them."""
ADMIN = "admin"
"""The blueprint that asks for a token of its own."""


def guard(app: Flask, access: Access, excepted: Collection[str] = ()) -> None:
    """Have `app` ask `access` who reads, `excepted` paths apart."""

    @app.before_request
    def may_read() -> Response | None:
        if access.is_open or request.method == "OPTIONS" or request.blueprint == ADMIN:
            return None
        if request.path in excepted or not (request.path.startswith(GUARDED) or request.path in OF_EVERYTHING):
            return None
        try:
            identity = access.of_request(request.environ)
        except Unauthorized as problem:
            return refused(problem)
        if identity is None:
            return refused(Unauthorized("a token is needed: send it as Authorization: Bearer …"))
        if request.path in OF_EVERYTHING and not identity.sees_all:
            return error(403, "unauthorized", "this token is for some symbols only")
        g.identity = identity
        return None

    @app.after_request
    def not_for_all(response: Response) -> Response:
        if not access.is_open and "identity" in g:
            response.vary.add("Authorization")
            response.cache_control.private = True
        return response


def refused(problem: Unauthorized) -> Response:
    """The answer to who may not read: 401, or 429 where nobody listens."""
    if problem.throttled_s is not None:
        response = error(429, problem.code, str(problem))
        response.headers["Retry-After"] = str(problem.throttled_s)
    else:
        response = error(401, problem.code, str(problem))
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response
