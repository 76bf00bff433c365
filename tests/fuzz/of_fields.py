"""What can be left out of an answer without costing its price can't cost it by being odd: of every kind of feed, each field of its samples.

Which fields can be left out is found by leaving them out, so that a new kind, or a new field, is covered as soon as it has a sample.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from feeds.values.parse import decode
from tests.fuzz import of_feeds
from tests.fuzz.target import Target
from ticker.errors import FeedError
from ticker.quote import Tick

ODD: tuple[Any, ...] = (
    "unch", "N/A", "", "1,234.5", "NaN", True, False, [], ["x"], {}, {"raw": "x"}, -1, -2147483648, 1e300, 4.9e-322, 0, None)  # fmt: skip
"""What stands in real answers where a number should, and worse."""
OUT_OF_TIME = "a time before 1990 or after 2100"
"""The one way in which what is not the price may cost it: nobody knows when the price was made, nor in which unit that is told."""
MOST_SAMPLES = 3
DECIDES: dict[str, frozenset[str]] = {
    "alphavantage": frozenset(("01. symbol",)), "massive": frozenset(("status",)), "massive_currencies": frozenset(("status",)),
    "massive_indices": frozenset(("status",)), "polygon": frozenset(("status",)), "twelvedata": frozenset(("symbol", "status", "code")),
    "yahoo": frozenset(("quoteType", "error")), "yahoo_chart": frozenset(("error",))}  # fmt: skip
"""By kind: fields that say that there is no price, or that it is another symbol's, and need not be there."""
_GONE = object()


class Sample(NamedTuple):
    """An answer, or the frames of a stream: of each line what stands before its JSON, and that. And the prices that come out of it."""

    kind: str
    target: Target
    lines: list[list[Any]]
    prices: list[float]

    def prices_with(self, path: tuple[str | int, ...], value: object) -> list[float] | None:
        """The prices where another value stands at `path`; `None` where a time there can't be meant."""
        lines = copy.deepcopy(self.lines)
        holder: Any = lines
        for key in path[:-1]:
            holder = holder[key]
        if value is _GONE and isinstance(holder, dict):
            del holder[path[-1]]
        else:
            holder[path[-1]] = None if value is _GONE else value
        outcomes = _outcomes(self.target, lines)
        if any(isinstance(outcome, FeedError) and OUT_OF_TIME in str(outcome) for outcome in outcomes):
            return None
        return _prices(outcomes)

    def optional(self) -> Iterator[tuple[str | int, ...]]:
        """The ways to all values that can be left out."""
        for path in _paths([value for _, value in self.lines]):
            way = (path[0], 1, *path[1:])
            if path[-1] not in DECIDES.get(self.kind, ()) and self.prices_with(way, _GONE) == self.prices:
                yield way


@cache
def samples(kind: str) -> list[Sample]:
    """Those payloads of a kind, of the seeds of its target, in which there is a price."""
    target = of_feeds.feed_targets()[kind]
    found: list[Sample] = []
    for seed in target.seeds:
        lines = [_decoded(line) for line in seed.split(b"\n")]
        if len(found) < MOST_SAMPLES and any(value is not None for _, value in lines) and (prices := _prices(_outcomes(target, lines))):
            found.append(Sample(kind, target, lines, prices))
    return found


def check(sample: Sample, path: tuple[str | int, ...], value: object) -> None:
    """Raises `AssertionError` where a price is lost, or is another, because of `value` at `path`."""
    prices = sample.prices_with(path, value)
    assert prices is None or prices == sample.prices, (sample.kind, path, value, prices)


def field_target() -> Target:
    """Any value in any field that can be left out, of any kind: two bytes choose the field, what follows is the value."""
    fields = [(sample, path) for kind in of_feeds.feed_targets() for sample in samples(kind) for path in sample.optional()]

    def run(data: bytes) -> None:
        sample, path = fields[int.from_bytes(data[:2]) % len(fields)]
        try:
            value = decode(data[2:])  # else the answer as a whole would be no JSON
        except FeedError:
            value = data[2:].decode("utf-8", "replace")
        prices = sample.prices_with(path, value)
        assert prices is None or len(prices) == len(sample.prices), (sample.kind, path, value)

    return Target(run, [bytes((number, 37 * number % 256)) + json.dumps(value).encode() for number in range(0, 256, 3) for value in ODD])


def _outcomes(target: Target, lines: list[list[Any]]) -> list[object]:
    """All ticks and errors that become of it."""
    outcomes: list[object] = []

    def note(value: object) -> bool:
        outcomes.append(value)
        return True

    judge, of_feeds.well_formed = of_feeds.well_formed, note
    try:
        target.run(b"\n".join(before + (b"" if value is None else json.dumps(value).encode()) for before, value in lines))
    finally:
        of_feeds.well_formed = judge
    return outcomes


def _prices(outcomes: list[object]) -> list[float]:
    return [outcome.price for outcome in outcomes if isinstance(outcome, Tick)]


def _decoded(line: bytes) -> list[Any]:
    match = re.fullmatch(rb"([0-9]*)([\[{].*)", line, re.DOTALL)
    try:
        return [match[1], json.loads(match[2])] if match else [line, None]
    except (ValueError, RecursionError):
        return [line, None]


def _paths(value: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*before, key)
        yield from _paths(inner, (*before, key))
