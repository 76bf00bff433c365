"""Quotes for a pipe: every accepted update while the reader keeps up, the newest of each symbol when it does not. No I/O."""

from __future__ import annotations

from collections.abc import Iterable

from ticker.backlog import Backlog
from ticker.quote import Quote, encode

MOST_WAITING = 10_000
"""Updates that may wait before they are folded to the newest of each symbol (`seq` shows the fold)."""


class NdjsonBacklog:
    """What the reader has not been given yet: at most `MOST_WAITING` updates, or one a symbol if there are more symbols than that."""

    def __init__(self) -> None:
        self._waiting = Backlog(MOST_WAITING, _newest)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, quotes: Iterable[Quote]) -> None:
        """Take accepted updates, in order."""
        self._waiting.add(quotes)

    def take(self, most_bytes: int) -> bytes:
        """Whole lines, at least one if there is any, else `most_bytes` at most; empty: the reader has everything."""
        lines: list[bytes] = []
        size = 0
        while self._waiting:
            line = encode(self._waiting.first) + b"\n"
            size += len(line)
            if lines and size > most_bytes:
                break
            lines.append(line)
            self._waiting.take(1)
        return b"".join(lines)


def _newest(quotes: Iterable[Quote]) -> list[Quote]:
    return sorted({quote.symbol: quote for quote in quotes}.values(), key=_received)


def _received(quote: Quote) -> int:
    return quote.received_time
