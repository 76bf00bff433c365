"""A fuzzer of our own, for where atheris has no wheel: seeded, without coverage, the same inputs in each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from tests.fuzz.seeds import BROKEN, NUMBERS

MOST_BYTES = 8192
PIECES = (*NUMBERS, *BROKEN[:2], *b'{ } [ ] , : " \\ / 0 1 9 - . e E + \n \x00 \x1e'.split(b" "), b"\xf0\x9f\x98\x80", b"\xed\xa0\x80",
          b"\x81\x80")  # fmt: skip


def inputs(seeds: list[bytes], seed: int) -> Iterator[bytes]:
    """The seeds as they are, then mutations of them without end."""
    yield from seeds
    random = Random(seed)
    while True:
        data = random.choice(seeds)
        for _ in range(random.randint(1, 6)):
            data = random.choice(MUTATIONS)(data, random, seeds)
        yield data[:MOST_BYTES]


def _span(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.choice((0, 1, 1, 2, 4, 16, 100)))


def _cut(data: bytes, random: Random, _: list[bytes]) -> bytes:
    start, end = _span(data, random)
    return data[:start] + data[end:]


def _insert(data: bytes, random: Random, _: list[bytes]) -> bytes:
    start, end = _span(data, random)
    return data[:start] + random.choice(PIECES) + data[end:]


def _byte(data: bytes, random: Random, _: list[bytes]) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _repeat(data: bytes, random: Random, _: list[bytes]) -> bytes:
    start, end = _span(data, random)
    return data[:end] + data[start:end] * random.choice((1, 2, 20)) + data[end:]


def _join(data: bytes, random: Random, seeds: list[bytes]) -> bytes:
    other = random.choice(seeds)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


MUTATIONS: tuple[Callable[[bytes, Random, list[bytes]], bytes], ...] = (_cut, _insert, _insert, _byte, _repeat, _join)
