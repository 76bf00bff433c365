"""The web side of one process, composed: Flask app, Socket.IO on the fan-out engine, listener, heartbeat."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, request
from prometheus_client import ProcessCollector
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from ticker.clock import Clock
from ticker.history import History
from ticker.listeners import WireState
from ticker.relay import Relay
from ticker.runtime import Task
from ticker.settings import Settings
from web.access import Access
from web.admission import Admission
from web.binding import Binding
from web.board import Board
from web.entrance import Entrance, MostRequests, serve_http
from web.fanout.closing import Closing
from web.fanout.engine import Engine
from web.fanout.library import TickerSocketIO
from web.guard import guard
from web.metrics.clients import ClientsCollector
from web.metrics.prices import FeedsCollector, SymbolsCollector
from web.metrics.process import AboutCollector
from web.metrics.scrape import metrics
from web.openapi import openapi
from web.origins import origin_check
from web.proxies import Proxies
from web.rest import error, rest
from web.runtime import EventletRuntime
from web.watchers import Watchers

log = logging.getLogger(__name__)

_SAMPLE_EVERY_S = 1.0  # how often prices are looked at for the history
_SPARE_REQUESTS = 512  # HTTP requests at a time beyond one a client (long polling holds one each)


class WebServer:
    """Serves what `relay` publishes. `blueprints`: what there is beside Socket.IO and REST (the page, the admin's). `access` says who
    may read.
    """

    def __init__(self, relay: Relay, settings: Settings, runtime: EventletRuntime, clock: Clock,
                 blueprints: Sequence[Blueprint] = (), access: Access | None = None) -> None:
        self._relay = relay
        self._runtime = runtime
        self._settings = settings
        server = settings.server
        self.engine = Engine(runtime, relay.epoch, settings.broadcast, settings.limits, server.ping_interval_s, server.ping_timeout_s)
        self.app = Flask("web", static_folder=None)
        self.app.url_map.merge_slashes = False  # a symbol may hold one
        self._clock = clock
        self._history = History()
        api = rest(relay, clock, self._history, lambda: len(self.engine.clients), lambda: self.engine.draining)
        for blueprint in (api, openapi(), *self._metrics(), *blueprints):
            self.app.register_blueprint(blueprint)
        self.access = access or Access()
        guard(self.app, self.access, excepted={"/metrics"} if server.metrics == "loopback" else ())  # that asks where one comes from
        self.app.register_error_handler(HTTPException, _http_error)
        self._origin_allowed = origin_check(server.allowed_origins)
        self.app.after_request(self._cross_origin)
        self.socketio = TickerSocketIO(self.app, self.engine, ping_interval=server.ping_interval_s, ping_timeout=server.ping_timeout_s)
        sockets = self.socketio.server
        sockets.eio.origin_allowed = self._origin_allowed
        binding = Binding(self.access, self.engine)
        sockets.eio.who, sockets.eio.recognised = self.access.of_request, binding.recognised
        sockets.identify = binding.identify
        admission = Admission(self.engine)
        sockets.eio.max_clients_reached = admission.refusal
        # Outermost, so that nothing sees a header of a proxy that is not to be believed.
        self._proxies = Proxies(self.app.wsgi_app, server.trusted_proxies)
        self.app.wsgi_app = self._proxies  # type: ignore[method-assign]  # as Flask documents
        self.board = Board(sockets, self.engine, relay, clock, admission)
        self._watchers = Watchers(self.engine.readers, runtime, relay.attention)
        self._tasks: list[Task] = []
        self._heart: Task | None = None
        self._listener: Any = None
        self._entrance: Entrance | None = None
        relay.on_quotes.append(self.engine.publish)
        relay.on_state.append(self._state_changed)

    def start(self) -> tuple[str, int]:
        """Listen and serve; returns the address. Raises `OSError` where it is taken."""
        server = self._settings.server
        self._listener = self._runtime.listen(server.host, server.port)
        self._sync_channels()
        self._entrance = Entrance(self._runtime, self._listener, self._most_requests, self._proxies.is_trusted)
        self._tasks = [self._runtime.spawn(self.engine.run), self._runtime.spawn(self._sample),
                       self._runtime.spawn(serve_http, self._runtime, self._entrance, self.app)]
        self._heart = self._runtime.spawn(self._beat)
        host, port = self._listener.getsockname()[:2]
        return host, port

    def _most_requests(self) -> MostRequests:
        limits = self.engine.limits
        return MostRequests(limits.max_clients + _SPARE_REQUESTS, limits.max_clients_per_address + _SPARE_REQUESTS)

    def configure(self, settings: Settings) -> None:
        """Take reloaded settings into force (`server.*` needs a restart)."""
        beats_otherwise = settings.broadcast.heartbeat_s != self._settings.broadcast.heartbeat_s
        self._settings = settings
        self.engine.configure(settings.broadcast, settings.limits)
        self._watchers.changed()
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
        return not self.engine.clients and not (self._entrance and self._entrance.answering)

    def stop(self) -> None:
        """Close every client that is left with a reason, and stop listening."""
        if self._listener is not None:
            self._listener.close()
        with self.engine.turn:
            for client in list(self.engine.clients):
                self.engine.close(client, Closing.SHUTDOWN)
        self.engine.stop()
        self._runtime.sleep(0)
        for task in (*self._tasks, self._heart):
            if task is not None:
                task.kill()

    def _metrics(self) -> list[Blueprint]:
        access = self._settings.server.metrics
        if access == "off":
            return []
        breathe = partial(self._runtime.sleep, 0)
        symbols = SymbolsCollector(self._relay, self._clock, lambda: self._settings.metrics.per_symbol, breathe)
        collectors = [AboutCollector(self._relay), ClientsCollector(self.engine, breathe), FeedsCollector(self._relay), symbols]
        return [metrics([*collectors, ProcessCollector(registry=None)], access)]

    def _beat(self) -> None:
        while True:
            self._runtime.sleep(self.engine.broadcast.heartbeat_s)
            self.board.beat()

    def _sample(self) -> None:
        while True:
            self._runtime.sleep(_SAMPLE_EVERY_S)
            self._history.sample(self._relay.quotes, self._clock.now_ms())

    def _state_changed(self, name: WireState) -> None:
        if name == "symbols":
            self._sync_channels()
        self.board.state_changed(name)

    def _sync_channels(self) -> None:
        """Have a channel for each symbol of the settings, and none for any other."""
        registry = self.engine.readers.registry
        with self.engine.turn:
            for symbol in [symbol for symbol in registry if symbol not in self._relay.symbols]:
                self.socketio.server.remove_symbol(symbol)
            for symbol in self._relay.symbols:
                if symbol not in registry:
                    self.engine.readers.add_channel(symbol)
                    if symbol in self._relay.quotes:
                        self.engine.publish([self._relay.quotes[symbol]])

    def _cross_origin(self, response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if response.mimetype in ("application/json", "text/plain"):  # nothing to show: a browser that shows it runs and frames nothing
            response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        response.vary.add("Origin")  # in any case: a cache must not hand one origin's answer to another
        origin = request.headers.get("Origin")
        if origin and self._origin_allowed(origin, request.environ):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "ETag"
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
