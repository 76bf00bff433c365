"""What can be meant of a tick: its signs, its sides, its time; what is left out of it is counted by feed and field."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.board.desk import NOW, Desk
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.board.sanity import ABOVE_THE_ASK, AHEAD_MS, BELOW_ZERO, NEEDS_KEY, NOT_FINITE, NUMBERS, SIDES, SIZES, sound
from ticker.quote import Kind, Odd, Tick
from ticker.settings.model import SymbolSettings

NUMBERS_OF_ALL_KINDS = st.one_of(
    st.none(), st.sampled_from([0.0, -0.0, 1.0, 1.5, -1.5, 100.0, 5e-324, 1.7e308, math.nan, math.inf, -math.inf]), st.floats()
)
SIDED = st.fixed_dictionaries(dict.fromkeys((*SIDES, *SIZES, *NUMBERS), NUMBERS_OF_ALL_KINDS))


def odd_of(board: Board) -> dict[str, tuple[int, str]]:
    """How often each field was odd, and why last."""
    return {entry.field: (entry.count, entry.reason) for entry in board.quality_state(NOW).odd_fields.fields}


@pytest.mark.parametrize("kind", ["simulated", "polled", "streamed", "relayed", "replayed"])
def test_every_kind_of_feed_is_judged(kind: Kind) -> None:
    """A price of zero or below without the key is nobody's, and the symbol says which key; what is beside a good one costs only itself."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a",))}, {"a": FeedTerms(kind, 2.0)}, NOW)
    assert board.apply("a", {"X": Tick(price=-37.63)}, NOW) == []
    assert board.symbols_state()[0].error == NEEDS_KEY
    assert "allow_negative = true" in NEEDS_KEY
    (entry,) = board.quality_state(NOW).bad_ticks.recent
    assert (entry.reason, entry.excerpt) == (NEEDS_KEY, '{"price":-37.63}')
    (quote,) = board.apply("a", {"X": Tick(price=10.0, bid=-0.01, ask=10.1, low=-16.74, prev_close=-37.63, open=0.0)}, NOW)
    assert (quote.price, quote.bid, quote.ask, quote.low, quote.prev_close, quote.open) == (10.0, None, 10.1, None, None, None)
    assert odd_of(board) == dict.fromkeys(("bid", "low", "prev_close"), (1, BELOW_ZERO))
    assert board.symbols_state()[0].error is None


def test_crossed_sides_are_dropped() -> None:
    """Both, as one odd field, with each answer; equal ones are a locked book, and stay."""
    desk = Desk()
    for _ in range(3):
        desk.hear(71.2, bid=71.4, ask=71.1, quote_time=NOW)
        assert (desk.quote.price, desk.quote.bid, desk.quote.ask, desk.quote.seq) == (71.2, None, None, 1)
    (entry,) = desk.state["odd_fields"]["fields"]
    assert entry == {"feed": "a", "field": "bid", "count": 3, "symbol": "X", "at": NOW + 6_000, "reason": ABOVE_THE_ASK,
                     "excerpt": "71.4 and 71.1"}  # fmt: skip
    desk.hear(71.2, bid=71.1, ask=71.1)
    assert (desk.quote.bid, desk.quote.ask) == (71.1, 71.1)
    assert desk.state["odd_fields"]["count"] == 3


def test_what_feeds_could_not_read_is_counted_once_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    """By feed and field, the first of each in the log, those of a refused price too; equal answers are equal in spite of it."""
    desk = Desk("a", "b")
    odd = (Odd("bid", "not a number", "n/a"), Odd("volume", "less than nothing", "-2147483648"))
    for _ in range(3):
        desk.hear(100.0, quote_time=NOW, odd=odd)
    assert desk.quote.seq == 1, "what is the same is no update"
    desk.hear(0.0, quote_time=NOW, odd=odd[:1])
    desk.hear(100.0, "b", odd=odd[1:])
    state = desk.state["odd_fields"]
    assert state["count"] == 8
    assert [(entry["feed"], entry["field"], entry["count"]) for entry in state["fields"]] == [
        ("b", "volume", 1),
        ("a", "bid", 4),
        ("a", "volume", 3),
    ]
    assert desk.board.incidents()["odd_fields"] == 8
    assert [said for record in caplog.records if "left out" in (said := record.getMessage())] == [
        "feed a: bid of X is left out: not a number [n/a]",
        "feed a: volume of X is left out: less than nothing [-2147483648]",
        "feed b: volume of X is left out: less than nothing [-2147483648]",
    ]
    desk.board.configure({"X": SymbolSettings(feed=("b",))}, {"b": FeedTerms("polled", 2.0)}, desk.now)
    assert [entry["feed"] for entry in desk.state["odd_fields"]["fields"]] == ["b"], "a feed that is gone takes its record along"


@pytest.mark.parametrize(
    ("kind", "ahead_ms", "believed"),
    [("polled", AHEAD_MS, True), ("polled", AHEAD_MS + 1, False), ("relayed", AHEAD_MS + 1, False), ("replayed", 10 * AHEAD_MS, True)],
)
def test_a_time_more_than_a_day_ahead(kind: Kind, ahead_ms: int, believed: bool) -> None:
    """Costs the quote; a recording has a clock of its own."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a",))}, {"a": FeedTerms(kind, 2.0)}, NOW)
    assert len(board.apply("a", {"X": Tick(price=1.0, quote_time=NOW + ahead_ms)}, NOW)) == believed
    assert board.symbols_state()[0].error == (None if believed else "the price was made more than a day from now")


def test_a_close_that_no_session_explains() -> None:
    """A split: no previous close, no change, not the source's own either, and no `open` stands in; told when the close is a new one."""
    desk = Desk(stale_after_s=1_000.0)
    for price in (110.5, 110.6, 110.7):
        desk.hear(price, prev_close=1112.17, open=111.0, change=-1001.67, change_pct=-90.06)
        assert (desk.quote.prev_close, desk.quote.change, desk.quote.change_pct) == (None, None, None)
    assert odd_of(desk.board) == {"prev_close": (1, "no session explains it")}
    desk.hear(110.8, prev_close=4.9e-322)
    assert odd_of(desk.board) == {"prev_close": (2, "no session explains it")}
    desk.hear(110.9, prev_close=111.0)
    assert (desk.quote.prev_close, desk.quote.change, desk.quote.change_pct) == (111.0, -0.1, -0.0901)


@pytest.mark.parametrize(
    ("price", "close", "believed"),
    [(3.0, 1.0, True), (1.0, 3.0, True), (0.7, 2.1, True), (2.1, 0.7, True), (3.001, 1.0, False), (1.0, 3.001, False)],
)
def test_three_times_as_much_is_believed(price: float, close: float, believed: bool) -> None:
    """In decimal, up and down; more is not."""
    desk = Desk()
    desk.hear(price, prev_close=close)
    assert desk.quote.prev_close == (close if believed else None)
    assert (desk.quote.change is not None) == believed


@pytest.mark.parametrize("kind", ["relayed", "replayed"])
def test_what_another_board_computed_is_final(kind: Kind) -> None:
    """It had judged the close, and what it did not know is not known here."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a",))}, {"a": FeedTerms(kind, 2.0)}, NOW)
    (quote,) = board.apply("a", {"X": Tick(price=10.0, prev_close=5.0, open=9.0)}, NOW)
    assert (quote.prev_close, quote.change, quote.change_pct) == (5.0, None, None)
    (quote,) = board.apply("a", {"X": Tick(price=11.0, prev_close=100.0, change=1.0, change_pct=10.0)}, NOW + 1)
    assert (quote.prev_close, quote.change, quote.change_pct) == (100.0, 1.0, 10.0)
    assert odd_of(board) == {}


@given(st.floats(allow_nan=False, allow_infinity=False), SIDED, st.booleans(), st.booleans())
def test_what_remains_can_be_meant(price: float, fields: dict[str, Any], allow_negative: bool, is_final: bool) -> None:
    """Whatever came: finite numbers, no -0.0, no crossed book, nothing below zero that must not be; each field that a reader misses was
    told, save for a zero; and what was judged once is not judged otherwise a second time.
    """
    said = Tick(price=price, **fields)
    tick, odd = sound(said, allow_negative, is_final)
    told = {one.field for one in odd}
    assert len(told) == len(odd)
    for name in (*SIDES, *SIZES, *NUMBERS):
        before, after = getattr(said, name), getattr(tick, name)
        assert after is None or math.isfinite(after)
        if before is not None and after is None:
            assert name in told or (before == 0 and name in SIDES) or (name == "ask" and "bid" in told)
        elif after is not None:
            assert after == before
            assert allow_negative or after > 0 or name not in SIDES or (name == "prev_close" and not is_final)
            assert name not in SIDES or str(after) != "-0.0"
    assert tick.bid is None or tick.ask is None or tick.bid <= tick.ask
    assert str(tick.price) != "-0.0"
    assert sound(tick, allow_negative, is_final)[0] == tick


def test_not_finite_is_never_believed() -> None:
    """Beside the price it is left out, of a symbol that may be negative too."""
    desk = Desk(allow_negative=True)
    assert desk.hear(-1.0, bid=-math.inf, ask=math.nan, change=math.inf) == [-1.0]
    assert (desk.quote.bid, desk.quote.ask, desk.quote.change) == (None, None, None)
    assert odd_of(desk.board) == dict.fromkeys(("bid", "ask", "change"), (1, NOT_FINITE))
