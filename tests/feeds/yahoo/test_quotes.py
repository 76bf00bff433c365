"""Yahoo's rows as ticks. Its charts are in test_charts.py."""

import json
import math
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.base import Subscription
from feeds.yahoo.feed import Yahoo
from feeds.yahoo.quotes import ASKED_FOR, key_of, night_of, parse, parse_chart
from tests.feeds.support import JSON, answers_or_complains, complaint, mutated, subscribe
from tests.feeds.yahoo.test_charts import MADE_S, STOCK, chart
from ticker.board.change import change_of
from ticker.errors import FeedError
from ticker.quote import MarketSession, Tick

MICROSOFT: dict[str, Any] = {
    "language": "en-US", "quoteType": "EQUITY", "shortName": "Microsoft Corporation", "marketState": "POST", "currency": "USD",
    "regularMarketChangePercent": -0.5152839, "regularMarketPrice": 408.43, "exchange": "NMS", "exchangeTimezoneName": "America/New_York",
    "gmtOffSetMilliseconds": -18000000, "firstTradeDateMilliseconds": 511108200000, "priceHint": 2, "postMarketTime": 1739580000,
    "regularMarketTime": 1739566801, "postMarketChangePercent": 0.1126306, "postMarketPrice": 408.89, "postMarketChange": 0.4600067,
    "regularMarketChange": -2.1154785, "regularMarketDayHigh": 408.91, "regularMarketDayRange": "405.88 - 408.91",
    "regularMarketDayLow": 405.88, "regularMarketVolume": 22758464, "regularMarketPreviousClose": 410.54547, "bid": 408.2, "ask": 408.9,
    "bidSize": 4, "askSize": 2, "regularMarketOpen": 407.79, "exchangeDataDelayedBy": 0, "corporateActions": [], "symbol": "MSFT"
}  # fmt: skip
VODAFONE: dict[str, Any] = {
    "quoteType": "EQUITY", "currency": "GBp", "marketState": "REGULAR", "regularMarketPrice": 67.30000305175781, "priceHint": 2,
    "regularMarketTime": 1739789683, "regularMarketPreviousClose": 66.9, "regularMarketOpen": 66.92, "regularMarketDayHigh": 67.48,
    "regularMarketDayLow": 66.56, "regularMarketVolume": 31245071, "regularMarketChange": 0.4000015, "regularMarketChangePercent": 0.59791,
    "bid": 67.28, "ask": 67.32, "exchangeDataDelayedBy": 15, "symbol": "VOD.L"}  # fmt: skip
EURO: dict[str, Any] = {
    "quoteType": "CURRENCY", "currency": "USD", "marketState": "REGULAR", "regularMarketPrice": 1.0841284, "priceHint": 4,
    "regularMarketTime": 1739789683, "regularMarketPreviousClose": 1.0846786, "regularMarketVolume": 0, "bid": 1.0841284, "ask": 1.0835764,
    "bidSize": 0, "askSize": 0, "regularMarketChange": -0.00055015087, "symbol": "EURUSD=X"}  # fmt: skip
BATCH = subscribe(Yahoo, "MSFT", "VOD.L", "EURUSD=X")
NOW_MS = 1_739_580_060_000
"""A minute after Microsoft's last trade, a quarter to eight in the evening of a Friday in New York."""


def new_york_s(local: str) -> int:
    """A time in New York as Yahoo counts it."""
    return int(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("America/New_York")).timestamp())


NIKE: dict[str, Any] = {  # in the night from Tuesday to Wednesday
    "quoteType": "EQUITY", "currency": "USD", "marketState": "OVERNIGHT", "hasPrePostMarketData": True, "exchangeDataDelayedBy": 0,
    "priceHint": 2, "symbol": "NKE", "regularMarketPrice": 63.21, "regularMarketPreviousClose": 62.9,
    "regularMarketTime": new_york_s("2026-03-10 16:00:02"), "postMarketPrice": 63.3, "postMarketChangePercent": 0.14238,
    "postMarketTime": new_york_s("2026-03-10 19:59:40"), "overnightMarketPrice": 63.05, "overnightMarketChange": -0.16,
    "overnightMarketChangePercent": -0.25312, "overnightMarketTime": new_york_s("2026-03-10 21:15:46"),
    "overnightMarketSource": "BOATS Real Time Price"}  # fmt: skip
FUND: dict[str, Any] = {
    "quoteType": "MUTUALFUND", "currency": "USD", "marketState": "REGULAR", "hasPrePostMarketData": False, "exchangeDataDelayedBy": 0,
    "priceHint": 2, "symbol": "VBTLX", "regularMarketPrice": 9.71, "regularMarketPreviousClose": 9.68, "regularMarketChange": 0.03,
    "regularMarketChangePercent": 0.30992, "regularMarketTime": new_york_s("2026-03-06 18:01:44"), "netAssets": 350000000000.0}  # fmt: skip


def body(*rows: Any) -> bytes:
    """An answer with these rows."""
    return json.dumps({"quoteResponse": {"result": rows, "error": None}}).encode()


def tick(row: dict[str, Any], now_ms: int = NOW_MS, **changes: Any) -> Tick:
    """The tick of one row, with some fields changed."""
    changed = row | changes
    answer = parse(body(changed), [Subscription("X", changed["symbol"], Yahoo.Options())], now_ms)["X"]
    if isinstance(answer, FeedError):
        raise answer
    return answer


def test_a_row_is_read_field_by_field() -> None:
    """Seconds become ms, percents stay percents, the change loses the noise of 32 bits, the evening's price stays apart."""
    assert tick(MICROSOFT) == Tick(
        price=408.43,
        bid=408.2,
        ask=408.9,
        open=407.79,
        high=408.91,
        low=405.88,
        prev_close=410.54547,
        volume=22758464.0,
        change=-2.11547,
        change_pct=-0.5153,
        currency="USD",
        quote_time=1_739_566_801_000,
        delay_min=0.0,
        session="post",
        ext_price=408.89,
        ext_change_pct=0.1126,
        ext_time=1_739_580_000_000,
    )


def test_pence_become_pounds_in_every_field() -> None:
    """Exact in decimal; volume, percent and time are no prices."""
    assert tick(VODAFONE, preMarketPrice=67.5, preMarketChangePercent=0.3, preMarketTime=1739789700) == Tick(
        price=0.673,
        bid=0.6728,
        ask=0.6732,
        open=0.6692,
        high=0.6748,
        low=0.6656,
        prev_close=0.669,
        volume=31245071.0,
        change=0.004,
        change_pct=0.5979,
        currency="GBP",
        quote_time=1_739_789_683_000,
        delay_min=15.0,
        session="regular",
        ext_price=0.675,
        ext_change_pct=0.3,
        ext_time=1_739_789_700_000,
    )


def test_a_currency_has_both_sides_and_no_volume() -> None:
    """They are crossed: one of bid and ask is old, which is for the board to judge."""
    assert tick(EURO) == Tick(
        price=1.0841284,
        bid=1.0841284,
        ask=1.0835764,
        prev_close=1.0846786,
        change=-0.0005502,
        currency="USD",
        quote_time=1_739_789_683_000,
        session="regular",
    )
    assert tick(EURO, quoteType="INDEX").volume is None
    assert tick(EURO, quoteType="EQUITY").volume == 0.0


def test_what_is_missing_is_unknown() -> None:
    """A row may hold a price and nothing else."""
    assert tick({"symbol": "A", "regularMarketPrice": 5}) == Tick(price=5.0)
    row = {"symbol": "A", "regularMarketPrice": 5, "bid": 0, "ask": 0.0, "regularMarketOpen": None, "regularMarketTime": 0,
           "currency": None, "priceHint": "2", "marketState": "SIESTA", "quoteType": None}  # fmt: skip
    assert tick(row) == Tick(price=5.0, untimed=True)


def test_numbers_may_come_formatted() -> None:
    """As some hosts do whatever they are asked for; an empty object is nothing."""
    row = {key: {"raw": value, "fmt": f"{value:.2f}"} if isinstance(value, int | float) else value for key, value in MICROSOFT.items()}
    assert tick(row, bid={}, ask={"raw": 408.9, "fmt": "408.90", "longFmt": "408.90"}) == tick(MICROSOFT, bid=None)


@pytest.mark.parametrize(("state", "session"), [
    ("PREPRE", "closed"), ("OVERNIGHT", "closed"), ("PRE", "pre"), ("REGULAR", "regular"), ("POST", "post"), ("POSTPOST", "closed"),
    ("CLOSED", "closed"), ("LUNCH", None), (None, None), (7, None), ([], None), ({"a": 1}, None)])  # fmt: skip
def test_the_market_state_is_the_session(state: object, session: MarketSession | None) -> None:
    """In the hours around midnight nobody trades, unless there is a price of the night; what is not understood is not known."""
    assert tick(MICROSOFT, marketState=state).session == session


@pytest.mark.parametrize(("state", "session"), [("PREPRE", "closed"), ("PRE", "closed"), ("REGULAR", "regular"), ("POST", "closed")])
def test_what_trades_in_the_regular_hours_only_is_closed_outside_them(state: str, session: MarketSession) -> None:
    """Indices and shares of most countries: the state is that of the exchange."""
    assert tick(VODAFONE, marketState=state, hasPrePostMarketData=False).session == session
    assert parse_chart(chart(hasPrePostMarketData=False), STOCK, 1739955600_000).session == "closed"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (408.89, 0.1126, 1_739_580_000_000)),
        (
            {"marketState": "PRE", "preMarketPrice": 409.5, "preMarketTime": 1739620000, "preMarketChangePercent": 0.262},
            (409.5, 0.262, 1_739_620_000_000),
        ),
        ({"marketState": "REGULAR", "regularMarketTime": 1739640000}, (None, None, None)),
        ({"postMarketTime": None}, (408.89, 0.1126, None)),
        ({"postMarketTime": None, "marketState": "REGULAR"}, (None, None, None)),
        ({"postMarketChangePercent": None}, (408.89, None, 1_739_580_000_000)),
        ({"postMarketPrice": 0}, (None, None, None)),
        ({"postMarketPrice": None, "postMarketTime": None}, (None, None, None)),
    ],
)
def test_the_newest_price_outside_the_hours_counts_if_it_is_newer_than_the_regular_one(changes: dict[str, Any], expected: object) -> None:
    """At noon this morning's and last evening's are both still there."""
    found = tick(MICROSOFT, **changes)
    assert (found.ext_price, found.ext_change_pct, found.ext_time) == expected
    assert found.price == 408.43


@pytest.mark.parametrize("state", ["OVERNIGHT", "PREPRE", "POSTPOST", "CLOSED", None, "NIGHT"])
def test_the_night_is_told_by_its_price(state: str | None) -> None:
    """Whatever the word: some answers name it, others still have the old ones."""
    found = tick(NIKE, new_york_s("2026-03-10 21:16:00") * 1000, marketState=state)
    assert (found.session, found.price, found.odd) == ("overnight", 63.21, None)
    assert (found.ext_price, found.ext_change_pct, found.ext_time) == (63.05, -0.2531, new_york_s("2026-03-10 21:15:46") * 1000)


def test_a_night_may_come_formatted() -> None:
    """As it does with `formatted=true`."""
    row = {
        key: {"raw": value, "fmt": "…"} if isinstance(value, int | float) and not isinstance(value, bool) else value
        for key, value in NIKE.items()
    }
    assert tick(row, new_york_s("2026-03-10 21:16:00") * 1000) == tick(NIKE, new_york_s("2026-03-10 21:16:00") * 1000)


@pytest.mark.parametrize(("now", "changes", "session", "ext_price"), [
    # The night's price stays in the row: once the morning's is newer that one counts.
    ("2026-03-11 04:10", {"marketState": "PRE", "overnightMarketTime": new_york_s("2026-03-11 03:59:19"), "preMarketPrice": 62.8,
                          "preMarketTime": new_york_s("2026-03-11 04:03:24")}, "pre", 62.8),
    # Until then it is the newest; but the night is over.
    ("2026-03-11 04:10", {"marketState": "PRE", "overnightMarketTime": new_york_s("2026-03-11 03:59:19")}, "pre", 63.05),
    ("2026-03-11 04:00", {"marketState": "PREPRE", "overnightMarketTime": new_york_s("2026-03-11 03:59:19")}, "closed", 63.05),
    ("2026-03-11 03:59", {"marketState": "PREPRE", "overnightMarketTime": new_york_s("2026-03-11 03:58:19")}, "overnight", 63.05),
    # Last night's, this evening.
    ("2026-03-10 20:01", {"marketState": "POSTPOST", "overnightMarketTime": new_york_s("2026-03-10 03:59:19")}, "closed", 63.3),
    ("2026-03-10 20:01", {"overnightMarketTime": new_york_s("2026-03-10 03:59:19")}, "overnight", 63.3),
    ("2026-03-11 11:00", {"marketState": "REGULAR", "regularMarketTime": new_york_s("2026-03-11 10:59:58")}, "regular", None),
    # Nobody traded at night, or nobody tells us.
    ("2026-03-10 21:16", {"overnightMarketPrice": None, "overnightMarketTime": None}, "closed", 63.3),
    ("2026-03-10 21:16", {"overnightMarketPrice": 0, "overnightMarketTime": 0}, "closed", 63.3),
    # At the word of its market, as with the others.
    ("2026-03-10 21:16", {"overnightMarketTime": None}, "overnight", 63.05),
    ("2026-03-10 21:16", {"overnightMarketTime": None, "marketState": "POSTPOST"}, "closed", 63.3)])  # fmt: skip
def test_of_a_night_the_newest_price_counts(now: str, changes: dict[str, Any], session: MarketSession, ext_price: float | None) -> None:
    """Never a word alone, and never an order of the markets."""
    found = tick(NIKE, new_york_s(now) * 1000, **changes)
    assert (found.session, found.ext_price) == (session, ext_price)


@pytest.mark.parametrize(("local", "night"), [
    ("2026-03-08 19:59:59", None), ("2026-03-08 20:00", date(2026, 3, 9)), ("2026-03-09 03:59:59", date(2026, 3, 9)),
    ("2026-03-09 04:00", None), ("2026-03-12 20:00", date(2026, 3, 13)), ("2026-03-13 20:00", None), ("2026-03-14 02:00", None),
    ("2026-03-07 23:00", None), ("2026-11-01 23:00", date(2026, 11, 2)), ("2026-07-01 23:00", date(2026, 7, 2))])  # fmt: skip
def test_there_is_a_night_before_each_weekday(local: str, night: date | None) -> None:
    """From eight to four in New York, Sunday to Friday, in summer and winter."""
    assert night_of(new_york_s(local) * 1000) == night


def test_a_fund_is_priced_once_a_day() -> None:
    """What the exchange does says nothing of it. So it is with money markets; an exchange-traded fund trades like a share."""
    assert tick(FUND) == Tick(
        price=9.71,
        prev_close=9.68,
        change=0.03,
        change_pct=0.3099,
        currency="USD",
        delay_min=0.0,
        cadence="day",
        quote_time=new_york_s("2026-03-06 18:01:44") * 1000,
    )
    assert tick(FUND, quoteType="MONEYMARKET", marketState="CLOSED").cadence == "day"
    assert (tick(FUND, quoteType="ETF").cadence, tick(FUND, quoteType="ETF").session) == (None, "regular")
    assert tick(FUND, regularMarketPreviousClose=None, regularMarketOpen=9.7).open is None
    (fund,) = subscribe(Yahoo, "MSFT")
    charted = parse_chart(chart(instrumentType="MUTUALFUND"), fund, MADE_S * 1000)
    assert (charted.cadence, charted.session) == ("day", None)


def test_a_coins_volume_is_of_24_hours() -> None:
    """Everybody else's is the session's, as the feed says."""
    assert (tick(VODAFONE).volume_of, tick(VODAFONE, quoteType="CRYPTOCURRENCY").volume_of, Yahoo.volume_of) == (None, "24h", "session")


@pytest.mark.parametrize("rows", [
    [], [{"symbol": "NOPE", "quoteType": "NONE"}], [{"symbol": "NOPE", "quoteType": "NONE", "regularMarketPrice": 1.5}],
    [{"symbol": "NOPE", "quoteType": "EQUITY"}], [{"symbol": "NOPE", "quoteType": "EQUITY", "regularMarketPrice": None}],
    [{"symbol": "NOPE", "regularMarketPrice": {}}]])  # fmt: skip
def test_an_unknown_symbol_is_rejected_and_the_others_live(rows: list[Any]) -> None:
    """In each of the shapes that it has."""
    answer = parse(body(MICROSOFT, *rows), subscribe(Yahoo, "NOPE", "MSFT"), NOW_MS)
    error = answer["NOPE"]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, error.retryable) == (True, False)
    assert str(error).startswith("Yahoo has no price for 'NOPE'")
    assert isinstance(answer["MSFT"], Tick)


@pytest.mark.parametrize(
    ("words", "row"),
    [
        ("it is not known there, or may be delisted", {"symbol": "NOPE", "quoteType": "NONE"}),
        ("what it has is of type ECNQUOTE, which is no quote", {"symbol": "NOPE", "quoteType": "ECNQUOTE", "regularMarketPrice": 1.5}),
        ("what it has is of type ALTSYMBOL, which is no quote", {"symbol": "NOPE", "quoteType": "ALTSYMBOL", "regularMarketPrice": 1.5}),
    ],
)
def test_an_unknown_symbol_is_told_why(words: str, row: dict[str, Any]) -> None:
    """In the symbol's own error."""
    error = complaint(lambda: tick(row))
    assert error.rejects_symbol
    assert str(error).startswith(f"Yahoo has no price for 'NOPE': {words}")


ODD_FIELDS = {
    "bid": "bid", "ask": "ask", "regularMarketTime": "quote_time", "regularMarketPreviousClose": "prev_close",
    "regularMarketChange": "change", "regularMarketChangePercent": "change_pct", "regularMarketOpen": "open",
    "regularMarketDayHigh": "high", "regularMarketDayLow": "low", "regularMarketVolume": "volume", "exchangeDataDelayedBy": "delay_min",
    "postMarketPrice": "ext_price", "postMarketChangePercent": "ext_change_pct"}  # fmt: skip


@pytest.mark.parametrize("field", ODD_FIELDS)
@pytest.mark.parametrize("value", ["so on", True, [], math.nan, math.inf, -math.inf])
def test_one_odd_field_costs_itself_only(field: str, value: object) -> None:
    """The price is as good without it; NaN and numbers that no float can hold, which are no JSON to most, cost no more."""
    answer = parse(body(MICROSOFT | {field: value}, VODAFONE, EURO), BATCH, NOW_MS)
    found, name = answer["MSFT"], ODD_FIELDS[field]
    assert isinstance(found, Tick)
    assert (found.price, getattr(found, name), [odd.field for odd in found.odd or ()]) == (408.43, None, [name])
    assert answer["VOD.L"] == tick(VODAFONE)
    assert answer["EURUSD=X"] == tick(EURO)


@pytest.mark.parametrize("value", ["so on", True, [], math.nan, math.inf, 10**400, 1e300, "", 1e-19, {"fmt": "1.5"}])
def test_a_bad_price_costs_its_row_and_no_other(value: object) -> None:
    """It is known there, and no price; what has a formatted one but no number has none."""
    answer = parse(body(MICROSOFT | {"regularMarketPrice": value}, VODAFONE, EURO), BATCH, NOW_MS)
    error = answer["MSFT"]
    assert isinstance(error, FeedError)
    assert error.rejects_symbol == isinstance(value, dict)
    assert str(error).startswith("Yahoo has no price" if isinstance(value, dict) else "price: ")
    assert answer["VOD.L"] == tick(VODAFONE)
    assert answer["EURUSD=X"] == tick(EURO)


def test_an_odd_currency_is_unknown() -> None:
    """Nobody knows then what the price is in; it is one all the same."""
    found = tick(VODAFONE, currency="<b>")
    assert (found.price, found.currency, [odd.field for odd in found.odd or ()]) == (67.3, None, ["currency"])


def test_a_time_of_another_unit_costs_the_row() -> None:
    """Yahoo counts in seconds; beside the price's own, such a time costs itself only."""
    assert "quote_time: " in str(complaint(lambda: tick(MICROSOFT, regularMarketTime=1739566801000)))
    found = tick(MICROSOFT, postMarketTime=1739580000000)
    assert (found.price, found.ext_price, found.ext_time, found.odd and found.odd[0].field) == (408.43, 408.89, None, "ext_time")


OIL: dict[str, Any] = {
    "quoteType": "FUTURE", "currency": "USD", "marketState": "REGULAR", "priceHint": 2, "symbol": "CLK20.NYM",
    "regularMarketPrice": -37.630001068115234, "regularMarketTime": 1587409200, "regularMarketPreviousClose": 18.27,
    "regularMarketDayHigh": 17.85, "regularMarketDayLow": -40.32, "regularMarketChange": -55.9000015,
    "regularMarketChangePercent": -305.966}  # fmt: skip


def test_prices_have_any_sign() -> None:
    """Oil on the 20th of April 2020 and on the day after, a yield below zero: whether that is believed the board decides."""
    assert tick(OIL) == Tick(
        price=-37.63,
        high=17.85,
        low=-40.32,
        prev_close=18.27,
        change=-55.9,
        change_pct=-305.966,
        currency="USD",
        quote_time=1_587_409_200_000,
        session="regular",
    )
    after = tick(OIL, regularMarketPrice=10.01, regularMarketPreviousClose=-37.63, regularMarketDayLow=-16.74, regularMarketChange=47.64)
    assert (after.price, after.low, after.prev_close, after.change, after.odd) == (10.01, -16.74, -37.63, 47.64, None)
    bill = tick({"quoteType": "INDEX", "marketState": "REGULAR", "symbol": "^IRX", "regularMarketPrice": -0.105, "bid": -0.01, "ask": 0})
    assert (bill.price, bill.bid, bill.ask, bill.odd) == (-0.105, -0.01, None, None)
    assert tick(OIL, regularMarketPrice=-0.0).price == 0.0


def test_a_previous_close_near_zero_is_what_it_is_until_it_is_no_number() -> None:
    """Which base is believed the board decides, too."""
    assert tick(MICROSOFT, regularMarketPreviousClose=1.1e-10).prev_close == 1.1e-10
    found = tick(MICROSOFT, regularMarketPreviousClose=4.9e-322)
    assert (found.price, found.prev_close, found.odd and found.odd[0].field) == (408.43, None, "prev_close")


@pytest.mark.parametrize("hint", [-1, 16, 2.0, "2", True, None, [], {}, 10**30])
def test_an_odd_hint_of_decimals_is_none(hint: object) -> None:
    """The fewest digits are found without it."""
    assert tick(VODAFONE, priceHint=hint) == tick(VODAFONE)


def test_less_than_nothing_was_traded_by_nobody() -> None:
    """What a 32-bit count that ran over leaves."""
    found = tick(MICROSOFT, regularMarketVolume=-(2**31), exchangeDataDelayedBy=-1)
    assert (found.price, found.volume, found.delay_min) == (408.43, None, None)
    assert [odd.field for odd in found.odd or ()] == ["volume", "delay_min"]


def test_rows_are_found_by_symbol() -> None:
    """In any order, in any case, under the name that Yahoo prefers, among rows of others and things that are no rows."""
    yen = {"symbol": "JPY=X", "regularMarketPrice": 151.91}
    batch = subscribe(Yahoo, "VOD.L", A="msft", B="USDJPY=X", C="JPY=X")
    answer = parse(body(None, 5, [], {"symbol": 7}, yen, MICROSOFT, EURO, VODAFONE), batch, NOW_MS)
    prices = {symbol: found.price for symbol, found in answer.items() if isinstance(found, Tick)}
    assert prices == {"VOD.L": 0.673, "A": 408.43, "B": 151.91, "C": 151.91}


@pytest.mark.parametrize(
    ("id", "key"),
    [("aapl", "AAPL"), ("USDJPY=X", "JPY=X"), ("JPY=X", "JPY=X"), ("EURUSD=X", "EURUSD=X"), ("USDC-USD", "USDC-USD"), ("USD=X", "USD=X")],
)
def test_an_id_has_one_spelling(id: str, key: str) -> None:
    """Capitals; a dollar in front of a currency pair is left out."""
    assert key_of(id) == key


@pytest.mark.parametrize(("changes", "open_price", "change_pct"), [
    ({}, 407.79, -0.5153), ({"regularMarketChangePercent": None}, 407.79, -0.5153),
    ({"regularMarketPreviousClose": None, "regularMarketChangePercent": None}, 407.79, None),
    ({"regularMarketPreviousClose": None, "regularMarketChangePercent": None, "marketState": None}, None, None)])  # fmt: skip
def test_without_a_previous_close_there_is_no_change(changes: dict[str, Any], open_price: float | None, change_pct: float | None) -> None:
    """Least of all one against this morning's open."""
    found = tick(MICROSOFT, **changes)
    assert found.open == open_price
    assert change_of(found)[1] == change_pct


@pytest.mark.parametrize("content", [
    {}, [], {"quoteResponse": None}, {"quoteResponse": {"result": None, "error": None}}, {"quoteResponse": {"error": {"code": "Bad"}}},
    {"quoteResponse": {"result": [MICROSOFT], "error": {"code": "Internal"}}}, {"finance": {"result": None, "error": {"code": "x"}}}
])  # fmt: skip
def test_an_answer_without_rows_fails_as_a_whole(content: object) -> None:
    """Then no symbol is to blame."""
    error = complaint(lambda: parse(json.dumps(content).encode(), BATCH, NOW_MS))
    assert (error.retryable, error.rejects_symbol) == (True, False)


@pytest.mark.parametrize("where", ["finance", "quoteResponse"])
def test_an_error_that_yahoo_names_is_passed_on(where: str) -> None:
    """With status 200, under either of its names."""
    body = json.dumps({where: {"result": None, "error": {"code": "Internal Server Error", "description": "ngrams"}}}).encode()
    assert "Internal Server Error" in str(complaint(lambda: parse(body, BATCH, NOW_MS)))


def test_every_field_that_is_read_is_asked_for() -> None:
    """`fields` keeps the rest away: with nothing else in the row the tick is the same."""
    asked = set(ASKED_FOR.split(","))
    row = {key: value for key, value in (MICROSOFT | VODAFONE | {"preMarketPrice": 1.5}).items() if key in asked}
    assert tick(row) == tick(MICROSOFT | VODAFONE | {"preMarketPrice": 1.5})
    assert len(asked) == len(ASKED_FOR.split(","))


@given(mutated({"quoteResponse": {"result": [MICROSOFT, VODAFONE, EURO], "error": None}}))
def test_a_mutated_answer_is_ticks_or_complaints(payload: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(payload, BATCH, NOW_MS), {"MSFT", "VOD.L", "EURUSD=X"})


@given(st.dictionaries(st.sampled_from(ASKED_FOR.split(",")), JSON))
def test_any_row_is_a_tick_or_a_complaint(row: dict[str, Any]) -> None:
    """Of a known symbol, with whatever in its fields."""
    answers_or_complains(lambda: parse(body(row | {"symbol": "MSFT"}), BATCH, NOW_MS), {"MSFT", "VOD.L", "EURUSD=X"})


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(payload: bytes) -> None:
    """JSON or not."""
    answers_or_complains(lambda: parse(payload, BATCH, NOW_MS), {"MSFT", "VOD.L", "EURUSD=X"})
