"""What trades make of a price, and how one is taken back."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.streams.trades import MOST_EVENTS, Named, Trade, Trades, TradesOf
from feeds.values.conditions import Allowed
from ticker.quote import Correction, Tick

AT_MS = 1_796_050_800_000
HIDDEN, STRETCHING = Allowed(last=False, high_low=False), Allowed(last=False)
DAY = Tick(price=271.0, bid=270.9, open=268.0, high=272.0, low=267.5, prev_close=266.0, volume=1000.0, quote_time=AT_MS, currency="USD")


def day_of(made_ms: int) -> date:
    """Days of Greenwich will do."""
    return datetime.fromtimestamp(made_ms / 1000, UTC).date()


class Tape:
    """Trades of a symbol, and the tick that they have made so far."""

    def __init__(self, tick: Tick | None = DAY) -> None:
        self.trades = Trades(day_of)
        self.tick = tick

    def trade(self, price: float, after_s: float, id: int = 0, allowed: Allowed | None = None) -> Tick | None:
        """One more, so many seconds after the tick at the beginning."""
        made_ms = AT_MS + round(1000 * after_s)
        trade = Trade(price, made_ms, id, "D", 100, allowed or Allowed(), "regular")
        return self.take(self.trades.trade(self.tick, trade, Tick(price=price, quote_time=made_ms, currency="USD", session="regular")))

    def take_back(
        self,
        price: float | None,
        id: object = None,
        size: object = None,
        told_s: float = 60.0,
        instead: float | None = None,
        allowed: Allowed | None = None,
    ) -> Correction | None:
        """One less, or another one."""
        named = Named(price, AT_MS + round(1000 * told_s), id, "D", size)
        other = None if instead is None else Trade(instead, None, "new", "D", 100, allowed or Allowed())
        correction = self.trades.take_back(self.tick, named, other)
        assert correction is None or type(correction) is Correction
        self.take(correction)
        return correction

    def take(self, tick: Tick | None) -> Tick | None:
        """Remember it, as a session does."""
        if tick is not None:
            self.tick = Tick(**{name: getattr(tick, name) for name in Tick.__struct_fields__})
        return tick

    @property
    def shown(self) -> tuple[float, int, float | None, float | None]:
        """Price, seconds, high, low."""
        assert self.tick is not None
        assert self.tick.quote_time is not None
        return self.tick.price, (self.tick.quote_time - AT_MS) // 1000, self.tick.high, self.tick.low


def test_a_trade_moves_the_price_and_stretches_the_day() -> None:
    """What it was before stays beside it; a change that somebody stated does not."""
    tape = Tape(Tick(price=1.0, high=2.0, low=1.0, change=0.5, change_pct=1.0, quote_time=AT_MS, prev_close=0.9))
    assert tape.trade(3.0, 1) == Tick(price=3.0, high=3.0, low=1.0, quote_time=AT_MS + 1000, prev_close=0.9, session="regular")


def test_the_first_trade_is_a_tick() -> None:
    """Unless it is none that sets the price."""
    tape = Tape(None)
    assert tape.trade(271.0, 0, allowed=HIDDEN) is None
    assert tape.trade(271.0, 0) == Tick(price=271.0, quote_time=AT_MS, currency="USD", session="regular")


def test_a_trade_sets_what_it_may() -> None:
    """High and low without the price, or nothing: that is no news."""
    tape = Tape()
    assert tape.trade(299.0, 1, allowed=HIDDEN) is None
    assert tape.trade(273.0, 2, allowed=STRETCHING) is not None
    assert tape.shown == (271.0, 0, 273.0, 267.5)
    assert tape.trade(271.5, 3, allowed=STRETCHING) is None


def test_a_late_trade_stretches_the_day_and_is_not_the_price() -> None:
    """They need not come in order."""
    tape = Tape()
    tape.trade(271.2, 5)
    assert tape.trade(271.1, 4) is None
    tape.trade(273.0, 3)
    assert tape.shown == (271.2, 5, 273.0, 267.5)


def test_a_new_day_begins_without_the_old_one() -> None:
    """What is known of the day before is not known of this one, so a snapshot is wanted."""
    tape = Tape()
    tape.trade(271.2, 5, id=1)
    assert tape.trade(280.0, 86_400, id=2, allowed=STRETCHING) is None
    wanted = [tape.trades.unsure]
    assert tape.trade(274.0, 86_401, id=3) == Tick(price=274.0, bid=270.9, quote_time=AT_MS + 86_401_000, currency="USD", session="regular")
    assert [*wanted, tape.trades.unsure] == [False, True]
    assert tape.trade(100.0, 6, id=4) is None
    assert tape.take_back(274.0, id=3) is not None
    assert tape.shown == (271.2, 5, None, None)


def test_a_cancelled_trade_was_none() -> None:
    """Price, time, high and low are those of before; and what comes then is later than those again."""
    tape = Tape()
    tape.trade(271.5, 1, id=1)
    tape.trade(299.01, 2, id=2)
    assert tape.shown == (299.01, 2, 299.01, 267.5)
    correction = tape.take_back(299.01, id=2)
    assert correction is not None
    assert (correction.bid, correction.prev_close, correction.currency) == (270.9, 266.0, "USD")
    assert tape.shown == (271.5, 1, 272.0, 267.5)
    assert not tape.trades.unsure
    tape.trade(271.6, 1.5)
    assert tape.shown[0] == 271.6


def test_a_corrected_trade_was_another_one() -> None:
    """At its time; by its own conditions."""
    tape = Tape()
    tape.trade(271.5, 1, id=1)
    tape.trade(299.01, 2, id=2)
    tape.take_back(299.01, id=2, instead=272.5)
    assert tape.shown == (272.5, 2, 272.5, 267.5)
    tape.take_back(272.5, id="new", instead=300.0, allowed=HIDDEN)
    assert tape.shown == (271.5, 1, 272.0, 267.5)


def test_one_that_is_not_shown_is_no_news() -> None:
    """Another is the price since, and it was neither the highest nor the lowest; nor is one that nobody heard of."""
    tape = Tape()
    tape.trade(271.5, 1, id=1)
    tape.trade(271.6, 2, id=2)
    assert tape.take_back(271.5, id=1) is None
    assert tape.take_back(270.0, id=99) is None
    assert tape.take_back(None, id=99) is None
    assert Tape(None).take_back(271.5, id=1) is None


def test_a_false_high_goes_though_the_price_has_moved_on() -> None:
    """And a false low; the highest of all others is the highest."""
    tape = Tape()
    for number, price in enumerate((299.0, 273.0, 150.0, 271.0), 1):
        tape.trade(price, number, id=number)
    assert tape.shown == (271.0, 4, 299.0, 150.0)
    assert tape.take_back(299.0, id=1) is not None
    assert tape.shown == (271.0, 4, 273.0, 150.0)
    assert tape.take_back(150.0, id=3) is not None
    assert tape.shown == (271.0, 4, 273.0, 267.5)


def test_what_others_say_meanwhile_stands() -> None:
    """A bar of the day that came behind the false trade had its high from there; what it says else is true."""
    tape = Tape()
    tape.trade(273.0, 1, id=1)
    tape.trade(299.0, 2, id=2)
    tape.take(Tick(price=299.0, high=299.0, low=266.9, volume=2000.0, quote_time=AT_MS + 2000))
    tape.take_back(299.0, id=2)
    assert tape.shown == (273.0, 1, 273.0, 266.9)
    assert tape.tick is not None
    assert tape.tick.volume == 2000.0


def test_a_price_that_another_trade_had_too_stays() -> None:
    """Of two at the same price one was none."""
    tape = Tape()
    tape.trade(274.0, 1, id=1)
    tape.trade(274.0, 2, id=2)
    tape.take_back(274.0, id=2)
    assert tape.shown == (274.0, 1, 274.0, 267.5)


def test_without_a_number_price_and_size_tell() -> None:
    """The newest of those."""
    tape = Tape()
    tape.trade(274.0, 1, id=1)
    tape.trade(274.0, 2, id=2)
    assert tape.take_back(274.0, size=7, id=None) is None
    tape = Tape()
    tape.trade(273.0, 1, id=1)
    tape.trade(274.0, 2, id=2)
    tape.take_back(274.0, size=100)
    assert tape.shown == (273.0, 1, 273.0, 267.5)


def test_the_first_price_taken_back_leaves_none() -> None:
    """It stays in sight, the snapshot is wanted, and what that says holds, whatever its time."""
    tape = Tape(None)
    tape.trade(299.0, 1, id=1)
    assert tape.take_back(299.0, id=1) is None
    assert (tape.trades.unsure, tape.trades.lost) == (True, True)
    assert tape.trades.is_gone(Tick(price=299.0, quote_time=AT_MS + 1000))
    assert not tape.trades.is_gone(Tick(price=299.0, quote_time=AT_MS + 2000))
    tape.trade(271.0, 2, id=2)
    assert not tape.trades.lost


def test_a_snapshots_price_may_be_the_one_that_was_none() -> None:
    """It has no number. High and low are unknown then where they are the same, rather than wrong."""
    tape = Tape(Tick(price=299.0, high=299.0, low=267.5, quote_time=AT_MS))
    correction = tape.take_back(299.0, id=1)
    assert correction is not None
    assert (correction.price, correction.high, correction.low) == (299.0, None, 267.5)
    assert (tape.trades.unsure, tape.trades.lost) == (True, True)
    tape = Tape(Tick(price=299.0, high=299.0, low=267.5, quote_time=AT_MS))
    tape.take_back(299.0, id=1, instead=271.0)
    assert tape.shown == (271.0, 0, None, 267.5)
    assert (tape.trades.unsure, tape.trades.lost) == (True, False)


def test_who_has_not_heard_of_it_does_not_bring_it_back() -> None:
    """A snapshot and a bar that still have the false price: what they say of it is passed over."""
    tape = Tape()
    tape.trade(271.5, 1, id=1)
    tape.trade(299.0, 2, id=2)
    tape.take_back(299.0, id=2)
    told = Tick(price=299.0, high=299.0, low=267.0, volume=3000.0, quote_time=AT_MS + 2000)
    assert tape.trades.kept(told, tape.tick) == Tick(
        price=271.5, high=272.0, low=267.0, volume=3000.0, quote_time=AT_MS + 1000, session="regular"
    )
    assert tape.trades.kept(told, None) == Tick(price=299.0, low=267.0, volume=3000.0, quote_time=AT_MS + 2000)
    later = Tick(price=299.0, high=300.0, quote_time=AT_MS + 9000)
    assert tape.trades.kept(later, tape.tick) == later


def test_a_snapshot_that_is_older_is_stretched_by_the_trades_since() -> None:
    """By those that may; high and low are the furthest that anybody knows of the day. A newer one holds as it is."""
    tape = Tape(Tick(price=271.0, quote_time=AT_MS))
    tape.trade(270.0, 1, id=1)
    tape.trade(273.0, 2, id=2, allowed=STRETCHING)
    tape.trade(290.0, 3, id=3, allowed=Allowed(high_low=False))
    told = Tick(price=271.0, high=272.0, low=269.0, prev_close=266.0, volume=9.0, quote_time=AT_MS)
    assert tape.trades.joined(told, tape.tick) == Tick(
        price=290.0, high=273.0, low=269.0, prev_close=266.0, volume=9.0, quote_time=AT_MS + 3000, session="regular"
    )
    newer = Tick(price=271.0, high=272.0, low=269.0, quote_time=AT_MS + 9000)
    assert tape.trades.joined(newer, tape.tick) == newer
    assert tape.trades.joined(told, None) == told
    known = Tick(price=290.0, high=291.0, low=268.0, quote_time=AT_MS + 3000)
    joined = tape.trades.joined(told, known)
    assert (joined.high, joined.low) == (291.0, 268.0)


def test_a_snapshot_of_the_day_before_says_nothing_of_this_one() -> None:
    """But what is bid and asked."""
    tape = Tape(Tick(price=280.0, quote_time=AT_MS + 86_400_000))
    assert tape.trades.joined(DAY, tape.tick) == Tick(price=280.0, bid=270.9, quote_time=AT_MS + 86_400_000)


def test_what_is_too_old_to_be_found_is_told_by_its_price() -> None:
    """The price has long moved on, and the high is unknown until somebody says it."""
    tape = Tape()
    tape.trade(299.0, 1, id=1)
    for number in range(2, MOST_EVENTS + 10):
        tape.trade(271.0 + number % 2, number, id=number)
    price = tape.shown[0]
    assert tape.take_back(299.0, id=1) is not None
    assert tape.shown == (price, MOST_EVENTS + 9, None, 267.5)
    assert tape.trades.unsure
    assert not tape.trades.lost


def test_a_trade_without_a_time_is_the_newest() -> None:
    """And the tick says that it has none."""
    trades = Trades(day_of)
    after = trades.trade(DAY, Trade(271.7, None), Tick(price=271.7, untimed=True))
    assert after is not None
    assert (after.price, after.quote_time, after.untimed) == (271.7, None, True)


def test_symbols_have_their_own_trades() -> None:
    """Those that are wanted; who is not sure of them says so once."""
    trades = TradesOf(lambda key: day_of)
    trades["A"].unsure = True
    assert trades["B"] is trades["B"]
    assert (trades.unsure(), trades.unsure()) == ({"A"}, set())
    trades.keep(["B", "C"])
    assert list(trades) == ["B"]


PRICES = st.sampled_from([270.0, 271.0, 272.0, 299.0, 150.0])


@given(st.lists(st.tuples(PRICES, st.integers(0, 9), st.sampled_from([Allowed(), STRETCHING, HIDDEN])), min_size=1, max_size=12), st.data())
def test_without_a_trade_it_is_as_if_it_had_never_been(rows: list[tuple[float, int, Allowed]], data: st.DataObject) -> None:
    """In any order, with any conditions, whichever is taken back, and however many."""
    tape, other = Tape(), Tape()
    counted = [number for number, row in enumerate(rows) if row[2] is not HIDDEN]
    gone = data.draw(st.sets(st.sampled_from(counted))) if counted else set()
    for number, (price, after_s, allowed) in enumerate(rows):
        tape.trade(price, after_s, number, allowed)
        if number not in gone:
            other.trade(price, after_s, number, allowed)
    for number in gone:
        tape.take_back(rows[number][0], id=number)
    assert tape.shown == other.shown


@pytest.mark.parametrize("price", [299.0, 271.0])
def test_a_trade_is_taken_back_once(price: float) -> None:
    """A cancellation that is told twice changes nothing more."""
    tape = Tape()
    tape.trade(271.5, 1, id=1)
    tape.trade(price, 2, id=2)
    assert tape.take_back(price, id=2) is not None
    shown = tape.shown
    assert tape.take_back(price, id=2, told_s=-1) is None
    assert tape.shown == shown
