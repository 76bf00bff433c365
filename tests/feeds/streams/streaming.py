"""A stream of the real thing on its provider's server, in a time that a test may push on: for what takes minutes or a day."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import msgspec
from pydantic import SecretStr

from feeds.streams.feed import StreamFeed
from tests.feeds.support import CANARY, answers_or_complains, subscribe
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.source import Answer, Link, Session, Subscription
from ticker.streaming.streamer import Streamer

PATIENCE_S = 20.0
"""How long to wait for what must come. Machines may be busy."""


class PushedClock:
    """The machine's clocks, and what they were pushed on by."""

    def __init__(self) -> None:
        self.pushed_s = 0.0

    def now_ms(self) -> int:
        """Epoch ms."""
        return int((time.time() + self.pushed_s) * 1000)

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic() + self.pushed_s


class Tap:
    """A connection, and what passes through it."""

    def __init__(self, link: Link, opened_s: float) -> None:
        self.opened_s = opened_s
        self.looks = 0
        self.messages: list[bytes] = []
        self.pings = 0
        self.signs = 0  # whatever came, messages or not
        self.closed = False
        self._link = link

    def send(self, message: bytes) -> None:
        """Pass it on."""
        self._link.send(message)

    def receive(self, timeout_s: float) -> list[bytes] | None:
        """Pass it on."""
        received = self._link.receive(min(timeout_s, 0.01))
        self.looks += 1
        if received is not None:
            self.signs += 1
            self.messages += received
        return received

    def ping(self) -> None:
        """Pass it on."""
        self.pings += 1
        self._link.ping()

    def leave(self) -> None:
        """Pass it on."""
        self._link.leave()

    def close(self) -> None:
        """Pass it on."""
        self.closed = True
        self._link.close()


class Bench:
    """A feed, its streamer, and all that was delivered and told."""

    def __init__(self, kind: type[StreamFeed], provider: RunningProvider, runtime: Runtime, **keys: Any) -> None:
        self.clock = PushedClock()
        self.provider = provider
        self.runtime = runtime
        self.kind = kind
        secrets = {name: SecretStr(CANARY) for name in kind.Settings.secrets}
        given = {"kind": kind.kind, "base_url": provider.url.replace("http", "ws", 1), **secrets, **keys}
        self.feed = kind("of_mine", kind.Settings.model_validate(given), runtime)
        self.taps: list[Tap] = []
        self.tries_s: list[float] = []
        self.delivered: list[Answer] = []
        self.told: list[tuple[str, str | None]] = []
        self._open = self.feed.open
        self.feed.open = self._tapped  # type: ignore[method-assign] # to look on
        self.streamer = Streamer(
            self.feed,
            runtime,
            self.clock,
            "here",
            deliver=self.delivered.append,
            changed=self._changed,
            anew=lambda: None,
            random=Random(1),
        )

    def want(self, *symbols: str) -> None:
        """Stream these, and nothing else."""
        self.streamer.want(subscribe(self.kind, *symbols))
        self.runtime.spawn(self.streamer.run)

    def until(self, condition: Callable[[], Any], push_s: float = 0.0) -> None:
        """Let all run until `condition` holds; the clock is pushed on by `push_s` at each look."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, (self.told, self.delivered[-3:], self.provider.streams())
            self.clock.pushed_s += push_s
            self.runtime.sleep(0.01)

    def start(self, *symbols: str) -> None:
        """Stream these until each has a price."""
        self.want(*symbols)
        self.until(lambda: self.prices().keys() >= set(symbols))

    def pass_s(self, seconds: float, step_s: float = 1.0) -> None:
        """Push the clock on in steps, each long enough for what came in it to be read."""
        for _ in range(round(seconds / step_s)):
            self.clock.pushed_s += step_s
            for _ in range(2):
                looks = self.taps[-1].looks
                self.until(lambda looks=looks: self.taps[-1].looks > looks or self.taps[-1].closed)  # type: ignore[misc]

    def stop(self) -> None:
        """End it, and wait until all is closed."""
        self.streamer.stop()
        self.until(lambda: all(tap.closed for tap in self.taps))

    def prices(self) -> dict[str, float]:
        """The newest of each symbol."""
        return {symbol: news.price for answer in self.delivered for symbol, news in answer.items() if isinstance(news, Tick)}

    def ticks(self, symbol: str) -> list[Tick]:
        """All of a symbol."""
        return [answer[symbol] for answer in self.delivered if isinstance(answer.get(symbol), Tick)]  # type: ignore[misc]

    def errors(self) -> dict[str, FeedError]:
        """The newest of each symbol that has no price since."""
        newest: dict[str, Tick | FeedError] = {symbol: news for answer in self.delivered for symbol, news in answer.items()}
        return {symbol: news for symbol, news in newest.items() if isinstance(news, FeedError)}

    def state(self) -> Mapping[str, Any]:
        """As the wire shows it."""
        told: dict[str, Any] = msgspec.to_builtins(self.streamer.wire_state())
        return told

    def asked(self) -> list[set[str]]:
        """What each open connection was asked for, as the provider sees it."""
        return [set(one["asked"]) for one in self.provider.streams(open_only=True)]

    def pauses_s(self) -> list[float]:
        """How far apart the connections were tried."""
        return [after - before for before, after in zip(self.tries_s, self.tries_s[1:], strict=False)]

    def _changed(self) -> None:
        state = self.streamer.wire_state()
        self.told.append((state.state, state.error))

    def _tapped(self, subscriptions: Sequence[Subscription]) -> Link:
        self.tries_s.append(self.clock.monotonic())
        tap = Tap(self._open(subscriptions), self.clock.monotonic())
        self.taps.append(tap)
        return tap


def said(session: Session, *messages: object, now_s: float = 1.0) -> Answer:
    """What `session` makes of messages, the last word of each symbol; a `bytes` stands as it is, anything else is JSON."""
    answer: dict[str, Tick | FeedError] = {}
    for message in messages:
        answer |= session.receive(message if isinstance(message, bytes) else msgspec.json.encode(message), now_s)
    return answer


def sent(session: Session, now_s: float = 0.0) -> list[Any]:
    """What `session` has to say by `now_s`, decoded."""
    return [msgspec.json.decode(message) for message in session.due(now_s)[0]]


def survives(session: Session, message: bytes, asked: set[str]) -> None:
    """Whatever comes is ticks and errors of what was asked for, or a `FeedError`; and the session goes on."""
    answers_or_complains(lambda: session.receive(message, 1.0), asked)
    session.due(2.0)
    assert session.next_due_s(2.0) <= 60
    assert session.gaps >= 0
