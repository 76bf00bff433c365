"""An hour of random faults on six feeds of fifty symbols each, in virtual time: real pollers, gates and board, made-up providers.

Whatever happens, no provider's limit is exceeded in any window, nobody is asked who asked to be left alone, nothing stops for ever, and
a feed that is well again is back within its back-off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

import pytest

from tests.providers.counted import Counted
from tests.ticker.stepped import subscriptions
from tests.ticker.streaming.virtual import VirtualSchedule, VirtualTime
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.errors import FeedError
from ticker.feed_state import CAP_S, JITTER_OF_RETRY_AFTER
from ticker.polling.bad_symbols import RETRY_S
from ticker.polling.poller import Poller
from ticker.quote import Kind, Quote, Tick, VolumeOf
from ticker.rate_limit import Accounts, Cost, Demand, Gate, Rate
from ticker.settings.model import FeedSettings, SymbolSettings
from ticker.source import Answer, Subscription, Unread

HOUR_S = 3600.0
TIMEOUT_S = 5.0
LONGEST_RETRY_AFTER_S = 120.0
FAULTS = ("silence", "frozen", "slow", "dead", "error", "refused", "banned", "crash", "nonsense", "rejects", "past", "flaky")


class Provider:
    """One account's server: its limits, what ails it at the moment, and whether anybody came who should not have."""

    def __init__(self, time: VirtualTime, random: Random, rates: Sequence[Rate]) -> None:
        self.time = time
        self.random = random
        self.rates = list(rates)
        self.counted = Counted({f"{rate.unit}_per_{rate.window}": rate.most for rate in rates}, time.monotonic)
        self.ailment = ""
        self.cured = False
        self.refused_at_s = self.leave_alone_until_s = 0.0
        self.intrusions: list[float] = []

    def arrive(self, cost: Cost, began_s: float) -> None:
        """A call has come that began then."""
        self.counted.count(cost)
        if self.refused_at_s < began_s and self.time.passed_s < self.leave_alone_until_s:
            self.intrusions.append(self.time.passed_s)

    def refuse(self, wait_s: float) -> FeedError:
        """Ask to be left alone."""
        self.refused_at_s, self.leave_alone_until_s = self.time.passed_s, self.time.passed_s + wait_s
        return FeedError("HTTP 429", retry_after_s=wait_s)

    def live(self) -> None:
        """Well and ill in turn, until it is cured."""
        while not self.cured:
            self.time.sleep(self.random.uniform(20, 240))
            self.fall_ill()
            self.time.sleep(self.random.uniform(3, 200))
            self.ailment = ""

    def fall_ill(self) -> None:
        """In some way, unless it is cured."""
        self.ailment = "" if self.cured else self.random.choice(FAULTS)

    def cure(self) -> None:
        """Be well from now on."""
        self.cured, self.ailment = True, ""


class Feed:
    """A feed as the poller sees one; its wire is a `Provider`, reached through a gate like any feed's."""

    kind = "made_up"
    quote_kind: Kind = "polled"
    again_in_s: float | None = None
    cadence_s = 0.0
    volume_of: VolumeOf = "24h"
    unread: Unread | None = None

    def __init__(self, name: str, provider: Provider, interval_s: float, batch_size: int | None, weight: Callable[[int], Cost]) -> None:
        self.name = name
        self.provider = provider
        self.settings = FeedSettings(kind="made_up", interval_s=interval_s)
        self.batch_size = batch_size
        self.cost = weight
        self.gate = Gate(id(provider), provider.rates, provider.time, provider.time.monotonic)
        self.frozen: dict[str, Tick] = {}
        self.answered_s: dict[str, float] = {}  # when each symbol was priced last
        self.first_s: dict[str, float] = {}  # and first, since `cured`

    def demand(self, symbols: int, interval_s: float) -> Demand:
        """What the calls of a round cost, with a tenth to spare."""
        size = self.batch_size or symbols
        spent: dict[str, float] = {}
        for first in range(0, symbols, size):
            for unit, amount in self.cost(min(size, symbols - first)).items():
                spent[unit] = spent.get(unit, 0.0) + amount / interval_s / 0.9
        return spent

    def native_id(self, symbol: str) -> str:
        """As it is."""
        return symbol

    def close(self) -> None:
        """Nothing to give back."""

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """A call: it takes its time on the way there and back."""
        time, random, provider = self.provider.time, self.provider.random, self.provider
        cost = self.cost(len(batch))
        with self.gate.passing(cost, time.passed_s + TIMEOUT_S / 2):
            began_s = time.passed_s
            time.sleep(random.uniform(0.0, 0.1))
            provider.arrive(cost, began_s)
            time.sleep(random.uniform(0.0, 0.1))
            return self._answer(batch, provider.ailment)

    def _answer(self, batch: Sequence[Subscription], ailment: str) -> Answer:
        time, random, provider = self.provider.time, self.provider.random, self.provider
        if ailment == "slow":
            time.sleep(random.uniform(0.5, 4.0))
        elif ailment == "dead":
            time.sleep(TIMEOUT_S)
            raise FeedError("no full answer within 5 s")
        elif ailment == "error" or (ailment == "flaky" and random.random() < 0.3):
            raise FeedError("HTTP 502", retryable=random.random() < 0.8)
        elif ailment == "refused":
            raise provider.refuse(random.uniform(1, LONGEST_RETRY_AFTER_S))
        elif ailment == "banned":
            raise provider.refuse(LONGEST_RETRY_AFTER_S)
        elif ailment == "crash":
            raise KeyError("price")
        elif ailment == "nonsense":
            return {one.symbol: FeedError("price: not a number") for one in batch if random.random() < 0.5}
        elif ailment == "rejects" and any(one.symbol[-1] == "7" for one in batch):
            raise FeedError("unknown symbol", retryable=False, rejects_symbol=True)
        return {one.symbol: self._tick(one.symbol, ailment) for one in batch if ailment != "silence" or random.random() < 0.5}

    def _tick(self, symbol: str, ailment: str) -> Tick:
        time = self.provider.time
        self.answered_s[symbol] = time.passed_s
        if self.provider.cured:
            self.first_s.setdefault(symbol, time.passed_s)
        made_ms = time.now_ms() - (self.provider.random.randrange(60_000) if ailment == "past" else 0)
        tick = Tick(price=100 + self.provider.random.randrange(1000) / 100, quote_time=made_ms)
        if ailment == "frozen":
            return self.frozen.setdefault(symbol, tick)
        self.frozen[symbol] = tick
        return tick


class Hour:
    """Six feeds, two of them with one account; a scheduler of virtual time; everything the board publishes."""

    def __init__(self, seed: int) -> None:
        self.time = VirtualTime()
        self.random = Random(seed)
        self.board = Board("epoch")
        self.published: dict[str, Quote] = {}
        self.pollers: dict[str, Poller] = {}
        self.feeds: dict[str, Feed] = {}
        self.schedule = VirtualSchedule(self.time)
        self.quiet = False  # nobody starts or stops to watch any more
        call, weight = (lambda symbols: {"calls": 1}), (lambda symbols: {"weight": 2 if symbols <= 20 else 40})
        one_by_one, shared, weighed, strict, poor = (self.provider(*rates) for rates in (
            (Rate("calls", 10, "s"),), (Rate("calls", 10, "s"), Rate("calls", 300, "min")), (Rate("weight", 120, "min"),),
            (Rate("calls", 1, "s"),), (Rate("credits", 60, "min"), Rate("credits", 20_000, "day"))))  # fmt: skip
        self.add("single", one_by_one, 2.0, 1, call)
        self.add("left", shared, 2.0, 10, call)
        self.add("right", shared, 3.0, 1, call)
        self.add("weighed", weighed, 2.0, 20, weight)
        self.add("whole", strict, 2.0, None, call)
        self.add("poor", poor, 15.0, 50, lambda symbols: {"credits": symbols})
        Accounts().share({name: feed.gate for name, feed in self.feeds.items()})
        symbols = {symbol: SymbolSettings(feed=(name,)) for name in self.feeds for symbol in self.symbols(name)}
        terms = {name: FeedTerms("polled", feed.settings.interval_s) for name, feed in self.feeds.items()}
        self.board.configure(symbols, terms, self.time.now_ms())
        for name, poller in self.pollers.items():
            poller.want(subscriptions(*self.symbols(name)))
            poller.start()
        self.time.spawn(self.sweep)
        for provider in self.providers():
            self.time.spawn(provider.live)

    def provider(self, *rates: Rate) -> Provider:
        """One that falls ill from time to time."""
        return Provider(self.time, Random(self.random.random()), rates)

    def symbols(self, feed: str) -> list[str]:
        """Fifty names."""
        return [f"{feed}{number}" for number in range(50)]

    def add(self, name: str, provider: Provider, interval_s: float, batch_size: int | None, cost: Callable[[int], Cost]) -> None:
        """A feed, and its poller."""
        feed = self.feeds[name] = Feed(name, provider, interval_s, batch_size, cost)
        poller = self.pollers[name] = Poller(
            feed,
            interval_s,
            self.time,
            self.time,
            self.schedule,
            random=Random(self.random.random()),
            deliver=partial(self.deliver, name),
            changed=partial(self.changed, name),
            paced=partial(self.paced, name),
        )
        # A poll of a few symbols may meet a round: the lock must wait in virtual time too.
        poller._rounds._source._one_call = VirtualLock(self.time)  # type: ignore[assignment]

    def sweep(self) -> None:
        """Four times a second, as the core does; now and then somebody starts or stops to watch."""
        while True:
            self.time.sleep(0.25)
            self.publish(self.board.sweep(self.time.now_ms()))
            if not self.quiet and self.random.random() < 0.01:
                name = self.random.choice(list(self.pollers))
                unwatched = [symbol for symbol in self.symbols(name) if self.random.random() < 0.5]
                faster = self.pollers[name].slow(dict.fromkeys(unwatched, 10 * self.feeds[name].settings.interval_s))
                self.pollers[name].hurry(faster)

    def deliver(self, name: str, answer: Answer) -> None:
        """To the board."""
        self.publish(self.board.apply(name, answer, self.time.now_ms()))

    def changed(self, name: str) -> None:
        """Up or down."""
        self.publish(self.board.set_feed_down(name, self.pollers[name].feed_state.state == "down", self.time.now_ms()))

    def paced(self, name: str) -> None:
        """Silence is measured anew."""
        intervals_s = self.pollers[name].intervals_s(strict=lambda symbol: False)
        self.publish(self.board.set_intervals(name, intervals_s, self.time.now_ms()))

    def publish(self, quotes: Sequence[Quote]) -> None:
        """Hold each update against the one before."""
        for quote in quotes:
            last = self.published.get(quote.symbol)
            assert quote.seq == (last.seq + 1 if last else 1)
            if last is not None and quote.quote_time is not None and last.quote_time is not None:
                assert quote.quote_time >= last.quote_time, f"{quote.symbol} went back in time"
            self.published[quote.symbol] = quote

    def providers(self) -> dict[Provider, None]:
        """Each once."""
        return dict.fromkeys(feed.provider for feed in self.feeds.values())


class VirtualLock:
    """A lock whose waiters sleep in virtual time."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self._held = False

    def __enter__(self) -> None:
        while self._held:
            self._time.sleep(0.01)
        self._held = True

    def __exit__(self, *_: Any) -> None:
        self._held = False


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_an_hour_of_faults(seed: int) -> None:
    """And the ten minutes of health after it."""
    hour = Hour(seed)
    hour.time.run_s(HOUR_S)
    hour.quiet = True
    for provider in hour.providers():
        provider.cure()
    for poller in hour.pollers.values():
        poller.slow({})
    cured_s = hour.time.passed_s
    hour.time.run_s(RETRY_S + CAP_S)

    for provider in hour.providers():
        assert provider.intrusions == []
        for limit, counted in provider.counted.shown().items():
            assert counted["total"] > 0
            assert counted["most"] <= counted["limit"], limit
    for name, feed in hour.feeds.items():
        poller = hour.pollers[name]
        back_s = min(feed.first_s.values()) - cured_s
        assert back_s <= max(CAP_S, poller.planned_s) + LONGEST_RETRY_AFTER_S * (1 + JITTER_OF_RETRY_AFTER), name
        assert feed.answered_s.keys() == set(hour.symbols(name))
        late = {symbol for symbol, answered_s in feed.answered_s.items() if answered_s < hour.time.passed_s - 3 * poller.planned_s}
        assert late == set(), name
        assert poller.feed_state.state == "ok"
    assert {quote.state for quote in hour.published.values()} == {"fresh"}
    assert hour.published.keys() == {symbol for name in hour.feeds for symbol in hour.symbols(name)}
