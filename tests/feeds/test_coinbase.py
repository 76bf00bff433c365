"""Coinbase Exchange: parsing, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.coinbase import STATS_EVERY_S, STATS_VALID_S, Coinbase, CoinbaseSettings, parse, parse_stats
from tests.feeds.support import JSON, answers_or_complains, complaint, mutated, subscribe, well_formed
from tests.providers.client import RunningProvider
from ticker.errors import BudgetSpent, FeedError
from ticker.quote import Tick
from ticker.rate_limit import CALL, Budget, Rate
from ticker.runtime import Runtime

TICKER = {
    "ask": "4021.37", "bid": "4021.30", "volume": "182406.51927317", "trade_id": 61827391, "price": "4021.3", "size": "0.41",
    "time": "2025-08-20T09:14:07.31Z", "rfq_volume": "211.086613"}  # fmt: skip
STATS = {
    "open": "3987.02", "high": "4101.99", "low": "3950", "last": "4021.3", "volume": "182406.51927317", "volume_30day": "5214077.11",
    "rfq_volume_24hour": "211.086613", "rfq_volume_30day": "9118.4"}  # fmt: skip
BATCH = subscribe(Coinbase, "ETH-USD")


class Clock:
    """A monotonic clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The feed's clock."""
    clock = Clock()
    monkeypatch.setattr("feeds.coinbase.time.monotonic", clock)
    return clock


@pytest.fixture
def feed(coinbase: RunningProvider, runtime: Runtime) -> Iterator[Coinbase]:
    """A feed on the local server."""
    feed = Coinbase("cb", CoinbaseSettings.model_validate({"kind": "coinbase", "base_url": coinbase.url}), runtime)
    feed.gate.budget = Budget()  # this server has no limits
    yield feed
    feed.close()


def poll(feed: Coinbase, symbol: str) -> Tick:
    """One good poll of one symbol."""
    tick = feed.poll(subscribe(Coinbase, symbol))[symbol]
    assert isinstance(tick, Tick)
    return tick


def test_a_ticker_is_read_field_by_field() -> None:
    """The numbers as they were written; the volume is that of 24 hours; no change and no previous close are made up."""
    assert parse(json.dumps(TICKER).encode(), BATCH) == {
        "ETH-USD": Tick(price=4021.3, bid=4021.3, ask=4021.37, volume=182406.51927317, currency="USD", quote_time=1_755_681_247_310)
    }


def test_stats_are_the_last_day_and_so_their_open_is_no_previous_close() -> None:
    """`last` and the volumes are the ticker's business."""
    stats = parse_stats(json.dumps(STATS).encode())
    assert stats == {"open": "3987.02", "high": "4101.99", "low": "3950"}
    assert parse(json.dumps(TICKER).encode(), BATCH, stats) == {
        "ETH-USD": Tick(
            price=4021.3,
            bid=4021.3,
            ask=4021.37,
            open=3987.02,
            high=4101.99,
            low=3950.0,
            volume=182406.51927317,
            currency="USD",
            quote_time=1_755_681_247_310,
        )
    }


def test_what_is_missing_is_unknown() -> None:
    """A product with nothing on its book has no bid and no ask; one that never traded has no price, and that is an error."""
    bare = {"price": 12, "bid": "", "ask": "0", "trade_id": 1, "volume": "0.1"}
    assert parse(json.dumps(bare).encode(), subscribe(Coinbase, "A", A="ABC-EUR")) == {"A": Tick(price=12.0, volume=0.1, currency="EUR")}
    assert parse(b'{"price":"1"}', subscribe(Coinbase, "X")) == {"X": Tick(price=1.0)}
    assert parse(b'{"price":"1"}', subscribe(Coinbase, "X"), parse_stats(b'{"open":"0","high":null}')) == {"X": Tick(price=1.0)}
    assert "nobody has traded it" in str(complaint(lambda: parse(b'{"price":"0"}', BATCH)))


@pytest.mark.parametrize(("changes", "session"), [({}, "closed"), ({"volume": "0.1"}, None), ({"bid": "1"}, None), ({"ask": "1"}, None)])
def test_a_market_that_nobody_trades_is_closed(changes: dict[str, str], session: str | None) -> None:
    """No trade in 24 hours, no bid and no ask."""
    dead = TICKER | {"volume": "0", "bid": "0", "ask": "0"} | changes
    assert parse(json.dumps(dead).encode(), BATCH)["ETH-USD"].session == session


@pytest.mark.parametrize(("theirs", "ours"), [("bid", "bid"), ("ask", "ask"), ("volume", "volume"), ("time", "quote_time")])
def test_a_side_field_costs_itself_only(theirs: str, ours: str) -> None:
    """The price is good, and what could not be read is told."""
    tick = parse(json.dumps(TICKER | {theirs: "soon"}).encode(), BATCH)["ETH-USD"]
    assert (tick.price, getattr(tick, ours), [(odd.field, odd.excerpt) for odd in tick.odd or ()]) == (4021.3, None, [(ours, '"soon"')])


def test_a_bad_price_is_an_error() -> None:
    """It shows what stood there."""
    assert complaint(lambda: parse(json.dumps(TICKER | {"price": "soon"}).encode(), BATCH)).excerpt == '"soon"'


@given(mutated(TICKER))
def test_a_mutated_ticker_is_a_tick_or_a_complaint(body: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(body, BATCH), {"ETH-USD"})


@given(mutated(STATS) | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_stats_are_read_or_complained_of(body: bytes) -> None:
    """And what is read can be part of a tick."""
    answers_or_complains(lambda: parse(b'{"price":"1"}', subscribe(Coinbase, "X"), parse_stats(body)), {"X"})


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_a_tick_or_a_complaint(body: bytes) -> None:
    """JSON or not."""
    answers_or_complains(lambda: parse(body, BATCH), {"ETH-USD"})


def test_a_poll_brings_the_price_and_its_day(feed: Coinbase, coinbase: RunningProvider) -> None:
    """Two calls the first time, one from then on."""
    first, second = poll(feed, "BTC-USD"), poll(feed, "BTC-USD")
    assert all(well_formed(tick) for tick in (first, second))
    assert first != second
    assert None not in {first.open, first.high, first.low, first.bid, first.ask, first.volume, first.quote_time}
    assert (first.open, first.high, first.low) == (second.open, second.high, second.low)
    assert coinbase.paths() == ["/products/BTC-USD/ticker", "/products/BTC-USD/stats", "/products/BTC-USD/ticker"]


def test_the_day_is_asked_for_once_a_minute(feed: Coinbase, coinbase: RunningProvider, clock: Clock) -> None:
    """A minute is short against a day."""
    poll(feed, "BTC-USD")
    clock.now_s += STATS_EVERY_S - 1
    poll(feed, "BTC-USD")
    assert coinbase.paths().count("/products/BTC-USD/stats") == 1
    clock.now_s += 1
    poll(feed, "BTC-USD")
    assert coinbase.paths().count("/products/BTC-USD/stats") == 2


def test_many_new_symbols_ask_for_their_day_one_after_the_other(feed: Coinbase, coinbase: RunningProvider, clock: Clock) -> None:
    """Prices come first; the limit is one for both."""
    assert poll(feed, "BTC-USD").open is not None
    assert poll(feed, "ETH-USD").open is None
    clock.now_s += 0.5
    assert poll(feed, "ETH-USD").open is not None
    assert [path.rpartition("/")[2] for path in coinbase.paths()] == ["ticker", "stats", "ticker", "ticker", "stats"]


@pytest.mark.parametrize("fault", ["html", "torn", "reset", "truncate"])
def test_a_day_that_can_not_be_had_never_costs_the_price(feed: Coinbase, coinbase: RunningProvider, clock: Clock, fault: str) -> None:
    """What was known stays for a while, then it no longer is about the last 24 hours."""
    coinbase.fault(fault, path="/products/BTC-USD/stats")
    assert poll(feed, "BTC-USD").open is None
    coinbase.heal()
    clock.now_s += STATS_EVERY_S
    known = poll(feed, "BTC-USD").open
    assert known is not None
    coinbase.fault(fault, path="/products/BTC-USD/stats")
    clock.now_s += STATS_VALID_S
    assert poll(feed, "BTC-USD").open == known
    clock.now_s += 1
    assert poll(feed, "BTC-USD").open is None


def test_a_rate_limit_on_the_day_is_one_on_everything(feed: Coinbase, coinbase: RunningProvider) -> None:
    """The price that came before it counts; nothing is asked for until its end."""
    coinbase.fault("status", path="/products/BTC-USD/stats", status=429, retry_after="120")
    assert poll(feed, "BTC-USD").open is None
    coinbase.heal()
    with pytest.raises(BudgetSpent) as spent:
        poll(feed, "BTC-USD")
    assert 119 < spent.value.wait_s <= 120
    assert coinbase.paths() == ["/products/BTC-USD/ticker", "/products/BTC-USD/stats"]


def test_an_unknown_product_is_rejected_and_a_foreign_404_is_not(feed: Coinbase, coinbase: RunningProvider) -> None:
    """A wrong `base_url` must not have every symbol left out."""
    unknown = complaint(lambda: poll(feed, "NOPE-USD"))
    assert (unknown.rejects_symbol, unknown.retryable) == (True, False)
    coinbase.fault("status", status=404, body="<html>nothing here</html>")
    foreign = complaint(lambda: poll(feed, "BTC-USD"))
    assert (foreign.rejects_symbol, foreign.retryable) == (False, False)
    assert "nothing here" in str(foreign)


def test_a_delisted_product_is_the_symbols_error(feed: Coinbase) -> None:
    """In so many words, and for good."""
    error = complaint(lambda: poll(feed, "WLUNA-USD"))
    assert str(error).startswith("Coinbase has delisted 'WLUNA-USD'")
    assert (error.rejects_symbol, error.retryable) == (True, False)


@pytest.mark.parametrize(("message", "rejects", "retryable"), [
    ("Not allowed for delisted products", True, False), ("ABC-USD is not a valid product", True, False), ("NotFound", True, False),
    ("BTC-USD is under maintenance", False, True), ("Cancel only mode", False, True), ("User-Agent header is required.", False, False)
])  # fmt: skip
@pytest.mark.parametrize("status", [400, 404])
def test_coinbase_says_in_words_what_is_wrong(
    feed: Coinbase, coinbase: RunningProvider, message: str, rejects: bool, retryable: bool, status: int
) -> None:
    """Of the product for good, for a while, or of how we ask."""
    coinbase.fault("status", status=status, body=json.dumps({"message": message}))
    error = complaint(lambda: poll(feed, "BTC-USD"))
    assert (error.rejects_symbol, error.retryable) == (rejects, retryable)


def test_an_odd_id_stays_one_segment_of_the_path(feed: Coinbase, coinbase: RunningProvider) -> None:
    """Whatever the settings say, another path is not asked for."""
    complaint(lambda: feed.poll(subscribe(Coinbase, X="../time?a=b#c")))
    assert coinbase.paths() == ["/products/../time?a=b#c/ticker"]


def test_a_limited_feed_says_so() -> None:
    """The provider's own words are in the message."""
    body = b'{"message":"Public rate limit exceeded"}'
    assert "price" in str(complaint(lambda: parse(body, BATCH)))


def test_a_rate_limit_is_retryable(feed: Coinbase, coinbase: RunningProvider) -> None:
    """Coinbase names no time."""
    coinbase.fault("status", status=429, body='{"message":"Public rate limit exceeded"}')
    error = complaint(lambda: poll(feed, "BTC-USD"))
    assert (error.retryable, error.retry_after_s, error.rejects_symbol) == (True, 60, False)
    assert "Public rate limit exceeded" in str(error)


@pytest.mark.parametrize("fault", ["html", "empty", "null", "garbage", "nan", "torn", "truncate", "huge", "not_gzip", "hang_up", "reset"])
def test_a_bad_body_is_a_feed_error_and_the_next_poll_is_good(feed: Coinbase, coinbase: RunningProvider, fault: str) -> None:
    """Whatever a provider can send."""
    coinbase.fault(fault)
    assert isinstance(complaint(lambda: poll(feed, "BTC-USD")), FeedError)
    coinbase.heal()
    assert well_formed(poll(feed, "BTC-USD"))


@pytest.mark.parametrize("fault", ["numbers", "strings", "wrong_type"])
def test_another_spelling_of_the_same_numbers_is_read(feed: Coinbase, coinbase: RunningProvider, fault: str) -> None:
    """Numbers in place of strings, and the other way round."""
    coinbase.fault(fault)
    tick = poll(feed, "BTC-USD")
    assert well_formed(tick)
    assert None not in {tick.bid, tick.ask, tick.volume, tick.open}


def test_stats_are_left_out_where_the_limits_have_no_room(coinbase: RunningProvider, runtime: Runtime) -> None:
    """The price has its own call; what can wait, waits."""
    settings = {"kind": "coinbase", "base_url": coinbase.url, "budget": {"calls_per_s": 1}}
    feed = Coinbase("cb", CoinbaseSettings.model_validate(settings), runtime)
    assert poll(feed, "BTC-USD").open is None
    assert coinbase.paths() == ["/products/BTC-USD/ticker"]
    feed.close()


def test_a_refusal_keeps_everybody_of_the_account_away(coinbase: RunningProvider, runtime: Runtime) -> None:
    """For as long as Coinbase counts, where it names no time; for as long as it says where it does."""
    settings = CoinbaseSettings.model_validate({"kind": "coinbase", "base_url": coinbase.url})
    feed = Coinbase("cb", settings, runtime)
    coinbase.fault("status", status=429)
    assert complaint(lambda: poll(feed, "BTC-USD")).retry_after_s == 1
    assert 0 < feed.gate.wait_s(CALL) <= 1
    feed.gate.budget = Budget([Rate("calls", 10, "s")])
    coinbase.fault("status", status=429, retry_after="40")
    complaint(lambda: poll(feed, "BTC-USD"))
    assert 39 < feed.gate.wait_s(CALL) <= 40
    feed.close()


def test_the_plan_has_room_for_stats() -> None:
    """A call a product and interval, the day of each once a minute, at most two a second of those."""
    assert Coinbase.demand(9, 1.0)["calls"] == pytest.approx(10 + 0.15)
    assert Coinbase.demand(900, 100.0)["calls"] == pytest.approx(10 + 2)
