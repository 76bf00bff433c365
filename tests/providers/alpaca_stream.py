"""Alpaca's data stream at `/v2/FEED` and `/v1beta3/crypto/us`, and the REST paths of `tests/providers/alpaca.py` beside them.

`connected`, then `auth` within 10 s, then subscriptions, each answered with all in force. Errors as documented: 400 no syntax, 401 not
authenticated, 402 wrong key, 403 authenticated already, 404 too late, 405 more than 30 symbols, 406 a second connection of the key.
402, 404 and 406 close the connection. An update is an array: a trade and a quote, and now and then the bar of the day.

Switches: those of all streams, `"within_s": 10` (to authenticate), `"plan": 409` (the error that `auth` is answered with),
`"echo_key": true` (an error's text repeats the key), `"connections": 1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.alpaca import FEEDS, SYMBOLS, Alpaca
from tests.providers.shares import WRONG_KEY, midnight_s, rfc3339_ns
from tests.providers.talk import Close, Out, Streaming, Talk, text
from tests.providers.wire import Price, Reply, Request, not_found

MOST_SYMBOLS = 30
ERRORS = {400: "invalid syntax", 401: "not authenticated", 402: "auth failed", 403: "already authenticated", 404: "auth timeout",
          405: "symbol limit exceeded", 406: "connection limit exceeded", 407: "slow client", 408: "v2 not enabled",
          409: "insufficient subscription", 410: "invalid subscribe action for this feed", 411: "insufficient scope", 500: "internal error"}
CHANNELS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors")


class AlpacaTalk(Talk):
    """One connection: `key` once it has authenticated. A symbol counts as asked for where its trades are."""

    def __init__(self, provider: AlpacaStream, request: Request, now_s: float) -> None:
        super().__init__(provider, request, now_s)
        self.key: str | None = None
        self._channels: dict[str, dict[str, None]] = {name: {} for name in CHANNELS}

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
        if action == "unsubscribe":
            for channel, gone in wishes.items():
                for name in gone:
                    self._channels[channel].pop(name, None)
        elif self.provider.control.limits and any(len({*self._channels[channel], *wishes[channel]}) > MOST_SYMBOLS for channel in wishes):
            return [self.error(405)]
        else:
            for channel, names in wishes.items():
                self._channels[channel] |= dict.fromkeys(names)
        self.asked = {name: None for name in self._channels["trades"] if self.knows(name, SYMBOLS)}
        return [text([{"T": "subscription", **{channel: list(names) for channel, names in self._channels.items()}}])]

    def malformed(self) -> list[Out]:
        return [self.error(400)]

    def update(self, symbol: str, now: Price) -> list[Out]:
        made = rfc3339_ns(now.time_s)
        trade = self.overlaid(symbol, {"T": "t", "i": 96921, "S": symbol, "x": "D", "p": float(now.last), "s": 1, "t": made,
                                       "c": ["@", "I"], "z": "C"})
        quote = {"T": "q", "S": symbol, "bx": "U", "bp": float(now.bid), "bs": 1, "ax": "Q", "ap": float(now.ask), "as": 4, "t": made,
                 "c": ["R"], "z": "C"}
        day = {"T": "d", "S": symbol, "o": float(now.open), "h": float(now.high), "l": float(now.low), "c": float(now.last),
               "v": int(float(now.volume)), "t": rfc3339_ns(midnight_s(now.time_s)).replace(".000000000", "")}
        wanted = [(trade, "trades"), (quote, "quotes")] + ([(day, "dailyBars")] if self.sent % 10 == 0 else [])
        return [text([part for part, channel in wanted if symbol in self._channels[channel]])]

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
        if request.path != "/v1beta3/crypto/us" and request.path.removeprefix("/v2/") not in FEEDS:
            return not_found()
        talk = AlpacaTalk(self, request, now_s)
        self._others.append(talk)
        return talk

    def used(self, key: str) -> int:
        """How many open connections have that key."""
        return sum(other.key == key and other.over is None for other in self._others)
