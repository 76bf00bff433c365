"""Finnhub's trades at `/?token=KEY`, and `/api/v1/quote` of `tests/providers/finnhub.py` beside them.

Where each part is from: address, `subscribe`, one connection a key, and the keys p s t v c of a trade are those of
https://finnhub.io/docs/api/websocket-trades; that `c` is null or a list of numbers as texts, pings and errors are seen in frames that users
have shown.

A symbol a message, nothing acknowledged, 50 symbols; a `{"type":"ping"}` each minute. A key has one connection: the first is closed when
a second comes. A wrong key is refused with 401.

Switches: those of all streams, `"refuse_second": true` (429 for the second connection, and the first stays).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.finnhub import SYMBOLS, Finnhub
from tests.providers.shares import WRONG_KEY
from tests.providers.talk import Close, Out, Streaming, Talk, text
from tests.providers.wire import Price, Reply, Request, not_found

MOST_SYMBOLS = 50


class FinnhubTalk(Talk):
    """One connection."""

    beat_s: ClassVar[float | None] = 60.0

    def __init__(self, provider: FinnhubStream, request: Request, now_s: float) -> None:
        super().__init__(provider, request, now_s)
        self._wished: dict[str, None] = {}

    def opened(self) -> list[Out]:
        return []

    def answer(self, message: Any) -> list[Out]:
        symbol = message.get("symbol") if isinstance(message, dict) else None
        if not isinstance(symbol, str):
            return self.malformed()
        if message.get("type") == "unsubscribe":
            self._wished.pop(symbol, None)
            self.asked.pop(symbol, None)
        elif message.get("type") != "subscribe":
            return self.malformed()
        elif len({*self._wished, symbol}) > MOST_SYMBOLS:
            return [text({"msg": "Subscribing to too many symbols", "type": "error"})]
        else:
            self._wished[symbol] = None
            if self.knows(symbol, SYMBOLS):
                self.asked[symbol] = None
        return []

    def malformed(self) -> list[Out]:
        return [text({"msg": "Invalid message", "type": "error"})]

    def update(self, symbol: str, now: Price) -> list[Out]:
        trade = self.overlaid(symbol, {"c": None, "p": float(now.last), "s": symbol, "t": int(now.time_s * 1000), "v": 0.011467})
        before = {**trade, "p": float(now.bid), "t": trade["t"] - 1} if isinstance(trade["t"], int) else trade
        return [text({"data": [before, trade], "type": "trade"})]

    def beat(self) -> list[Out]:
        return [text({"type": "ping"})]


class FinnhubStream(Streaming, Finnhub):
    """`python -m tests.providers finnhub_stream`."""

    name: ClassVar[str] = "finnhub_stream"
    limits: ClassVar[Mapping[str, int]] = {"calls_per_min": 60, "messages_per_s": 1000}

    def talk(self, request: Request, others: list[Talk], now_s: float) -> Talk | Reply:
        key = request.query.get("token")
        if request.path != "/":
            return not_found()
        if not key or key == WRONG_KEY:
            return Reply.json({"error": "Invalid API key"}, 401)
        same = [other for other in others if other.request.query.get("token") == key]
        if same and self.control.switches.get("refuse_second"):
            return Reply(429, b"Too many connections", {"Content-Type": "text/plain"})
        for other in same:
            other.commands.append(Close(1008, "another connection of this key"))
        return FinnhubTalk(self, request, now_s)
