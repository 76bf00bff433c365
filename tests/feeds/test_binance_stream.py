"""Binance's stream: messages, limits, and a day on a server that speaks its wire."""

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ticker.streaming.streamer
from feeds.binance_stream import LONGEST_S, BinanceSession, BinanceStream, BinanceStreamSettings
from tests.feeds.streams.streaming import Bench, said, sent, survives
from tests.feeds.support import JSON, complaint, mutated, subscribe
from tests.providers.client import RunningProvider, running
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import SymbolOptions
from ticker.source import Subscription

PROVIDER = "binance_stream"
DATA = {"e": "24hrTicker", "E": 1779998399123, "s": "SOLUSDT", "p": "-1.37000000", "P": "-0.903", "w": "151.2", "x": "151.74",
        "c": "150.38", "Q": "0.5", "b": "150.37", "B": "12.1", "a": "150.39000000", "A": "7.25", "o": "151.75", "h": "153.00000001",
        "l": "0.00000149",
        "v": "2229.53692", "q": "343654.1", "O": 1779911998000, "C": 1779998398000, "F": 1, "L": 2, "n": 2}  # fmt: skip
TICK = Tick(
    price=150.38,
    bid=150.37,
    ask=150.39,
    open=151.75,
    high=153.00000001,
    low=0.00000149,
    volume=2229.53692,
    change=-1.37,
    change_pct=-0.903,
    quote_time=1_779_998_398_000,
)
COMBINED = {"stream": "solusdt@ticker", "data": DATA}


def wanting(*ids: str) -> BinanceSession:
    """A session that wants symbols."""
    session = BinanceSession({})
    session.want(subscribe(BinanceStream, *ids))
    return session


def test_a_ticker_is_read_field_by_field() -> None:
    """Keys that differ by case only are different keys; alone or in the frame of a combined stream."""
    assert said(wanting("SOL-USDT"), COMBINED) == {"SOL-USDT": TICK}
    assert said(wanting("SOL-USDT"), DATA) == {"SOL-USDT": TICK}


def test_without_a_time_of_the_numbers_that_of_the_message_counts() -> None:
    """`E` for `C`; a side of 0 is none."""
    data = {name: value for name, value in DATA.items() if name != "C"} | {"b": "0.00000000", "a": ""}
    tick = said(wanting("SOLUSDT"), data)["SOLUSDT"]
    assert isinstance(tick, Tick)
    assert (tick.quote_time, tick.bid, tick.ask) == (1_779_998_399_123, None, None)


def test_a_market_that_nobody_trades_is_closed() -> None:
    """No trade in 24 hours, no bid, no ask; its times move each second all the same."""
    dead = DATA | {"n": 0, "b": "0.00000000", "a": "0.00000000", "v": "0.00000000"}
    for data, session in ((dead, "closed"), (dead | {"n": 3}, None), (dead | {"b": "0.1"}, None)):
        tick = said(wanting("SOLUSDT"), data)["SOLUSDT"]
        assert isinstance(tick, Tick)
        assert (tick.price, tick.session) == (150.38, session)


def test_an_odd_id_stays_where_it_belongs(runtime: Runtime) -> None:
    """It may not end the address that all share."""
    feed = BinanceStream("binance", BinanceStreamSettings(kind="binance_stream"), runtime)
    odd = [Subscription(id, id, SymbolOptions()) for id in ("BTC#USDT", "A&B=C/D", "币安人生USDT", "BTCUSDT")]
    assert feed.path(odd) == (
        "/stream?streams=btc%23usdt@ticker/a%26b%3Dc%2Fd@ticker/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@ticker/btcusdt@ticker"
    )
    feed.close()


def test_a_side_field_costs_itself_only() -> None:
    """The price is good."""
    tick = said(wanting("SOLUSDT"), DATA | {"b": "-", "v": [], "P": {}})["SOLUSDT"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.bid, tick.volume, tick.change_pct) == (150.38, None, None, None)
    assert {odd.field for odd in tick.odd or ()} == {"bid", "volume", "change_pct"}


def test_two_symbols_of_ours_may_be_one_there() -> None:
    """Both have its prices; what nobody asked for has none."""
    assert said(wanting("SOL-USDT", "SOL/USDT"), DATA) == {"SOL-USDT": TICK, "SOL/USDT": TICK}
    assert said(wanting("ETHUSDT"), DATA) == {}


def test_an_older_ticker_is_passed_over() -> None:
    """Out of order, or of the connection that this one replaces."""
    session = wanting("SOLUSDT")
    assert said(session, DATA | {"C": 1779998399000}, DATA)["SOLUSDT"] == said(wanting("SOLUSDT"), DATA | {"C": 1779998399000})["SOLUSDT"]
    assert said(session, DATA) == {}


def test_a_bad_number_is_the_symbols_error() -> None:
    """And the next good one a price."""
    session = wanting("SOLUSDT")
    for bad in ("NaN", None, "0", "1,5", [1]):
        assert isinstance(said(session, DATA | {"c": bad})["SOLUSDT"], FeedError)
    assert said(session, DATA) == {"SOLUSDT": TICK}


@given(mutated(COMBINED) | mutated({"result": None, "id": 1}) | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_message_is_ticks_or_a_complaint(message: bytes) -> None:
    """Nothing else comes out."""
    session = wanting("SOLUSDT")
    session.due(0.0)
    survives(session, message, {"SOLUSDT"})


def test_requests_are_numbered_and_acknowledged() -> None:
    """Two hundred streams a message, in small letters; ready when all are taken note of."""
    session = wanting(*(f"A{number}USDT" for number in range(250)))
    (first,), (second,) = sent(session, 0.0), sent(session, 0.4)
    assert first["method"] == second["method"] == "SUBSCRIBE"
    assert first["params"][:2] == ["a0usdt@ticker", "a1usdt@ticker"]
    assert (len(first["params"]), len(second["params"]), first["id"], second["id"]) == (200, 50, 1, 2)
    said(session, {"result": None, "id": 1})
    assert not session.ready
    said(session, {"result": None, "id": 2})
    assert session.ready


def test_no_more_than_three_messages_a_second() -> None:
    """Five are allowed; pongs are among them, and some may be late and bunch."""
    session = wanting(*(f"A{number}USDT" for number in range(1024)))
    times = [hundredth for hundredth in range(400) for _ in sent(session, hundredth / 100)]
    assert len(times) == 6
    assert min(after - before for before, after in pairwise(times)) >= 33


def test_what_one_connection_does_not_carry_says_so_and_waits_for_room() -> None:
    """1,024 are the most."""
    ids = [f"A{number}USDT" for number in range(1026)]
    session = wanting(*ids)
    _, news = session.due(0.0)
    too_many = "one connection carries 1024 symbols at most"
    assert {symbol: str(error) for symbol, error in news.items()} == dict.fromkeys(ids[1024:], too_many)
    session.want(subscribe(BinanceStream, *ids[1:]))
    asked = [
        stream
        for second in range(1, 10)
        for message in sent(session, second)
        if message["method"] == "SUBSCRIBE"
        for stream in message["params"]
    ]
    assert "a1024usdt@ticker" in asked
    assert "a1025usdt@ticker" not in asked


def test_a_refused_request_is_the_error_of_its_symbols() -> None:
    """One without a number is a message that makes no sense."""
    session = wanting("SOLUSDT", "ETHUSDT")
    (asked,) = sent(session)
    answer = said(session, {"error": {"code": 2, "msg": "Invalid request"}, "id": asked["id"]})
    assert answer.keys() == {"SOLUSDT", "ETHUSDT"}
    assert all("Invalid request" in str(error) for error in answer.values())
    assert "Invalid JSON" in str(complaint(lambda: said(session, {"code": 3, "msg": "Invalid JSON"})))


def test_what_nobody_acknowledges_is_asked_for_again_then_put_off_for_a_minute() -> None:
    """Three times in half a minute; never for ever."""
    session = wanting("SOLUSDT")
    times = [second for second in range(200) if sent(session, second)]
    assert times == [0, 10, 20, 90, 100, 110, 180, 190]


def test_a_goodbye_is_understood() -> None:
    """On either kind of stream."""
    for message in ({"e": "serverShutdown", "E": 1770123456789}, {"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1}}):
        session = wanting("SOLUSDT")
        said(session, message)
        assert session.leaving


@pytest.fixture
def bench(provider: RunningProvider, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A stream on the local server, which is in a hurry."""
    monkeypatch.setattr(ticker.streaming.streamer, "LOOK_S", 0.01)
    provider.set(switches={"per_s": 50})
    bench = Bench(BinanceStream, provider, runtime)
    yield bench
    bench.stop()


def never_back(bench: Bench, symbol: str) -> bool:
    """Whether no price of `symbol` is older than the one before it."""
    times = [tick.quote_time or 0 for tick in bench.ticks(symbol)]
    return times == sorted(times)


def test_the_cut_after_a_day_is_invisible(bench: Bench, provider: RunningProvider) -> None:
    """Ten minutes before it a second connection is made ready, then the first is closed: no error, no pause, no step back."""
    assert LONGEST_S == 86_400 - 600
    bench.feed.longest_s = 600.0
    bench.start("BTCUSDT", "ETHUSDT")
    bench.until(lambda: len(bench.taps) == 2, push_s=10)
    bench.feed.longest_s = None
    bench.until(lambda: bench.taps[0].closed)
    assert bench.taps[1].opened_s - bench.taps[0].opened_s >= 600
    count = len(bench.ticks("BTCUSDT"))
    bench.until(lambda: len(bench.ticks("BTCUSDT")) > count + 5)
    bench.until(lambda: [one["over"] is None for one in provider.streams()] == [False, True])
    assert bench.told == []
    assert never_back(bench, "BTCUSDT")


def test_a_goodbye_is_followed_by_a_second_connection_before_the_cut(bench: Bench, provider: RunningProvider) -> None:
    """Binance announces it, and cuts a second later."""
    bench.start("BTCUSDT", "ETHUSDT")
    provider.set(switches={"per_s": 50})
    provider.say({"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1770123456789}})
    bench.until(lambda: len(bench.taps) == 2 and bench.taps[0].closed)
    bench.delivered.clear()
    bench.until(lambda: bench.prices().keys() == {"BTCUSDT", "ETHUSDT"})
    assert bench.told == []
    assert bench.state()["reconnects"] == 1


def test_many_symbols_keep_to_the_providers_limits(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """600 symbols, half of them changed again and again: five frames a second are never exceeded, nor is the connection closed."""
    monkeypatch.setattr(ticker.streaming.streamer, "LOOK_S", 0.01)
    symbols = [f"T{number:03}{quote}" for number in range(300) for quote in ("USDT", "EUR")]
    with running("binance_stream") as provider:
        provider.set(switches={"per_s": 2000, "ping_s": 2})
        bench = Bench(BinanceStream, provider, runtime)
        bench.start(*symbols)
        for first in range(0, 300, 100):
            bench.want(*symbols[first : first + 300])
            bench.until(lambda first=first: bench.asked() == [set(symbols[first : first + 300])])  # type: ignore[misc]
        bench.stop()
        assert provider.exceeded() == []
        assert len(provider.streams()) == 1
        assert max(len(one["query"]["streams"].split("/")) for one in provider.streams()) == 100
