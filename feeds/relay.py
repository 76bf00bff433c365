"""Another tickercast as the source: its board, over Socket.IO on a WebSocket. Relays can stand behind one another.

    [feeds.hub]
    kind = "relay"
    base_url = "http://hub.example:5000"

    [symbols]
    ACME = { feed = "hub" }
    "BTC-USD" = { feed = ["hub", "second_hub"], hub = "BTC/USD" }

The wire is our own (docs/protocol.md, and https://socket.io/docs/v4/socket-io-protocol/ below it):

    0{"sid":"rVn9…","upgrades":[],"pingInterval":10000,"pingTimeout":25000,"maxPayload":65536}
    → 40{"token":"…"}
    40{"sid":"k2Zx…"}
    42["hello",{"epoch":"cf98ffcff2ee","version":"0.1.0","server_time":1795377852011,"flush_ms":50,"heartbeat_s":5}]
    42["symbols",[{"symbol":"ACME","status":"live","error":null, …}]]
    42["feeds",[{"feed":"sim","kind":"simulated","state":"ok", …},{"feed":"far","kind":"relay","upstream":["5ce1…","90ab…"], …}]]
    → 421["subscribe",{"symbols":["ACME","NOPE"]}]
    431[{"ok":true,"subscribed":["ACME"],"refused":{"NOPE":"unknown_symbol"},"max_hz":20.0}]
    42["quotes",[{"symbol":"ACME","price":110.38,"quote_time":1795377851903,"seq":418,"source":"sim","kind":"simulated","state":"fresh"}]]
    42["beat",{"server_time":1795377857011}]

What it says of a price's state is worth more than what we could tell from times, for as long as it is heard: its stale is stale here. A
price that does not move is vouched for by whatever it says next, a `beat` at the latest.

Loops are found by epochs, which name the life of a process. Every relay tells in `feeds`, as `upstream`, whom its prices come through: the
other relay's epoch, and all that stand behind that. Whoever finds itself there does not join. Quotes that passed more than 16 relays
are refused, in case somebody on the way does not tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec
from pydantic import Field, SecretStr

from feeds.base import Answer, Subscription
from feeds.keys import Sendable
from feeds.packets import PONG, event, join, parse
from feeds.parse import array, number, table, text
from feeds.relayed import read_quote
from feeds.rows import unknown
from feeds.session import StreamSession
from feeds.streamed import StreamFeed, StreamSettings, StreamUrl
from ticker import symbols
from ticker.errors import FeedError
from ticker.quote import Kind, Tick
from ticker.runtime import Runtime
from ticker.stream import Ended, Silence

SYMBOLS_A_MESSAGE = 1000
"""Of at most 32 characters: far below the 64 KiB that an upstream takes."""
PROBE_AFTER_S = 6.0
"""Where its beats are rarer, it is asked for a word."""
DEAD_AFTER_S = 15.0
GREETS_WITHIN_S = 10.0
"""Who has not said by then who it is and what its feeds are is no tickercast."""
VOUCH_EVERY_S = 2.0
OTHER_TIMES_MS = 60_000
"""An upstream that was restarted and is so far behind itself lives in other times: it replays a recording, say."""
ANEW_EVERY_S = 30.0
LONGEST_SHUTDOWN_S = 900.0


class RelaySettings(StreamSettings):
    """`[feeds.NAME]` of kind `relay`."""

    secrets: ClassVar[tuple[str, ...]] = ("api_key",)

    base_url: StreamUrl = Field(description="where the other tickercast listens")
    max_hz: float | None = Field(None, ge=0.1, le=50, allow_inf_nan=False,
                                 description="at most so many updates of a symbol a second; default as fast as it flushes")
    api_key: Annotated[SecretStr | None, Sendable] = Field(None, max_length=8192, description="the token, where the other one wants any")


class Seen(NamedTuple):
    """Where an upstream was with a symbol."""

    epoch: str
    seq: int


class Memory:
    """What outlives a connection."""

    def __init__(self, known: dict[str, Tick]) -> None:
        self.known = known
        self.seen: dict[str, Seen] = {}
        self.anew_after_s = 0.0


class RelaySession(StreamSession):
    """One connection's packets."""

    sends_per_s: ClassVar[float] = 20.0

    def __init__(self, memory: Memory, settings: RelaySettings, here: str) -> None:
        super().__init__(memory.known)
        self.silence = Silence(DEAD_AFTER_S, heartbeat=True)
        self.may_subscribe = False
        self._memory = memory
        self._settings = settings
        self._here = here
        self._epoch: str | None = None
        self._behind: list[str] | None = None  # the epochs of the relays behind the upstream
        self._numbers = count(1)
        self._asked_in: dict[int, Sequence[str]] = {}  # by number of the request
        self._everything = False
        self._spare: dict[str, Tick] = {}  # of everything, what nobody wants
        self._removed: set[str] = set()  # what was asked for and is not there (any more)
        self._heard: set[str] = set()  # what was priced on this connection
        self._moved: set[str] = set()  # … since it was vouched for last
        self._vouch_s = 0.0
        self._heard_s: float | None = None
        self._opened_s: float | None = None
        self._over: Ended | None = None

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        for id in [id for id in ids if symbols.check(id)]:
            self._news |= self._gone(id)
        return self._requests([id for id in ids if not symbols.check(id)])

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        for memory in (self._heard, self._moved, self._removed):
            memory.difference_update(ids)
        if self._everything:  # what nobody wants may be wanted again
            return
        for first in range(0, len(ids), SYMBOLS_A_MESSAGE):
            yield event("unsubscribe", {"symbols": ids[first:first + SYMBOLS_A_MESSAGE]}, next(self._numbers))

    def due(self, now_s: float) -> tuple[list[bytes], Answer]:
        if self._over is not None:
            raise self._over
        if self._opened_s is None:
            self._opened_s = self._heard_s = now_s
        if not self.may_subscribe and now_s - self._opened_s >= GREETS_WITHIN_S:
            raise Ended(f"no greeting within {GREETS_WITHIN_S:g} s: is that a tickercast?")
        if self.may_subscribe and self._heard_s is not None and now_s - self._heard_s >= PROBE_AFTER_S:
            self._heard_s = now_s
            self.send(event("message", "are you there?", next(self._numbers)))
        return super().due(now_s)

    def receive(self, message: bytes, now_s: float) -> Answer:
        self._heard_s = now_s
        packet = parse(message)
        answer: Answer = {}
        if packet.word == "event":
            answer = self._event(packet.name, packet.payload, now_s)
        elif packet.word == "acknowledgement":
            answer = self._acknowledgement(packet.number, packet.payload)
        elif packet.word == "open":
            self.send(join({} if self._settings.api_key is None else {"token": self._settings.api_key.get_secret_value()}))
        elif packet.word == "ping":
            self.send(PONG)
        elif packet.word == "refused":
            raise _refusal(packet.payload)
        elif packet.word in ("close", "left"):
            raise Ended("the upstream has ended the connection")
        return self._vouched(now_s) | dict(answer) if now_s >= self._vouch_s else answer

    def _event(self, name: str, payload: Any, now_s: float) -> Answer:
        if name == "quotes":
            return self._quotes(array(payload, "quotes"), now_s)
        if name == "symbols":
            return self._symbols(array(payload, "symbols"))
        if name == "hello":
            self._epoch = text(table(payload, "hello").get("epoch"), "epoch")
            return self._look_around()
        if name == "feeds":
            behind = [table(feed, "feed").get("upstream") for feed in array(payload, "feeds")]
            self._behind = [epoch for epochs in behind if isinstance(epochs, list) for epoch in epochs if isinstance(epoch, str)]
            return self._look_around()
        if name == "shutdown":
            wait_ms = number(table(payload, "shutdown").get("retry_after_ms"), "retry_after_ms")
            raise Ended("the upstream shuts down, and will be back", retry_after_s=min(max(wait_ms / 1000, 1.0), LONGEST_SHUTDOWN_S))
        return {}  # beat, config, message, and whatever there will be

    def _look_around(self) -> Answer:
        """Join where all relays on the way are known, and we are not one of them."""
        if self._epoch is None or self._behind is None:
            return {}
        if self._here != self._epoch and self._here not in self._behind:
            self.facts = {"upstream": list(dict.fromkeys([self._epoch, *self._behind]))}
            self.may_subscribe = True
            return {}
        self.may_subscribe, self.facts = False, {}
        what = "it is this very process" if self._here == self._epoch else "its own prices come from here"
        self._over = Ended(f"a loop, the upstream is refused: {what}", retryable=False)
        self._heard.clear()
        error = FeedError(str(self._over), retryable=False, rejects_symbol=True)
        return {symbol: error for key in self._wanted for symbol in self.say(key, error)}

    def _symbols(self, rows: Sequence[Any]) -> Answer:
        """What is there: symbols that are gone, those that came, and those that the upstream itself has no price of."""
        answer: dict[str, Tick | FeedError] = {}
        there = {row["symbol"]: row for row in rows if isinstance(row, dict) and isinstance(row.get("symbol"), str)}
        for key in [key for key in self.asked if key not in self._removed and key not in self.unacknowledged]:
            if key not in there:
                answer |= self._gone(key)
            elif there[key].get("status") == "rejected":
                self._heard.discard(key)
                reason = str(there[key].get("error"))
                answer |= self.say(key, FeedError(f"the upstream has no price: {reason}", retryable=False, rejects_symbol=True))
        back = self._removed & there.keys()
        self._removed -= back
        self.ask_again(back)
        return answer

    def _gone(self, key: str) -> Answer:
        self._removed.add(key)
        self._heard.discard(key)
        self._spare.pop(key, None)
        return self.refused(key, unknown("the upstream", key))

    def _acknowledgement(self, number: int, payload: Any) -> Answer:
        keys = self._asked_in.pop(number, None)
        if keys is None:  # of unsubscribe, of a probe
            return {}
        reply = table(payload, "acknowledgement")
        if reply.get("ok") is not True:  # asked again, as nobody has taken note
            raise FeedError("the upstream refuses a request", payload=str(reply.get("message")))
        refused = table(reply.get("refused"), "refused")
        subscribed = {key for key in array(reply.get("subscribed"), "subscribed") if isinstance(key, str)}
        answer: dict[str, Tick | FeedError] = {}
        too_many: list[str] = []
        for key in keys:
            if key in subscribed:
                self.acknowledged([key])
                if key in self._spare:
                    answer |= self._priced(key, self._spare.pop(key))
            elif refused.get(key, refused.get("*", "unknown_symbol")) == "unknown_symbol":
                answer |= self._gone(key)
            elif refused.get(key) == "too_many_symbols" and not self._everything:
                too_many.append(key)
            else:
                code = refused.get(key, refused.get("*"))
                answer |= self.refused(key, FeedError(f"the upstream refuses {key!r}: {code}", retryable=False, rejects_symbol=True))
        if too_many:  # "*" counts as one there
            self._everything = True
            self.send(self._request("*", too_many))
        return answer

    def _quotes(self, rows: Sequence[Any], now_s: float) -> Answer:
        answer: dict[str, Tick | FeedError] = {}
        for row in rows:
            key = row.get("symbol") if isinstance(row, dict) else None
            if not isinstance(key, str):
                raise FeedError("a quote without a symbol", payload=msgspec.json.encode(row))
            try:
                tick, seq = read_quote(row)
            except FeedError as error:
                self._heard.discard(key)
                answer |= self.say(key, error)
                continue
            if key not in self._wanted:
                self._spare[key] = tick
            elif self._is_news(key, tick, seq, now_s):
                answer |= self._priced(key, tick)
        return answer

    def _priced(self, key: str, tick: Tick) -> Answer:
        self._heard.add(key)
        self._moved.add(key)
        return self.say(key, tick)

    def _is_news(self, key: str, tick: Tick, seq: int, now_s: float) -> bool:
        """Whether it is no older than what came before. Raises `Ended` where the upstream's times have begun anew."""
        before, seen = self.known.get(key), self._memory.seen.get(key)
        same_life = seen is not None and seen.epoch == self._epoch
        if seen is not None and same_life and seq < seen.seq:
            return False
        if (before is not None and before.quote_time is not None and tick.quote_time is not None
                and (same_life or before.quote_time - tick.quote_time > OTHER_TIMES_MS)
                and tick.quote_time < before.quote_time and now_s >= self._memory.anew_after_s):
            self._memory.anew_after_s = now_s + ANEW_EVERY_S
            self._memory.seen.clear()
            self.known.clear()
            raise Ended("the upstream's times begin anew", planned=True, anew=True)
        self._memory.seen[key] = Seen(self._epoch or "", seq)
        return True

    def _vouched(self, now_s: float) -> dict[str, Tick | FeedError]:
        """What has not moved since this was last asked, and still holds: the upstream is there, and would have said otherwise."""
        self._vouch_s = now_s + VOUCH_EVERY_S
        answer: dict[str, Tick | FeedError] = {}
        for key in self._heard - self._moved:
            answer |= self.say(key, self.known[key])
        self._moved.clear()
        return answer

    def _requests(self, keys: Sequence[str]) -> Iterable[bytes]:
        for first in range(0, len(keys), SYMBOLS_A_MESSAGE):
            some = keys[first:first + SYMBOLS_A_MESSAGE]
            yield self._request(some, some)

    def _request(self, wish: Sequence[str], keys: Sequence[str]) -> bytes:
        request = next(self._numbers)
        self._asked_in[request] = keys
        limit = {} if self._settings.max_hz is None else {"max_hz": self._settings.max_hz}
        return event("subscribe", {"symbols": wish, **limit}, request)


class RelayFeed(StreamFeed):
    """`kind = "relay"`."""

    kind = "relay"
    quote_kind: ClassVar[Kind] = "relayed"
    Settings: ClassVar[type[StreamSettings]] = RelaySettings
    settings: RelaySettings

    def __init__(self, name: str, settings: RelaySettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._memory = Memory(self.known)

    def path(self, subscriptions: Sequence[Subscription]) -> str:
        return "/socket.io/?EIO=4&transport=websocket"

    def session(self, here: str) -> RelaySession:
        return RelaySession(self._memory, self.settings, here)


def _refusal(payload: Any) -> Ended:
    """Why the upstream does not let us join."""
    said = payload if isinstance(payload, dict) else {}
    data = said.get("data")
    code = data.get("code") if isinstance(data, dict) else None
    hint = "; is the api_key right?" if code == "unauthorized" else ""
    return Ended(f"the upstream refuses us: {said.get('message')}{hint}", retryable=code != "unauthorized")
