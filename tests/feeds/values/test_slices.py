"""Large JSON in slices: the same value as in one go, or the same kind of complaint; bounded in memory, with others' turns between."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feeds.values.parse
import feeds.values.slices
import ticker.runtime
from feeds.values.parse import decode, decode_strictly, elements
from feeds.values.slices import LARGE_BYTES, TooHeavy
from tests.feeds.hostile import Witness
from tests.feeds.support import JSON, complaint, mutated
from ticker.runtime import Runtime

TEXTS = st.text(max_size=6) | st.sampled_from(['"', "\\", "{", "},{", "],[", "a:b,c", "NaN", " NaN ", ",NaN,", "1e999", ", Infinity]"])
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=6),
    max_leaves=40,
)


@contextmanager
def tiny() -> Iterator[None]:
    """Slices so small that an example has many."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (feeds.values.slices, feeds.values.parse):
            patch.setattr(module, "LARGE_BYTES", 160)  # all texts of these tests are shorter
            patch.setattr(module, "GROUP_BYTES", 30)
        patch.setattr(feeds.values.slices, "MOST_LEVELS", 1000)
        yield


def in_one_go(body: bytes) -> Any:
    """What the library makes of it; an exception where it makes nothing."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return error


@given(st.lists(NESTED, max_size=12) | st.dictionaries(TEXTS, NESTED, max_size=12), st.sampled_from([None, 1]), st.booleans())
def test_slices_are_the_whole(value: Any, indent: int | None, spaced: bool) -> None:
    """Whatever it holds, however it is written: what looks like a bracket or a comma in a text is none."""
    body = json.dumps(value, indent=indent, separators=None if spaced else (",", ":"), ensure_ascii=spaced).encode()
    with tiny():
        assert decode_strictly(body) == in_one_go(body) == value
        assert decode(b"\xef\xbb\xbf \n" + body + b" ") == value


@given(
    mutated({"data": [{"id": "A", "last": 1.5, "b": "1.4", "t": 1779998399, "x": [1, [2, {"y": "z"}]]}] * 6})
    | JSON.map(lambda value: json.dumps(value).encode())
)
def test_what_is_broken_is_as_broken_in_slices(body: bytes) -> None:
    """Never a value where the whole has none, nor the other way round; of a key that stands there twice the last counts."""
    expected = in_one_go(body)
    with tiny():
        if isinstance(expected, Exception):
            assert "not JSON" in str(complaint(lambda: decode_strictly(body)))
        else:
            assert decode_strictly(body) == expected


@pytest.mark.parametrize("body", [b'{"a":1,"b":[' + b"1," * 100 + b'2],"a":{"c":"d"}}', b'{"a":[' + b"1," * 100 + b'2],"a":3,"b":4}'])
def test_of_a_key_that_stands_there_twice_the_last_counts(body: bytes) -> None:
    """Also where the first is a piece that is large itself."""
    with tiny():
        assert decode_strictly(body) == in_one_go(body)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "-1E+400", "1e100", "-1.5e-300", "12", "0.1e0005"])
def test_what_is_nearly_json_costs_no_more_than_its_place(word: str) -> None:
    """As with a short body: what no float can hold becomes a text, what one can hold stays a number, and texts stay what they are."""
    held = json.loads(
        word,
        parse_constant=str,
        parse_float=lambda text: float(text) if abs(float(text)) < 1e308 else text,
        parse_int=lambda text: int(text) if len(text) < 300 else text,
    )
    for times in (1, 100):
        body = f'[{{"p":{word},"q":[ {word} ,{word}\n]}},"{word[:100]}",' + f"{word}," * times + "1]"
        with tiny():
            assert decode(body.encode()) == [{"p": held, "q": [held, held]}, word[:100], *[held] * times, 1]


def test_what_looks_like_it_in_a_text_is_left_alone() -> None:
    """Where a short body has both."""
    assert decode(b'[NaN,"a, NaN, b",{"c":" Infinity "}]') == ["NaN", "a, NaN, b", {"c": " Infinity "}]
    assert decode(b"[NaN,%b]" % (b"9" * 400)) == ["NaN", "9" * 400]


ROW = b'{"symbol":"ACME","price":1.5,"bid":"1.4","volume":100},'
HEAVY = {
    "lists": b"[" + b"[]," * 2_700_000 + b"[]]",
    "objects": b'{"p":[' + b"{}," * 2_700_000 + b"{}]}",
    "numbers": b"[" + b"1," * 4_000_000 + b"1]",
    "keys": b"{" + b",".join(b'"%d":1' % number for number in range(700_000)) + b"}",
    "keys below": b'{"a":{"x":[],"y":{' + b",".join(b'"%d":1' % number for number in range(700_000)) + b"}}}",
    "texts": b"[" + b'"abcdefgh",' * 760_000 + b"1]",
    "tables": b"[" + (b"{" + b",".join(b'"%d":1' % number for number in range(22)) + b"},") * 40_000 + b"1]",
    "a text": b'["' + "😀".encode() + b"x" * 8_000_000 + b'"]',
    "a key": b'{"' + "😀".encode() + b"x" * 8_000_000 + b'":[]}',
    "texts in levels": b"[" * 12 + b'"abcdefgh",' * 400_000 + b"1" + b"]" * 12,
}
LIGHT: dict[str, Callable[[], bytes]] = {
    "all of Binance": lambda: (
        b"[" + b",".join(b"{%b}" % b",".join(b'"key%d":"%d.%08d"' % (key, row, key) for key in range(21)) for row in range(3_500)) + b"]"
    ),
    "50,000 rows of ten": lambda: (
        b'{"error":[],"result":['
        + b",".join(b"{%b}" % b",".join(b'"k%d":"%d.%d"' % (key, row % 97, key) for key in range(10)) for row in range(50_000))
        + b"]}"
    ),
    "rows with emoji": lambda: b"[" + (b'{"name":"' + "😀".encode() + b"x" * 100 + b'"},') * 60_000 + b"{}]",
}


@pytest.mark.parametrize("body", HEAVY.values(), ids=HEAVY)
def test_what_would_take_too_much_is_refused(body: bytes) -> None:
    """Before it has taken it. The body itself is 8 MB, so that all in all it stays below 64 MiB."""
    with counted() as peak:
        error = complaint(lambda: decode(body))
    assert isinstance(error, TooHeavy) or any(said in str(error) for said in ("longer than 256 KiB", "nested too deep", "a key longer"))
    assert peak() < 56 * 2**20


@pytest.mark.parametrize("body", LIGHT.values(), ids=LIGHT)
def test_what_is_honest_is_read(body: Callable[[], bytes]) -> None:
    """The largest answers that are known, and what the limit of rows allows."""
    payload = body()
    with counted() as peak:
        value = decode_strictly(payload)
    assert peak() < 56 * 2**20
    assert value == msgspec.json.decode(payload)


def test_nearly_json_takes_no_more() -> None:
    """8 MB of rows with a NaN in each: read, or refused, in the same memory."""
    for times in (40_000, 150_000):
        body = b"[" + ROW.replace(b"1.5", b"NaN") * times + b"{}]"
        with counted() as peak:
            if times < 100_000:
                assert decode(body)[0]["price"] == "NaN"
            else:
                assert isinstance(complaint(lambda body=body: decode(body)), TooHeavy)  # type: ignore[misc]
        assert peak() < 56 * 2**20


def test_others_have_their_turns(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two groups."""
    monkeypatch.setattr(ticker.runtime, "LONGEST_TURN_S", 0.0)
    body = b"[" + ROW * 40_000 + b"{}]"
    witness = Witness(runtime)
    assert len(decode_strictly(body)) == 40_001
    assert witness.stop() >= 2 * (len(body) // LARGE_BYTES)


def test_elements_are_decoded_as_the_caller_wants() -> None:
    """In groups, whole and in order."""
    body = json.dumps(list(range(200_000))).encode()
    groups = list(elements(body, msgspec.json.Decoder(list[int]).decode))
    assert len(groups) > 10
    assert [number for group in groups for number in group] == list(range(200_000))
    with pytest.raises(msgspec.ValidationError):
        list(elements(body[:-1] + b',"x"]', msgspec.json.Decoder(list[int]).decode))


def test_a_piece_that_is_wrong_is_shown() -> None:
    """Not the beginning of 2 MB, in which nothing is."""
    error = complaint(lambda: decode_strictly(b"[" + ROW * 40_000 + b'{"symbol":"ZZZ","price":01}' + b"]"))
    assert "ZZZ" in error.excerpt or "ACME" in error.excerpt
    assert "not JSON" in str(error)


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """The most memory that was in use at a time during the block, beyond what was before it."""
    peak = 0
    tracemalloc.start()
    try:
        yield lambda: peak
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
