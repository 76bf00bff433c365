"""The quote that peers send: the contract's fields, padded so that its JSON has an exact length."""

from __future__ import annotations

import json
from typing import Any

FULL_BYTES = 300
SHORT_BYTES = 127

_FIELDS: dict[str, Any] = {
    "symbol": "S0000", "price": 1234.56, "bid": 1234.55, "ask": 1234.57, "open": 1230.12, "high": 1240.98, "low": 1228.01,
    "prev_close": 1231.11, "volume": 1234567, "change": 3.45, "change_pct": 0.2802, "currency": "USD",
    "received_time": 1_700_000_000_000_000, "seq": 1_000_001, "kind": "simulated", "state": "fresh", "source": "",
}  # fmt: skip
_OPTIONAL = ("low", "high", "open", "prev_close", "volume", "currency", "change", "change_pct", "ask", "bid", "state", "kind")


def symbol_name(number: int) -> str:
    """`S0000` … `S9999`, the names that the load generator joins."""
    return f"S{number:04}"


def template(size: int) -> str:
    """The JSON of one quote, exactly `size` bytes. `received_time` is in µs (16 digits, a peer can be that precise) and `seq`
    starts at a million, so neither changes the length. Raises `ValueError` below the shortest possible size, 93."""
    fields = dict(_FIELDS)
    for unwanted in (None, *_OPTIONAL):
        fields.pop(unwanted or "", None)
        missing = size - len(_encoded(fields))
        if missing >= 0:
            return _encoded({**fields, "source": "x" * missing})
    raise ValueError(f"a quote of {size} bytes is too short")


def _encoded(fields: dict[str, Any]) -> str:
    return json.dumps(fields, separators=(",", ":"))
