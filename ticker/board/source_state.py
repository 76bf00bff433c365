"""One symbol as one feed gives it: its newest tick, whether that is believed, and what is wrong with the source. What follows from that at
a given moment is told in `ticker.board.source_verdict`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from ticker.board.freshness import FeedTerms, current_ms, limit_ms, named_limit_s
from ticker.board.learned_limit import LearnedLimit
from ticker.board.outliers import FORGET_MS, Band
from ticker.board.sanity import INFINITY, is_surely_sound
from ticker.board.unconfirmed_jump import UnconfirmedJump
from ticker.calendars.market_hours import PriceMove
from ticker.errors import FeedError
from ticker.feed_state import DOWN_AFTER
from ticker.quote import Kind, Tick, VolumeOf
from ticker.settings.model import SymbolSettings

FUTURE_LIMIT_MS = 300_000
"""A `quote_time` further ahead of our clock than this does not hold back the ticks that come after it with an earlier one."""

TickOutcome = Literal["news", "same", "backwards", "jump"]
"""What came of a tick. `news`: it is the newest now. `same`: it was heard before. It is not believed where it was made before the last one
(`backwards`), or is too far from it (`jump`).
"""


class NextLimit(NamedTuple):
    """A limit that takes hold with the next answer, or at `at_ms` where none comes before."""

    limit_ms: int
    at_ms: int


class SourceState:
    """What a symbol knows from one of its sources."""

    __slots__ = ("base", "cadence_ms", "current_ms", "error", "failures", "feed", "feed_down", "heard_ms", "interval_ms",
                 "is_daily_here", "is_final", "is_reference", "kind", "learned_limit", "limit_is_named", "limit_is_the_symbols",
                 "limit_ms", "moved", "newest_ms", "next_limit", "received_ms", "rejected", "session_since_ms", "shortest_ms",
                 "steady", "tick", "unconfirmed", "volume_of")  # fmt: skip

    def __init__(self, feed: str, feed_down: bool) -> None:
        self.feed = feed
        self.feed_down = feed_down  # as far as is known: a tick proves the contrary
        self.tick: Tick | None = None
        self.is_reference = False  # the next price is measured by that of `tick`
        self.received_ms = 0  # when `tick` came first
        self.heard_ms = 0  # when the source last answered, whatever it said
        self.current_ms = 0  # the latest moment at which `tick` was surely the newest there was
        self.newest_ms = 0  # the newest `quote_time` that is believed
        self.session_since_ms = 0  # when `tick.session` came to be what it is; 0: it was so from the start
        self.moved: PriceMove | None = None  # the last time its price became another one, as far as `take` saw
        self.unconfirmed: UnconfirmedJump | None = None  # a jump that nothing has confirmed yet
        self.base: float | None = None  # the previous close that was judged last
        self.failures = 0  # answers running that had an error for this symbol
        self.error: FeedError | None = None
        self.rejected = False  # the provider does not know the symbol
        self.next_limit: NextLimit | None = None
        self.learned_limit: LearnedLimit | None = None  # where nobody named a limit
        self.steady = False  # the next tick needs no decision, if it is like the one before

    def take_terms(self, terms: FeedTerms, settings: SymbolSettings, interval_s: float | None) -> None:
        """How its quotes are called and when they are stale. `interval_s`: how often the symbol is polled, if not as the feed is."""
        self.next_limit = None
        self.kind: Kind = terms.kind
        self.is_final = terms.kind in ("relayed", "replayed")  # another board has judged, and computed what changed
        self.volume_of: VolumeOf = terms.volume_of
        self.cadence_ms = round(terms.cadence_s * 1000)
        self.interval_ms = 0 if terms.streams else round((interval_s or terms.interval_s) * 1000)
        self.shortest_ms = limit_ms(settings.stale_after_s, terms, interval_s)
        self.limit_is_named = named_limit_s(settings.stale_after_s, terms) is not None
        self.limit_is_the_symbols = settings.stale_after_s is not None
        self.is_daily_here = settings.cadence == "day"
        if self.limit_is_named or terms.kind in ("simulated", "replayed", "relayed"):
            self.learned_limit = None
        elif self.learned_limit is None:
            self.learned_limit = LearnedLimit()
        self.limit_ms = self.learned_limit.limit_ms(self.shortest_ms) if self.learned_limit else self.shortest_ms

    def take_interval(self, terms: FeedTerms, settings: SymbolSettings, interval_s: float | None, now_ms: int) -> None:
        """The symbol is polled at another interval from now on.

        A longer limit takes hold at once. A shorter one with the first answer, else the price would be called stale the moment
        somebody looks; or where there is none, once it is over.
        """
        limit_ms = self.limit_ms
        self.take_terms(terms, settings, interval_s)
        if self.limit_ms < limit_ms:
            self.next_limit = NextLimit(self.limit_ms, now_ms + self.limit_ms)
            self.limit_ms = limit_ms

    def take_next_limit(self) -> None:
        """The limit that was to take hold later takes hold now, if there is one."""
        if self.next_limit is not None:
            self.limit_ms, self.next_limit = self.next_limit.limit_ms, None

    def broken(self) -> bool:
        """Whether it can't be counted on, however new its tick is."""
        return self.rejected or self.feed_down or self.failures >= DOWN_AFTER

    def delay_ms(self) -> int:
        """How far its prices are behind the market."""
        delay_min = self.tick.delay_min if self.tick else None
        return round(delay_min * 60_000) if delay_min else 0

    def allowance_ms(self) -> int:
        """How old its prices may be by nature. From one day's rate to the next, the delay of a day is part of it."""
        return max(self.cadence_ms, self.delay_ms())

    def is_daily(self) -> bool:
        """Whether its price holds until the next day's is overdue: by the settings or by the source's own word.

        A limit that the symbol's settings name goes before that; so does whoever is nearer to the source, or a recording's own clock.
        """
        tick = self.tick
        return (
            tick is not None
            and (self.is_daily_here or tick.cadence == "day")
            and not self.limit_is_the_symbols
            and tick.upstream_state is None
            and not self.is_final
        )

    def follow(self, tick: Tick, now_ms: int, lowest: float, highest: float) -> bool:
        """Believe a tick of a `steady` source in which only what always moves has moved, not too far and not back in time: all that `hear`
        would find and the board decide of it is known already. Thousands of times a second. Returns whether it is such a one.

        `lowest` and `highest` are those of the `Band` of a symbol whose prices are above zero. What is not surely sound is refused.
        """
        last, made_ms = self.tick, tick.quote_time
        if (
            last is None
            or not last.price * lowest <= tick.price <= last.price * highest < INFINITY
            or tick.session != last.session
            or tick.delay_min != last.delay_min
            or tick.prev_close != last.prev_close
            or tick.volume_of != last.volume_of
            or tick.halted is not None
            or tick.cadence is not None
            or tick.untimed is not None
            or tick.odd is not None
            or tick.ext_time is not None
            or tick.ext_price is not None
            or tick.ext_change_pct is not None
            or (tick.upstream_state is not None and tick.upstream_state != "fresh")
            or not is_surely_sound(tick)
        ):
            return False
        current_ms = now_ms
        if made_ms is None:
            if tick == last:
                return False
        else:
            if not self.newest_ms < made_ms <= now_ms:
                return False
            if tick.upstream_state is None:  # else somebody nearer to the source knows
                proven_ms = made_ms if tick.delay_min is None else min(now_ms, made_ms + self.delay_ms())
                current_ms = proven_ms if proven_ms > self.current_ms else self.current_ms
                if now_ms >= current_ms + self.limit_ms:
                    return False
            self.newest_ms = made_ms
        if self.learned_limit is not None:
            self.learn(now_ms - self.current_ms, now_ms - self.heard_ms, now_ms)
        self.tick, self.current_ms = tick, current_ms
        self.heard_ms = self.received_ms = now_ms
        return True

    def hear(self, tick: Tick, now_ms: int, believable: Band, agreed: Callable[[Tick], bool], learn: bool) -> TickOutcome:
        """Take in what the source says.

        A price beyond what is `believable` after the one before is unconfirmed until the source says so again, or another one agrees.
        What another board has believed already needs no confirmation, and its times go back where that board has restored an older price.
        `learn`: the market is open, so that the silence until now is how long the source is usually silent.
        """
        last, heard_ms = self.tick, self.heard_ms
        self.heard_ms = now_ms
        self.take_next_limit()
        if last is None:
            self.take(tick, now_ms)
            return "news"
        if tick == last:
            self.unconfirmed = None
            self._is_current(tick, last, self.received_ms, now_ms)
            return "same"
        made_ms = tick.quote_time
        if made_ms is not None and made_ms < self.newest_ms and not self.is_final:
            return "backwards"
        jumps = self.is_reference and not self.is_final and now_ms - heard_ms <= FORGET_MS and not believable.holds(tick.price, last.price)
        unconfirmed = self.unconfirmed
        if jumps and not (unconfirmed is not None and unconfirmed.confirmed(tick, last, now_ms, believable)) and not agreed(tick):
            self.unconfirmed = UnconfirmedJump(tick, now_ms) if unconfirmed is None else unconfirmed.heard(tick, last, now_ms, believable)
            return "jump"
        before_ms = self.current_ms
        if made_ms is not None and made_ms < self.newest_ms:  # another board has restored it
            self.newest_ms = 0
        self.take(tick, now_ms)
        if learn and self.current_ms > before_ms and not last.halted and not tick.halted:
            self.learn(now_ms - before_ms, now_ms - heard_ms, now_ms)
        return "news"

    def correct(self, tick: Tick, now_ms: int) -> None:
        """The source takes back what it said, and says `tick` instead: it holds, whatever its time and its price."""
        self.heard_ms = now_ms
        self.take_next_limit()
        self.newest_ms = 0
        self.take(tick, now_ms)

    def learn(self, lapse_ms: int, silence_ms: int, now_ms: int) -> bool:
        """A price came when the one before was `lapse_ms` old, `silence_ms` after the last answer; returns whether the limit changed.

        Where polls were further apart than they should be, the silence was not the source's own.
        """
        if self.learned_limit is None or (self.interval_ms and silence_ms > max(2 * self.interval_ms, 5_000)):
            return False
        self.learned_limit.note(lapse_ms, now_ms)
        limit_ms, self.limit_ms = self.limit_ms, self.learned_limit.limit_ms(self.shortest_ms)
        return limit_ms != self.limit_ms

    def take(self, tick: Tick, now_ms: int) -> None:
        """Believe `tick`."""
        last, self.tick, self.unconfirmed = self.tick, tick, None
        if last is None or not _differs_in_state_only(tick, last):
            self.received_ms = now_ms
        made_ms = tick.quote_time
        if last is not None and last.delay_min != tick.delay_min:  # the market of before was another one's view
            self.moved = None
        elif last is not None and self.is_reference and tick.price != last.price:
            delay_ms = self.delay_ms()  # without a time it was made after the one before was the newest there was
            self.moved = PriceMove(now_ms, self.current_ms - delay_ms if made_ms is None else min(made_ms, now_ms - delay_ms))
        self.is_reference = True
        if last is not None and last.session != tick.session:
            self.session_since_ms = now_ms
        if made_ms is not None and self.newest_ms < made_ms < now_ms + FUTURE_LIMIT_MS:
            self.newest_ms = made_ms
        self._is_current(tick, last, now_ms, now_ms)

    def fail(self, error: FeedError) -> None:
        """The source has no price, and says why."""
        self.failures += 1
        self.rejected = error.rejects_symbol
        self.error = error

    def answers_again(self) -> bool:
        """The source has said something; returns whether it had an error before."""
        self.feed_down = False
        had, self.error, self.failures, self.rejected = self.error is not None, None, 0, False
        return had

    def restart(self) -> None:
        """Its source was replaced: forget what that did wrong, and how new its prices were."""
        self.newest_ms, self.unconfirmed, self.is_reference = 0, None, False
        self.answers_again()

    def clock_stepped_back(self, by_ms: int) -> None:
        """The wall clock was set back: move what was measured with it along."""
        self.heard_ms -= by_ms
        self.received_ms -= by_ms
        self.current_ms -= by_ms
        self.newest_ms -= by_ms
        self.session_since_ms = max(0, self.session_since_ms - by_ms)
        if self.moved is not None:
            self.moved = PriceMove(self.moved.at_ms - by_ms, self.moved.after_ms - by_ms)
        if self.next_limit is not None:
            self.next_limit = self.next_limit._replace(at_ms=self.next_limit.at_ms - by_ms)
        if self.unconfirmed is not None:
            self.unconfirmed.clock_stepped_back(by_ms)
        if self.learned_limit is not None:
            self.learned_limit.clock_stepped_back(by_ms)

    def _is_current(self, tick: Tick, last: Tick | None, received_ms: int, now_ms: int) -> None:
        """`tick` was heard now: draw the conclusion as to how long it has surely been the newest there is."""
        if self.kind == "replayed" or tick.upstream_state is not None:  # times of a recording; or somebody nearer to the source knows
            self.current_ms = now_ms
        else:
            self.current_ms = max(self.current_ms, current_ms(tick, last, received_ms, now_ms, self.allowance_ms()))


def _differs_in_state_only(tick: Tick, last: Tick) -> bool:
    """Whether a source that knows the state tells a new one of the very price it told before."""
    return tick.upstream_state != last.upstream_state and msgspec.structs.replace(tick, upstream_state=last.upstream_state) == last
