"""A poller on a bench, in stepped time."""

from collections.abc import Sequence
from random import Random

from tests.ticker.stepped import ScriptedSource, SteppedSchedule, SteppedTime, subscriptions
from ticker.errors import FeedError
from ticker.polling.poller import Poller
from ticker.quote import Tick
from ticker.settings.model import FeedSettings
from ticker.source import Answer, Subscription


class Bench:
    """A poller on a scripted source, and everything it says."""

    def __init__(self, *symbols: str, interval_s: float = 2.0, batch_size: int | None = None, settings: FeedSettings | None = None) -> None:
        self.time = SteppedTime()
        self.source = ScriptedSource("feed", settings, batch_size)
        self.delivered: list[dict[str, Tick | FeedError]] = []
        self.states: list[tuple[str, str | None]] = []
        self.schedule = SteppedSchedule()
        self.retries = self.schedule.retries
        self.poller = Poller(
            self.source,
            interval_s,
            self.time,
            self.time,
            self.schedule,
            random=Random(1),
            deliver=self.deliver,
            changed=lambda: self.states.append((self.poller.feed_state.state, self.poller.feed_state.error)),
        )
        self.poller.want(subscriptions(*symbols))

    def deliver(self, answer: Answer) -> None:
        """Take in an answer, as strictly as the board would if it looked."""
        assert all(isinstance(news, Tick | FeedError) for news in answer.values())
        self.delivered.append(dict(answer))

    def run(self) -> list[list[str]]:
        """One poll, when the scheduler would start it; returns what was asked."""
        self.time.pass_s(max(0.0, self.retries[-1] if self.retries else self.poller.interval_s))
        self.retries.clear()
        return self.run_now()

    def run_now(self) -> list[list[str]]:
        """One poll right now; returns what was asked."""
        before = len(self.source.batches)
        self.poller.run()
        return self.source.batches[before:]

    def prices(self) -> set[str]:
        """Who got a price since last asked."""
        found = {symbol for answer in self.delivered for symbol, news in answer.items() if isinstance(news, Tick)}
        self.delivered.clear()
        return found

    def names_bad_symbols(self, *unknown: str) -> None:
        """Let the provider say in its answer which of these it does not know."""

        def answer(batch: Sequence[Subscription]) -> Answer:
            rejections = {one.symbol: FeedError("unknown symbol", rejects_symbol=True) for one in batch if one.symbol in unknown}
            return {**self.source.prices(batch), **rejections}

        self.source.answer = answer

    def fails(self, error: Exception, *symbols: str) -> None:
        """Let the provider fail every call, or those with one of these symbols."""

        def answer(batch: Sequence[Subscription]) -> Answer:
            if not symbols or any(subscription.symbol in symbols for subscription in batch):
                raise error
            return self.source.prices(batch)

        self.source.answer = answer


def names(count: int) -> list[str]:
    """That many symbols."""
    return [f"S{number}" for number in range(count)]
