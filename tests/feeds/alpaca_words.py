"""What Alpaca says over its stream, and a session that hears it."""

from __future__ import annotations

from typing import Any

import msgspec

from feeds.alpaca_stream import AlpacaSession, AlpacaStream
from tests.feeds.streams.streaming import said
from tests.feeds.support import subscribe
from ticker.quote import Tick

CONNECTED, AUTHENTICATED = [{"T": "success", "msg": "connected"}], [{"T": "success", "msg": "authenticated"}]
TRADE = {"T": "t", "i": 1, "S": "NVDA", "x": "V", "p": 181.305, "s": 100, "t": "2026-05-28T19:59:59.123456789Z", "c": ["@"], "z": "C"}
QUOTE = {"T": "q", "S": "NVDA", "bx": "V", "bp": 181.3, "bs": 2, "ax": "V", "ap": 181.31, "as": 1, "t": "2026-05-28T19:59:59.2Z"}
DAY = {"T": "d", "S": "NVDA", "o": 180, "h": 182.5, "l": 179.75, "c": 181.305, "v": 49378123, "t": "2026-05-28T04:00:00Z"}
AT_MS = 1_779_998_399_123
MINUTE = {"T": "b", "S": "NVDA", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1, "t": "2026-05-28T19:59:00Z"}
HALT = {"T": "s", "S": "NVDA", "sc": "H", "sm": "Trading Halt", "rc": "T12", "rm": "…", "t": "2026-05-28T19:59:59.5Z", "z": "C"}
TICK = Tick(price=181.305, quote_time=AT_MS, currency="USD", session="regular", volume_of="session")
FULL = msgspec.structs.replace(TICK, bid=181.3, ask=181.31, open=180.0, high=182.5, low=179.75, volume=49378123.0, prev_close=178.0)


def false(price: float, **changes: Any) -> dict[str, Any]:
    """A trade that will turn out to be none, after the good one."""
    return TRADE | {"i": 11, "x": "D", "p": price, "s": 125984, "t": "2026-05-28T20:00:00.5Z"} | changes


def cancelled(price: float, **changes: Any) -> dict[str, Any]:
    """What is said of it."""
    return {"T": "x", "S": "NVDA", "i": 11, "x": "D", "p": price, "s": 125984, "t": "2026-05-28T20:01:00Z", "a": "C", "z": "C"} | changes


def corrected(price: float, right: float, **changes: Any) -> dict[str, Any]:
    """Or that."""
    return {"T": "c", "S": "NVDA", "x": "D", "oi": 11, "op": price, "os": 125984, "oc": ["@"], "ci": 12, "cp": right, "cs": 125984,
            "cc": ["@"], "z": "C", "t": "2026-05-28T20:01:00Z"} | changes  # fmt: skip


def in_force(*symbols: str) -> list[object]:
    """The answer to a subscription."""
    return [{"T": "subscription", "trades": symbols, "quotes": symbols, "bars": [], "dailyBars": symbols}]


def wanting(*ids: str, known: dict[str, Tick] | None = None, data_feed: str = "iex") -> AlpacaSession:
    """A session that has authenticated and asked for symbols."""
    session = AlpacaSession({} if known is None else known, "key", "secret", data_feed)
    session.want(subscribe(AlpacaStream, *(ids or ("NVDA",))))
    said(session, CONNECTED)
    session.due(0.0)
    said(session, AUTHENTICATED)
    session.due(0.2)
    return session
