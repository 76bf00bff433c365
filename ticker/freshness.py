"""How long silence may last before a price is called stale, and what state a price is in. Pure: times are arguments, ms.

A market that is shut (`closed`) joins here, as one more thing `state_of` is told.
"""

from __future__ import annotations

from typing import NamedTuple

from ticker.quote import Kind, State

STALE_MIN_S = 10.0
STALE_INTERVALS = 3.0
STALE_STREAM_S = 30.0


class FeedTerms(NamedTuple):
    """What the board must know of a feed: the kind of its quotes, how often it is asked, and the limit its settings name."""

    kind: Kind
    interval_s: float
    stale_after_s: float | None = None


def limit_ms(symbol_limit_s: float | None, feed: FeedTerms) -> int:
    """After how much silence a price is stale, ms.

    The symbol's own limit, else the feed's, else 3 intervals but at least 10 s; streams 30 s.
    """
    if symbol_limit_s is not None:
        limit_s = symbol_limit_s
    elif feed.stale_after_s is not None:
        limit_s = feed.stale_after_s
    elif feed.kind == "streamed":
        limit_s = STALE_STREAM_S
    else:
        limit_s = max(STALE_INTERVALS * feed.interval_s, STALE_MIN_S)
    return max(1, round(limit_s * 1000))


def state_of(*, silent_ms: int, limit_ms: int, every_source_broken: bool) -> State:
    """The state of a price whose source last answered `silent_ms` ago."""
    if every_source_broken:
        return "failed"
    return "stale" if silent_ms >= limit_ms else "fresh"
