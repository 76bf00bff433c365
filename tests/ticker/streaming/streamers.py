"""A streamer on a bench, in stepped time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.ticker.stepped import ScriptedSource, subscriptions
from tests.ticker.streaming.virtual import ScriptedStream, VirtualTime
from ticker.quote import Tick
from ticker.source import Answer
from ticker.streaming.streamer import Streamer


class Bench:
    """A streamer, its source, and all that it delivered and told."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.source = ScriptedStream(self.time)
        self.delivered: list[Answer] = []
        self.told: list[tuple[str, str | None]] = []
        self.anew = 0
        self.slow_s = 0.0
        self.streamer = self.make()

    def make(self) -> Streamer:
        """A streamer of the source as it is."""
        return Streamer(
            self.source, self.time, self.time, "here", deliver=self.deliver, changed=self.changed, anew=self.begin_anew, random=Random(1)
        )

    def ask_beside(self, batch_size: int | None = None) -> ScriptedSource:
        """Let the source have somebody to ask for prices beside the stream."""
        self.source.snapshots = ScriptedSource(batch_size=batch_size)
        self.streamer = self.make()
        return self.source.snapshots

    def deliver(self, answer: Answer) -> None:
        """Take what came, in `slow_s` seconds."""
        self.delivered.append(answer)
        if self.slow_s:
            self.time.sleep(self.slow_s)

    def changed(self) -> None:
        """Remember the state that is told."""
        self.told.append((self.streamer.feed_state.state, self.error()))

    def begin_anew(self) -> None:
        """Count it."""
        self.anew += 1

    def start(self, *symbols: str) -> None:
        """Want symbols, and let the stream run for a moment."""
        self.streamer.want(subscriptions(*symbols))
        self.time.spawn(self.streamer.run)
        self.time.run_s(0.01)

    def state(self) -> str:
        """As it is told."""
        return self.streamer.feed_state.state

    def error(self) -> str | None:
        """As it is told."""
        error: str | None = self.streamer.wire_state().error
        return error

    def closed(self) -> list[bool]:
        """Which of the connections made so far are closed."""
        return [link.closed for link in self.source.links]

    def prices(self) -> list[float]:
        """Of everything delivered."""
        return [news.price for answer in self.delivered for news in answer.values() if isinstance(news, Tick)]


@contextmanager
def streamer() -> Iterator[Bench]:
    """One that is stopped in the end, and then has no connection left."""
    bench = Bench()
    yield bench
    bench.streamer.stop()
    bench.time.run_s(60)
    assert all(bench.closed())
