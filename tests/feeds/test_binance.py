"""Binance spot: parsing, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.binance import Binance, BinanceSettings, parse, refusal
from feeds.http.client import Response
from tests.feeds.support import JSON, answers_or_complains, complaint, mutated, subscribe, well_formed
from tests.providers.client import RunningProvider
from ticker.errors import BudgetSpent, FeedError
from ticker.quote import Tick
from ticker.rate_limit import Budget, Rate, Usage
from ticker.runtime import Runtime

SOL = {
    "symbol": "SOLUSDT", "priceChange": "-4.87000000", "priceChangePercent": "-2.601", "weightedAvgPrice": "184.91137210",
    "prevClosePrice": "187.23000000", "lastPrice": "182.36000000", "lastQty": "3.10000000", "bidPrice": "182.35000000",
    "bidQty": "310.82100000", "askPrice": "182.36000000", "askQty": "95.66400000", "openPrice": "187.24000000",
    "highPrice": "190.01000000", "lowPrice": "179.44000000", "volume": "4410235.88300000", "quoteVolume": "815502770.24",
    "openTime": 1755594847021, "closeTime": 1755681247021, "firstId": 1400112233, "lastId": 1400998877, "count": 886645}  # fmt: skip
PEPE = SOL | {
    "symbol": "PEPEBTC", "priceChange": "0.00000000", "priceChangePercent": "0.000", "lastPrice": "0.00000001", "bidPrice": "0.00000000",
    "bidQty": "0.00000000", "askPrice": "0.00000002", "openPrice": "0.00000001", "highPrice": "0.00000001", "lowPrice": "0.00000001",
    "volume": "0.00000000", "closeTime": 1755681247999}  # fmt: skip
DEAD = {name: "0.00000000" if isinstance(value, str) else -1 if name in {"firstId", "lastId"} else value for name, value in SOL.items()} | {
    "symbol": "DEADUSDT"
}
LEFT = SOL | {"symbol": "LUNCBUSD", "count": 0, "bidPrice": "0.00000000", "askPrice": "0.00000000", "volume": "0.00000000"}
MINI = {name: value for name, value in SOL.items() if name not in {
    "priceChange", "priceChangePercent", "weightedAvgPrice", "prevClosePrice", "lastQty", "bidPrice", "bidQty", "askPrice", "askQty"
}}  # fmt: skip
BATCH = subscribe(Binance, "SOL-USDT", "PEPE/BTC")


def body(*rows: Any) -> bytes:
    """An answer with these rows."""
    return json.dumps(rows).encode()


@pytest.fixture
def feed(binance: RunningProvider, runtime: Runtime) -> Iterator[Binance]:
    """A feed on the local server."""
    feed = Binance("bn", BinanceSettings.model_validate({"kind": "binance", "base_url": binance.url}), runtime)
    yield feed
    feed.close()


@pytest.mark.parametrize(
    ("symbol", "id"),
    [("BTC-USDT", "BTCUSDT"), ("BTC/USDT", "BTCUSDT"), ("BTCUSDT", "BTCUSDT"), ("btcusdt", "BTCUSDT"), ("BTC-USD", "BTCUSD")],
)
def test_a_symbol_is_spelt_as_binance_does(symbol: str, id: str) -> None:
    """Dollars stay dollars: what Tether is worth is not for us to say."""
    assert Binance.native_id(symbol) == id


def test_a_row_is_read_field_by_field() -> None:
    """Change and its percentage are Binance's own; the day's open is no previous close, nor is `prevClosePrice`."""
    assert parse(body(SOL), BATCH[:1]) == {
        "SOL-USDT": Tick(
            price=182.36,
            bid=182.35,
            ask=182.36,
            open=187.24,
            high=190.01,
            low=179.44,
            volume=4410235.883,
            change=-4.87,
            change_pct=-2.601,
            quote_time=1_755_681_247_021,
        )
    }


def test_rows_are_found_by_their_symbol() -> None:
    """In any order, with rows that nobody asked for, twice where two of ours are one of theirs.

    A bid of 0 is none, a volume of 0 is a volume.
    """
    batch = [*BATCH, *subscribe(Binance, SOLANA="solusdt")]
    answer = parse(body(PEPE, DEAD, SOL), batch)
    assert answer["PEPE/BTC"] == Tick(
        price=1e-8, ask=2e-8, open=1e-8, high=1e-8, low=1e-8, volume=0.0, change=0.0, change_pct=0.0, quote_time=1_755_681_247_999
    )
    assert answer["SOLANA"] == answer["SOL-USDT"]
    assert answer.keys() == {"SOL-USDT", "PEPE/BTC", "SOLANA"}


def test_a_lone_row_and_a_short_one_are_read() -> None:
    """`symbol=` is answered without an array, `type=MINI` without bid, ask and change."""
    assert parse(json.dumps(MINI).encode(), BATCH[:1]) == {
        "SOL-USDT": Tick(price=182.36, open=187.24, high=190.01, low=179.44, volume=4410235.883, quote_time=1_755_681_247_021)
    }


@pytest.mark.parametrize(
    ("changes", "session"),
    [({}, "closed"), ({"count": 1}, None), ({"bidPrice": "0.00000100"}, None), ({"askPrice": "0.00000100"}, None), ({"count": "x"}, None)],
)
def test_a_market_that_nobody_trades_is_closed(changes: dict[str, Any], session: str | None) -> None:
    """No trade in 24 hours, no bid, no ask, and a time that moves all the same; one order or trade is enough to be open."""
    tick = parse(body(LEFT | changes), subscribe(Binance, "LUNC-BUSD"))["LUNC-BUSD"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.session, tick.quote_time) == (182.36, session, 1_755_681_247_021)


def test_a_short_row_does_not_say_that_nobody_trades() -> None:
    """`type=MINI` has no bid and no ask for anybody."""
    tick = parse(body(MINI | {"count": 0}), BATCH[:1])["SOL-USDT"]
    assert isinstance(tick, Tick)
    assert tick.session is None


@pytest.mark.parametrize("row", [
    DEAD | {"symbol": "SOLUSDT"}, SOL | {"lastPrice": None}, SOL | {"lastPrice": "NaN"}, SOL | {"closeTime": 1755681247},
    {"symbol": "SOLUSDT"}, SOL | {"symbol": ["SOLUSDT"]}, SOL | {"symbol": "solusdt"}, None, [], "SOLUSDT"],
    ids=lambda row: json.dumps(row)[-60:])  # fmt: skip
def test_a_bad_row_is_the_error_of_its_symbol_only(row: Any) -> None:
    """The other rows of the answer are good."""
    answer = parse(body(row, PEPE), BATCH)
    assert isinstance(answer["SOL-USDT"], FeedError)
    assert isinstance(answer["PEPE/BTC"], Tick)


def test_a_price_of_zero_is_that_of_a_market_that_never_traded() -> None:
    """It is no price, and the error does not say that a setting would help."""
    assert "nobody has traded it" in str(parse(body(DEAD), subscribe(Binance, "DEADUSDT"))["DEADUSDT"])


@pytest.mark.parametrize("field", [
    ("bidPrice", "bid"), ("askPrice", "ask"), ("openPrice", "open"), ("highPrice", "high"), ("lowPrice", "low"), ("volume", "volume"),
    ("priceChange", "change"), ("priceChangePercent", "change_pct"), ("closeTime", "quote_time")])  # fmt: skip
def test_a_side_field_costs_itself_only(field: tuple[str, str]) -> None:
    """The price is good, and what could not be read is told."""
    theirs, ours = field
    tick = parse(body(SOL | {theirs: "unch"}), BATCH[:1])["SOL-USDT"]
    assert isinstance(tick, Tick)
    assert (tick.price, getattr(tick, ours), [odd.field for odd in tick.odd or ()]) == (182.36, None, [ours])


@given(mutated([SOL, PEPE, DEAD]))
def test_a_mutated_answer_is_ticks_or_complaints(payload: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(payload, BATCH), {"SOL-USDT", "PEPE/BTC"})


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(payload: bytes) -> None:
    """JSON or not."""
    answers_or_complains(lambda: parse(payload, BATCH), {"SOL-USDT", "PEPE/BTC"})


@given(st.sampled_from([400, 403, 418, 429, 451, 500]), mutated({"code": -1121, "msg": "Invalid symbol."}) | st.binary(max_size=60))
def test_any_refusal_is_a_feed_error(status: int, payload: bytes) -> None:
    """Whatever its body; only a 400 can be about a symbol."""
    error = refusal(Response("host/path", status, {}, payload), now_ms=1_700_000_000_000)
    assert not error.rejects_symbol or status == 400


def test_a_ban_without_a_header_says_in_its_text_how_long() -> None:
    """Until a moment in epoch ms; where there is a header, that one counts."""
    text = b'{"code":-1003,"msg":"Way too much request weight used; IP banned until 1700000000000. Please use WebSocket Streams."}'
    assert refusal(Response("h", 418, {}, text), now_ms=1_699_999_940_000).retry_after_s == 60
    assert refusal(Response("h", 418, {}, text), now_ms=1_699_900_000_000).retry_after_s == 100_000
    assert refusal(Response("h", 418, {}, text), now_ms=1_600_000_000_000).retry_after_s == 259_200
    assert refusal(Response("h", 418, {}, text), now_ms=1_800_000_000_000).retry_after_s == 1
    assert refusal(Response("h", 418, {"Retry-After": "17"}, text), now_ms=1_699_999_940_000).retry_after_s == 17
    assert refusal(Response("h", 418, {"Retry-After": "86400"}, text), now_ms=1_699_999_940_000).retry_after_s == 86_400
    assert refusal(Response("h", 418, {"Retry-After": "soon"}, text), now_ms=1_699_999_940_000).retry_after_s == 60
    assert refusal(Response("h", 418, {}, b"<html>"), now_ms=1_699_999_940_000).retry_after_s == 120


@pytest.mark.parametrize(("symbols", "weight"), [(1, 2), (20, 2), (21, 40), (100, 40), (101, 80)])
def test_a_call_weighs_by_the_number_of_symbols(symbols: int, weight: int) -> None:
    """Twenty for the price of one."""
    assert Binance.cost(symbols) == {"calls": 1, "weight": weight}


@pytest.mark.parametrize(("limit", "used", "left"), [
    (6000, "0", 5700), (6000, "2", 5698), (6000, "5699", 1), (6000, "5700", 0), (6000, "9999", 0),
    (1200, "0", 1140), (1200, "1139", 1), (1200, "1195", 0), (2, "0", 2)])  # fmt: skip
def test_the_used_weight_says_what_is_left(feed: Binance, limit: int, used: str, left: int) -> None:
    """Of the limit in force, until the minute ends; a twentieth is left to others, who use the same address."""
    feed.gate.budget = Budget([Rate("weight", limit, "min")])
    assert list(feed.usage({"X-MBX-USED-WEIGHT-1M": used}, now_s=1_700_000_000.0)) == [Usage("weight", left, 41.0)]


@pytest.mark.parametrize("used", ["", "-1", "many", "1.5", "9" * 40])
def test_an_odd_weight_is_passed_over(feed: Binance, used: str) -> None:
    """Like none."""
    assert list(feed.usage({"X-MBX-USED-WEIGHT-1M": used}, now_s=0.0)) == []
    assert list(feed.usage({}, now_s=0.0)) == []


@pytest.mark.parametrize(("keys", "limit"), [
    ({}, 6000), ({"budget": {"weight_per_min": 1200}}, 1200), ({"base_url": "https://api.binance.us"}, 1200),
    ({"base_url": "https://api.binance.us", "budget": {"weight_per_min": 100}}, 100),
    ({"base_url": "https://api.binance.us.example.com"}, 6000), ({"base_url": "https://data-api.binance.vision"}, 6000)])  # fmt: skip
def test_the_limit_is_that_of_the_settings_or_of_the_host(keys: dict[str, Any], limit: int) -> None:
    """Binance.US allows a fifth."""
    settings = BinanceSettings.model_validate({"kind": "binance", **keys})
    assert settings.budget.rates() == [Rate("weight", limit, "min")]


def test_a_feed_stops_before_the_limit_of_its_settings(binance: RunningProvider, runtime: Runtime) -> None:
    """1,195 of Binance.US's 1,200 are used: the next call waits for the minute's end, and no 429 is run into."""
    settings = {"kind": "binance", "base_url": binance.url, "budget": {"weight_per_min": 1200}, "timeout_s": 1.0}
    feed = Binance("us", BinanceSettings.model_validate(settings), runtime)
    binance.fault("headers", headers={"X-MBX-USED-WEIGHT-1M": "1195"})
    batch = subscribe(Binance, "BTC-USDT")
    assert isinstance(feed.poll(batch)["BTC-USDT"], Tick)
    with pytest.raises(BudgetSpent) as spent:
        feed.poll(batch)
    assert 1 <= spent.value.wait_s <= 61
    assert len(binance.requests()) == 1
    feed.close()


def test_a_feed_stops_before_the_limit(feed: Binance, binance: RunningProvider) -> None:
    """What the answers say counts, whoever used the weight."""
    batch = subscribe(Binance, "BTC-USDT")
    feed.poll(batch)
    assert feed.gate.has_room(Binance.cost(20))
    binance.fault("headers", headers={"X-MBX-USED-WEIGHT-1M": "5699"})
    feed.poll(batch)
    assert not feed.gate.has_room(Binance.cost(1))
    assert 1 < feed.gate.wait_s(Binance.cost(1)) <= 61


def test_a_poll_is_one_call_for_all(feed: Binance, binance: RunningProvider) -> None:
    """As Binance writes lists: capitals, no spaces, each once."""
    batch = [*subscribe(Binance, "BTC-USDT", "ETH/EUR", "SOLUSDT"), *subscribe(Binance, X="btcusdt")]
    first, second = feed.poll(batch), feed.poll(batch)
    assert first.keys() == {"BTC-USDT", "ETH/EUR", "SOLUSDT", "X"}
    for tick in first.values():
        assert isinstance(tick, Tick)
        assert well_formed(tick)
    assert first["BTC-USDT"] != second["BTC-USDT"]
    assert [request["query"] for request in binance.requests()] == [{"symbols": '["BTCUSDT","ETHEUR","SOLUSDT"]'}] * 2


@pytest.mark.parametrize("bad", ["NOPEUSDT", "BTC USDT", "ÄÖUSDT", 'X"Y'])
def test_a_bad_symbol_rejects_the_batch(feed: Binance, bad: str) -> None:
    """One that does not exist, and one that no symbol could be; not which one of several."""
    batch = [*subscribe(Binance, "BTC-USDT"), *subscribe(Binance, BAD=bad)]
    for error in (complaint(lambda: feed.poll(batch)), complaint(lambda: feed.poll(batch[1:]))):
        assert (error.rejects_symbol, error.retryable) == (True, False)
    assert isinstance(feed.poll(batch[:1])["BTC-USDT"], Tick)


@pytest.mark.parametrize("status", [400, 403, 418, 429, 451, 500])
def test_another_error_blames_no_symbol(feed: Binance, binance: RunningProvider, status: int) -> None:
    """A page from the firewall, an unknown code, a limit."""
    binance.fault("status", status=status, body='{"code":-1102,"msg":"Mandatory parameter was not sent."}', retry_after="33")
    error = complaint(lambda: feed.poll(BATCH))
    assert (error.rejects_symbol, error.retry_after_s) == (False, 33)
    feed.gate.budget = Budget()  # without the pause that it asked for
    binance.fault("status", status=status, body="<html>Request blocked</html>")
    assert "Request blocked" in str(complaint(lambda: feed.poll(BATCH)))


def test_a_batch_weighs_as_little_as_a_single_symbol(feed: Binance, binance: RunningProvider) -> None:
    """Up to twenty symbols cost 2, so that is what a batch holds."""
    assert Binance.batch_size == 20
    used = [0]
    while used != sorted(used) or len(used) < 4:  # once more where a minute ended in between, and the count began again
        used = [_weight(feed, symbols) for symbols in (1, 1, 20, 21)]
    assert [after - before for before, after in pairwise(used)] == [2, 2, 40]


def _weight(feed: Binance, symbols: int) -> int:
    """The weight used in this minute, after a call with so many symbols."""
    names = ",".join(f'"T{number:03}USDT"' for number in range(symbols))
    return int(feed.http.get("/api/v3/ticker/24hr", {"symbols": f"[{names}]"}).headers["X-MBX-USED-WEIGHT-1M"])


@pytest.mark.parametrize("fault", ["html", "empty", "null", "garbage", "torn", "truncate", "huge", "not_gzip", "hang_up", "reset"])
def test_a_bad_body_is_a_feed_error_and_the_next_poll_is_good(feed: Binance, binance: RunningProvider, fault: str) -> None:
    """Whatever a provider can send."""
    batch = subscribe(Binance, "BTC-USDT")
    binance.fault(fault)
    complaint(lambda: feed.poll(batch))
    binance.heal()
    assert isinstance(feed.poll(batch)["BTC-USDT"], Tick)


def test_one_bad_number_costs_its_symbol_only(feed: Binance, binance: RunningProvider) -> None:
    """The rest of the batch goes on."""
    binance.set(rows={"ETHUSDT": {"lastPrice": "NaN"}})
    answer = feed.poll(subscribe(Binance, "BTC-USDT", "ETH-USDT"))
    assert isinstance(answer["BTC-USDT"], Tick)
    assert "price: " in str(answer["ETH-USDT"])
