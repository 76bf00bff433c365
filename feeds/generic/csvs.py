"""CSV files (RFC 4180), read line by line from the bytes: what is counted is counted as it comes, and no copy of the whole is made."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from feeds.values.slices import MOST_BYTES, TooHeavy
from ticker.errors import FeedError
from ticker.runtime import in_turns
from ticker.source import Unread

MOST_ROWS = 50_000
"""One answer may have so many rows, whatever it is written in."""
MOST_LINES = 200_000
"""A CSV file may have so many lines; those without content, and those that are no rows, count too."""
MAX_LINE_BYTES = 256 * 1024
CELL_BYTES = 56
"""What a cell takes in memory at least."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z")


class Csv(NamedTuple):
    """How a CSV file is laid out; without `columns` its first line names them."""

    delimiter: str
    columns: tuple[str, ...]


def read_csv(body: bytes, layout: Csv) -> tuple[list[dict[str, str]], Unread | None]:
    """The lines of a CSV file, each by the names of its columns; and those that are none: they have another number of cells.

    Where a quote is left open, or a cell is beyond 128 KiB, only the line in which it is gets lost. Raises `FeedError` for what is no CSV:
    no header, or not one line that can be read; and for what has more rows or cells than are looked through.
    """
    if _PAGE.match(body):
        raise FeedError("not CSV but a page", payload=body)
    problem = None
    try:
        rows = _read_whole(body, layout)
    except csv.Error as error:
        problem = str(error)
    if problem is not None:  # out here, where the error no longer holds on to the rows that were read before it
        rows = _read_line_by_line(body, layout)
        if rows.read <= (not layout.columns):
            raise FeedError(f"not CSV ({problem})", payload=body)
    if not rows.columns:
        raise FeedError("not CSV: empty", payload=b"(empty)")
    return rows.rows, Unread(rows.lost, rows.first) if rows.lost else None


class _CsvRows:
    """What was read so far."""

    def __init__(self, layout: Csv) -> None:
        self.columns = layout.columns
        self.rows: list[dict[str, str]] = []
        self.read = 0  # lines with cells
        self.lost, self.first = 0, ""  # lines that are no rows, and what is wrong with the first of them
        self._weight = 0

    def add(self, number: int, cells: list[str]) -> None:
        """Take in the line that ends as the `number`th of the file."""
        self.read += 1
        if not self.columns:
            self.columns = tuple(name.strip() for name in cells)
        elif len(cells) != len(self.columns):
            self.lose(f"line {number}: {len(cells)} instead of {len(self.columns)} cells")
        else:
            row = dict(zip(self.columns, cells, strict=True))
            self.rows.append(row)
            self._weight += sys.getsizeof(row) + CELL_BYTES * len(cells)
            if len(self.rows) > MOST_ROWS:
                raise FeedError(f"more than the {MOST_ROWS} rows that are looked through")
            if self._weight > MOST_BYTES:
                raise TooHeavy(f"too many cells: they would take more than {MOST_BYTES // 2**20} MiB")

    def lose(self, what: str) -> None:
        """Count a line that is no row."""
        self.lost, self.first = self.lost + 1, self.first or what


def _read_whole(body: bytes, layout: Csv) -> _CsvRows:
    """All of it. Raises `csv.Error` where one line can't be read."""
    rows = _CsvRows(layout)
    texts = (line.decode("utf-8", "replace") for line in _lines(body))
    reader = csv.reader(texts, delimiter=layout.delimiter, strict=True)
    for cells in in_turns(reader):
        if cells:
            rows.add(reader.line_num, cells)
    return rows


def _read_line_by_line(body: bytes, layout: Csv) -> _CsvRows:
    """What can be read where each line stands for itself."""
    rows = _CsvRows(layout)
    for number, line in enumerate(in_turns(_lines(body, longest=len(body))), start=1):
        try:
            if len(line) > MAX_LINE_BYTES:
                raise csv.Error(f"longer than {MAX_LINE_BYTES // 1024} KiB")
            for cells in csv.reader([line.decode("utf-8", "replace")], delimiter=layout.delimiter, strict=True):
                if cells:
                    rows.add(number, cells)
        except csv.Error as error:
            rows.lose(f"line {number}: {error}")
    return rows


def _lines(body: bytes, longest: int = MAX_LINE_BYTES) -> Iterator[bytes]:
    """The lines, with what ends them. Raises `csv.Error` for one longer than `longest`, and `FeedError` for too many."""
    start = len(_BYTE_ORDER_MARK) if body.startswith(_BYTE_ORDER_MARK) else 0
    for count, match in enumerate(_LINE.finditer(body, start), start=1):
        if count > MOST_LINES:
            raise FeedError(f"more than the {MOST_LINES} lines that are looked through")
        if match.end() - match.start() > longest:
            raise csv.Error(f"line {count} is longer than {longest // 1024} KiB")
        yield match[0]
