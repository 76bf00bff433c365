"""Finnhub as a stream: trades of US shares, crypto and currencies. A key, and one connection for each.

`wss://ws.finnhub.io?token=KEY` (https://finnhub.io/docs/api/websocket-trades):

    → {"type":"subscribe","symbol":"BINANCE:BTCUSDT"}
    {"data":[{"c":null,"p":7296.89,"s":"BINANCE:BTCUSDT","t":1575526691134,"v":0.011467}],"type":"trade"}
    {"type":"ping"}
    {"msg":"Subscribing to too many symbols","type":"error"}

p price, s symbol, t time in ms, v what changed hands in this trade (not in the day), 0 where an exchange tells prices in place of trades.
`c` may be null, or conditions by numbers of Finnhub's own (`["1","12"]`), which are explained in no document that could be checked: nothing
is made of them, and a trade that is far off is for the board to doubt. Cancellations and corrections are not told.

A symbol a message, several trades in one. Nothing is acknowledged, and a ping wants no answer. Until somebody trades, nothing comes: the
prices of before, and what they are compared with, are asked for over REST (`feeds.finnhub`), and from time to time again. The free plan has
50 symbols. A wrong key is refused with HTTP 401, a second connection of one key with 429 or by closing the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

import msgspec
from pydantic import AnyUrl, Field, SecretStr

from feeds.api_keys import Sendable
from feeds.base import About, Answer, Subscription
from feeds.finnhub import Finnhub, day_of, session_of
from feeds.http.feed import PolledFeed
from feeds.streams.feed import SnapshotFeed, SnapshotSettings, StreamUrl
from feeds.streams.session import StreamSession
from feeds.streams.trades import Trade, TradesOf
from feeds.values.fields import Fields
from feeds.values.parse import array, decode, table
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import in_turns
from ticker.source import Ended, Silence, merge

FIELDS = Fields(times="ms")
MUTE_AFTER_S = 300.0


class FinnhubStreamSettings(SnapshotSettings):
    """`[feeds.NAME]` of kind `finnhub_stream`."""

    secrets: ClassVar[tuple[str, ...]] = ("api_key",)

    base_url: StreamUrl = Field(AnyUrl("wss://ws.finnhub.io"), description="scheme, host and path prefix of the provider")
    api_key: Annotated[SecretStr, Sendable] = Field(max_length=1000, description="the key that the provider gave you")


class FinnhubSession(StreamSession):
    """One connection's messages."""

    acknowledges: ClassVar[bool] = False

    def __init__(self, known: dict[str, Tick]) -> None:
        super().__init__(known)
        self.silence = Silence(MUTE_AFTER_S, heartbeat=False)
        self._trades = TradesOf(day_of)

    def want(self, subscriptions: Sequence[Subscription]) -> None:
        super().want(subscriptions)
        self._trades.keep(one.id for one in subscriptions)

    def ask_beside(self) -> Collection[str]:
        self.unsure |= self._trades.unsure()
        return super().ask_beside()

    def joined(self, key: str, snapshot: Tick, live: Tick | None) -> Tick:
        return self._trades[key].joined(snapshot, live)

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        return [msgspec.json.encode({"type": "subscribe", "symbol": id}) for id in ids]

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        return [msgspec.json.encode({"type": "unsubscribe", "symbol": id}) for id in ids]

    def receive(self, message: bytes, now_s: float) -> Answer:
        frame = table(decode(message), "message")
        kind = frame.get("type")
        if kind == "trade":
            return self._read(array(frame.get("data"), "data"))
        if kind == "error":
            self._error(str(frame.get("msg")).lower(), message)
        return {}

    def _error(self, reason: str, message: bytes) -> None:
        if "too many symbols" in reason and self.asked:  # one such for each: they are refused in the order in which they were asked for
            self.carry(len(self.asked) - 1)
        elif "key" in reason:
            raise Ended("Finnhub does not take the key", retryable=False, payload=message)
        else:
            raise FeedError("Finnhub refuses a request", payload=message)

    def _read(self, rows: Sequence[object]) -> Answer:
        """The newest trade of each symbol: they need not be in order."""
        answer: dict[str, Tick | FeedError] = {}
        for row in in_turns(rows):
            if isinstance(row, dict) and isinstance(symbol := row.get("s"), str) and symbol in self._wanted:
                try:
                    tick = self._after(symbol, row)
                except FeedError as error:
                    merge(answer, self.say(symbol, error))
                else:
                    merge(answer, {} if tick is None else self.say(symbol, tick))
        return answer

    def _after(self, symbol: str, row: dict[str, Any]) -> Tick | None:
        """What is known of `symbol` after a trade; `None` where that moves nothing."""
        alone = FIELDS.tick(row.get("p") or None, quote_time=row.get("t"))  # 0 is none here
        session = session_of(symbol, alone.quote_time)
        trade = Trade(alone.price, alone.quote_time, session=session)
        return self._trades[symbol].trade(self.known.get(symbol), trade, msgspec.structs.replace(alone, session=session))


class FinnhubStream(SnapshotFeed):
    """`kind = "finnhub_stream"`."""

    kind = "finnhub_stream"
    about = About(
        brings="trades of US shares; more by plan",
        ids="`AAPL`, `BINANCE:BTCUSDT`, `OANDA:EUR_USD`",
        limits="50 symbols for nothing, one connection a key",
        time="the trade's",
        same_answer="does not happen",
        market="not said: use a calendar",
        note="as `finnhub`",
    )
    Settings: ClassVar[type[SnapshotSettings]] = FinnhubStreamSettings
    Polled: ClassVar[type[PolledFeed]] = Finnhub
    settings: FinnhubStreamSettings
    overlaps: bool = False

    def path(self, subscriptions: Sequence[Subscription]) -> str:
        return f"/?token={quote(self.settings.api_key.get_secret_value(), safe='')}"

    def session(self, here: str) -> FinnhubSession:
        return FinnhubSession(self.known)
