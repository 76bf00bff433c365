"""Yahoo's charts as ticks: what stands in for a row that is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.yahoo.feed import Yahoo
from feeds.yahoo.quotes import parse_chart
from tests.feeds.support import JSON, answers_or_complains, complaint, mutated, subscribe
from ticker.quote import MarketSession, Tick

MADE_S = 1739979002
META: dict[str, Any] = {
    "currency": "USD", "symbol": "MSFT", "exchangeName": "NMS", "instrumentType": "EQUITY", "firstTradeDate": 511108200,
    "regularMarketTime": MADE_S, "hasPrePostMarketData": True, "gmtoffset": -18000, "timezone": "EST",
    "exchangeTimezoneName": "America/New_York", "regularMarketPrice": 414.77, "regularMarketDayHigh": 415.49, "regularMarketDayLow": 407.65,
    "regularMarketVolume": 24114195, "chartPreviousClose": 409.64, "priceHint": 2, "currentTradingPeriod": {
        "pre": {"timezone": "EST", "start": 1739955600, "end": 1739975400, "gmtoffset": -18000},
        "regular": {"timezone": "EST", "start": 1739975400, "end": 1739998800, "gmtoffset": -18000},
        "post": {"timezone": "EST", "start": 1739998800, "end": 1740013200, "gmtoffset": -18000}},
    "dataGranularity": "1d", "range": "1d", "validRanges": ["1d", "5d", "max"]}  # fmt: skip
BAR = {"open": [407.8800048828125], "high": [415.489990234375], "low": [407.6499938964844], "close": [414.7699890136719],
       "volume": [24114195]}  # fmt: skip
CHART: dict[str, Any] = {
    "chart": {
        "result": [{"meta": META, "timestamp": [1739975400], "indicators": {"quote": [BAR], "adjclose": [{"adjclose": BAR["close"]}]}}],
        "error": None,
    }
}
(STOCK,) = subscribe(Yahoo, "MSFT")


def chart(**changes: Any) -> bytes:
    """The chart with some of its `meta` changed."""
    (result,) = CHART["chart"]["result"]
    return json.dumps({"chart": {"result": [result | {"meta": META | changes}], "error": None}}).encode()


def test_a_chart_is_read_field_by_field() -> None:
    """Its bar brings the open; at noon in New York the market is open."""
    assert parse_chart(chart(), STOCK, MADE_S * 1000) == Tick(
        price=414.77,
        open=407.88,
        high=415.49,
        low=407.65,
        prev_close=409.64,
        volume=24114195.0,
        currency="USD",
        quote_time=1_739_979_002_000,
        session="regular",
    )


@pytest.mark.parametrize(("changes", "prev_close"), [
    ({"range": "5d"}, None), ({"range": ""}, None), ({"range": "5d", "previousClose": 409.6}, 409.6), ({"previousClose": 409.6}, 409.6),
    ({"chartPreviousClose": None}, None), ({"currency": "ZAc"}, 4.0964)])  # fmt: skip
def test_the_close_before_another_range_is_not_yesterdays(changes: dict[str, Any], prev_close: float | None) -> None:
    """`chartPreviousClose` is the close before whatever was asked for."""
    assert parse_chart(chart(**changes), STOCK, 0).prev_close == prev_close


@pytest.mark.parametrize(("at_s", "session"), [
    (1739955599, "closed"), (1739955600, "pre"), (1739975399, "pre"), (1739975400, "regular"), (1739998799, "regular"),
    (1739998800, "post"), (1740013199, "post"), (1740013200, "closed")])  # fmt: skip
def test_the_hours_of_the_market_tell_the_session(at_s: int, session: MarketSession) -> None:
    """From its first second to the last but one."""
    assert parse_chart(chart(), STOCK, at_s * 1000).session == session


def test_without_hours_the_session_is_unknown_and_crypto_has_none() -> None:
    """Its hours would leave out the last minute of each day."""
    assert parse_chart(chart(currentTradingPeriod=None), STOCK, 0).session is None
    assert parse_chart(chart(currentTradingPeriod={"pre": {"start": 1739955600, "end": 1739975400}}), STOCK, 0).session is None
    assert parse_chart(chart(instrumentType="CRYPTOCURRENCY"), STOCK, 0).session == "regular"
    assert parse_chart(chart(instrumentType="CRYPTOCURRENCY", currentTradingPeriod=None), STOCK, 0).session == "regular"


@pytest.mark.parametrize(("changes", "opened"), [
    ({"timestamp": [1739975400 - 86_400]}, None), ({"timestamp": [1740009599]}, 407.88), ({"timestamp": [1739975400, 1739979000]}, None),
    ({"timestamp": []}, None), ({"timestamp": None}, None), ({"indicators": {"quote": [{}]}}, None), ({"indicators": None}, None),
    ({"indicators": {"quote": [{"open": [None]}]}}, None), ({"indicators": {"quote": []}}, None)])  # fmt: skip
def test_a_bar_that_is_not_the_day_of_the_price_brings_no_open(changes: dict[str, Any], opened: float | None) -> None:
    """Days are the exchange's: 18:59:59 in New York is still the 19th, though it is the 20th in London."""
    (result,) = CHART["chart"]["result"]
    content = {"chart": {"result": [result | {"meta": META | {"regularMarketTime": 1739998801}} | changes], "error": None}}
    assert parse_chart(json.dumps(content).encode(), STOCK, 0).open == opened


def test_a_chart_of_something_else_is_an_error() -> None:
    """What is asked for is what must come."""
    assert "not that of MSFT" in str(complaint(lambda: parse_chart(chart(symbol="AAPL"), STOCK, 0)))
    assert complaint(lambda: parse_chart(chart(regularMarketPrice=None), STOCK, 0)).rejects_symbol
    assert not complaint(lambda: parse_chart(chart(regularMarketPrice="?"), STOCK, 0)).rejects_symbol


@pytest.mark.parametrize("changes", [
    {"regularMarketDayLow": "?"}, {"chartPreviousClose": []}, {"regularMarketVolume": -2**31}, {"currency": "<b>"}, {"gmtoffset": "?"},
    {"currentTradingPeriod": {"regular": {"start": "?", "end": {}}}}, {"regularMarketTime": "?"}])  # fmt: skip
def test_what_is_odd_about_a_chart_costs_no_price(changes: dict[str, Any]) -> None:
    """As in a row."""
    assert parse_chart(chart(**changes), STOCK, MADE_S * 1000).price == 414.77


@given(mutated(CHART), st.integers(0, 2_000_000_000_000))
def test_a_mutated_chart_is_a_tick_or_a_complaint(payload: bytes, now_ms: int) -> None:
    """At any time."""
    answers_or_complains(lambda: {"MSFT": parse_chart(payload, STOCK, now_ms)}, {"MSFT"})


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_a_tick_or_a_complaint(payload: bytes) -> None:
    """JSON or not."""
    answers_or_complains(lambda: {"MSFT": parse_chart(payload, STOCK, 0)}, {"MSFT"})
