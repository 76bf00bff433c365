"""The newest quote of every symbol, and whether it can still be believed. A plain object: no I/O, and the time is an argument.

Each symbol is a `SymbolState`; what one feed says of it is a `SourceState`, one for each feed in the symbol's `feed`, best first. All of
them remember their newest tick; one is active and is what is published. `apply` takes in a feed's answer, `sweep` the
passing of time; both return the quotes that are updates, in order, each with the next `seq` of its symbol.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from ticker import wire
from ticker.board.failover import choose
from ticker.board.freshness import FeedTerms, Verdict
from ticker.board.publish import make_quote, next_quote
from ticker.board.quality import Quality, Standing, standing
from ticker.board.source_state import SourceState, TickOutcome
from ticker.board.source_verdict import circumstances, market_of, needs_no_decision, trouble_of, verdict_of
from ticker.board.symbol_state import SymbolState
from ticker.calendars.currency_week import WEEK
from ticker.calendars.market_hours import ALWAYS, NEVER, Hours
from ticker.errors import BadTick, FeedError
from ticker.quote import Correction, Quote, Tick, VolumeOf
from ticker.settings.calendars import ALWAYS_OPEN, CURRENCY_WEEK
from ticker.settings.model import QualitySettings, SymbolSettings
from ticker.source import Answer, reason

log = logging.getLogger(__name__)

LIMITS_TOLD_EVERY_MS = 5_000
"""Limits that were learnt are told to clients at most this often."""


class BoardChanges(NamedTuple):
    """What new settings did to the board: symbols that came and went, and updates of symbols that stayed."""

    added: list[str]
    removed: list[str]
    quotes: list[Quote]


class Board:
    """The newest `Quote` of each symbol, by symbol in `quotes`; in `volume_of`, what its volume counts. `epoch` names this life of the
    process on the wire.
    """

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.quotes: dict[str, Quote] = {}
        self.volume_of: dict[str, VolumeOf] = {}
        self._quality = Quality()
        self._symbol_states: dict[str, SymbolState] = {}
        self._sources: dict[str, dict[str, tuple[SymbolState, SourceState]]] = {}  # by feed, by symbol
        self._terms: dict[str, FeedTerms] = {}
        self._quality_settings = QualitySettings()
        self._intervals_s: dict[str, Mapping[str, float]] = {}  # by feed, by symbol, where they are not the feed's
        self._hours: dict[str, Hours] = {ALWAYS_OPEN: ALWAYS, CURRENCY_WEEK: WEEK}
        self._down: set[str] = set()
        self._left_at: dict[str, int] = {}  # the last seq of symbols that were removed
        self._opened: list[str] = []
        self._sweep_at = NEVER  # before this moment nothing changes by the passing of time alone
        self._symbols_changed = False
        self._limits_changed = False
        self._limits_told_ms = 0

    def configure(
        self, symbols: Mapping[str, SymbolSettings], feeds: Mapping[str, FeedTerms], now_ms: int, quality: QualitySettings | None = None
    ) -> BoardChanges:
        """Take `symbols` as what the board is to hold from now on; `feeds` has the terms of every feed they name.

        A symbol that stays keeps its price, its `seq` and what its remaining sources have said.
        """
        removed = [symbol for symbol in self._symbol_states if symbol not in symbols]
        for symbol in removed:
            self._left_at[symbol] = self._symbol_states.pop(symbol).seq
            self.quotes.pop(symbol, None)
            self.volume_of.pop(symbol, None)
            self._quality.forget(symbol)
        before, self._symbol_states = self._symbol_states, {}
        same_quality = quality is None or quality == self._quality_settings
        self._quality_settings = quality or self._quality_settings
        unchanged = {feed for feed, terms in feeds.items() if self._terms.get(feed) == terms}
        self._terms = dict(feeds)
        self._quality.keep_feeds(feeds)
        self._sources = {feed: {} for feed in feeds}
        added: list[str] = []
        quotes: list[Quote] = []
        for symbol, settings in symbols.items():
            symbol_state = before.get(symbol)
            if symbol_state is None:
                symbol_state = SymbolState(symbol, settings, self._left_at.pop(symbol, 0))
                added.append(symbol)
            elif same_quality and symbol_state.settings == settings and unchanged.issuperset(settings.feed):
                self._add(symbol_state)
                continue
            symbol_state.take_settings(settings, self._quality_settings)
            symbol_state.take_sources(self._terms, self._intervals_s, self._down)
            symbol_state.hours = self._hours.get(settings.calendar or "")
            self._add(symbol_state)
            quotes += self._settle(symbol_state, now_ms)
        self._sweep_at = 0
        self._symbols_changed = True
        return BoardChanges(added, removed, quotes)

    def apply(self, feed: str, answer: Answer, now_ms: int) -> list[Quote]:
        """Take in one answer of `feed`, whole; returns the updates. Symbols that are not (or no longer) on the board are passed over."""
        accepted: list[Quote] = []
        sources = self._sources.get(feed)
        if not sources:
            return accepted
        quotes = self.quotes
        for symbol, news in answer.items():
            found = sources.get(symbol)
            if found is None:
                continue
            symbol_state, source = found
            limit_ms = source.limit_ms
            # The rule, and nearly all there is. A correction is a tick of another type.
            if source.steady and type(news) is Tick and source.follow(news, now_ms, symbol_state.lowest, symbol_state.highest):
                if source.limit_ms != limit_ms:
                    self._limits_changed = True
                    symbol_state.check_at_ms = self._sweep_at = 0
                symbol_state.seq += 1
                symbol_state.quote = quotes[symbol] = quote = make_quote(symbol_state, source, news, now_ms, "fresh", symbol_state.seq)
                accepted.append(quote)
                continue
            if isinstance(news, Tick):
                accepted += self._hear(symbol_state, source, news, now_ms)
            else:
                accepted += self._fail(symbol_state, source, news, now_ms)
        return accepted

    def set_feed_down(self, feed: str, down: bool, now_ms: int) -> list[Quote]:
        """Take in that `feed` is down (five failures running) or up again; returns the updates that follow."""
        if down:
            self._down.add(feed)
        else:
            self._down.discard(feed)
        accepted: list[Quote] = []
        for symbol_state, source in self._sources.get(feed, {}).values():
            if source.feed_down != down:
                source.feed_down = down
                accepted += self._settle(symbol_state, now_ms)
        return accepted

    def restart_feed(self, feed: str, now_ms: int) -> list[Quote]:
        """Forget what `feed` did wrong and how new its prices were: its source was replaced. Returns the updates that follow."""
        self._down.discard(feed)
        accepted: list[Quote] = []
        for symbol_state, source in self._sources.get(feed, {}).values():
            had_trouble = source.error is not None or source.feed_down
            source.restart()
            if source is symbol_state.active:
                symbol_state.newest_ms = 0
            if had_trouble:
                self._symbols_changed = True
                accepted += self._settle(symbol_state, now_ms)
        return accepted

    def set_intervals(self, feed: str, intervals_s: Mapping[str, float], now_ms: int) -> list[Quote]:
        """Take in how often `feed` polls each symbol now, where that is not the interval of its settings (seconds, by symbol).

        Limits follow. Returns the updates.
        """
        before = self._intervals_s.get(feed, {})
        self._intervals_s[feed] = intervals_s
        accepted: list[Quote] = []
        for symbol, (symbol_state, source) in self._sources.get(feed, {}).items():
            interval_s = intervals_s.get(symbol)
            if interval_s != before.get(symbol):
                limits = source.limit_ms, source.next_limit
                source.take_interval(self._terms[feed], symbol_state.settings, interval_s, now_ms)
                if limits != (source.limit_ms, source.next_limit):
                    self._limits_changed = True
                    accepted += self._settle(symbol_state, now_ms)
        return accepted

    def set_hours(self, calendar: str, hours: Hours, now_ms: int) -> list[Quote]:
        """Take in when the markets of `calendar` are open; returns the updates that follow."""
        self._hours[calendar] = hours
        accepted: list[Quote] = []
        for symbol_state in self._symbol_states.values():
            if symbol_state.settings.calendar == calendar:
                symbol_state.hours = hours
                self._limits_changed = self._limits_changed or any(source.is_daily() for source in symbol_state.sources)
                accepted += self._settle(symbol_state, now_ms)
        return accepted

    def is_shut(self, symbol: str) -> bool:
        """Whether the market of `symbol` is shut, as far as is known: then its price does not move, and need not be asked for often."""
        symbol_state = self._symbol_states.get(symbol)
        return symbol_state is not None and symbol_state.is_shut

    def take_opened(self) -> list[str]:
        """The symbols whose market has opened since this was last asked: time to poll them."""
        opened, self._opened = self._opened, []
        return opened

    def sweep(self, now_ms: int) -> list[Quote]:
        """Take in that time has passed; returns the updates: quotes that turned stale or closed, or come from another source now.

        Nearly free: an answer only ever moves the moment a price turns stale away, so nothing need be looked at before `_sweep_at`.
        """
        accepted: list[Quote] = []
        if self._limits_changed and now_ms - self._limits_told_ms >= LIMITS_TOLD_EVERY_MS:
            self._limits_changed, self._limits_told_ms, self._symbols_changed = False, now_ms, True
        if now_ms < self._sweep_at:
            return accepted
        for symbol_state in [symbol_state for symbol_state in self._symbol_states.values() if symbol_state.check_at_ms <= now_ms]:
            active = symbol_state.active
            if active is not None and active.steady and now_ms < symbol_state.changes_at_ms:  # then it was heard since, in all likelihood
                due_ms = active.current_ms + active.limit_ms
                until_ms = symbol_state.changes_at_ms
                symbol_state.check_at_ms = due_ms if due_ms < until_ms else until_ms  # `min` would take twice as long
            if symbol_state.check_at_ms <= now_ms:
                accepted += self._settle(symbol_state, now_ms)
        self._sweep_at = min([symbol_state.check_at_ms for symbol_state in self._symbol_states.values()], default=NEVER)
        return accepted

    def clock_stepped_back(self, by_ms: int) -> None:
        """The wall clock was set back: move what was measured with it along.

        Else nothing would turn stale for `by_ms`, and prices that we date ourselves would count as older than the last one.
        """
        for sources in self._sources.values():
            for _, source in sources.values():
                source.clock_stepped_back(by_ms)
        for symbol_state in self._symbol_states.values():
            symbol_state.clock_stepped_back(by_ms)
        self._limits_told_ms -= by_ms
        self._sweep_at = 0

    def take_symbols_changed(self) -> bool:
        """Whether `symbols_state` differs from what it was when this was last asked."""
        changed, self._symbols_changed = self._symbols_changed, False
        return changed

    def symbols_state(self, symbols: Iterable[str] | None = None) -> list[wire.Symbol]:
        """What the wire says of these symbols, or of all in the settings' order (docs/protocol.md, `symbols`)."""
        return [self._symbol_states[symbol].wire_state() for symbol in (self._symbol_states if symbols is None else symbols)]

    def quality_state(self, now_ms: int, markets: Sequence[wire.Calendar] = ()) -> wire.Quality:
        """What `/api/status` says of the prices (docs/freshness.md), with what there is to say of the calendars."""
        return self._quality.state(self._symbol_states.values(), now_ms, markets)

    def standings(self, now_ms: int) -> list[Standing]:
        """How every symbol stands, in the settings' order."""
        return [standing(symbol_state, now_ms) for symbol_state in self._symbol_states.values()]

    def incidents(self) -> dict[str, int]:
        """How often prices were not what they should be: `bad_ticks`, `odd_fields`, `switches`, `divergences`."""
        return self._quality.counts()

    def _add(self, symbol_state: SymbolState) -> None:
        self._symbol_states[symbol_state.symbol] = symbol_state
        for source in symbol_state.sources:
            self._sources[source.feed][symbol_state.symbol] = symbol_state, source

    def _hear(self, symbol_state: SymbolState, source: SourceState, said: Tick, now_ms: int) -> list[Quote]:
        tick = self._quality.judge(symbol_state, source, said, now_ms)
        if isinstance(tick, BadTick):
            return self._fail(symbol_state, source, tick, now_ms)
        if source.answers_again():
            self._symbols_changed = True
        limit_ms = source.limit_ms
        if isinstance(said, Correction):
            source.correct(tick, now_ms)
            outcome: TickOutcome = "news"
        else:
            is_open = symbol_state.quote is None or symbol_state.quote.state != "closed"
            outcome = source.hear(tick, now_ms, symbol_state.believable, partial(symbol_state.agrees, source, now_ms=now_ms), is_open)
        if outcome in ("jump", "backwards"):
            self._quality.not_believed(symbol_state, source, tick, outcome, now_ms)
        elif outcome == "news":
            symbol_state.believe(source, tick)
        self._limits_changed = self._limits_changed or source.limit_ms != limit_ms or (outcome == "news" and source.is_daily())
        if outcome == "same" and source.steady:  # it stays fresh, only for longer
            return []
        if len(symbol_state.sources) > 1:
            self._quality.compare(symbol_state, source, now_ms)
        return self._settle(symbol_state, now_ms)

    def _fail(self, symbol_state: SymbolState, source: SourceState, error: FeedError, now_ms: int) -> list[Quote]:
        if source.error is None or reason(source.error) != reason(error):
            self._symbols_changed = True
        if isinstance(error, BadTick):
            self._quality.no_price(symbol_state, source, error, now_ms)
        source.fail(error)
        return self._settle(symbol_state, now_ms)

    def _choose(self, symbol_state: SymbolState, verdicts: list[Verdict], now_ms: int) -> int | None:
        """Let the right one of several sources be the one in use; returns its place, `None` where none has a price."""
        sources = symbol_state.sources
        index = None if symbol_state.active is None else sources.index(symbol_state.active)
        usable = symbol_state.usable(verdicts)
        chosen = choose(usable, index, symbol_state.switched_ms, now_ms)
        if chosen is None:  # an old price is better than none
            chosen = next((place for place, source in enumerate(sources) if source.tick is not None), None)
        if chosen is None or chosen == index:
            return index
        if symbol_state.active is not None and index is not None:
            symbol_state.switched_ms = now_ms
            why = f"{sources[chosen].feed} is back" if usable[index] else trouble_of(symbol_state.active, verdicts[index])
            self._quality.switched(symbol_state, symbol_state.active, sources[chosen], why, now_ms)
        symbol_state.activate(sources[chosen])
        return chosen

    def _settle(self, symbol_state: SymbolState, now_ms: int) -> list[Quote]:
        """Choose the symbol's source and state, and publish what differs from the last quote: no update, or one."""
        sources = symbol_state.sources
        markets = [market_of(source, symbol_state.hours, now_ms) for source in sources]
        verdicts = [verdict_of(source, market, symbol_state.hours, now_ms) for source, market in zip(sources, markets, strict=True)]
        if len(sources) > 1:
            index = self._choose(symbol_state, verdicts, now_ms)
        else:  # as nearly all have: there is nothing to choose
            index = None if sources[0].tick is None else 0
            if symbol_state.active is None and index is not None:
                symbol_state.activate(sources[0])
        verdict = Verdict("stale", NEVER) if index is None else verdicts[index]
        if all(map(SourceState.broken, sources)):
            verdict = Verdict("failed", verdict.until_ms)
        if symbol_state.take_market(markets[index or 0]):
            self._opened.append(symbol_state.symbol)
        symbol_state.check_at_ms = symbol_state.changes_at_ms if symbol_state.active is None else verdict.until_ms
        self._sweep_at = min(self._sweep_at, symbol_state.check_at_ms)
        volume_of = symbol_state.volume_of()
        if self.volume_of.get(symbol_state.symbol) != volume_of:
            self.volume_of[symbol_state.symbol] = volume_of
            self._symbols_changed = True
        quote = next_quote(symbol_state, verdict.state)
        if quote is not None:
            if log.isEnabledFor(logging.DEBUG) and (symbol_state.quote is None or symbol_state.quote.state != quote.state):
                why = circumstances(sources[index or 0], markets[index or 0], symbol_state.hours, now_ms)
                log.debug("%s is %s now, by %s: %s", symbol_state.symbol, quote.state, quote.source, why)
            self._symbols_changed = self._symbols_changed or symbol_state.quote is None
            symbol_state.quote = self.quotes[symbol_state.symbol] = quote
        may_be_steady = verdict.state == "fresh" and not symbol_state.allow_negative
        for source, market in zip(sources, markets, strict=True):
            source.steady = may_be_steady and source is symbol_state.active and needs_no_decision(source, market)
        return [] if quote is None else [quote]
