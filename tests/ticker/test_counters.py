"""Counting: values by how large they are, and calls to a provider by how they went."""

from __future__ import annotations

import pytest

from tests.ticker.stepped import ScriptedSource, SteppedTime
from ticker.counters import FeedCounters, Histogram
from ticker.errors import BudgetSpent, FeedError
from ticker.feed_log import FeedLog
from ticker.polling.guarded_source import GuardedSource
from ticker.quote import Tick
from ticker.settings.model import FeedSettings, SymbolOptions
from ticker.source import Answer, Subscription

A = Subscription("A", "a", SymbolOptions())


def test_a_value_counts_up_to_its_bound_and_there_too() -> None:
    """A bound is the largest value of its bucket; what is larger than all stands in the last number only."""
    histogram = Histogram([1.0, 2.0])
    for value in (0.0, 1.0, 1.5, 2.0, 99.0):
        histogram.observe(value)
    assert (histogram.cumulative(), histogram.count, histogram.sum) == ([2, 4, 5], 5, 103.5)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "answered"),
        (FeedError("no"), "failed"),
        (FeedError("HTTP 503", status=503, retry_after_s=5.0), "failed"),
        (FeedError("HTTP 429", status=429, retry_after_s=5.0), "limited"),
        (FeedError("HTTP 418 Banned", status=418), "limited"),
        (FeedError("too many requests, says the body", retry_after_s=5.0), "limited"),
    ],
)
def test_calls_are_counted_by_their_outcome(error: FeedError | None, outcome: str) -> None:
    """A 503 that says when to come back is a failure; a body that says so in a 200 is a limit."""
    counters = FeedCounters()
    counters.polled(0.2, error)
    assert {name: count for name, count in counters.polls.items() if count} == {outcome: 1}
    assert (counters.latency_s.count, counters.latency_s.sum) == (1, 0.2)


def test_a_guarded_counts_what_it_asked() -> None:
    """Each call with its time, a bug of the feed's as a failure, and a call that was not made not at all."""
    time, source, counters = SteppedTime(), ScriptedSource("feed", FeedSettings(kind="scripted")), FeedCounters()
    guarded = GuardedSource(source, time, time, FeedLog("feed"), counters)
    outcomes: list[Answer | Exception] = [{"A": Tick(price=1.0)}, FeedError("no", status=429), BudgetSpent(9.0), KeyError("a bug")]

    def answer(batch: object) -> Answer:
        time.pass_s(0.5)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    source.answer = answer
    assert guarded.ask([A]) == {"A": Tick(price=1.0)}
    for _ in range(3):
        with pytest.raises(FeedError):
            guarded.ask([A])
    assert counters.polls == {"answered": 1, "failed": 1, "limited": 1}
    assert (counters.latency_s.count, counters.latency_s.sum) == (3, 1.5)


def test_an_error_that_is_kept_keeps_nothing_else() -> None:
    """Neither the frames in which it was raised, where a whole answer lies, nor what it was raised from: not of the call, not of a row."""
    time, source = SteppedTime(), ScriptedSource("feed", FeedSettings(kind="scripted"))
    guarded = GuardedSource(source, time, time, FeedLog("feed"), FeedCounters())

    def fail(batch: object) -> Answer:
        body = b"a whole answer"
        try:
            raise ValueError(body)
        except ValueError as error:
            raise FeedError("no") from error

    def answer(batch: object) -> Answer:
        try:
            return fail(batch)
        except FeedError as error:
            return {"A": error}

    source.answer = answer
    of_row = guarded.ask([A])["A"]
    assert isinstance(of_row, FeedError)
    assert (of_row.__traceback__, of_row.__context__, of_row.__cause__) == (None, None, None)
    source.answer = fail
    with pytest.raises(FeedError) as caught:
        guarded.ask([A])
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
    assert "fail" not in {entry.name for entry in caught.traceback}
