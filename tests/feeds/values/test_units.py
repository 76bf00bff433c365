"""Minor units, and the noise of 32-bit floats."""

import math
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.values.units import MINOR_UNITS, currency_of, unit_of, without_difference_noise, without_float32_noise


def widened(value: float) -> float:
    """`value` after a stay in 32 bits."""
    result: float = struct.unpack("f", struct.pack("f", value))[0]
    return result


@pytest.mark.parametrize(("code", "currency", "value", "major"), [
    ("GBp", "GBP", 7012.3, 70.123), ("GBX", "GBP", 0.07, 0.0007), ("GBP", "GBP", 70.12, 70.12), ("ZAc", "ZAR", 29, 0.29),
    ("ILA", "ILS", 1234.5, 12.345), ("USX", "USD", 448.25, 4.4825), ("KWF", "KWD", 215.0, 0.215), ("USD", "USD", 0.1, 0.1),
    ("gbp", "gbp", 1.5, 1.5), (None, None, 1.5, 1.5), ("GBp", "GBP", -0.3, -0.003), ("GBp", "GBP", 0.0, 0.0)])  # fmt: skip
def test_minor_units_become_major_ones_exactly(code: str | None, currency: str | None, value: float, major: float) -> None:
    """By code, and case counts: `GBp` is pence and `GBP` is pounds."""
    unit = unit_of(code)
    assert (unit.currency, unit.major(value)) == (currency, major)


@given(st.decimals(min_value="0.0001", max_value=10**9, places=4), st.sampled_from(sorted(MINOR_UNITS)))
def test_moving_the_point_keeps_every_digit(written: Decimal, code: str) -> None:
    """Where dividing floats would not: 29 / 100 is fine, 1.1 / 100 is 0.011000000000000001."""
    unit = unit_of(code)
    assert Decimal(repr(unit.major(float(written)))) == Decimal(repr(float(written))) / 10**unit.shift


@pytest.mark.parametrize(("value", "decimals", "clean"), [
    (307.20001220703125, 2, 307.2), (307.20001220703125, None, 307.2), (75.0875015258789, 2, 75.0875), (74.05999755859375, 2, 74.06),
    (1.0489876270294189, 4, 1.0489876), (0.0001220703125, 2, 0.00012207031), (1234567.875, 2, 1234567.88), (1234567.875, None, 1234567.9),
    (120.495, 2, 120.495), (1.0489877, 4, 1.0489877), (0.1, 0, 0.1), (241.5, 2, 241.5), (3.125, 2, 3.125), (241.0, 2, 241.0),
    (16777216.0, None, 16777216.0), (123456792.0, None, 123456792.0), (0.0, 2, 0.0), (-3.069999933242798, 2, -3.07)])  # fmt: skip
def test_noise_goes_and_nothing_else_does(value: float, decimals: int | None, clean: float) -> None:
    """The hint is heeded where it loses nothing; what never was in 32 bits is left alone."""
    assert without_float32_noise(value, decimals) == clean


@given(st.floats(min_value=1e-18, max_value=1e18), st.none() | st.integers(0, 8))
def test_what_comes_out_is_the_same_32_bit_float(value: float, decimals: int | None) -> None:
    """So no more than noise can have been lost, whatever the hint."""
    assert widened(without_float32_noise(widened(value), decimals)) == widened(value)


@given(st.integers(1, 999_999), st.integers(0, 6))
def test_every_price_of_six_digits_survives_its_stay_in_32_bits(digits: int, places: int) -> None:
    """With or without a hint."""
    written = float(Decimal(digits).scaleb(-places))
    assert without_float32_noise(widened(written)) == without_float32_noise(widened(written), places) == written


@given(st.floats(min_value=1e-18, max_value=1e18))
def test_a_64_bit_number_is_kept(value: float) -> None:
    """To the last of its digits."""
    if widened(value) != value:
        assert without_float32_noise(value, 2) == value


@pytest.mark.parametrize(("own", "minuend", "subtrahend", "expected"), [
    (3.0700073, 244.6, 241.53, 3.07), (-0.0005505085, 1.0489877, 1.0495383, -0.0005506), (5.19, 124.73, 119.54, 5.19),
    (0.0, 5.0, 5.0, 0.0), (3.5, 244.6, 241.53, 3.5), (3.0, 244.6, 241.53, 3.0), (-3.07, 244.6, 241.53, -3.07)])  # fmt: skip
def test_a_difference_is_freed_of_noise_or_left_alone(own: float, minuend: float, subtrahend: float, expected: float) -> None:
    """A change that 32 bits can't explain is the provider's own: it may know of a dividend."""
    assert without_difference_noise(own, minuend, subtrahend) == expected


@given(st.floats(min_value=1e-18, max_value=1e18), st.floats(min_value=1e-18, max_value=1e18), st.floats(-1e18, 1e18))
def test_a_difference_stays_near_what_it_was(minuend: float, subtrahend: float, own: float) -> None:
    """Within what 32 bits can do to it, and finite."""
    result = without_difference_noise(own, minuend, subtrahend)
    assert math.isfinite(result)
    assert abs(result - own) <= 2.0**-23 * max(minuend, subtrahend)


@pytest.mark.parametrize("code", ["a currency", "X" * 11, "U", "", "\u202eUSD", "USD\n", "<b>", 7, None])
def test_what_is_no_code_is_shown_to_nobody(code: object) -> None:
    """A provider may write anything there, our key too."""
    assert currency_of(code) is None
    if isinstance(code, str):
        assert unit_of(code).currency is None
