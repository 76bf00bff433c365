"""What is asked for beside the stream: prices from before its first word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.ticker.stepped import subscriptions
from tests.ticker.streaming.streamers import Bench, streamer
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.source import Answer, Ended, Subscription


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A streamer that is stopped in the end."""
    with streamer() as bench:
        yield bench


def test_prices_from_before_the_first_word_are_asked_for(bench: Bench) -> None:
    """In batches, once a symbol and connection; a new symbol alone; all again after a while."""
    beside = bench.ask_beside(batch_size=2)
    bench.start("A", "B", "C")
    bench.time.run_s(1)
    assert beside.batches == [["A", "B"], ["C"]]
    assert len(bench.prices()) == 3
    bench.streamer.want(subscriptions("A", "B", "C", "D"))
    bench.time.run_s(1)
    assert beside.batches[2:] == [["D"]]
    bench.source.link.say(b"a 2", Ended("cut"))
    bench.time.run_s(3)
    assert beside.batches[3:] == [["A", "B"], ["C", "D"]]
    bench.time.run_s(900)
    assert beside.batches[5:] == [["A", "B"], ["C", "D"]]


def test_a_connection_on_trial_does_not_make_us_ask_twice(bench: Bench) -> None:
    """Once for the new connection, and once more for the old one where that stays."""
    beside = bench.ask_beside()
    bench.source.longest_s = 100.0
    bench.start("A")
    bench.source.link.say(b"ack")
    bench.time.run_s(120)
    assert len(bench.source.links) == 2
    assert len(beside.batches) == 3


def test_a_symbol_that_spoils_a_batch_costs_only_itself(bench: Bench) -> None:
    """The others have their prices, it has its error."""
    beside = bench.ask_beside()

    def answer(batch: Sequence[Subscription]) -> Answer:
        symbols = [one.symbol for one in batch]
        if "BAD" in symbols:
            raise FeedError("unknown", rejects_symbol=True, retryable=False)
        return {symbol: Tick(price=1.0) for symbol in symbols}

    beside.answer = answer
    bench.start("A", "B", "BAD", "C", "D")
    bench.time.run_s(1)
    got = {symbol: news for one in bench.delivered for symbol, news in one.items()}
    assert {symbol for symbol, news in got.items() if isinstance(news, Tick)} == {"A", "B", "C", "D"}
    assert isinstance(got["BAD"], FeedError)
    assert bench.state() == "ok"


def test_a_call_that_fails_does_not_keep_the_others_waiting(bench: Bench) -> None:
    """Two running may be about what they asked for, and are asked again after a minute; three are the provider's failure."""
    beside = bench.ask_beside(batch_size=1)
    bad = {"A", "B"}

    def answer(batch: Sequence[Subscription]) -> Answer:
        if batch[0].symbol in bad:
            raise FeedError("nothing of it now")
        return {batch[0].symbol: Tick(price=1.0)}

    beside.answer = answer
    bench.start("A", "B", "C", "D")
    bench.time.run_s(1)
    assert beside.batches == [["A"], ["B"], ["C"], ["D"]]
    assert len(bench.prices()) == 2
    bad.clear()
    bench.time.run_s(61)
    assert beside.batches[4:] == [["A"], ["B"]]
    bad |= {"E", "F", "G"}
    bench.streamer.want(subscriptions("E", "F", "G", "H"))
    bench.time.run_s(1)
    assert beside.batches[6:] == [["E"], ["F"], ["G"]]


def test_where_the_prices_beside_the_stream_fail_the_stream_goes_on(bench: Bench) -> None:
    """And they are asked for again after a minute, or when the provider says."""
    beside = bench.ask_beside()
    failures = [FeedError("503"), FeedError("429", retry_after_s=200.0)]

    def answer(batch: Sequence[Subscription]) -> Answer:
        if failures:
            raise failures.pop(0)
        return {"A": Tick(price=7.0)}

    beside.answer = answer
    bench.start("A")
    bench.source.link.say(b"a 1")
    bench.time.run_s(59)
    assert bench.prices() == [1]
    assert len(beside.batches) == 1
    bench.time.run_s(2)
    assert len(beside.batches) == 2
    bench.time.run_s(198)
    assert len(beside.batches) == 2
    bench.time.run_s(4)
    assert bench.prices() == [1, 7]
    assert bench.told == []


def test_what_is_unclear_is_asked_for_once_more(bench: Bench) -> None:
    """That symbol alone, and at once."""
    beside = bench.ask_beside()
    bench.start("A", "B")
    bench.time.run_s(1)
    bench.source.link.say(b"unclear B")
    bench.time.run_s(1)
    assert beside.batches == [["A", "B"], ["B"]]


def test_a_stream_that_is_not_to_be_had_leaves_its_symbols_to_what_is_beside_it(bench: Bench) -> None:
    """Asked for every ten seconds from the first refusal on: never `down`, and the reason stays in sight. The stream has it again when it
    lets us in.
    """
    beside = bench.ask_beside()
    bench.source.refusals = [FeedError("HTTP 404", retryable=False) for _ in range(9)]
    bench.start("A")
    bench.time.run_s(95)
    assert 9 <= len(beside.batches) <= 12
    assert len(bench.prices()) == len(beside.batches)
    assert {news.kind for answer in bench.delivered for news in answer.values() if isinstance(news, Tick)} == {"polled"}
    bench.time.run_s(1500)
    assert {state for state, _ in bench.told} == {"retrying"}
    assert bench.error() == "HTTP 404"
    assert bench.streamer.wire_state().last_success is not None
    bench.source.refusals.clear()
    bench.time.run_s(300)
    asked = len(beside.batches)
    bench.source.link.say(b"ack", b"a 7")
    bench.time.run_s(60)
    assert (bench.state(), len(beside.batches)) == ("ok", asked)
    news = bench.delivered[-1]["A"]
    assert isinstance(news, Tick)
    assert (news.price, news.kind) == (7.0, None)


def test_a_short_cut_is_nobody_elses_business(bench: Bench) -> None:
    """Two failures that may pass, and it is back: what is beside it is asked for once a connection, as always."""
    beside = bench.ask_beside()
    bench.start("A")
    bench.source.refusals = [FeedError("HTTP 503") for _ in range(2)]
    bench.source.link.say(b"a 1", Ended("cut"))
    bench.time.run_s(30)
    assert len(bench.source.links) == 2
    assert len(beside.batches) == 2


def test_where_nothing_is_to_be_had_at_all_the_feed_is_down(bench: Bench) -> None:
    """Neither the stream nor what is beside it; and though there were prices once."""
    beside = bench.ask_beside()
    bench.source.refusals = [FeedError("HTTP 503") for _ in range(100)]
    bench.start("A")
    bench.time.run_s(600)
    assert {state for state, _ in bench.told} == {"retrying"}
    beside.answer = refuse
    bench.time.run_s(600)
    assert bench.state() == "down"


def test_a_feed_that_is_stopped_while_it_is_asked_for_tells_nothing_more(bench: Bench) -> None:
    """The core knows it no longer: an answer that comes late changes no state."""
    beside = bench.ask_beside()
    bench.source.refusals = [FeedError("HTTP 503") for _ in range(100)]
    beside.answer = refuse
    bench.start("A")
    bench.time.run_s(600)
    told, delivered = list(bench.told), list(bench.delivered)
    assert told[-1] == ("down", "HTTP 503")

    def answer_late(batch: Sequence[Subscription]) -> Answer:
        bench.streamer.stop()
        return {one.symbol: Tick(price=1.0) for one in batch}

    beside.answer = answer_late
    bench.time.run_s(100)
    assert (bench.told, bench.delivered) == (told, delivered)


def refuse(batch: Sequence[Subscription]) -> Answer:
    """A provider that answers nobody."""
    raise FeedError("503")
