"""Kraken's WebSocket v2 at `/v2`: `status` first, an acknowledgement or a refusal for each pair, a snapshot, then each change.

A heartbeat comes each second in which nothing else did, once something is subscribed to. `{"method":"ping"}` is answered. Tokenized
shares take no parameter of their own, and are refused in another case (`AAPLX/USD`) while the good pairs of the message are acknowledged.

As docs.kraken.com (websocket-v2: ticker, ping, heartbeat) and gocryptotrader's tests ("Currency pair not supported DWARF/HOBBIT") have it.

Switches: those of all streams, `"untimed": true` (no `timestamp`, as before 2025).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from tests.providers.kraken import tokenized
from tests.providers.talk import Out, Streaming, Talk, text
from tests.providers.wire import BASES, Price, Reply, Request, not_found

PAIRS = frozenset(f"{base}/{quote}" for base in BASES for quote in ("USD", "EUR", "USDT")) | {row["wsname"] for row in tokenized().values()}


class KrakenTalk(Talk):
    """One connection."""

    beat_s: ClassVar[float | None] = 1.0

    def opened(self) -> list[Out]:
        return [text({"channel": "status", "type": "update", "data": [
            {"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": 6447481662169813000}]})]  # fmt: skip

    def answer(self, message: Any) -> list[Out]:
        if not isinstance(message, dict):
            return self.malformed()
        method, number = message.get("method"), message.get("req_id")
        if method == "ping":
            return [text({"method": "pong", "req_id": number, **_times()})]
        params = message.get("params")
        if method not in {"subscribe", "unsubscribe"} or not isinstance(params, dict):
            return [text({"error": "Method not found", "method": method, "success": False, "req_id": number, **_times()})]
        if params.get("channel") != "ticker":
            return [text({"error": f"Channel {params.get('channel')} not found", "method": method, "success": False, "req_id": number,
                          **_times()})]  # fmt: skip
        return [out for symbol in params.get("symbol", []) for out in self._one(method, symbol, params, number)]

    def malformed(self) -> list[Out]:
        return [text({"error": "Malformed request", "success": False, **_times()})]

    def update(self, symbol: str, now: Price) -> list[Out]:
        return [self._ticker("update", symbol, now)]

    def beat(self) -> list[Out]:
        busy = not self.switch("quiet") and self.switch("per_s", len(self.asked)) >= 1
        return [text({"channel": "heartbeat"})] if self.asked and not busy else []

    def _one(self, method: str, symbol: str, params: dict[str, Any], number: object) -> list[Out]:
        refused = {"method": method, "success": False, "symbol": symbol, "req_id": number, **_times()}
        if not self.knows(symbol, PAIRS):
            return [text({"error": f"Currency pair not supported {symbol}", **refused})]
        if method == "unsubscribe":
            if symbol not in self.asked:
                return [text({"error": "Subscription Not Found", **refused})]
            del self.asked[symbol]
        elif symbol in self.asked:
            return [text({"error": "Already subscribed", **refused})]
        else:
            self.asked[symbol] = None
        result = {
            "channel": "ticker",
            "symbol": symbol,
            "event_trigger": params.get("event_trigger", "trades"),
            "snapshot": params.get("snapshot", True),
        }
        out: list[Out] = [text({"method": method, "result": result, "success": True, "req_id": number, **_times()})]
        if method == "subscribe" and result["snapshot"]:
            out.append(self._ticker("snapshot", symbol, self.provider.price(symbol)))
        return out

    def _ticker(self, kind: str, symbol: str, now: Price) -> str:
        change = round(float(now.last) - float(now.open), 4)
        row = {"symbol": symbol, "bid": float(now.bid), "bid_qty": 0.01362603, "ask": float(now.ask), "ask_qty": 17.17988863,
               "last": float(now.last), "volume": float(now.volume), "vwap": float(now.last), "low": float(now.low),
               "high": float(now.high), "change": change, "change_pct": round(100 * change / float(now.open), 2)}  # fmt: skip
        if not self.switch("untimed"):
            row["timestamp"] = _iso(now.time_s)
        return text({"channel": "ticker", "type": kind, "data": [self.overlaid(symbol, row)]})


class KrakenStream(Streaming):
    """`python -m tests.providers kraken_stream`."""

    name: ClassVar[str] = "kraken_stream"
    limits: ClassVar[Mapping[str, int]] = {"messages_per_s": 1000}

    def load(self, fixtures: Path) -> None:
        """There is nothing but the stream."""

    def answer(self, request: Request) -> Reply:
        return not_found()

    def talk(self, request: Request, others: list[Talk], now_s: float) -> Talk | Reply:
        return KrakenTalk(self, request, now_s) if request.path == "/v2" else not_found()


def _times() -> dict[str, str]:
    return {"time_in": _iso(time.time()), "time_out": _iso(time.time())}


def _iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
