"""What is said over one connection to another tickercast. Pure: no I/O. `feeds.tickercast.feed` tells the story."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, ClassVar, NamedTuple

import msgspec

from feeds.base import Answer
from feeds.streams.session import StreamSession, is_older
from feeds.tickercast.packets import PONG, Packet, event, join, parse
from feeds.tickercast.quotes import read_quote, read_rows, tick_of, volumes_of
from feeds.tickercast.upstream import MOST_UPSTREAM, named, nearest, refusal, words
from feeds.values.batch import unknown
from feeds.values.parse import array, number, table
from ticker import symbols
from ticker.errors import FeedError
from ticker.quote import Tick, VolumeOf, correcting, plain
from ticker.runtime import in_turns
from ticker.source import Ended, Silence, merge

QUOTES = b'42["quotes",'
PART_BYTES = 60_000
"""An upstream cuts a batch that is longer than 64 KiB into messages: a message that is so long may be a part of one."""
HOLD_S = 0.02
"""A part waits for the rest of its batch for at most so long: else it would be flushed alone, and the rest a window later."""
SYMBOLS_A_MESSAGE = 1000
"""One message asks for so many symbols, of at most 32 characters each: far below the 64 KiB that an upstream takes."""
PROBE_AFTER_S = 6.0
"""An upstream that is silent for so long is asked for a word; sooner where `stale_after_s` is short."""
DEAD_AFTER_S = 15.0
GREETS_WITHIN_S = 10.0
"""A server that has not said within so long who it is and what its feeds are is no tickercast."""
VOUCH_EVERY_S = 2.0
LONGEST_SHUTDOWN_S = 900.0
MOST_SYMBOLS = 100_000
"""An upstream that says it has more is refused: `limits.max_symbols_per_client` ends there."""
MOST_SPARE = 20_000
"""Prices that nobody wants are kept of so many of its symbols, for whoever may want them."""


class UpstreamOptions(NamedTuple):
    """What the settings of a feed ask of its upstream."""

    token: str | None = None
    max_hz: float | None = None
    stale_after_s: float | None = None


class Memory:
    """What is known of an upstream, and outlives a connection to it."""

    def __init__(self, known: dict[str, Tick]) -> None:
        self.known = known
        self.epoch: str | None = None  # of the upstream
        self.seen: dict[str, int] = {}  # by key: the newest `seq` in that epoch
        self.volume_of: dict[str, VolumeOf] = {}  # by key


class RelaySession(StreamSession):
    """What is said over one connection to an upstream: Socket.IO packets, as text."""

    sends_per_s: ClassVar[float] = 20.0

    def __init__(self, memory: Memory, options: UpstreamOptions, here: str) -> None:
        super().__init__(memory.known)
        self.silence = Silence(DEAD_AFTER_S, heartbeat=True)
        self.may_subscribe = False
        self._memory = memory
        self._options = options
        self._here = here
        shortest_s = math.inf if options.stale_after_s is None else options.stale_after_s / 3
        self._probe_after_s = min(PROBE_AFTER_S, shortest_s)
        self._vouch_every_s = min(VOUCH_EVERY_S, shortest_s)
        self._epoch: str | None = None
        self._behind: list[str] | None = None  # the epochs of the relays behind the upstream, the nearest of them
        self._is_behind = False  # whether we are one of them
        self._numbers = count(1)
        self._asked_in: dict[int, Sequence[str]] = {}  # by number of the request
        self._everything = False
        self._spare: dict[str, Tick] = {}  # of everything, what nobody wants
        self._removed: set[str] = set()  # what was asked for and is not there (any more)
        self._priceless: dict[str, FeedError] = {}  # what the upstream has no price of, and why
        self._heard: set[str] = set()  # what was priced on this connection
        self._moved: set[str] = set()  # what was priced since it was vouched for last
        self._vouch_s = 0.0
        self._heard_s: float | None = None
        self._opened_s: float | None = None
        self._over: Ended | None = None
        self._held: dict[str, Tick | FeedError] = {}
        self._hold_until_s = 0.0

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        for id in [id for id in ids if symbols.check(id)]:
            merge(self._news, self._gone(id))
        return self._requests([id for id in ids if not symbols.check(id)])

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        for memory in (self._heard, self._moved, self._removed):
            memory.difference_update(ids)
        if self._everything:  # what nobody wants may be wanted again
            return
        for first in range(0, len(ids), SYMBOLS_A_MESSAGE):
            yield event("unsubscribe", {"symbols": ids[first : first + SYMBOLS_A_MESSAGE]}, next(self._numbers))

    def due(self, now_s: float) -> tuple[list[bytes], Answer]:
        if self._over is not None:
            raise self._over
        if self._opened_s is None:
            self._opened_s = self._heard_s = now_s
        if not self.may_subscribe and now_s - self._opened_s >= GREETS_WITHIN_S:
            raise Ended(f"no greeting within {GREETS_WITHIN_S:g} s: is that a tickercast?")
        if self.may_subscribe and self._heard_s is not None and now_s - self._heard_s >= self._probe_after_s:
            self._heard_s = now_s
            self.send(event("message", "are you there?", next(self._numbers)))
        if self._held and now_s >= self._hold_until_s:
            merge(self._news, self._held)
            self._held = {}
        return super().due(now_s)

    def next_due_s(self, now_s: float) -> float:
        in_s = super().next_due_s(now_s)
        return min(in_s, self._hold_until_s - now_s) if self._held else in_s

    def receive(self, message: bytes, now_s: float) -> Answer:
        self._heard_s = now_s
        if message.startswith(QUOTES) and (rows := read_rows(message[2:])) is not None:
            volume_of = self._memory.volume_of
            answer, self._held = self._held, {}
            merge(answer, self._quotes((row.symbol, tick_of(row, volume_of.get(row.symbol)), row.seq) for row in rows))
            if len(message) >= PART_BYTES:
                self._held, self._hold_until_s = answer, now_s + HOLD_S
                return {}
            return self._vouched(now_s) | answer if now_s >= self._vouch_s else answer
        return self._receive(parse(message), now_s)

    def _receive(self, packet: Packet, now_s: float) -> Answer:
        answer: Answer = {}
        if packet.word == "event":
            answer = self._event(packet.name, packet.payload, now_s)
        elif packet.word == "acknowledgement":
            answer = self._acknowledgement(packet.number, packet.payload)
        elif packet.word == "open":
            self.send(join({} if self._options.token is None else {"token": self._options.token}))
        elif packet.word == "ping":
            self.send(PONG)
        elif packet.word == "refused":
            raise refusal(packet.payload)
        elif packet.word in ("close", "left"):
            raise Ended("the upstream has ended the connection")
        return self._vouched(now_s) | dict(answer) if now_s >= self._vouch_s else answer

    def _event(self, name: str, payload: Any, now_s: float) -> Answer:
        if name == "quotes":
            return self._odd_quotes(array(payload, "quotes"))
        if name == "symbols":
            return self._symbols(array(payload, "symbols"))
        if name == "hello":
            self._epoch = named(table(payload, "hello").get("epoch"))
            if self._epoch != self._memory.epoch:
                self._memory.epoch = self._epoch
                self._memory.seen.clear()
            return self._look_around()
        if name == "feeds":
            lists = [epochs for feed in array(payload, "feeds") if isinstance(epochs := table(feed, "feed").get("upstream"), list)]
            self._is_behind = any(self._here in epochs for epochs in lists)
            self._behind = nearest(lists)
            return self._look_around()
        if name == "shutdown":
            wait_ms = number(table(payload, "shutdown").get("retry_after_ms"), "retry_after_ms")
            raise Ended("the upstream shuts down, and will be back", retry_after_s=min(max(wait_ms / 1000, 1.0), LONGEST_SHUTDOWN_S))
        return {}  # beat, config, message, and whatever there will be

    def _look_around(self) -> Answer:
        """Join where all relays on the way are known, and we are not one of them."""
        if self._epoch is None or self._behind is None:
            return {}
        if self._here != self._epoch and not self._is_behind:
            self.facts = {"upstream": list(dict.fromkeys([self._epoch, *self._behind]))[:MOST_UPSTREAM]}
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
        if len(rows) > MOST_SYMBOLS:
            raise FeedError(f"the upstream names {len(rows)} symbols, more than {MOST_SYMBOLS}")
        answer: dict[str, Tick | FeedError] = {}
        self._memory.volume_of = volume_of = volumes_of(rows)
        for key in self._heard:
            if self.known[key].volume_of != volume_of.get(key):  # said with the next word of the price
                self.known[key] = msgspec.structs.replace(self.known[key], volume_of=volume_of.get(key))
        there = {row["symbol"]: row for row in rows if isinstance(row, dict) and isinstance(row.get("symbol"), str)}
        said, self._priceless = self._priceless, {key: found for key, row in there.items() if (found := _no_price(row)) is not None}
        for key in [key for key in self.asked if key not in self._removed and key not in self.unacknowledged]:
            if key not in there:
                answer |= self._gone(key)
            elif (error := self._priceless.get(key)) is not None and (error.rejects_symbol or str(said.get(key)) != str(error)):
                self._heard.discard(key)
                answer |= self.say(key, error)
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
            raise FeedError("the upstream refuses a request", payload=words(reply.get("message")))
        refused = table(reply.get("refused"), "refused")
        subscribed = {key for key in array(reply.get("subscribed"), "subscribed") if isinstance(key, str)}
        answer: dict[str, Tick | FeedError] = {}
        too_many: list[str] = []
        for key in keys:
            if key in subscribed:
                self.acknowledged([key])
                if key in self._spare:
                    answer |= self._priced(key, self._spare.pop(key))
                elif key in self._priceless:
                    answer |= self.say(key, self._priceless[key])
            elif refused.get(key, refused.get("*", "unknown_symbol")) == "unknown_symbol":
                answer |= self._gone(key)
            elif refused.get(key) == "too_many_symbols" and not self._everything:
                too_many.append(key)
            else:
                code = words(refused.get(key, refused.get("*")))
                answer |= self.refused(key, FeedError(f"the upstream refuses {key!r}: {code}", retryable=False, rejects_symbol=True))
        if too_many:  # "*" counts as one there
            self._everything = True
            self.send(self._request("*", too_many))
        return answer

    def _odd_quotes(self, rows: Sequence[Any]) -> Answer:
        """Something is wrong with one of them at least."""
        answer: dict[str, Tick | FeedError] = {}
        for row in in_turns(rows):
            key = row.get("symbol") if isinstance(row, dict) else None
            if not isinstance(key, str):
                raise FeedError("a quote without a symbol", payload=msgspec.json.encode(row))
            try:
                tick, seq = read_quote(row, self._memory.volume_of.get(key))
            except FeedError as error:
                self._heard.discard(key)
                merge(answer, self.say(key, error))
            else:
                merge(answer, self._quotes([(key, tick, seq)]))
        return answer

    def _quotes(self, quotes: Iterable[tuple[str, Tick, int]]) -> dict[str, Tick | FeedError]:
        """By key: what the upstream publishes, and its `seq` there.

        Its price may be older than the one before: it was put right there, or is of another life, or of a recording that is played again.
        What the upstream believes now is what holds.
        """
        answer: dict[str, Tick | FeedError] = {}
        for key, said, seq in in_turns(quotes):
            wanted = self._wanted.get(key)
            if wanted is None:
                if key in self._spare or (len(self._spare) < MOST_SPARE and not symbols.check(key)):
                    self._spare[key] = plain(said)
            elif seq >= self._memory.seen.get(key, 0):
                self._memory.seen[key] = seq
                tick = correcting(said) if is_older(said, self.known.get(key)) else said
                self.known[key] = plain(said)
                self._heard.add(key)
                self._moved.add(key)
                for subscription in wanted:
                    answer[subscription.symbol] = tick
        return answer

    def _priced(self, key: str, tick: Tick) -> Answer:
        self._heard.add(key)
        self._moved.add(key)
        return self.say(key, tick)

    def _vouched(self, now_s: float) -> dict[str, Tick | FeedError]:
        """What has not moved since this was last asked, and still holds: the upstream is there, and would have said otherwise."""
        self._vouch_s = now_s + self._vouch_every_s
        answer: dict[str, Tick | FeedError] = {}
        for key in self._heard - self._moved:
            answer |= self.say(key, self.known[key])
        self._moved.clear()
        return answer

    def _requests(self, keys: Sequence[str]) -> Iterable[bytes]:
        for first in range(0, len(keys), SYMBOLS_A_MESSAGE):
            some = keys[first : first + SYMBOLS_A_MESSAGE]
            yield self._request(some, some)

    def _request(self, wish: Sequence[str], keys: Sequence[str]) -> bytes:
        request = next(self._numbers)
        self._asked_in[request] = keys
        limit = {} if self._options.max_hz is None else {"max_hz": self._options.max_hz}
        return event("subscribe", {"symbols": wish, **limit}, request)


def _no_price(row: dict[str, Any]) -> FeedError | None:
    """Why the upstream has no price of the symbol of `row`: its source rejects it, or what came of it was no price so far."""
    status = row.get("status")
    if status != "rejected" and not (status == "pending" and row.get("error")):
        return None
    rejected = status == "rejected"
    return FeedError(f"the upstream has no price: {words(row.get('error'))}", retryable=not rejected, rejects_symbol=rejected)
