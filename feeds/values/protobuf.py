"""The fields of one Protocol Buffers message, by number (https://protobuf.dev/programming-guides/encoding/). Reading only.

Forty lines in place of the `protobuf` package: the one message we read is flat and has two dozen fields, and a generated module would
neither be checked by mypy nor tell a torn message from a short one.
"""

from __future__ import annotations

from collections.abc import Iterator

from ticker.errors import FeedError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MOST_VARINT_BYTES = 10
MOST_FIELDS, MOST_BYTES = 1_000, 64 * 1024
"""One message may be so long and have so many fields; the one we read has 35 fields at most, and 300 bytes."""


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field, in order: a varint as a number from 0 to 2⁶⁴ − 1, anything else as its bytes.

    Of a repeated field the last counts; that is the caller's to know. Raises `FeedError` where the message is torn or is none, and where
    it is longer than any that we know.
    """
    if len(message) > MOST_BYTES:
        raise FeedError(f"a protobuf message longer than {MOST_BYTES // 1024} KiB")
    at = count = 0
    while at < len(message):
        count += 1
        if count > MOST_FIELDS:
            raise FeedError(f"a protobuf message of more than {MOST_FIELDS} fields")
        tag, at = _varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise FeedError("not a protobuf message: a field without a number")
        if wire_type == VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire_type == BYTES:
            length, at = _varint(message, at)
        elif wire_type in (FIXED32, FIXED64):
            length = 4 if wire_type == FIXED32 else 8
        else:  # groups, which nobody has written for twenty years
            raise FeedError(f"not a protobuf message: wire type {wire_type}")
        if at + length > len(message):
            raise FeedError("a protobuf message that breaks off")
        yield number, message[at : at + length]
        at += length


def zigzag(value: int) -> int:
    """The signed number of a `sint64`."""
    return (value >> 1) ^ -(value & 1)


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A varint, and where it ends."""
    value = 0
    for place, byte in enumerate(message[at : at + MOST_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
    raise FeedError("a protobuf message that breaks off")
