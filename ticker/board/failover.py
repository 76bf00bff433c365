"""Which of a symbol's sources to use: the first healthy one, with a rest between two returns. Pure; times are arguments, ms."""

from __future__ import annotations

from collections.abc import Sequence

RETURN_REST_MS = 60_000


def choose(usable: Sequence[bool], active: int | None, switched_ms: int | None, now_ms: int) -> int | None:
    """The index of the source to use now, best first, or `None` where none was ever usable.

    `usable`: which sources have a price that could be shown at this moment. `active`: the one in use, `None` before the first.
    `switched_ms`: when the last switch was, `None` before the first.

    Away from a source that is no longer usable at once; back to a better one at most once a minute, so that a source that comes
    and goes does not take the price with it. Where nothing is usable the active one stays: its last price is the last good one.
    """
    best = next((index for index, good in enumerate(usable) if good), None)
    if best is None or best == active:
        return active
    if active is None or not usable[active]:
        return best
    rested = switched_ms is None or now_ms - switched_ms >= RETURN_REST_MS
    return best if rested else active
