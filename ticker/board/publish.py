"""What is published of a symbol. The one place in which a quote is made by position, which takes a third of the time that names take: its
tests hold each field against the tick's by name, so that none comes to stand in another's place.
"""

from __future__ import annotations

import msgspec

from ticker.board.change import MOST_RATIO, change_of
from ticker.board.source_state import SourceState
from ticker.board.symbol_state import SymbolState
from ticker.quote import Quote, State, Tick


def make_quote(symbol_state: SymbolState, source: SourceState, tick: Tick, received_ms: int, state: State, seq: int) -> Quote:
    """`tick` of `source` as the board publishes it. Called thousands of times a second."""
    price, prev_close, change, change_pct = tick.price, tick.prev_close, tick.change, tick.change_pct
    # What is rare is asked for last; the first question is that of `change.strange_base`.
    if prev_close is not None and not (price <= prev_close * MOST_RATIO and prev_close <= price * MOST_RATIO) and not source.is_final:
        if symbol_state.allow_negative:
            change, change_pct = change_of(tick)
        else:
            prev_close = change = change_pct = None
    elif (change is None or change_pct is None or change >= price or price <= 0.0) and not source.is_final:
        change, change_pct = change_of(tick)
    return Quote(
        price,
        tick.bid,
        tick.ask,
        tick.open,
        tick.high,
        tick.low,
        prev_close,
        tick.volume,
        change,
        change_pct,
        tick.currency or symbol_state.settings.currency,
        tick.quote_time,
        tick.delay_min,
        tick.session,
        tick.ext_price,
        tick.ext_change_pct,
        tick.ext_time,
        tick.halted,
        tick.origin,
        tick.hops,
        symbol=symbol_state.symbol,
        received_time=received_ms,
        seq=seq,
        source=source.feed,
        kind=tick.kind or source.kind,
        state=state,
    )


def next_quote(symbol_state: SymbolState, state: State) -> Quote | None:
    """What there is to publish of a symbol now, with its next `seq`, which is taken; `None` where it would be no update."""
    last, active = symbol_state.quote, symbol_state.active
    if active is None or active.tick is None:
        if last is None:
            return None
        quote = msgspec.structs.replace(last, state=state, seq=symbol_state.seq + 1)
    else:
        received_ms = active.received_ms if last is None else max(last.received_time, active.received_ms)
        quote = make_quote(symbol_state, active, active.tick, received_ms, state, symbol_state.seq + 1)
    if last is not None and _same(quote, last):
        return None
    symbol_state.seq = quote.seq
    return quote


def _same(quote: Quote, last: Quote) -> bool:
    """Whether `quote` is no update: equal in every field but `received_time` and `seq`."""
    return msgspec.structs.replace(quote, received_time=last.received_time, seq=last.seq) == last
