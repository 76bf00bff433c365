"""Alpaca's data streams, and the REST paths of `tests/providers/alpaca.py` beside them.

Where each part is from: the paths `/v2/sip|iex|delayed_sip` and `/v1beta1/boats|overnight`, the channels, and the keys of t, q, d, c, x and
s are those of https://docs.alpaca.markets/docs/real-time-stock-pricing-data, the same as in `marketdata/stream` of
alpacahq/alpaca-trade-api-go and `alpaca/data/mappings.py` of alpacahq/alpaca-py; `/v1beta3/crypto/us` is of
https://docs.alpaca.markets/docs/real-time-crypto-pricing-data. `/v2/boats` and `/v2/overnight` are 404 (alpacahq/alpaca-trade-api-go#360),
and so is everything else. Corrections and cancellations come with the trades, unasked (`register_trade_corrections` of alpaca-py says
so). Status codes by tape are those of the plans, as the documentation lists them.

`connected`, then `auth` within 10 s, then subscriptions, each answered with all in force. Errors as documented: 400 no syntax, 401 not
authenticated, 402 wrong key, 403 authenticated already, 404 too late, 405 more than 30 symbols, 406 a second connection of the key, 410 a
channel that the stream has not (crypto has no `statuses`). 402, 404 and 406 close the connection. An update is an array: a trade and a
quote, and now and then the bar of the day.

Switches: those of all streams, `"within_s": 10` (to authenticate), `"plan": 409` (the error that `auth` is answered with),
`"echo_key": true` (an error's text repeats the key), `"connections": 1`, `"no_channels": ["statuses"]` (410 for these),
`"false_print": "x"` (each trade is followed by one at 1.3 times the price, which is cancelled, or with `"c"` corrected to the price),
`"odd_print": true` (… by an odd lot, which sets nothing), `"halted": ["IBM"]` (no trades of these; the status says so, and when they end).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.alpaca import SYMBOLS, Alpaca, day_begins
from tests.providers.shares import WRONG_KEY, rfc3339_ns
from tests.providers.talk import Close, Out, Streaming, Talk, text
from tests.providers.wire import Price, Reply, Request, not_found

MOST_SYMBOLS = 30
ERRORS = {400: "invalid syntax", 401: "not authenticated", 402: "auth failed", 403: "already authenticated", 404: "auth timeout",
          405: "symbol limit exceeded", 406: "connection limit exceeded", 407: "slow client", 408: "v2 not enabled",
          409: "insufficient subscription", 410: "invalid subscribe action for this feed", 411: "insufficient scope", 500: "internal error"
}  # fmt: skip
CRYPTO = "/v1beta3/crypto/us"
PATHS = frozenset({"/v2/sip", "/v2/iex", "/v2/delayed_sip", "/v1beta1/boats", "/v1beta1/overnight", CRYPTO})
TAPES = {"IBM": "A", "BRK.B": "A", "SPY": "B"}
"""Those of Nasdaq are on C."""
OF_SHARES = frozenset({"x", "c", "z", "ax", "bx"})
"""Keys that crypto has not."""
HALT, RESUME = {"A": "2", "B": "2", "C": "H"}, {"A": "3", "B": "3", "C": "T"}
CHANNELS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors")


class AlpacaTalk(Talk):
    """One connection: `key` once it has authenticated. A symbol counts as asked for where its trades are."""

    def __init__(self, provider: AlpacaStream, request: Request, now_s: float) -> None:
        super().__init__(provider, request, now_s)
        self.key: str | None = None
        self._channels: dict[str, dict[str, None]] = {name: {} for name in CHANNELS}
        self._halted: set[str] = set()
        self._trades = 0

    def opened(self) -> list[Out]:
        return [text([{"T": "success", "msg": "connected"}])]

    def answer(self, message: Any) -> list[Out]:
        action = message.get("action") if isinstance(message, dict) else None
        if action == "auth":
            return self._auth(message)
        if self.key is None:
            return [self.error(401)]
        if action not in {"subscribe", "unsubscribe"}:
            return self.malformed()
        wishes = {name: message[name] for name in CHANNELS if message.get(name)}
        if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in wishes.values()):
            return self.malformed()
        if wishes.keys() & {*self.switch("no_channels", ()), *(("statuses", "lulds") if self.request.path == CRYPTO else ())}:
            return [self.error(410)]
        if action == "unsubscribe":
            for channel, gone in wishes.items():
                for name in gone:
                    self._channels[channel].pop(name, None)
        elif self.provider.control.limits and any(len({*self._channels[channel], *wishes[channel]}) > MOST_SYMBOLS for channel in wishes):
            return [self.error(405)]
        else:
            for channel, names in wishes.items():
                self._channels[channel] |= dict.fromkeys(names)
        for unasked in ("corrections", "cancelErrors"):
            self._channels[unasked] = dict(self._channels["trades"])
        self.asked = {name: None for name in self._channels["trades"] if self.knows(name, SYMBOLS)}
        return [text([{"T": "subscription", **{channel: list(names) for channel, names in self._channels.items()}}])]

    def malformed(self) -> list[Out]:
        return [self.error(400)]

    def update(self, symbol: str, now: Price) -> list[Out]:
        tape, last, made = TAPES.get(symbol, "C"), float(now.last), rfc3339_ns(now.time_s)
        self._trades += 1
        trade = self.overlaid(
            symbol, {"T": "t", "i": self._trades, "S": symbol, "x": "D", "p": last, "s": 100, "t": made, "c": ["@"], "z": tape}
        )
        quote = {"T": "q", "S": symbol, "bx": "U", "bp": float(now.bid), "bs": 1, "ax": "Q", "ap": float(now.ask), "as": 4, "t": made,
                 "c": ["R"], "z": tape}  # fmt: skip
        day = {"T": "d", "S": symbol, "o": float(now.open), "h": float(now.high), "l": float(now.low), "c": last,
               "v": int(float(now.volume)), "t": day_begins(symbol, now.time_s)}  # fmt: skip
        if "/" in symbol:
            trade, quote = ({key: value for key, value in part.items() if key not in OF_SHARES} for part in (trade, quote))
        trades = [] if symbol in self.switch("halted", ()) else [trade, *self._strange(trade)]
        wanted = [*((one, "trades") for one in trades), (quote, "quotes"), *((one, "statuses") for one in self._status(symbol, tape, made))]
        if self.sent % 10 == 0:
            wanted.append((day, "dailyBars"))
        return [text([part for part, channel in wanted if symbol in self._channels[channel]])]

    def _strange(self, trade: dict[str, Any]) -> list[dict[str, Any]]:
        """A trade behind a good one that is none, and what is said of it."""
        far = {**trade, "i": self._trades + 1_000_000, "p": 1.3 * trade["p"]} if isinstance(trade["p"], float) else trade
        if self.switch("odd_print"):
            return [{**far, "s": 1, "c": ["@", "I"]}]
        told = {"S": trade["S"], "x": trade.get("x"), "z": trade.get("z"), "t": trade["t"]}
        if self.switch("false_print") == "x":
            return [far, {**told, "T": "x", "i": far["i"], "p": far["p"], "s": far["s"], "a": "C"}]
        if self.switch("false_print") == "c":
            return [far, {**told, "T": "c", "oi": far["i"], "op": far["p"], "os": far["s"], "oc": far["c"],
                          "ci": far["i"] + 1, "cp": trade["p"], "cs": far["s"], "cc": far["c"]}]  # fmt: skip
        return []

    def _status(self, symbol: str, tape: str, made: str) -> list[dict[str, Any]]:
        """A halt that has begun, or one that is over."""
        halted = symbol in self.switch("halted", ())
        if halted == (symbol in self._halted):
            return []
        self._halted ^= {symbol}
        return [{"T": "s", "S": symbol, "sc": (HALT if halted else RESUME)[tape], "sm": "Trading Halt" if halted else "Trading Resumption",
                 "rc": "", "rm": "", "t": made, "z": tape}]  # fmt: skip

    def overdue(self, age_s: float) -> list[Out]:
        return [self.error(404), Close(1008, "auth timeout")] if self.key is None and age_s > self.switch("within_s", 10) else []

    def error(self, code: int) -> str:
        """An error message."""
        heard = f" {self.heard[-1]}" if self.switch("echo_key") and self.heard else ""
        return text([{"T": "error", "code": code, "msg": ERRORS[code] + heard}])

    def _auth(self, message: dict[str, Any]) -> list[Out]:
        key, secret = message.get("key"), message.get("secret")
        if self.key is not None:
            return [self.error(403)]
        if not isinstance(key, str) or not isinstance(secret, str) or not key or not secret or WRONG_KEY in (key, secret):
            return [self.error(402), Close(1008, "auth failed")]
        if (code := self.switch("plan")) is not None:
            return [self.error(code), Close(1008, "refused")]
        assert isinstance(self.provider, AlpacaStream)
        if self.provider.used(key) >= self.switch("connections", 1):
            return [self.error(406), Close(1008, "connection limit")]
        self.key = key
        return [text([{"T": "success", "msg": "authenticated"}])]


class AlpacaStream(Streaming, Alpaca):
    """`python -m tests.providers alpaca_stream`."""

    name: ClassVar[str] = "alpaca_stream"
    limits: ClassVar[Mapping[str, int]] = {"calls_per_min": 200, "messages_per_s": 1000}
    _others: list[AlpacaTalk]

    def talk(self, request: Request, others: list[Talk], now_s: float) -> Talk | Reply:
        self._others = [other for other in others if isinstance(other, AlpacaTalk)]
        if request.path not in PATHS:
            return not_found()
        talk = AlpacaTalk(self, request, now_s)
        self._others.append(talk)
        return talk

    def used(self, key: str) -> int:
        """How many open connections have that key."""
        return sum(other.key == key and other.over is None for other in self._others)
