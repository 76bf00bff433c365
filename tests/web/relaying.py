"""A whole web server in this process: real core, real engine, real sockets; only the prices are the test's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from random import Random
from typing import Any

from tests.ticker.stepped import ScriptedSource
from ticker.clock import SystemClock
from ticker.core import Core
from ticker.errors import FeedError
from ticker.quote import Quote, Tick
from ticker.settings.model import BroadcastSettings, FeedSettings, LimitSettings, MetricsSettings, Settings, SymbolSettings
from ticker.settings.server import ServerSettings
from ticker.source import Answer, Subscription
from web.app import WebServer
from web.auth.authenticator import Authenticator
from web.auth.tokens import Verifier
from web.runtime import EventletRuntime

PATIENCE_S = 20.0


class NoJitter(Random):
    """Every back-off is as short as it may be: one interval."""

    def random(self) -> float:
        """The luckiest draw."""
        return 0.0


class Relaying:
    """One feed, `feed`, that is asked ten times a second and answers with `prices`: a number, or what is wrong with the symbol.

    A symbol that is not in `prices` has no news.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        prices: Mapping[str, float | FeedError],
        *,
        limits: Mapping[str, Any] | None = None,
        broadcast: Mapping[str, Any] | None = None,
        allowed_origins: Sequence[str] = (),
        trusted_proxies: Sequence[str] = (),
        server: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
        verifier: Verifier | None = None,
    ) -> None:
        self.prices: dict[str, float | FeedError] = dict(prices)
        self.down: FeedError | None = None
        self.updates: SimpleQueue[Quote] = SimpleQueue()
        self._limits = LimitSettings(**{"http_requests_per_s": 1_000_000, **(limits or {})})
        self._broadcast = BroadcastSettings(**(broadcast or {}))
        self._server = ServerSettings(
            port=0, allowed_origins=list(allowed_origins), trusted_proxies=list(trusted_proxies), **(server or {})
        )
        self._metrics = MetricsSettings(**(metrics or {}))
        runtime, clock = EventletRuntime(), SystemClock()
        self.core = Core(runtime, clock, self._make, "epoch", NoJitter())
        self.server = WebServer(self.core, self.settings(symbols), runtime, clock, authenticator=Authenticator(verifier))
        self.core.on_quotes.append(self._keep)
        self.core.configure(self.settings(symbols))
        self.http = self.server.app.test_client()
        self.address = ("", 0)

    def settings(self, symbols: Sequence[str]) -> Settings:
        """Settings with these symbols."""
        return Settings(
            server=self._server,
            limits=self._limits,
            broadcast=self._broadcast,
            metrics=self._metrics,
            feeds={"feed": FeedSettings(kind="scripted", interval_s=0.1)},
            symbols={symbol: SymbolSettings(feed=("feed",)) for symbol in symbols},
        )

    def wait(self, symbol: str) -> Quote:
        """The next update of `symbol`."""
        while (quote := self.updates.get(timeout=PATIENCE_S)).symbol != symbol:
            pass
        return quote

    def _keep(self, quotes: Sequence[Quote]) -> None:
        for quote in quotes:
            self.updates.put(quote)

    def _make(self, name: str, settings: FeedSettings) -> ScriptedSource:
        source = ScriptedSource(name, settings)
        source.answer = self._answer
        return source

    def _answer(self, batch: Sequence[Subscription]) -> Answer:
        if self.down is not None:
            raise self.down
        said = {one.symbol: self.prices[one.symbol] for one in batch if one.symbol in self.prices}
        return {symbol: said if isinstance(said, FeedError) else Tick(price=said, volume=0.0) for symbol, said in said.items()}


@contextmanager
def relaying(symbols: Sequence[str], prices: Mapping[str, float | FeedError], **tables: Any) -> Iterator[Relaying]:
    """A server that listens at `address`, stopped with the block."""
    running = Relaying(symbols, prices, **tables)
    running.address = running.server.start()
    running.core.start()
    try:
        yield running
    finally:
        running.core.stop()
        running.server.stop()
