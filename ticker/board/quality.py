"""Whether prices are what they should be: which ticks are not believed, which sources disagree. What `/api/status` says of prices."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, NamedTuple

from ticker.board.change import strange_base
from ticker.board.incidents import BadTicks, Disagreements, OddFields, Switches
from ticker.board.sanity import no_price, sound
from ticker.board.source_state import Outcome, Track
from ticker.board.symbol_state import Lane, disagreement
from ticker.calendars.market_hours import NEVER
from ticker.errors import BadTick
from ticker.quote import Tick, encode, plain
from ticker.source import reason


class Standing(NamedTuple):
    """How a symbol stands. `state`: its price's, or `pending` or `rejected` where it has none. `age_s`: how long ago that price was
    surely the newest there was; `None` where there is none."""

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
        return {"bad_ticks": self._bad_ticks.count, "odd_fields": self._odd_fields.count, "switches": self._switches.count,
                "divergences": len(self._disagreements)}

    def forget(self, symbol: str) -> None:
        """The symbol left."""
        self._bad_ticks.forget(symbol)
        self._disagreements.forget(symbol)

    def keep_feeds(self, feeds: Container[str]) -> None:
        """There are no others any more."""
        self._odd_fields.keep(feeds)

    def judge(self, lane: Lane, track: Track, said: Tick, now_ms: int) -> Tick | BadTick:
        """What of a tick can be meant, as it is remembered, or what is wrong with its price. What is left out is told; a previous close
        that no session explains is only where it is a new one, and stays for as long as prices may come back to it.
        """
        flaw = no_price(said, now_ms, lane.allow_negative, track.kind == "replayed")
        for odd in said.odd or ():
            self._odd_fields.note(lane.symbol, track.feed, odd, now_ms)
        if flaw is not None:
            return flaw
        tick, found = sound(said, lane.allow_negative, track.is_final)
        if tick.prev_close != track.base:
            track.base = tick.prev_close
            if not track.is_final and not lane.allow_negative:
                found += strange_base(tick)
        for odd in found:
            self._odd_fields.note(lane.symbol, track.feed, odd, now_ms)
        return plain(tick)

    def no_price(self, lane: Lane, track: Track, error: BadTick, now_ms: int) -> None:
        """There was a number for a price that can't be one. Whoever met it has logged it, if that was the feed."""
        self._bad_ticks.note(lane.symbol, track.feed, "no price", reason(error), error.excerpt, now_ms)

    def not_believed(self, lane: Lane, track: Track, tick: Tick, outcome: Outcome, now_ms: int) -> None:
        """A tick with a good price is not believed, next to what the source said before."""
        if outcome == "jump":
            before = track.tick.price if track.tick else 0.0
            said = f"{tick.price:g} after {before:g}, a jump of more than {lane.jump_limit()}"
        else:
            said = f"made {(track.newest_ms - (tick.quote_time or 0)) / 1000:g} s before the one before it"
        self._bad_ticks.note(lane.symbol, track.feed, outcome, said, encode(tick).decode(), now_ms)

    def compare(self, lane: Lane, heard: Track, now_ms: int) -> None:
        """One of several sources was heard: see which jumps it confirms, and whether the sources agree."""
        for track in lane.tracks:
            if track is not heard and track.doubt is not None and lane.agrees(track, track.doubt.tick, now_ms):
                doubted = track.doubt.tick
                track.take(doubted, now_ms)
                lane.believe(track, doubted)
        active = lane.active
        if active is None:
            return
        for track in lane.tracks if heard is active else (heard,):
            apart = None if track is active else disagreement(lane, track, active, now_ms)
            if apart is not None and apart > lane.most_apart:
                said = f"{apart:.3g}" if lane.allow_negative else f"{apart:.3g} %"
                self._disagreements.note(lane.symbol, track.feed, said, active.feed, now_ms)
            else:
                self._disagreements.clear(lane.symbol, track.feed)

    def switched(self, lane: Lane, left: Track, taken: Track, why: str, now_ms: int) -> None:
        """The symbol comes from another source now."""
        self._switches.note(lane.symbol, left.feed, taken.feed, why, now_ms)

    def state(self, lanes: Iterable[Lane], now_ms: int) -> dict[str, Any]:
        """What `/api/status` says of the prices of `lanes` (docs/freshness.md)."""
        by_symbol = {lane.symbol: lane for lane in lanes}

        def described(symbol: str, feed: str) -> dict[str, Any] | None:
            lane = by_symbol[symbol]
            active = lane.active
            track = next((track for track in lane.tracks if track.feed == feed), None)
            if active is None or track is None or track is active or track.tick is None or active.tick is None:
                return None
            apart = disagreement(lane, track, active, now_ms)
            if apart is None or apart <= lane.most_apart:
                return None
            how = {"apart": apart} if lane.allow_negative else {"apart_pct": round(apart, 4)}
            return {"price": track.tick.price, "source": active.feed, "source_price": active.tick.price, **how}

        return {
            "symbols": [symbol_state(lane, now_ms) for lane in by_symbol.values()],
            "bad_ticks": self._bad_ticks.state(),
            "odd_fields": self._odd_fields.state(),
            "divergences": self._disagreements.state(described),
            "switches": self._switches.state(),
        }


def standing(lane: Lane, now_ms: int) -> Standing:
    """How the symbol of `lane` stands."""
    track = lane.active
    if lane.quote is None:
        return Standing(lane.symbol, lane.status()[0], None)
    return Standing(lane.symbol, lane.quote.state, max(0, now_ms - track.current_ms) / 1000 if track and track.current_ms else None)


def symbol_state(lane: Lane, now_ms: int) -> dict[str, Any]:
    """The limit that is in force for a symbol, where it comes from, and what it is compared with; times in epoch ms, unknown is `None`.

    `error`: what is wrong with its best source that has an error. `current_as_of`: the latest moment at which the price was surely the
    newest there was. `market`: `open`, `extended`, `shut`, `unknown`, and until when.
    """
    track = lane.active or lane.tracks[0]
    market = track.market(lane.hours, now_ms)
    return {
        "symbol": lane.symbol,
        "source": lane.quote.source if lane.quote else None,
        "state": lane.quote.state if lane.quote else None,
        "error": lane.status()[1],
        "stale_after_s": track.limit_in_force_ms(lane.hours) / 1000,
        "stale_after_from": track.limit_from(),
        "current_as_of": track.current_ms or None,
        "market": market.phase,
        "market_until": market.until_ms if lane.hours is not None and market.until_ms < NEVER else None,
    }
