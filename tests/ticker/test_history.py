"""The last hour in bars of a minute."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ticker.history import MINUTE_MS, MINUTES, Bar, History
from ticker.quote import Quote, State

START_MS = 1_800_000_000_000 // MINUTE_MS * MINUTE_MS


def board(price: float, volume: float | None = None, state: State = "fresh", symbol: str = "A") -> dict[str, Quote]:
    """A board of one symbol."""
    return {symbol: Quote(symbol=symbol, price=price, volume=volume, received_time=0, seq=1, source="s", kind="polled", state=state)}


def test_a_minute_becomes_one_bar() -> None:
    """Open is the first look, close the last, high and low the extremes, volume what the source's count grew by."""
    history = History()
    for second, (price, volume) in enumerate([(10.0, 100.0), (12.0, 110.0), (9.0, 115.0), (11.0, 130.0)]):
        history.sample(board(price, volume), START_MS + second * 1000)
    assert history.bars("A", START_MS) == [Bar(START_MS, 10.0, 12.0, 9.0, 11.0, 30.0)]


def test_a_new_session_counts_volume_from_nothing() -> None:
    """A count that falls began anew."""
    history = History()
    history.sample(board(10, 100.0), START_MS)
    history.sample(board(10, 7.0), START_MS + 1000)
    assert history.bars("A", START_MS)[0].volume == 7.0


def test_a_price_that_is_not_fresh_makes_a_gap() -> None:
    """A stale price is no price of that minute."""
    history = History()
    history.sample(board(10), START_MS)
    history.sample(board(10, state="stale"), START_MS + MINUTE_MS)
    history.sample(board(11), START_MS + 2 * MINUTE_MS)
    assert history.sparkline("A", START_MS + 2 * MINUTE_MS) == [(START_MS, 10.0), (START_MS + 2 * MINUTE_MS, 11.0)]


def test_a_symbol_that_left_is_forgotten() -> None:
    """What is added again begins anew."""
    history = History()
    history.sample(board(10), START_MS)
    history.sample({}, START_MS + 1000)
    assert history.bars("A", START_MS) == []


def test_a_clock_set_back_adds_nothing_out_of_order() -> None:
    """Bars stay in order when the wall clock is set back."""
    history = History()
    history.sample(board(10), START_MS + 5 * MINUTE_MS)
    history.sample(board(99), START_MS)
    assert [bar.close for bar in history.bars("A", START_MS + 5 * MINUTE_MS)] == [10.0]


@given(st.lists(st.tuples(st.integers(0, 40 * MINUTE_MS), st.floats(0.01, 1e6)), max_size=200))
def test_bars_are_those_of_a_simple_model(looks: list[tuple[int, float]]) -> None:
    """Whatever the gaps, the ring holds the bars of the last 60 minutes and no others."""
    history, model, now_ms = History(), dict[int, list[float]](), START_MS
    for elapsed_ms, price in looks:
        now_ms += elapsed_ms
        history.sample(board(price), now_ms)
        model.setdefault(now_ms // MINUTE_MS, []).append(price)
    newest = now_ms // MINUTE_MS
    expected = [Bar(minute * MINUTE_MS, prices[0], max(prices), min(prices), prices[-1], 0.0)
                for minute, prices in sorted(model.items()) if minute > newest - MINUTES]
    assert history.bars("A", now_ms) == expected
