"""Kraken spot as a stream: WebSocket v2, public market data. No key; one connection carries all pairs.

`wss://ws.kraken.com/v2` (https://docs.kraken.com/api/docs/websocket-v2/ticker) says of itself at first, then takes subscriptions:

    {"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online","api_version":"v2","connection_id":6447481662169813000}]}
    → {"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USD","FOO/BAR"],"event_trigger":"bbo","snapshot":true},"req_id":1}
    {"method":"subscribe","result":{"channel":"ticker","snapshot":true,"symbol":"BTC/USD", …},"success":true,"req_id":1, …}
    {"error":"Currency pair not supported FOO/BAR","method":"subscribe","success":false,"symbol":"FOO/BAR", …}
    {"channel":"ticker","type":"snapshot","data":[{"symbol":"BTC/USD","bid":108359.8,"bid_qty":0.01362603,"ask":108359.9,
     "ask_qty":17.17988863,"last":108359.8,"volume":2158.32346723,"vwap":108894.5,"low":106824,"high":111300,"change":-2679.9,
     "change_pct":-2.41,"timestamp":"2023-09-25T09:04:31.742599Z"}]}
    {"channel":"heartbeat"}

Numbers are numbers; all of them are about the last 24 hours, `change` in the quote currency and `change_pct` in percent. Older servers give
no `timestamp`. Each pair is acknowledged or refused by itself. A heartbeat comes each second in which nothing else does, once something
is subscribed to (https://docs.kraken.com/api/docs/websocket-v2/heartbeat); until then, and where nothing could be, a ping is answered.
Pairs have a slash and usual names: `BTC/USD`, not XBT (refused: "Currency pair not supported XBT/USD"). Case matters: tokenized shares
are `AAPLx/USD`, and take no parameter more (as JKorf/Kraken.Net#146 has it; not tried here).

Where volume, bid and ask are 0 nobody trades it, and the market is closed (that Kraken writes an empty book so is not verified). Channel,
parameters and errors as in the documentation, ccxt's `pro/kraken.ts` and gocryptotrader's tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, ClassVar

import msgspec
from pydantic import AnyUrl, Field

from feeds.base import About, Answer, Subscription
from feeds.kraken.pairs import USUAL_NAMES
from feeds.streams.feed import StreamFeed, StreamSettings, StreamUrl
from feeds.streams.session import StreamSession
from feeds.values.fields import Fields, untraded
from feeds.values.parse import array, decode, table, text
from ticker.errors import FeedError
from ticker.quote import Tick, VolumeOf
from ticker.runtime import in_turns
from ticker.source import Silence

PAIRS_A_MESSAGE = 100
PING_AFTER_S = 5.0
DEAD_AFTER_S = 15.0
"""Kraken promises a message a second; a busy minute of theirs may make it some more."""

FIELDS = Fields(zero_until_traded=True)
_BIG_X = re.compile(r"[A-Z.]+X/[A-Z]{3}")


class KrakenStreamSettings(StreamSettings):
    """`[feeds.NAME]` of kind `kraken_stream`."""

    base_url: StreamUrl = Field(AnyUrl("wss://ws.kraken.com"), description="scheme, host and path prefix of the provider")


class KrakenSession(StreamSession):
    """One connection's messages."""

    def __init__(self, known: dict[str, Tick]) -> None:
        super().__init__(known)
        self.silence = Silence(DEAD_AFTER_S, heartbeat=True)
        self._numbers = count(1)
        self._heard_s: float | None = None

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        return self._requests("subscribe", ids, {"event_trigger": "bbo", "snapshot": True})

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        return self._requests("unsubscribe", ids, {"event_trigger": "bbo"})

    def due(self, now_s: float) -> tuple[list[bytes], Answer]:
        messages, news = super().due(now_s)
        if self._heard_s is None:
            self._heard_s = now_s
        elif now_s - self._heard_s >= PING_AFTER_S:
            self._heard_s = now_s
            messages.append(msgspec.json.encode({"method": "ping", "req_id": next(self._numbers)}))
        return messages, news

    def receive(self, message: bytes, now_s: float) -> Answer:
        self._heard_s = now_s
        frame = table(decode(message), "message")
        if frame.get("channel") == "ticker":
            return self._tickers(array(frame.get("data"), "data"))
        if frame.get("method") == "subscribe":
            return self._reply(frame)
        return {}  # heartbeat, status, pong, the replies to unsubscribe, and whatever there will be

    def _tickers(self, rows: Sequence[object]) -> Answer:
        answer: dict[str, Tick | FeedError] = {}
        for row in in_turns(rows):
            if isinstance(row, dict) and isinstance(symbol := row.get("symbol"), str):
                try:
                    tick = _tick(row, symbol)
                except FeedError as error:
                    answer |= self.say(symbol, error)
                else:
                    answer |= {} if self._is_older(symbol, tick) else self.say(symbol, tick)
        return answer

    def _is_older(self, symbol: str, tick: Tick) -> bool:
        """Whether it is out of order, or of a connection that this one replaces; without times nobody can tell."""
        before = self.known.get(symbol)
        return before is not None and before.quote_time is not None and tick.quote_time is not None and tick.quote_time < before.quote_time

    def _reply(self, frame: dict[str, Any]) -> Answer:
        if frame.get("success") is True:
            result = frame.get("result")
            self.acknowledged([table(result, "result").get("symbol")])
            return {}
        reason, symbol = text(frame.get("error"), "error"), frame.get("symbol")
        if not isinstance(symbol, str):
            raise FeedError("Kraken refuses a request", payload=reason)
        if "lready subscribed" in reason:
            self.acknowledged([symbol])
            return {}
        unknown = "not supported" in reason or "not found" in reason or "nvalid" in reason
        hint = "; case matters there, a tokenized share has a small x" if unknown and _BIG_X.fullmatch(symbol) else ""
        return self.refused(
            symbol, FeedError(f"Kraken refuses {symbol!r}{hint}", retryable=not unknown, rejects_symbol=unknown, payload=reason)
        )

    def _requests(self, method: str, ids: Sequence[str], options: dict[str, Any]) -> Iterable[bytes]:
        for first in range(0, len(ids), PAIRS_A_MESSAGE):
            params = {"channel": "ticker", "symbol": ids[first : first + PAIRS_A_MESSAGE], **options}
            yield msgspec.json.encode({"method": method, "params": params, "req_id": next(self._numbers)})


class KrakenStream(StreamFeed):
    """`kind = "kraken_stream"`."""

    kind = "kraken_stream"
    about = About(
        brings="crypto, tokenized shares, last 24 hours, each change",
        ids="`BTC/USD`, `AAPLx/USD`; from `BTC-USD`, `XBT/USD`",
        limits="none that we come near",
        time="the change's",
        same_answer="does not happen",
        market="as `kraken`",
        note="the protocol's heartbeat ends a dead connection",
    )
    Settings: ClassVar[type[StreamSettings]] = KrakenStreamSettings
    volume_of: ClassVar[VolumeOf] = "24h"

    @classmethod
    def native_id(cls, symbol: str) -> str:
        """`BTC-USD`, `BTC/USD`, `XBT/USD` and `btc/usd` are `BTC/USD` there. Small letters among capitals are meant: `AAPLx/USD`."""
        parts = (symbol.upper() if symbol.islower() else symbol).replace("-", "/").split("/")
        return "/".join(USUAL_NAMES.get(part, part) for part in parts)

    def path(self, subscriptions: Sequence[Subscription]) -> str:
        return "/v2"

    def session(self, here: str) -> KrakenSession:
        return KrakenSession(self.known)


def _tick(row: dict[str, Any], symbol: str) -> Tick:
    return FIELDS.tick(
        row.get("last"),
        bid=row.get("bid"),
        ask=row.get("ask"),
        high=row.get("high"),
        low=row.get("low"),
        volume=row.get("volume"),
        change=row.get("change"),
        change_pct=row.get("change_pct"),
        currency=symbol.partition("/")[2],
        quote_time=row.get("timestamp"),
        known={"session": "closed" if untraded(row, "volume", "bid", "ask") else None},
    )
