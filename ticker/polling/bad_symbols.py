"""Finding the symbols that spoil a batch, and keeping them apart: the others of the batch must not pay for them.

Some providers (Kraken, Binance) refuse a whole call for one symbol they do not know, and do not say which one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ticker.errors import FeedError
from ticker.source import Answer, Subscription

RETRY_S = 600.0
"""How long a rejected symbol is left alone before it is asked for again."""

Batch = Sequence[Subscription]


class _Part(NamedTuple):
    batch: Batch
    spoiled: bool  # known to hold a bad symbol
    is_left: bool  # the left half of a spoiled part; the right half is the next to be asked


class Bisection:
    """The search for the bad symbols of one spoiled batch, by halves. May be broken off and taken up again."""

    def __init__(self, batch: Batch) -> None:
        self.calls = 0
        self._parts = [_Part(batch, True, False)]  # the next one to ask last

    @property
    def unresolved(self) -> list[Subscription]:
        """What has been neither answered nor rejected so far."""
        return [subscription for part in reversed(self._parts) for subscription in part.batch]

    def run(self, ask: Callable[[Batch], Answer], max_calls: int) -> Iterator[tuple[Batch, Answer | FeedError]]:
        """Ask for parts of the batch, at most `max_calls` times, until every symbol is answered for or rejected.

        Yields each part that was answered with its answer, and each bad symbol (a part of one, rejected when asked alone) with its error.
        k bad ones among n symbols take at most 2k⌈log₂ n⌉ + 1 calls. Raises the `FeedError` of `ask` where it is no rejection;
        the part that met it stays unresolved.
        """
        while self._parts:
            part = self._parts.pop()
            if part.spoiled and len(part.batch) > 1:
                self._split(part.batch)
                continue
            if max_calls <= 0:
                self._parts.append(part)
                return
            max_calls -= 1
            self.calls += 1
            try:
                answer = ask(part.batch)
            except FeedError as error:
                if not error.rejects_symbol:
                    self._parts.append(part)
                    raise
                if len(part.batch) == 1:
                    yield part.batch, error
                else:
                    self._split(part.batch)
            else:
                if part.is_left:  # then a bad symbol is in the right half
                    self._parts.append(self._parts.pop()._replace(spoiled=True))
                yield part.batch, answer

    def _split(self, batch: Batch) -> None:
        middle = (len(batch) + 1) // 2
        self._parts += [_Part(batch[middle:], False, False), _Part(batch[:middle], False, True)]


class BadSymbols:
    """Symbols that a provider rejected when asked alone, and when to ask again. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._retry_at_s: dict[str, float] = {}

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._retry_at_s

    def add(self, symbol: str, now_s: float) -> None:
        """Leave `symbol` alone for ten minutes from now on."""
        self._retry_at_s.pop(symbol, None)
        self._retry_at_s[symbol] = now_s + RETRY_S

    def discard(self, symbol: str) -> bool:
        """Treat `symbol` like any other again; whether it was one of these."""
        return self._retry_at_s.pop(symbol, None) is not None

    def due(self, now_s: float, most: int) -> list[str]:
        """At most `most` symbols whose time is up, the longest waiting first."""
        due: list[str] = []
        for symbol, retry_at_s in self._retry_at_s.items():  # in the order of their times: `add` always appends
            if retry_at_s > now_s or len(due) == most:
                break
            due.append(symbol)
        return due
