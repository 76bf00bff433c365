"""What happened to prices that people should be able to look up: ticks not believed, fields left out, sources that disagree, switches
between sources.

Plain memories of bounded size. What is new is logged; what is not, or is too much, is logged for those who debug.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Container

from ticker import wire
from ticker.errors import excerpt
from ticker.log_limit import LogLimit
from ticker.quote import Odd

log = logging.getLogger(__name__)

MOST_LISTED = 100
"""So many entries of a kind are listed at most, the newest; all are counted."""
MOST_LINES = 20
"""So many log lines there are at most of each kind of incident in `LINES_PERIOD_S`."""
LINES_PERIOD_S = 600.0
"""Over so long the log lines of a kind are counted."""


class IncidentLog:
    """The log lines of one kind of incident: so many in ten minutes, and the others for those who debug."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._limit = LogLimit(MOST_LINES, LINES_PERIOD_S)

    def tell(self, is_new: bool, now_ms: int, message: str, *values: object) -> None:
        """Log it, at its level where it `is_new` and there were not too many, else at `debug`."""
        line = self._limit.passes(now_ms / 1000) if is_new else None
        if line is None:
            log.debug(message, *values)
        else:
            log.log(self._level, message + (" (enough of this for ten minutes; /api/status has all)" if line.is_last else ""), *values)


class BadTicks:
    """Ticks that were not believed, by symbol and feed."""

    def __init__(self) -> None:
        self.count = 0
        self._entries: dict[tuple[str, str], wire.NotBelieved] = {}  # the newest last
        self._told: set[tuple[str, str, str]] = set()
        self._log = IncidentLog(logging.WARNING)

    def note(self, symbol: str, feed: str, kind: str, reason: str, payload: str, now_ms: int) -> None:
        """A tick was not believed. `kind` tells which reasons are the same."""
        self.count += 1
        before = self._entries.pop((symbol, feed), None)
        self._entries[symbol, feed] = wire.NotBelieved(symbol=symbol, feed=feed, count=before.count + 1 if before else 1, at=now_ms,
                                                       reason=reason, excerpt=(shown := excerpt(payload)))  # fmt: skip
        is_new = (symbol, feed, kind) not in self._told
        self._told.add((symbol, feed, kind))
        self._log.tell(is_new, now_ms, "feed %s: a tick of %s is not believed: %s [%s]", feed, symbol, reason, shown)

    def forget(self, symbol: str) -> None:
        """Forget `symbol`, which is not on the board any more."""
        for key in [key for key in self._entries if key[0] == symbol]:
            del self._entries[key]
        self._told = {told for told in self._told if told[0] != symbol}

    def state(self) -> wire.BadTicks:
        """For people: how many there were, and of each symbol and feed how many and the last, the newest first."""
        return wire.BadTicks(count=self.count, recent=[*reversed(self._entries.values())][:MOST_LISTED])


class OddFields:
    """Fields of answers that could not be read or meant, and so are unknown, by feed and field."""

    def __init__(self) -> None:
        self.count = 0
        self._entries: dict[tuple[str, str], wire.LeftOut] = {}  # the newest last
        self._log = IncidentLog(logging.WARNING)

    def note(self, symbol: str, feed: str, odd: Odd, now_ms: int) -> None:
        """A field of an answer is left out."""
        self.count += 1
        before = self._entries.pop((feed, odd.field), None)
        self._entries[feed, odd.field] = wire.LeftOut(feed=feed, field=odd.field, count=before.count + 1 if before else 1,
                                                      symbol=symbol, at=now_ms, reason=odd.reason, excerpt=odd.excerpt)  # fmt: skip
        message = "feed %s: %s of %s is left out: %s [%s]"
        self._log.tell(before is None, now_ms, message, feed, odd.field, symbol, odd.reason, odd.excerpt)

    def keep(self, feeds: Container[str]) -> None:
        """Forget the feeds that are not among `feeds`, which are all there are now."""
        self._entries = {key: entry for key, entry in self._entries.items() if entry.feed in feeds}

    def state(self) -> wire.OddFields:
        """For people: how many there were, and of each feed and field how many and the last, the newest first."""
        return wire.OddFields(count=self.count, fields=[*reversed(self._entries.values())][:MOST_LISTED])


class Disagreements:
    """Which pairs of sources disagree about a symbol at this moment."""

    def __init__(self) -> None:
        self._since_ms: dict[tuple[str, str], int] = {}
        self._told: set[tuple[str, str]] = set()
        self._log = IncidentLog(logging.WARNING)

    def __len__(self) -> int:
        return len(self._since_ms)

    def note(self, symbol: str, feed: str, apart: str, in_use: str, now_ms: int) -> None:
        """The price of `feed` is that far from that of the source in use, in words."""
        if (symbol, feed) in self._since_ms:  # nothing has changed
            return
        self._since_ms[symbol, feed] = now_ms
        is_new = (symbol, feed) not in self._told
        self._told.add((symbol, feed))
        self._log.tell(is_new, now_ms, "%s: the feeds %s and %s are %s apart", symbol, feed, in_use, apart)

    def clear(self, symbol: str, feed: str) -> None:
        """They agree, or can't be compared."""
        self._since_ms.pop((symbol, feed), None)

    def forget(self, symbol: str) -> None:
        """Forget `symbol`, which is not on the board any more."""
        self._since_ms = {key: since_ms for key, since_ms in self._since_ms.items() if key[0] != symbol}
        self._told = {told for told in self._told if told[0] != symbol}

    def state(self, describe: Callable[[str, str, int], wire.Divergence | None]) -> list[wire.Divergence]:
        """For people: each pair as `describe(symbol, feed, since_ms)` says it; those that it says nothing of are over."""
        shown: list[wire.Divergence] = []
        for (symbol, feed), since_ms in list(self._since_ms.items()):
            described = describe(symbol, feed, since_ms)
            if described is None:
                self.clear(symbol, feed)
            elif len(shown) < MOST_LISTED:
                shown.append(described)
        return shown


class Switches:
    """Symbols that went from one source to another."""

    def __init__(self) -> None:
        self.count = 0
        self._recent: deque[wire.Switch] = deque(maxlen=MOST_LISTED)
        self._log = IncidentLog(logging.INFO)

    def note(self, symbol: str, left: str, taken: str, reason: str, now_ms: int) -> None:
        """`symbol` comes from `taken` now."""
        self.count += 1
        self._recent.appendleft(wire.Switch(symbol=symbol, left=left, taken=taken, reason=reason, at=now_ms))
        self._log.tell(True, now_ms, "%s comes from %s now, not from %s: %s", symbol, taken, left, reason)

    def state(self) -> wire.Switches:
        """For people: how many there were, and the last of them, the newest first."""
        return wire.Switches(count=self.count, recent=list(self._recent))
