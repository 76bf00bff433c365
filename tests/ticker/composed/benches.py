"""A core on a bench: scripted sources, stepped time, and everything it publishes."""

from __future__ import annotations

from collections.abc import Sequence
from queue import SimpleQueue
from random import Random

from tests.ticker.stepped import ScriptedSource, SteppedTime
from ticker.calendars.exchange_hours import Load, load
from ticker.clock import Clock
from ticker.core import Core
from ticker.quote import Quote
from ticker.settings.model import FeedSettings, Settings, SymbolSettings
from web.runtime import EventletRuntime

PATIENCE_S = 20.0
"""How long to wait for what must happen; never waited out when all is well."""
HOUR_S = 3600.0


class KeyedSettings(FeedSettings):
    """A feed with a key of its own."""

    key: str = ""


class NoJitter(Random):
    """Every back-off is as short as it may be: one interval."""

    def random(self) -> float:
        """The luckiest draw."""
        return 0.0


class Bench:
    """A core, the sources it made, and all that it said."""

    def __init__(self, clock: Clock | None = None, load_hours: Load = load) -> None:
        self.time = SteppedTime()
        self.made: list[ScriptedSource] = []
        self.refused = ""
        self.updates: SimpleQueue[Quote] = SimpleQueue()
        self.states: list[str] = []
        self.core = Core(EventletRuntime(), clock or self.time, self.make, "epoch", NoJitter(), load_hours)
        self.core.on_quotes.append(self.take)
        self.core.on_state.append(self.states.append)

    def make(self, name: str, settings: FeedSettings) -> ScriptedSource:
        """Make a source, unless its name is `refused`."""
        if name == self.refused:
            raise ValueError(f"no key for {name}")
        source = ScriptedSource(name, settings)
        self.made.append(source)
        return source

    def take(self, quotes: Sequence[Quote]) -> None:
        """Keep the updates."""
        for quote in quotes:
            self.updates.put(quote)

    def wait(self, *symbols: str) -> dict[str, Quote]:
        """Wait for an update of each of `symbols`; returns the newest of everything that came meanwhile."""
        found: dict[str, Quote] = {}
        while not found.keys() >= set(symbols):
            quote = self.updates.get(timeout=PATIENCE_S)
            found[quote.symbol] = quote
        return found

    def source(self, name: str) -> ScriptedSource:
        """The newest source of that name."""
        return [source for source in self.made if source.name == name][-1]


def settings_of(symbols: dict[str, str | tuple[str, ...]], interval_s: float = HOUR_S, **feeds: FeedSettings) -> Settings:
    """Settings with these symbols by their feeds; feeds not given have this interval."""
    lists = {symbol: (feed,) if isinstance(feed, str) else feed for symbol, feed in symbols.items()}
    named = {name: FeedSettings(kind="scripted", interval_s=interval_s) for names in lists.values() for name in names}
    return Settings(feeds={**named, **feeds}, symbols={symbol: SymbolSettings(feed=names) for symbol, names in lists.items()})
