"""What a provider's file must offer: a subclass of `Feed` with a `kind`, which `feeds.registry` finds. A feed is one file and its test."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from ticker.quote import Kind, VolumeOf
from ticker.rate_limit import CALL, Cost, Demand, Gate
from ticker.runtime import Runtime
from ticker.settings import FeedSettings, SymbolOptions
from ticker.source import Answer, Subscription, Unread

__all__ = ["About", "Answer", "Feed", "Subscription"]

PLANNED_SHARE = 0.9
"""The polls that can be foreseen may take this share of the provider's limits."""


class About(NamedTuple):
    """A kind in the tables of `docs/feeds.md` and `docs/freshness.md`: one cell each, in Markdown. `feeds.document` writes them."""

    brings: str
    """What there are prices of, and of which time where that is not the session."""
    ids: str
    """How the provider writes a symbol; after `from` how we may."""
    time: str
    """What the time of a price is the time of."""
    market: str
    """What the provider says of whether its market is open."""
    same_answer: str = "nothing"
    """What an answer that is identical to the one before says of the price."""
    limits: str = "none"
    """What the provider allows, in calls, symbols or connections."""
    delay: str = "none"
    """How far behind its prices are."""
    note: str = ""
    """What else is worth knowing of how far its word can be trusted."""
    key: str = ""
    """Which key it wants; empty: as the secrets of its settings say."""
    batch: str = ""
    """How many symbols a call carries; empty: as its `batch_size` says."""


class Feed(ABC):
    """A source of ticks that is asked again and again (`poll`): what the core knows as a `ticker.source.Source`."""

    kind: ClassVar[str]
    """The word in `kind = "…"` of the settings."""
    about: ClassVar[About]
    """What the documentation says of it; each kind has its own."""
    quote_kind: ClassVar[Kind] = "polled"
    """What the wire field `kind` says of its quotes."""
    Settings: ClassVar[type[FeedSettings]] = FeedSettings
    """The keys of `[feeds.NAME]`."""
    Options: ClassVar[type[SymbolOptions]] = SymbolOptions
    """The keys of a symbol's table for this feed: `ACME = { feed = "sim", sim = { … } }`."""
    batch_size: ClassVar[int | None] = 1
    """How many symbols one call can carry; `None`: all."""
    cadence_s: ClassVar[float] = 0.0
    """How old its newest prices may be by nature, seconds: for daily rates, the longest time from one to the next."""
    volume_of: ClassVar[VolumeOf] = "24h"
    """What the `volume` of its ticks counts, where a tick does not say so itself; `24h` also where nobody knows."""
    again_in_s: float | None = None
    """A wish for the next poll, seconds: sooner than the interval says. Looked at after each poll."""
    unread: Unread | None = None
    """What of its last answer could not be read."""
    gate: Gate | None = None
    """What all calls to the provider go through; none where nothing is called that anybody counts."""

    def __init__(self, name: str, settings: FeedSettings, runtime: Runtime) -> None:
        self.name = name
        self.settings = settings
        self.runtime = runtime

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """The provider's id of `symbol` where the settings name none."""
        return symbol

    @classmethod
    def cost(cls, symbols: int) -> Cost:
        """What one call for so many symbols, 1 to `batch_size`, takes of the provider's limits."""
        return CALL

    @classmethod
    def demand(cls, symbols: int, interval_s: float) -> Demand:
        """What polling so many symbols at that interval takes of the limits in a second, with what else has to be asked for.

        A tenth is added for what can't be foreseen: new symbols, the search for one that spoils a batch, a call made twice.
        """
        full, rest = divmod(symbols, cls.batch_size or max(1, symbols))
        costs = [(full, cls.cost(cls.batch_size or symbols))] if full else []
        costs += [(1, cls.cost(rest))] if rest else []
        spent: dict[str, float] = {}
        for calls, cost in costs:
            for unit, amount in cost.items():
                spent[unit] = spent.get(unit, 0.0) + calls * amount / interval_s / PLANNED_SHARE
        return spent

    @abstractmethod
    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """Ask once for `batch` (1 to `batch_size` symbols) and return, by our symbol, a tick or why there is none.

        Raises `FeedError` where the whole call failed; with `rejects_symbol` set, one of several symbols is unknown
        to the provider and spoils the batch. Must end within `settings.timeout_s`. Never returns a symbol not asked for.
        """

    def close(self) -> None:
        """Give back what the feed holds. It is not polled afterwards."""
