"""What a source's price of a symbol is worth at a moment: how its market stands, what state the price is in, and for how long."""

from __future__ import annotations

from ticker.board.cadence import overdue_ms
from ticker.board.freshness import STALE_INTERVALS, Verdict, state_at
from ticker.board.source_state import SourceState
from ticker.calendars.market_hours import SESSION_LASTS_MS, Hours, Market, StatedSession, market_at
from ticker.wire import LimitFrom


def market_of(source: SourceState, hours: Hours | None, now_ms: int) -> Market:
    """The market as a source shows it, by the calendar's `hours` or by the source's own word."""
    tick = source.tick
    stated = None
    if tick is not None and tick.session is not None:
        session, until_ms = tick.session, source.heard_ms + max(source.limit_ms, round(STALE_INTERVALS * source.interval_ms))
        made_ms = max(tick.quote_time or 0, tick.ext_time or 0)
        if made_ms and session in SESSION_LASTS_MS and not source.is_final:
            over_ms = made_ms + source.delay_ms() + SESSION_LASTS_MS[session]
            session, until_ms = ("closed", until_ms) if now_ms >= over_ms else (session, min(until_ms, over_ms))
        stated = StatedSession(session, source.session_since_ms, until_ms)
    return market_at(now_ms, hours, source.delay_ms(), stated, source.moved)


def verdict_of(source: SourceState, market: Market, hours: Hours | None, now_ms: int) -> Verdict:
    """The state that a source's price is in while the source works. Where trading is halted, nothing newer comes until the source says
    otherwise.
    """
    if source.next_limit is not None and now_ms >= source.next_limit.at_ms:
        source.take_next_limit()
    told = source.tick.upstream_state if source.tick else None
    if told is not None and told != "fresh" and now_ms < source.heard_ms + source.limit_ms:
        return Verdict(told, source.heard_ms + source.limit_ms)
    if told is None and source.tick is not None and source.tick.halted:
        verdict = Verdict("closed", market.until_ms)
    elif source.is_daily():
        overdue_ms = _overdue_ms(source, hours)
        verdict = Verdict("fresh", min(overdue_ms, market.until_ms)) if now_ms < overdue_ms else Verdict("stale", market.until_ms)
    else:
        verdict = state_at(now_ms, market, heard_ms=source.heard_ms, current_ms=source.current_ms, limit_ms=source.limit_ms)
    return verdict if source.next_limit is None else verdict._replace(until_ms=min(verdict.until_ms, source.next_limit.at_ms))


def needs_no_decision(source: SourceState, market: Market) -> bool:
    """Whether the next tick of a source needs no decision if only what always moves has moved: nothing about the source is unconfirmed,
    overdue or late, and that its price moves says nothing of the market.
    """
    tick = source.tick
    return (
        source.next_limit is None
        and source.error is None
        and not source.feed_down
        and source.unconfirmed is None
        and source.cadence_ms == 0
        and source.kind != "replayed"
        and not market.off_hours
        and not source.is_daily()
        and tick is not None
        and tick.untimed is None
        and tick.session in (None, "regular")
        and tick.upstream_state in (None, "fresh")
    )


def trouble_of(source: SourceState, verdict: Verdict) -> str:
    """Why a source can't be used, in words."""
    if source.rejected:
        return "the symbol is rejected"
    if source.feed_down:
        return "the feed is down"
    return f"{source.failures} errors running" if source.broken() else verdict.state


def circumstances(source: SourceState, market: Market, hours: Hours | None, now_ms: int) -> str:
    """What the state of a source's price follows from, in words, for the log."""
    if source.broken():
        return trouble_of(source, Verdict("failed", now_ms))
    limit = f"stale after {limit_in_force_ms(source, hours) / 1000:g} s ({limit_from(source)})"
    if source.tick is None:
        return f"no price yet, {limit}, market {market.phase}"
    upstream = f", {source.tick.upstream_state} by its own word" if source.tick.upstream_state else ""
    halted = ", halted" if source.tick.halted else ""
    age = f"{(now_ms - source.current_ms) / 1000:.1f} s old" if source.current_ms else "of unknown age"
    return f"last answer {(now_ms - source.heard_ms) / 1000:.1f} s ago, price {age}, {limit}, market {market.phase}{upstream}{halted}"


def limit_in_force_ms(source: SourceState, hours: Hours | None) -> int:
    """After how much silence a source's price is stale: the limit, or for a price a day how long after its own time the next is overdue."""
    return _overdue_ms(source, hours) - _made_ms(source) if source.is_daily() else source.limit_ms


def limit_from(source: SourceState) -> LimitFrom:
    """Where that limit comes from: `cadence`, `settings`, `learnt` or `interval`."""
    if source.is_daily():
        return "cadence"
    return "settings" if source.limit_is_named else "learnt" if source.limit_ms > source.shortest_ms else "interval"


def _made_ms(source: SourceState) -> int:
    """When its price was made; where the source does not say, when it came first."""
    made_ms = source.tick.quote_time if source.tick else None
    return source.received_ms if made_ms is None else min(made_ms, source.received_ms)


def _overdue_ms(source: SourceState, hours: Hours | None) -> int:
    made_ms = _made_ms(source)
    holds_ms = source.cadence_ms + source.limit_ms if source.cadence_ms else 0  # the feed's own word, as for its prices of any other kind
    return max(overdue_ms(made_ms, hours), made_ms + holds_ms)
