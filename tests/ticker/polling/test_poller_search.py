"""Which symbols spoil a batch: the search for them, its bounds, and what becomes of those found."""

from collections.abc import Sequence

import pytest

from tests.ticker.polling.pollers import Bench, names
from tests.ticker.stepped import subscriptions
from ticker.errors import FeedError
from ticker.polling.bad_symbols import RETRY_S
from ticker.settings.model import SymbolOptions
from ticker.source import Answer, Subscription


def test_bad_symbols_of_a_batch_are_found_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """3 of 100 spoil the batch: in the same poll the 97 have their prices and the 3 their error; then they cost nothing any more."""
    bench = Bench(*names(100))
    bench.source.rejects("S3", "S50", "S99")
    calls = len(bench.run())
    assert calls <= 65
    rejected = {symbol for answer in bench.delivered for symbol, news in answer.items() if isinstance(news, FeedError)}
    assert rejected == {"S3", "S50", "S99"}
    assert bench.prices() == set(names(100)) - rejected
    assert bench.states == []
    assert len(bench.run()) == 1
    assert bench.prices() == set(names(100)) - rejected
    assert caplog.text.count("unknown symbol") == 3


def test_the_rejected_are_asked_for_again_alone() -> None:
    """After ten minutes, by themselves: known by now, they join the others; else they wait for another ten."""
    bench = Bench("A", "B", "C", "D")
    bench.source.rejects("B", "C")
    bench.run()
    bench.source.rejects("C")
    assert bench.run() == [["A", "D"]]
    bench.time.pass_s(RETRY_S)
    assert bench.run() == [["A", "D"], ["B"], ["C"]]
    assert bench.run() == [["A", "B", "D"]]
    bench.time.pass_s(RETRY_S)
    assert bench.run() == [["A", "B", "D"], ["C"]]


def test_a_rejected_symbol_of_its_own_call() -> None:
    """Where each symbol has its own call, the rejected one is asked for rarely as well, be it raised or in the answer."""
    for in_answer in (False, True):
        bench = Bench("A", "B", batch_size=1)
        bench.source.rejects("B")
        if in_answer:
            bench.names_bad_symbols("B")
        assert bench.run() == [["A"], ["B"]]
        assert isinstance(bench.delivered[-1]["B"], FeedError)
        assert bench.poller.feed_state.state == "ok"
        assert bench.run() == [["A"]]


def test_a_symbol_rejected_within_an_answer_stays_in_the_batch() -> None:
    """It costs nobody anything, and is back with the first answer that has it."""
    bench = Bench("A", "B")
    bench.names_bad_symbols("B")
    bench.run()
    assert bench.run() == [["A", "B"]]


def test_a_search_that_is_cut_off_goes_on_later() -> None:
    """An outage in the middle of the search: what was found stays found, and the rest is taken up after the back-off."""
    bench = Bench(*names(64))
    bench.source.rejects("S5", "S60")
    refuse, calls = bench.source.answer, 0

    def breaks_once(batch: Sequence[Subscription]) -> Answer:
        nonlocal calls
        calls += 1
        if calls == 12:
            raise FeedError("HTTP 503", retry_after_s=3.0)
        return refuse(batch)

    bench.source.answer = breaks_once
    bench.run()
    assert bench.poller.feed_state.state == "retrying"
    found = bench.prices()
    assert "S0" in found
    assert "S63" not in found
    assert set(bench.run()[0]) == found, "what is under suspicion stays out of the batch"
    while not bench.prices() >= {"S61", "S62", "S63"}:
        bench.run()
    assert bench.run() == [[name for name in names(64) if name not in {"S5", "S60"}]]


def test_the_search_is_bounded() -> None:
    """Where nearly everything is unknown, one poll still spends only so many calls, and the next ones go on."""
    bench = Bench(*names(200))
    bench.source.rejects(*names(200)[1:])
    assert len(bench.run()) <= 65
    polls = 1
    while len(bench.run()) > 1:
        polls += 1
        assert polls < 10
    assert bench.prices() >= {"S0"}


def test_two_searches_share_the_bound() -> None:
    """Two spoiled batches do not cost twice as much in one poll."""
    bench = Bench(*names(400), batch_size=200)
    bench.source.rejects(*names(400))
    assert len(bench.run()) <= 2 + 64


def test_no_search_after_a_429() -> None:
    """A spoiled batch is not gone into when another call of the poll was told to wait."""
    bench = Bench(*names(6), batch_size=3)

    def answer(batch: Sequence[Subscription]) -> Answer:
        if batch[0].symbol == "S0":
            raise FeedError("unknown symbol", rejects_symbol=True)
        raise FeedError("HTTP 429", retry_after_s=7.0)

    bench.source.answer = answer
    assert bench.run() == [["S0", "S1", "S2"], ["S3", "S4", "S5"]]


def test_settings_that_change_in_the_middle_of_a_search() -> None:
    """The search for what is not wanted any more ends, and what it finds is no verdict on what is wanted now."""
    bench = Bench("A", "B", "C", "D")
    bench.source.rejects("B", "D")
    refuse = bench.source.answer

    def meanwhile(batch: Sequence[Subscription]) -> Answer:
        if [one.symbol for one in batch] == ["B"]:
            bench.poller.want([*subscriptions("A", "C", "D"), Subscription("B", "mended", SymbolOptions())])
        return refuse(batch)

    bench.source.answer = meanwhile
    assert bench.run()[-1] == ["B"]
    assert not any(isinstance(news, FeedError) for answer in bench.delivered for news in answer.values())
    bench.source.rejects("D")
    bench.run()
    assert bench.run() == [["A", "C", "B"]]


def test_a_new_spelling_frees_a_quarantined_symbol() -> None:
    """Who mends the id in the settings need not wait for ten minutes."""
    bench = Bench("A", "B")
    bench.source.rejects("B")
    bench.run()
    bench.source.answer = bench.source.prices
    bench.poller.want([*subscriptions("A"), Subscription("B", "mended", SymbolOptions())])
    assert bench.run() == [["A", "B"]]
