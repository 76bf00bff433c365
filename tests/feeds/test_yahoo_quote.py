"""Yahoo's rows and charts as ticks."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.base import Subscription
from feeds.yahoo import Yahoo
from feeds.yahoo_quote import FIELDS, key_of, parse, parse_chart
from tests.feeds.support import JSON, answers_or_complains, complaint, mutated, subscribe
from ticker.change import change_of
from ticker.errors import FeedError
from ticker.quote import Session, Tick

MICROSOFT: dict[str, Any] = {
    "language": "en-US", "quoteType": "EQUITY", "shortName": "Microsoft Corporation", "marketState": "POST", "currency": "USD",
    "regularMarketChangePercent": -0.5152839, "regularMarketPrice": 408.43, "exchange": "NMS", "exchangeTimezoneName": "America/New_York",
    "gmtOffSetMilliseconds": -18000000, "firstTradeDateMilliseconds": 511108200000, "priceHint": 2, "postMarketTime": 1739580000,
    "regularMarketTime": 1739566801, "postMarketChangePercent": 0.1126306, "postMarketPrice": 408.89, "postMarketChange": 0.4600067,
    "regularMarketChange": -2.1154785, "regularMarketDayHigh": 408.91, "regularMarketDayRange": "405.88 - 408.91",
    "regularMarketDayLow": 405.88, "regularMarketVolume": 22758464, "regularMarketPreviousClose": 410.54547, "bid": 408.2, "ask": 408.9,
    "bidSize": 4, "askSize": 2, "regularMarketOpen": 407.79, "exchangeDataDelayedBy": 0, "corporateActions": [], "symbol": "MSFT"}
VODAFONE: dict[str, Any] = {
    "quoteType": "EQUITY", "currency": "GBp", "marketState": "REGULAR", "regularMarketPrice": 67.30000305175781, "priceHint": 2,
    "regularMarketTime": 1739789683, "regularMarketPreviousClose": 66.9, "regularMarketOpen": 66.92, "regularMarketDayHigh": 67.48,
    "regularMarketDayLow": 66.56, "regularMarketVolume": 31245071, "regularMarketChange": 0.4000015, "regularMarketChangePercent": 0.59791,
    "bid": 67.28, "ask": 67.32, "exchangeDataDelayedBy": 15, "symbol": "VOD.L"}
EURO: dict[str, Any] = {
    "quoteType": "CURRENCY", "currency": "USD", "marketState": "REGULAR", "regularMarketPrice": 1.0841284, "priceHint": 4,
    "regularMarketTime": 1739789683, "regularMarketPreviousClose": 1.0846786, "regularMarketVolume": 0, "bid": 1.0841284, "ask": 1.0835764,
    "bidSize": 0, "askSize": 0, "regularMarketChange": -0.00055015087, "symbol": "EURUSD=X"}
BATCH = subscribe(Yahoo, "MSFT", "VOD.L", "EURUSD=X")

MADE_S = 1739979002
META: dict[str, Any] = {
    "currency": "USD", "symbol": "MSFT", "exchangeName": "NMS", "instrumentType": "EQUITY", "firstTradeDate": 511108200,
    "regularMarketTime": MADE_S, "hasPrePostMarketData": True, "gmtoffset": -18000, "timezone": "EST",
    "exchangeTimezoneName": "America/New_York", "regularMarketPrice": 414.77, "regularMarketDayHigh": 415.49, "regularMarketDayLow": 407.65,
    "regularMarketVolume": 24114195, "chartPreviousClose": 409.64, "priceHint": 2, "currentTradingPeriod": {
        "pre": {"timezone": "EST", "start": 1739955600, "end": 1739975400, "gmtoffset": -18000},
        "regular": {"timezone": "EST", "start": 1739975400, "end": 1739998800, "gmtoffset": -18000},
        "post": {"timezone": "EST", "start": 1739998800, "end": 1740013200, "gmtoffset": -18000}},
    "dataGranularity": "1d", "range": "1d", "validRanges": ["1d", "5d", "max"]}
BAR = {"open": [407.8800048828125], "high": [415.489990234375], "low": [407.6499938964844], "close": [414.7699890136719],
       "volume": [24114195]}
CHART: dict[str, Any] = {"chart": {"result": [
    {"meta": META, "timestamp": [1739975400], "indicators": {"quote": [BAR], "adjclose": [{"adjclose": BAR["close"]}]}}], "error": None}}
(STOCK,) = subscribe(Yahoo, "MSFT")


def body(*rows: Any) -> bytes:
    """An answer with these rows."""
    return json.dumps({"quoteResponse": {"result": rows, "error": None}}).encode()


def tick(row: dict[str, Any], **changes: Any) -> Tick:
    """The tick of one row, with some fields changed."""
    changed = row | changes
    answer = parse(body(changed), [Subscription("X", changed["symbol"], Yahoo.Options())])["X"]
    if isinstance(answer, FeedError):
        raise answer
    return answer


def chart(**changes: Any) -> bytes:
    """The chart with some of its `meta` changed."""
    (result,) = CHART["chart"]["result"]
    return json.dumps({"chart": {"result": [result | {"meta": META | changes}], "error": None}}).encode()


def test_a_row_is_read_field_by_field() -> None:
    """Seconds become ms, percents stay percents, the change loses the noise of 32 bits, the evening's price stays apart."""
    assert tick(MICROSOFT) == Tick(
        price=408.43, bid=408.2, ask=408.9, open=407.79, high=408.91, low=405.88, prev_close=410.54547, volume=22758464.0,
        change=-2.11547, change_pct=-0.5153, currency="USD", quote_time=1_739_566_801_000, delay_min=0.0, session="post",
        ext_price=408.89, ext_change_pct=0.1126, ext_time=1_739_580_000_000)


def test_pence_become_pounds_in_every_field() -> None:
    """Exact in decimal; volume, percent and time are no prices."""
    assert tick(VODAFONE, preMarketPrice=67.5, preMarketChangePercent=0.3, preMarketTime=1739789700) == Tick(
        price=0.673, bid=0.6728, ask=0.6732, open=0.6692, high=0.6748, low=0.6656, prev_close=0.669, volume=31245071.0, change=0.004,
        change_pct=0.5979, currency="GBP", quote_time=1_739_789_683_000, delay_min=15.0, session="regular",
        ext_price=0.675, ext_change_pct=0.3, ext_time=1_739_789_700_000)


def test_a_currency_has_neither_crossed_quotes_nor_a_volume() -> None:
    """One of bid and ask is old, and which is not said."""
    assert tick(EURO) == Tick(price=1.0841284, prev_close=1.0846786, change=-0.0005502, currency="USD", quote_time=1_739_789_683_000,
                              session="regular")
    assert (tick(EURO, bid=1.0835764).bid, tick(EURO, ask=1.0841284).ask) == (1.0835764, 1.0841284)
    assert tick(EURO, quoteType="INDEX").volume is None
    assert tick(EURO, quoteType="EQUITY").volume == 0.0


def test_what_is_missing_is_unknown() -> None:
    """A row may hold a price and nothing else."""
    assert tick({"symbol": "A", "regularMarketPrice": 5}) == Tick(price=5.0)
    assert tick({"symbol": "A", "regularMarketPrice": 5, "bid": 0, "ask": 0.0, "regularMarketOpen": None, "regularMarketTime": 0,
                 "currency": None, "priceHint": "2", "marketState": "SIESTA", "quoteType": None}) == Tick(price=5.0)


def test_numbers_may_come_formatted() -> None:
    """As some hosts do whatever they are asked for; an empty object is nothing."""
    row = {key: {"raw": value, "fmt": f"{value:.2f}"} if isinstance(value, int | float) else value for key, value in MICROSOFT.items()}
    assert tick(row, bid={}, ask={"raw": 408.9, "fmt": "408.90", "longFmt": "408.90"}) == tick(MICROSOFT, bid=None)


@pytest.mark.parametrize(("state", "session"), [
    ("PREPRE", "closed"), ("PRE", "pre"), ("REGULAR", "regular"), ("POST", "post"), ("POSTPOST", "closed"), ("CLOSED", "closed"),
    ("LUNCH", None), (None, None), (7, None), ([], None), ({"a": 1}, None)])
def test_the_market_state_is_the_session(state: object, session: Session | None) -> None:
    """In the hours around midnight nobody trades; what is not understood is not known."""
    assert tick(MICROSOFT, marketState=state).session == session


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, (408.89, 0.1126, 1_739_580_000_000)),
    ({"marketState": "PRE", "preMarketPrice": 409.5, "preMarketTime": 1739620000, "preMarketChangePercent": 0.262},
     (409.5, 0.262, 1_739_620_000_000)),
    ({"marketState": "REGULAR", "regularMarketTime": 1739640000}, (None, None, None)),
    ({"postMarketTime": None}, (408.89, 0.1126, None)),
    ({"postMarketTime": None, "marketState": "REGULAR"}, (None, None, None)),
    ({"postMarketChangePercent": None}, (408.89, None, 1_739_580_000_000)),
    ({"postMarketPrice": 0}, (None, None, None)),
    ({"postMarketPrice": None, "postMarketTime": None}, (None, None, None))])
def test_the_newest_price_outside_the_hours_counts_if_it_is_newer_than_the_regular_one(changes: dict[str, Any], expected: object) -> None:
    """At noon this morning's and last evening's are both still there."""
    found = tick(MICROSOFT, **changes)
    assert (found.ext_price, found.ext_change_pct, found.ext_time) == expected
    assert found.price == 408.43


@pytest.mark.parametrize("rows", [
    [], [{"symbol": "NOPE", "quoteType": "NONE"}], [{"symbol": "NOPE", "quoteType": "NONE", "regularMarketPrice": 1.5}],
    [{"symbol": "NOPE", "quoteType": "EQUITY"}], [{"symbol": "NOPE", "quoteType": "EQUITY", "regularMarketPrice": None}],
    [{"symbol": "NOPE", "regularMarketPrice": {}}]])
def test_an_unknown_symbol_is_rejected_and_the_others_live(rows: list[Any]) -> None:
    """In each of the shapes that it has."""
    answer = parse(body(MICROSOFT, *rows), subscribe(Yahoo, "NOPE", "MSFT"))
    error = answer["NOPE"]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, error.retryable) == (True, False)
    assert str(error).startswith("Yahoo has no price for 'NOPE'")
    assert isinstance(answer["MSFT"], Tick)


@pytest.mark.parametrize("field", [
    "regularMarketPrice", "regularMarketTime", "regularMarketPreviousClose", "regularMarketChange", "regularMarketChangePercent", "bid",
    "regularMarketVolume", "exchangeDataDelayedBy", "postMarketPrice", "postMarketTime", "postMarketChangePercent"])
@pytest.mark.parametrize("value", ["soon", True, [], math.nan, math.inf, 10**400])
def test_one_bad_field_spoils_its_row_and_no_other(field: str, value: object) -> None:
    """Half a quote may be a wrong quote; NaN and numbers that no float can hold, which are no JSON to most, cost no more."""
    answer = parse(body(MICROSOFT | {field: value}, VODAFONE, EURO), BATCH)
    error = answer["MSFT"]
    assert isinstance(error, FeedError)
    assert (str(error).startswith(f"{field}: "), error.rejects_symbol) == (True, False)
    assert isinstance(answer["VOD.L"], Tick)
    assert isinstance(answer["EURUSD=X"], Tick)


@pytest.mark.parametrize("value", [0, -1.5, "0", 1e300])
def test_what_is_no_price_is_an_error_and_no_unknown_symbol(value: object) -> None:
    """The provider knows it and is wrong about it."""
    error = complaint(lambda: tick(MICROSOFT, regularMarketPrice=value))
    assert not error.rejects_symbol
    assert str(error).startswith("regularMarketPrice: ")
    assert "not a " in str(error)


def test_rows_are_found_by_symbol() -> None:
    """In any order, in any case, under the name that Yahoo prefers, among rows of others and things that are no rows."""
    yen = {"symbol": "JPY=X", "regularMarketPrice": 151.91}
    batch = subscribe(Yahoo, "VOD.L", A="msft", B="USDJPY=X", C="JPY=X")
    answer = parse(body(None, 5, [], {"symbol": 7}, yen, MICROSOFT, EURO, VODAFONE), batch)
    prices = {symbol: found.price for symbol, found in answer.items() if isinstance(found, Tick)}
    assert prices == {"VOD.L": 0.673, "A": 408.43, "B": 151.91, "C": 151.91}


@pytest.mark.parametrize(("id", "key"), [
    ("aapl", "AAPL"), ("USDJPY=X", "JPY=X"), ("JPY=X", "JPY=X"), ("EURUSD=X", "EURUSD=X"), ("USDC-USD", "USDC-USD"), ("USD=X", "USD=X")])
def test_an_id_has_one_spelling(id: str, key: str) -> None:
    """Capitals; a dollar in front of a currency pair is left out."""
    assert key_of(id) == key


@pytest.mark.parametrize(("changes", "open_price", "change_pct"), [
    ({}, 407.79, -0.5153), ({"regularMarketChangePercent": None}, 407.79, -0.5153),
    ({"regularMarketPreviousClose": None, "regularMarketChangePercent": None}, 407.79, None),
    ({"regularMarketPreviousClose": None, "regularMarketChangePercent": None, "marketState": None}, None, None)])
def test_without_a_previous_close_there_is_no_change(changes: dict[str, Any], open_price: float | None, change_pct: float | None) -> None:
    """Least of all one against this morning's open."""
    found = tick(MICROSOFT, **changes)
    assert found.open == open_price
    assert change_of(found)[1] == change_pct


@pytest.mark.parametrize("content", [
    {}, [], {"quoteResponse": None}, {"quoteResponse": {"result": None, "error": None}}, {"quoteResponse": {"error": {"code": "Bad"}}},
    {"quoteResponse": {"result": [MICROSOFT], "error": {"code": "Internal"}}}, {"finance": {"result": None, "error": {"code": "x"}}}])
def test_an_answer_without_rows_fails_as_a_whole(content: object) -> None:
    """Then no symbol is to blame."""
    error = complaint(lambda: parse(json.dumps(content).encode(), BATCH))
    assert (error.retryable, error.rejects_symbol) == (True, False)


@pytest.mark.parametrize("where", ["finance", "quoteResponse"])
def test_an_error_that_yahoo_names_is_passed_on(where: str) -> None:
    """With status 200, under either of its names."""
    body = json.dumps({where: {"result": None, "error": {"code": "Internal Server Error", "description": "ngrams"}}}).encode()
    assert "Internal Server Error" in str(complaint(lambda: parse(body, BATCH)))


def test_every_field_that_is_read_is_asked_for() -> None:
    """`fields` keeps the rest away: with nothing else in the row the tick is the same."""
    asked = set(FIELDS.split(","))
    row = {key: value for key, value in (MICROSOFT | VODAFONE | {"preMarketPrice": 1.5}).items() if key in asked}
    assert tick(row) == tick(MICROSOFT | VODAFONE | {"preMarketPrice": 1.5})
    assert len(asked) == len(FIELDS.split(","))


def test_a_chart_is_read_field_by_field() -> None:
    """Its bar brings the open; at noon in New York the market is open."""
    assert parse_chart(chart(), STOCK, MADE_S * 1000) == Tick(
        price=414.77, open=407.88, high=415.49, low=407.65, prev_close=409.64, volume=24114195.0, currency="USD",
        quote_time=1_739_979_002_000, session="regular")


@pytest.mark.parametrize(("changes", "prev_close"), [
    ({"range": "5d"}, None), ({"range": ""}, None), ({"range": "5d", "previousClose": 409.6}, 409.6), ({"previousClose": 409.6}, 409.6),
    ({"chartPreviousClose": None}, None), ({"currency": "ZAc"}, 4.0964)])
def test_the_close_before_another_range_is_not_yesterdays(changes: dict[str, Any], prev_close: float | None) -> None:
    """`chartPreviousClose` is the close before whatever was asked for."""
    assert parse_chart(chart(**changes), STOCK, 0).prev_close == prev_close


@pytest.mark.parametrize(("at_s", "session"), [
    (1739955599, "closed"), (1739955600, "pre"), (1739975399, "pre"), (1739975400, "regular"), (1739998799, "regular"),
    (1739998800, "post"), (1740013199, "post"), (1740013200, "closed")])
def test_the_hours_of_the_market_tell_the_session(at_s: int, session: Session) -> None:
    """From its first second to the last but one."""
    assert parse_chart(chart(), STOCK, at_s * 1000).session == session


def test_without_hours_the_session_is_unknown_and_crypto_has_none() -> None:
    """Its hours would leave out the last minute of each day."""
    assert parse_chart(chart(currentTradingPeriod=None), STOCK, 0).session is None
    assert parse_chart(chart(currentTradingPeriod={"pre": {"start": 1739955600, "end": 1739975400}}), STOCK, 0).session is None
    assert parse_chart(chart(instrumentType="CRYPTOCURRENCY"), STOCK, 0).session == "regular"


@pytest.mark.parametrize(("changes", "opened"), [
    ({"timestamp": [1739975400 - 86_400]}, None), ({"timestamp": [1740009599]}, 407.88), ({"timestamp": [1739975400, 1739979000]}, None),
    ({"timestamp": []}, None), ({"timestamp": None}, None), ({"indicators": {"quote": [{}]}}, None), ({"indicators": None}, None),
    ({"indicators": {"quote": [{"open": [None]}]}}, None), ({"indicators": {"quote": []}}, None)])
def test_a_bar_that_is_not_the_day_of_the_price_brings_no_open(changes: dict[str, Any], opened: float | None) -> None:
    """Days are the exchange's: 18:59:59 in New York is still the 19th, though it is the 20th in London."""
    (result,) = CHART["chart"]["result"]
    content = {"chart": {"result": [result | {"meta": META | {"regularMarketTime": 1739998801}} | changes], "error": None}}
    assert parse_chart(json.dumps(content).encode(), STOCK, 0).open == opened


def test_a_chart_of_something_else_is_an_error() -> None:
    """What is asked for is what must come."""
    assert "not that of MSFT" in str(complaint(lambda: parse_chart(chart(symbol="AAPL"), STOCK, 0)))
    assert complaint(lambda: parse_chart(chart(regularMarketPrice=None), STOCK, 0)).rejects_symbol
    assert not complaint(lambda: parse_chart(chart(regularMarketPrice=0), STOCK, 0)).rejects_symbol


@given(mutated({"quoteResponse": {"result": [MICROSOFT, VODAFONE, EURO], "error": None}}))
def test_a_mutated_answer_is_ticks_or_complaints(payload: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(payload, BATCH), {"MSFT", "VOD.L", "EURUSD=X"})


@given(st.dictionaries(st.sampled_from(FIELDS.split(",")), JSON))
def test_any_row_is_a_tick_or_a_complaint(row: dict[str, Any]) -> None:
    """Of a known symbol, with whatever in its fields."""
    answers_or_complains(lambda: parse(body(row | {"symbol": "MSFT"}), BATCH), {"MSFT", "VOD.L", "EURUSD=X"})


@given(mutated(CHART), st.integers(0, 2_000_000_000_000))
def test_a_mutated_chart_is_a_tick_or_a_complaint(payload: bytes, now_ms: int) -> None:
    """At any time."""
    answers_or_complains(lambda: {"MSFT": parse_chart(payload, STOCK, now_ms)}, {"MSFT"})


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(payload: bytes) -> None:
    """JSON or not."""
    answers_or_complains(lambda: parse(payload, BATCH), {"MSFT", "VOD.L", "EURUSD=X"})
    answers_or_complains(lambda: {"MSFT": parse_chart(payload, STOCK, 0)}, {"MSFT"})
