"""The base of what is said over one connection of a stream: which symbols are asked for, acknowledged, refused. Pure: no I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from ticker.errors import FeedError
from ticker.quote import Tick, plain
from ticker.source import Answer, Silence, Subscription, merge

ACKNOWLEDGED_WITHIN_S = 10.0
"""A subscription that was not acknowledged within so many seconds is asked for again."""
MOST_TRIES = 3
"""A subscription is asked for at most so often in all, then it is left alone like one that was refused for now."""
AGAIN_AFTER_S = 60.0
"""What was refused in a way that may pass is asked for again so much later."""
IDLE_S = 60.0


class StreamSession(ABC):
    """A `ticker.source.Session`; a kind adds its messages. Times are monotonic seconds.

    A symbol is known here by its key: the id as the provider writes it in messages. `known` holds the newest tick of each key; it
    outlives the connection.
    """

    sends_per_s: ClassVar[float] = 10.0
    """How many messages a second the provider lets us send."""
    most_symbols: int | None = None
    """How many symbols it lets one connection carry, as far as is known; `None`: any number."""
    acknowledges: ClassVar[bool] = True

    def __init__(self, known: dict[str, Tick]) -> None:
        self.known = known
        self.silence: Silence | None = None
        self.leaving = False
        self.gaps = 0
        self.facts: Mapping[str, Any] = {}
        self.may_subscribe = True
        self.unsure: set[str] = set()
        """Keys of which more is wanted than the stream tells, so that they are asked for beside it."""
        self._wanted: dict[str, list[Subscription]] = {}  # by key
        self._asked: dict[str, str] = {}  # by key: the id it was asked for under
        self._left_out: set[str] = set()  # the keys that are too many
        self._waiting: dict[str, float] = {}  # by key: since when for an acknowledgement
        self._tries: dict[str, int] = {}
        self._put_off: dict[str, float | None] = {}  # by key: refused for now; when to ask again, as soon as that is known
        self._unsettled = True  # what is wanted may differ from what was asked for
        self._look_s = 0.0  # when to look for acknowledgements that are late
        self._outbox: deque[bytes] = deque()
        self._next_send_s = 0.0
        self._news: dict[str, Tick | FeedError] = {}

    @property
    def ready(self) -> bool:
        """Whether all that is wanted has been asked for, and acknowledged where it is."""
        return self.may_subscribe and not self._unsettled and not self._outbox and not self._waiting

    def want(self, subscriptions: Sequence[Subscription]) -> None:
        self._wanted = {}
        for subscription in subscriptions:
            self._wanted.setdefault(self.key(subscription.id), []).append(subscription)
        self._unsettled = True

    def due(self, now_s: float) -> tuple[list[bytes], Answer]:
        if self.may_subscribe and (self._unsettled or ((self._waiting or self._put_off) and now_s >= self._look_s)):
            self._settle(now_s)
        messages: list[bytes] = []
        while self._outbox and now_s >= self._next_send_s:
            self._next_send_s = max(now_s, self._next_send_s) + 1 / self.sends_per_s
            messages.append(self._outbox.popleft())
        news, self._news = self._news, {}
        return messages, news

    def next_due_s(self, now_s: float) -> float:
        if self._outbox:
            return self._next_send_s - now_s
        return self._look_s - now_s if self._waiting or self._put_off else IDLE_S

    def take_snapshot(self, answer: Answer) -> Answer:
        """What was asked for beside the stream. Of a symbol that the stream has priced, only what the stream does not say is new."""
        joined: dict[str, Tick | FeedError] = {}
        for key, subscriptions in self._wanted.items():
            live = self.known.get(key)
            for subscription in subscriptions:
                news = answer.get(subscription.symbol)
                if isinstance(news, Tick):
                    tick = self.joined(key, news, live)
                    joined[subscription.symbol], self.known[key] = tick, plain(tick)
                elif news is not None and live is None:
                    joined[subscription.symbol] = news
        return joined

    def ask_beside(self) -> Collection[str]:
        keys, self.unsure = self.unsure, set()
        return [subscription.symbol for key in keys for subscription in self._wanted.get(key, [])]

    @abstractmethod
    def receive(self, message: bytes, now_s: float) -> Answer:
        """What `message` says of prices. Raises `FeedError` where it makes no sense, `Ended` where it ends the connection."""

    @abstractmethod
    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        """The messages that ask for `ids`."""

    @abstractmethod
    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        """The messages that leave `ids`."""

    def key(self, id: str) -> str:
        """`id` as messages will have it."""
        return id

    def joined(self, key: str, snapshot: Tick, live: Tick | None) -> Tick:
        """`snapshot` of `key`, with the price of the stream where that is newer."""
        if live is None or live.quote_time is None or snapshot.quote_time is None or snapshot.quote_time >= live.quote_time:
            return snapshot
        return msgspec.structs.replace(traded(snapshot, live.price, live.quote_time), session=live.session or snapshot.session)

    def send(self, *messages: bytes) -> None:
        """Say `messages` in their turn."""
        self._outbox.extend(messages)

    def say(self, key: str, news: Tick | FeedError) -> Answer:
        """`news` of `key`, by our symbols; nothing where nobody wants it (any more)."""
        wanted = self._wanted.get(key)
        if wanted is None:
            return {}
        if isinstance(news, Tick):
            self.known[key] = plain(news)
        return {subscription.symbol: news for subscription in wanted}

    def acknowledged(self, keys: Iterable[object]) -> None:
        """The provider has taken note of these; what is no key is passed over."""
        for key in keys:
            if isinstance(key, str):
                self._waiting.pop(key, None)

    def refused(self, key: str, error: FeedError) -> Answer:
        """The provider does not give this one: for good, or for now where the error may pass."""
        self._waiting.pop(key, None)
        if error.retryable:
            self._put_off[key] = None
            self._unsettled = True
        return self.say(key, error)

    @property
    def unacknowledged(self) -> Collection[str]:
        """The keys that were asked for without an answer so far."""
        return self._waiting.keys()

    @property
    def asked(self) -> Collection[str]:
        """The keys that were asked for."""
        return self._asked.keys()

    def ask_again(self, keys: Collection[str]) -> None:
        """Ask for these anew, as if they never had been."""
        for key in keys:
            for memory in (self._asked, self._waiting, self._put_off):
                memory.pop(key, None)
        self._unsettled = True

    def carry(self, most: int) -> None:
        """One connection turns out to carry `most` symbols. Those that were asked for last are too many; they say so, and wait for room."""
        self.most_symbols = max(0, most)
        self.ask_again(list(self._asked)[self.most_symbols :])

    def _settle(self, now_s: float) -> None:
        """Leave what is no longer wanted, ask for what is and was not asked for, and once more for what nobody answered."""
        if gone := [key for key in self._asked if key not in self._wanted]:
            self.send(*self.unsubscribe([self._asked.pop(key) for key in gone]))
            for key in gone:
                for memory in (self._waiting, self._tries, self._put_off, self.known):
                    memory.pop(key, None)
        for key in [key for key, since_s in self._waiting.items() if now_s - since_s >= ACKNOWLEDGED_WITHIN_S]:
            self._tries[key] = self._tries.get(key, 1) + 1
            if self._tries[key] > MOST_TRIES:
                del self._tries[key]
                merge(self._news, self.refused(key, FeedError("the subscription was not acknowledged")))
            else:
                del self._asked[key]
        for key, again_s in list(self._put_off.items()):
            if again_s is None:
                self._put_off[key] = now_s + AGAIN_AFTER_S
            elif now_s >= again_s:
                del self._put_off[key]
                self._asked.pop(key, None)
        if new := [key for key in self._wanted if key not in self._asked]:
            self._ask(new, now_s)
        late_s = [since_s + ACKNOWLEDGED_WITHIN_S for since_s in self._waiting.values()]
        self._look_s = min([*late_s, *(again_s for again_s in self._put_off.values() if again_s is not None)], default=now_s)
        self._unsettled = False

    def _ask(self, keys: Sequence[str], now_s: float) -> None:
        room = len(keys) if self.most_symbols is None else max(0, self.most_symbols - len(self._asked))
        for key in set(keys[room:]) - self._left_out:
            merge(self._news, self.say(key, FeedError(f"one connection carries {self.most_symbols} symbols at most", retryable=False)))
        self._left_out = set(keys[room:])
        ids = [self._wanted[key][0].id for key in keys[:room]]
        self._asked |= zip(keys, ids, strict=False)
        if self.acknowledges:
            self._waiting |= dict.fromkeys(keys[:room], now_s)
        if ids:
            self.send(*self.subscribe(ids))


def is_older(tick: Tick, before: Tick | None) -> bool:
    """Whether the price of `tick` was made before the one of `before`, as far as is known."""
    return before is not None and tick.quote_time is not None and before.quote_time is not None and tick.quote_time < before.quote_time


def traded(tick: Tick, price: float, time_ms: int | None) -> Tick:
    """`tick` after a trade at `price`, made at `time_ms`: high and low hold it, and what changed since the close before is unsaid."""
    high = None if tick.high is None else max(tick.high, price)
    low = None if tick.low is None else min(tick.low, price)
    return msgspec.structs.replace(tick, price=price, quote_time=time_ms, high=high, low=low, change=None, change_pct=None)
