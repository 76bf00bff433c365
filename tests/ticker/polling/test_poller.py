"""A poller in stepped time: what it asks for and when, and what it makes of every kind of failure."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import HttpUrl

from tests.ticker.polling.pollers import Bench, names
from tests.ticker.stepped import START_MS, subscriptions
from ticker.errors import BadTick, FeedError
from ticker.quote import Tick
from ticker.settings.model import PolledSettings, SymbolOptions
from ticker.source import Answer, Subscription


def test_one_call_where_one_can_carry_all() -> None:
    """All symbols in the settings' order, delivered as one batch."""
    bench = Bench("B", "A", "C")
    assert bench.run() == [["B", "A", "C"]]
    assert [list(answer) for answer in bench.delivered] == [["B", "A", "C"]]
    assert msgspec.to_builtins(bench.poller.wire_state()) == {
        "feed": "feed", "kind": "scripted", "state": "ok", "error": None,
        "last_success": START_MS + 2_000, "next_try": START_MS + 4_000, "interval_s": 2.0, "widened": None}  # fmt: skip


def test_before_the_first_poll() -> None:
    """Nothing is known of a feed that was not asked yet."""
    assert msgspec.to_builtins(Bench("A").poller.wire_state()) == {
        "feed": "feed", "kind": "scripted", "state": "ok", "error": None,
        "last_success": None, "next_try": None, "interval_s": 2.0, "widened": None}  # fmt: skip


def test_several_calls_are_spread_over_the_interval() -> None:
    """Even gaps from start to start, whatever the calls take; each answer is delivered when it comes."""
    bench = Bench(*names(10), interval_s=4.0, batch_size=3)
    asked_at_s: list[float] = []

    def slowly(batch: Sequence[Subscription]) -> Answer:
        assert len(bench.delivered) == len(asked_at_s)
        asked_at_s.append(bench.time.monotonic())
        bench.time.pass_s(0.25)
        return bench.source.prices(batch)

    bench.source.answer = slowly
    assert [len(batch) for batch in bench.run_now()] == [3, 3, 3, 1]
    assert asked_at_s == [0.0, 1.0, 2.0, 3.0]


def test_a_poll_longer_than_the_interval_is_followed_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """Slow calls stretch the interval, and are not made worse by waiting for the next round."""
    bench = Bench(*names(4), interval_s=2.0, batch_size=1)

    def slowly(batch: Sequence[Subscription]) -> Answer:
        bench.time.pass_s(1.0)
        return bench.source.prices(batch)

    bench.source.answer = slowly
    bench.run_now()
    assert bench.time.slept_s == [0.0, 0.0, 0.0]
    assert len(bench.retries) == 1
    assert bench.retries[0] <= 0.1
    bench.run_now()
    assert "a poll takes 4.0 s" in caplog.text


def test_never_overlaps_itself() -> None:
    """A run that starts while one is under way does nothing."""
    bench = Bench("A")

    def again(batch: Sequence[Subscription]) -> Answer:
        bench.poller.run()
        return bench.source.prices(batch)

    bench.source.answer = again
    assert bench.run() == [["A"]]


def test_a_failure_is_told_once_and_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    """Each failing poll waits longer; state and error reach the clients when they change; the fifth failure is `down`."""
    bench = Bench("A")
    bench.fails(FeedError("HTTP 502", payload="<html>"))
    waits = []
    for _ in range(6):
        bench.run()
        waits.append(bench.retries[-1])
        assert bench.poller.feed_state.next_try_ms == pytest.approx(bench.time.now_ms() + waits[-1] * 1000, abs=1)
    assert bench.states == [("retrying", "HTTP 502"), ("down", "HTTP 502")]
    assert all(2.0 <= wait <= 2.0 * 2**number for number, wait in enumerate(waits, 1))
    assert bench.delivered == []
    assert caplog.text.count("HTTP 502") == 1
    assert "[<html>]" in caplog.text


def test_a_good_poll_ends_the_back_off() -> None:
    """After one good answer the count starts anew."""
    bench = Bench("A")
    bench.fails(FeedError("HTTP 502"))
    for _ in range(5):
        bench.run()
    bench.source.answer = bench.source.prices
    bench.run()
    assert bench.prices() == {"A"}
    bench.fails(FeedError("HTTP 502"))
    bench.run()
    assert bench.states[-2:] == [("ok", None), ("retrying", "HTTP 502")]
    assert bench.retries[-1] <= 4.0


def test_no_poll_before_its_time() -> None:
    """Whoever starts a run while backing off only learns when it will be."""
    bench = Bench("A")
    bench.fails(FeedError("slow down", retry_after_s=7.0))
    bench.run()
    assert bench.retries[-1] >= 7.0
    bench.time.pass_s(6.9)
    assert bench.run_now() == []
    assert bench.retries[-1] == pytest.approx(bench.retries[-2] - 6.9)
    assert bench.run() == [["A"]]


def test_new_symbols_wait_for_the_back_off_too() -> None:
    """Adding a symbol is no way around a provider's `Retry-After`."""
    bench = Bench("A", interval_s=60.0)
    bench.fails(FeedError("slow down", retry_after_s=100.0))
    bench.run()
    bench.poller.run_for(bench.poller.want(subscriptions("A", "B")))
    assert bench.source.batches == [["A"]]


@pytest.mark.parametrize("failure", [KeyError("price"), ZeroDivisionError(), RecursionError()], ids=lambda error: type(error).__name__)
def test_a_bug_in_a_feed_is_a_failure(failure: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Logged with its traceback, once; the feed backs off like from any failure."""
    bench = Bench("A")
    bench.fails(failure)
    bench.run()
    bench.run()
    assert caplog.text.count("Traceback") == 1
    assert bench.states == [("retrying", f"internal error: {type(failure).__name__}")]
    assert bench.retries


@pytest.mark.parametrize("answer", [None, [("A", 1.0)], {"A": 1.0}, {"A": None}], ids=repr)
def test_an_answer_of_the_wrong_type_is_a_bug_of_the_feed(answer: Any) -> None:
    """Whatever a feed returns: the poll ends, and is a failure."""
    bench = Bench("A", "B")
    bench.source.answer = lambda batch: answer
    bench.run()
    assert bench.poller.feed_state.state == "retrying"
    assert str(bench.poller.feed_state.error).startswith("internal error")


def test_a_call_that_does_not_end_is_cut_short() -> None:
    """A feed that misses its own time limit is stopped a second later."""
    bench = Bench("A", settings=PolledSettings(kind="scripted", timeout_s=5.0, base_url=HttpUrl("http://127.0.0.1")))

    def hang(batch: Sequence[Subscription]) -> Answer:
        bench.time.pass_s(3600.0)
        return {}

    bench.source.answer = hang
    bench.run_now()
    assert bench.time.monotonic() == 6.0
    assert bench.states == [("retrying", "no answer: took longer than 6 s")]


def test_one_failing_call_costs_only_its_symbols() -> None:
    """The others are delivered, the feed is up, its error says what is wrong, and the failing ones have it too."""
    bench = Bench(*names(4), batch_size=1)
    bench.fails(FeedError("not JSON"), "S1")
    bench.run()
    assert bench.poller.feed_state.state == "ok"
    assert bench.poller.feed_state.error == "not JSON"
    assert {symbol: str(news) for answer in bench.delivered for symbol, news in answer.items() if isinstance(news, FeedError)} == {
        "S1": "not JSON"
    }
    assert bench.prices() == {"S0", "S2", "S3"}
    bench.source.answer = bench.source.prices
    bench.run()
    assert bench.states == [("ok", "not JSON"), ("ok", None)]


def test_a_bad_tick_is_an_answer() -> None:
    """A provider that gives a number that can't be a price is there: only the symbol has an error, however often it happens."""
    bench = Bench(*names(5), batch_size=1)
    bench.fails(BadTick("price: not a price"))
    for _ in range(10):
        assert len(bench.run()) == 5
    assert bench.states == []
    assert [type(news) for answer in bench.delivered for news in answer.values()] == [BadTick] * 50


def test_a_provider_that_is_out_is_not_asked_for_every_symbol() -> None:
    """Three failed calls running end the poll; the next one begins behind them, so that nobody is always left out."""
    bench = Bench(*names(10), batch_size=1)
    bench.fails(FeedError("HTTP 500"))
    assert bench.run() == [["S0"], ["S1"], ["S2"]]
    assert bench.poller.feed_state.state == "retrying"
    assert bench.run() == [["S3"], ["S4"], ["S5"]]
    bench.source.answer = bench.source.prices
    assert [batch[0] for batch in bench.run()] == ["S6", "S7", "S8", "S9", "S0", "S1", "S2", "S3", "S4", "S5"]


def test_the_first_429_ends_the_poll() -> None:
    """A provider that asks for time gets it from that call on."""
    bench = Bench(*names(10), batch_size=1)
    bench.fails(FeedError("HTTP 429", retry_after_s=7.0), "S4")
    assert len(bench.run()) == 5
    assert bench.prices() == {"S0", "S1", "S2", "S3"}
    assert bench.poller.feed_state.state == "retrying"
    assert bench.retries[-1] >= 7.0


def test_symbols_come_and_go() -> None:
    """What is wanted is asked for, and nothing else; new is what was not wanted in that way before."""
    bench = Bench("A", "B")
    other = Subscription("B", "other", SymbolOptions())
    new = bench.poller.want([*subscriptions("C", "A"), other])
    assert [subscription.symbol for subscription in new] == ["C", "B"]
    assert bench.run() == [["C", "A", "B"]]
    bench.poller.want([])
    assert bench.run() == []
    assert not bench.poller.wants_any


def test_a_new_symbol_is_polled_at_once() -> None:
    """Not after the minute that the interval may be; and alone."""
    bench = Bench("A", interval_s=60.0)
    bench.run()
    bench.poller.run_for(bench.poller.want(subscriptions("A", "B", "C")))
    assert bench.source.batches == [["A"], ["B", "C"]]


def test_a_new_symbol_of_a_fast_feed_waits_for_its_turn() -> None:
    """Where the next poll comes within a second anyhow, nothing is added."""
    bench = Bench("A", interval_s=1.0)
    bench.poller.run_for(bench.poller.want(subscriptions("A", "B")))
    assert bench.source.batches == []


def test_an_answer_that_comes_too_late_is_not_taken_for_another() -> None:
    """A symbol that asks for something else by the time the answer comes does not get it, nor does one that was removed."""
    bench = Bench("A", "B", "C")

    def meanwhile(batch: Sequence[Subscription]) -> Answer:
        bench.poller.want([*subscriptions("A"), Subscription("B", "other", SymbolOptions())])
        return bench.source.prices(batch)

    bench.source.answer = meanwhile
    bench.run()
    assert bench.prices() == {"A"}


def test_a_spread_poll_follows_the_settings() -> None:
    """A call that is still to come leaves out what is not wanted any more."""
    bench = Bench("A", "B", "C", "D", batch_size=2)

    def meanwhile(batch: Sequence[Subscription]) -> Answer:
        if batch[0].symbol == "A":
            bench.poller.want(subscriptions("A", "B", "D"))
        return bench.source.prices(batch)

    bench.source.answer = meanwhile
    assert bench.run() == [["A", "B"], ["D"]]


def test_stopped_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    """After `stop` the source is closed, and what a call under way still brings or breaks is nobody's business."""
    for outcome in (Tick(price=1.0), FeedError("closed"), ValueError("closed")):
        bench = Bench("A")

        def stops(batch: Sequence[Subscription], bench: Bench = bench, outcome: Tick | Exception = outcome) -> Answer:
            bench.poller.stop()
            if isinstance(outcome, Tick):
                return {"A": outcome}
            raise outcome

        bench.source.answer = stops
        bench.run()
        assert bench.source.closed
        assert (bench.delivered, bench.states, bench.retries) == ([], [], [])
        assert bench.run() == []
    assert caplog.text == ""


def test_closing_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    """A source that can't even be closed is logged, and does not stop the others from being closed."""
    bench = Bench("A")

    def fail() -> None:
        raise OSError("already gone")

    bench.source.close = fail  # type: ignore[method-assign]
    bench.poller.stop()
    assert "already gone" in caplog.text


def test_a_fast_feed_keeps_its_beat() -> None:
    """Its own loop: a hundred polls in a hundred intervals, however long each takes; it ends when told to."""
    bench = Bench("A", interval_s=0.01)

    def takes_time(batch: Sequence[Subscription]) -> Answer:
        bench.time.pass_s(0.004)
        if len(bench.source.batches) == 101:
            bench.poller.end_loop()
        return bench.source.prices(batch)

    bench.source.answer = takes_time
    bench.poller.loop()
    assert len(bench.source.batches) == 101
    assert bench.time.monotonic() == pytest.approx(1.01)


def test_a_fast_feed_backs_off() -> None:
    """A failing one does not spin."""
    bench = Bench("A", interval_s=0.01)

    def fails(batch: Sequence[Subscription]) -> Answer:
        if bench.time.monotonic() > 60:
            bench.poller.end_loop()
        raise FeedError("no")

    bench.source.answer = fails
    bench.poller.loop()
    assert 5 <= len(bench.source.batches) <= 25
    assert len(bench.time.slept_s) <= 2 * len(bench.source.batches)


@given(st.data())
def test_whatever_happens_the_others_get_their_prices(data: st.DataObject) -> None:
    """Any batch size, any unknown symbols, a failing call now and then: in the end all that are known have a price, and only those."""
    count = data.draw(st.integers(1, 30))
    unknown = data.draw(st.sets(st.sampled_from(names(count)), max_size=4))
    failing = data.draw(st.sets(st.integers(1, 12), max_size=6))
    bench = Bench(*names(count), batch_size=data.draw(st.sampled_from([1, 2, 7, None])))
    bench.source.rejects(*unknown)
    refuse, calls = bench.source.answer, 0

    def answer(batch: Sequence[Subscription]) -> Answer:
        nonlocal calls
        calls += 1
        if calls in failing:
            raise FeedError("HTTP 500")
        return refuse(batch)

    bench.source.answer = answer
    for _ in range(12):
        bench.run()
    bench.prices()
    bench.run()
    assert bench.prices() == set(names(count)) - unknown
    assert bench.poller.feed_state.state == "ok"


def test_a_source_may_ask_to_be_polled_again_soon() -> None:
    """After a good poll; not while backing off."""
    bench = Bench("A")
    bench.source.again_in_s = 0.02
    bench.run()
    assert bench.retries == [0.02]
    bench.fails(FeedError("HTTP 500"))
    bench.run()
    assert bench.retries[-1] >= 2.0
