"""Kraken's stream: messages, acknowledgements, heartbeats, and a server that speaks its wire."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ticker.streaming.streamer
from feeds.kraken.stream import KrakenSession, KrakenStream
from tests.feeds.streams.streaming import Bench, said, sent, survives
from tests.feeds.support import JSON, complaint, mutated, subscribe
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "kraken_stream"
STATUS = {
    "channel": "status",
    "type": "update",
    "data": [{"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": 18446744073709551615}],
}
ROW = {"symbol": "XRP/EUR", "bid": 1.90021, "bid_qty": 100, "ask": 1.90022, "ask_qty": 7.5, "last": 1.9, "volume": 5123456.12345678,
       "vwap": 1.9123, "low": 1.85, "high": 2, "change": -0.05, "change_pct": -2.56, "timestamp": "2026-05-28T19:59:59.123456Z"
}  # fmt: skip
TICKER = {"channel": "ticker", "type": "snapshot", "data": [ROW]}
TICK = Tick(
    price=1.9,
    bid=1.90021,
    ask=1.90022,
    high=2.0,
    low=1.85,
    volume=5123456.12345678,
    change=-0.05,
    change_pct=-2.56,
    currency="EUR",
    quote_time=1_779_998_399_123,
)
ACK = {"method": "subscribe", "result": {"channel": "ticker", "snapshot": True, "symbol": "XRP/EUR"}, "success": True, "req_id": 1}


def wanting(*ids: str) -> KrakenSession:
    """A session that has asked for pairs."""
    session = KrakenSession({})
    session.want(subscribe(KrakenStream, *(ids or ("XRP/EUR", "BTC/EUR"))))
    session.due(0.0)
    return session


def test_a_ticker_is_read_field_by_field() -> None:
    """Numbers that are numbers, whole ones too; the change of 24 hours as Kraken has it, and no open."""
    assert said(wanting(), STATUS, TICKER) == {"XRP/EUR": TICK}


def test_older_servers_give_no_time() -> None:
    """Then it is unknown, and every message counts as new."""
    row = {name: value for name, value in ROW.items() if name != "timestamp"}
    tick = said(wanting(), {"channel": "ticker", "type": "update", "data": [row]})["XRP/EUR"]
    assert isinstance(tick, Tick)
    assert tick.quote_time is None


def test_an_older_ticker_is_passed_over() -> None:
    """Messages out of order do not move a price back."""
    session = wanting()
    newer = {**TICKER, "data": [ROW | {"last": 1.95, "timestamp": "2026-05-28T20:00:00Z"}]}
    assert said(session, newer, TICKER).keys() == {"XRP/EUR"}
    assert said(session, TICKER) == {}


def test_usual_names_are_used() -> None:
    """Bitcoin and Dogecoin have other names in Kraken's REST."""
    session = KrakenSession({})
    session.want(subscribe(KrakenStream, "BTC-USD", "XBT/EUR", "XDG-USD"))
    (request,) = sent(session)
    pairs = ["BTC/USD", "BTC/EUR", "DOGE/USD"]
    assert request["params"] == {"channel": "ticker", "symbol": pairs, "event_trigger": "bbo", "snapshot": True}


@pytest.mark.parametrize(
    ("symbol", "id"),
    [("AAPLx/USD", "AAPLx/USD"), ("SPYx-EUR", "SPYx/EUR"), ("btc/usd", "BTC/USD"), ("xbt-eur", "BTC/EUR"), ("AAPLX/USD", "AAPLX/USD")],
)
def test_case_is_the_providers(symbol: str, id: str) -> None:
    """What is small throughout was only typed so."""
    assert KrakenStream.native_id(symbol) == id


def test_a_tokenized_share_is_found_as_it_is_written() -> None:
    """Asked for and answered with its small letter; in capitals it is refused, and the error says what to look at."""
    session = wanting("AAPLx/USD", "AAPLX/USD")
    row = ROW | {"symbol": "AAPLx/USD", "last": 271.15}
    tick = said(session, {**TICKER, "data": [row]})["AAPLx/USD"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.currency) == (271.15, "USD")
    refusal = {"error": "Currency pair not supported AAPLX/USD", "method": "subscribe", "success": False, "symbol": "AAPLX/USD"}
    assert "small x" in str(said(session, refusal)["AAPLX/USD"])


@pytest.mark.parametrize(("changes", "session"), [
    ({"volume": 0, "bid": 0, "ask": 0.0}, "closed"), ({"volume": 0, "bid": None, "ask": None}, "closed"), ({"volume": 0}, None),
    ({"bid": 0, "ask": 0}, None)])  # fmt: skip
def test_a_market_that_nobody_trades_is_closed(changes: dict[str, object], session: str | None) -> None:
    """No trade in 24 hours, no bid and no ask."""
    tick = said(wanting(), {**TICKER, "data": [ROW | changes]})["XRP/EUR"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.session) == (1.9, session)


def test_a_side_field_costs_itself_only() -> None:
    """The price is good; a time that can't be read leaves it without proof."""
    tick = said(wanting(), {**TICKER, "data": [ROW | {"low": "unch", "timestamp": "soon"}]})["XRP/EUR"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.low, tick.quote_time, tick.untimed) == (1.9, None, None, True)
    assert {odd.field for odd in tick.odd or ()} == {"low", "quote_time"}


def test_pairs_are_acknowledged_and_refused_one_by_one() -> None:
    """A refusal for good rejects the pair."""
    session = wanting("XRP/EUR", "FOO/BAR")
    said(session, ACK)
    refusal = {"error": "Currency pair not supported FOO/BAR", "method": "subscribe", "success": False, "symbol": "FOO/BAR"}
    error = said(session, refusal)["FOO/BAR"]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, error.retryable) == (True, False)
    assert sent(session, 300.0)[0]["method"] == "ping"
    assert sent(session, 301.0) == []
    assert session.ready


def test_a_refusal_that_may_pass_is_asked_again_after_a_minute() -> None:
    """A limit, or a moment's trouble; the pair is not called unknown."""
    session = wanting("XRP/EUR")
    error = said(session, {"error": "Exceeded msg rate", "method": "subscribe", "success": False, "symbol": "XRP/EUR"})["XRP/EUR"]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, error.retryable) == (False, True)
    asked = [second for second in range(1, 100) for message in sent(session, second) if message["method"] == "subscribe"]
    assert asked[0] == 61


def test_what_is_subscribed_already_is_taken_note_of() -> None:
    """After a doubtful start, say."""
    session = wanting("XRP/EUR")
    assert said(session, {"error": "Already subscribed", "method": "subscribe", "success": False, "symbol": "XRP/EUR"}) == {}
    assert session.ready


def test_a_quiet_connection_is_pinged() -> None:
    """Each 5 s in which nothing came: before anything is subscribed to, Kraken sends no heartbeat."""
    session = KrakenSession({})
    assert [second for second in range(20) if sent(session, second)] == [5, 10, 15]
    said(session, {"channel": "heartbeat"}, now_s=19.0)
    assert [second for second in range(20, 30) if sent(session, second)] == [24, 29]


def test_shares_and_coins_share_a_connection(bench: Bench) -> None:
    """One that is refused costs the others of its message nothing."""
    bench.want("AAPLx/USD", "BTC-USD", "AAPLX/USD")
    bench.until(lambda: bench.prices().keys() == {"AAPLx/USD", "BTC-USD"} and bench.errors().keys() == {"AAPLX/USD"})
    assert bench.errors()["AAPLX/USD"].rejects_symbol


def test_a_reply_without_a_pair_is_no_price() -> None:
    """A request that was wrong as a whole."""
    refusal = {"error": "Malformed request", "method": "subscribe", "success": False}
    assert "refuses a request" in str(complaint(lambda: said(wanting(), refusal)))


@given(mutated(TICKER) | mutated(ACK) | mutated(STATUS)
       | mutated({"error": "no", "method": "subscribe", "success": False, "symbol": "XRP/EUR"})
       | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))  # fmt: skip
def test_any_message_is_ticks_or_a_complaint(message: bytes) -> None:
    """Nothing else comes out."""
    survives(wanting(), message, {"XRP/EUR", "BTC/EUR"})


@pytest.fixture
def bench(provider: RunningProvider, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A stream on the local server."""
    monkeypatch.setattr(ticker.streaming.streamer, "LOOK_S", 0.01)
    provider.set(switches={"per_s": 50, "beat_s": 0.02})
    bench = Bench(KrakenStream, provider, runtime)
    yield bench
    bench.stop()


def test_where_only_unknown_pairs_are_wanted_pongs_show_that_it_lives(bench: Bench, provider: RunningProvider) -> None:
    """No subscription, hence no heartbeat; and no reason to connect again and again."""
    bench.want("NOPE/USD")
    bench.until(lambda: bench.errors().keys() == {"NOPE/USD"})
    for _ in range(10):
        messages = len(bench.taps[0].messages)
        bench.clock.pushed_s += 6
        bench.until(lambda messages=messages: len(bench.taps[0].messages) > messages)  # type: ignore[misc]
    assert len(bench.taps) == 1
    assert provider.streams()[0]["heard"][-1]["method"] == "ping"
    assert bench.state()["state"] == "ok"


def test_the_numbers_of_a_server_without_times_come_through(bench: Bench, provider: RunningProvider) -> None:
    """Field by field, as the server has them."""
    provider.set(
        rows={"XRP/EUR": {name: value for name, value in ROW.items() if name != "timestamp"}}, switches={"untimed": True, "per_s": 50}
    )
    bench.start("XRP-EUR")
    tick = bench.ticks("XRP-EUR")[-1]
    assert (tick.price, tick.bid, tick.ask, tick.change_pct, tick.quote_time) == (1.9, 1.90021, 1.90022, -2.56, None)
