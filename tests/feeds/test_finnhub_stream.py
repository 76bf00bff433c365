"""Finnhub's stream: trades, limits, and a server that speaks its wire."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ticker.streaming.streamer
from feeds.finnhub_stream import FinnhubSession, FinnhubStream
from tests.feeds.streams.streaming import Bench, said, sent, survives
from tests.feeds.support import CANARY, JSON, complaint, mutated, subscribe
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.source import Ended

PROVIDER = "finnhub_stream"
ROW = {"c": ["1", "12"], "p": 412.07, "s": "MSFT", "t": 1779998399123, "v": 120}
TRADE = {"data": [ROW], "type": "trade"}
TOO_MANY = {"msg": "Subscribing to too many symbols", "type": "error"}


def wanting(*ids: str, known: dict[str, Tick] | None = None) -> FinnhubSession:
    """A session that has asked for symbols."""
    session = FinnhubSession({} if known is None else known)
    session.want(subscribe(FinnhubStream, *(ids or ("MSFT",))))
    for second in range(10):
        session.due(float(second))
    return session


def test_a_trade_is_read_field_by_field() -> None:
    """Milliseconds; `v` is of the trade and not of the day."""
    assert said(wanting(), TRADE) == {"MSFT": Tick(price=412.07, quote_time=1_779_998_399_123, session="regular")}


def test_the_newest_of_several_trades_counts() -> None:
    """They need not be in order, and conditions may be null."""
    rows = [ROW | {"t": 1779998399125, "p": 412.5, "c": None}, ROW, ROW | {"p": 7296.89, "s": "BINANCE:BTCUSDT", "t": 1575526691134}]
    assert said(wanting("MSFT", "BINANCE:BTCUSDT"), {"data": rows, "type": "trade"}) == {
        "MSFT": Tick(price=412.5, quote_time=1_779_998_399_125, session="regular"),
        "BINANCE:BTCUSDT": Tick(price=7296.89, quote_time=1_575_526_691_134),
    }


def test_a_trade_keeps_what_the_snapshot_knew() -> None:
    """The close before and the open stay, high and low are stretched, the change is computed anew."""
    known = {
        "MSFT": Tick(
            price=410.0, open=409.0, high=411.0, low=408.0, prev_close=405.0, change=5.0, change_pct=1.2346, quote_time=1_779_998_000_000
        )
    }
    assert said(wanting(known=known), TRADE) == {
        "MSFT": Tick(price=412.07, open=409.0, high=412.07, low=408.0, prev_close=405.0, quote_time=1_779_998_399_123, session="regular")
    }


def test_conditions_say_nothing() -> None:
    """Finnhub's numbers are its own: an odd lot, if that is what 12 is, moves the price as any other trade."""
    for conditions in (None, [], ["1", "12", "24"], "12", {"a": 1}):
        assert said(wanting(), {"data": [ROW | {"c": conditions}], "type": "trade"}) == said(wanting(), TRADE)


def test_a_new_day_wants_a_new_close_before() -> None:
    """Of a share; what trades day and night has no days."""
    known = {
        symbol: Tick(price=410.0, high=411.0, low=408.0, prev_close=405.0, quote_time=1_779_998_000_000)
        for symbol in ("MSFT", "BINANCE:BTCUSDT")
    }
    session = wanting("MSFT", "BINANCE:BTCUSDT", known=known)
    rows = [ROW | {"s": symbol, "t": 1_780_041_601_000} for symbol in ("MSFT", "BINANCE:BTCUSDT")]
    answer = said(session, {"data": rows, "type": "trade"})
    assert answer == {
        "MSFT": Tick(price=412.07, quote_time=1_780_041_601_000, session="pre"),
        "BINANCE:BTCUSDT": Tick(price=412.07, high=412.07, low=408.0, prev_close=405.0, quote_time=1_780_041_601_000),
    }
    assert session.ask_beside() == ["MSFT"]


def test_a_snapshot_that_comes_late_moves_nothing_back() -> None:
    """The price of the stream stays, with what only the snapshot knows."""
    session = wanting()
    said(session, TRADE)
    joined = session.take_snapshot({"MSFT": Tick(price=410.0, prev_close=405.0, high=411.0, low=408.0, quote_time=1_779_990_000_000)})
    assert joined == {"MSFT": Tick(price=412.07, prev_close=405.0, high=412.07, low=408.0, quote_time=1_779_998_399_123, session="regular")}


def test_pings_and_news_of_other_kinds_say_nothing() -> None:
    """A ping wants no answer."""
    session = wanting()
    assert said(session, {"type": "ping"}, {"type": "news", "data": []}, {}) == {}
    assert sent(session, 100.0) == []


def test_a_symbol_a_message() -> None:
    """Nothing is acknowledged, so it is ready at once."""
    session = FinnhubSession({})
    session.want(subscribe(FinnhubStream, "MSFT", "OANDA:EUR_USD"))
    assert [message for at_s in (0.0, 0.2) for message in sent(session, at_s)] == [
        {"type": "subscribe", "symbol": "MSFT"},
        {"type": "subscribe", "symbol": "OANDA:EUR_USD"},
    ]
    assert session.ready


def test_too_many_symbols_are_left_out_from_the_end() -> None:
    """One error for each that is too many; it says so, and comes in when another leaves."""
    session = wanting("A", "B", "C", "D")
    said(session, TOO_MANY, TOO_MANY)
    _, news = session.due(20.0)
    assert news.keys() == {"C", "D"}
    assert "2 symbols at most" in str(news["D"])
    session.want(subscribe(FinnhubStream, "B", "C", "D"))
    assert [message for at_s in (21.0, 21.2, 21.4) for message in sent(session, at_s)] == [
        {"type": "unsubscribe", "symbol": "A"},
        {"type": "subscribe", "symbol": "C"},
    ]


def test_a_wrong_key_ends_it() -> None:
    """Said after the handshake too."""
    error = complaint(lambda: said(wanting(), {"msg": "Invalid API key", "type": "error"}))
    assert isinstance(error, Ended)
    assert not error.retryable
    assert not isinstance(complaint(lambda: said(wanting(), {"msg": "Something else", "type": "error"})), Ended)


def test_a_bad_number_is_the_symbols_error() -> None:
    """Strings that are no numbers, times of another unit. Without a time it is the newest all the same."""
    for bad in ({"p": None}, {"p": 0}, {"p": "NaN"}, {"t": 1779998399}):
        assert isinstance(said(wanting(), {"data": [ROW | bad], "type": "trade"})["MSFT"], FeedError)
    assert said(wanting(), {"data": [ROW | {"t": 0}], "type": "trade"}) == {"MSFT": Tick(price=412.07, untimed=True)}


@given(mutated(TRADE) | mutated(TOO_MANY) | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_message_is_ticks_or_a_complaint(message: bytes) -> None:
    """Nothing else comes out."""
    survives(wanting(), message, {"MSFT"})


@pytest.fixture
def bench(provider: RunningProvider, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A stream on the local server."""
    monkeypatch.setattr(ticker.streaming.streamer, "LOOK_S", 0.01)
    provider.set(switches={"per_s": 50})
    bench = Bench(FinnhubStream, provider, runtime)
    yield bench
    bench.stop()
    bench.until(lambda: not provider.streams(open_only=True))


def test_the_key_is_in_the_address_and_nowhere_else(bench: Bench, provider: RunningProvider) -> None:
    """Finnhub takes it nowhere else for a stream; beside it, it goes in a header."""
    bench.start("AAPL")
    assert [one["query"] for one in provider.streams()] == [{"token": CANARY}]
    rest = [request for request in provider.requests() if request["path"] == "/api/v1/quote"]
    assert {request["headers"]["x-finnhub-token"] for request in rest} == {CANARY}
    assert CANARY not in str([request["query"] for request in rest])


def test_fifty_symbols_for_nothing(bench: Bench, provider: RunningProvider) -> None:
    """The others have prices from beside the stream, and say why they have no more."""
    symbols = [f"T{number:03}" for number in range(53)]
    bench.want(*symbols)

    def said_so() -> set[str]:
        return {symbol for answer in bench.delivered for symbol, news in answer.items() if "at most" in str(news)}

    bench.until(lambda: said_so() == set(symbols[50:]), push_s=0.05)
    assert bench.asked() == [set(symbols[:50])]
    assert len(bench.taps) == 1


@pytest.mark.parametrize("refuses", [True, False])
def test_one_connection_a_key(bench: Bench, provider: RunningProvider, runtime: Runtime, refuses: bool) -> None:
    """Refused with 429, or the first is closed by the second: neither goes round and round."""
    provider.set(switches={"per_s": 50, "refuse_second": refuses})
    bench.start("AAPL")
    second = Bench(FinnhubStream, provider, runtime)
    second.want("AAPL")
    loser = second if refuses else bench
    loser.until(lambda: loser.told and loser.told[0][0] == "retrying")
    assert ("HTTP 429" if refuses else "another connection") in str(loser.told[0][1])
    second.stop()
