"""Strict reading of JSON, numbers and times."""

import json
import math
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.values import parse
from tests.feeds.support import JSON, complaint
from ticker.errors import BadTick, FeedError

NOT_NUMBERS: list[Any] = [
    None, True, False, "", " ", "1 ", " 1", "+1", "1_000", "1,5", "1.", ".5", "01", "0x1f", "1e", "--1", "\u0661\u0662", "\uff11",
    "nan", "NaN", "inf", "Infinity", "-inf", "N/D", "null", "1\n", math.nan, math.inf, -math.inf, 1.1e18, -(10**19), 10**400, "1e19",
    "1e999", [], [1], {},
]  # fmt: skip


@pytest.mark.parametrize(("given_value", "expected"), [
    (0, 0.0), (7, 7.0), (-1.5, -1.5), ("0", 0.0), ("-0", 0.0), ("-0.00", 0.0), ("27948.00000", 27948.0), ("0.00000012", 1.2e-7),
    ("1e-7", 1e-7), ("2.5E+3", 2500.0), ("1000000000000000000", 1e18), (10**18, 1e18), ("307.20", 307.2)])  # fmt: skip
def test_a_number_is_read_from_a_number_or_from_a_string_that_holds_one(given_value: object, expected: float) -> None:
    """Both forms are seen, also where the documentation has the other; the result is a float and never -0.0."""
    result = parse.number(given_value, "x")
    assert (type(result), result, math.copysign(1, result)) == (float, expected, math.copysign(1, expected))


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_what_only_looks_like_a_number_is_refused(value: object) -> None:
    """`float()` would take half of these."""
    error = complaint(lambda: parse.number(value, "lastPrice"))
    assert str(error).startswith("lastPrice: not a number")
    assert isinstance(error, BadTick) == (value is not None), "what is not there is no bad number"


@given(st.decimals(min_value=0, max_value=10**15, allow_nan=False, allow_infinity=False, places=6))
def test_a_number_keeps_its_fifteen_digits(written: Decimal) -> None:
    """What goes out again is the number that the provider wrote."""
    digits = f"{written:.15g}"
    assert Decimal(f"{parse.number(f'{Decimal(digits):f}', 'x'):.15g}") == Decimal(digits)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-13T11:10:41.270099Z", 1_710_328_241_270),
        ("2024-03-13T11:10:41Z", 1_710_328_241_000),
        ("2024-03-13T11:10:41.2Z", 1_710_328_241_200),
        ("2024-03-13t11:10:41.999999999z", 1_710_328_241_999),
        ("2024-03-13 13:10:41.27+02:00", 1_710_328_241_270),
        ("2024-03-13T05:40:41-0530", 1_710_328_241_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
    ],
)
def test_iso_times_with_any_number_of_digits_are_ms(text: str, expected: int) -> None:
    """None to nine digits are in use, `Z` or an offset; a leap second is the second after."""
    assert parse.iso_ms(text, "time") == expected


@pytest.mark.parametrize("text", [
    None, 1_710_328_241, "", "2024-03-13", "2024-03-13T11:10:41", "2024-13-13T11:10:41Z", "2024-02-30T11:10:41Z", "2024-03-13T24:00:00Z",
    "2024-03-13T11:10:61Z", "2024-03-13T11:10:41+25:00", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59",
    "\uff12024-03-13T11:10:41Z", "Wed, 13 Mar 2024 11:10:41 GMT"])  # fmt: skip
def test_a_time_that_does_not_exist_or_names_no_zone_is_refused(text: object) -> None:
    """A guess at the zone would be hours off."""
    assert str(complaint(lambda: parse.iso_ms(text, "time"))).startswith("time: ")


@pytest.mark.parametrize(("value", "unit", "expected"), [
    (1_700_000_000, "s", 1_700_000_000_000), (1_700_000_000.9996, "s", 1_700_000_000_999), ("1700000000", "s", 1_700_000_000_000),
    (1_586_991_278_494, "ms", 1_586_991_278_494), ("1586991278494", "ms", 1_586_991_278_494),
    (1_586_991_278_494_321, "us", 1_586_991_278_494), (1_586_991_278_494_999_999, "ns", 1_586_991_278_494)])  # fmt: skip
def test_epoch_times_of_every_unit_are_ms(value: object, unit: parse.TimeUnit, expected: int) -> None:
    """Exactly, and rounded down: nanoseconds do not fit into a float."""
    assert parse.epoch_ms(value, "t", unit) == expected


@pytest.mark.parametrize(("value", "unit"), [
    (1_586_991_278_494, "s"), (1_586_991_278, "ms"), (-1, "s"), (True, "s"), (None, "s"), ("", "s"), ("soon", "s"),
    (1e300, "ms"), (10**40, "ns")])  # fmt: skip
def test_an_epoch_time_in_another_unit_is_noticed(value: object, unit: parse.TimeUnit) -> None:
    """1970 or the year 52000 can only be a mistake."""
    complaint(lambda: parse.epoch_ms(value, "t", unit))


@pytest.mark.parametrize(("body", "value"), [
    (b'{"a":[1,2.5,"x",null,true]}', {"a": [1, 2.5, "x", None, True]}), (b'\xef\xbb\xbf{"a":1}', {"a": 1}), (b' {"a":1}\r\n', {"a": 1}),
    (b'{"a":1,"a":2}', {"a": 2}), ('{"ä":"€\U0001f600"}'.encode(), {"ä": "€\U0001f600"}), (b"[1e-999]", [0.0])])  # fmt: skip
def test_json_is_read(body: bytes, value: object) -> None:
    """With a byte order mark, with repeated keys (the last wins), with any text."""
    assert parse.decode_strictly(body) == parse.decode(body) == value


@pytest.mark.parametrize("body", [
    b"", b" ", b"<html>", b'{"a":', b'{"a":1}}', b"{'a':1}", b"[1,]", b"[01]", b"[.5]", b"[+1]", b"[NaN]", b"[Infinity]", b"[-Infinity]",
    b"[1e999]", b"[" + b"9" * 5000 + b"]", b'["\xff"]', b'["\xed\xa0\x80"]', rb'["\ud800"]', b'["a\nb"]', b"\x00", b'{"a":1} // x',
    b"[" * 100_000, b'{"a":' * 100_000, b"\x1f\x8b\x08\x00"], ids=lambda body: repr(body[:12]))  # fmt: skip
def test_what_is_not_json_is_refused_with_an_excerpt(body: bytes) -> None:
    """Python's own reader takes NaN, fails on depth with an error that no caller expects, and on long integers with another."""
    error = complaint(lambda: parse.decode_strictly(body))
    assert "JSON" in str(error)
    assert error.excerpt
    assert error.excerpt.isprintable()
    assert len(error.excerpt) < 600
    assert error.retryable


@given(JSON)
def test_any_json_value_is_a_number_a_time_a_table_or_a_complaint(value: object) -> None:
    """No reader knows a third outcome, and what a complaint shows can be written into any log."""
    value = parse.decode(json.dumps(value).encode())
    for read in (parse.number, parse.iso_ms, parse.table, parse.array, parse.text, partial(parse.epoch_ms, unit="ms")):
        try:
            read(value, "x")
        except FeedError as error:
            assert "\n" not in str(error)  # noqa: PT017 (either outcome is fine; what is raised is looked at too)
