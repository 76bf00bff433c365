"""Whether prices are what they should be: which ticks are not believed, which sources disagree. What `/api/status` says of prices."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple

from msgspec import UNSET

from ticker import wire
from ticker.board.change import strange_base
from ticker.board.incidents import BadTicks, Disagreements, OddFields, Switches
from ticker.board.sanity import no_price, sound
from ticker.board.source_state import SourceState, TickOutcome
from ticker.board.source_verdict import limit_from, limit_in_force_ms, market_of
from ticker.board.symbol_state import SymbolState, disagreement
from ticker.calendars.market_hours import NEVER
from ticker.errors import BadTick
from ticker.quote import Tick, encode, plain
from ticker.source import reason


class Standing(NamedTuple):
    """The state of a symbol and the age of its price.

    `state`: its price's, or `pending` or `rejected` where it has none. `age_s`: how long ago that price was surely the newest there was;
    `None` where there is none.
    """

    symbol: str
    state: str
    age_s: float | None


class Quality:
    """What was noticed about the prices on a board. Times are arguments, epoch ms."""

    def __init__(self) -> None:
        self._bad_ticks = BadTicks()
        self._odd_fields = OddFields()
        self._disagreements = Disagreements()
        self._switches = Switches()

    def counts(self) -> dict[str, int]:
        """How many there were since the start: `bad_ticks`, `odd_fields`, `switches`; and of `divergences`, how many there
        are."""
        return {
            "bad_ticks": self._bad_ticks.count,
            "odd_fields": self._odd_fields.count,
            "switches": self._switches.count,
            "divergences": len(self._disagreements),
        }

    def forget(self, symbol: str) -> None:
        """Forget `symbol`, which is not on the board any more."""
        self._bad_ticks.forget(symbol)
        self._disagreements.forget(symbol)

    def keep_feeds(self, feeds: Container[str]) -> None:
        """Forget the feeds that are not among `feeds`, which are all there are now."""
        self._odd_fields.keep(feeds)

    def judge(self, symbol_state: SymbolState, source: SourceState, heard: Tick, now_ms: int) -> Tick | BadTick:
        """What of a tick can be meant, as it is remembered, or what is wrong with its price. What is left out is told; a previous close
        that no session explains is only where it is a new one, and stays for as long as prices may come back to it.
        """
        flaw = no_price(heard, now_ms, symbol_state.allow_negative, source.kind == "replayed")
        for odd in heard.odd or ():
            self._odd_fields.note(symbol_state.symbol, source.feed, odd, now_ms)
        if flaw is not None:
            return flaw
        tick, found = sound(heard, symbol_state.allow_negative, source.is_final)
        if tick.prev_close != source.base:
            source.base = tick.prev_close
            if not source.is_final and not symbol_state.allow_negative:
                found += strange_base(tick)
        for odd in found:
            self._odd_fields.note(symbol_state.symbol, source.feed, odd, now_ms)
        return plain(tick)

    def no_price(self, symbol_state: SymbolState, source: SourceState, error: BadTick, now_ms: int) -> None:
        """Instead of a price there was a number that can't be one: found by the feed, or by `judge`."""
        self._bad_ticks.note(symbol_state.symbol, source.feed, "no price", reason(error), error.excerpt, now_ms)

    def not_believed(self, symbol_state: SymbolState, source: SourceState, tick: Tick, outcome: TickOutcome, now_ms: int) -> None:
        """A tick with a good price is not believed, next to what the source said before."""
        if outcome == "jump":
            before = source.tick.price if source.tick else 0.0
            why = f"{tick.price:g} after {before:g}, a jump of more than {symbol_state.jump_limit()}"
        else:
            why = f"made {(source.newest_ms - (tick.quote_time or 0)) / 1000:g} s before the one before it"
        self._bad_ticks.note(symbol_state.symbol, source.feed, outcome, why, encode(tick).decode(), now_ms)

    def compare(self, symbol_state: SymbolState, heard: SourceState, now_ms: int) -> None:
        """One of several sources was heard: see which jumps it confirms, and whether the sources agree."""
        for source in symbol_state.sources:
            if source is not heard and source.unconfirmed is not None and symbol_state.agrees(source, source.unconfirmed.tick, now_ms):
                confirmed = source.unconfirmed.tick
                source.take(confirmed, now_ms)
                symbol_state.believe(source, confirmed)
        active = symbol_state.active
        if active is None:
            return
        for source in symbol_state.sources if heard is active else (heard,):
            apart = None if source is active else disagreement(symbol_state, source, active, now_ms)
            if apart is not None and apart > symbol_state.most_apart:
                how_far = f"{apart:.3g}" if symbol_state.allow_negative else f"{apart:.3g} %"
                self._disagreements.note(symbol_state.symbol, source.feed, how_far, active.feed, now_ms)
            else:
                self._disagreements.clear(symbol_state.symbol, source.feed)

    def switched(self, symbol_state: SymbolState, left: SourceState, taken: SourceState, why: str, now_ms: int) -> None:
        """The symbol comes from another source now."""
        self._switches.note(symbol_state.symbol, left.feed, taken.feed, why, now_ms)

    def state(self, symbol_states: Iterable[SymbolState], now_ms: int, markets: Iterable[wire.Calendar]) -> wire.Quality:
        """What `/api/status` says of the prices of `symbol_states` and of the calendars (docs/freshness.md)."""
        by_symbol = {symbol_state.symbol: symbol_state for symbol_state in symbol_states}

        def described(symbol: str, feed: str, since_ms: int) -> wire.Divergence | None:
            symbol_state = by_symbol[symbol]
            active = symbol_state.active
            source = next((source for source in symbol_state.sources if source.feed == feed), None)
            if active is None or source is None or source is active or source.tick is None or active.tick is None:
                return None
            apart = disagreement(symbol_state, source, active, now_ms)
            if apart is None or apart <= symbol_state.most_apart:
                return None
            return wire.Divergence(
                symbol=symbol,
                feed=feed,
                since=since_ms,
                price=source.tick.price,
                source=active.feed,
                source_price=active.tick.price,
                apart=apart if symbol_state.allow_negative else UNSET,
                apart_pct=UNSET if symbol_state.allow_negative else round(apart, 4),
            )

        return wire.Quality(
            symbols=[described_state(symbol_state, now_ms) for symbol_state in by_symbol.values()],
            bad_ticks=self._bad_ticks.state(),
            odd_fields=self._odd_fields.state(),
            divergences=self._disagreements.state(described),
            switches=self._switches.state(),
            markets=list(markets),
        )


def standing(symbol_state: SymbolState, now_ms: int) -> Standing:
    """The state of a symbol and the age of its price."""
    source = symbol_state.active
    if symbol_state.quote is None:
        return Standing(symbol_state.symbol, symbol_state.status()[0], None)
    return Standing(
        symbol_state.symbol, symbol_state.quote.state, max(0, now_ms - source.current_ms) / 1000 if source and source.current_ms else None
    )


def described_state(symbol_state: SymbolState, now_ms: int) -> wire.SymbolQuality:
    """The limit that is in force for a symbol, where it comes from, and what it is compared with; times in epoch ms, unknown is `None`.

    `error`: what is wrong with its best source that has an error. `current_as_of`: the latest moment at which the price was surely the
    newest there was. `market`: `open`, `extended`, `shut`, `unknown`, and until when.
    """
    source = symbol_state.active or symbol_state.sources[0]
    market = market_of(source, symbol_state.hours, now_ms)
    return wire.SymbolQuality(
        symbol=symbol_state.symbol,
        source=symbol_state.quote.source if symbol_state.quote else None,
        state=symbol_state.quote.state if symbol_state.quote else None,
        error=symbol_state.status()[1],
        stale_after_s=limit_in_force_ms(source, symbol_state.hours) / 1000,
        stale_after_from=limit_from(source),
        current_as_of=source.current_ms or None,
        market=market.phase,
        market_until=market.until_ms if symbol_state.hours is not None and market.until_ms < NEVER else None,
    )
