"""Pairs of currencies, and when their daily rates are made."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.ecb import Ecb, EcbSettings
from feeds.values.pairs import DAY_MIN, fixing_ms, national_pair, pair_of, slashed
from tests.feeds.support import JSON, complaint
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.settings.model import SymbolSettings

HOUR_MS = 3_600_000


@pytest.mark.parametrize(("id", "pair"), [
    ("EURUSD", ("EUR", "USD")), ("EUR/USD", ("EUR", "USD")), ("EUR-USD", ("EUR", "USD")), ("EURUSD=X", ("EUR", "USD")),
    ("eurusd", ("EUR", "USD")), ("EUR", None), ("EURUSDX", None), ("EUR//USD", None), ("", None), ("EUR/USD=Y", None)])  # fmt: skip
def test_a_pair_is_written_in_several_ways(id: str, pair: tuple[str, str] | None) -> None:
    """Six letters, with or without something between them."""
    assert pair_of(id) == pair


@pytest.mark.parametrize(("symbol", "pair"), [
    ("EUR/USD", ("EUR", "USD")), ("EUR-USD", ("EUR", "USD")), ("EURUSD=X", ("EUR", "USD")), ("XAU/USD", ("XAU", "USD")),
    ("EURUSD", None), ("BTC-USD", None), ("USD/BTC", None), ("BRK-B", None), ("DOGE/USD", None)])  # fmt: skip
def test_currencies_of_countries_are_told_from_coins(symbol: str, pair: tuple[str, str] | None) -> None:
    """By their codes; and six letters in a row may be anything."""
    assert national_pair(symbol) == pair


@pytest.mark.parametrize(("symbol", "id"), [
    ("BTC-USD", "BTC/USD"), ("BTC/USD", "BTC/USD"), ("BRK-B", "BRK-B"), ("AAPL", "AAPL"), ("-USD", "-USD"), ("A-", "A-"),
    ("USD-COIN-EUR", "USD-COIN/EUR")])  # fmt: skip
def test_a_dash_before_a_currency_becomes_a_slash(symbol: str, id: str) -> None:
    """But not before a share's class."""
    assert slashed(symbol) == id


@pytest.mark.parametrize(("day", "utc"), [
    ("2026-01-15", "13:10"), ("2026-03-27", "13:10"), ("2026-03-30", "12:10"), ("2026-10-23", "12:10"), ("2026-10-26", "13:10"),
    ("2024-03-31", "12:10"), ("2024-10-27", "13:10"), ("2023-04-06", "12:10")])  # fmt: skip
def test_rates_are_made_at_ten_past_two_in_frankfurt(day: str, utc: str) -> None:
    """Summer time begins on the last Sunday of March and ends on that of October."""
    made = datetime.fromtimestamp(fixing_ms(day, "date") / 1000, UTC)
    assert made.strftime("%Y-%m-%d %H:%M") == f"{day} {utc}"


@pytest.mark.parametrize("day", ["20260115", "2026-02-30", "2026-1-5", "1998-12-31", "2100-01-01", "", None, 20260115, "2026-01-15T00:00"])
def test_what_is_no_day_is_a_complaint(day: object) -> None:
    """One that names the field."""
    assert str(complaint(lambda: fixing_ms(day, "date"))).startswith("date: not a day")


@given(JSON | st.dates().map(str))
def test_any_value_is_a_time_or_a_complaint(day: object) -> None:
    """Nothing else."""
    try:
        made_ms = fixing_ms(day, "date")
    except FeedError:
        return
    assert 900_000_000_000 < made_ms < 4_102_444_800_000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-04-02", "2026-04-07"),  # Easter: four days without a rate, the longest there are
        ("2026-11-27", "2026-11-30"),  # a weekend
        ("2026-12-24", "2026-12-28"),  # Christmas, on a Friday and a Saturday
    ],
)
def test_a_days_rate_holds_until_the_next_and_not_much_longer(before: str, after: str) -> None:
    """Polled each hour, it is fresh until the next is there, two hours after it was made, and three hours more; a file that stays the
    same from then on is stale before the sixth day is over.
    """
    made_ms, next_ms = fixing_ms(before, "day"), fixing_ms(after, "day")
    board = Board("epoch")
    board.configure(
        {"EURUSD": SymbolSettings(feed=("ecb",))},
        {"ecb": FeedTerms("polled", EcbSettings.model_fields["interval_s"].default, cadence_s=Ecb.cadence_s)},
        made_ms,
    )
    states: dict[int, str] = {}
    for now_ms in range(made_ms + 2 * HOUR_MS, made_ms + 7 * 24 * HOUR_MS, HOUR_MS):
        board.apply("ecb", {"EURUSD": Tick(price=1.1, quote_time=made_ms, delay_min=DAY_MIN, cadence="day")}, now_ms)
        board.sweep(now_ms)
        states[now_ms] = board.quotes["EURUSD"].state
    assert {state for now_ms, state in states.items() if now_ms <= next_ms + 5 * HOUR_MS} == {"fresh"}
    assert {state for now_ms, state in states.items() if now_ms >= made_ms + 6 * 24 * HOUR_MS} == {"stale"}
