"""Alpaca as a stream: trades, quotes and daily bars of US shares, by day and by night, and of crypto. A key, its secret, one connection.

`wss://stream.data.alpaca.markets/v2/iex` (https://docs.alpaca.markets/docs/real-time-stock-pricing-data), for the night
`/v1beta1/overnight` and `/v1beta1/boats`, for crypto `/v1beta3/crypto/us`. Each message is an array, whose parts may be of different kinds.
Who we are is said first, then what we want:

    [{"T":"success","msg":"connected"}]
    → {"action":"auth","key":"…","secret":"…"}
    [{"T":"success","msg":"authenticated"}]
    → {"action":"subscribe","trades":["AAPL"],"quotes":["AAPL"],"dailyBars":["AAPL"],"statuses":["AAPL"]}
    [{"T":"subscription","trades":["AAPL"],"quotes":["AAPL"],"bars":[],"dailyBars":["AAPL"], …,"cancelErrors":["AAPL"]}]
    [{"T":"t","i":96921,"S":"AAPL","x":"D","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","c":["@","I"],"z":"C"}]
    [{"T":"q","S":"AMD","bx":"U","bp":87.66,"bs":1,"ax":"Q","ap":87.68,"as":4,"t":"2021-02-22T15:51:45.335689322Z","c":["R"],"z":"C"}]
    [{"T":"d","S":"SPY","o":388.985,"h":389.13,"l":388.975,"c":389.12,"v":49378,"t":"2021-02-22T05:00:00Z"}]
    [{"T":"c","S":"EEM","x":"M","oi":52983525033,"op":39.1582,"os":440000,"oc":["7"],"ci":52983525034,"cp":39.1282,"cs":440000,"cc":["7"],
      "z":"B","t":"2023-04-06T14:25:06.542305024Z"}]
    [{"T":"x","S":"GOOGL","i":465,"x":"D","p":105.31,"s":300,"a":"C","z":"C","t":"2023-04-06T13:15:42.83540958Z"}]
    [{"T":"s","S":"AAPL","sc":"H","sm":"Trading Halt","rc":"T12","rm":"…","t":"2021-02-22T19:15:00Z","z":"C"}]
    [{"T":"error","code":402,"msg":"auth failed"}]

A subscription is answered with all that are in force. A side of 0 is none. Until somebody trades, nothing comes: the prices of before,
and the close before, are asked for over REST (`feeds.alpaca`), and from time to time again. The free plan has one connection (a second
one is 406) and 30 symbols (405).

A trade sets what its conditions let it set (`feeds.values.conditions`). Corrections (`c`: what begins with o was told, what begins with c
was so) and cancellations (`x`) come by themselves with the trades, and are followed (`feeds.streams.trades`); their `t` is when they were
told. What a status means depends on the tape `z`: `2` of A and B, `H` and `P` of C are halts; `3` and `T` their end; `Q` of C lets quotes
in and no trade. Crypto has none of these, nor conditions. The night's streams are silent by day; whose plan has them not is told 409, and
a wrong path is HTTP 404: then, as with every stream that is not to be had, the prices of the snapshots are all there is. So it is with
`otc`, of which the documentation names no stream.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import AnyUrl, Field, SecretStr

from feeds.alpaca import FIELDS, NIGHT, SIP_DELAY_MIN, Alpaca, day_of, session_of, terms_of
from feeds.api_keys import Sendable
from feeds.base import About, Answer, Subscription
from feeds.http.feed import PolledFeed
from feeds.streams.feed import SnapshotFeed, SnapshotSettings, StreamUrl
from feeds.streams.session import StreamSession
from feeds.streams.trades import Named, Trade, TradesOf
from feeds.values.conditions import allowed
from feeds.values.parse import array, decode, number, table
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import in_turns
from ticker.source import Ended, Silence, merge

MUTE_AFTER_S = 300.0
FINAL = {
    401: "not authenticated", 402: "the key or its secret is wrong", 404: "authenticated too late", 406: "another connection uses this key",
    407: "too slow for it", 408: "not enabled for this key", 409: "the plan does not include this feed", 411: "not allowed for this key",
    500: "an internal error"}  # fmt: skip
"""The errors that end a connection."""
HOPELESS = frozenset({402, 408, 409, 411})
"""Those of the fatal errors that trying again does not mend."""
BAD_SYNTAX, MANY_SYMBOLS, WRONG_ACTION = 400, 405, 410
CHANNELS = ("trades", "quotes", "dailyBars")
OF_SHARES = "statuses"
"""The channel of halts, which crypto has not."""
HALTED, RESUMED = {"A": "2", "B": "2", "C": "HP"}, {"A": "3", "B": "3", "C": "T"}
"""By tape: the status codes of a halt (the volatility pause is one), and of its end."""
FREE_SYMBOLS = 30
"""What the free plan carries; no message tells what others do."""


class AlpacaStreamSettings(SnapshotSettings):
    """`[feeds.NAME]` of kind `alpaca_stream`."""

    secrets: ClassVar[tuple[str, ...]] = ("api_key", "api_secret")

    base_url: StreamUrl = Field(AnyUrl("wss://stream.data.alpaca.markets"), description="scheme, host and path prefix of the provider")
    data_feed: Literal["iex", "sip", "delayed_sip", "otc", "boats", "overnight", "crypto"] = Field(
        "iex",
        description="which of Alpaca's sources of prices; iex is that of the free plan, overnight and boats are the night's, "
        "crypto is another market",
    )
    api_key: Annotated[SecretStr, Sendable] = Field(max_length=1000, description="the key that the provider gave you")
    api_secret: Annotated[SecretStr, Sendable] = Field(max_length=1000, description="the secret that came with the key")


class AlpacaSession(StreamSession):
    """One connection's messages, and how far it has got: `connected`, `authenticated`, then subscriptions."""

    def __init__(self, known: dict[str, Tick], key: str, secret: str, data_feed: str = "iex") -> None:
        super().__init__(known)
        self.silence = Silence(MUTE_AFTER_S, heartbeat=False)
        self.may_subscribe = False
        self._login = msgspec.json.encode({"action": "auth", "key": key, "secret": secret})
        self._data_feed = data_feed
        self._delay_min = SIP_DELAY_MIN if data_feed == "delayed_sip" else None
        self._channels = [*CHANNELS] if data_feed == "crypto" else [*CHANNELS, OF_SHARES]
        self._one_by_one = False
        self._trades = TradesOf(day_of)
        self._halts = {key: tick.quote_time or 0 for key, tick in known.items() if tick.halted}  # by key: since when
        self._parts: Mapping[str, Callable[[Tick | None, dict[str, Any], str], Tick | None]] = {
            "t": self._trade, "q": _quote, "d": self._day, "c": self._correction, "x": self._cancellation, "s": self._status}  # fmt: skip

    def want(self, subscriptions: Sequence[Subscription]) -> None:
        super().want(subscriptions)
        self._trades.keep(one.id for one in subscriptions)
        for gone in self._halts.keys() - self._wanted.keys():
            del self._halts[gone]

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        # What can be no symbol fails a message as a whole, and is not named: then they are asked for one by one.
        return [self._request("subscribe", [id]) for id in ids] if self._one_by_one else [self._request("subscribe", ids)]

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        return [self._request("unsubscribe", ids)]

    def ask_beside(self) -> Collection[str]:
        self.unsure |= self._trades.unsure()
        return super().ask_beside()

    def receive(self, message: bytes, now_s: float) -> Answer:
        answer: dict[str, Tick | FeedError] = {}
        errors: dict[str, Tick | FeedError] = {}
        for item in in_turns(array(decode(message), "message")):
            part = table(item, "part")
            kind = part.get("T")
            read = self._parts.get(kind) if isinstance(kind, str) else None
            if read is None:
                merge(answer, self._control(part, message))
            elif isinstance(symbol := part.get("S"), str) and symbol in self._wanted:
                try:
                    tick = read(self.known.get(symbol), part, symbol)
                except FeedError as error:
                    errors |= self.say(symbol, error)
                else:
                    merge(answer, {} if tick is None else self.say(symbol, tick))
        merge(answer, errors)  # a good quote behind a bad trade does not make it good
        return answer

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
        if code == WRONG_ACTION and len(self._channels) > 1:
            self._channels.pop()
            self.ask_again(list(self.unacknowledged))
            return {}
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
            return self.refused(
                bad, FeedError(f"Alpaca takes {bad!r} for no symbol", retryable=False, rejects_symbol=True, payload=message)
            )
        if not self._one_by_one:
            self._one_by_one = True
            self.ask_again(list(self.unacknowledged))
        raise FeedError("Alpaca refuses a request", payload=message)

    def _request(self, action: str, symbols: Sequence[str]) -> bytes:
        return msgspec.json.encode({"action": action, **dict.fromkeys(self._channels, symbols)})

    def _trade(self, before: Tick | None, part: dict[str, Any], symbol: str) -> Tick | None:
        alone = FIELDS.tick(
            part.get("p"),
            quote_time=part.get("t"),
            delay_min=self._delay_min,
            currency=symbol.partition("/")[2] or "USD",
            known=terms_of(symbol),
        )
        made_ms = alone.quote_time
        session = session_of(symbol, self._data_feed, made_ms, part.get("c"))
        may = allowed(part.get("c"), part.get("z"), made_ms)
        trade = Trade(alone.price, made_ms, _id(part.get("i")), part.get("x"), part.get("s"), may, session)
        after = self._trades[symbol].trade(before, trade, msgspec.structs.replace(alone, session=session))
        if symbol in self._halts and may.last and (made_ms or 0) > self._halts[symbol]:
            return self._resumed(before if after is None else after, symbol) or after
        return after

    def _day(self, before: Tick | None, part: dict[str, Any], symbol: str) -> Tick | None:
        """`before` with the open, high, low and volume of the day so far; of the day that its price is of, or a later one."""
        if before is None:
            return None
        begins_ms = FIELDS.time(part.get("t"))
        day, trades = day_of(symbol), self._trades[symbol]
        if begins_ms is not None and before.quote_time is not None and day(begins_ms) < day(before.quote_time):
            return None
        today = trades.on_day_of(before, begins_ms)
        return trades.kept(FIELDS.update(today, open=part.get("o"), high=part.get("h"), low=part.get("l"), volume=part.get("v")), today)

    def _correction(self, before: Tick | None, part: dict[str, Any], symbol: str) -> Tick | None:
        right, told_ms = FIELDS.tick(part.get("cp")), FIELDS.time(part.get("t"))
        may = allowed(part.get("cc"), part.get("z"), told_ms if before is None else before.quote_time)
        instead = Trade(right.price, None, _id(part.get("ci")), part.get("x"), part.get("cs"), may)
        named = Named(_number(part.get("op")), told_ms, _id(part.get("oi")), part.get("x"), part.get("os"))
        return self._trades[symbol].take_back(before, named, instead)

    def _cancellation(self, before: Tick | None, part: dict[str, Any], symbol: str) -> Tick | None:
        named = Named(_number(part.get("p")), FIELDS.time(part.get("t")), _id(part.get("i")), part.get("x"), part.get("s"))
        return self._trades[symbol].take_back(before, named)

    def _status(self, before: Tick | None, part: dict[str, Any], symbol: str) -> Tick | None:
        """`before`, halted or no longer; `None` where that is no news, or no word of halts."""
        tape, code = part.get("z"), part.get("sc")
        if not isinstance(tape, str) or not isinstance(code, str) or not code:
            return None
        if code in RESUMED.get(tape, ""):
            return self._resumed(before, symbol)
        if code not in HALTED.get(tape, ""):
            return None
        self._halts[symbol] = FIELDS.time(part.get("t")) or 0
        return None if before is None or before.halted else msgspec.structs.replace(before, halted=True)

    def _resumed(self, tick: Tick | None, key: str) -> Tick | None:
        self._halts.pop(key, None)
        return None if tick is None or not tick.halted else msgspec.structs.replace(tick, halted=None)

    def joined(self, key: str, snapshot: Tick, live: Tick | None) -> Tick:
        """With what only the stream tells: which trades were none, and that there are no more of them for now."""
        tick = self._trades[key].joined(snapshot, live)
        since_ms = self._halts.get(key)
        if since_ms is not None and (tick.quote_time or 0) > since_ms:
            del self._halts[key]
        return msgspec.structs.replace(tick, halted=True if key in self._halts else None)


class AlpacaStream(SnapshotFeed):
    """`kind = "alpaca_stream"`."""

    kind = "alpaca_stream"
    about = About(
        brings="trades and quotes of US shares by day or by night, or of crypto",
        ids="`AAPL`, `BRK.B`, `BTC/USD`; from `BRK-B`, `BTC-USD`",
        limits="30 symbols and one connection for nothing",
        delay="none; 15 min with `delayed_sip`",
        time="the trade's; a cancellation restores the one before",
        same_answer="does not happen",
        market="`halted`, by its statuses; else a calendar",
        note="as `alpaca`",
    )
    Settings: ClassVar[type[SnapshotSettings]] = AlpacaStreamSettings
    Polled: ClassVar[type[PolledFeed]] = Alpaca
    settings: AlpacaStreamSettings
    overlaps: bool = False

    def path(self, subscriptions: Sequence[Subscription]) -> str:
        data_feed = self.settings.data_feed
        if data_feed == "crypto":
            return "/v1beta3/crypto/us"
        return f"/v1beta1/{data_feed}" if data_feed in NIGHT else f"/v2/{data_feed}"

    def session(self, here: str) -> AlpacaSession:
        settings = self.settings
        return AlpacaSession(self.known, settings.api_key.get_secret_value(), settings.api_secret.get_secret_value(), settings.data_feed)

    def rest_settings(self) -> dict[str, Any]:
        stocks = {} if self.settings.data_feed == "crypto" else {"data_feed": self.settings.data_feed}
        return {**super().rest_settings(), **stocks}


def _quote(before: Tick | None, part: dict[str, Any], symbol: str) -> Tick | None:
    """`before` with the bid and ask of a quote; `None` while there is no price for them to stand beside."""
    return None if before is None else FIELDS.update(before, bid=part.get("bp", 0), ask=part.get("ap", 0))


def _id(value: object) -> int | str | None:
    """What names a trade, if it can: to Python `true` is 1, and that would be another trade's."""
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    """`value` where it is a number: it names a trade, and is nothing that anybody is shown."""
    try:
        return number(value, "price")
    except FeedError:
        return None
