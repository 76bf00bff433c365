"""One symbol on the board: its sources, the one in use, its market, and what was published last."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from ticker import wire
from ticker.board.freshness import FeedTerms, Verdict
from ticker.board.outliers import PriceRange, absolute_band, apart_pct, band
from ticker.board.source_state import SourceState
from ticker.board.source_verdict import limit_in_force_ms
from ticker.calendars.market_hours import NEVER, Hours, Market
from ticker.quote import Quote, State, Tick, VolumeOf
from ticker.settings.model import QualitySettings, SymbolSettings
from ticker.source import reason


class SymbolState:
    """A symbol and its sources, best first; one of them is active, and is what is published."""

    __slots__ = (
        "active",
        "allow_negative",
        "believable",
        "changes_at_ms",
        "check_at_ms",
        "highest",
        "hours",
        "is_shut",
        "lowest",
        "max_apart_pct",
        "max_jump_pct",
        "most_apart",
        "newest_ms",
        "price_range",
        "quote",
        "seq",
        "settings",
        "sources",
        "switched_ms",
        "symbol",
    )  # fmt: skip

    def __init__(self, symbol: str, settings: SymbolSettings, seq: int) -> None:
        self.symbol = symbol
        self.settings = settings
        self.seq = seq
        self.sources: tuple[SourceState, ...] = ()
        self.active: SourceState | None = None
        self.switched_ms: int | None = None
        self.newest_ms = 0  # the newest `quote_time` published from the sources it has now
        self.quote: Quote | None = None
        self.allow_negative = False
        self.price_range = PriceRange()
        self.hours: Hours | None = None
        self.is_shut = False
        self.changes_at_ms = NEVER  # when the market opens or shuts next
        self.check_at_ms = NEVER  # before this moment nothing changes by the passing of time alone

    def take_settings(self, settings: SymbolSettings, quality: QualitySettings) -> None:
        """What is to be shown of it, and believed."""
        if self.settings.options != settings.options:  # whoever is asked for something else now has said nothing yet
            asked = settings.options
            self.sources = tuple(source for source in self.sources if self.settings.options.get(source.feed) == asked.get(source.feed))
            self.price_range.forget()
        if self.allow_negative and not settings.allow_negative:  # what was said so far was judged by other rules
            self.sources = ()
        self.settings = settings
        self.allow_negative = settings.allow_negative
        self.max_jump_pct = quality.max_jump_pct if settings.max_jump_pct is None else settings.max_jump_pct
        self.max_apart_pct = quality.max_divergence_pct if settings.max_divergence_pct is None else settings.max_divergence_pct
        self.believable = band(self.max_jump_pct)
        self.lowest, self.highest = self.believable.lowest, self.believable.highest  # at hand for `SourceState.follow`
        self.most_apart = self.max_apart_pct
        if self.allow_negative:
            for tick in [source.tick for source in self.sources if source.tick is not None]:
                self.price_range.note(tick)
            self._judge_by_price_range()

    def believe(self, source: SourceState, tick: Tick) -> None:
        """A source has said `tick`, and is believed.

        Where it took back what is on show, other sources' prices need not be newer than that any more. Prices of any sign are judged by
        where they have been.
        """
        if source is self.active and source.newest_ms < self.newest_ms:
            self.newest_ms = source.newest_ms
        if self.allow_negative:
            self.price_range.note(tick)
            self._judge_by_price_range()

    def _judge_by_price_range(self) -> None:
        """Set how far a price may jump and sources may be apart, in the price's own unit; the two relate as their limits in percent do."""
        named = self.settings.max_jump
        self.believable = absolute_band(self.price_range.reach(self.max_jump_pct) if named is None else named)
        self.most_apart = self.believable.reach * self.max_apart_pct / self.max_jump_pct

    def jump_limit(self) -> str:
        """How far a price may move at once, in words."""
        return f"{self.believable.reach:g}" if self.allow_negative else f"{self.max_jump_pct:g} %"

    def apart(self, price: float, other: float) -> float:
        """How far `price` is from `other`: in percent of it, or where prices may be of any sign in their own unit."""
        return abs(price - other) if self.allow_negative else apart_pct(price, other)

    def take_sources(self, terms: Mapping[str, FeedTerms], intervals_s: Mapping[str, Mapping[str, float]], down: Container[str]) -> None:
        """Have a source of each feed that the settings name, best first; those it has stay."""
        had = {source.feed: source for source in self.sources}
        sources = []
        for feed in self.settings.feed:
            source = had.get(feed) or SourceState(feed, feed in down)
            source.take_terms(terms[feed], self.settings, intervals_s.get(feed, {}).get(self.symbol))
            sources.append(source)
        self.sources = tuple(sources)
        if self.active not in sources:
            # Nobody vouches for the published price any more, nor must the next source's be newer.
            self.active, self.switched_ms, self.newest_ms = None, None, 0

    def take_market(self, market: Market) -> bool:
        """Its market is in that phase; returns whether it has opened just now."""
        was_shut, self.is_shut = self.is_shut, market.phase == "shut"
        self.changes_at_ms = market.until_ms
        return was_shut and not self.is_shut

    def clock_stepped_back(self, by_ms: int) -> None:
        """The wall clock was set back: move what was measured with it along, sources excepted."""
        self.newest_ms -= by_ms
        self.check_at_ms = 0
        if self.switched_ms is not None:
            self.switched_ms -= by_ms

    def status(self) -> tuple[wire.SymbolStatus, str | None]:
        """`pending`, `live` or `rejected`, and what is wrong with its best source that has an error."""
        shown: str | None = None
        for source in self.sources:
            if source.error is not None:
                shown = reason(source.error) if len(self.sources) == 1 else f"{source.feed}: {reason(source.error)}"
                break
        if all(source.rejected for source in self.sources):
            return "rejected", shown
        return "pending" if self.quote is None else "live", shown

    def usable(self, verdicts: Sequence[Verdict]) -> list[bool]:
        """Which sources have a price that can be shown now without a step back in time: a fresh one; else the last one of a shut market.

        A price that moves disproves a market that is said to be shut, so `closed` counts only where nothing is `fresh`.
        """
        newest_ms = max(self.newest_ms, self.active.newest_ms) if self.active else 0
        states: list[State | None] = []
        for source, verdict in zip(self.sources, verdicts, strict=True):
            made_ms = source.tick.quote_time if source.tick else None
            if made_ms is None and verdict.state == "closed":  # whoever gives no time has had this price since then
                made_ms = source.received_ms
            follows = source is self.active or made_ms is None or made_ms >= newest_ms
            states.append(verdict.state if source.tick is not None and follows and not source.broken() else None)
        best = "fresh" if "fresh" in states else "closed"
        return [state == best for state in states]

    def activate(self, source: SourceState) -> None:
        """Let `source` be the one in use: none of its prices may be older than what was published."""
        if self.active is not None:
            self.newest_ms = max(self.newest_ms, self.active.newest_ms)
        source.newest_ms = max(source.newest_ms, self.newest_ms)
        self.active = source

    def agrees(self, source: SourceState, tick: Tick, now_ms: int) -> bool:
        """Whether another source sees the price where `tick` has it, rather than where `source` had it before."""
        last = source.tick
        for other in self.sources:
            seen = other.tick if other.unconfirmed is None else other.unconfirmed.tick
            if other is source or seen is None or last is None or not _heard(other, now_ms):
                continue
            if self.apart(tick.price, seen.price) <= self.most_apart and abs(tick.price - seen.price) < abs(last.price - seen.price):
                return True
        return False

    def volume_of(self) -> VolumeOf:
        """What the volume of its quote counts: by the word of the source in use, for this symbol or for all of its own."""
        in_force = self.active or self.sources[0]
        told = in_force.tick.volume_of if in_force.tick else None
        return told or in_force.volume_of

    def wire_state(self) -> wire.Symbol:
        """This symbol's entry of the wire's `symbols`."""
        settings, quote = self.settings, self.quote
        status, error = self.status()
        in_force = self.active or self.sources[0]
        return wire.Symbol(
            symbol=self.symbol,
            name=settings.name,
            decimals=settings.decimals,
            group=list(settings.group),
            feed=settings.feed[0] if len(settings.feed) == 1 else list(settings.feed),
            currency=settings.currency or (quote.currency if quote else None),
            stale_after_s=limit_in_force_ms(in_force, self.hours) / 1000,
            status=status,
            error=error,
            volume_of=self.volume_of(),
        )


def disagreement(symbol_state: SymbolState, source: SourceState, other: SourceState, now_ms: int) -> float | None:
    """How far apart the prices of two sources are, as `SymbolState.apart` measures it; `None` where they can't be compared."""
    tick, reference = source.tick, other.tick
    if tick is None or reference is None or not _heard(source, now_ms) or not _heard(other, now_ms):
        return None
    if tick.currency is not None and reference.currency is not None and tick.currency != reference.currency:
        return None
    return symbol_state.apart(tick.price, reference.price)


def _heard(source: SourceState, now_ms: int) -> bool:
    return not source.broken() and now_ms - source.heard_ms < source.limit_ms
