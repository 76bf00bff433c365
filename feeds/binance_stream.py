"""Binance spot as a stream, public market data. No key; one connection carries up to 1,024 symbols.

`wss://stream.binance.com:9443/stream?streams=btcusdt@ticker/ethusdt@ticker`
(https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams#individual-symbol-ticker-streams), each symbol once a second:

    {"stream":"bnbbtc@ticker","data":{"e":"24hrTicker","E":1580254809477,"s":"BNBBTC","p":"420.97000000","P":"4.720","w":"9058.27981278",
     "x":"8917.98000000","c":"9338.96000000","Q":"0.17246300","b":"9338.03000000","B":"0.18234600","a":"9339.70000000",
     "A":"0.14097600","o":"8917.99000000","h":"9373.19000000","l":"8862.40000000","v":"72229.53692000","q":"654275356.16896672",
     "O":1580168409456,"C":1580254809456,"F":235294268,"L":235894703,"n":600436}}

c last price, p change and P change in percent over the last 24 hours, b bid, a ask, o h l v of the 24 hours, n their trades, C the time of
the numbers, E that of the message. Where n, b and a are 0 nobody trades it, and the market is closed, though C moves on. Keys differ by
case only (`c` and `C`). Streams come and go by messages, five a second at most:

    → {"method":"SUBSCRIBE","params":["btcusdt@ticker"],"id":1}
    {"result":null,"id":1}
    {"code":2,"msg":"Invalid request: request ID must be an unsigned integer"}

A stream of a symbol that does not exist is acknowledged and says nothing; so the prices of all are asked for over REST besides
(`feeds.binance`), where an unknown symbol is an error. Binance sends a ping each 20 s. It cuts each connection after 24 hours, and
announces other ends with `{"e":"serverShutdown","E":…}`, in a combined stream `{"stream":"!serverShutdown","data":{…}}`.

Streams, limits and control messages as in binance-spot-api-docs (`web-socket-streams.md`) and ccxt's `pro/binance.ts`. Binance.US
(`wss://stream.binance.us:9443`) has the same; its prices by REST are at another host: `rest_url = "https://api.binance.us"`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from pydantic import AnyUrl, Field

from feeds.base import About, Answer, Subscription
from feeds.binance import FIELDS, Binance
from feeds.http.feed import PolledFeed
from feeds.streams.feed import SnapshotFeed, SnapshotSettings, StreamUrl
from feeds.streams.session import StreamSession
from feeds.values.fields import untraded
from feeds.values.parse import decode, table, text
from ticker.errors import FeedError
from ticker.quote import Tick, VolumeOf
from ticker.source import Silence

STREAMS_A_MESSAGE = 200
STREAMS_IN_URL = 100
"""The address is 2 KB long then; servers refuse one of more than 8 KB. The others are asked for once it is open."""
MUTE_AFTER_S = 60.0
LONGEST_S = 23 * 3600 + 50 * 60
"""A connection is replaced at this age: ten minutes before Binance cuts it."""


class BinanceStreamSettings(SnapshotSettings):
    """`[feeds.NAME]` of kind `binance_stream`."""

    base_url: StreamUrl = Field(AnyUrl("wss://stream.binance.com:9443"), description="scheme, host and path prefix of the provider")


class BinanceSession(StreamSession):
    """One connection's messages."""

    sends_per_s: ClassVar[float] = 3.0  # five a second are allowed, pongs among them, and what arrives may have bunched on its way
    most_symbols: int | None = 1024

    def __init__(self, known: dict[str, Tick]) -> None:
        super().__init__(known)
        self.silence = Silence(MUTE_AFTER_S, heartbeat=False)
        self._numbers = count(1)
        self._requests: dict[int, Sequence[str]] = {}  # by number: the symbols that were asked for

    def key(self, id: str) -> str:
        return id.upper()

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        for first in range(0, len(ids), STREAMS_A_MESSAGE):
            part = ids[first : first + STREAMS_A_MESSAGE]
            number = next(self._numbers)
            self._requests[number] = [self.key(id) for id in part]
            yield _request("SUBSCRIBE", part, number)

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        for first in range(0, len(ids), STREAMS_A_MESSAGE):
            yield _request("UNSUBSCRIBE", ids[first : first + STREAMS_A_MESSAGE], next(self._numbers))

    def receive(self, message: bytes, now_s: float) -> Answer:
        frame = table(decode(message), "message")
        data = frame.get("data") if "stream" in frame else frame
        if not isinstance(data, dict):
            raise FeedError("a stream without an object", payload=message)
        event = data.get("e")
        if event == "24hrTicker":
            return self._ticker(data)
        if event == "serverShutdown":
            self.leaving = True
        elif event is None:
            return self._reply(data, message)
        return {}

    def _ticker(self, data: dict[str, Any]) -> Answer:
        symbol = text(data.get("s"), "s")
        try:
            tick = _tick(data)
        except FeedError as error:
            return self.say(symbol, error)
        live = self.known.get(symbol)
        if live is not None and live.quote_time is not None and tick.quote_time is not None and tick.quote_time < live.quote_time:
            return {}  # of the connection that this one replaces, or out of order
        return self.say(symbol, tick)

    def _reply(self, reply: dict[str, Any], message: bytes) -> Answer:
        number, refusal = reply.get("id"), reply.get("error", reply if "code" in reply else None)
        asked = self._requests.pop(number, ()) if isinstance(number, int) else ()
        if refusal is None:
            self.acknowledged(asked)
            return {}
        error = FeedError("Binance refuses a request", retryable=False, payload=message)
        if not asked:
            raise error
        return {symbol: news for key in asked for symbol, news in self.refused(key, error).items()}


class BinanceStream(SnapshotFeed):
    """`kind = "binance_stream"`."""

    kind = "binance_stream"
    about = About(
        brings="crypto, last 24 hours, each second",
        ids="`BTCUSDT`; from `BTC-USDT`, `BTC/USDT`",
        limits="1,024 symbols",
        time="each second",
        same_answer="does not happen",
        market="as `binance`",
        note="as `binance`",
    )
    Settings: ClassVar[type[SnapshotSettings]] = BinanceStreamSettings
    Polled: ClassVar[type[PolledFeed]] = Binance
    longest_s: float | None = LONGEST_S
    volume_of: ClassVar[VolumeOf] = "24h"

    def path(self, subscriptions: Sequence[Subscription]) -> str:
        return f"/stream?streams={'/'.join(dict.fromkeys(quote(_stream(one.id), safe='@') for one in subscriptions[:STREAMS_IN_URL]))}"

    def session(self, here: str) -> BinanceSession:
        return BinanceSession(self.known)


def _stream(id: str) -> str:
    return f"{id.lower()}@ticker"


def _request(method: str, ids: Sequence[str], number: int) -> bytes:
    return msgspec.json.encode({"method": method, "params": [_stream(id) for id in ids], "id": number})


def _tick(row: dict[str, Any]) -> Tick:
    made = row.get("C")
    return FIELDS.tick(
        row.get("c"),
        bid=row.get("b"),
        ask=row.get("a"),
        open=row.get("o"),
        high=row.get("h"),
        low=row.get("l"),
        volume=row.get("v"),
        change=row.get("p"),
        change_pct=row.get("P"),
        quote_time=row.get("E") if made is None else made,
        known={"session": "closed" if untraded(row, "n", "b", "a") else None},
    )
