"""What is read over HTTP: prices, symbols, their last hour, and how the server is (docs/protocol.md)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from flask import Blueprint, Response, request
from msgspec import Meta

from ticker import __version__, wire
from ticker.board.history import History
from ticker.clock import Clock
from ticker.core import Core
from ticker.quote import Quote
from ticker.runtime import in_turns
from web.api.route import Other, SymbolInPath, answer, blueprint, error, get, reader
from web.auth import visible
from web.http.cache import READ

_WHICH = {"symbols": Annotated[str, Meta(description="Symbols, separated by commas; without it, all. A plus sign is a plus sign.")]}
_OF_ONE = {404: "The symbol is not in the settings, or has no price yet."}


class Rest:
    """The views; `clients` counts the connected ones, `stopping` tells whether the end has begun, `is_foreign` whether a request was
    set going by a page that has no business here.

    Who asks is in `reader()`: of what it may not see, nothing is said.
    """

    def __init__(
        self,
        core: Core,
        clock: Clock,
        history: History,
        clients: Callable[[], int],
        stopping: Callable[[], bool],
        is_foreign: Callable[[Mapping[str, Any]], bool],
    ) -> None:
        self._core = core
        self._clock = clock
        self._history = history
        self._clients = clients
        self._stopping = stopping
        self._is_foreign = is_foreign
        self._started_s = clock.monotonic()

    @get("/api/symbols", "Every symbol of the settings, and how it stands", kept_s=inf, shows="prices")
    def symbols(self) -> wire.Symbols:
        return wire.Symbols(symbols=self._core.symbols_state(self._known()))

    @get("/api/quotes", "The newest quotes", query=_WHICH, kept_s=inf, shows="prices")
    def quotes(self) -> wire.Quotes:
        wanted = _wanted()
        known, board = self._known(), self._core.quotes
        asked = known if wanted is None else wanted
        self._interested(None if wanted is None and reader().sees_all else [symbol for symbol in asked if symbol in known])
        return wire.Quotes(
            epoch=self._core.epoch,
            quotes=[board[symbol] for symbol in asked if symbol in board and symbol in known],
            unknown=[symbol for symbol in asked if symbol not in known],
        )

    @get("/api/quotes/<path:symbol>", "The newest quote of a symbol", errors=_OF_ONE, kept_s=inf, shows="prices")
    def quote(self, symbol: SymbolInPath) -> Quote | Response:
        if not reader().may_see(symbol):
            return _forbidden(symbol)
        if symbol not in self._core.symbols:
            return _unknown(symbol)
        self._interested([symbol])
        return self._core.quotes.get(symbol) or error(404, "no_price_yet", f"no source has priced {symbol!r} yet")

    @get("/api/sparkline", "Prices of the last 60 minutes, by symbol", query=_WHICH, kept_s=1.0)
    def sparkline(self) -> wire.Sparklines:
        now_ms = self._clock.now_ms()
        wanted = _wanted()
        known = self._known()
        symbols = list(known) if wanted is None else [symbol for symbol in wanted if symbol in known]
        return wire.Sparklines(
            epoch=self._core.epoch,
            step_s=60,
            sparklines={symbol: self._history.sparkline(symbol, now_ms) for symbol in in_turns(symbols)},
            unknown=[symbol for symbol in wanted or [] if symbol not in known],
        )

    @get("/api/candles/<path:symbol>", "One-minute candles of the last 60 minutes", errors=_OF_ONE, kept_s=1.0)
    def candles(self, symbol: SymbolInPath) -> wire.Candles | Response:
        if not reader().may_see(symbol):
            return _forbidden(symbol)
        if symbol not in self._core.symbols:
            return _unknown(symbol)
        bars = self._history.bars(symbol, self._clock.now_ms())
        return wire.Candles(symbol=symbol, interval_s=60, candles=[wire.Candle(*bar) for bar in bars])

    @get("/api/status", "How the server is", is_tagged=False, kept_s=1.0, shows="state")
    def status(self) -> wire.Status:
        core, seen = self._core, visible.visible_symbols(reader(), self._core.symbols)
        return wire.Status(
            version=__version__,
            epoch=core.epoch,
            uptime_s=round(self._clock.monotonic() - self._started_s, 1),
            clients=self._clients(),
            feeds=visible.feeds(core.feeds_status(), seen),
            last_reload=visible.config(core.config_state(), seen),
            **(msgspec.structs.asdict(core.quality_state()) if seen is None else {}),
        )

    @get("/healthz", "200 while the process serves", who="anybody", is_tagged=False, kept_s=inf)
    def healthz(self) -> wire.Health:
        return wire.Health(ok=True)

    @get("/readyz", "Whether there is anything to offer", who="anybody", is_tagged=False,
         others={503: Other("No quotes yet, or every feed is down.", wire.Ready)})  # fmt: skip
    def readyz(self) -> wire.Ready | Response:
        reason = "shutting down" if self._stopping() else unready(self._core)
        return wire.Ready(ready=True, reason=None) if reason is None else answer(wire.Ready(ready=False, reason=reason), 503)

    def _interested(self, symbols: Collection[str] | None) -> None:
        request.environ[READ] = symbols
        if not self._is_foreign(request.environ):
            self._core.watching.read(symbols)

    def _known(self) -> Collection[str]:
        """The symbols that there are for whoever asks."""
        symbols = self._core.symbols
        seen = visible.visible_symbols(reader(), symbols)
        return symbols if seen is None else {symbol: None for symbol in symbols if symbol in seen}


def rest(
    core: Core,
    clock: Clock,
    history: History,
    clients: Callable[[], int],
    stopping: Callable[[], bool],
    is_foreign: Callable[[Mapping[str, Any]], bool],
) -> Blueprint:
    """The blueprint; the arguments are those of `Rest`."""
    return blueprint("rest", Rest(core, clock, history, clients, stopping, is_foreign))


def unready(core: Core) -> str | None:
    """Why the core has nothing to offer, `None` if it has."""
    if core.symbols and not core.quotes:
        return "no quotes yet"
    used = {name for symbol in core.symbols.values() for name in symbol.feed}
    if used and all(feed.state == "down" for feed in core.feeds_state() if feed.feed in used):
        return "every feed is down"
    return None


def _forbidden(symbol: str) -> Response:
    return error(403, "unauthorized", f"this token may not see {symbol[:40]!r}, if there is such a symbol")


def _unknown(symbol: str) -> Response:
    return error(404, "unknown_symbol", f"{symbol[:40]!r} is not in the settings")


def _wanted() -> list[str] | None:
    """The symbols asked for, `?symbols=A,B`, each once; `None`: all. A plus sign is one: symbols have it, and never a space."""
    fields = [field.partition("=") for field in request.query_string.decode("latin-1").split("&")]
    listed = [unquote(value) for name, _, value in fields if name == "symbols"]
    if not listed:
        return None
    return list(dict.fromkeys(symbol for part in listed for symbol in part.split(",") if symbol))
