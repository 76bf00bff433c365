"""A source takes back what it said: the board believes it, whatever its time and its price."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.board.desk import NOW, Desk
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.board.sanity import NEEDS_KEY
from ticker.errors import FeedError
from ticker.quote import Correction, Kind, Odd, Quote, Tick
from ticker.settings.model import SymbolSettings


def correct(desk: Desk, price: float, feed: str = "a", **fields: Any) -> list[float]:
    """`feed` takes back what it said; two seconds after the last word, as always. Returns the prices that were published as fresh."""
    desk.now += 2_000
    return desk.take(Correction(price=price, **fields), feed)


def test_what_was_cancelled_is_undone() -> None:
    """The older price is back with its time, high and low, as the next update; what follows is news though the cancelled one was newer."""
    desk = Desk()
    desk.hear(100.0, high=101.0, low=99.0)
    good_ms = desk.now
    desk.hear(110.0, high=110.0, low=99.0)
    assert correct(desk, 100.0, quote_time=good_ms, high=101.0, low=99.0) == [100.0]
    assert (desk.quote.seq, desk.quote.quote_time, desk.quote.high) == (3, good_ms, 101.0)
    assert desk.hear(100.2, quote_time=good_ms + 1_000) == [100.2]
    assert desk.hear(100.1, quote_time=good_ms) == [], "what is older than that is not"
    assert desk.bad_ticks() == [("a", 1)]


def test_it_is_no_jump_and_clears_a_doubt() -> None:
    """And is what the next is measured by from then on."""
    desk = Desk()
    desk.hear(100.0)
    desk.hear(150.0)
    assert correct(desk, 40.0, quote_time=desk.now) == [40.0]
    assert desk.hear(150.0) == [], "nothing unconfirmed is left that could be confirmed"
    assert desk.hear(41.0) == [41.0]


def test_its_price_has_to_be_one() -> None:
    """By the symbol's settings, and its sides too."""
    desk = Desk()
    desk.hear(100.0)
    assert correct(desk, -1.0) == []
    assert desk.board.symbols_state()[0].error == NEEDS_KEY
    assert correct(desk, 99.0, bid=99.2, ask=99.1, odd=(Odd("volume", "not a number", "x"),)) == [99.0]
    assert desk.quote.bid is None
    assert {entry["field"] for entry in desk.state["odd_fields"]["fields"]} == {"bid", "volume"}


def test_it_is_remembered_as_any_tick() -> None:
    """The same again is no update, as a tick or as a correction."""
    desk = Desk()
    desk.hear(100.0)
    correct(desk, 99.0, quote_time=NOW)
    assert desk.hear(99.0, quote_time=NOW) == []
    assert correct(desk, 99.0, quote_time=NOW) == []
    assert desk.quote.seq == 2


def test_one_without_a_time_holds_nothing_back() -> None:
    """Nobody knows how old the restored price is: the next one counts, whatever its time."""
    desk = Desk()
    desk.hear(110.0, quote_time=NOW + 60_000)
    assert correct(desk, 100.0) == [100.0]
    assert desk.hear(100.1) == [100.1]


def test_of_a_source_that_is_not_in_use() -> None:
    """It corrects itself, and nothing that is shown: no update, no switch."""
    desk = Desk("a", "b")
    desk.hear(100.0, "a")
    desk.hear(104.0, "b")
    assert correct(desk, 100.1, "b", quote_time=NOW) == []
    assert (desk.quote.source, desk.quote.price, desk.quote.seq) == ("a", 100.0, 1)
    assert desk.state["switches"]["count"] == 0
    assert desk.hear(100.2, "a") == [100.2]


def test_older_than_what_another_source_had_shown() -> None:
    """After a switch too it is shown; then the others' prices need not be newer than what was taken back."""
    desk = Desk("a", "b", stale_after_s=10.0)
    desk.hear(100.0, "a")
    for _ in range(5):
        desk.hear(101.0, "b")
        desk.board.sweep(desk.now)
    assert desk.quote.source == "b"
    assert desk.board._symbol_states["X"].newest_ms == NOW + 2_000, "a's"
    assert correct(desk, 100.9, "b", quote_time=NOW + 1_000) == [100.9]
    assert (desk.quote.source, desk.quote.quote_time) == ("b", NOW + 1_000)
    desk.hear(100.7, "a", quote_time=NOW + 11_000)  # what b took back was made later
    desk.take(FeedError("unknown", rejects_symbol=True), "b")
    assert (desk.quote.source, desk.quote.price) == ("a", 100.7)


@pytest.mark.parametrize("kind", ["relayed", "replayed"])
def test_another_board_restores_an_older_price(kind: Kind) -> None:
    """What passes a relay is told by its order, not by its time."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a", "b"))}, {"a": FeedTerms(kind, 1.0), "b": FeedTerms("polled", 2.0)}, NOW)
    shown = []
    for price, made_ms in ((100.0, NOW), (110.0, NOW + 5_000), (100.0, NOW), (100.1, NOW + 1_000), (100.1, NOW + 500)):
        shown += board.apply("a", {"X": Tick(price=price, quote_time=made_ms, upstream_state="fresh")}, NOW + 5_000)
    assert [(quote.seq, quote.price, quote.quote_time) for quote in shown] == [
        (1, 100.0, NOW), (2, 110.0, NOW + 5_000), (3, 100.0, NOW), (4, 100.1, NOW + 1_000), (5, 100.1, NOW + 500)]  # fmt: skip
    assert board.quality_state(NOW).bad_ticks.count == 0


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b"]), st.floats(1.0, 1_000.0), st.integers(-60_000, 0)), max_size=40))
def test_whatever_is_corrected_is_shown(history: list[tuple[bool, str, float, int]]) -> None:
    """A correction of the source in use is what is shown next; `seq` never skips, time goes back by corrections and switches alone."""
    desk = Desk("a", "b", stale_after_s=1_000.0)
    last: Quote | None = None
    for is_correction, feed, price, age_ms in history:
        desk.now += 2_000
        kind = Correction if is_correction else Tick
        for quote in desk.board.apply(feed, {"X": kind(price=price, quote_time=desk.now + age_ms)}, desk.now):
            assert quote.seq == (1 if last is None else last.seq + 1)
            if not is_correction and last is not None and last.source == quote.source:
                assert (quote.quote_time or 0) >= (last.quote_time or 0)
            last = quote
        assert desk.quote == last
        if is_correction and desk.quote.source == feed:
            assert (desk.quote.price, desk.quote.quote_time) == (price, desk.now + age_ms)
