"""Quotes for a pipe: every accepted update while the reader keeps up, the newest of each symbol when it does not. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ticker.quote import Quote, encode

BACKLOG = 10_000
"""Updates that may wait before they are folded to the newest of each symbol (`seq` shows the fold)."""


class NdjsonBacklog:
    """What the reader has not been given yet: at most `BACKLOG` updates, or one a symbol if there are more symbols than that."""

    def __init__(self) -> None:
        self._waiting: deque[Quote] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, quotes: Iterable[Quote]) -> None:
        """Take accepted updates, in order."""
        self._waiting.extend(quotes)
        if len(self._waiting) > BACKLOG:
            newest = {quote.symbol: quote for quote in self._waiting}
            self._waiting = deque(sorted(newest.values(), key=_received))

    def take(self, most_bytes: int) -> bytes:
        """Whole lines, at least one if there is any, else `most_bytes` at most; empty: the reader has everything."""
        lines: list[bytes] = []
        size = 0
        while self._waiting:
            line = encode(self._waiting[0]) + b"\n"
            size += len(line)
            if lines and size > most_bytes:
                break
            lines.append(line)
            self._waiting.popleft()
        return b"".join(lines)


def _received(quote: Quote) -> int:
    return quote.received_time
