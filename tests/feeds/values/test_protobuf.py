"""Protocol Buffers, read without their library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.values.protobuf import fields, zigzag
from tests.feeds.support import complaint
from ticker.errors import FeedError


def test_every_wire_type_is_read() -> None:
    """A varint of two bytes, four bytes, eight bytes, text; in order, a repeated field twice."""
    message = b"\x08\xac\x02\x15\x00\x00\x80\x3f\x19\x01\x02\x03\x04\x05\x06\x07\x08\x22\x02hi\x08\x01"
    assert list(fields(message)) == [(1, 300), (2, b"\x00\x00\x80\x3f"), (3, bytes(range(1, 9))), (4, b"hi"), (1, 1)]
    assert list(fields(b"")) == []


@pytest.mark.parametrize(("message", "what"), [
    (b"\x08", "breaks off"), (b"\x15\x00\x00", "breaks off"), (b"\x22\x05hi", "breaks off"), (b"\x0b", "wire type 3"),
    (b"\x00\x01", "without a number"), (b"\x08" + b"\xff" * 11, "breaks off")])  # fmt: skip
def test_what_is_torn_or_none_is_a_complaint(message: bytes, what: str) -> None:
    """Never a field that was not there."""
    assert what in str(complaint(lambda: list(fields(message))))


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (b"\x08\x01" * 1001, "more than 1000 fields"),
        (b"\x0a" + b"\xff\xff\x03" + b"x" * 65_535, "longer than 64 KiB"),
        (b"\x08\x01" * 12_000_000, "longer than 64 KiB"),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_a_message_is_as_long_as_messages_are(message: bytes, what: str) -> None:
    """Fields are counted as they come: of 12 million none is looked at."""
    assert what in str(complaint(lambda: list(fields(message))))
    assert list(fields(b"\x08\x01" * 1000)) == [(1, 1)] * 1000


@given(st.binary(max_size=200))
def test_any_bytes_are_fields_or_a_complaint(message: bytes) -> None:
    """And never more bytes than there were."""
    try:
        found = list(fields(message))
    except FeedError:
        return
    assert sum(len(value) for _, value in found if isinstance(value, bytes)) <= len(message)


@given(st.integers(-(2**63), 2**63 - 1))
def test_zigzag_and_back(number: int) -> None:
    """Small numbers of either sign are short."""
    assert zigzag(number << 1 if number >= 0 else (-number << 1) - 1) == number
