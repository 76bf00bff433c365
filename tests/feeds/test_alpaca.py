"""Alpaca: snapshots, days, malformed symbols, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.alpaca import Alpaca, parse
from tests.feeds.support import CANARY, JSON, answers_or_complains, complaint, connected, mutated, subscribe, well_formed
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Correction, Tick
from ticker.runtime import Runtime

PROVIDER = "alpaca"
SYMBOLS = ("AAPL", "BRK-B", "BTC-USD")
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""
SPY: dict[str, Any] = {
    "latestTrade": {"t": "2026-05-28T19:59:59.870914553Z", "x": "V", "p": 611.23, "s": 400, "c": ["@"], "i": 52983525, "z": "B"},
    "latestQuote": {"t": "2026-05-28T20:00:00Z", "ax": "V", "ap": 611.31, "as": 2, "bx": "V", "bp": 0, "bs": 0, "c": ["R"], "z": "B"},
    "minuteBar": {"t": "2026-05-28T19:59:00Z", "o": 611, "h": 611.4, "l": 611, "c": 611.23, "v": 7031, "n": 80, "vw": 611.2},
    "dailyBar": {"t": "2026-05-28T04:00:00Z", "o": 607.5, "h": 612, "l": 606.18, "c": 611.23, "v": 2110455, "n": 30021, "vw": 609.9},
    "prevDailyBar": {"t": "2026-05-27T04:00:00Z", "o": 604.2, "h": 608.8, "l": 603.77, "c": 606.94, "v": 1870220, "n": 28110, "vw": 606.1},
}
MADE_MS = 1_779_998_399_870
BATCH = subscribe(Alpaca, "SPY", "BRK-B")


def ticks(rows: Any, *symbols: str, delay_min: float | None = None, data_feed: str = "iex") -> dict[str, Tick | FeedError]:
    """What is read from an answer."""
    return parse(json.dumps(rows).encode(), subscribe(Alpaca, *symbols), delay_min, data_feed)


def tick_of(symbol: str, row: Any, data_feed: str = "iex") -> Tick:
    """The tick of one."""
    tick = ticks({symbol: row}, symbol, data_feed=data_feed)[symbol]
    assert isinstance(tick, Tick), tick
    return tick


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[Alpaca]:
    """A feed on the local server."""
    feed = connected(Alpaca, provider, runtime)
    yield feed
    feed.close()


@pytest.mark.parametrize(
    ("symbol", "id"), [("BRK-B", "BRK.B"), ("BRK.B", "BRK.B"), ("BTC-USD", "BTC/USD"), ("BTC/USD", "BTC/USD"), ("SPY", "SPY")]
)
def test_a_symbol_is_spelt_as_alpaca_does(symbol: str, id: str) -> None:
    """A class behind a dot, a currency behind a slash."""
    assert Alpaca.native_id(symbol) == id


@pytest.mark.parametrize("update", ["canceled", "incorrect"])
def test_a_newest_trade_that_was_taken_back_is_no_price(update: str) -> None:
    """The newest bar's close is, and it holds though it was made before what was shown."""
    gone = SPY["latestTrade"] | {"p": 640.0, "u": update}
    before = SPY["minuteBar"] | {"t": "2026-05-28T19:57:00Z", "c": 611.05}
    tick = tick_of("SPY", SPY | {"latestTrade": gone, "minuteBar": before})
    assert isinstance(tick, Correction)
    assert (tick.price, tick.quote_time) == (611.05, MADE_MS // 60_000 * 60_000 - 60_001)


@pytest.mark.parametrize(("update", "kind"), [("corrected", Correction), ("", Tick), (None, Tick), (["canceled"], Tick)])
def test_a_newest_trade_that_corrects_one_is_the_price(update: Any, kind: type) -> None:
    """It holds, whatever was shown; words that mean nothing change nothing."""
    tick = tick_of("SPY", SPY | {"latestTrade": SPY["latestTrade"] | {"u": update}})
    assert (type(tick), tick.price, tick.quote_time) == (kind, 611.23, MADE_MS)


def test_an_error_with_status_200_is_no_unknown_symbol() -> None:
    """Whoever answers it."""
    assert not complaint(lambda: ticks({"message": "too many requests."}, "SPY", "BRK-B")).rejects_symbol


def test_a_snapshot_is_read_field_by_field() -> None:
    """Nine digits of a second; a bid of 0 is none; the close before comes from yesterday's bar."""
    assert ticks({"SPY": SPY}, "SPY", delay_min=15.0) == {
        "SPY": Tick(
            price=611.23,
            ask=611.31,
            open=607.5,
            high=612.0,
            low=606.18,
            prev_close=606.94,
            volume=2110455.0,
            currency="USD",
            quote_time=MADE_MS,
            delay_min=15.0,
            session="regular",
            volume_of="session",
        )
    }


def test_crypto_is_wrapped_and_priced_in_its_second_half() -> None:
    """The rows are the same."""
    (tick,) = ticks({"snapshots": {"BTC/USDT": SPY}}, "BTC/USDT").values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.currency, tick.session, tick.volume_of) == (611.23, "USDT", None, "24h")


def test_a_trade_of_a_new_day_is_compared_with_the_last_day_s_close() -> None:
    """Before the open the newest bar is still yesterday's."""
    early = SPY | {"latestTrade": SPY["latestTrade"] | {"t": "2026-05-29T08:01:02Z", "p": 612, "c": ["@", "T"]}}
    assert tick_of("SPY", early) == Tick(
        price=612.0, ask=611.31, prev_close=611.23, currency="USD", quote_time=1_780_041_662_000, session="pre", volume_of="session"
    )
    late = tick_of("SPY", SPY | {"latestTrade": SPY["latestTrade"] | {"t": "2026-05-28T23:59:58Z", "c": ["@", "T"]}})
    assert (late.prev_close, late.open, late.session) == (606.94, 607.5, "post")


CRYPTO = {
    "latestQuote": {"bp": 94999, "ap": 95001},
    "dailyBar": {"t": "2026-11-01T05:00:00Z", "o": 90000, "h": 96000, "l": 89000, "v": 10},
    "prevDailyBar": {"t": "2026-10-31T05:00:00Z", "c": 90010},
}


@pytest.mark.parametrize(
    ("made", "is_today"),
    [("2026-11-01T05:00:00Z", True), ("2026-11-02T04:50:00Z", True), ("2026-11-02T05:50:00Z", True), ("2026-11-02T06:00:00Z", False)],
)
def test_a_day_of_crypto_is_chicagos_and_may_have_25_hours(made: str, is_today: bool) -> None:
    """Where clocks go back, 24.8 h after it began it is still that day."""
    (tick,) = ticks({"snapshots": {"BTC/USD": {"latestTrade": {"t": made, "p": 95000.0}, **CRYPTO}}}, "BTC/USD").values()
    assert isinstance(tick, Tick)
    assert (tick.open, tick.prev_close) == ((90000.0, 90010.0) if is_today else (None, None))
    assert tick.session is None


def test_a_day_of_23_hours_ends_when_it_ends() -> None:
    """The first trade of the day that follows, 23.5 h after the last bar began: there is no bar of it yet."""
    made, bar = SPY["latestTrade"] | {"t": "2026-03-09T04:30:00Z"}, {"t": "2026-03-08T05:00:00Z", "o": 1, "c": 610}
    tick = tick_of("SPY", SPY | {"latestTrade": made, "dailyBar": bar})
    assert (tick.open, tick.prev_close) == (None, 610.0)


@pytest.mark.parametrize("data_feed", ["overnight", "boats"])
def test_the_night_is_a_session_of_the_day_that_follows(data_feed: str) -> None:
    """Its bar is that day's, whatever the date in New York; and its trades have no other session."""
    night = {
        "latestTrade": {"t": "2026-12-01T02:15:46.208Z", "x": "", "p": 271.12, "s": 25, "c": ["@"], "i": 52983525028, "z": "C"},
        "latestQuote": {"t": "2026-12-01T02:15:46.208Z", "ap": 271.22, "bp": 271.05},
        "prevDailyBar": None,
        "dailyBar": {"t": "2026-12-01T05:00:00Z", "o": 271.05, "h": 271.2, "l": 271, "c": 271.12, "v": 9120},
    }
    assert tick_of("AAPL", night, data_feed) == Tick(
        price=271.12,
        bid=271.05,
        ask=271.22,
        open=271.05,
        high=271.2,
        low=271.0,
        volume=9120.0,
        currency="USD",
        quote_time=1_796_091_346_208,
        session="overnight",
        volume_of="session",
    )
    first = tick_of("AAPL", night | {"dailyBar": {"t": "2026-11-30T05:00:00Z", "o": 268, "h": 272, "l": 267, "c": 270.9}}, data_feed)
    assert (first.open, first.prev_close) == (None, 270.9)


def test_a_trade_that_sets_no_price_leaves_it_to_the_bars() -> None:
    """An odd lot, a contingent trade: the close of the newest minute, made before it ended; then that of the day."""
    odd = SPY["latestTrade"] | {"p": 640.5, "c": ["@", "4", "7", "V"]}
    tick = tick_of("SPY", SPY | {"latestTrade": odd | {"t": "2026-05-28T19:59:30Z"}})
    assert (tick.price, tick.quote_time, tick.session) == (611.23, 1_779_998_370_000, "regular")
    later = tick_of("SPY", SPY | {"latestTrade": odd | {"t": "2026-05-28T20:30:00Z"}})
    assert (later.price, later.quote_time, later.high) == (611.23, 1_779_998_399_999, 612.0)
    of_day = tick_of("SPY", SPY | {"latestTrade": odd | {"t": "2026-05-28T20:30:00Z"}, "minuteBar": None})
    assert (of_day.price, of_day.quote_time, of_day.session) == (611.23, 1_779_998_399_999, "regular")
    next_day = tick_of("SPY", SPY | {"latestTrade": odd | {"t": "2026-05-29T08:01:02Z"}})
    assert (next_day.price, next_day.open, next_day.prev_close) == (611.23, 607.5, 606.94)
    error = ticks({"SPY": {"latestTrade": odd}}, "SPY")["SPY"]
    assert isinstance(error, FeedError)
    assert "none that sets a price" in str(error)
    assert error.retryable


def test_what_cannot_be_read_beside_the_price_costs_nothing_else() -> None:
    """A bid below zero, a low that is a word, a bar that is a list; a trade without its time."""
    tick = tick_of("SPY", SPY | {"latestQuote": {"bp": -0.01, "ap": "unch"}, "prevDailyBar": [1]})
    assert (tick.price, tick.bid, tick.ask, tick.prev_close) == (611.23, -0.01, None, None)
    assert [odd.field for odd in tick.odd or ()] == ["ask", "prev_close"]
    untimed = tick_of("SPY", SPY | {"latestTrade": SPY["latestTrade"] | {"t": ""}})
    assert (untimed.price, untimed.quote_time, untimed.untimed, untimed.open) == (611.23, None, True, 607.5)


def test_a_split_is_for_the_board_to_judge() -> None:
    """Bars are as they were: what the close before was is said, and nothing is made of it here."""
    row = {
        "latestTrade": {"t": "2025-11-17T15:00:00Z", "p": 110.5, "c": ["@"], "z": "C"},
        "dailyBar": {"t": "2025-11-17T05:00:00Z", "o": 111, "h": 112, "l": 110, "c": 110.5, "v": 1000},
        "prevDailyBar": {"t": "2025-11-14T05:00:00Z", "c": 1112.17},
    }
    tick = tick_of("NFLX", row)
    assert (tick.price, tick.prev_close, tick.change, tick.change_pct) == (110.5, 1112.17, None, None)


def test_parts_may_be_missing() -> None:
    """Null, absent, empty: unknown. Without a trade there is no price."""
    bare = SPY | {"latestQuote": None, "dailyBar": None, "prevDailyBar": {}}
    assert ticks({"SPY": bare}, "SPY") == {
        "SPY": Tick(price=611.23, currency="USD", quote_time=MADE_MS, session="regular", volume_of="session")
    }
    error = ticks({"SPY": SPY | {"latestTrade": None}}, "SPY")["SPY"]
    assert isinstance(error, FeedError)
    assert not error.rejects_symbol


def test_null_and_absent_are_unknown_symbols() -> None:
    """Beside others that are known."""
    answer = ticks({"SPY": SPY, "NULL": None}, "SPY", "NULL", "GONE")
    assert isinstance(answer["SPY"], Tick)
    errors = [outcome for outcome in answer.values() if isinstance(outcome, FeedError)]
    assert [error.rejects_symbol for error in errors] == [True, True]


@given(
    mutated({"SPY": SPY, "BRK.B": SPY})
    | mutated({"snapshots": {"SPY": SPY}})
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
)
def test_any_body_is_ticks_or_complaints(body: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(body, BATCH), {"SPY", "BRK-B"})


def test_shares_and_crypto_have_a_call_each(feed: Alpaca, provider: RunningProvider) -> None:
    """With both halves of the key, and the source of share prices."""
    answer = feed.poll(subscribe(Alpaca, "AAPL", "BTC-USD", "BRK-B"))
    assert all(isinstance(tick, Tick) and well_formed(tick) for tick in answer.values())
    assert [(request["path"], request["query"]) for request in provider.requests()] == [
        ("/v2/stocks/snapshots", {"symbols": "AAPL,BRK.B", "feed": "iex"}),
        ("/v1beta3/crypto/us/snapshots", {"symbols": "BTC/USD"}),
    ]
    for request in provider.requests():
        assert [request["headers"][name] for name in ("apca-api-key-id", "apca-api-secret-key")] == [CANARY, CANARY]


def test_the_delayed_source_says_so(provider: RunningProvider, runtime: Runtime) -> None:
    """Fifteen minutes; crypto is not delayed."""
    feed = connected(Alpaca, provider, runtime, data_feed="delayed_sip")
    delays = {symbol: tick.delay_min for symbol, tick in feed.poll(subscribe(Alpaca, "AAPL", "BTC-USD")).items() if isinstance(tick, Tick)}
    feed.close()
    assert delays == {"AAPL": 15.0, "BTC-USD": None}


def test_a_malformed_symbol_is_named_and_left_out_from_then_on(feed: Alpaca, provider: RunningProvider) -> None:
    """The others have their prices in the same poll, and from the next on no call is lost."""
    batch = subscribe(Alpaca, "AAPL", "MSFT", A="BRK-B", B="no")
    for calls in (3, 1):
        provider.forget()
        answer = feed.poll(batch)
        assert [type(outcome) for outcome in answer.values()].count(Tick) == 2
        for symbol, id in (("A", "BRK-B"), ("B", "no")):
            error = answer[symbol]
            assert isinstance(error, FeedError)
            assert error.rejects_symbol
            assert repr(id) in str(error)
        assert len(provider.requests()) == calls


def test_a_malformed_symbol_is_asked_for_alone_again(feed: Alpaca, provider: RunningProvider) -> None:
    """That is how the poller tries a rejected symbol again."""
    batch = subscribe(Alpaca, "AAPL", A="BRK-B")
    feed.poll(batch)
    provider.forget()
    feed.poll(batch[1:])
    assert len(provider.requests()) == 1


def test_a_malformed_symbol_that_is_not_named_is_for_the_poller_to_find(feed: Alpaca, provider: RunningProvider) -> None:
    """The feed blames nobody without evidence."""
    provider.set(switches={"unnamed": True})
    assert complaint(lambda: feed.poll(subscribe(Alpaca, "AAPL", A="BRK-B"))).rejects_symbol


def test_a_market_that_fails_costs_its_own_symbols(feed: Alpaca, provider: RunningProvider) -> None:
    """Crypto goes on without shares."""
    provider.fault("html", path="/v2/stocks")
    answer = feed.poll(subscribe(Alpaca, "AAPL", "BTC-USD"))
    assert [type(outcome) for outcome in answer.values()] == [FeedError, Tick]


def test_a_source_that_the_plan_has_not_is_named(provider: RunningProvider, runtime: Runtime) -> None:
    """Wrong keys are another matter; crypto needs no plan."""
    feed = connected(Alpaca, provider, runtime, data_feed="sip")
    provider.set(switches={"not_in_plan": ["sip"]})
    answer = feed.poll(subscribe(Alpaca, "AAPL", "BTC-USD"))
    feed.close()
    error = answer["AAPL"]
    assert isinstance(error, FeedError)
    assert 'does not include data_feed = "sip"' in str(error)
    assert (error.retryable, error.rejects_symbol) == (False, False)
    assert isinstance(answer["BTC-USD"], Tick)


def test_a_newest_trade_that_is_none_does_not_move_the_price(feed: Alpaca, provider: RunningProvider) -> None:
    """As the server has it: an odd lot far away, and the close of the minute."""
    provider.set(switches={"conditions": ["@", "I"]})
    (odd,) = feed.poll(subscribe(Alpaca, "AAPL")).values()
    provider.set(switches={"conditions": ["@"]})
    (even,) = feed.poll(subscribe(Alpaca, "AAPL")).values()
    assert isinstance(odd, Tick)
    assert isinstance(even, Tick)
    assert odd.price < 0.9 * even.price
