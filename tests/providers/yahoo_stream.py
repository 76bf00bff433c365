"""Yahoo's streamer at `/?version=2` (JSON around the base64) and `/` (base64 alone), and the REST paths of `tests/providers/yahoo.py`.

Nothing is acknowledged. Who says nothing for a minute is no longer served, and not told. Prices are 32-bit floats in a protobuf; most
fields are there only now and then, as in life, and heartbeats (`quote_type` 7) come between.

The address, `subscribe` and its repetition, the wrapping and the protobuf's fields are those of https://github.com/ranaroussi/yfinance
(`live.py`, `pricing.proto`). What `quote_type` and `market_hours` can be is listed by https://github.com/Verdenroz/finance-query
(`server/asyncapi.yaml`), but for the 4 which messages of the night have been seen to have. At night `price`, `change` and `day_volume`
are the night's.

Switches: those of all streams, `"idle_s": 60`, `"market_hours": 0` (before the market opens; 1 regular, 2 after it, 4 overnight).
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.talk import Out, Streaming, Talk, text
from tests.providers.wire import Price, Reply, Request, not_found
from tests.providers.yahoo import MARKETS, PENCE, TYPES, Yahoo

QUOTE_TYPES = {"INDEX": 9, "MUTUALFUND": 11, "CURRENCY": 14, "FUTURE": 18, "ETF": 20}
HEARTBEAT, EQUITY, CRYPTO = 7, 8, 41
REGULAR = 1


class YahooTalk(Talk):
    """One connection."""

    def __init__(self, provider: YahooStream, request: Request, now_s: float) -> None:
        super().__init__(provider, request, now_s)
        self._heard_s = now_s
        self._wrapped = request.query.get("version") == "2"

    def opened(self) -> list[Out]:
        return []

    def hear(self, message: str | bytes, now_s: float) -> list[Out]:
        self._heard_s = now_s
        return super().hear(message, now_s)

    def answer(self, message: Any) -> list[Out]:
        if isinstance(message, dict):
            for symbol in message.get("subscribe", []):
                if self.knows(_there(symbol), MARKETS):
                    self.asked[_there(symbol)] = None
            for symbol in message.get("unsubscribe", []):
                self.asked.pop(_there(symbol), None)
        return []

    def malformed(self) -> list[Out]:
        return []

    def due(self, now_s: float) -> list[Out]:
        if now_s - self._heard_s > self.switch("idle_s", 60):
            self.asked.clear()
        return super().due(now_s)

    def update(self, symbol: str, now: Price) -> list[Out]:
        kind = CRYPTO if symbol.endswith("-USD") else QUOTE_TYPES.get(TYPES.get(symbol, ""), EQUITY)
        hours, last = self.switch("market_hours", REGULAR), float(now.last)
        before = round(float(now.open) * 0.98, 2) if hours == REGULAR else last
        last += 0.0 if hours == REGULAR else 0.04
        fields: dict[int, Any] = {
            1: symbol, 2: last, 3: int(now.time_s * 1000), 5: "NMS", 6: kind, 7: hours, 8: 100 * (last / before - 1),
            12: last - before, 27: 2}  # fmt: skip
        if self.sent % 5 == 0:  # the others are as they were
            volume = int(float(now.volume)) // (1 if hours == REGULAR else 1000)
            fields |= {4: "GBp" if symbol in PENCE else "USD", 9: volume, 10: float(now.high), 11: float(now.low)}
        fields |= {int(number): value for number, value in self.provider.control.rows.get(symbol, {}).items()}
        messages = [fields] if self.sent % 7 else [{3: int(now.time_s * 1000), 6: HEARTBEAT}, fields]
        return [self._said(pricing(message)) for message in messages]

    def _said(self, message: bytes) -> Out:
        coded = base64.b64encode(message).decode()
        return text({"type": "pricing", "message": coded}) if self._wrapped else coded


class YahooStream(Streaming, Yahoo):
    """`python -m tests.providers yahoo_stream`."""

    name: ClassVar[str] = "yahoo_stream"
    limits: ClassVar[Mapping[str, int]] = {"calls_per_s": 1_000_000, "messages_per_s": 1000}

    def talk(self, request: Request, others: list[Talk], now_s: float) -> Talk | Reply:
        return YahooTalk(self, request, now_s) if request.path == "/" else not_found()


def pricing(fields: Mapping[int, Any]) -> bytes:
    """A protobuf `PricingData`: text, 32-bit floats, `sint64` and, for 6 and 7, plain varints; by the field's number."""
    message = bytearray()
    for number, value in sorted(fields.items()):
        if isinstance(value, str):
            message += _varint(number << 3 | 2) + _varint(len(value.encode())) + value.encode()
        elif isinstance(value, float):
            message += _varint(number << 3 | 5) + struct.pack("<f", value)
        else:
            message += _varint(number << 3) + _varint(value if number in (6, 7) else value << 1 if value >= 0 else (-value << 1) - 1)
    return bytes(message)


def _varint(value: int) -> bytes:
    coded = bytearray()
    while value > 0x7F:
        coded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*coded, value])


def _there(symbol: str) -> str:
    return "JPY=X" if symbol == "USDJPY=X" else symbol
