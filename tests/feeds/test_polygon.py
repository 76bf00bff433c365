"""Polygon: snapshots of plans and hours, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.polygon import Polygon, parse
from tests.feeds.support import CANARY, JSON, answers_or_complains, complaint, connected, mutated, subscribe, well_formed
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "polygon"
KO: dict[str, Any] = {
    "ticker": "KO", "day": {"c": 71.42, "h": 71.6, "l": 70.98, "o": 71.2, "v": 9214003, "vw": 71.31},
    "lastQuote": {"P": 71.43, "S": 3, "p": 71.41, "s": 11, "t": 1779998399912004117},
    "lastTrade": {"c": None, "i": "52983525", "p": 71.4201, "s": 77, "t": 1779998399800113998, "x": 4},
    "min": {"av": 9214003, "c": 71.4, "h": 71.42, "l": 71.4, "o": 71.41, "v": 20115, "t": 1779998340000, "n": 201},
    "prevDay": {"c": 70.95, "h": 71.1, "l": 70.4, "o": 70.6, "v": 11870220, "vw": 70.8},
    "todaysChange": 0.4701, "todaysChangePerc": 0.6625793, "updated": 1779998399912004117}
TICK = Tick(price=71.4201, bid=71.41, ask=71.43, open=71.2, high=71.6, low=70.98, prev_close=70.95, volume=9214003.0, change=0.4701,
            change_pct=0.6626, currency="USD", quote_time=1_779_998_399_800)
BATCH = subscribe(Polygon, "KO", "BRK-B")


def ticks(*rows: Any, status: str = "OK", symbols: tuple[str, ...] = ("KO",)) -> dict[str, Tick | FeedError]:
    """What is read from an answer with these rows."""
    return parse(json.dumps({"count": len(rows), "status": status, "tickers": rows}).encode(), subscribe(Polygon, *symbols))


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[Polygon]:
    """A feed on the local server."""
    feed = connected(Polygon, provider, runtime)
    yield feed
    feed.close()


@pytest.mark.parametrize(("symbol", "id"), [
    ("KO", "KO"), ("BRK-B", "BRK.B"), ("BRK.B", "BRK.B"), ("BTC-USD", "X:BTCUSD"), ("BTC/USD", "X:BTCUSD"), ("X:BTCUSD", "X:BTCUSD"),
    ("BACpL", "BACpL")])
def test_a_symbol_is_spelt_as_polygon_does(symbol: str, id: str) -> None:
    """Case is left as it is: a small p makes preferred shares."""
    assert Polygon.native_id(symbol) == id


def test_a_snapshot_is_read_field_by_field() -> None:
    """Capital P is the ask; nanoseconds that no float holds; the conditions of a trade may be null."""
    assert ticks({"ticker": 7}, None, KO) == {"KO": TICK}


def test_a_delayed_plan_says_so() -> None:
    """In the status of the answer."""
    (tick,) = ticks(KO, status="DELAYED").values()
    assert isinstance(tick, Tick)
    assert tick.delay_min == 15.0


def test_before_the_open_the_day_is_unknown() -> None:
    """All zeros, but what was traded, which is nothing yet."""
    (tick,) = ticks(KO | {"day": dict.fromkeys(KO["day"], 0)}).values()
    assert isinstance(tick, Tick)
    assert (tick.open, tick.high, tick.low, tick.volume, tick.prev_close) == (None, None, None, 0.0, 70.95)


def test_without_trades_the_minute_has_the_price() -> None:
    """And the time is that of the row. Without minutes, the day; without all, an error."""
    bare = {name: value for name, value in KO.items() if name not in ("lastTrade", "lastQuote")}
    (tick,) = ticks(bare).values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.bid, tick.ask, tick.quote_time) == (71.4, None, None, 1_779_998_399_912)
    (tick,) = ticks(bare | {"min": None}).values()
    assert isinstance(tick, Tick)
    assert tick.price == 71.42
    assert isinstance(ticks(bare | {"min": {}, "day": {}})["KO"], FeedError)


def test_crypto_has_milliseconds_and_no_currency_of_its_own() -> None:
    """X:BTCUSD could be cut in several places."""
    row = KO | {"ticker": "X:KOUSD", "lastTrade": KO["lastTrade"] | {"t": 1779998399800}}
    (tick,) = ticks(row, symbols=("KO-USD",)).values()
    assert isinstance(tick, Tick)
    assert (tick.quote_time, tick.currency) == (1_779_998_399_800, None)


@pytest.mark.parametrize("answer", [{"status": "ERROR", "error": "odd"}, {"status": "NOT_AUTHORIZED", "message": "no"}, {"status": None},
                                    {"message": "Forbidden"}, {}])
def test_an_error_may_come_with_status_200(answer: dict[str, Any]) -> None:
    """And is no unknown symbol."""
    assert not complaint(lambda: parse(json.dumps(answer).encode(), BATCH)).rejects_symbol


def test_no_rows_at_all_are_unknown_symbols() -> None:
    """Null, or absent, where nothing was found."""
    for answer in ({"status": "OK", "count": 0}, {"status": "OK", "tickers": None}, {"status": "OK", "tickers": []}):
        errors = parse(json.dumps(answer).encode(), BATCH).values()
        assert all(isinstance(error, FeedError) and error.rejects_symbol for error in errors)


@given(mutated({"status": "OK", "tickers": [KO, KO | {"ticker": "BRK.B"}]}) | JSON.map(lambda value: json.dumps(value).encode())
       | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(body: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(body, BATCH), {"KO", "BRK-B"})


@pytest.mark.parametrize("switches", [{}, {"no_trades": True}, {"before_open": True}, {"delayed": True}])
def test_shares_and_crypto_have_a_call_each(feed: Polygon, provider: RunningProvider, switches: dict[str, bool]) -> None:
    """At any hour, in any plan that has snapshots."""
    provider.set(switches=switches)
    answer = feed.poll(subscribe(Polygon, "AAPL", "BTC-USD", "BRK-B"))
    assert all(isinstance(tick, Tick) and well_formed(tick) for tick in answer.values())
    assert [request["query"] for request in provider.requests()] == [{"tickers": "AAPL,BRK.B"}, {"tickers": "X:BTCUSD"}]
    assert {request["headers"]["authorization"] for request in provider.requests()} == {f"Bearer {CANARY}"}


def test_a_plan_without_snapshots_is_the_feed_s_failure(feed: Polygon, provider: RunningProvider) -> None:
    """And not tried again soon; a limit is."""
    provider.set(switches={"not_entitled": True})
    error = complaint(lambda: feed.poll(subscribe(Polygon, "AAPL")))
    assert (error.retryable, error.rejects_symbol) == (False, False)
    provider.set(switches={"limited": True})
    error = complaint(lambda: feed.poll(subscribe(Polygon, "AAPL")))
    assert (error.retryable, error.rejects_symbol) == (True, False)
    assert error.retry_after_s is not None
