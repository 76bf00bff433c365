"""What an upstream relay says of itself, of those behind it, and of us: cut to what is worth telling to others. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from feeds.values.parse import shown
from ticker.errors import LOOKED_AT, said
from ticker.source import Ended

MOST_UPSTREAM = 16
"""So many relays behind one another is all that quotes may pass; of more that stand beside one another the nearest are told."""
MOST_FEEDS = 256
"""An upstream's own upstreams are told for so many of its feeds; a loop is looked for in all of them."""
LONGEST_EPOCH = 64
EPOCH = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST_EPOCH}}}")
LONGEST_REFUSAL = 120


def refusal(payload: Any) -> Ended:
    """Why the upstream does not let us join."""
    told = payload if isinstance(payload, dict) else {}
    data = told.get("data")
    code = data.get("code") if isinstance(data, dict) else None
    hint = "; is the api_key right?" if code == "unauthorized" else ""
    return Ended(f"the upstream refuses us: {words(told.get('message'))[:LONGEST_REFUSAL]}{hint}", retryable=code != "unauthorized")


def named(value: object) -> str:
    """The name of a process' life. Raises `Ended`: whom nobody can name, nobody finds in a loop."""
    if not isinstance(value, str) or not EPOCH.fullmatch(value) or said(value) != value:
        raise Ended(f"the upstream's epoch is not {LONGEST_EPOCH} letters and digits at most: is that a tickercast?", payload=shown(value))
    return value


def nearest(lists: Sequence[Sequence[object]]) -> list[str]:
    """The first of each list, then the second, and so on: what is no epoch is passed over, what is too many is left out."""
    plain = [
        [epoch for epoch in epochs[: 4 * MOST_UPSTREAM] if isinstance(epoch, str) and EPOCH.fullmatch(epoch) and said(epoch) == epoch]
        for epochs in lists[:MOST_FEEDS]
    ]
    found = dict.fromkeys(epoch for at in range(MOST_UPSTREAM) for epochs in plain for epoch in epochs[at : at + 1])
    return list(found)[:MOST_UPSTREAM]


def words(value: object) -> str:
    """An upstream's words, as far as they may be looked at."""
    return value[:LOOKED_AT] if isinstance(value, str) else ""
