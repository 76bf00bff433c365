"""The newest quote of every symbol, and whether it can still be believed. A plain object: no I/O, and the time is an argument.

Each symbol is a `_Lane`; what one feed says of it is a `_Track`, one for each feed in the symbol's `feed`, best first. All tracks
remember their newest tick; one of them is active and is what the lane publishes. `apply` takes in a feed's answer, `sweep` the
passing of time; both return the quotes that are updates, in order, each with the next `seq` of its symbol.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from ticker.backoff import DOWN_AFTER
from ticker.change import change_of
from ticker.errors import FeedError
from ticker.freshness import FeedTerms, limit_ms, state_of
from ticker.quote import Kind, Quote, State, Tick
from ticker.settings.model import SymbolSettings
from ticker.source import Answer, reason
from ticker.sources import choose

FUTURE_LIMIT_MS = 300_000
"""A `quote_time` further ahead of our clock than this is not believed so far as to hold back the quotes after it."""

_NEVER = sys.maxsize


class Changes(NamedTuple):
    """What new settings did to the board: symbols that came and went, and updates of symbols that stayed."""

    added: list[str]
    removed: list[str]
    quotes: list[Quote]


class _Track:
    """One symbol as one feed gives it."""

    __slots__ = ("error", "failures", "feed", "feed_down", "heard_ms", "kind", "lane", "limit_ms", "received_ms", "rejected",
                 "steady", "tick")

    def __init__(self, lane: _Lane, feed: str, feed_down: bool) -> None:
        self.lane = lane
        self.feed = feed
        self.feed_down = feed_down  # as far as is known: a tick proves the contrary
        self.tick: Tick | None = None
        self.received_ms = 0  # when `tick` came first
        self.heard_ms = 0  # when it was last confirmed
        self.failures = 0  # answers running that had an error for this symbol
        self.error: FeedError | None = None
        self.rejected = False  # the provider does not know the symbol
        self.steady = False  # active, published as fresh, no error: the next tick needs no decision

    def take_terms(self, terms: FeedTerms, settings: SymbolSettings) -> None:
        """How its quotes are called and when they are stale."""
        self.kind: Kind = terms.kind
        self.limit_ms = limit_ms(settings.stale_after_s, terms)

    def broken(self) -> bool:
        """Whether it can't be counted on, however new its tick is."""
        return self.rejected or self.feed_down or self.failures >= DOWN_AFTER

    def usable(self, now_ms: int) -> bool:
        """Whether its tick could be shown as fresh now, without a step back in time."""
        if self.tick is None or self.broken() or now_ms - self.heard_ms >= self.limit_ms:
            return False
        made = self.tick.quote_time
        return self is self.lane.active or made is None or made >= self.lane.newest_ms


class _Lane:
    """One symbol: its sources, the one in use, and what was published last."""

    __slots__ = ("active", "newest_ms", "quote", "seq", "settings", "switched_ms", "symbol", "tracks")

    def __init__(self, symbol: str, settings: SymbolSettings, seq: int) -> None:
        self.symbol = symbol
        self.settings = settings
        self.seq = seq
        self.tracks: tuple[_Track, ...] = ()
        self.active: _Track | None = None
        self.switched_ms: int | None = None
        self.newest_ms = 0  # the newest `quote_time` published from the sources it has now
        self.quote: Quote | None = None

    def advance(self, made_ms: int | None, now_ms: int) -> None:
        """A price made at `made_ms` is being published: none that is older may follow."""
        if made_ms is not None and made_ms - now_ms < FUTURE_LIMIT_MS:
            self.newest_ms = made_ms

    def status(self) -> tuple[str, str | None]:
        """`pending`, `live` or `rejected`, and what is wrong with its best source that has an error."""
        shown: str | None = None
        for track in self.tracks:
            if track.error is not None:
                shown = reason(track.error) if len(self.tracks) == 1 else f"{track.feed}: {reason(track.error)}"
                break
        if all(track.rejected for track in self.tracks):
            return "rejected", shown
        return "pending" if self.quote is None else "live", shown


class Board:
    """The newest `Quote` of each symbol, by symbol in `quotes`. `epoch` names this life of the process on the wire."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.quotes: dict[str, Quote] = {}
        self._lanes: dict[str, _Lane] = {}
        self._tracks: dict[str, dict[str, _Track]] = {}  # by feed, by symbol
        self._terms: dict[str, FeedTerms] = {}
        self._down: set[str] = set()
        self._left_at: dict[str, int] = {}  # the last seq of symbols that were removed
        self._sweep_at = _NEVER  # before this moment no fresh quote can turn stale
        self._symbols_changed = False

    def configure(self, symbols: Mapping[str, SymbolSettings], feeds: Mapping[str, FeedTerms], now_ms: int) -> Changes:
        """Take `symbols` as what the board is to hold from now on; `feeds` has the terms of every feed they name.

        A symbol that stays keeps its price, its `seq` and what its remaining sources have said.
        """
        removed = [symbol for symbol in self._lanes if symbol not in symbols]
        for symbol in removed:
            self._left_at[symbol] = self._lanes.pop(symbol).seq
            self.quotes.pop(symbol, None)
        before, self._lanes = self._lanes, {}
        unchanged = {feed for feed, terms in feeds.items() if self._terms.get(feed) == terms}
        self._terms = dict(feeds)
        self._tracks = {feed: {} for feed in feeds}
        added: list[str] = []
        quotes: list[Quote] = []
        for symbol, settings in symbols.items():
            lane = before.get(symbol)
            if lane is None:
                lane = _Lane(symbol, settings, self._left_at.pop(symbol, 0))
                added.append(symbol)
            elif lane.settings == settings and unchanged.issuperset(settings.feed):
                self._add(lane)
                continue
            self._set_sources(lane, settings)
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
            track = tracks.get(symbol)
            if track is None:
                continue
            if track.steady and isinstance(news, Tick):
                # The rule: thousands of times a second. All that `_hear` would decide is known already.
                track.heard_ms = now_ms
                if news == track.tick:
                    continue
                lane = track.lane
                made = news.quote_time
                if made is not None:
                    if made < lane.newest_ms:
                        continue
                    if made - now_ms < FUTURE_LIMIT_MS:
                        lane.newest_ms = made
                track.tick = news
                track.received_ms = now_ms
                lane.seq += 1
                lane.quote = quotes[symbol] = quote = _quote(lane, track, news, now_ms, "fresh")
                accepted.append(quote)
            elif isinstance(news, Tick):
                accepted += self._hear(track, news, now_ms)
            else:
                accepted += self._fail(track, news, now_ms)
        return accepted

    def set_feed_down(self, feed: str, down: bool, now_ms: int) -> list[Quote]:
        """Take in that `feed` is down (five failures running) or up again; returns the updates that follow."""
        if down:
            self._down.add(feed)
        else:
            self._down.discard(feed)
        accepted: list[Quote] = []
        for track in self._tracks.get(feed, {}).values():
            if track.feed_down != down:
                track.feed_down = down
                accepted += self._settle(track.lane, now_ms)
        return accepted

    def restart_feed(self, feed: str, now_ms: int) -> list[Quote]:
        """Forget what `feed` did wrong and how new its prices were: its source was replaced. Returns the updates that follow."""
        self._down.discard(feed)
        accepted: list[Quote] = []
        for track in self._tracks.get(feed, {}).values():
            if track is track.lane.active:
                track.lane.newest_ms = 0
            if track.error is not None or track.feed_down:
                track.failures, track.error, track.rejected, track.feed_down = 0, None, False, False
                self._symbols_changed = True
                accepted += self._settle(track.lane, now_ms)
        return accepted

    def sweep(self, now_ms: int) -> list[Quote]:
        """Take in that time has passed; returns the updates: quotes that turned stale, or come from another source now.

        Nearly free: an answer only ever moves the moment a price turns stale away, so nothing need be looked at before `_sweep_at`.
        """
        accepted: list[Quote] = []
        if now_ms < self._sweep_at:
            return accepted
        self._sweep_at = _NEVER
        for lane in self._lanes.values():
            active = lane.active
            if active is None or lane.quote is None or lane.quote.state != "fresh":
                continue
            due = active.heard_ms + active.limit_ms
            if due <= now_ms:
                accepted += self._settle(lane, now_ms)
            elif due < self._sweep_at:
                self._sweep_at = due
        return accepted

    def clock_stepped_back(self, by_ms: int) -> None:
        """The wall clock was set back: move what was measured with it along.

        Else nothing would turn stale for `by_ms`, and prices that we date ourselves would count as older than the last one.
        """
        for tracks in self._tracks.values():
            for track in tracks.values():
                track.heard_ms -= by_ms
        for lane in self._lanes.values():
            lane.newest_ms -= by_ms
            if lane.switched_ms is not None:
                lane.switched_ms -= by_ms
        self._sweep_at = 0

    def take_symbols_changed(self) -> bool:
        """Whether `symbols_state` differs from what it was when this was last asked."""
        changed, self._symbols_changed = self._symbols_changed, False
        return changed

    def symbols_state(self) -> list[dict[str, Any]]:
        """What the wire says of the symbols, in the settings' order (docs/protocol.md, `symbols`)."""
        return [_symbol_state(lane) for lane in self._lanes.values()]

    def _add(self, lane: _Lane) -> None:
        self._lanes[lane.symbol] = lane
        for track in lane.tracks:
            self._tracks[track.feed][lane.symbol] = track

    def _set_sources(self, lane: _Lane, settings: SymbolSettings) -> None:
        """Give `lane` its tracks, best first; those it had stay, unless they ask for something else now."""
        before = lane.settings
        lane.settings = settings
        had = {track.feed: track for track in lane.tracks if before.options.get(track.feed) == settings.options.get(track.feed)}
        tracks = []
        for feed in settings.feed:
            track = had.get(feed) or _Track(lane, feed, feed in self._down)
            track.take_terms(self._terms[feed], settings)
            tracks.append(track)
        lane.tracks = tuple(tracks)
        if lane.active not in tracks:
            # Nobody vouches for the published price any more, nor must the next source's be newer.
            lane.active, lane.switched_ms, lane.newest_ms = None, None, 0

    def _hear(self, track: _Track, tick: Tick, now_ms: int) -> list[Quote]:
        lane = track.lane
        track.heard_ms = now_ms
        track.feed_down = False
        if track.error is not None:
            track.error, track.failures, track.rejected = None, 0, False
            self._symbols_changed = True
        older = track is lane.active and tick.quote_time is not None and tick.quote_time < lane.newest_ms
        if tick != track.tick and not older:
            track.tick = tick
            track.received_ms = now_ms
            if track is lane.active:
                lane.advance(tick.quote_time, now_ms)
        return self._settle(lane, now_ms)

    def _fail(self, track: _Track, error: FeedError, now_ms: int) -> list[Quote]:
        track.failures += 1
        track.rejected = error.rejects_symbol
        if track.error is None or reason(track.error) != reason(error):
            self._symbols_changed = True
        track.error = error
        return self._settle(track.lane, now_ms)

    def _settle(self, lane: _Lane, now_ms: int) -> list[Quote]:
        """Choose the lane's source and state, and publish what differs from the last quote: no update, or one."""
        tracks = lane.tracks
        index = None if lane.active is None else tracks.index(lane.active)
        chosen = choose([track.usable(now_ms) for track in tracks], index, lane.switched_ms, now_ms)
        if chosen is not None and chosen != index:
            lane.switched_ms = None if index is None else now_ms
            lane.active = active = tracks[chosen]
            lane.advance(active.tick.quote_time if active.tick else None, now_ms)
        updates = self._publish(lane, now_ms)
        fresh = lane.quote is not None and lane.quote.state == "fresh"
        for track in tracks:
            track.steady = fresh and track is lane.active and track.error is None
        if fresh and lane.active is not None:
            self._sweep_at = min(self._sweep_at, lane.active.heard_ms + lane.active.limit_ms)
        return updates

    def _publish(self, lane: _Lane, now_ms: int) -> list[Quote]:
        last, active = lane.quote, lane.active
        broken = all(track.broken() for track in lane.tracks)
        if active is None or active.tick is None:
            if last is None:
                return []
            state: State = "failed" if broken else "stale"
            quote = msgspec.structs.replace(last, state=state)
        else:
            state = state_of(silent_ms=now_ms - active.heard_ms, limit_ms=active.limit_ms, every_source_broken=broken)
            received_ms = active.received_ms if last is None else max(last.received_time, active.received_ms)
            quote = _quote(lane, active, active.tick, received_ms, state)
        if last is not None and _same(quote, last):
            return []
        self._symbols_changed = self._symbols_changed or last is None
        lane.seq += 1
        lane.quote = self.quotes[lane.symbol] = msgspec.structs.replace(quote, seq=lane.seq)
        return [lane.quote]


def _quote(lane: _Lane, track: _Track, tick: Tick, received_ms: int, state: State) -> Quote:
    change, change_pct = tick.change, tick.change_pct
    if change is None or change_pct is None:
        change, change_pct = change_of(tick)
    return Quote(
        price=tick.price, bid=tick.bid, ask=tick.ask, open=tick.open, high=tick.high, low=tick.low, prev_close=tick.prev_close,
        volume=tick.volume, change=change, change_pct=change_pct, currency=tick.currency or lane.settings.currency,
        quote_time=tick.quote_time, delay_min=tick.delay_min, session=tick.session, ext_price=tick.ext_price,
        ext_change_pct=tick.ext_change_pct, ext_time=tick.ext_time, origin=tick.origin, hops=tick.hops,
        symbol=lane.symbol, received_time=received_ms, seq=lane.seq, source=track.feed, kind=track.kind, state=state,
    )


def _same(quote: Quote, last: Quote) -> bool:
    """Whether `quote` is no update: equal in every field but `received_time` and `seq`."""
    return msgspec.structs.replace(quote, received_time=last.received_time, seq=last.seq) == last


def _symbol_state(lane: _Lane) -> dict[str, Any]:
    settings, quote = lane.settings, lane.quote
    status, error = lane.status()
    in_force = lane.active or lane.tracks[0]
    return {
        "symbol": lane.symbol,
        "name": settings.name,
        "decimals": settings.decimals,
        "group": list(settings.group),
        "feed": settings.feed[0] if len(settings.feed) == 1 else list(settings.feed),
        "currency": settings.currency or (quote.currency if quote else None),
        "stale_after_s": in_force.limit_ms / 1000,
        "status": status,
        "error": error,
    }
