"""Ticks that are not believed: what is no price, jumps that nothing confirms, time that goes back."""

from __future__ import annotations

import logging
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.board.desk import NOW, TERMS, Desk
from ticker.board.outliers import FORGET_MS
from ticker.board.sanity import NEEDS_KEY
from ticker.board.source_state import FUTURE_LIMIT_MS
from ticker.board.unconfirmed_jump import FAR_MS, FAR_TIMES, INSIST_MS
from ticker.errors import BadTick, FeedError
from ticker.settings.model import QualitySettings, SymbolSettings


@pytest.mark.parametrize("price", [0.0, -0.0, -1.0, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("ticks_before", [0, 1, 3], ids=["first", "second", "after many"])
def test_what_is_no_price_at_all(price: float, ticks_before: int) -> None:
    """Is never published, not even when it is said twice; it counts as an error of the symbol."""
    desk = Desk(stale_after_s=60.0)
    for _ in range(ticks_before):
        desk.hear(100.0)
    for _ in range(4):
        assert desk.hear(price) == []
    assert desk.bad_ticks() == [("a", 4)]
    (symbol,) = desk.board.symbols_state()
    assert symbol.error == (NEEDS_KEY if math.isfinite(price) else f"{price:g} is no price")
    assert desk.hear(100.5) == [100.5]
    assert desk.board.symbols_state()[0].error is None


def test_what_a_feed_could_not_read_as_a_price() -> None:
    """Is counted and shown with the feed's own excerpt; other errors are not bad ticks."""
    desk = Desk()
    desk.take(FeedError("no row", payload="{}"))
    desk.take(BadTick("price: not a price", payload='{"price":"-1"}'))
    assert desk.state["bad_ticks"] == {
        "count": 1,
        "recent": [{"symbol": "X", "feed": "a", "count": 1, "at": NOW, "reason": "price: not a price", "excerpt": '{"price":"-1"}'}],
    }


@pytest.mark.parametrize("wild", [120.1, 1e9, 79.9, 1e-9])
@pytest.mark.parametrize("named", [None, 5.0], ids=["learnt", "named"])
def test_a_wild_tick_is_left_out(wild: float, named: float | None) -> None:
    """One tick far off between two good ones is nobody's price, and the source stays in use."""
    desk = Desk(stale_after_s=named)
    desk.hear(99.0)
    desk.hear(100.0)
    assert desk.hear(wild) == []
    assert (desk.quote.price, desk.quote.state) == (100.0, "fresh")
    assert desk.hear(100.5) == [100.5]
    assert desk.bad_ticks() == [("a", 1)]
    entry = desk.state["bad_ticks"]["recent"][0]
    assert entry["reason"] == f"{wild:g} after 100, a jump of more than 20 %"
    assert entry["excerpt"].startswith('{"price":')
    assert entry["at"] == NOW + 6_000


@pytest.mark.parametrize("price", [119.9, 80.1])
def test_a_move_within_bounds_is_believed_at_once(price: float) -> None:
    """What is less than a jump is news."""
    desk = Desk()
    desk.hear(100.0)
    assert desk.hear(price) == [price]
    assert desk.bad_ticks() == []


@pytest.mark.parametrize("second", [151.0, 150.0, 140.0])
def test_a_second_tick_confirms_a_jump(second: float) -> None:
    """A real jump costs one tick, and no more."""
    desk = Desk()
    desk.hear(100.0)
    assert desk.hear(150.0) == []
    assert desk.hear(second) == [second]
    assert desk.hear(second + 1) == [second + 1]


def test_a_jump_between_two_sources_without_times() -> None:
    """Where a source gives no times, each answer is an observation, the same again included."""
    desk = Desk()
    desk.hear(100.0, quote_time=None)
    assert desk.hear(150.0, quote_time=None) == []
    assert desk.hear(150.0, quote_time=None) == [150.0]


def test_the_same_tick_again_is_no_second_one() -> None:
    """A provider repeats its newest price, wrong or not, until there is another; one that insists is believed in the end."""
    desk = Desk(stale_after_s=60.0)
    desk.hear(100.0)
    made = desk.now + 2_000
    assert desk.hear(150.0, quote_time=made) == []
    assert desk.hear(150.0, quote_time=made, passed_ms=INSIST_MS - 1) == []
    assert desk.hear(150.0, quote_time=made, passed_ms=1) == [150.0]
    assert desk.bad_ticks() == [("a", 2)]


def test_a_jump_of_a_source_whose_time_stands() -> None:
    """Where the price moved and its time did not, times tell nothing: the same answer again is a second observation."""
    desk = Desk()
    desk.hear(100.0, quote_time=NOW)
    assert desk.hear(150.0, quote_time=NOW) == []
    assert desk.hear(150.0, quote_time=NOW) == [150.0]


@pytest.mark.parametrize("far", [1_001.0, 9.9, 150_000.0])
@pytest.mark.parametrize("passed_ms", [2_000, 15_000, 40_000])
@pytest.mark.parametrize("repeats", [False, True], ids=["other ticks", "the same tick"])
def test_a_far_jump_wants_more_than_a_second_tick(far: float, passed_ms: int, repeats: bool) -> None:
    """Beyond ten times the price, or a tenth: as many as three, over a minute, each near the one before."""
    desk = Desk(stale_after_s=600.0)
    desk.hear(100.0)
    first_ms = desk.now + passed_ms
    times = 0
    while desk.quote.price == 100.0:
        desk.hear(far, passed_ms=passed_ms, quote_time=first_ms if repeats else desk.now + passed_ms)
        times += 1
    assert times == max(FAR_TIMES, -(-FAR_MS // passed_ms) + 1)
    assert desk.hear(far * 1.1, passed_ms=passed_ms) == [far * 1.1]


def test_a_far_jump_is_counted_anew() -> None:
    """After a price that is believed, and after one that is elsewhere; ten times as much is a jump as any."""
    desk = Desk(stale_after_s=600.0)
    desk.hear(100.0)
    for price in (5_000.0, 5_000.0, 100.0, 5_000.0, 90_000.0, 5_000.0):
        desk.hear(price, passed_ms=25_000)
    for _ in range(2):
        assert desk.hear(5_000.0, passed_ms=29_000) == []
    assert desk.hear(5_000.0, passed_ms=29_000) == [5_000.0]
    assert desk.hear(500.0) == []
    assert desk.hear(500.0) == [500.0]


def test_another_source_confirms_a_far_jump() -> None:
    """At once."""
    desk = Desk("a", "b")
    desk.hear(100.0, "a")
    desk.hear(100.0, "b")
    assert desk.hear(5_000.0, "a") == []
    assert desk.hear(5_001.0, "b") == [5_000.0]


def test_a_clock_that_is_set_back_takes_a_doubt_along() -> None:
    """A minute without confirmation is a minute."""
    desk = Desk(stale_after_s=600.0)
    desk.hear(100.0, quote_time=None)
    desk.hear(5_000.0, quote_time=None)
    desk.board.clock_stepped_back(3_600_000)
    desk.now -= 3_600_000
    for passed_ms in (30_000, 29_999):
        assert desk.hear(5_000.0, quote_time=None, passed_ms=passed_ms) == []
    assert desk.hear(5_000.0, quote_time=None, passed_ms=1) == [5_000.0]


def test_garbage_confirms_nothing() -> None:
    """Wild ticks that do not resemble each other are all left out, and the price turns stale."""
    desk = Desk()
    desk.hear(100.0)
    for wild in (150.0, 40.0, 160.0, 30.0, 170.0):
        assert desk.hear(wild) == []
        desk.board.sweep(desk.now)
    assert (desk.quote.price, desk.quote.state) == (100.0, "stale")
    assert desk.bad_ticks() == [("a", 5)]


def test_another_source_confirms_a_jump() -> None:
    """When it sees the same price, whoever is heard first."""
    desk = Desk("a", "b")
    desk.hear(100.0, "a")
    desk.hear(100.1, "b")
    assert desk.hear(150.0, "a") == []
    assert desk.hear(150.1, "b") == [150.0], "b bears out what a said"
    assert desk.hear(151.0, "a") == [151.0]


def test_another_source_that_stands_confirms_nothing() -> None:
    """Nor does one that is broken, or silent for long."""
    desk = Desk("a", "b")
    desk.hear(100.0, "a")
    desk.hear(100.0, "b")
    assert desk.hear(150.0, "a") == []
    assert desk.hear(100.2, "b") == []
    assert desk.quote.price == 100.0
    assert desk.hear(100.1, "a") == [100.1]


def test_between_two_prices_the_nearer_one_is_meant() -> None:
    """Sources that may be far apart do not confirm what they contradict."""
    desk = Desk("a", "b", max_divergence_pct=50.0)
    desk.hear(100.0, "a")
    desk.hear(104.0, "b")
    assert desk.hear(130.0, "a") == [], "104 is within 50 % of 130, and nearer to 100"


def test_after_a_long_absence_there_is_nothing_to_compare_with() -> None:
    """In ten minutes of silence a market may go anywhere; and a source that was replaced is another one."""
    desk = Desk()
    desk.hear(100.0)
    assert desk.hear(150.0, passed_ms=FORGET_MS) == []
    desk = Desk()
    desk.hear(100.0)
    assert desk.hear(150.0, passed_ms=FORGET_MS + 1) == [150.0]
    desk.board.restart_feed("a", desk.now)
    assert desk.hear(100.0) == [100.0]


def test_time_that_goes_back() -> None:
    """An older tick is counted, and neither published nor taken as a sign that the price is current."""
    desk = Desk()
    desk.hear(100.0)
    assert desk.hear(99.0, quote_time=NOW) == []
    entry = desk.state["bad_ticks"]["recent"][0]
    assert (entry["count"], entry["reason"]) == (1, "made 2 s before the one before it")
    assert desk.hear(100.5) == [100.5]


def test_a_time_far_ahead_holds_nothing_back() -> None:
    """What follows a tick from the future is not called older than that."""
    desk = Desk()
    desk.hear(100.0, quote_time=NOW + 10 * FUTURE_LIMIT_MS)
    assert desk.hear(101.0) == [101.0]
    assert desk.bad_ticks() == []


def test_limits_of_the_settings() -> None:
    """The symbol's own goes before the table's, and a reload takes hold."""
    desk = Desk(quality=QualitySettings(max_jump_pct=1.0))
    desk.hear(100.0)
    assert desk.hear(102.0) == []
    desk.board.configure({"X": SymbolSettings(feed=("a",), max_jump_pct=3.0)}, TERMS, desk.now, QualitySettings(max_jump_pct=1.0))
    assert desk.hear(102.5) == [102.5]
    assert desk.hear(105.0) == [105.0]


def test_more_than_a_hundred_percent() -> None:
    """However far a price may fall by the settings, it does not fall to nothing."""
    desk = Desk(max_jump_pct=1_000.0)
    desk.hear(100.0)
    assert desk.hear(1_099.0) == [1_099.0]
    assert desk.hear(0.01) == [0.01]
    assert desk.hear(0.0) == []
    assert desk.hear(1e-12) == []


def test_the_first_of_a_kind_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With the tick, once; all are counted."""
    caplog.set_level(logging.INFO)
    desk = Desk()
    desk.hear(100.0)
    for _ in range(3):
        desk.hear(200.0)
        desk.hear(100.0)
    desk.hear(99.0, quote_time=NOW)
    assert [record.getMessage() for record in caplog.records] == [
        'feed a: a tick of X is not believed: 200 after 100, a jump of more than 20 % [{"price":200.0,"quote_time":1700000004000}]',
        'feed a: a tick of X is not believed: made 14 s before the one before it [{"price":99.0,"quote_time":1700000000000}]',
    ]


@given(
    st.lists(st.one_of(st.floats(), st.floats(90.0, 110.0), st.sampled_from([0.0, math.nan, math.inf, 100.0, 200.0, 50.0])), max_size=60),
    st.booleans(),
)
def test_only_prices_that_follow_from_each_other(prices: list[float], timed: bool) -> None:
    """Whatever numbers come: all that is published is a price, no further than a jump from the one before or from an unconfirmed one."""
    desk = Desk(stale_after_s=60.0)
    unconfirmed = [math.nan]
    for price in prices:
        before = desk.board.quotes.get("X")
        published = desk.hear(price) if timed else desk.hear(price, quote_time=None)
        if before is not None and before.state == "failed" and published == [before.price] != [price]:
            published = []  # the source answers again, which is all that is new
        assert published in ([], [price])
        if published:
            assert 0 < price < math.inf
            known = [price] if before is None else [before.price, *unconfirmed[-1:]]
            assert any(0.8 * other <= price <= 1.2 * other * (1 + 1e-12) for other in known)
        elif 0 < price < math.inf:
            unconfirmed.append(price)
