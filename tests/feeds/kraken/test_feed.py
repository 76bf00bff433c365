"""Kraken spot: parsing, and a feed against a server that speaks its wire."""

import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.kraken.feed import LIST_RETRY_S, Kraken, KrakenSettings, parse, parse_pairs
from feeds.kraken.pairs import NO_PAIRS, AssetPairs, pairs_of
from tests.feeds.support import JSON, answers_or_complains, complaint, mutated, subscribe, well_formed
from tests.providers.client import RunningProvider
from ticker.errors import BudgetSpent, FeedError
from ticker.quote import Tick
from ticker.rate_limit import Budget, Rate
from ticker.runtime import Runtime

BTC = {
    "a": ["113720.10000", "1", "1.000"], "b": ["113720.00000", "4", "4.000"], "c": ["113720.10000", "0.00310000"],
    "v": ["512.70394113", "1845.11839014"], "p": ["113401.58713", "113922.00412"], "t": [18231, 52790],
    "l": ["112650.00000", "112400.10000"], "h": ["113999.90000", "114870.00000"], "o": "112872.60000"}  # fmt: skip
SOL = BTC | {"c": ["182.36", "3.1"], "a": ["182.37", "9", "9.000"], "b": ["182.35", "2", "2.000"], "o": "180.02"}
PAIRS = {
    "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD", "pair_decimals": 1},
    "SOLUSD": {"altname": "SOLUSD", "wsname": "SOL/USD", "base": "SOL", "quote": "ZUSD", "pair_decimals": 2},
    "XETHXXBT": {"altname": "ETHXBT", "wsname": "ETH/XBT", "base": "XETH", "quote": "XXBT", "pair_decimals": 5},
}
BATCH = subscribe(Kraken, "BTC-USD", "SOL/USD")


def body(**rows: Any) -> bytes:
    """A good answer with these rows."""
    return json.dumps({"error": [], "result": rows}).encode()


def errors(*messages: str) -> bytes:
    """An answer with these errors: HTTP 200, and no result."""
    return json.dumps({"error": messages}).encode()


LIST = AssetPairs(pairs_of(PAIRS, "currency"))


@pytest.fixture
def feed(kraken: RunningProvider, runtime: Runtime) -> Iterator[Kraken]:
    """A feed on the local server."""
    feed = Kraken("kr", KrakenSettings.model_validate({"kind": "kraken", "base_url": kraken.url}), runtime)
    feed.gate.budget = Budget()  # this server has no limits: a poll of two calls need not take a second
    yield feed
    feed.close()


@pytest.mark.parametrize(("symbol", "id"), [
    ("BTC-USD", "XBTUSD"), ("BTC/EUR", "XBTEUR"), ("ETH-BTC", "ETHXBT"), ("DOGE-USD", "XDGUSD"), ("SOL-USD", "SOLUSD"),
    ("XBTUSD", "XBTUSD"), ("XXBTZUSD", "XXBTZUSD")])  # fmt: skip
def test_a_symbol_is_spelt_as_kraken_does(symbol: str, id: str) -> None:
    """Bitcoin is XBT there, Dogecoin XDG; what is no pair of two currencies is left as it is."""
    assert Kraken.native_id(symbol) == id


@pytest.mark.parametrize("pairs", [LIST, NO_PAIRS], ids=["list", "no list"])
def test_a_row_is_read_field_by_field(pairs: AssetPairs) -> None:
    """Open, high, low and volume are today's, not those of 24 hours; there is no time; only the list knows the currency."""
    assert parse(body(XXBTZUSD=BTC), BATCH[:1], pairs) == {
        "BTC-USD": Tick(
            price=113720.1,
            bid=113720.0,
            ask=113720.1,
            open=112872.6,
            high=113999.9,
            low=112650.0,
            volume=512.70394113,
            currency="USD" if pairs is LIST else None,
        )
    }


def test_rows_are_found_by_every_spelling_of_their_pair() -> None:
    """In any order, with rows that nobody asked for, twice where two of ours are one of theirs."""
    batch = [*BATCH, *subscribe(Kraken, A="XBT/USD", B="XXBTZUSD", C="BTCUSD", D="ETHXBT")]
    answer = parse(body(SOLUSD=SOL, ADAUSD=BTC, XETHXXBT=SOL | {"c": ["0.03"]}, XXBTZUSD=BTC), batch, LIST)
    prices = {symbol: tick.price for symbol, tick in answer.items() if isinstance(tick, Tick)}
    assert prices == {"BTC-USD": 113720.1, "A": 113720.1, "B": 113720.1, "C": 113720.1, "SOL/USD": 182.36, "D": 0.03}
    currency = {symbol: tick.currency for symbol, tick in answer.items() if isinstance(tick, Tick)}
    assert (currency["SOL/USD"], currency["D"]) == ("USD", "BTC")


def test_a_day_that_has_not_begun_has_no_open_high_and_low() -> None:
    """Kraken writes 0 until today's first trade."""
    new_day = BTC | {"v": ["0.00000000", "1845.1"], "l": ["0.00000", "112400.1"], "h": ["0.00000", "114870.0"], "o": "0.00000"}
    assert parse(body(XXBTZUSD=new_day), BATCH[:1], LIST) == {
        "BTC-USD": Tick(price=113720.1, bid=113720.0, ask=113720.1, volume=0.0, currency="USD")
    }


@pytest.mark.parametrize(
    "row",
    [None, [], "x", {}, BTC | {"c": []}, BTC | {"c": None}, BTC | {"c": "113720.1"}, BTC | {"c": ["0", "1"]}],
    ids=lambda row: json.dumps(row)[-40:],
)
def test_a_bad_row_is_the_error_of_its_symbol_only(row: Any) -> None:
    """The other rows of the answer are good."""
    answer = parse(body(XXBTZUSD=row, SOLUSD=SOL), BATCH, LIST)
    assert isinstance(answer["BTC-USD"], FeedError)
    assert isinstance(answer["SOL/USD"], Tick)


@pytest.mark.parametrize(("changes", "field"), [
    ({"b": {"0": "1"}}, "bid"), ({"a": "1"}, "ask"), ({"o": ["1"]}, "open"), ({"v": ["-1", "1"]}, "volume"), ({"h": ["NaN", "1"]}, "high"),
    ({"l": [None]}, None), ({"l": []}, None), ({"l": None}, None)])  # fmt: skip
def test_a_side_field_costs_itself_only(changes: dict[str, Any], field: str | None) -> None:
    """The price is good, and what could not be read is told."""
    tick = parse(body(XXBTZUSD=BTC | changes), BATCH[:1], LIST)["BTC-USD"]
    assert isinstance(tick, Tick)
    assert (tick.price, [odd.field for odd in tick.odd or ()]) == (113720.1, [] if field is None else [field])


NO_BOOK = {"a": ["0.00000", "0", "0.000"], "b": ["0.00000", "0", "0.000"]}


@pytest.mark.parametrize(("changes", "session"), [
    ({"t": [0, 0], **NO_BOOK}, "closed"), ({"t": [0, 0], "a": [], "b": None}, "closed"), ({"t": [0, 3], **NO_BOOK}, None),
    ({"t": [0, 0]}, None), (NO_BOOK, None)])  # fmt: skip
def test_a_market_that_nobody_trades_is_closed(changes: dict[str, Any], session: str | None) -> None:
    """No trade in 24 hours, no bid, no ask; one order or trade is enough to be open."""
    tick = parse(body(XXBTZUSD=BTC | changes), BATCH[:1], LIST)["BTC-USD"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.session) == (113720.1, session)


def test_a_row_that_did_not_come_is_an_error_and_no_rejection() -> None:
    """Kraken says so when it does not know a pair."""
    answer = parse(body(SOLUSD=SOL), BATCH, LIST)
    missing = answer["BTC-USD"]
    assert isinstance(missing, FeedError)
    assert (missing.rejects_symbol, missing.retryable) == (False, True)


@pytest.mark.parametrize(("message", "rejects"), [
    ("EQuery:Unknown asset pair", True), ("EQuery:Invalid asset pair", True),
    ("EGeneral:Invalid arguments", True), ("EGeneral:Too many requests", False),
    ("EAPI:Rate limit exceeded", False), ("EGeneral:Temporary lockout", False), ("EService:Unavailable", False),
    ("EService:Market in cancel_only mode", False), ("EGeneral:Internal error", False), ("something new", False)])  # fmt: skip
def test_an_error_comes_with_status_200(message: str, rejects: bool) -> None:
    """Only an unknown pair is ours to mend; everything else passes."""
    error = complaint(lambda: parse(errors(message), BATCH, LIST))
    assert (error.rejects_symbol, error.retryable) == (rejects, not rejects)
    assert message in str(error)


def test_a_warning_is_no_error() -> None:
    """W, not E."""
    answer = json.dumps({"error": ["WGeneral:Danger"], "result": {"XXBTZUSD": BTC}}).encode()
    assert isinstance(parse(answer, BATCH[:1], LIST)["BTC-USD"], Tick)


@given(mutated({"error": [], "result": {"XXBTZUSD": BTC, "SOLUSD": SOL, "ADAUSD": SOL}}))
def test_a_mutated_answer_is_ticks_or_complaints(payload: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(payload, BATCH, LIST), {"BTC-USD", "SOL/USD"})


@given(mutated({"error": [], "result": PAIRS}))
def test_any_list_of_pairs_is_good_for_parsing(payload: bytes) -> None:
    """Or it is refused."""
    try:
        pairs = AssetPairs(parse_pairs(payload, "currency"))
    except FeedError:
        return
    answers_or_complains(lambda: parse(body(XXBTZUSD=BTC, SOLUSD=SOL), BATCH, pairs), {"BTC-USD", "SOL/USD"})


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(payload: bytes) -> None:
    """JSON or not."""
    answers_or_complains(lambda: parse(payload, BATCH, LIST), {"BTC-USD", "SOL/USD"})


def test_a_poll_reads_the_list_once_and_then_asks_for_all_at_once(feed: Kraken, kraken: RunningProvider) -> None:
    """A new symbol that is in the list does not make it read again."""
    batch = subscribe(Kraken, "BTC-USD", "ETH-USD", "SOL-USD", "DOGE-USD")
    first, second = feed.poll(batch), feed.poll(batch)
    for tick in first.values():
        assert isinstance(tick, Tick)
        assert well_formed(tick)
        assert tick.currency == "USD"
    assert first["BTC-USD"] != second["BTC-USD"]
    feed.poll(subscribe(Kraken, "ADA-USD"))
    assert [request["query"].get("pair") for request in kraken.requests()] == [None, *["XBTUSD,ETHUSD,SOLUSD,XDGUSD"] * 2, "ADAUSD"]


@pytest.mark.parametrize("fault", ["html", "reset", "null", "truncate"])
def test_without_the_list_the_prices_come_all_the_same(feed: Kraken, kraken: RunningProvider, fault: str) -> None:
    """It is asked for again after a while, not at every poll."""
    kraken.fault(fault, path="/0/public/AssetPairs")
    batch = subscribe(Kraken, "BTC-USD", "SOL-USD", "DOGE-USD", "BTC-USDT")
    for _ in range(2):
        assert all(isinstance(tick, Tick) for tick in feed.poll(batch).values())
    assert kraken.paths().count("/0/public/AssetPairs") == 1


def test_the_list_is_asked_for_again_after_a_while_or_for_another_symbol(
    feed: Kraken, kraken: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kraken lists new pairs from time to time."""
    now_s = 1000.0
    monkeypatch.setattr("feeds.kraken.feed.time.monotonic", lambda: now_s)
    monkeypatch.setattr("feeds.http.feed.time.monotonic", lambda: now_s)
    kraken.fault("html", path="/0/public/AssetPairs")
    feed.poll(subscribe(Kraken, "BTC-USD"))
    feed.poll(subscribe(Kraken, "BTC-USD", "ETH-USD"))
    assert kraken.paths().count("/0/public/AssetPairs") == 2
    now_s += LIST_RETRY_S - 1
    feed.poll(subscribe(Kraken, "BTC-USD", "ETH-USD"))
    assert kraken.paths().count("/0/public/AssetPairs") == 2
    now_s += 1
    kraken.heal()
    feed.poll(subscribe(Kraken, "BTC-USD", "ETH-USD"))
    feed.poll(subscribe(Kraken, "BTC-USD", "ETH-USD"))
    assert kraken.paths().count("/0/public/AssetPairs") == 3


def test_the_list_names_the_unknown_pairs_of_a_batch(feed: Kraken, kraken: RunningProvider) -> None:
    """Kraken only says that there is one. The others have their prices in the same poll, and from the next on no call is lost."""
    batch = subscribe(Kraken, "BTC-USD", "NOPE-USD", "ETH-USD", "NADA-EUR")
    for calls in (4, 1):  # both lists and two times the prices, then the prices alone
        kraken.forget()
        answer = feed.poll(batch)
        for symbol in ("NOPE-USD", "NADA-EUR"):
            error = answer[symbol]
            assert isinstance(error, FeedError)
            assert error.rejects_symbol
        assert isinstance(answer["BTC-USD"], Tick)
        assert isinstance(answer["ETH-USD"], Tick)
        assert len(kraken.paths()) == calls


def test_tokenized_shares_are_asked_for_as_such(feed: Kraken, kraken: RunningProvider) -> None:
    """They are in a list of their own, in a call of their own, and keep their case; currencies beside them have their prices as ever."""
    batch = subscribe(Kraken, "BTC-USD", "AAPLx/USD", "SPYx-EUR")
    answer = feed.poll(batch)
    for symbol, currency in (("BTC-USD", "USD"), ("AAPLx/USD", "USD"), ("SPYx-EUR", "EUR")):
        tick = answer[symbol]
        assert isinstance(tick, Tick)
        assert well_formed(tick)
        assert tick.currency == currency
    assert [dict(request["query"]) for request in kraken.requests()] == [
        {},
        {"aclass_base": "tokenized_asset"},
        {"pair": "XBTUSD"},
        {"pair": "AAPLxUSD,SPYxEUR", "asset_class": "tokenized_asset"},
    ]


def test_a_tokenized_share_alone_takes_two_calls(feed: Kraken, kraken: RunningProvider) -> None:
    """Its small letter tells which list it is in."""
    assert isinstance(feed.poll(subscribe(Kraken, "TSLAx/USD"))["TSLAx/USD"], Tick)
    assert isinstance(feed.poll(subscribe(Kraken, "TSLAx/USD"))["TSLAx/USD"], Tick)
    ticker = {"pair": "TSLAxUSD", "asset_class": "tokenized_asset"}
    assert [dict(request["query"]) for request in kraken.requests()] == [{"aclass_base": "tokenized_asset"}, ticker, ticker]


def test_a_share_in_capitals_is_found_by_the_list(feed: Kraken, kraken: RunningProvider) -> None:
    """Kraken itself refuses it so; where no two markets differ by case alone there is no doubt which one is meant."""
    assert isinstance(feed.poll(subscribe(Kraken, "AAPLX-USD", "ETH-USD"))["AAPLX-USD"], Tick)
    assert {request["query"].get("pair") for request in kraken.requests()} == {None, "AAPLxUSD", "ETHUSD"}


def test_without_the_lists_small_letters_tell_a_tokenized_share(feed: Kraken, kraken: RunningProvider) -> None:
    """It does not spoil the currencies' call."""
    kraken.fault("html", path="/0/public/AssetPairs")
    answer = feed.poll(subscribe(Kraken, "BTC-USD", "AAPLx-USD"))
    assert [type(news) for news in answer.values()] == [Tick, Tick]


def test_an_unknown_share_costs_itself_only(feed: Kraken) -> None:
    """Neither the other shares nor the currencies."""
    answer = feed.poll(subscribe(Kraken, "BTC-USD", "AAPLx/USD", "NOPEx/USD"))
    error = answer["NOPEx/USD"]
    assert isinstance(error, FeedError)
    assert error.rejects_symbol
    assert [type(answer[symbol]) for symbol in ("BTC-USD", "AAPLx/USD")] == [Tick, Tick]


def test_a_list_that_the_limits_put_off_is_read_by_the_next_poll(kraken: RunningProvider, runtime: Runtime) -> None:
    """And no list twice."""
    feed = Kraken("kr", KrakenSettings.model_validate({"kind": "kraken", "base_url": kraken.url, "timeout_s": 1.0}), runtime)
    for calls in (1, 2):
        with pytest.raises(BudgetSpent):
            feed.poll(subscribe(Kraken, "BTC-USD", "AAPLX/USD"))
        assert len(kraken.paths()) == calls
        feed.gate.budget = Budget([Rate("calls", 1, "s")])  # a second later
    assert [request["query"].get("aclass_base") for request in kraken.requests()] == [None, "tokenized_asset"]
    feed.close()


def test_a_pair_that_only_its_list_knows_is_for_the_poller_to_find(feed: Kraken, kraken: RunningProvider) -> None:
    """The feed blames nobody without evidence; asked alone, Kraken's word counts."""
    kraken.set(unknown=["XETHZUSD"])
    batch = subscribe(Kraken, "BTC-USD", "ETH-USD")
    feed.poll(batch[:1])
    kraken.set(unknown=[])
    feed.poll(batch)
    kraken.set(unknown=["XETHZUSD"])
    assert complaint(lambda: feed.poll(batch)).rejects_symbol
    assert complaint(lambda: feed.poll(batch[1:])).rejects_symbol
    assert isinstance(feed.poll(batch[:1])["BTC-USD"], Tick)


def test_a_rejected_pair_that_comes_into_being_is_found_when_asked_for_alone(feed: Kraken, kraken: RunningProvider) -> None:
    """That is how the poller tries a rejected symbol again."""
    kraken.set(unknown=["ETHUSD"])
    batch = subscribe(Kraken, "BTC-USD", "ETH-USD")
    assert isinstance(feed.poll(batch)["ETH-USD"], FeedError)
    kraken.set(unknown=[])
    assert isinstance(feed.poll(batch)["ETH-USD"], FeedError)
    assert isinstance(feed.poll(batch[1:])["ETH-USD"], Tick)
    assert isinstance(feed.poll(batch)["ETH-USD"], Tick)


@pytest.mark.parametrize("fault", ["html", "empty", "null", "garbage", "torn", "truncate", "huge", "not_gzip", "hang_up", "reset"])
def test_a_bad_body_is_a_feed_error_and_the_next_poll_is_good(feed: Kraken, kraken: RunningProvider, fault: str) -> None:
    """Whatever a provider can send."""
    batch = subscribe(Kraken, "BTC-USD")
    kraken.fault(fault)
    complaint(lambda: feed.poll(batch))
    kraken.heal()
    assert isinstance(feed.poll(batch)["BTC-USD"], Tick)


@pytest.mark.parametrize(("error", "wait_s"), [
    ("EGeneral:Too many requests", 15), ("EAPI:Rate limit exceeded", 15), ("EService:Throttled:1700000000", 15),
    ("EGeneral:Temporary lockout", 900), ("EService:Unavailable", None), ("EGeneral:Internal error", None),
    ("EQuery:Unknown asset pair", None)])  # fmt: skip
def test_kraken_says_in_words_that_it_is_too_much(error: str, wait_s: float | None) -> None:
    """With status 200; how long it lasts is known from its documentation."""
    payload = json.dumps({"error": [error]}).encode()
    assert complaint(lambda: parse(payload, BATCH, NO_PAIRS)).retry_after_s == wait_s


def test_a_poll_keeps_to_one_call_a_second(kraken: RunningProvider, runtime: Runtime) -> None:
    """The list of pairs and the prices are two: the second waits, and where there is no time to wait, the next poll goes on."""
    settings = {"kind": "kraken", "base_url": kraken.url, "timeout_s": 1.0}
    feed = Kraken("kr", KrakenSettings.model_validate(settings), runtime)
    with pytest.raises(BudgetSpent) as spent:
        feed.poll(subscribe(Kraken, "BTC-USD"))
    assert 0.5 < spent.value.wait_s <= 1.0
    assert kraken.paths() == ["/0/public/AssetPairs"]
    assert msgspec.to_builtins(feed.gate.budget.spent(time.monotonic())) == [{"unit": "calls", "per": "s", "most": 1, "used": 1, "left": 0}]
    feed.close()
