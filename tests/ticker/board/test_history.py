"""The last hour in bars of a minute."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.board.history import MINUTE_MS, MINUTES, Bar, History
from ticker.calendars.market_hours import DAY_MS
from ticker.quote import Quote, State, VolumeOf

START_MS = 1_800_000_000_000 // MINUTE_MS * MINUTE_MS
MIDNIGHT_MS = START_MS // DAY_MS * DAY_MS


class Board:
    """A board of one symbol, A, and its history."""

    def __init__(self, volume_of: VolumeOf = "session") -> None:
        self.volume_of = volume_of
        self.history = History()

    def look(
        self,
        now_ms: int,
        price: float = 10.0,
        volume: float | None = None,
        state: State = "fresh",
        source: str = "s",
        quote_time: int | None = None,
        origin: str | None = None,
    ) -> None:
        """The board as it stands then."""
        quote = Quote(
            symbol="A",
            price=price,
            volume=volume,
            received_time=0,
            seq=1,
            source=source,
            kind="polled",
            state=state,
            quote_time=quote_time,
            origin=origin,
        )
        self.history.sample({"A": quote}, {"A": self.volume_of}, now_ms)

    def counts(self, *counts: float | None, first_ms: int = START_MS) -> list[float | None]:
        """The volumes of the bars of the last hour, after looks 20 s apart."""
        for number, count in enumerate(counts):
            self.look(first_ms + number * 20_000, volume=count)
        return [bar.volume for bar in self.history.bars("A", first_ms + len(counts) * 20_000)]


def test_a_minute_becomes_one_bar() -> None:
    """Open is the first look, close the last, high and low the extremes, volume what the source's count grew by."""
    board = Board()
    board.look(START_MS - 1000, volume=90.0)
    for second, (price, volume) in enumerate([(10.0, 100.0), (12.0, 110.0), (9.0, 115.0), (11.0, 130.0)]):
        board.look(START_MS + second * 1000, price, volume)
    assert board.history.bars("A", START_MS)[-1] == Bar(START_MS, 10.0, 12.0, 9.0, 11.0, 40.0)


@pytest.mark.parametrize(
    ("volume_of", "counts", "expected"),
    [
        ("session", (100, 101, 103, 103, 110, 110), [None, 7]),  # what came before the first look nobody knows
        ("session", (100, 100, 100, 100, 7, 9), [None, 9]),  # another session
        ("session", (100, 100, 100, 100, 97, 99, 99, 104, 104), [None, None, 5]),  # a trade was taken back
        ("day_utc", (100, 100, 100, 100, 97, 99, 99, 104, 104), [None, None, 5]),
        ("24h", (12000.0, 12000.4, 12000.1, 12000.6, 11999.8, 12000.2), [None, None]),
        ("session", (None,) * 6, [None, None]),
        ("session", (100, 100, 100, 101, None, 103, 104, 104, 104), [None, None, 1]),
        ("session", (0, 0, 0, 0, 0, 0), [None, 0]),
    ],
)
def test_a_volume_is_true_or_absent(volume_of: VolumeOf, counts: tuple[float | None, ...], expected: list[float | None]) -> None:
    """It comes from what a count grew by, or a session began with; a fall that is neither tells nothing."""
    assert Board(volume_of).counts(*counts) == expected


def test_a_day_ends_at_midnight() -> None:
    """What is counted of the new one is its own, however little less that is; where it is more, part of it could be either's."""
    assert Board("day_utc").counts(50, 60, 60, 40, 40, 41, first_ms=MIDNIGHT_MS - MINUTE_MS) == [None, 41]
    assert Board("day_utc").counts(50, 60, 60, 70, 70, 71, first_ms=MIDNIGHT_MS - MINUTE_MS) == [None, None]
    assert Board("session").counts(50, 60, 60, 40, 40, 41, first_ms=MIDNIGHT_MS - MINUTE_MS) == [None, None]
    board = Board("day_utc")
    for second, (count, made_ms) in enumerate([(50, -2000), (60, -1000), (60, -1000), (40, 500)]):  # by the source's own time, also
        board.look(START_MS + second * 20_000, volume=count, quote_time=MIDNIGHT_MS + made_ms)  # where a recording is replayed at noon
    assert [bar.volume for bar in board.history.bars("A", START_MS + MINUTE_MS)] == [None, 40]


def test_a_session_begins_after_a_rest() -> None:
    """Its first trades have their bar; a count that grows over the rest could be of either session."""
    for first, expected in ((3.0, 5.0), (120.0, None)):
        board = Board()
        board.look(START_MS, volume=100.0)
        for minute in range(1, 30):
            board.look(START_MS + minute * MINUTE_MS, volume=100.0, state="closed")
        board.look(START_MS + 30 * MINUTE_MS, volume=first)
        board.look(START_MS + 30 * MINUTE_MS + 1000, volume=first + 2)
        assert board.history.bars("A", START_MS + 30 * MINUTE_MS)[-1].volume == expected


@pytest.mark.parametrize("other", [{"source": "t"}, {"origin": "t"}])
def test_a_count_is_a_sources_own(other: dict[str, Any]) -> None:
    """The difference of two exchanges is no trade, also where a relay stands between."""
    board = Board()
    board.look(START_MS, volume=100.0)
    board.look(START_MS + MINUTE_MS, volume=110.0)
    for second, count in ((1, 5000.0), (2, 5001.0)):
        board.look(START_MS + MINUTE_MS + second * 1000, volume=count, **other)
    board.look(START_MS + 2 * MINUTE_MS, volume=5004.0, **other)
    assert [bar.volume for bar in board.history.bars("A", START_MS + 2 * MINUTE_MS)] == [None, None, 3.0]


def test_what_was_traded_while_nobody_looked_belongs_to_no_bar() -> None:
    """Not to the minute in which somebody looks again."""
    board = Board()
    for minute, count in ((0, 100.0), (1, 101.0), (2, 102.0), (9, 950.0), (10, 951.0)):
        board.look(START_MS + minute * MINUTE_MS, volume=count)
    assert [bar.volume for bar in board.history.bars("A", START_MS + 10 * MINUTE_MS)] == [None, 1, 1, None, 1]


class Step(NamedTuple):
    """What happens next: so much later a trade, or the board is looked at, or nobody looks, or the market is shut before that."""

    kind: Literal["trade", "look", "hole", "rest"]
    passed_ms: int
    size: int


@given(st.sampled_from(["session", "day_utc", "24h"]), st.booleans(), st.integers(0, 5 * MINUTE_MS), st.lists(st.builds(
    Step, st.sampled_from(["trade", "trade", "trade", "look", "hole", "rest"]), st.integers(1, 90_000), st.integers(1, 40)), max_size=60
))  # fmt: skip
def test_of_random_trades_each_bar_has_the_true_volume_or_none(kind: VolumeOf, at_once: bool, before_ms: int, steps: list[Step]) -> None:
    """Through each kind of count. `at_once`: a new session is counted from nothing before its first trade."""
    board, now_ms = Board(kind), MIDNIGHT_MS - before_ms
    trades: list[tuple[int, int]] = []
    true: dict[int, float] = {}
    session = 0  # where the trades of this one begin

    def count() -> float:
        since_ms = {"session": 0, "day_utc": now_ms // DAY_MS * DAY_MS, "24h": now_ms - DAY_MS}[kind]
        first = session if kind == "session" else 0
        return float(sum(size for made_ms, size in trades[first:] if made_ms >= since_ms))

    begins = False
    board.look(now_ms, volume=count())
    for step in steps:
        if step.kind == "rest" and kind == "session":
            for _ in range(4):
                now_ms += 40_000
                board.look(now_ms, volume=count(), state="closed")
            begins = True
            if at_once:
                session, begins = len(trades), False
        now_ms += step.passed_ms
        if step.kind == "trade":
            if begins:
                session, begins = len(trades), False
            trades.append((now_ms, step.size))
            minute = now_ms // MINUTE_MS
            true[minute] = true.get(minute, 0.0) + step.size
        if step.kind != "hole":
            board.look(now_ms, volume=count())
    for bar in board.history.bars("A", now_ms):
        assert bar.volume in (None, true.get(bar.time_ms // MINUTE_MS, 0.0))
        assert kind != "24h" or bar.volume is None


def test_a_price_that_is_not_fresh_makes_a_gap() -> None:
    """A stale price is no price of that minute."""
    board = Board()
    board.look(START_MS)
    board.look(START_MS + MINUTE_MS, state="stale")
    board.look(START_MS + 2 * MINUTE_MS, 11.0)
    assert board.history.sparkline("A", START_MS + 2 * MINUTE_MS) == [(START_MS, 10.0), (START_MS + 2 * MINUTE_MS, 11.0)]


def test_a_symbol_that_left_is_forgotten() -> None:
    """What is added again begins anew."""
    board = Board()
    board.look(START_MS)
    board.history.sample({}, {}, START_MS + 1000)
    assert board.history.bars("A", START_MS) == []


def test_a_clock_set_back_adds_nothing_out_of_order() -> None:
    """Bars stay in order when the wall clock is set back."""
    board = Board()
    board.look(START_MS + 5 * MINUTE_MS)
    board.look(START_MS, 99.0)
    assert [bar.close for bar in board.history.bars("A", START_MS + 5 * MINUTE_MS)] == [10.0]


@given(st.lists(st.tuples(st.integers(0, 40 * MINUTE_MS), st.floats(-1e6, 1e6) | st.sampled_from([-1.0, 0.0, -37.63])), max_size=200))
def test_bars_are_those_of_a_simple_model(looks: list[tuple[int, float]]) -> None:
    """Whatever the gaps, and of whatever sign the prices, the ring holds the bars of the last 60 minutes and no others."""
    board, model, now_ms = Board(), dict[int, list[float]](), START_MS
    for elapsed_ms, price in looks:
        now_ms += elapsed_ms
        board.look(now_ms, price)
        model.setdefault(now_ms // MINUTE_MS, []).append(price)
    newest = now_ms // MINUTE_MS
    expected = [
        Bar(minute * MINUTE_MS, prices[0], max(prices), min(prices), prices[-1], None)
        for minute, prices in sorted(model.items())
        if minute > newest - MINUTES
    ]
    assert board.history.bars("A", now_ms) == expected
