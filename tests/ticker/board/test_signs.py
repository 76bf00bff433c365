"""Symbols whose prices may be zero or below: judged by differences, never by ratios."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.board.desk import NOW, TERMS, Desk
from ticker.board.outliers import PriceRange
from ticker.quote import Tick
from ticker.settings.model import SymbolSettings

ANY_SIGN = st.one_of(st.sampled_from([0.0, -0.0, -1.0, 1.0, -37.63, 4_000.0, 5e-324]), st.floats(-100.0, 100.0), st.floats())


@pytest.mark.parametrize("price", [-37.63, 0.0, -0.0, -1.0, -0.105])
def test_prices_of_any_sign(price: float) -> None:
    """Are published with their sides as they are; -0.0 is 0."""
    desk = Desk(allow_negative=True)
    assert desk.hear(price, bid=-40.0, ask=-0.0, low=-40.32, high=17.85) == [price]
    assert (desk.quote.bid, str(desk.quote.ask), desk.quote.low, desk.quote.high) == (-40.0, "0.0", -40.32, 17.85)
    assert str(desk.quote.price) != "-0.0"
    assert desk.state["odd_fields"]["count"] == 0


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(price: float) -> None:
    """As everywhere."""
    desk = Desk(allow_negative=True)
    assert desk.hear(price) == []
    assert desk.board.symbols_state()[0].error == f"{price:g} is no price"


def test_the_change_is_a_difference() -> None:
    """A percentage is there only between two prices above zero, and the source's own says nothing else."""
    desk = Desk(allow_negative=True)
    told = []
    for price, fields in (
        (-37.63, {"prev_close": 18.27, "change": -55.9, "change_pct": -305.97}),
        (10.01, {"prev_close": -37.63}),
        (-0.75, {"prev_close": -0.5}),
        (1.0, {"prev_close": 0.0}),
        (0.3, {"prev_close": 0.1}),
        (40.0, {"prev_close": 10.0}),
        (10.01, {"change": 47.64, "change_pct": 126.6, "session": "regular"}),
        (19.21, {"prev_close": 1.1e-10}),
    ):
        desk.hear(price, **fields)
        desk.hear(price, **fields)
        told.append((desk.quote.price, desk.quote.change, desk.quote.change_pct))
    assert told == [(-37.63, -55.9, None), (10.01, 47.64, None), (-0.75, -0.25, None), (1.0, 1.0, None), (0.3, 0.2, 200.0),
                    (40.0, 30.0, 300.0), (10.01, 47.64, None), (19.21, 19.20999999989, None)]  # fmt: skip


def test_a_named_jump() -> None:
    """As far as `max_jump` is news, further is not believed at once, and told in the price's own unit; through zero as anywhere."""
    desk = Desk(allow_negative=True, max_jump=3.0)
    desk.hear(1.0)
    assert desk.hear(-2.0) == [-2.0]
    assert desk.hear(1.2) == []
    assert desk.state["bad_ticks"]["recent"][0]["reason"] == "1.2 after -2, a jump of more than 3"
    assert desk.hear(-2.1) == [-2.1]
    assert desk.hear(50.0) == []
    assert desk.hear(40.0) == [40.0], "nearer to what was unconfirmed than to what was believed"
    assert desk.hear(47.0) == []
    assert desk.hear(8_000.0) == [], "nearer to 47 than to 40, and to neither"
    assert desk.hear(47.0) == []
    assert desk.hear(46.9) == [46.9]


def test_a_learnt_jump() -> None:
    """As far as its prices, and the day's highest and lowest, have been apart; at least `max_jump_pct` of the largest of them."""
    desk = Desk(allow_negative=True)
    desk.hear(41.5, low=-2.82, high=60.0)
    assert desk.hear(-20.0) == [-20.0], "62.82 apart"
    assert desk.hear(59.9) == [59.9], "80 apart"
    assert desk.hear(140.0) == []
    assert desk.state["bad_ticks"]["recent"][0]["reason"] == "140 after 59.9, a jump of more than 80"
    desk = Desk(allow_negative=True)
    desk.hear(-10.0)
    assert desk.hear(-12.0) == [-12.0], "20 % of 10"
    assert desk.hear(-14.5) == []
    assert desk.hear(-14.5) == [-14.5]


def test_from_zero_a_second_observation_is_enough() -> None:
    """Where nothing is known of how far it moves."""
    desk = Desk(allow_negative=True)
    desk.hear(0.0)
    assert desk.hear(5.0) == []
    assert desk.hear(4.0) == [4.0]
    assert desk.hear(0.1) == [0.1]


def test_sources_that_disagree() -> None:
    """By the same part of a jump as in percent, and told in the price's own unit."""
    desk = Desk("a", "b", allow_negative=True, max_jump=4.0)
    desk.hear(-0.5, "a")
    desk.hear(0.5, "b")
    assert desk.state["divergences"] == [], "a quarter of a jump is not more than that"
    desk.hear(0.75, "b")
    assert desk.state["divergences"] == [
        {"symbol": "X", "feed": "b", "since": NOW + 6_000, "price": 0.75, "source": "a", "source_price": -0.5, "apart": 1.25}
    ]


def test_another_source_confirms_a_jump() -> None:
    """When it sees the price there too."""
    desk = Desk("a", "b", allow_negative=True, max_jump=4.0)
    desk.hear(1.0, "a")
    desk.hear(1.0, "b")
    assert desk.hear(-37.6, "a") == []
    assert desk.hear(-37.5, "b") == [-37.6], "b bears out what a said"


def test_the_key_is_taken_away_and_given() -> None:
    """Nothing that was judged by other rules measures the next: the old price stays until there is another one."""
    desk = Desk(allow_negative=True)
    desk.hear(0.0)
    plain, signed = SymbolSettings(feed=("a",)), SymbolSettings(feed=("a",), allow_negative=True)
    desk.board.configure({"X": plain}, TERMS, desk.now)
    assert (desk.quote.price, desk.quote.state) == (0.0, "stale")
    assert desk.hear(0.0) == []
    assert desk.hear(5.0) == [5.0]
    desk.board.configure({"X": signed}, TERMS, desk.now)
    assert desk.hear(5.5) == [5.5]
    assert desk.hear(-5.0) == []
    assert desk.hear(-5.0) == [-5.0]


def test_nothing_seen_is_no_reach() -> None:
    """And what was forgotten was not seen."""
    price_range = PriceRange()
    assert price_range.reach(20.0) == 0.0
    price_range.note(Tick(price=-10.0))
    assert price_range.reach(20.0) == 2.0
    price_range.forget()
    assert price_range.reach(20.0) == 0.0


@given(st.lists(ANY_SIGN, max_size=60), st.booleans(), st.sampled_from([None, 5.0]))
def test_only_prices_that_follow_from_each_other(prices: list[float], timed: bool, max_jump: float | None) -> None:
    """Whatever numbers come: each that is published is one of them and finite, no further than a jump from the one before, or nearer to
    one that was unconfirmed; a change is their difference from the close; nothing raises.
    """
    desk = Desk(stale_after_s=1_000.0, allow_negative=True, max_jump=max_jump)
    unconfirmed = [math.nan]
    for price, close in pairwise([*prices, 0.0]):
        before = desk.board.quotes.get("X")
        reach = desk.board._symbol_states["X"].believable.reach
        published = desk.hear(price, prev_close=close, quote_time=desk.now + 2_000 if timed else None)
        assert published in ([], [price])
        if not published:
            unconfirmed += [price] if math.isfinite(price) else []
            continue
        assert math.isfinite(price)
        assert (
            before is None
            or abs(price - before.price) <= reach * (1 + 1e-12) + 5e-324
            or abs(price - unconfirmed[-1]) < abs(price - before.price)
        )
        quote = desk.quote
        assert quote.change_pct is None or (price > 0 and close > 0 and abs(quote.change_pct) <= 1_000_000)
        assert quote.change is None or math.isclose(quote.change, price - close, rel_tol=1e-9, abs_tol=1e-300) or math.isinf(price - close)
