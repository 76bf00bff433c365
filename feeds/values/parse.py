"""From a provider's JSON to numbers, times and tables: whole and strict, or a `FeedError` that shows the offending piece.

Every function takes `what`, the piece's name in the message. They all raise: the fields of a row are read by `feeds.values.fields`, which
knows what may be unknown.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from itertools import islice
from typing import Any, Literal

import msgspec

from feeds.values.slices import GROUP_BYTES, LARGE_BYTES, DecodeGroup, Slicer, TooHeavy
from ticker.errors import BadTick, Fault, FeedError
from ticker.nested import undisturbed
from ticker.runtime import Turn

LARGEST = 1e18
"""No price, size or volume in any unit is larger. It keeps out times in ns that slid into a price, and later overflows."""
SMALLEST_PRICE = 1e-18
EARLIEST_MS = 631_152_000_000
"""1990-01-01. An older time is a time in the wrong unit, and so is one after `LATEST_MS`."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01."""
NEVER_MS = frozenset((0, -62_135_596_800_000))
"""How a time that was never set reads: where Unix begins to count, and where Go and .NET do (0001-01-01)."""

# A number in a string must be written as JSON would write it. `float()` alone takes nan, inf, 1_000, spaces and Arabic digits.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,400})(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,4})?")
_ISO_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:[.,]([0-9]{1,40}))?)?(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_DECODER = msgspec.json.Decoder()
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What Python writes that is not JSON, or that no float can hold. In a text one is found too: in quotes of its own it breaks that.
_LENIENT = re.compile(
    rb"(?<![^\s\[,:])(?:-?Infinity|NaN|-?[0-9]++(?:\.[0-9]++)?[eE]\+?[0-9]{3,}+|-?[0-9]{300,}+(?:\.[0-9]+)?)"
    rb"(?![^\s,\]}])"
)
SHOWN, SHOWN_LEVELS, SHOWN_CHARACTERS = 20, 3, 200
"""An excerpt shows at most so many items of an array, so many levels of nesting, so many characters of a text."""


class BadTime(BadTick):
    """A time that can be read and can't be meant: in another unit, most likely, or of another century."""


class NoTime(FeedError):
    """A time that was never set, however it is written."""


TimeUnit = Literal["s", "ms", "us", "ns"]
_PER_SECOND: dict[TimeUnit, int] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def decode_strictly(body: bytes) -> Any:
    """The JSON value of `body`. A byte order mark is skipped; of a repeated key the last wins, as everywhere.

    Raises `FeedError` for whatever is not JSON (RFC 8259): HTML, a torn or an empty body, NaN, Infinity, a number beyond a
    double, invalid UTF-8, lone surrogates, nesting beyond Python's stack; and for what would take too much memory. What is large is
    decoded in pieces, with others' turns between; then a byte that an error names is counted from the start of what it shows.
    """
    return _decode(body.removeprefix(_BYTE_ORDER_MARK))


def _decode(body: bytes, beside: int = 0) -> Any:
    try:
        return undisturbed(_DECODER.decode, body) if len(body) <= LARGE_BYTES else Slicer(_decode_group, beside).value(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _no_json(error, body) from None
    except RecursionError:
        raise FeedError("not JSON for us: nested too deep", payload=body) from None


def decode(body: bytes) -> Any:
    """The JSON value of `body`; NaN, Infinity and what no float can hold become strings, which cost only the field they are in.

    Else as `decode_strictly`, which is tried first.
    """
    try:
        return decode_strictly(body)
    except TooHeavy:
        raise
    except FeedError as error:
        try:
            return _decode(_quoted(body.removeprefix(_BYTE_ORDER_MARK)), len(body))
        except TooHeavy:
            raise
        except (ValueError, FeedError):
            if len(body) > LARGE_BYTES:
                raise error from None
        try:
            return decode_strictly(undisturbed(_made_strict, body.decode("utf-8-sig")))
        except (ValueError, RecursionError, FeedError):
            raise error from None


def elements(body: bytes, decode_group: DecodeGroup) -> Iterator[list[Any]]:
    """The values of a large array as `decode_group` decodes arrays, some at a time, with others' turns between. Raises what it raises."""
    return Slicer(decode_group).groups(body)


def _decode_group(group: bytes) -> list[Any]:
    try:
        values: list[Any] = undisturbed(_DECODER.decode, group)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _no_json(error, group) from None
    return values


def _no_json(error: Exception, body: bytes) -> FeedError:
    """Why that is none; a web page is called one."""
    fault: Fault | None = "page" if body[:100].lstrip(b" \t\r\n[").startswith(b"<") else None
    return FeedError(f"not JSON ({error})", payload=body or b"(empty)", fault=fault)


def _quoted(body: bytes) -> bytes:
    """`body` with what is only nearly JSON in quotes. Raises `ValueError` where there is nothing of the kind."""
    turn, quoted, done, start = Turn(), BytesIO(), 0, 0
    while start < len(body):
        end = body.find(b",", start + GROUP_BYTES) + 1 or len(body)  # no number has a comma in it
        if end - start > 2 * LARGE_BYTES:
            break
        for match in _LENIENT.finditer(body, start, end):
            word = match[0].decode()
            if not _is_number(word):
                quoted.write(b'%b"%b"' % (body[done : match.start()], match[0]))
                done = match.end()
            turn.step()
        start = end
        turn.step()
    if not done:
        raise ValueError("nothing to put in quotes")
    quoted.write(body[done:])
    return quoted.getvalue()


def _is_number(word: str) -> bool:
    """Whether it is one that can be held."""
    return len(word) < 300 and math.isfinite(float(word))


def _made_strict(text: str) -> bytes:
    return json.dumps(json.loads(text, parse_constant=str, parse_float=_float_or_text, parse_int=_int_or_text)).encode()


def _float_or_text(written: str) -> float | str:
    return value if math.isfinite(value := float(written)) else written


def _int_or_text(written: str) -> int | str:
    return int(written) if len(written) < 300 else written


def table(value: object, what: str) -> dict[str, Any]:
    """`value` if it is a JSON object."""
    if not isinstance(value, dict):
        raise FeedError(f"{what}: an object was expected", payload=shown(value))
    return value


def array(value: object, what: str) -> list[Any]:
    """`value` if it is a JSON array."""
    if not isinstance(value, list):
        raise FeedError(f"{what}: an array was expected", payload=shown(value))
    return value


def text(value: object, what: str) -> str:
    """`value` if it is a string with something in it."""
    if not isinstance(value, str) or not value:
        raise FeedError(f"{what}: text was expected", payload=shown(value))
    return value


def number(value: object, what: str) -> float:
    """A finite number of at most ±10¹⁸ from a JSON number, or from a string that holds one (`"-1.5"`, `"2e-7"`).

    Raises `BadTick` for everything else: booleans, NaN, Infinity, `""`, `"1_000"`, `"1,5"`, `" 1"`, `"0x1f"`, other digits; and for
    null a plain `FeedError`.
    """
    if isinstance(value, str):
        result = float(value) if _NUMBER.fullmatch(value) else None
    else:
        result = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    # The comparison is false for NaN and right for integers that no float can hold.
    if result is None or not -LARGEST <= result <= LARGEST:
        kind = FeedError if value is None else BadTick
        raise kind(f"{what}: not a number that can be used", payload=shown(value))
    return result + 0.0  # a float, and never -0.0


def no_price(what: str, value: object) -> BadTick:
    """Why a number that is hardly any is refused. The number itself is not told: it moves, and would be another reason each time."""
    return BadTick(f"{what}: next to nothing, and so not a price", payload=shown(value))


def epoch_ms(value: object, what: str, unit: TimeUnit) -> int:
    """Unix epoch ms (rounded down) of a count of `unit` since the epoch, 1990 to 2100: another year means another unit."""
    count = value if type(value) is int else None
    if count is None:  # never through a float where it can be helped: 2⁵³ ns are 104 days
        count = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value) else None
    result = int(number(value, what) * 1000 / _PER_SECOND[unit]) if count is None else count * 1000 // _PER_SECOND[unit]
    return _plausible_ms(result, value, what)


def iso_ms(value: object, what: str) -> int:
    """Unix epoch ms (rounded down) of an RFC 3339 time with any number of fraction digits, `2024-03-13T11:10:41.270099Z`.

    It must name its zone: a local time without one could be any.
    """
    match = _ISO_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise FeedError(f"{what}: not a time with a zone", payload=shown(value))
    year, month, day, hour, minute, second, fraction, _, sign, zone_hours, zone_minutes = match.groups()
    try:
        offset = timedelta(hours=int(zone_hours or 0), minutes=int(zone_minutes or 0)) * (-1 if sign == "-" else 1)
        # A leap second (23:59:60) is the second after 23:59:59.
        time = datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=timezone(offset))
        seconds = (time - _EPOCH) // timedelta(seconds=1) + int(second or 0)
    except (ValueError, OverflowError):
        raise FeedError(f"{what}: no such time", payload=shown(value)) from None
    if int(second or 0) > 60:
        raise FeedError(f"{what}: no such time", payload=shown(value))
    return _plausible_ms(seconds * 1000 + int((fraction or "0")[:3].ljust(3, "0")), value, what)


def shown(value: object) -> bytes:
    """A decoded value as JSON again, for an excerpt: of what is long its beginning."""
    return msgspec.json.encode(_beginning(value))


def _beginning(value: object, levels: int = SHOWN_LEVELS) -> object:
    if isinstance(value, str):
        return value[:SHOWN_CHARACTERS]
    if not isinstance(value, list | dict) or not value:
        return value
    if not levels:
        return "…"
    if isinstance(value, list):
        return [_beginning(item, levels - 1) for item in value[:SHOWN]]
    return {key: _beginning(item, levels - 1) for key, item in islice(value.items(), SHOWN)}


def _plausible_ms(ms: int, value: object, what: str) -> int:
    if not EARLIEST_MS <= ms <= LATEST_MS:
        if ms in NEVER_MS:
            raise NoTime(f"{what}: a time that was never set", payload=shown(value))
        raise BadTime(f"{what}: a time before 1990 or after 2100", payload=shown(value))
    return ms
