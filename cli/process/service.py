"""A running server, composed: the core, the web side, and what else the process does from its start to its end."""

from __future__ import annotations

import gc
import logging
import os
import secrets
import signal
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from cli.process import open_files
from cli.process.access import verifier_of
from cli.process.failure import EXIT_FAILED, fail
from cli.process.notify import Notifier
from cli.process.settings_file import SettingsFile
from cli.process.stderr import leave
from cli.process.stdout import NdjsonWriter
from cli.process.terminal import Terminal
from feeds.registry import kinds
from ticker.clock import SystemClock
from ticker.core import Core
from ticker.errors import Problem
from ticker.settings import FeedSettings, Settings
from ticker.settings.reload import ReloadOutcome
from ticker.source import Source
from web.api.admin import admin
from web.api.first_rows import first_rows
from web.api.page import page
from web.app import WebServer
from web.auth.authenticator import Authenticator
from web.http.hosts import is_loopback
from web.runtime import UNIX, EventletRuntime, Signals

log = logging.getLogger("tickercast")

PAGE = Path(__file__).parents[2] / "web" / "frontend" / "dist"
_LOOK_EVERY_S = 0.25  # at whether the terminal, and the reader of stdout, are there
_LOOK_AT_DRAIN_S = 0.01


def tell_warnings(warnings: Sequence[Problem]) -> None:
    """Log what is odd about settings that can be used all the same."""
    for warning in warnings:
        log.warning("settings: %s", warning)


class Service:
    """The core with its web side; `file` is where `settings` come from, and change."""

    def __init__(
        self, runtime: EventletRuntime, settings: Settings, file: SettingsFile, authenticator: Authenticator, headless: bool, ndjson: bool
    ) -> None:
        self.runtime = runtime
        self.clock = SystemClock()
        self._file = file
        self.core = Core(self.runtime, self.clock, self._make_source, epoch=secrets.token_hex(6))
        self.authenticator = authenticator
        self._notifier = Notifier(os.environ)
        blueprints = [admin(lambda: self._settings.server.admin_token, file.add, file.remove)]
        if not headless:
            rows = first_rows(self.core, self.clock, lambda: authenticator.is_open)
            blueprints.append(page(PAGE, settings.server.frame_ancestors, rows, runtime.aside("reading the page's files").run))
        self.server = WebServer(self.core, settings, self.runtime, self.clock, blueprints, authenticator)
        self._settings = settings
        self._is_over = threading.Event()
        self._exit_code = 0
        self._ndjson = NdjsonWriter(self.runtime, self._stdout_over) if ndjson else None
        self._ends_with_stdout = headless
        if self._ndjson is not None:
            self.core.on_quotes.append(self._ndjson.publish)
            self.core.watching.watch_everything()

    def run(self) -> NoReturn:
        """Serve until a signal, or until a headless `--ndjson` can write no more; then end the process."""
        terminal = Terminal()
        signals = Signals(self.runtime, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        open_files.provide(self._settings)
        self.core.configure(self._settings)
        try:
            host, port = self.server.start()
        except OSError as error:
            server = self._settings.server
            if server.host.startswith(UNIX):
                fail(f"cannot listen on {server.host}: {error.strerror or error}")
            fail(f"cannot listen on {server.host} port {server.port}: {error.strerror or error}; choose another with --port")
        self.core.start()
        gc.freeze()  # what is there now stays: to look through it for garbage would hold everybody up for a tenth of a second
        self._say_where(host, port)
        self._file.start(self._take, self._notifier.ready)
        if self._notifier.watchdog_s is not None:
            self.runtime.spawn(self._keep_telling, self._notifier.watchdog_s / 2)
        self._notifier.ready()
        while not self._is_over.is_set():
            came = signals.wait(_LOOK_EVERY_S)
            terminal.look(self.clock.monotonic())
            if signal.SIGTERM in came or signal.SIGINT in came:
                break
            if signal.SIGHUP in came and terminal.was_closed(self.clock.monotonic()):
                break
            if signal.SIGHUP in came:
                self._notifier.reloading()
                self._file.reload()
            if self._ndjson is not None:
                self._ndjson.look()
        self._end()
        leave(self._exit_code)

    def _say_where(self, host: str, port: int) -> None:
        is_unix = host.startswith(UNIX)
        log.info("listening on %s", host if is_unix else f"http://{f'[{host}]' if ':' in host else host}:{port}")
        if self.authenticator.is_open and not is_unix and not is_loopback(host):
            log.warning(
                'whoever reaches %s port %d may read everything: server.auth is "none"; with "token" or "jwt" they need one', host, port
            )
        if (is_unix or self._settings.server.trusted_proxies) and not self._settings.server.allowed_hosts:
            log.warning(
                'any name in Host is answered, for a proxy stands before us; server.allowed_hosts = ["its.public.name"] lets no other in'
            )

    def _end(self) -> None:
        """Poll no more, send everybody the last of it, and wait until that is written, at most `drain_s`. Wait for `drain_min_s` in any
        case: who comes meanwhile is told to come again.
        """
        log.info("stopping")
        self._notifier.stopping()
        self.core.stop()
        self.server.drain()
        server, begun_s = self._settings.server, self.clock.monotonic()
        while (passed_s := self.clock.monotonic() - begun_s) < max(server.drain_s, server.drain_min_s):
            if passed_s >= server.drain_min_s and self.server.drained and (self._ndjson is None or self._ndjson.is_idle):
                break
            self.runtime.sleep(_LOOK_AT_DRAIN_S)
        self.server.stop()
        self._file.end()

    def _keep_telling(self, every_s: float) -> None:
        """Tell the service manager that all is well, each time only if the loop that sends quotes has turned since the last."""
        while True:
            self._notifier.alive(self.server.engine.rounds)
            self.server.engine.wake()
            self.runtime.sleep(every_s)

    def _stdout_over(self, error: OSError | None) -> None:
        if error is None:
            log.info("the reader of stdout has left")
        else:
            log.error("stdout can't be written, no more quotes go there: %s", error.strerror or error)
        if self._ends_with_stdout:
            self._exit_code = 0 if error is None else EXIT_FAILED
            self._is_over.set()

    def _take(self, outcome: ReloadOutcome) -> None:
        """Apply settings that were read, or tell why not."""
        reload = outcome.reload
        if reload.ok:
            tell_warnings(self._file.warnings)
            try:
                self.core.configure(outcome.settings)
                self.server.configure(outcome.settings)
                if outcome.settings.limits != self._settings.limits:
                    open_files.extend(outcome.settings)
                self._settings = outcome.settings
                self.authenticator.verifier = verifier_of(outcome.settings.server)
                log.info("settings applied: %s", outcome.changes or "nothing changed")
            except Exception as error:  # a bug; whoever is connected must not pay for it
                log.exception("settings could not be applied")
                reload = replace(reload, ok=False, error=f"internal error: {type(error).__name__}")
        else:
            log.error("settings not applied, the old ones go on: %s", (reload.error or "").replace("\n", " | "))
        self.core.report_reload(reload)

    def _make_source(self, name: str, settings: FeedSettings) -> Source:
        return kinds()[settings.kind](name, settings, self.runtime)
