"""Of the feeds and the symbols: how polls go, what is left of limits, how old prices are and in which state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import get_args

from msgspec import UNSET
from prometheus_client import Metric
from prometheus_client.registry import Collector

from ticker import wire
from ticker.board.quality import Standing
from ticker.clock import Clock
from ticker.core import Core
from ticker.quote import State
from web.metrics.families import counter, counters, gauge, gauges, histograms, long_gauges

SYMBOL_STATES = (*get_args(State), "pending", "rejected")
STATE_NUMBERS = {state: number for number, state in enumerate(SYMBOL_STATES)}
"""A symbol's state as one number: one series a symbol, not six."""


class FeedsCollector(Collector):
    """Reads what the feeds' pollers count."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def collect(self) -> Iterator[Metric]:
        """All families, by feed."""
        feed_counters, told = self._core.feed_counters, self._core.feeds_status()
        yield counters(
            "feed_polls",
            "Calls to the provider; limited: it said that we ask too often.",
            ["feed", "outcome"],
            [([feed, outcome], count) for feed, meter in feed_counters.items() for outcome, count in meter.polls.items()],
        )
        yield histograms(
            "feed_poll_seconds",
            "How long calls to the provider took.",
            ["feed"],
            [([feed], meter.latency_s) for feed, meter in feed_counters.items() if meter.latency_s.count],
        )
        yield counters(
            "feed_updates", "Updates that the board accepted.", ["feed"], [([feed], meter.updates) for feed, meter in feed_counters.items()]
        )
        yield gauges(
            "feed_state",
            "1 for the state that the feed is in.",
            ["feed", "state"],
            [([feed.feed, state], feed.state == state) for feed in told for state in get_args(wire.FeedCondition)],
        )
        yield gauges(
            "feed_last_success_timestamp_seconds",
            "When the feed last answered.",
            ["feed"],
            [([feed.feed], feed.last_success / 1000) for feed in told if feed.last_success is not None],
        )
        yield from self._budgets(told)
        yield from self._streams([feed for feed in told if feed.reconnects is not UNSET])

    def _budgets(self, told: list[wire.Feed]) -> Iterator[Metric]:
        limits = [([feed.feed, limit.unit, limit.per], limit) for feed in told for limit in feed.budget or ()]
        labels = ["feed", "unit", "per"]
        yield gauges(
            "feed_budget_limit", "What the provider's limits allow in a window.", labels, [(of, limit.most) for of, limit in limits]
        )
        yield gauges("feed_budget_left", "What is left of it.", labels, [(of, limit.left) for of, limit in limits])

    def _streams(self, streams: list[wire.Feed]) -> Iterator[Metric]:
        yield counters(
            "feed_stream_messages",
            "Messages that the stream brought.",
            ["feed"],
            [([feed.feed], self._core.feed_counters[feed.feed].messages) for feed in streams],
        )
        for key, meaning in (
            ("reconnects", "Connections of the stream after its first."),
            ("gaps", "Messages that were missing."),
            ("folded", "Messages that a newer one replaced before the board took them."),
        ):
            yield counters(f"feed_stream_{key}", meaning, ["feed"], [([feed.feed], getattr(feed, key)) for feed in streams])


class SymbolsCollector(Collector):
    """Reads the board. `most`: so many symbols have series of their own, the first of the settings; all of them are counted."""

    def __init__(self, core: Core, clock: Clock, most: Callable[[], int], breathe: Callable[[], None]) -> None:
        self._core = core
        self._clock = clock
        self._most = most
        self._breathe = breathe

    def collect(self) -> Iterator[Metric]:
        """All families."""
        standings = self._core.board.standings(self._clock.now_ms())
        states = Counter(one.state for one in standings)
        yield gauges(
            "symbols",
            "Symbols of the settings, by the state of their price.",
            ["state"],
            [([state], states[state]) for state in SYMBOL_STATES],
        )
        yield gauge(
            "oldest_fresh_price_seconds",
            "Of the prices called fresh, how long ago the oldest was surely the newest there was.",
            max((one.age_s for one in standings if one.state == "fresh" and one.age_s is not None), default=0.0),
        )
        incidents = self._core.board.incidents()
        yield counter("bad_ticks", "Ticks that were not believed.", incidents["bad_ticks"])
        yield counter("odd_fields", "Fields of answers that could not be read or meant, and so are unknown.", incidents["odd_fields"])
        yield counter("source_switches", "Symbols that went from one source to another.", incidents["switches"])
        yield gauge("divergences", "Pairs of sources that disagree about a symbol now.", incidents["divergences"])
        yield from self._each(standings[: self._most()])

    def _each(self, standings: list[Standing]) -> Iterator[Metric]:
        meanings = ", ".join(f"{number} {state}" for state, number in STATE_NUMBERS.items())
        yield long_gauges(
            "symbol_state",
            f"The state of the symbol's price: {meanings}.",
            "symbol",
            {one.symbol: STATE_NUMBERS[one.state] for one in standings},
            self._breathe,
        )
        yield long_gauges(
            "symbol_age_seconds",
            "How long ago the symbol's price was surely the newest there was.",
            "symbol",
            {one.symbol: one.age_s for one in standings if one.age_s is not None},
            self._breathe,
        )
