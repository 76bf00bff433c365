"""What a provider's file must offer. Adding a feed is one file: a subclass of `Feed` with a `kind`, found by `feeds.registry`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from ticker.quote import Kind
from ticker.runtime import Runtime
from ticker.settings import FeedSettings, SymbolOptions
from ticker.source import Answer, Subscription

__all__ = ["Answer", "Feed", "Subscription"]


class Feed(ABC):
    """A source of ticks that is asked again and again (`poll`): what the core knows as a `ticker.source.Source`."""

    kind: ClassVar[str]
    """The word in `kind = "…"` of the settings."""
    quote_kind: ClassVar[Kind] = "polled"
    """What the wire field `kind` says of its quotes."""
    Settings: ClassVar[type[FeedSettings]] = FeedSettings
    """The keys of `[feeds.NAME]`."""
    Options: ClassVar[type[SymbolOptions]] = SymbolOptions
    """The keys of a symbol's table for this feed: `ACME = { feed = "sim", sim = { … } }`."""
    batch_size: ClassVar[int | None] = 1
    """How many symbols one call can carry; `None`: all."""

    def __init__(self, name: str, settings: FeedSettings, runtime: Runtime) -> None:
        self.name = name
        self.settings = settings
        self.runtime = runtime

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """The provider's id of `symbol` where the settings name none."""
        return symbol

    @abstractmethod
    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """Ask once for `batch` (1 to `batch_size` symbols) and return, by our symbol, a tick or why there is none.

        Raises `FeedError` where the whole call failed; with `rejects_symbol` set, one of several symbols is unknown
        to the provider and spoils the batch. Must end within `settings.timeout_s`. Never returns a symbol not asked for.
        """

    def close(self) -> None:
        """Give back what the feed holds. It is not polled afterwards."""
