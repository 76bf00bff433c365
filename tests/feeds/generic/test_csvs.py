"""CSV read line by line: the rows of the whole text, and no more memory than they take. What rows mean is in test_feed.py."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ticker.runtime
from feeds.generic.csvs import MOST_ROWS, Csv, read_csv
from tests.feeds.hostile import Witness
from tests.feeds.support import complaint
from tests.feeds.values.test_slices import counted
from ticker.errors import FeedError
from ticker.runtime import Runtime
from ticker.source import Unread

PLAIN = Csv(",", ())


@given(
    st.text('AB,"\n\r \u00e4\U0001f4b8\u2028\x0b\x1c\x85', max_size=40).map(lambda text: ("a,b\n" + text).encode())
    | st.binary(max_size=40).map(lambda body: b"a,b\n" + body)
)
def test_lines_are_those_of_the_whole_text(body: bytes) -> None:
    """Whatever ends them, whatever is in quotes; a character that is none is the same one either way."""
    try:
        whole = list(csv.reader(io.StringIO(body.decode("utf-8-sig", "replace"), newline=""), strict=True))
    except csv.Error:
        return  # then each line stands for itself
    assert read_csv(body, PLAIN)[0] == [dict(zip("ab", cells, strict=True)) for cells in whole[1:] if len(cells) == 2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"s,p\n" + b"A,1\n" * 2_000_000, "more than the 50000 rows"),
        (b"s,p\n" + b"A\n" * 4_000_000, "more than the 200000 lines"),
        (b"s,p\n" + b"\n" * 8_000_000, "more than the 200000 lines"),
        (b"s,p\n" + b"\r" * 8_000_000, "more than the 200000 lines"),
        (b's,p\n"' + b"A,1\n" * 2_000_000, "more than the 50000 rows"),
        (b",".join(b"c%d" % n for n in range(100)) + b"\n" + (b",".join(b"%d" % n for n in range(100)) + b"\n") * 28_000, "too many cells"),
        (b"," * 8_000_000, "not CSV"),
        (b"s,p\n" + b"x" * 8_000_000, "line 2 is longer than 256 KiB"),
    ],
    ids=["rows", "short lines", "empty lines", "returns", "a quote", "cells", "one line", "a long line"],
)
def test_a_file_without_measure_is_refused_as_it_is_read(body: bytes, said: str) -> None:
    """Counted line by line, so that it takes no memory; the body itself is 8 MB."""
    with counted() as peak:
        assert said in str(complaint(lambda: read_csv(body, PLAIN)))
    assert peak() < 56 * 2**20


def test_a_line_beyond_measure_costs_itself() -> None:
    """The others are rows."""
    rows, unread = read_csv(b"s,p\nA,1\n" + b"x" * 7_000_000 + b"\nB,2\n", PLAIN)
    assert rows == [{"s": "A", "p": "1"}, {"s": "B", "p": "2"}]
    assert unread == Unread(1, "line 3: longer than 256 KiB")


def test_one_emoji_does_not_make_four_bytes_of_each() -> None:
    """The text of 4 MB was one of 16 MB, before it was cut into lines."""
    body = b"s,p\n" + b"A,%b\n" % ("\U0001f4b8" + "x" * 90).encode() + b"A,%b\n" % (b"x" * 90) * 40_000
    with counted() as peak:
        rows, _ = read_csv(body, PLAIN)
    assert len(rows) == 40_001
    assert peak() < 56 * 2**20


@pytest.mark.slow
def test_what_is_allowed_fits(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows that are looked through, of ten cells each; others have their turns after each."""
    monkeypatch.setattr(ticker.runtime, "LONGEST_TURN_S", 0.0)
    body = b",".join(b"c%d" % n for n in range(10)) + b"\n" + (b",".join(b"%d.5" % n for n in range(10)) + b"\n") * MOST_ROWS
    with counted() as peak:
        assert len(read_csv(body, PLAIN)[0]) == MOST_ROWS
    assert peak() < 56 * 2**20
    witness = Witness(runtime)
    with pytest.raises(FeedError):
        read_csv(b"s,p\n" + b"A\n" * 4_000_000, PLAIN)
    assert witness.stop() > 100_000
