"""What every quote on the wire must be, whoever received it and however it came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

PRICES = {"price", "bid", "ask", "open", "high", "low", "prev_close"}
OPTIONAL = (PRICES - {"price"}) | {"volume", "change", "change_pct", "currency", "quote_time", "delay_min", "session", "ext_price",
                                   "ext_change_pct", "ext_time", "origin", "hops"}  # fmt: skip
REQUIRED = {"symbol", "price", "received_time", "seq", "source", "kind", "state"}
AFTER_JOINING = {"snapshot", "epoch"}


def check_quote(quote: dict[str, Any], symbol: str) -> None:
    """All fields that must be there, none that is not known, prices above 0, times in epoch ms."""
    assert quote["symbol"] == symbol
    assert quote.keys() >= REQUIRED
    assert quote.keys() <= REQUIRED | OPTIONAL | AFTER_JOINING, quote
    assert all(math.isfinite(quote[field]) and quote[field] > 0 for field in PRICES & quote.keys()), quote
    assert quote["kind"] in {"simulated", "polled", "streamed", "replayed", "relayed"}
    assert quote["state"] in {"fresh", "stale", "closed", "failed"}
    assert all(type(quote[field]) is int for field in {"seq", "received_time", "quote_time"} & quote.keys())
    assert quote["seq"] >= 1


def check_stream(quotes: Sequence[dict[str, Any]], symbol: str, epoch: str | None = None) -> None:
    """What one reader got of one symbol: the snapshot first, with the epoch, and `seq` always growing."""
    for quote in quotes:
        check_quote(quote, symbol)
    assert quotes[0]["snapshot"] is True
    assert isinstance(quotes[0]["epoch"], str)
    assert epoch in (None, quotes[0]["epoch"])
    assert not any(AFTER_JOINING & quote.keys() for quote in quotes[1:])
    assert all(before["seq"] < after["seq"] for before, after in pairwise(quotes))
