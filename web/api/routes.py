"""The HTTP half of the relay: `/api/…`, `/healthz`, `/readyz` (docs/protocol.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from flask import Blueprint, Response, g, request

from ticker import __version__, wire
from ticker.board.history import History
from ticker.clock import Clock
from ticker.core import Core
from ticker.runtime import in_turns
from web.auth import visible
from web.auth.identity import ANYBODY, Identity
from web.http.cache import READ


def answer(payload: object, status: int = 200) -> Response:
    """`payload` as JSON. Numbers are finite: anything else would be null."""
    return Response(msgspec.json.encode(payload), status, mimetype="application/json", headers={"Cache-Control": "no-store"})


def error(status: int, code: str, message: str) -> Response:
    """The shape of every error."""
    return answer(wire.Error(error=wire.Problem(code=code, message=message)), status)


def tagged(payload: object) -> Response:
    """`payload` as JSON with an `ETag`; 304 and no body for a client that has it already."""
    body = msgspec.json.encode(payload)
    tag = hashlib.blake2b(body, digest_size=12).hexdigest()
    response = Response(body, mimetype="application/json", headers={"Cache-Control": "no-cache"})
    response.set_etag(tag)
    response.make_conditional(request.environ)
    return response


def reader() -> Identity:
    """Who sends the request that is being answered (`web.http.guard` found it out)."""
    identity: Identity = g.get("identity", ANYBODY)
    return identity


def rest(
    core: Core,
    clock: Clock,
    history: History,
    clients: Callable[[], int],
    stopping: Callable[[], bool],
    is_foreign: Callable[[Mapping[str, Any]], bool],
) -> Blueprint:
    """The blueprint; `clients` counts the connected ones, `stopping` tells whether the end has begun, `is_foreign` whether a request was
    set going by a page that has no business here.

    Who asks is in `reader()`: of what it may not see, nothing is said.
    """
    blueprint = Blueprint("rest", __name__)
    started_s = clock.monotonic()

    @blueprint.get("/api/symbols")
    def symbols() -> Response:
        return tagged(wire.Symbols(symbols=core.symbols_state(_known())))

    @blueprint.get("/api/quotes")
    def quotes() -> Response:
        wanted = _wanted()
        known, board = _known(), core.quotes
        asked = known if wanted is None else wanted
        _interested(None if wanted is None and reader().sees_all else [symbol for symbol in asked if symbol in known])
        return tagged(
            wire.Quotes(
                epoch=core.epoch,
                quotes=[board[symbol] for symbol in asked if symbol in board and symbol in known],
                unknown=[symbol for symbol in asked if symbol not in known],
            )
        )

    @blueprint.get("/api/quotes/<path:symbol>")
    def quote(symbol: str) -> Response:
        if not reader().may_see(symbol):
            return _forbidden(symbol)
        if symbol not in core.symbols:
            return error(404, "unknown_symbol", f"{symbol[:40]!r} is not in the settings")
        _interested([symbol])
        found = core.quotes.get(symbol)
        if found is None:
            return error(404, "no_price_yet", f"no source has priced {symbol!r} yet")
        return tagged(found)

    @blueprint.get("/api/sparkline")
    def sparkline() -> Response:
        now_ms = clock.now_ms()
        wanted = _wanted()
        known = _known()
        symbols = list(known) if wanted is None else [symbol for symbol in wanted if symbol in known]
        sparklines = {symbol: history.sparkline(symbol, now_ms) for symbol in in_turns(symbols)}
        unknown = [symbol for symbol in wanted or [] if symbol not in known]
        return tagged(wire.Sparklines(epoch=core.epoch, step_s=60, sparklines=sparklines, unknown=unknown))

    @blueprint.get("/api/candles/<path:symbol>")
    def candles(symbol: str) -> Response:
        if not reader().may_see(symbol):
            return _forbidden(symbol)
        if symbol not in core.symbols:
            return error(404, "unknown_symbol", f"{symbol[:40]!r} is not in the settings")
        bars = history.bars(symbol, clock.now_ms())
        return tagged(wire.Candles(symbol=symbol, interval_s=60, candles=[wire.Candle(*bar) for bar in bars]))

    @blueprint.get("/api/status")
    def status() -> Response:
        seen = visible.visible_symbols(reader(), core.symbols)
        return answer(
            wire.Status(
                version=__version__,
                epoch=core.epoch,
                uptime_s=round(clock.monotonic() - started_s, 1),
                clients=clients(),
                feeds=visible.feeds(core.feeds_status(), seen),
                last_reload=visible.config(core.config_state(), seen),
                **(msgspec.structs.asdict(core.quality_state()) if seen is None else {}),
            )
        )

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return answer(wire.Health(ok=True))

    @blueprint.get("/readyz")
    def readyz() -> Response:
        reason = "shutting down" if stopping() else unready(core)
        return answer(wire.Ready(ready=reason is None, reason=reason), 200 if reason is None else 503)

    def _interested(symbols: Collection[str] | None) -> None:
        request.environ[READ] = symbols
        if not is_foreign(request.environ):
            core.watching.read(symbols)

    def _known() -> Collection[str]:
        """The symbols that there are for whoever asks."""
        seen = visible.visible_symbols(reader(), core.symbols)
        return core.symbols if seen is None else {symbol: None for symbol in core.symbols if symbol in seen}

    return blueprint


def _forbidden(symbol: str) -> Response:
    return error(403, "unauthorized", f"this token may not see {symbol[:40]!r}, if there is such a symbol")


def unready(core: Core) -> str | None:
    """Why the relay has nothing to offer, `None` if it has."""
    if core.symbols and not core.quotes:
        return "no quotes yet"
    used = {name for symbol in core.symbols.values() for name in symbol.feed}
    if used and all(feed.state == "down" for feed in core.feeds_state() if feed.feed in used):
        return "every feed is down"
    return None


def _wanted() -> list[str] | None:
    """The symbols asked for, `?symbols=A,B`, each once; `None`: all. A plus sign is one: symbols have it, and never a space."""
    fields = [field.partition("=") for field in request.query_string.decode("latin-1").split("&")]
    listed = [unquote(value) for name, _, value in fields if name == "symbols"]
    if not listed:
        return None
    return list(dict.fromkeys(symbol for part in listed for symbol in part.split(",") if symbol))
