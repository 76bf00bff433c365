"""Adding and removing symbols over HTTP, for the bearer of the admin token: the same edit of the settings file as `symbols add`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, Response, request
from pydantic import SecretStr

from ticker import wire
from ticker.errors import SettingsError
from ticker.nested import undisturbed
from web.api.routes import answer, error
from web.auth.credentials import IN_AN_ADDRESS, in_header, in_url
from web.auth.identity import Unauthorized
from web.auth.throttle import Throttle
from web.auth.tokens import is_same
from web.http.guard import ADMIN, refused

log = logging.getLogger(__name__)

_MOST_BYTES = 4096


def admin(token: Callable[[], SecretStr | None], add: Callable[[str, str | None], object], remove: Callable[[str], object]) -> Blueprint:
    """The blueprint. `add(symbol, feed)` and `remove(symbol)` edit the settings; they raise `SettingsError`, and `OSError`
    where the file can't be written. `token()` is the one in force; without one every request is refused with 403, saying which
    variable sets one."""
    blueprint = Blueprint(ADMIN, __name__)
    throttle = Throttle()

    @blueprint.before_request
    def may_pass() -> Response | None:
        wanted = token()
        if wanted is None:
            return error(403, "no_admin_token", "set TICKERCAST_SERVER__ADMIN_TOKEN to allow changes over HTTP")
        address, now_s = request.remote_addr or "", time.monotonic()
        closed_s = throttle.closed_s(address, now_s)
        if closed_s is not None:
            return refused(Unauthorized("too many wrong tokens from this address: try again later", closed_s))
        if in_url(request.environ):
            return refused(Unauthorized(IN_AN_ADDRESS))
        given = in_header(request.environ)
        if given is None:
            return refused(Unauthorized("the admin token is missing"))
        if not is_same(given, wanted.get_secret_value()):
            throttle.fail(address, now_s)
            return refused(Unauthorized("the admin token is wrong"))
        return None

    @blueprint.post("/api/symbols")
    def post() -> Response:
        wish = _wish()
        if isinstance(wish, Response):
            return wish
        symbol, feed = wish
        return _edited(lambda: add(symbol, feed), 201, wire.Edited(ok=True, symbol=symbol))

    @blueprint.delete("/api/symbols/<path:symbol>")
    def delete(symbol: str) -> Response:
        return _edited(lambda: remove(symbol), 200, wire.Edited(ok=True, symbol=symbol))

    return blueprint


def _wish() -> tuple[str, str | None] | Response:
    """The symbol and feed that a body asks for, or why it can't be read."""
    body: Any = None
    if (request.content_length or 0) <= _MOST_BYTES:
        try:
            body = undisturbed(msgspec.json.decode, request.stream.read(_MOST_BYTES))
        except (msgspec.DecodeError, RecursionError):
            body = None
    if (
        not isinstance(body, dict)
        or not body.keys() <= {"symbol", "feed"}
        or not isinstance(body.get("symbol"), str)
        or not isinstance(body.get("feed", ""), str | None)
    ):
        return error(400, "bad_request", 'send {"symbol": "…"} or {"symbol": "…", "feed": "…"} as JSON')
    return body["symbol"], body.get("feed") or None


def _edited(edit: Callable[[], object], status: int, done: wire.Edited) -> Response:
    try:
        edit()
    except SettingsError as problem:
        return error(422, "refused", "; ".join(str(one) for one in problem.problems[:5]))
    except OSError as problem:
        log.error("the settings file could not be written: %s", problem.strerror)
        return error(500, "not_written", "the settings file could not be written; the log says why")
    return answer(done, status)
