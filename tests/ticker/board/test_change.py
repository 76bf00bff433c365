"""Change and change in percent: decimal, or absent."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.board.change import change_of
from ticker.quote import Tick

PRICES = st.floats(min_value=1e-9, max_value=1e12)


@pytest.mark.parametrize(("tick", "expected"), [
    (Tick(price=0.3, prev_close=0.1), (0.2, 200.0)),
    (Tick(price=307.2, prev_close=303.34), (3.86, 1.2725)),
    (Tick(price=1.1, open=1.0), (0.1, 10.0)),
    (Tick(price=1.1, open=2.0, prev_close=1.0), (0.1, 10.0)),
    (Tick(price=2.0, prev_close=2.0), (0.0, 0.0)),
    (Tick(price=100.00005, prev_close=100.0), (0.00005, 0.0)),
    (Tick(price=100.00015, prev_close=100.0), (0.00015, 0.0002)),
    (Tick(price=-37.63, prev_close=18.27), (-55.9, None)),
    (Tick(price=10.01, prev_close=-37.63), (47.64, None)),
    (Tick(price=1.5, prev_close=0.0), (1.5, None)),
    (Tick(price=-0.75, open=-0.5), (-0.25, None)),
], ids=["exact", "four places", "against the open", "the close before the open", "unmoved", "half to even down", "half to even up",
        "a negative price", "a negative close", "a close of zero", "a negative open"])  # fmt: skip
def test_computed_in_decimal(tick: Tick, expected: tuple[float, float]) -> None:
    """What a person would get with pencil and paper, not what floats make of it."""
    assert change_of(tick) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"open": 1.0, "session": "regular"},
    ],
    ids=["nothing", "only a session's open"],
)
def test_nothing_to_compare_with(fields: dict[str, Any]) -> None:
    """No change rather than a wrong one."""
    assert change_of(Tick(price=1.5, **fields)) == (None, None)


def test_the_sources_own_word_goes_first() -> None:
    """Each of the two numbers that the source states is kept as it is; the other one is computed."""
    assert change_of(Tick(price=3.0, prev_close=2.0, change=9.0, change_pct=8.0)) == (9.0, 8.0)
    assert change_of(Tick(price=3.0, prev_close=2.0, change=9.0)) == (9.0, 50.0)
    assert change_of(Tick(price=3.0, prev_close=2.0, change_pct=8.0)) == (1.0, 8.0)
    assert change_of(Tick(price=3.0, change_pct=8.0)) == (None, 8.0)
    assert change_of(Tick(price=3.0, change=1.0, change_pct=50.0)) == (1.0, 50.0)


@pytest.mark.parametrize("fields", [
    {"price": -37.63, "prev_close": 18.27, "change": -55.9}, {"price": 10.01, "prev_close": -37.63, "change": 47.64},
    {"price": 10.01, "change": 47.64}, {"price": -1.0, "change": 0.5}, {"price": 0.0, "change": None}, {"price": 1.0, "change": 1.0},
], ids=["through zero", "from below zero", "as the difference tells", "below zero", "zero", "from zero"])  # fmt: skip
def test_a_percentage_of_what_has_signs_says_nothing(fields: dict[str, Any]) -> None:
    """The source's own neither; its difference stays."""
    assert change_of(Tick(**fields, change_pct=126.6)) == (fields["change"], None)


def test_what_does_not_fit_a_number_is_absent() -> None:
    """A price so far from the close that the percentage overflows has none, and raises nothing."""
    assert change_of(Tick(price=1.7e308, prev_close=5e-324)) == (1.7e308, None)
    assert change_of(Tick(price=2650.1, prev_close=4.9e-322)) == (2650.1, None)
    assert change_of(Tick(price=1.7e308, prev_close=-1.7e308)) == (None, None)


def test_a_percentage_of_next_to_nothing_is_absent() -> None:
    """Ten thousand times as much and more is no change of a price."""
    assert change_of(Tick(price=10_001.0, prev_close=1.0)) == (10_000.0, 1_000_000.0)
    assert change_of(Tick(price=10_001.1, prev_close=1.0)) == (10_000.1, None)


@given(PRICES, PRICES)
def test_agrees_with_exact_arithmetic(price: float, close: float) -> None:
    """`change` is the float nearest to the exact difference of the decimals, `change_pct` at most half a unit of its last place off."""
    change, change_pct = change_of(Tick(price=price, prev_close=close))
    exact = Fraction(repr(price)) - Fraction(repr(close))
    assert change == float(exact)
    exact_pct = exact / Fraction(repr(close)) * 100
    if change_pct is None:
        assert exact_pct > 1_000_000
        return
    assert abs(Fraction(repr(change_pct)) - exact_pct) <= Fraction(1, 20000) + abs(exact_pct) / 2**52
