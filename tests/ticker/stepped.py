"""Time that passes only when told to, and a source that answers what the test says: the edges of the core, in the hands of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ticker.errors import FeedError
from ticker.quote import Kind, Tick, VolumeOf
from ticker.rate_limit import CALL, Cost, Demand, Gate
from ticker.runtime import DeadlineExceeded
from ticker.settings.model import FeedSettings, SymbolOptions
from ticker.source import Answer, Subscription, Unread

START_MS = 1_700_000_000_000


class SteppedTime:
    """Clock and runtime in one: sleeping is what makes time pass. Tasks wait in `spawned` until `run_spawned`."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self.wall_offset_ms = START_MS
        self.spawned: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.slept_s: list[float] = []

    def now_ms(self) -> int:
        """Epoch ms."""
        return self.wall_offset_ms + round(self.passed_s * 1000)

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self.passed_s

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.passed_s += seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass, and remember how much."""
        assert seconds >= 0
        self.slept_s.append(seconds)
        self.pass_s(seconds)

    def spawn(self, work: Callable[..., Any], *args: Any) -> Dropped:
        """Keep `work` for `run_spawned`."""
        self.spawned.append((work, args))
        return Dropped()

    def run_spawned(self) -> None:
        """Run what was spawned so far."""
        ready, self.spawned = self.spawned, []
        for work, args in ready:
            work(*args)

    def aside(self, what: str) -> AtOnce:
        """What is done beside is done at once."""
        return AtOnce()

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Raise `DeadlineExceeded` after the block, if more than `seconds` passed in it."""
        until_s = self.passed_s + seconds
        yield
        if self.passed_s > until_s:
            self.passed_s = until_s
            raise DeadlineExceeded(f"took longer than {seconds:g} s")


class SteppedSchedule:
    """In place of the scheduler: remembers when a feed asked for its next runs, and at which intervals it was to be run."""

    def __init__(self) -> None:
        self.retries: list[float] = []
        self.intervals_s: list[float | None] = []

    def every(self, name: str, interval_s: float, work: Callable[[], None]) -> None:
        """Remember the interval."""
        self.intervals_s.append(interval_s)

    def pace(self, name: str, interval_s: float) -> None:
        """Remember the interval."""
        self.intervals_s.append(interval_s)

    def run_in(self, name: str, delay_s: float) -> None:
        """Remember the delay."""
        self.retries.append(delay_s)

    def remove(self, name: str) -> None:
        """Remember that there is none."""
        self.intervals_s.append(None)


class Dropped:
    """A task nobody will ask about again."""

    def kill(self) -> None:
        """Nothing to stop."""


class AtOnce:
    """In place of a thread beside the loop."""

    def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """Do it."""
        return work(*args)

    def close(self) -> None:
        """Nothing to stop."""


class ScriptedSource:
    """A source whose `answer` is a function of the batch, to be replaced at will. Remembers the batches it was asked for."""

    kind = "scripted"
    quote_kind: Kind = "polled"

    def __init__(self, name: str = "feed", settings: FeedSettings | None = None, batch_size: int | None = None) -> None:
        self.name = name
        self.settings = settings or FeedSettings(kind="scripted")
        self.batch_size = batch_size
        self.gate: Gate | None = None
        self.again_in_s: float | None = None
        self.cadence_s = 0.0
        self.volume_of: VolumeOf = "24h"
        self.unread: Unread | None = None
        self.batches: list[list[str]] = []
        self.closed = False
        self.answer: Callable[[Sequence[Subscription]], Answer] = self.prices

    def prices(self, batch: Sequence[Subscription]) -> Answer:
        """A price for each symbol, 100 and the number of the poll."""
        return {subscription.symbol: Tick(price=100.0 + len(self.batches)) for subscription in batch}

    def rejects(self, *unknown: str) -> None:
        """From now on refuse every call that has one of these, without naming it."""

        def answer(batch: Sequence[Subscription]) -> Answer:
            if any(subscription.symbol in unknown for subscription in batch):
                raise FeedError("unknown symbol", retryable=False, rejects_symbol=True)
            return self.prices(batch)

        self.answer = answer

    def cost(self, symbols: int) -> Cost:
        """One call."""
        return CALL

    def demand(self, symbols: int, interval_s: float) -> Demand:
        """One call a batch."""
        return {"calls": -(-symbols // (self.batch_size or max(1, symbols))) / interval_s}

    def native_id(self, symbol: str) -> str:
        """The symbol in lower case."""
        return symbol.lower()

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """What the script says."""
        self.batches.append([subscription.symbol for subscription in batch])
        return self.answer(batch)

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def subscriptions(*symbols: str) -> list[Subscription]:
    """Subscriptions with the symbol in lower case as id."""
    return [Subscription(symbol, symbol.lower(), SymbolOptions()) for symbol in symbols]
