"""Binance's streams: `/stream?streams=…` and `/ws/…`, and the REST paths of `tests/providers/binance.py` beside them.

`btcusdt@ticker` brings an update a second. A stream of a symbol that does not exist, or one in capitals, is acknowledged and silent. Five
frames a second from the client, pongs among them: one more closes the connection (1008). 1,024 streams a connection. A ping each 20 s, to
be answered within a minute. `cut_s` cuts connections at that age (24 h in life), `notice_s` before it comes `serverShutdown`.

Messages, limits and times: binance-spot-api-docs, `web-socket-streams.md`.

Switches: those of all streams (`tests.providers.__doc__`), `"pong_within_s": 60`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.binance import SYMBOLS, Binance
from tests.providers.talk import Close, Out, Streaming, Talk, text
from tests.providers.wire import Price, Reply, Request, not_found

MOST_STREAMS = 1024
SUFFIX = "@ticker"


class BinanceTalk(Talk):
    """One connection. Symbols are asked for as streams."""

    ping_s: ClassVar[float | None] = 20.0
    most_messages_a_second: ClassVar[int | None] = 5

    def __init__(self, provider: BinanceStream, request: Request, now_s: float) -> None:
        super().__init__(provider, request, now_s)
        self._combined = request.path == "/stream"
        names = request.query.get("streams", "") if self._combined else request.path.removeprefix("/ws").strip("/")
        self._streams: dict[str, None] = {}
        self._add(name for name in names.split("/") if name)

    def opened(self) -> list[Out]:
        return []

    def answer(self, message: Any) -> list[Out]:
        if not isinstance(message, dict):
            return [text({"code": 2, "msg": "Invalid request: expected an object"})]
        number, method, params = message.get("id"), message.get("method"), message.get("params")
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            return [text({"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"})]
        if method == "LIST_SUBSCRIPTIONS":
            return [text({"result": list(self._streams), "id": number})]
        if method not in {"SUBSCRIBE", "UNSUBSCRIBE"} or not isinstance(params, list):
            return [text({"code": 2, "msg": f"Invalid request: unknown variant {method}"})]
        if not all(isinstance(name, str) and "@" in name for name in params):
            return [text({"error": {"code": 2, "msg": "Invalid request: wrong stream name"}, "id": number})]
        if method == "UNSUBSCRIBE":
            for name in params:
                self._streams.pop(name, None)
                self.asked.pop(_symbol(name), None)
        elif len({*self._streams, *params}) > MOST_STREAMS:
            return [text({"error": {"code": 2, "msg": "Invalid request: too many streams"}, "id": number})]
        else:
            self._add(params)
        return [text({"result": None, "id": number})]

    def malformed(self) -> list[Out]:
        return [text({"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"})]

    def update(self, symbol: str, now: Price) -> list[Out]:
        change, close_ms = float(now.last) - float(now.open), int(now.time_s * 1000)
        data = self.overlaid(symbol, {
            "e": "24hrTicker", "E": close_ms + 1, "s": symbol, "p": f"{change:.8f}", "P": f"{100 * change / float(now.open):.3f}",
            "w": now.last, "x": now.low, "c": f"{now.last}000000", "Q": "0.01000000", "b": now.bid, "B": "0.18401100", "a": now.ask,
            "A": "0.19518800", "o": now.open, "h": now.high, "l": now.low, "v": now.volume, "q": "392659910.62660750",
            "O": close_ms - 86_400_000, "C": close_ms, "F": 1, "L": 2, "n": 2})  # fmt: skip
        return [text({"stream": symbol.lower() + SUFFIX, "data": data} if self._combined else data)]

    def goodbye(self) -> list[Out]:
        event = {"e": "serverShutdown", "E": int(time.time() * 1000)}
        return [text({"stream": "!serverShutdown", "data": event} if self._combined else event)]

    def overdue(self, age_s: float) -> list[Out]:
        # The first ping may take its interval to be sent; after that it must have been answered.
        within_s = self.switch("ping_s", self.ping_s) + self.switch("pong_within_s", 60)
        return [Close(1008, "Pong timeout")] if age_s > within_s and not self.pongs else []

    def _add(self, names: Any) -> None:
        for name in names:
            self._streams[name] = None
            if name.endswith(SUFFIX) and name == name.lower() and self.knows(_symbol(name), SYMBOLS):
                self.asked[_symbol(name)] = None


class BinanceStream(Streaming, Binance):
    """`python -m tests.providers binance_stream`."""

    name: ClassVar[str] = "binance_stream"
    limits: ClassVar[Mapping[str, int]] = {**Binance.limits, "messages_per_s": 5}

    def talk(self, request: Request, others: list[Talk], now_s: float) -> Talk | Reply:
        return BinanceTalk(self, request, now_s) if request.path == "/stream" or request.path.startswith("/ws") else not_found()


def _symbol(stream: str) -> str:
    return stream.partition("@")[0].upper()
