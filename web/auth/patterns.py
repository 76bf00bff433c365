"""Patterns with `*` for anything, many at a time: whether a symbol is what one of them says."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from weakref import WeakValueDictionary


class Patterns:
    """A list of them, sorted so that what a symbol costs hardly grows with their number: names are looked up, and so are the beginnings
    and ends of patterns with one star. Of those with more only the ones are gone through that begin as the symbol does and whose longest
    part it has in it, each in time that grows with its length.

    Lists that are equal are one object while anybody holds it (`of`), so it may be a key, and cheaply.
    """

    __slots__ = ("__weakref__", "_heads", "_lengths", "_names", "turn")

    def __init__(self, patterns: Iterable[str]) -> None:
        self.turn = threading.Lock()
        """Held by whoever goes through many symbols, which may take long: others wait for the answer instead of working it out too."""
        split = [pattern.split("*") for pattern in patterns]
        self._names = frozenset(parts[0] for parts in split if len(parts) == 1)
        self._heads: dict[str, _Tails] = {}
        for head, *rest in split:
            if rest:
                self._heads.setdefault(head, _Tails()).add(rest)
        self._lengths = sorted({len(head) for head in self._heads})

    @staticmethod
    def of(patterns: tuple[str, ...]) -> Patterns:
        """The object for this very list."""
        found = _INTERNED.get(patterns)
        if found is None:
            found = _INTERNED[patterns] = Patterns(patterns)
        return found

    def fit(self, symbol: str) -> bool:
        """Whether `symbol` is what one of the patterns says."""
        if symbol in self._names:
            return True
        for length in self._lengths:
            tails = self._heads.get(symbol[:length])
            if tails is not None and tails.fit(symbol[length:]):
                return True
            if length >= len(symbol):
                break
        return False


class _Tails:
    """What may follow one beginning, after a star."""

    __slots__ = ("_lengths", "_longer", "_longest", "_only")

    def __init__(self) -> None:
        self._only: set[str] = set()  # the ends of patterns with one star
        self._lengths: tuple[int, ...] = ()  # of those, each once
        self._longer: dict[str, list[list[str]]] = {}  # the parts between stars, and the end, of the others, by their longest part
        self._longest: tuple[int, ...] = ()  # the lengths of those, each once

    def add(self, parts: list[str]) -> None:
        """One more pattern with this beginning: the parts between its other stars, and its end."""
        *middle, end = parts
        middle = [part for part in middle if part]  # two stars side by side are one
        if middle:
            longest = max(middle, key=len)
            self._longer.setdefault(longest, []).append([*middle, end])
            self._longest = tuple(sorted({*self._longest, len(longest)}))
        elif end not in self._only:
            self._only.add(end)
            self._lengths = tuple(sorted({*self._lengths, len(end)}))

    def fit(self, rest: str) -> bool:
        """Whether `rest` is what one of them says."""
        size = len(rest)
        for length in self._lengths:
            if length > size:
                break
            if rest[size - length :] in self._only:
                return True
        for length in self._longest:
            for at in range(size - length + 1):
                candidates = self._longer.get(rest[at : at + length])
                if candidates is not None and any(_in_order(parts, rest) for parts in candidates):
                    return True
        return False


_INTERNED: WeakValueDictionary[tuple[str, ...], Patterns] = WeakValueDictionary()


def _in_order(parts: list[str], rest: str) -> bool:
    """Whether `rest` has the parts one after the other, the last at its end. Each is taken where it comes first: there is no way back."""
    at = 0
    for part in parts[:-1]:
        found = rest.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return rest.endswith(parts[-1]) and len(rest) - len(parts[-1]) >= at
