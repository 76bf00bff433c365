"""Alpaca as a stream: trades, quotes and daily bars of US shares, and of crypto. A key, its secret, and one connection for both.

`wss://stream.data.alpaca.markets/v2/iex` (https://docs.alpaca.markets/docs/real-time-stock-pricing-data), for crypto
`/v1beta3/crypto/us`. Each message is an array, whose parts may be of different kinds. Who we are is said first, then what we want:

    [{"T":"success","msg":"connected"}]
    → {"action":"auth","key":"…","secret":"…"}
    [{"T":"success","msg":"authenticated"}]
    → {"action":"subscribe","trades":["AAPL"],"quotes":["AAPL"],"dailyBars":["AAPL"]}
    [{"T":"subscription","trades":["AAPL"],"quotes":["AAPL"],"bars":[],"dailyBars":["AAPL"], …}]
    [{"T":"t","i":96921,"S":"AAPL","x":"D","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","c":["@","I"],"z":"C"}]
    [{"T":"q","S":"AMD","bx":"U","bp":87.66,"bs":1,"ax":"Q","ap":87.68,"as":4,"t":"2021-02-22T15:51:45.335689322Z","c":["R"],"z":"C"}]
    [{"T":"d","S":"SPY","o":388.985,"h":389.13,"l":388.975,"c":389.12,"v":49378,"t":"2021-02-22T05:00:00Z"}]
    [{"T":"error","code":402,"msg":"auth failed"}]

A subscription is answered with all that are in force. A side of 0 is none. Until somebody trades, nothing comes: the prices of before,
and the close before, are asked for over REST (`feeds.alpaca`), and from time to time again. The free plan has one connection (a second
one is 406) and 30 symbols (405). Corrections (`c`) and cancellations (`x`) of single trades are not followed: the next trade is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import AnyUrl, Field, SecretStr

from feeds.alpaca import SIP_DELAY_MIN, Alpaca
from feeds.base import Answer, Subscription
from feeds.keys import Sendable
from feeds.parse import array, decode, iso_ms, optional_price, optional_size, price, table
from feeds.polled import PolledFeed
from feeds.session import StreamSession, traded
from feeds.streamed import SnapshotFeed, SnapshotSettings, StreamUrl
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.stream import Ended, Silence
from ticker.turn import in_turns

MUTE_AFTER_S = 300.0
FINAL = {
    401: "not authenticated", 402: "the key or its secret is wrong", 404: "authenticated too late", 406: "another connection uses this key",
    407: "too slow for it", 408: "not enabled for this key", 409: "the plan does not include this feed", 411: "not allowed for this key",
    500: "an internal error"}
"""The errors that end a connection."""
HOPELESS = frozenset({402, 408, 409, 411})
"""… and that trying again does not mend."""
BAD_SYNTAX, MANY_SYMBOLS, WRONG_ACTION = 400, 405, 410
FREE_SYMBOLS = 30
"""What the free plan carries; no message tells what others do."""


class AlpacaStreamSettings(SnapshotSettings):
    """`[feeds.NAME]` of kind `alpaca_stream`."""

    secrets: ClassVar[tuple[str, ...]] = ("api_key", "api_secret")

    base_url: StreamUrl = Field(AnyUrl("wss://stream.data.alpaca.markets"), description="scheme, host and path prefix of the provider")
    data_feed: Literal["iex", "sip", "delayed_sip", "otc", "boats", "overnight", "crypto"] = Field(
        "iex", description="which of Alpaca's sources of prices; iex is that of the free plan, crypto another market")
    api_key: Annotated[SecretStr, Sendable] = Field(max_length=1000, description="the key that the provider gave you")
    api_secret: Annotated[SecretStr, Sendable] = Field(max_length=1000, description="the secret that came with the key")


class AlpacaSession(StreamSession):
    """One connection's messages, and how far it has got: `connected`, `authenticated`, then subscriptions."""

    def __init__(self, known: dict[str, Tick], key: str, secret: str, delay_min: float | None = None) -> None:
        super().__init__(known)
        self.silence = Silence(MUTE_AFTER_S, heartbeat=False)
        self.may_subscribe = False
        self._login = msgspec.json.encode({"action": "auth", "key": key, "secret": secret})
        self._delay_min = delay_min
        self._one_by_one = False
        self._parts: Mapping[str, Callable[[Tick | None, dict[str, Any], str], Tick | None]] = {
            "t": self._trade, "q": _quote, "d": _day}

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        # What can be no symbol fails a message as a whole, and is not named: then they are asked for one by one.
        return [_request("subscribe", [id]) for id in ids] if self._one_by_one else [_request("subscribe", ids)]

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        return [_request("unsubscribe", ids)]

    def receive(self, message: bytes, now_s: float) -> Answer:
        answer: dict[str, Tick | FeedError] = {}
        errors: dict[str, Tick | FeedError] = {}
        for item in in_turns(array(decode(message), "message")):
            part = table(item, "part")
            kind = part.get("T")
            read = self._parts.get(kind) if isinstance(kind, str) else None
            if read is None:
                answer |= self._control(part, message)
            elif isinstance(symbol := part.get("S"), str):
                try:
                    tick = read(self.known.get(symbol), part, symbol)
                except FeedError as error:
                    errors |= self.say(symbol, error)
                else:
                    answer |= {} if tick is None else self.say(symbol, tick)
        return answer | errors  # a good quote behind a bad trade does not make it good

    def _control(self, part: dict[str, Any], message: bytes) -> Answer:
        kind = part.get("T")
        if kind == "success" and part.get("msg") == "connected":
            self.send(self._login)
        elif kind == "success" and part.get("msg") == "authenticated":
            self.may_subscribe = True
        elif kind == "subscription":
            self.acknowledged(array(part.get("trades"), "trades"))
        elif kind == "error":
            return self._error(part.get("code"), message)
        return {}

    def _error(self, code: object, message: bytes) -> Answer:
        if isinstance(code, int) and code in FINAL:
            raise Ended(f"Alpaca: {FINAL[code]} ({code})", retryable=code not in HOPELESS, payload=message)
        if code == MANY_SYMBOLS and self.unacknowledged:
            self._make_room()
            return {}
        if code == BAD_SYNTAX and self.unacknowledged:
            return self._narrow_down(message)
        if code == WRONG_ACTION:
            error = FeedError("Alpaca does not take such subscriptions for this feed", retryable=False, payload=message)
            return {symbol: news for key in list(self.unacknowledged) for symbol, news in self.refused(key, error).items()}
        raise FeedError("Alpaca refuses a request", payload=message)

    def _make_room(self) -> None:
        """Ask for less: what the free plan carries, else half of what was too much, down to what is carried already."""
        asked, new = len(self.asked), len(self.unacknowledged)
        carried = asked - new
        self.carry(FREE_SYMBOLS if asked > FREE_SYMBOLS > carried else carried + new // 2)
        self.ask_again(list(self.unacknowledged))

    def _narrow_down(self, message: bytes) -> Answer:
        """One of the symbols that were asked for can be none. Where it is not clear which, ask for each: all others are acknowledged."""
        if len(self.unacknowledged) == 1:
            (bad,) = self.unacknowledged
            return self.refused(bad, FeedError(f"Alpaca takes {bad!r} for no symbol", retryable=False, rejects_symbol=True,
                                               payload=message))
        if not self._one_by_one:
            self._one_by_one = True
            self.ask_again(list(self.unacknowledged))
        raise FeedError("Alpaca refuses a request", payload=message)

    def _trade(self, before: Tick | None, part: dict[str, Any], symbol: str) -> Tick | None:
        last, made_ms = price(part.get("p"), f"{symbol} p"), iso_ms(part.get("t"), f"{symbol} t")
        if before is None:
            return Tick(price=last, quote_time=made_ms, currency=symbol.partition("/")[2] or "USD", delay_min=self._delay_min)
        return None if before.quote_time is not None and made_ms < before.quote_time else traded(before, last, made_ms)


class AlpacaStream(SnapshotFeed):
    """`kind = "alpaca_stream"`."""

    kind = "alpaca_stream"
    Settings: ClassVar[type[SnapshotSettings]] = AlpacaStreamSettings
    Polled: ClassVar[type[PolledFeed]] = Alpaca
    settings: AlpacaStreamSettings
    overlaps: bool = False

    def path(self, subscriptions: Sequence[Subscription]) -> str:
        return "/v1beta3/crypto/us" if self.settings.data_feed == "crypto" else f"/v2/{self.settings.data_feed}"

    def session(self, here: str) -> AlpacaSession:
        settings = self.settings
        delay_min = SIP_DELAY_MIN if settings.data_feed == "delayed_sip" else None
        return AlpacaSession(self.known, settings.api_key.get_secret_value(), settings.api_secret.get_secret_value(), delay_min)

    def rest_settings(self) -> dict[str, Any]:
        stocks = {} if self.settings.data_feed == "crypto" else {"data_feed": self.settings.data_feed}
        return {**super().rest_settings(), **stocks}


def _request(action: str, symbols: Sequence[str]) -> bytes:
    return msgspec.json.encode({"action": action, "trades": symbols, "quotes": symbols, "dailyBars": symbols})


def _quote(before: Tick | None, part: dict[str, Any], symbol: str) -> Tick | None:
    """`before` with the bid and ask of a quote; `None` while there is no price for them to stand beside."""
    bid, ask = optional_price(part.get("bp"), f"{symbol} bp"), optional_price(part.get("ap"), f"{symbol} ap")
    return None if before is None else msgspec.structs.replace(before, bid=bid, ask=ask)


def _day(before: Tick | None, part: dict[str, Any], symbol: str) -> Tick | None:
    """`before` with the open, high, low and volume of the day so far."""
    found = {name: optional_price(part.get(key), f"{symbol} {key}") for name, key in (("open", "o"), ("high", "h"), ("low", "l"))}
    volume = optional_size(part.get("v"), f"{symbol} v")
    return None if before is None else msgspec.structs.replace(before, volume=volume, **found)
