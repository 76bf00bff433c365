"""The web side of one process, composed: Flask app, Socket.IO on the fan-out engine, listener, heartbeat."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, request
from prometheus_client import ProcessCollector
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from ticker.board.history import History
from ticker.clock import Clock
from ticker.core import Core, WireState
from ticker.quote import Quote
from ticker.runtime import Task
from ticker.settings import Settings
from web.api.admin import Admin
from web.api.openapi import Document, Published, document, openapi
from web.api.rest import Rest, rest
from web.api.route import error, lasts_s, routes_of, shown
from web.auth.authenticator import Authenticator
from web.auth.visible import visible_symbols
from web.fanout.close_reasons import CloseReason
from web.fanout.engine import Engine
from web.http.answer import NOTHING
from web.http.cache import AnswerCache
from web.http.entrance import Entrance
from web.http.guard import Guard, install
from web.http.hosts import Hosts
from web.http.listener import Listener, MostConnections
from web.http.origins import is_foreign, origin_check, shared_with
from web.http.proxies import Proxies
from web.http.server import HttpServer
from web.http.wsgi import called, whole
from web.metrics.clients import ClientsCollector
from web.metrics.prices import FeedsCollector, SymbolsCollector
from web.metrics.process import AboutCollector
from web.metrics.scrape import Scrape, metrics
from web.runtime import UNIX, EventletRuntime
from web.socketio.admission import Admission
from web.socketio.board import BoardNamespace
from web.socketio.identify import Identification
from web.socketio.server import TickerSocketIO
from web.socketio.watched import WatchedSymbols

log = logging.getLogger(__name__)

_SAMPLE_EVERY_S = 1.0  # how often prices are looked at for the history
_SPARE_REQUESTS = 512  # HTTP requests at a time beyond one a client (long polling holds one each)

ROUTES = routes_of(Rest, Admin, Scrape, Published)
"""All that is answered over HTTP, but for the page's files and Socket.IO."""
_SHOWN = shown(ROUTES)


def openapi_document() -> Document:
    """The OpenAPI document of all routes."""
    return document(ROUTES)


class WebServer:
    """Serves what `core` publishes. `blueprints`: what there is beside Socket.IO and REST (the page, the admin's). `authenticator` says
    who may read.
    """

    def __init__(
        self,
        core: Core,
        settings: Settings,
        runtime: EventletRuntime,
        clock: Clock,
        blueprints: Sequence[Blueprint] = (),
        authenticator: Authenticator | None = None,
    ) -> None:
        self._core = core
        self._runtime = runtime
        self._settings = settings
        server = settings.server
        self._watched = WatchedSymbols(self._read_symbols, runtime, core.watching)
        pings_s = server.ping_interval_s, server.ping_timeout_s
        self.engine = Engine(runtime, core.epoch, settings.broadcast, settings.limits, *pings_s, lists_changed=self._watched.changed)
        self.app = Flask("web", static_folder=None)
        self.app.url_map.merge_slashes = False  # a symbol may hold one
        self._clock = clock
        self._history = History()
        self._origin_allowed = origin_check(server.allowed_origins)
        foreign = partial(is_foreign, is_allowed=self._origin_allowed)
        api = rest(core, clock, self._history, lambda: len(self.engine.clients), lambda: self.engine.draining, foreign)
        for blueprint in (api, openapi(openapi_document), *self._metrics(), *blueprints):
            self.app.register_blueprint(blueprint)
        authenticator = authenticator or Authenticator()
        guard = Guard(authenticator, server.metrics)
        install(guard, self.app)
        self.app.register_error_handler(HTTPException, _http_error)
        self.app.after_request(self._cross_origin)
        self.app.wsgi_app = whole(self.app.wsgi_app)  # type: ignore[method-assign]  # as Flask documents
        # Outermost, so that nothing sees a header of a proxy that is not to be believed.
        self._proxies = Proxies(server.trusted_proxies)
        admission = Admission(self.engine, authenticator, self._proxies.is_trusted)
        self.board = BoardNamespace(self.engine, core, clock, admission)
        self.socketio = TickerSocketIO(
            self.app,
            self.engine,
            admission,
            Identification(authenticator, self.engine),
            self._origin_allowed,
            self.board,
            ping_interval=server.ping_interval_s,
            ping_timeout=server.ping_timeout_s,
        )
        inner = self.app.wsgi_app
        cache = AnswerCache(
            partial(called, inner), lasts_s(ROUTES), lambda: self.engine.broadcast.flush_ms / 1000, self._version, core.watching.read
        )
        self._entrance = Entrance(
            inner,
            self._proxies,
            Hosts(server),
            guard,
            cache,
            self._origin_allowed,
            lambda: self.engine.limits.http_requests_per_s,
            lambda identity: visible_symbols(identity, core.symbols),
            self.engine.refusals,
            lambda: self.engine.draining,
        )
        self.app.wsgi_app = self._entrance  # type: ignore[method-assign]  # as Flask documents
        self._tasks: list[Task] = []
        self._heart: Task | None = None
        self._socket: Any = None
        self._http: HttpServer | None = None
        self._updates = self._states = 0  # so many of quotes, and of what is said about symbols and feeds
        core.on_quotes.append(self._published)
        core.on_state.append(self._state_changed)

    def start(self) -> tuple[str, int]:
        """Listen and serve; returns host and port (`unix:PATH` and 0). Raises `OSError` where it is taken."""
        server = self._settings.server
        self._socket = self._runtime.listen(server.host, server.port)
        host, port = (server.host, 0) if server.host.startswith(UNIX) else self._socket.getsockname()[:2]
        self._sync_channels()
        self._http = HttpServer(
            self._entrance.respond, (host, port), server.keep_alive_s, lambda: self.engine.draining, self.engine.refusals
        )
        listener = Listener(self._runtime, self._socket, self._http, self._most_connections, self._proxies.is_trusted, self.engine.refusals)
        self._tasks = [self._runtime.spawn(work) for work in (self.engine.run, self._sample, listener.run)]
        self._heart = self._runtime.spawn(self._beat)
        return host, port

    def _most_connections(self) -> MostConnections:
        limits = self.engine.limits
        return MostConnections(limits.max_clients + limits.max_waiting + _SPARE_REQUESTS, limits.max_clients_per_address + _SPARE_REQUESTS)

    def configure(self, settings: Settings) -> None:
        """Take reloaded settings into force (`server.*` needs a restart)."""
        beats_otherwise = settings.broadcast.heartbeat_s != self._settings.broadcast.heartbeat_s
        self._settings = settings
        self.engine.configure(settings.broadcast, settings.limits)
        self._watched.changed()
        if beats_otherwise and self._heart is not None:
            self._heart.kill()  # the next beat of old may be minutes away
            self._heart = self._runtime.spawn(self._beat)

    def drain(self) -> None:
        """Begin the end: nobody else comes in, everybody is told, sent what was published so far, and closed; until it is `drained`."""
        self.board.say_goodbye()
        self.engine.drain()

    @property
    def drained(self) -> bool:
        """Whether everything is written."""
        return not self.engine.clients and not (self._http and self._http.answering)

    def stop(self) -> None:
        """Close every client that is left with a reason, and stop listening."""
        with self.engine.turn:
            for client in list(self.engine.clients):
                self.engine.close(client, CloseReason.SHUTDOWN)
        self.engine.stop()
        self._runtime.sleep(0)
        for task in (*self._tasks, self._heart):
            if task is not None:
                task.kill()
        if self._socket is not None:
            self._runtime.stop_listening(self._socket)

    def _metrics(self) -> list[Blueprint]:
        if self._settings.server.metrics == "off":
            return []
        breathe = partial(self._runtime.sleep, 0)
        symbols = SymbolsCollector(self._core, self._clock, lambda: self._settings.metrics.per_symbol, breathe)
        collectors = [AboutCollector(self._core), ClientsCollector(self.engine, breathe), FeedsCollector(self._core), symbols]
        return [metrics([*collectors, ProcessCollector(registry=None)])]

    def _beat(self) -> None:
        while True:
            self._runtime.sleep(self.engine.broadcast.heartbeat_s)
            self.board.beat()

    def _sample(self) -> None:
        while True:
            self._runtime.sleep(_SAMPLE_EVERY_S)
            self._history.sample(self._core.quotes, self._core.volume_of, self._clock.now_ms())

    def _version(self, route: str) -> int:
        """Changes with what the answers of `route` show, apart from what time does to them."""
        what = _SHOWN[route]
        return self._updates + self._states if what == "prices" else self._states if what == "state" else 0

    def _published(self, quotes: Collection[Quote]) -> None:
        self._updates += 1
        self.engine.publish(quotes)

    def _state_changed(self, name: WireState) -> None:
        self._states += 1
        if name == "symbols":
            self._sync_channels()
        self.board.state_changed(name)

    def _sync_channels(self) -> None:
        """Have a channel for each symbol of the settings, and none for any other."""
        registry = self.engine.subscriptions.registry
        with self.engine.turn:
            for symbol in [symbol for symbol in registry if symbol not in self._core.symbols]:
                self.socketio.server.remove_symbol(symbol)
            for symbol in self._core.symbols:
                if symbol not in registry:
                    self.engine.subscriptions.add_channel(symbol)
                    if symbol in self._core.quotes:
                        self.engine.publish([self._core.quotes[symbol]])

    def _read_symbols(self) -> set[str] | None:
        return self.engine.subscriptions.read()

    def _cross_origin(self, response: Response) -> Response:
        headers = response.headers
        if "X-Content-Type-Options" not in headers:
            headers["X-Content-Type-Options"] = "nosniff"
        if response.mimetype in ("application/json", "text/plain") and "Content-Security-Policy" not in headers:
            headers["Content-Security-Policy"] = NOTHING
        if "Vary" in headers:
            response.vary.add("Origin")  # in any case: a cache must not hand one origin's answer to another
        else:
            headers["Vary"] = "Origin"
        shared = shared_with(request.environ, self._origin_allowed)
        if shared:
            headers.update(shared)
            if request.method == "OPTIONS":  # Flask's own answer, which has Allow
                response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET")
                response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-None-Match"
        return response


def _http_error(problem: HTTPException) -> Response:
    status = problem.code or 500
    code = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 500: "internal_error"}.get(status, "http_error")
    response = error(status, code, problem.name)
    if isinstance(problem, MethodNotAllowed):
        response.allow.update(problem.valid_methods or ())  # RFC 9110 section 15.5.6
    return response
