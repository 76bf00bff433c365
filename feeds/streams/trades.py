"""What the trades of a stream make of a price, and how one of them is taken back. Pure: no I/O, no clock.

Who tells trades tells now and then that one was none (a cancellation), or another one (a correction). Then the price is that of the trade
before it, and a high or low that it set was not reached. So of each symbol the newest trades are kept, with what others have said in
between (a snapshot, the bar of the day: seen by what they left in the tick), and all of it is gone through again without the trade in
question. What is older is kept in sum: where that is in question too, high and low are unknown rather than wrong, and a snapshot is wanted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple

import msgspec

from feeds.values.conditions import EVERYTHING, Allowed
from ticker.quote import Correction, MarketSession, Tick, correcting

MOST_EVENTS = 64
"""So many events are kept of each symbol: of the busiest the last second, of most the last minutes. Cancellations come within minutes."""
MOST_GONE = 16
"""So many trades that were taken back are remembered, for those who go on telling them."""


class Trade(NamedTuple):
    """A trade as it was told. `made_ms`: `None` where nobody says when."""

    price: float
    made_ms: int | None
    id: object = None
    exchange: object = None
    size: object = None
    allowed: Allowed = EVERYTHING
    session: MarketSession | None = None


class Named(NamedTuple):
    """How a trade is named that is to be taken back, and when that was told."""

    price: float | None
    told_ms: int | None
    id: object = None
    exchange: object = None
    size: object = None


class _State(NamedTuple):
    """What trades move of a tick; as an event, what somebody else has said of it. `None`: nothing."""

    price: float | None = None
    made_ms: int | None = None
    session: MarketSession | None = None
    high: float | None = None
    low: float | None = None


class _Gone(NamedTuple):
    """A trade that is none any more, and between when and when it was made."""

    price: float
    first_ms: int
    last_ms: int


class Trades:
    """The newest trades of one symbol. `day` tells to which trading day a time belongs.

    `unsure`: what is known of the symbol is not enough, and a snapshot is wanted; whoever asks for one sets it back. `lost`: the price
    itself was taken back, with none to put in its place; what comes next holds, though it be older.
    """

    def __init__(self, day: Callable[[int], date]) -> None:
        self.unsure = False
        self.lost = False
        self._day = day
        self._events: deque[Trade | _State] = deque()
        self._base = _State()
        self._left = _State()  # in the tick, when it was seen last
        self._gone: deque[_Gone] = deque(maxlen=MOST_GONE)

    def trade(self, before: Tick | None, trade: Trade, alone: Tick) -> Tick | None:
        """`before` after a trade, which `alone` is the tick of; `None` where it moves nothing: by its conditions, or because it is late."""
        if before is None:
            if not trade.allowed.last:
                return None
            self._forget()
            self._left = _state(alone)
            self._add(trade)
            return alone
        if self._is_of_a_day_before(before, trade.made_ms) or not (trade.allowed.last or trade.allowed.high_low):
            return None
        of_today = self.on_day_of(before, trade.made_ms) if trade.allowed.last else before
        if of_today is before and self._is_of_a_day_after(before, trade.made_ms):
            return None  # it stretches a day that nothing is known of
        self._see(of_today)
        self._add(trade)
        after = _after(self._left, trade)
        if after == self._left:
            return None
        self._left = after
        self.lost = self.lost and (after.price, after.made_ms) == (before.price, before.quote_time)
        return _with(of_today, after, alone)

    def on_day_of(self, before: Tick, made_ms: int | None) -> Tick:
        """`before` without what it says of its day, where that time is of a later one."""
        if not self._is_of_a_day_after(before, made_ms):
            return before
        self._forget()
        self.unsure = True
        return msgspec.structs.replace(before, open=None, high=None, low=None, volume=None, prev_close=None, change=None, change_pct=None)

    def take_back(self, before: Tick | None, named: Named, instead: Trade | None = None) -> Correction | None:
        """`before` as it is without that trade, or with another one in its place; `None` where that changes nothing.

        It is found by its number and exchange, else by its price and size. One that is not found is told by its price alone.
        """
        if before is None:
            return None
        self._see(before)
        events = list(self._events)
        at = self._find(named)
        if at is not None:
            found = events[at]
            assert isinstance(found, Trade)
            first_ms = last_ms = found.made_ms or 0
            events[at : at + 1] = [] if instead is None else [instead._replace(made_ms=found.made_ms, session=found.session)]
            gone = _Gone(found.price, first_ms, last_ms)
        elif named.price is not None:
            gone = _Gone(named.price, 0, named.told_ms or before.quote_time or 0)
            if instead is not None:  # it is the price where the one that is shown is nobody else's
                is_shown = before.price == gone.price and not any(isinstance(one, Trade) and one.price == gone.price for one in events)
                events = [instead._replace(made_ms=before.quote_time if is_shown else 0), *events]
            self._base = _without(self._base, gone)
        else:
            return None
        self._events = deque(
            _without(event, gone) if isinstance(event, _State) and number >= (at or 0) else event for number, event in enumerate(events)
        )
        self._gone.append(gone)
        return self._anew(before)

    def kept(self, news: Tick, before: Tick | None) -> Tick:
        """`news` of somebody who may not have heard yet which trades were taken back: what is theirs is as `before` has it."""
        for gone in self._gone:
            if news.high == gone.price and (before is None or before.high != gone.price):
                news = msgspec.structs.replace(news, high=None if before is None else before.high)
            if news.low == gone.price and (before is None or before.low != gone.price):
                news = msgspec.structs.replace(news, low=None if before is None else before.low)
            if before is not None and _is(gone, news.price, news.quote_time) and not _is(gone, before.price, before.quote_time):
                news = msgspec.structs.replace(news, price=before.price, quote_time=before.quote_time, session=before.session)
        return news

    def joined(self, snapshot: Tick, live: Tick | None) -> Tick:
        """A snapshot, with the price of the stream where that is newer, and without what was taken back."""
        told = self.kept(snapshot, live)
        if live is None:
            return told
        if self.lost and not self.is_gone(told):
            self.lost = False
            return correcting(told)
        if live.quote_time is None or told.quote_time is None or told.quote_time >= live.quote_time:
            return told
        if self._is_of_a_day_after(told, live.quote_time):
            return msgspec.structs.replace(live, bid=told.bid, ask=told.ask)
        state = _state(told)
        for event in self._events:
            if isinstance(event, Trade) and (event.made_ms is None or event.made_ms > told.quote_time):
                state = _after(state, event)
        high, low = _further(max, state.high, live.high), _further(min, state.low, live.low)
        return _with(told, _State(live.price, live.quote_time, live.session, high, low), told)

    def is_gone(self, news: Tick) -> bool:
        """Whether its price is that of a trade that was taken back."""
        return any(_is(gone, news.price, news.quote_time) for gone in self._gone)

    def _anew(self, before: Tick) -> Correction | None:
        """Go through all that is left."""
        state = self._base
        for event in self._events:
            state = _after(state, event)
        if state.price is None:
            self.unsure = self.lost = True
            state = state._replace(price=before.price, made_ms=before.quote_time, session=before.session)
        if (state.high, before.high).count(None) == 1 or (state.low, before.low).count(None) == 1:
            self.unsure = True
        if state == _state(before):
            return None
        self._left = state
        return correcting(_with(before, state, before))

    def _see(self, before: Tick) -> None:
        """Note what others have said since: they left it in the tick."""
        state = _state(before)
        if state != self._left:
            self._add(state)
            self._left = state

    def _add(self, event: Trade | _State) -> None:
        self._events.append(event)
        if len(self._events) > MOST_EVENTS:
            self._base = _after(self._base, self._events.popleft())

    def _find(self, named: Named) -> int | None:
        trades = [(number, event) for number, event in enumerate(self._events) if isinstance(event, Trade)]
        key = named.id, named.exchange
        by_number = [number for number, trade in trades if named.id is not None and (trade.id, trade.exchange) == key]
        by_price = [number for number, trade in trades if (trade.price, trade.size) == (named.price, named.size)]
        return next(reversed(by_number or by_price), None)

    def _forget(self) -> None:
        """Begin anew: another day, or the first price."""
        self._events.clear()
        self._gone.clear()
        self._base = self._left = _State()
        self.lost = False

    def _is_of_a_day_before(self, before: Tick, made_ms: int | None) -> bool:
        return made_ms is not None and before.quote_time is not None and self._day(made_ms) < self._day(before.quote_time)

    def _is_of_a_day_after(self, before: Tick, made_ms: int | None) -> bool:
        return made_ms is not None and before.quote_time is not None and self._day(made_ms) > self._day(before.quote_time)


class TradesOf(dict[str, Trades]):
    """The trades of each symbol of a stream, by its key. `day_of` gives what tells a key's trading days."""

    def __init__(self, day_of: Callable[[str], Callable[[int], date]]) -> None:
        super().__init__()
        self._day_of = day_of

    def __missing__(self, key: str) -> Trades:
        trades = self[key] = Trades(self._day_of(key))
        return trades

    def keep(self, keys: Iterable[str]) -> None:
        """Forget all others."""
        for gone in self.keys() - set(keys):
            del self[gone]

    def unsure(self) -> set[str]:
        """The keys of which a snapshot is wanted, once."""
        keys = {key for key, trades in self.items() if trades.unsure}
        for key in keys:
            self[key].unsure = False
        return keys


def _state(tick: Tick) -> _State:
    return _State(tick.price, tick.quote_time, tick.session, tick.high, tick.low)


def _with(tick: Tick, state: _State, told: Tick) -> Tick:
    """`tick` in that state; `told` is what brought it."""
    assert state.price is not None
    return msgspec.structs.replace(
        tick,
        price=state.price,
        quote_time=state.made_ms,
        session=state.session,
        high=state.high,
        low=state.low,
        change=None,
        change_pct=None,
        odd=told.odd,
        untimed=True if state.made_ms is None else None,
    )


def _after(state: _State, event: Trade | _State) -> _State:
    """The state after a trade: the newest is the price, whenever it is told; after words of others, which hold as they are."""
    if isinstance(event, _State):
        high, low = (state.high if event.high is None else event.high), (state.low if event.low is None else event.low)
        return state._replace(high=high, low=low) if event.price is None else event._replace(high=high, low=low)
    high, low = state.high, state.low
    if event.allowed.high_low:
        high, low = None if high is None else max(high, event.price), None if low is None else min(low, event.price)
    is_newest = state.made_ms is None or event.made_ms is None or event.made_ms >= state.made_ms
    if event.allowed.last and is_newest:
        return _State(event.price, event.made_ms, event.session or state.session, high, low)
    return state._replace(high=high, low=low)


def _further(further: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else further(one, other)


def _without(said: _State, gone: _Gone) -> _State:
    """What others have said, without what they had from that trade."""
    high, low = (None if value == gone.price else value for value in (said.high, said.low))
    if _is(gone, said.price, said.made_ms):
        return _State(high=high, low=low)
    return said._replace(high=high, low=low)


def _is(gone: _Gone, price: float | None, made_ms: int | None) -> bool:
    return price == gone.price and gone.first_ms <= (made_ms or 0) <= gone.last_ms
