"""Large JSON, decoded a little at a time and weighed: whoever sends 8 MB of it takes neither the process nor its memory.

A decoder in C has the process to itself from the first byte to the last: 20 to 60 ms for 8 MB, and 850 MB of memory where they are
`[[],[],[],…]`. So what is large is taken apart first, level by level, by a decoder that skips what it does not build (3 GB a second); the
pieces are decoded in groups, with others' turns between, and what they weigh is counted as they come.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ticker.errors import FeedError
from ticker.nested import undisturbed
from ticker.runtime import Turn

LARGE_BYTES = 256 * 1024
"""A body that is not longer is decoded at once, in 2 ms at most."""
GROUP_BYTES = 128 * 1024
"""Pieces of so many bytes together, or a little more, are decoded as one group."""
MOST_BYTES = 44 * 1024 * 1024
"""What comes of one body may take so much memory: 50,000 rows of 10 fields each. With the body itself and a copy it stays below 64 MiB."""
MOST_LEVELS = 8
"""Pieces that are large themselves may be nested so deep. Rows lie in the fourth level at most."""
RAW_BYTES, BLOCK_BYTES, ENTRY_BYTES = 64, 64, 40
"""What a piece takes that is not decoded yet; what a value or a key takes on average; what an entry of a table takes that has many."""
LONGEST_KEY = 10_000
FEW_ENTRIES = 21
"""The entries of a table that has no more of them are counted as one block."""
MANY_COMMAS = 100_000
"""In a body with fewer commas it does not matter how large its tables are."""

_START = re.compile(rb"[ \t\r\n]*")
_UP_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+"){0,1000}+[{}\[\]]?', re.DOTALL)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])

DecodeGroup = Callable[[bytes], list[Any]]


class TooHeavy(FeedError):
    """A body of which would come more than fits."""


class Slicer:
    """Takes one body apart. `decode_group` decodes an array of values; it raises what `msgspec` raises, as all here do, and `TooHeavy`.
    `beside`: how many bytes are held besides, of the body in another form.
    """

    def __init__(self, decode_group: DecodeGroup, beside: int = 0) -> None:
        self._decode_group = decode_group
        self._turn = Turn()
        self._beside = self._weight = beside
        self._commas = 0

    def value(self, body: bytes) -> Any:
        """The value of a body."""
        self._foresee(body)
        return self._value(body, 1)

    def groups(self, body: bytes) -> Iterator[list[Any]]:
        """The values of an array, some at a time."""
        self._foresee(body)
        yield from self._groups(undisturbed(_ARRAY.decode, body), None)

    def _foresee(self, body: bytes) -> None:
        """Refuse what may have too many pieces, before the first of them is there: no level has more than there are commas."""
        for start in range(0, len(body), LARGE_BYTES):
            self._commas += body.count(b",", start, start + LARGE_BYTES)
            self._turn.step()
        self._add(RAW_BYTES * self._commas, body)
        self._weight = self._beside

    def _value(self, piece: bytes | msgspec.Raw, level: int) -> Any:
        body = memoryview(piece)
        first = bytes(body[_START.match(body).end() :][:1])  # type: ignore[union-attr] # it matches nothing, too
        if len(body) > LARGE_BYTES and level > MOST_LEVELS:
            raise FeedError("not JSON for us: nested too deep for its length", payload=bytes(body[:1000]))
        if first == b"[":
            return [value for group in self._groups(undisturbed(_ARRAY.decode, body), level) for value in group]
        if first == b"{":
            self._foresee_entries(body)
            entries: dict[str, Any] = undisturbed(_OBJECT.decode, body)
            self._add((ENTRY_BYTES + BLOCK_BYTES) * len(entries), body)
            keys, raws = list(entries), list(entries.values())
            if max(map(len, keys), default=0) > LONGEST_KEY:
                raise FeedError(f"not JSON for us: a key longer than {LONGEST_KEY} characters", payload=bytes(body[:1000]))
            entries.clear()
            at = 0
            for group in self._groups(raws, level):
                entries.update(zip(keys[at : at + len(group)], group, strict=True))
                at += len(group)
            return entries
        if first != b'"':
            self._decode_group(b"[%b]" % bytes(body[:1000]))  # which says what is wrong with a page, or with nothing at all
        raise FeedError(f"not JSON for us: a value longer than {LARGE_BYTES // 1024} KiB", payload=bytes(body[:1000]))

    def _groups(self, raws: list[msgspec.Raw], level: int | None) -> Iterator[list[Any]]:
        """The values of pieces, in order; without a `level` one that is large is not taken apart itself. The list is used up meanwhile:
        what was decoded is not kept undecoded too.
        """
        raws.reverse()
        many = 1
        while raws:
            waiting = RAW_BYTES * len(raws)
            self._add(waiting, b"")
            self._weight -= waiting
            group = raws[-many:]
            size = sum(map(len, group))
            if size > LARGE_BYTES and len(group) > 1:
                many = len(group) // 2
                continue
            del raws[-len(group) :]
            if size <= LARGE_BYTES or level is None:
                yield self._decoded(b"[%b]" % b",".join(reversed(group)))
            else:
                yield [self._value(group[0], level + 1)]
            many = many * 2 if size < GROUP_BYTES else many
            self._turn.step()

    def _decoded(self, group: bytes) -> list[Any]:
        before = sys.getallocatedblocks()
        values = self._decode_group(group)
        blocks = sys.getallocatedblocks() - before
        weight = BLOCK_BYTES * blocks + len(group) * (1 if group.isascii() else 2)
        if self._commas > MANY_COMMAS and (entries := group.count(b":")) > FEW_ENTRIES * group.count(b"{"):
            weight += ENTRY_BYTES * entries
        self._add(weight, group)
        return values

    def _foresee_entries(self, body: memoryview) -> None:
        """Refuse an object of too many entries; those of objects within it do not count. Only looked at where it may be one."""
        each = RAW_BYTES + BLOCK_BYTES + ENTRY_BYTES
        if self._weight + each * self._commas <= MOST_BYTES:
            return
        level = entries = 0
        for match in _UP_TO_BRACKET.finditer(body):
            stretch = match[0]
            if level == 1:
                entries += stretch.count(b",")
                if self._weight + each * entries > MOST_BYTES:
                    raise self._too_heavy(body)
            level += (stretch[-1:] in b"{[") - (stretch[-1:] in b"}]") if stretch else 0
            self._turn.step()

    def _add(self, weight: int, body: bytes | memoryview) -> None:
        self._weight += weight
        if self._weight > MOST_BYTES:
            raise self._too_heavy(body)

    @staticmethod
    def _too_heavy(body: bytes | memoryview) -> TooHeavy:
        return TooHeavy(f"too many values: they would take more than {MOST_BYTES // 2**20} MiB", payload=bytes(body[:1000]))
