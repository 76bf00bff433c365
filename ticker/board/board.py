"""The newest quote of every symbol, and whether it can still be believed. A plain object: no I/O, and the time is an argument.

Each symbol is a `Lane`; what one feed says of it is a `Track`, one for each feed in the symbol's `feed`, best first. All tracks
remember their newest tick; one of them is active and is what the lane publishes. `apply` takes in a feed's answer, `sweep` the
passing of time; both return the quotes that are updates, in order, each with the next `seq` of its symbol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from ticker.board.failover import choose
from ticker.board.freshness import FeedTerms, Verdict
from ticker.board.quality import Quality, Standing, standing
from ticker.board.source_state import Outcome, Track
from ticker.board.symbol_state import Lane, make_quote
from ticker.calendars.currency_week import WEEK
from ticker.calendars.market_hours import ALWAYS, NEVER, Hours
from ticker.errors import BadTick, FeedError
from ticker.quote import Correction, Quote, Tick, VolumeOf
from ticker.settings.calendars import ALWAYS_OPEN, CURRENCY_WEEK
from ticker.settings.model import QualitySettings, SymbolSettings
from ticker.source import Answer, reason

LIMITS_TOLD_EVERY_MS = 5_000
"""Limits that were learnt are told to clients at most this often."""


class Changes(NamedTuple):
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
        self._noticed = Quality()
        self._lanes: dict[str, Lane] = {}
        self._tracks: dict[str, dict[str, tuple[Lane, Track]]] = {}  # by feed, by symbol
        self._terms: dict[str, FeedTerms] = {}
        self._wanted_quality = QualitySettings()
        self._intervals_s: dict[str, Mapping[str, float]] = {}  # by feed, by symbol, where they are not the feed's
        self._hours: dict[str, Hours] = {ALWAYS_OPEN: ALWAYS, CURRENCY_WEEK: WEEK}
        self._down: set[str] = set()
        self._left_at: dict[str, int] = {}  # the last seq of symbols that were removed
        self._opened: list[str] = []
        self._sweep_at = NEVER  # before this moment nothing changes by the passing of time alone
        self._symbols_changed = False
        self._limits_changed = False
        self._limits_told_ms = 0

    def configure(self, symbols: Mapping[str, SymbolSettings], feeds: Mapping[str, FeedTerms], now_ms: int,
                  quality: QualitySettings | None = None) -> Changes:
        """Take `symbols` as what the board is to hold from now on; `feeds` has the terms of every feed they name.

        A symbol that stays keeps its price, its `seq` and what its remaining sources have said.
        """
        removed = [symbol for symbol in self._lanes if symbol not in symbols]
        for symbol in removed:
            self._left_at[symbol] = self._lanes.pop(symbol).seq
            self.quotes.pop(symbol, None)
            self.volume_of.pop(symbol, None)
            self._noticed.forget(symbol)
        before, self._lanes = self._lanes, {}
        same_quality = quality is None or quality == self._wanted_quality
        self._wanted_quality = quality or self._wanted_quality
        unchanged = {feed for feed, terms in feeds.items() if self._terms.get(feed) == terms}
        self._terms = dict(feeds)
        self._noticed.keep_feeds(feeds)
        self._tracks = {feed: {} for feed in feeds}
        added: list[str] = []
        quotes: list[Quote] = []
        for symbol, settings in symbols.items():
            lane = before.get(symbol)
            if lane is None:
                lane = Lane(symbol, settings, self._left_at.pop(symbol, 0))
                added.append(symbol)
            elif same_quality and lane.settings == settings and unchanged.issuperset(settings.feed):
                self._add(lane)
                continue
            lane.take_settings(settings, self._wanted_quality)
            lane.take_sources(self._terms, self._intervals_s, self._down)
            lane.hours = self._hours.get(settings.calendar or "")
            self._add(lane)
            quotes += self._settle(lane, now_ms)
        self._sweep_at = 0
        self._symbols_changed = True
        return Changes(added, removed, quotes)

    def apply(self, feed: str, answer: Answer, now_ms: int) -> list[Quote]:
        """Take in one answer of `feed`, whole; returns the updates. Symbols that are not (or no longer) on the board are passed over."""
        accepted: list[Quote] = []
        tracks = self._tracks.get(feed)
        if not tracks:
            return accepted
        quotes = self.quotes
        for symbol, news in answer.items():
            found = tracks.get(symbol)
            if found is None:
                continue
            lane, track = found
            limit_ms = track.limit_ms
            # The rule, and nearly all there is. A correction is a tick of another type.
            if track.steady and type(news) is Tick and track.follow(news, now_ms, lane.lowest, lane.highest):
                if track.limit_ms != limit_ms:
                    self._limits_changed = True
                    lane.check_at_ms = self._sweep_at = 0
                lane.seq += 1
                lane.quote = quotes[symbol] = quote = make_quote(lane, track, news, now_ms, "fresh", lane.seq)
                accepted.append(quote)
                continue
            if isinstance(news, Tick):
                accepted += self._hear(lane, track, news, now_ms)
            else:
                accepted += self._fail(lane, track, news, now_ms)
        return accepted

    def set_feed_down(self, feed: str, down: bool, now_ms: int) -> list[Quote]:
        """Take in that `feed` is down (five failures running) or up again; returns the updates that follow."""
        if down:
            self._down.add(feed)
        else:
            self._down.discard(feed)
        accepted: list[Quote] = []
        for lane, track in self._tracks.get(feed, {}).values():
            if track.feed_down != down:
                track.feed_down = down
                accepted += self._settle(lane, now_ms)
        return accepted

    def restart_feed(self, feed: str, now_ms: int) -> list[Quote]:
        """Forget what `feed` did wrong and how new its prices were: its source was replaced. Returns the updates that follow."""
        self._down.discard(feed)
        accepted: list[Quote] = []
        for lane, track in self._tracks.get(feed, {}).values():
            had_trouble = track.error is not None or track.feed_down
            track.restart()
            if track is lane.active:
                lane.newest_ms = 0
            if had_trouble:
                self._symbols_changed = True
                accepted += self._settle(lane, now_ms)
        return accepted

    def set_intervals(self, feed: str, intervals_s: Mapping[str, float], now_ms: int) -> list[Quote]:
        """Take in how often `feed` polls each symbol now, where that is not the interval of its settings (seconds, by symbol).

        Limits follow. Returns the updates.
        """
        before = self._intervals_s.get(feed, {})
        self._intervals_s[feed] = intervals_s
        accepted: list[Quote] = []
        for symbol, (lane, track) in self._tracks.get(feed, {}).items():
            interval_s = intervals_s.get(symbol)
            if interval_s != before.get(symbol):
                limits = track.limit_ms, track.next_limit
                track.take_interval(self._terms[feed], lane.settings, interval_s, now_ms)
                if limits != (track.limit_ms, track.next_limit):
                    self._limits_changed = True
                    accepted += self._settle(lane, now_ms)
        return accepted

    def set_hours(self, calendar: str, hours: Hours, now_ms: int) -> list[Quote]:
        """Take in when the markets of `calendar` are open; returns the updates that follow."""
        self._hours[calendar] = hours
        accepted: list[Quote] = []
        for lane in self._lanes.values():
            if lane.settings.calendar == calendar:
                lane.hours = hours
                self._limits_changed = self._limits_changed or any(track.is_daily() for track in lane.tracks)
                accepted += self._settle(lane, now_ms)
        return accepted

    def is_shut(self, symbol: str) -> bool:
        """Whether the market of `symbol` is shut, as far as is known: then its price does not move, and need not be asked for often."""
        lane = self._lanes.get(symbol)
        return lane is not None and lane.is_shut

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
        for lane in [lane for lane in self._lanes.values() if lane.check_at_ms <= now_ms]:
            active = lane.active
            if active is not None and active.steady and now_ms < lane.changes_at_ms:  # then it was heard since, in all likelihood
                due_ms = active.current_ms + active.limit_ms
                lane.check_at_ms = due_ms if due_ms < lane.changes_at_ms else lane.changes_at_ms  # `min` would take twice as long
            if lane.check_at_ms <= now_ms:
                accepted += self._settle(lane, now_ms)
        self._sweep_at = min([lane.check_at_ms for lane in self._lanes.values()], default=NEVER)
        return accepted

    def clock_stepped_back(self, by_ms: int) -> None:
        """The wall clock was set back: move what was measured with it along.

        Else nothing would turn stale for `by_ms`, and prices that we date ourselves would count as older than the last one.
        """
        for tracks in self._tracks.values():
            for _, track in tracks.values():
                track.clock_stepped_back(by_ms)
        for lane in self._lanes.values():
            lane.clock_stepped_back(by_ms)
        self._limits_told_ms -= by_ms
        self._sweep_at = 0

    def take_symbols_changed(self) -> bool:
        """Whether `symbols_state` differs from what it was when this was last asked."""
        changed, self._symbols_changed = self._symbols_changed, False
        return changed

    def symbols_state(self, symbols: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """What the wire says of these symbols, or of all in the settings' order (docs/protocol.md, `symbols`)."""
        return [self._lanes[symbol].wire_state() for symbol in (self._lanes if symbols is None else symbols)]

    def quality_state(self, now_ms: int) -> dict[str, Any]:
        """What `/api/status` says of the prices: `symbols bad_ticks odd_fields divergences switches` (docs/freshness.md)."""
        return self._noticed.state(self._lanes.values(), now_ms)

    def standings(self, now_ms: int) -> list[Standing]:
        """How every symbol stands, in the settings' order."""
        return [standing(lane, now_ms) for lane in self._lanes.values()]

    def incidents(self) -> dict[str, int]:
        """How often prices were not what they should be: `bad_ticks`, `odd_fields`, `switches`, `divergences`."""
        return self._noticed.counts()

    def _add(self, lane: Lane) -> None:
        self._lanes[lane.symbol] = lane
        for track in lane.tracks:
            self._tracks[track.feed][lane.symbol] = lane, track

    def _hear(self, lane: Lane, track: Track, said: Tick, now_ms: int) -> list[Quote]:
        tick = self._noticed.judge(lane, track, said, now_ms)
        if isinstance(tick, BadTick):
            return self._fail(lane, track, tick, now_ms)
        if track.answers_again():
            self._symbols_changed = True
        limit_ms = track.limit_ms
        if isinstance(said, Correction):
            track.correct(tick, now_ms)
            outcome: Outcome = "news"
        else:
            is_open = lane.quote is None or lane.quote.state != "closed"
            outcome = track.hear(tick, now_ms, lane.believable, partial(lane.agrees, track, now_ms=now_ms), is_open)
        if outcome in ("jump", "backwards"):
            self._noticed.not_believed(lane, track, tick, outcome, now_ms)
        elif outcome == "news":
            lane.believe(track, tick)
        self._limits_changed = self._limits_changed or track.limit_ms != limit_ms or (outcome == "news" and track.is_daily())
        if outcome == "same" and track.steady:  # it stays fresh, only for longer
            return []
        if len(lane.tracks) > 1:
            self._noticed.compare(lane, track, now_ms)
        return self._settle(lane, now_ms)

    def _fail(self, lane: Lane, track: Track, error: FeedError, now_ms: int) -> list[Quote]:
        if track.error is None or reason(track.error) != reason(error):
            self._symbols_changed = True
        if isinstance(error, BadTick):
            self._noticed.no_price(lane, track, error, now_ms)
        track.fail(error)
        return self._settle(lane, now_ms)

    def _choose(self, lane: Lane, verdicts: list[Verdict], now_ms: int) -> int | None:
        """Let the right one of several sources be the one in use; returns its place, `None` where none has a price."""
        tracks = lane.tracks
        index = None if lane.active is None else tracks.index(lane.active)
        usable = lane.usable(verdicts)
        chosen = choose(usable, index, lane.switched_ms, now_ms)
        if chosen is None:  # an old price is better than none
            chosen = next((place for place, track in enumerate(tracks) if track.tick is not None), None)
        if chosen is None or chosen == index:
            return index
        if lane.active is not None and index is not None:
            lane.switched_ms = now_ms
            why = f"{tracks[chosen].feed} is back" if usable[index] else lane.active.trouble(verdicts[index])
            self._noticed.switched(lane, lane.active, tracks[chosen], why, now_ms)
        lane.activate(tracks[chosen])
        return chosen

    def _settle(self, lane: Lane, now_ms: int) -> list[Quote]:
        """Choose the lane's source and state, and publish what differs from the last quote: no update, or one."""
        tracks = lane.tracks
        markets = [track.market(lane.hours, now_ms) for track in tracks]
        verdicts = [track.verdict(market, lane.hours, now_ms) for track, market in zip(tracks, markets, strict=True)]
        if len(tracks) > 1:
            index = self._choose(lane, verdicts, now_ms)
        else:  # as nearly all have: there is nothing to choose
            index = None if tracks[0].tick is None else 0
            if lane.active is None and index is not None:
                lane.activate(tracks[0])
        verdict = Verdict("stale", NEVER) if index is None else verdicts[index]
        if all(map(Track.broken, tracks)):
            verdict = Verdict("failed", verdict.until_ms)
        if lane.take_market(markets[index or 0]):
            self._opened.append(lane.symbol)
        lane.check_at_ms = lane.changes_at_ms if lane.active is None else verdict.until_ms
        self._sweep_at = min(self._sweep_at, lane.check_at_ms)
        volume_of = lane.volume_of()
        if self.volume_of.get(lane.symbol) != volume_of:
            self.volume_of[lane.symbol] = volume_of
            self._symbols_changed = True
        quote = lane.next_quote(verdict.state)
        if quote is not None:
            self._symbols_changed = self._symbols_changed or lane.quote is None
            lane.quote = self.quotes[lane.symbol] = quote
        for track, market in zip(tracks, markets, strict=True):
            track.steady = verdict.state == "fresh" and track is lane.active and not lane.allow_negative and track.is_plain(market)
        return [] if quote is None else [quote]
