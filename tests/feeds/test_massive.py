"""Massive: snapshots of plans, hours and markets, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.massive import Massive, parse
from tests.feeds.support import CANARY, JSON, answers_or_complains, complaint, connected, mutated, subscribe, well_formed
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "massive"
SYMBOLS = ("AAPL", "MSFT")
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""
TRADED_NS, TRADED_MS = 1779998399800113998, 1_779_998_399_800  # 15:59:59 in New York
KO: dict[str, Any] = {
    "ticker": "KO",
    "day": {"c": 71.42, "h": 71.6, "l": 70.98, "o": 71.2, "v": 9214003, "vw": 71.31},
    "lastQuote": {"P": 71.43, "S": 3, "p": 71.41, "s": 11, "t": 1779998399912004117},
    "lastTrade": {"c": None, "i": "52983525", "p": 71.4201, "s": 77, "t": TRADED_NS, "x": 4},
    "min": {"av": 9214003, "c": 71.4, "h": 71.42, "l": 71.4, "o": 71.41, "v": 20115, "t": 1779998340000, "n": 201},
    "prevDay": {"c": 70.95, "h": 71.1, "l": 70.4, "o": 70.6, "v": 11870220, "vw": 70.8},
    "todaysChange": 0.4701,
    "todaysChangePerc": 0.6625793,
    "updated": 1779998399912004117,
}
TICK = Tick(
    price=71.4201,
    bid=71.41,
    ask=71.43,
    open=71.2,
    high=71.6,
    low=70.98,
    prev_close=70.95,
    volume=9214003.0,
    change=0.4701,
    change_pct=0.6626,
    currency="USD",
    quote_time=TRADED_MS,
    session="regular",
)
ZEROS = {"c": 0, "h": 0, "l": 0, "o": 0, "v": 0, "vw": 0}
CLEARED = KO | {
    "day": ZEROS, "min": ZEROS | {"av": 0, "t": 0, "n": 0}, "lastTrade": {"c": None, "i": "", "p": 0, "s": 0, "t": 0, "x": 0},
    "lastQuote": {"P": 0, "S": 0, "p": 0, "s": 0, "t": 0}, "todaysChange": 0, "todaysChangePerc": 0, "updated": 0}  # fmt: skip
BEFORE_OPEN_NS, BEFORE_OPEN_MS = 1780042500630916600, 1_780_042_500_630  # 4:15 in New York, the day after
EARLY = KO | {
    "day": ZEROS, "min": KO["min"] | {"c": 71.5, "t": 1780042440000},
    "lastTrade": KO["lastTrade"] | {"c": [12], "p": 71.55, "t": BEFORE_OPEN_NS},
    "lastQuote": KO["lastQuote"] | {"p": 71.5, "P": 71.6, "t": BEFORE_OPEN_NS}, "prevDay": KO["prevDay"] | {"c": 71.42},
    "todaysChange": 0.13, "todaysChangePerc": 0.182, "updated": BEFORE_OPEN_NS}  # fmt: skip
SPX: dict[str, Any] = {
    "ticker": "I:SPX", "name": "S&P 500", "type": "indices", "value": 7415.2, "market_status": "regular_trading", "timeframe": "REAL-TIME",
    "last_updated": 1779998399500223500, "session": {"change": -12.4, "change_percent": -0.16694, "close": 7415.2, "high": 7440.05,
                                                      "low": 7402.7, "open": 7421.3, "previous_close": 7427.6}}  # fmt: skip
INDEX = Tick(
    price=7415.2,
    open=7421.3,
    high=7440.05,
    low=7402.7,
    prev_close=7427.6,
    change=-12.4,
    change_pct=-0.1669,
    quote_time=1_779_998_399_500,
    session="regular",
)
EURUSD: dict[str, Any] = {
    "ticker": "C:EURUSD",
    "day": {"o": 1.1421, "h": 1.1442, "l": 1.1401, "c": 1.1431, "v": 150233},
    "lastQuote": {"a": 1.14314, "b": 1.14311, "t": 1779998399000, "x": 48},
    "min": {"o": 1.143, "h": 1.1432, "l": 1.1429, "c": 1.1431, "v": 202, "n": 1, "t": 1779998340000},
    "prevDay": {"o": 1.14, "h": 1.143, "l": 1.139, "c": 1.1419, "v": 140220, "vw": 0},
    "todaysChange": 0.0012,
    "todaysChangePerc": 0.10509,
    "updated": 1779998399000,
}
BTCUSD: dict[str, Any] = {
    "ticker": "X:BTCUSD",
    "day": {"o": 91200.1, "h": 93010, "l": 90702.5, "c": 92071.2, "v": 8120.5512, "vw": 0},
    "lastTrade": {"p": 92070.4, "s": 0.0133, "t": 1779998399010, "x": 1, "c": [2], "i": "413131"},
    "min": {"o": 92060, "h": 92075, "l": 92055.5, "c": 92071.2, "v": 3.41, "vw": 0, "n": 88, "t": 1779998340000},
    "prevDay": {"o": 90010, "h": 91555, "l": 89500, "c": 91200.1, "v": 9211.7, "vw": 90711.4},
    "todaysChange": 870.3,
    "todaysChangePerc": 0.9543,
    "updated": 1779998399999,
}
BATCH = subscribe(Massive, "KO", "BRK-B")


def ticks(*rows: Any, status: str = "OK", symbols: tuple[str, ...] = ("KO",)) -> dict[str, Tick | FeedError]:
    """What is read from an answer with these rows."""
    return parse(json.dumps({"count": len(rows), "status": status, "tickers": rows}).encode(), subscribe(Massive, *symbols))


def tick_of(row: dict[str, Any], symbol: str = "KO") -> Tick:
    """The tick of the one row of an answer."""
    (tick,) = ticks(row, symbols=(symbol,)).values()
    assert isinstance(tick, Tick), tick
    return tick


def indices(*rows: Any, symbols: tuple[str, ...] = ("I:SPX",)) -> dict[str, Tick | FeedError]:
    """What is read from an answer of indices."""
    return parse(json.dumps({"request_id": "1", "results": rows, "status": "OK"}).encode(), subscribe(Massive, *symbols))


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[Massive]:
    """A feed on the local server."""
    feed = connected(Massive, provider, runtime)
    yield feed
    feed.close()


@pytest.mark.parametrize(("symbol", "id"), [
    ("KO", "KO"), ("BRK-B", "BRK.B"), ("BRK.B", "BRK.B"), ("BTC-USD", "X:BTCUSD"), ("BTC/USD", "X:BTCUSD"), ("X:BTCUSD", "X:BTCUSD"),
    ("BACpL", "BACpL"), ("EUR/USD", "C:EURUSD"), ("EUR-USD", "C:EURUSD"), ("EURUSD=X", "C:EURUSD"), ("C:EURUSD", "C:EURUSD"),
    ("^VIX", "I:VIX"), ("I:SPX", "I:SPX"), ("SPX", "SPX"), ("EURUSD", "EURUSD")])  # fmt: skip
def test_a_symbol_is_spelt_as_massive_does(symbol: str, id: str) -> None:
    """Case is left as it is: a small p makes preferred shares. What may be a share is one."""
    assert Massive.native_id(symbol) == id


def test_a_snapshot_is_read_field_by_field() -> None:
    """Capital P is the ask; nanoseconds that no float holds; the conditions of a trade may be null."""
    assert ticks({"ticker": 7}, None, KO) == {"KO": TICK}


def test_a_delayed_plan_says_so() -> None:
    """In the status of the answer."""
    (tick,) = ticks(KO, status="DELAYED").values()
    assert isinstance(tick, Tick)
    assert tick.delay_min == 15.0


@pytest.mark.parametrize("gone", [(), ("lastTrade", "lastQuote"), ("lastTrade", "lastQuote", "day", "min")])
def test_when_the_day_is_cleared_the_close_before_is_the_price(gone: tuple[str, ...]) -> None:
    """From 3:30 in New York on, on holidays all day: with the numbers of its own session, and nothing to reckon a change from. To hear it
    again proves nothing."""
    assert tick_of({name: value for name, value in CLEARED.items() if name not in gone}) == Tick(
        price=70.95, open=70.6, high=71.1, low=70.4, volume=11870220.0, currency="USD", session="closed", untimed=True
    )


def test_what_has_not_been_traded_today_is_in_the_session_of_its_quotes() -> None:
    """A quiet share in the morning."""
    tick = tick_of(CLEARED | {"lastQuote": EARLY["lastQuote"]})
    assert (tick.price, tick.bid, tick.ask, tick.session, tick.quote_time, tick.untimed) == (70.95, 71.5, 71.6, "pre", None, True)


def test_before_the_open_the_trade_is_the_price_and_the_day_is_unknown() -> None:
    """All zeros: neither open, high and low are 0, nor what was traded."""
    assert tick_of(EARLY) == Tick(
        price=71.55,
        bid=71.5,
        ask=71.6,
        prev_close=71.42,
        change=0.13,
        change_pct=0.182,
        currency="USD",
        quote_time=BEFORE_OPEN_MS,
        session="pre",
    )


def test_a_change_of_nothing_is_left_to_be_reckoned() -> None:
    """It may be that they know none."""
    tick = tick_of(EARLY | {"todaysChange": 0, "todaysChangePerc": 0})
    assert (tick.change, tick.change_pct, tick.prev_close) == (None, None, 71.42)


def test_where_nothing_was_ever_traded_there_is_no_price() -> None:
    """Zeros all over."""
    error = ticks(CLEARED | {"prevDay": ZEROS})["KO"]
    assert isinstance(error, FeedError)
    assert not error.rejects_symbol


@pytest.mark.parametrize("conditions", [[53], [2], [37], [14, 41, 52], [12]])
def test_a_trade_that_may_not_set_the_price_does_not(conditions: list[int]) -> None:
    """Contingent, averaged, an odd lot, after hours in the middle of the day: the close of the newest minute is the price, with a time in
    it, and the change is not theirs, which may be the trade's."""
    tick = tick_of(KO | {"lastTrade": KO["lastTrade"] | {"p": 250.0, "c": conditions}})
    assert (tick.price, tick.quote_time, tick.session, tick.change) == (71.4, 1_779_998_399_912, "regular", None)


def test_the_close_of_a_minute_is_of_that_minute() -> None:
    """However long ago it is, and whatever happened since."""
    odd_lot = {"lastTrade": KO["lastTrade"] | {"p": 250.0, "c": [37]}, "min": KO["min"] | {"t": 1779998040000}}
    assert tick_of(KO | odd_lot).quote_time == 1_779_998_099_999


def test_other_conditions_are_those_of_the_price() -> None:
    """An intermarket sweep, exempt from trade-throughs."""
    assert tick_of(KO | {"lastTrade": KO["lastTrade"] | {"c": [14, 41]}}) == TICK


def test_after_hours_the_trade_is_the_price_and_says_so() -> None:
    """A Form T at 16:20 in New York."""
    tick = tick_of(KO | {"lastTrade": KO["lastTrade"] | {"c": [12], "p": 71.8, "t": 1779999600000000000}})
    assert (tick.price, tick.session) == (71.8, "post")


def test_without_trades_the_minute_has_the_price() -> None:
    """And a time in it. Without minutes, the day has, and the time is that of the row; without both, the day before."""
    bare = {name: value for name, value in KO.items() if name not in ("lastTrade", "lastQuote")}
    tick = tick_of(bare)
    assert (tick.price, tick.bid, tick.ask, tick.quote_time, tick.change) == (71.4, None, None, 1_779_998_399_912, 0.4701)
    assert tick_of(bare | {"min": None}).price == 71.42
    assert tick_of(bare | {"min": {}, "day": {}}).price == 70.95
    assert isinstance(ticks(bare | {"min": {}, "day": {}, "prevDay": None})["KO"], FeedError)


def test_what_cant_be_read_costs_itself_only() -> None:
    """Sides, the day, the day before."""
    tick = tick_of(KO | {"lastQuote": {"p": "?", "P": -0.01}, "day": 7, "prevDay": {"c": 4.9e-322}, "todaysChangePerc": "unch"})
    assert (tick.price, tick.bid, tick.ask, tick.open, tick.prev_close, tick.change_pct) == (71.4201, None, -0.01, None, None, None)
    assert {odd.field for odd in tick.odd or ()} == {"bid", "open", "high", "low", "volume", "prev_close", "change_pct"}


def test_crypto_has_milliseconds_and_no_currency_of_its_own() -> None:
    """X:BTCUSD could be cut in several places. Its conditions are others, its day begins at midnight in New York, and it has no session."""
    assert tick_of(BTCUSD, "BTC-USD") == Tick(
        price=92070.4,
        open=91200.1,
        high=93010.0,
        low=90702.5,
        prev_close=91200.1,
        volume=8120.5512,
        change=870.3,
        change_pct=0.9543,
        quote_time=1_779_998_399_010,
        volume_of="24h",
    )


def test_of_currencies_the_middle_of_bid_and_ask_is_the_price() -> None:
    """Exact in decimal. Small letters are the sides there; what counts quotes is no volume; the change is reckoned from the price."""
    assert tick_of(EURUSD, "EUR/USD") == Tick(
        price=1.143125,
        bid=1.14311,
        ask=1.14314,
        open=1.1421,
        high=1.1442,
        low=1.1401,
        prev_close=1.1419,
        currency="USD",
        quote_time=1_779_998_399_000,
    )


def test_of_currencies_without_quotes_the_minute_has_the_price() -> None:
    """Or, when the day is cleared, the day before; that is no closed market."""
    nothing = {"lastQuote": {"a": 0, "b": 0, "t": 0, "x": 0}}
    tick = tick_of(EURUSD | nothing, "EUR/USD")
    assert (tick.price, tick.bid, tick.quote_time, tick.change) == (1.1431, None, 1_779_998_399_000, 0.0012)
    tick = tick_of(EURUSD | nothing | {"day": ZEROS, "min": ZEROS, "updated": 0}, "EUR/USD")
    assert (tick.price, tick.session, tick.prev_close, tick.open, tick.untimed) == (1.1419, None, None, None, True)


def test_an_index_is_read_field_by_field() -> None:
    """Its value is the price."""
    assert indices(SPX) == {"I:SPX": INDEX}


@pytest.mark.parametrize(
    ("words", "session"),
    [("regular_trading", "regular"), ("closed", "closed"), ("early_trading", "pre"), ("late_trading", "post"), ("lunch", None), ([], None)],
)
def test_the_market_of_an_index_is_in_words(words: Any, session: str | None) -> None:
    """Others than we know say nothing."""
    (tick,) = indices(SPX | {"market_status": words}).values()
    assert isinstance(tick, Tick)
    assert tick.session == session


def test_an_index_that_is_delayed_says_so_itself() -> None:
    """Each row for itself."""
    late, live = indices(SPX | {"ticker": "I:VIX", "timeframe": "DELAYED"}, SPX, symbols=("^VIX", "I:SPX")).values()
    assert isinstance(late, Tick)
    assert isinstance(live, Tick)
    assert (late.delay_min, live.delay_min) == (15.0, None)


def test_an_index_without_a_value_is_at_its_close() -> None:
    """0 is none, and so is nothing."""
    for nothing in ({"value": 0}, {"value": None}):
        assert indices(SPX | nothing) == {"I:SPX": Tick(price=7427.6, session="closed", untimed=True)}


def test_what_a_plan_has_not_is_told_from_what_nobody_has() -> None:
    """In words, by symbol."""
    not_entitled = {"ticker": "I:NDX", "error": "NOT_ENTITLED", "message": "Not entitled to this ticker."}
    not_found = {"ticker": "I:APX", "error": "NOT_FOUND", "message": "Ticker not found."}
    answer = indices(SPX, not_entitled, not_found, symbols=("I:SPX", "I:NDX", "I:APX", "I:GONE"))
    assert answer["I:SPX"] == INDEX
    for symbol, words in {
        "I:NDX": "the plan of this key does not include 'I:NDX'",
        "I:APX": "Massive has no 'I:APX'",
        "I:GONE": "Massive has no 'I:GONE'",
    }.items():
        error = answer[symbol]
        assert isinstance(error, FeedError)
        assert (words in str(error), error.rejects_symbol, error.retryable) == (True, True, False)


@pytest.mark.parametrize(
    "answer",
    [{"status": "ERROR", "error": "odd"}, {"status": "NOT_AUTHORIZED", "message": "no"}, {"status": None}, {"message": "Forbidden"}, {}],
)
def test_an_error_may_come_with_status_200(answer: dict[str, Any]) -> None:
    """And is no unknown symbol."""
    assert not complaint(lambda: parse(json.dumps(answer).encode(), BATCH)).rejects_symbol


def test_no_rows_at_all_are_unknown_symbols() -> None:
    """Null, or absent, where nothing was found."""
    for answer in ({"status": "OK", "count": 0}, {"status": "OK", "tickers": None}, {"status": "OK", "tickers": []}):
        errors = parse(json.dumps(answer).encode(), BATCH).values()
        assert all(isinstance(error, FeedError) and error.rejects_symbol for error in errors)


@given(
    mutated({"status": "OK", "tickers": [KO, EARLY | {"ticker": "BRK.B"}]})
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
)
def test_any_body_is_ticks_or_complaints(body: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(body, BATCH), {"KO", "BRK-B"})


@pytest.mark.parametrize("symbol", ["I:SPX", "EUR/USD", "BTC-USD"])
@given(mutated({"status": "OK", "results": [SPX], "tickers": [EURUSD, BTCUSD]}))
def test_any_body_of_other_markets_is_ticks_or_complaints(symbol: str, body: bytes) -> None:
    """Each with a reader of its own."""
    answers_or_complains(lambda: parse(body, subscribe(Massive, symbol)), {symbol})


@pytest.mark.parametrize("switches", [{}, {"no_trades": True}, {"before_open": True}, {"delayed": True}, {"cleared": True}])
def test_each_market_has_a_call(feed: Massive, provider: RunningProvider, switches: dict[str, bool]) -> None:
    """At any hour, in any plan that has snapshots."""
    provider.set(switches=switches)
    answer = feed.poll(subscribe(Massive, "AAPL", "BTC-USD", "BRK-B", "^SPX", "EUR/USD"))
    assert all(isinstance(tick, Tick) and well_formed(tick) for tick in answer.values())
    assert [(request["path"], request["query"]) for request in provider.requests()] == [
        ("/v2/snapshot/locale/us/markets/stocks/tickers", {"tickers": "AAPL,BRK.B"}),
        ("/v2/snapshot/locale/global/markets/crypto/tickers", {"tickers": "X:BTCUSD"}),
        ("/v2/snapshot/locale/global/markets/forex/tickers", {"tickers": "C:EURUSD"}),
        ("/v3/snapshot/indices", {"ticker.any_of": "I:SPX", "limit": "250"}),
    ]
    assert {request["headers"]["authorization"] for request in provider.requests()} == {f"Bearer {CANARY}"}


def test_more_indices_than_a_page_has_by_itself_come_in_one(feed: Massive) -> None:
    """Ten, without `limit`."""
    symbols = [f"I:T{number:03}" for number in range(12)]
    assert all(isinstance(tick, Tick) for tick in feed.poll(subscribe(Massive, *symbols)).values())


def test_a_market_that_the_plan_has_not_costs_its_own_symbols(feed: Massive, provider: RunningProvider) -> None:
    """In words."""
    provider.set(switches={"not_entitled": ["indices", "forex"]})
    answer = feed.poll(subscribe(Massive, "AAPL", "I:SPX", "I:VIX", "EUR/USD"))
    assert isinstance(answer["AAPL"], Tick)
    for symbol, market in {"I:SPX": "indices", "I:VIX": "indices", "EUR/USD": "currencies"}.items():
        assert f"the plan of this key does not include snapshots of {market}" in str(answer[symbol])


def test_what_is_not_asked_for_here_is_told_before_asking(feed: Massive, provider: RunningProvider) -> None:
    """Options: neither unknown nor the feed's failure."""
    (error,) = feed.poll(subscribe(Massive, "O:SPY251219C00650000")).values()
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, "indices (I:SPX)" in str(error), provider.requests()) == (True, True, [])


def test_a_plan_without_snapshots_is_the_feed_s_failure(feed: Massive, provider: RunningProvider) -> None:
    """And not tried again soon; a limit is."""
    provider.set(switches={"not_entitled": True})
    error = complaint(lambda: feed.poll(subscribe(Massive, "AAPL")))
    assert (error.retryable, error.rejects_symbol) == (False, False)
    provider.set(switches={"limited": True})
    error = complaint(lambda: feed.poll(subscribe(Massive, "AAPL")))
    assert (error.retryable, error.rejects_symbol) == (True, False)
    assert error.retry_after_s is not None


def test_a_host_that_has_moved_is_the_feed_s_failure(feed: Massive, provider: RunningProvider) -> None:
    """The key is not taken to another one."""
    provider.set(switches={"moved": "https://api.massive.example"})
    assert "redirect" in str(complaint(lambda: feed.poll(subscribe(Massive, "AAPL"))))
    assert len(provider.requests()) == 1
