"""How long a price may be believed, and what state it is in. Pure: times are arguments, ms. The table is in docs/freshness.md."""

from __future__ import annotations

from typing import NamedTuple

from ticker.calendars.market_hours import Market
from ticker.quote import Kind, State, Tick, VolumeOf

STALE_MIN_S = 10.0
STALE_INTERVALS = 3.0
STALE_STREAM_S = 30.0


class FeedTerms(NamedTuple):
    """What the board must know of a feed.

    `interval_s`: how often a symbol is polled. `stale_after_s`: the limit its settings name. `cadence_s`: how old its newest prices
    are by nature; a feed of daily rates has the longest time from one rate to the next here. `clock_rate`: how many of its seconds
    pass in one of ours; a recording may be replayed faster. `volume_of`: what its volumes count, where a tick does not say so itself.
    """

    kind: Kind
    interval_s: float
    stale_after_s: float | None = None
    cadence_s: float = 0.0
    clock_rate: float = 1.0
    volume_of: VolumeOf = "24h"

    @property
    def streams(self) -> bool:
        """Whether it talks by itself, so that silence has nothing to do with how often we ask."""
        return self.kind in ("streamed", "relayed", "replayed")


class Verdict(NamedTuple):
    """A state, and until when it holds if nothing is heard."""

    state: State
    until_ms: int


def named_limit_s(symbol_limit_s: float | None, feed: FeedTerms) -> float | None:
    """The limit that the settings name: the symbol's own, else the feed's, else none."""
    return feed.stale_after_s if symbol_limit_s is None else symbol_limit_s


def limit_ms(symbol_limit_s: float | None, feed: FeedTerms, interval_s: float | None = None) -> int:
    """After how much silence a price is stale, ms: the limit that the settings name, else 3 intervals but at least 10 s; streams 30 s.

    `interval_s` is how often the symbol is polled now, where that is not the feed's interval: a limit follows a longer one. What is
    learnt (`ticker.board.learned_limit`) may lengthen the limit that nobody named.
    """
    limit_s = named_limit_s(symbol_limit_s, feed)
    if limit_s is None:
        limit_s = STALE_STREAM_S if feed.streams else max(STALE_INTERVALS * feed.interval_s, STALE_MIN_S)
    if interval_s is not None and interval_s > feed.interval_s:
        limit_s = max(limit_s, STALE_INTERVALS * interval_s)
    return max(1, round(limit_s * 1000 / feed.clock_rate))


def current_ms(tick: Tick, last: Tick | None, received_ms: int, heard_ms: int, allowance_ms: int) -> int:
    """The latest moment at which `tick`, heard again at `heard_ms` and first at `received_ms`, was surely the newest there was.

    A source that gives no times vouches for its price with each answer. One that does is as good as its time: what it repeats does
    not become newer by it, nor does what it repeats without a time (0: nothing new is known). `allowance_ms` is how old its prices are
    by nature (`delay_min`, `cadence_s`). Where the price, the bid or the ask moved since `last` and the time did not, the time is not
    that of the price, and the answer's own counts.
    """
    made_ms = tick.quote_time
    moved = last is None or (tick.price, tick.bid, tick.ask) != (last.price, last.bid, last.ask)
    if made_ms is None:
        if tick.untimed:
            return received_ms if moved else 0
        return heard_ms
    if last is not None and made_ms == last.quote_time and moved:
        return received_ms
    if tick.ext_time is not None and tick.ext_time > made_ms:
        made_ms = tick.ext_time
    return min(heard_ms, min(made_ms, received_ms) + allowance_ms)


def state_at(now_ms: int, market: Market, *, heard_ms: int, current_ms: int, limit_ms: int) -> Verdict:
    """The state of a price whose source last answered at `heard_ms`, and which was the newest there was at `current_ms`."""
    if market.phase == "shut":
        return Verdict("closed", market.until_ms)
    if market.untraded:
        return Verdict("stale", market.until_ms)
    if now_ms < current_ms + limit_ms:
        return Verdict("fresh", min(current_ms + limit_ms, market.until_ms))
    if market.off_hours:
        return Verdict("closed", market.until_ms)
    if market.phase == "extended" and now_ms < heard_ms + limit_ms:  # nobody need trade, so that nobody does is no silence
        return Verdict("closed", min(heard_ms + limit_ms, market.until_ms))
    if market.phase == "open" and now_ms < market.since_ms + limit_ms:  # it has just opened: there need not be a price yet
        return Verdict("closed", min(market.since_ms + limit_ms, market.until_ms))
    return Verdict("stale", market.until_ms)
