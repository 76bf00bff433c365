"""What is changed over HTTP: adding and removing symbols, for the bearer of the admin token; the same edit of the settings file as
`symbols add`.
"""

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
from web.api.route import SymbolInPath, SymbolName, blueprint, change, error
from web.auth.credentials import IN_AN_ADDRESS, in_header, in_url
from web.auth.identity import Unauthorized
from web.auth.throttle import Throttle
from web.auth.tokens import is_same
from web.http.guard import ADMIN, refused

log = logging.getLogger(__name__)

_MOST_BYTES = 4096


_ERRORS = {
    400: "The body makes no sense.",
    404: "What stands in the path can be no symbol.",
    413: "The body is too long.",
    422: "The settings refuse it.",
    500: "The settings file could not be written.",
}

Add = Callable[[str, str | None], object]
Remove = Callable[[str], object]


class NewSymbol(msgspec.Struct):
    """A symbol to add, and the feed to have it from: the only one, where none is named."""

    symbol: SymbolName
    feed: str | None = None


class Admin:
    """The views. `add(symbol, feed)` and `remove(symbol)` edit the settings; they raise `SettingsError`, and `OSError` where the file can't
    be written. `token()` is the one in force; without one every request is refused with 403, saying which variable sets one.
    """

    def __init__(self, token: Callable[[], SecretStr | None], add: Add, remove: Remove) -> None:
        self._token = token
        self._add = add
        self._remove = remove
        self._throttle = Throttle()

    @change("POST", "/api/symbols", "Add a symbol to the settings", status=201, errors=_ERRORS, body=NewSymbol)
    def post(self) -> wire.Edited | Response:
        wish = _wish()
        if isinstance(wish, Response):
            return wish
        symbol, feed = wish
        return _edited(lambda: self._add(symbol, feed), symbol)

    @change("DELETE", "/api/symbols/<path:symbol>", "Remove a symbol from the settings", status=200, errors=_ERRORS)
    def delete(self, symbol: SymbolInPath) -> wire.Edited | Response:
        return _edited(lambda: self._remove(symbol), symbol)

    def may_pass(self) -> Response | None:
        """The answer to who may not; `None`: the request is carried out."""
        wanted = self._token()
        if wanted is None:
            return error(403, "no_admin_token", "set TICKERCAST_SERVER__ADMIN_TOKEN to allow changes over HTTP")
        address, now_s = request.remote_addr or "", time.monotonic()
        closed_s = self._throttle.closed_s(address, now_s)
        if closed_s is not None:
            return refused(Unauthorized("too many wrong tokens from this address: try again later", closed_s))
        if in_url(request.environ):
            return refused(Unauthorized(IN_AN_ADDRESS))
        given = in_header(request.environ)
        if given is None:
            return refused(Unauthorized("the admin token is missing"))
        if not is_same(given, wanted.get_secret_value()):
            self._throttle.fail(address, now_s)
            return refused(Unauthorized("the admin token is wrong"))
        return None


def admin(token: Callable[[], SecretStr | None], add: Add, remove: Remove) -> Blueprint:
    """The blueprint; the arguments are those of `Admin`."""
    views = Admin(token, add, remove)
    made = blueprint(ADMIN, views)
    made.before_request(views.may_pass)
    return made


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


def _edited(edit: Callable[[], object], symbol: str) -> wire.Edited | Response:
    try:
        edit()
    except SettingsError as problem:
        return error(422, "refused", "; ".join(str(one) for one in problem.problems[:5]))
    except OSError as problem:
        log.error("the settings file could not be written: %s", problem.strerror)
        return error(500, "not_written", "the settings file could not be written; the log says why")
    return wire.Edited(ok=True, symbol=symbol)
