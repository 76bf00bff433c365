"""Coinbase's stream: messages, heartbeats, gaps, and a server that speaks its wire."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ticker.streaming.streamer
from feeds.coinbase_stream import LATE_AFTER_S, CoinbaseSession, CoinbaseStream
from tests.feeds.streams.streaming import Bench, said, sent, survives
from tests.feeds.support import JSON, complaint, mutated, subscribe
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "coinbase_stream"
TICKER = {"type": "ticker", "sequence": 6621300412, "product_id": "SOL-EUR", "price": "141.07", "open_24h": "139.5",
          "volume_24h": "70123.45678901", "low_24h": "138", "high_24h": "142.99", "volume_30d": "2571398.4", "best_bid": "141.06",
          "best_bid_size": "0.1", "best_ask": "141.08", "best_ask_size": "3", "side": "buy", "time": "2026-05-28T19:59:59.123456Z",
          "trade_id": 4711, "last_size": "1"}  # fmt: skip
TICK = Tick(
    price=141.07,
    bid=141.06,
    ask=141.08,
    open=139.5,
    high=142.99,
    low=138.0,
    volume=70123.45678901,
    currency="EUR",
    quote_time=1_779_998_399_123,
    upstream_state="fresh",
)
BEAT = {"type": "heartbeat", "sequence": 6621300500, "last_trade_id": 4711, "product_id": "SOL-EUR", "time": "2026-05-28T20:00:00.000000Z"}
IN_FORCE = {"type": "subscriptions", "channels": [{"name": "ticker", "product_ids": ["SOL-EUR", "BTC-EUR"]}]}


def wanting(*ids: str) -> CoinbaseSession:
    """A session that has asked for products."""
    session = CoinbaseSession({})
    session.want(subscribe(CoinbaseStream, *(ids or ("SOL-EUR", "BTC-EUR"))))
    session.due(0.0)
    return session


def later(trade: int, **changes: object) -> dict[str, object]:
    """A ticker of a later trade."""
    return TICKER | {"trade_id": trade, "sequence": 6621300412 + trade} | changes


def test_a_ticker_is_read_field_by_field() -> None:
    """Six fraction digits, whole numbers in strings, the currency from the product."""
    assert said(wanting("SOL/EUR"), TICKER) == {"SOL/EUR": TICK}


def test_frames_of_2021_are_read_too() -> None:
    """Without sizes; whatever is missing is unknown."""
    old = {name: TICKER[name] for name in ("type", "sequence", "product_id", "price", "time")}
    assert said(wanting(), old) == {"SOL-EUR": Tick(price=141.07, currency="EUR", quote_time=1_779_998_399_123, upstream_state="fresh")}


def test_one_subscription_for_all_and_one_acknowledgement() -> None:
    """Tickers and heartbeats; a hundred products a message."""
    session = CoinbaseSession({})
    session.want(subscribe(CoinbaseStream, *(f"A{number}-EUR" for number in range(150))))
    (first,), (second,) = sent(session, 0.0), sent(session, 0.2)
    assert (first["type"], first["channels"]) == ("subscribe", ["ticker", "heartbeat"])
    assert (len(first["product_ids"]), len(second["product_ids"])) == (100, 50)
    session = wanting()
    assert not session.ready
    said(session, IN_FORCE)
    assert session.ready


def test_jumps_of_the_trade_id_are_gaps() -> None:
    """Counted by trades; the price is the newest all the same, and so nothing need be asked for."""
    session = wanting()
    said(session, TICKER, later(4712), later(4715), later(4715), later(4720))
    assert session.gaps == 2 + 4
    assert sent(session, 5.0) == []


def test_out_of_order_is_passed_over() -> None:
    """A lower sequence is older than what is known."""
    session = wanting()
    assert said(session, later(4712, price="142"), TICKER)["SOL-EUR"] != TICK
    assert session.gaps == 0


def test_a_heartbeat_proves_the_last_trade_the_newest() -> None:
    """However long ago it was: the same tick is told again. Before the first ticker it proves nothing."""
    session = wanting()
    assert said(session, BEAT) == {}
    said(session, TICKER)
    assert said(session, BEAT) == {"SOL-EUR": TICK}
    assert said(session, BEAT | {"product_id": "NOPE-USD"}) == {}


def test_a_trade_that_only_the_heartbeat_knows_of_is_asked_for() -> None:
    """Not before its ticker had time to come; and what is known until then is not called fresh."""
    session = wanting()
    said(session, IN_FORCE, TICKER)
    assert said(session, BEAT | {"last_trade_id": 4713}, now_s=10.0) == {}
    assert sent(session, 10.0) == []
    said(session, BEAT | {"last_trade_id": 4713}, now_s=10.0 + LATE_AFTER_S)
    assert [(message["type"], message["product_ids"]) for at_s in (12.0, 12.2) for message in sent(session, at_s)] == [
        ("unsubscribe", ["SOL-EUR"]),
        ("subscribe", ["SOL-EUR"]),
    ]
    said(session, later(4713))
    assert said(session, BEAT | {"last_trade_id": 4713}, now_s=13.0).keys() == {"SOL-EUR"}


def refusal_of(reason: str) -> dict[str, str]:
    """What Coinbase says of a product that it does not give."""
    return {"type": "error", "message": "Failed to subscribe", "reason": reason}


@pytest.mark.parametrize(
    ("reason", "words"),
    [("BTC-EUR is not a valid product", "Coinbase has no 'BTC-EUR'"), ("BTC-EUR is delisted", "Coinbase has delisted 'BTC-EUR'")],
)
def test_a_product_that_is_refused_by_name_costs_only_itself(reason: str, words: str) -> None:
    """It is refused once for each channel and told once; the others of its message are subscribed."""
    session = wanting()
    error = said(session, refusal_of(reason))["BTC-EUR"]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, error.retryable) == (True, False)
    assert str(error).startswith(words)
    assert said(session, refusal_of(reason), refusal_of(reason)) == {}
    said(session, {"type": "subscriptions", "channels": [{"name": "ticker", "product_ids": ["SOL-EUR"]}]})
    assert session.ready
    assert [sent(session, second) for second in (1.0, 2.0, 30.0)] == [[], [], []]


def test_what_is_not_subscribed_beside_a_refused_product_is_asked_for_again() -> None:
    """A second later, without all that were refused until then: in case the message failed as a whole."""
    session = wanting("SOL-EUR", "BTC-EUR", "YFI-USD")
    assert said(session, refusal_of("BTC-EUR is not a valid product")).keys() == {"BTC-EUR"}
    assert said(session, refusal_of("YFI-USD is delisted")).keys() == {"YFI-USD"}
    assert sent(session, 0.5) == []
    assert [message["product_ids"] for message in sent(session, 2.0)] == [["SOL-EUR"]]


def test_a_refusal_of_one_that_nobody_wants_any_more_blames_nobody() -> None:
    """Least of all the only one that has no answer so far."""
    session = wanting("SOL-EUR")
    assert said(session, refusal_of("YFI-USD is delisted")) == {}
    assert said(session, TICKER) == {"SOL-EUR": TICK}


def test_a_product_that_is_delisted_while_it_streams_says_so() -> None:
    """Its price is the last, and its error names the cause."""
    session = wanting()
    said(session, IN_FORCE, TICKER)
    assert "has delisted" in str(said(session, refusal_of("SOL-EUR is delisted"))["SOL-EUR"])


def test_a_product_that_is_refused_for_now_is_asked_for_again_after_a_minute() -> None:
    """Nobody calls it unknown."""
    session = wanting("SOL-EUR")
    error = said(session, refusal_of("SOL-EUR is under maintenance"))["SOL-EUR"]
    assert isinstance(error, FeedError)
    assert (error.rejects_symbol, error.retryable) == (False, True)
    assert next(second for second in range(2, 100) if sent(session, second)) == 62


def test_too_many_messages_are_no_products_fault() -> None:
    """The only one that has no answer yet is not blamed for it."""
    session = wanting("SOL-EUR")
    assert "refuses a request" in str(complaint(lambda: said(session, {"type": "error", "message": "Rate limit exceeded"})))
    assert said(session, TICKER) == {"SOL-EUR": TICK}


@pytest.mark.parametrize(
    ("changes", "session"), [({}, "closed"), ({"volume_24h": "0.1"}, None), ({"best_bid": "1"}, None), ({"best_ask": "1"}, None)]
)
def test_a_market_that_nobody_trades_is_closed(changes: dict[str, str], session: str | None) -> None:
    """No trade in 24 hours, no bid and no ask, whatever the heartbeat proves."""
    tick = said(wanting(), TICKER | {"volume_24h": "0", "best_bid": "0", "best_ask": "0"} | changes)["SOL-EUR"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.session) == (141.07, session)


def test_a_side_field_costs_itself_only() -> None:
    """The price is good."""
    tick = said(wanting(), TICKER | {"best_ask": "-", "open_24h": {}, "time": "now"})["SOL-EUR"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.untimed, {odd.field for odd in tick.odd or ()}) == (141.07, True, {"ask", "open", "quote_time"})


def test_a_refusal_without_a_name_is_narrowed_down() -> None:
    """They are asked for one by one, and the one that is refused alone is it."""
    session = wanting("SOL-EUR", "NOPE-EUR")
    refusal = refusal_of("product ids are invalid")
    assert "refuses a request" in str(complaint(lambda: said(session, refusal)))
    assert [message["product_ids"] for at_s in (1.0, 1.2) for message in sent(session, at_s)] == [["SOL-EUR"], ["NOPE-EUR"]]
    said(session, {"type": "subscriptions", "channels": [{"name": "ticker", "product_ids": ["SOL-EUR"]}]})
    assert said(session, refusal).keys() == {"NOPE-EUR"}
    assert sent(session, 2.0) == []
    assert session.ready


def test_whatever_is_new_is_ignored() -> None:
    """Message types may appear at any time."""
    assert said(wanting(), {"type": "last_match"}, {"type": "status"}, {"type": None}, {}) == {}


@given(
    mutated(TICKER)
    | mutated(BEAT)
    | mutated(IN_FORCE)
    | mutated({"type": "error", "message": "no", "reason": "SOL-EUR"})
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
)
def test_any_message_is_ticks_or_a_complaint(message: bytes) -> None:
    """Nothing else comes out, whatever came before it."""
    session = wanting()
    said(session, TICKER)
    survives(session, message, {"SOL-EUR", "BTC-EUR"})


@pytest.fixture
def bench(provider: RunningProvider, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A stream on the local server."""
    monkeypatch.setattr(ticker.streaming.streamer, "LOOK_S", 0.01)
    provider.set(switches={"per_s": 50, "beat_s": 0.05})
    bench = Bench(CoinbaseStream, provider, runtime)
    yield bench
    bench.stop()


def test_lost_messages_are_counted(bench: Bench, provider: RunningProvider) -> None:
    """As many as the server kept back, and one look at it."""
    bench.start("BTC-USD")
    provider.set(switches={"per_s": 50, "beat_s": 0.05, "lose": 4})
    bench.until(lambda: bench.state()["gaps"] >= 10)
    provider.set(switches={"per_s": 50, "beat_s": 0.05})
    count = len(bench.ticks("BTC-USD"))
    bench.until(lambda: len(bench.ticks("BTC-USD")) > count + 3)
    bench.until(lambda: bench.state()["gaps"] == provider.streams()[0]["lost"])
    assert bench.told == []


def test_a_ticker_that_never_came_is_asked_for(bench: Bench, provider: RunningProvider) -> None:
    """The heartbeat knows of a trade that we do not: the product is asked for anew, on the same connection, and its price is there."""
    bench.start("BTC-USD")
    provider.set(switches={"per_s": 5, "beat_s": 0.05, "lose": 1})
    bench.until(lambda: provider.streams()[0]["lost"] >= 2, push_s=0.1)
    lost = len(bench.ticks("BTC-USD"))
    bench.until(lambda: [one["type"] for one in provider.streams()[0]["heard"]][1:3] == ["unsubscribe", "subscribe"], push_s=0.1)
    bench.until(lambda: len(bench.ticks("BTC-USD")) > lost)
    assert len(provider.streams()) == 1


def test_who_asks_too_late_is_cut_and_tells_why(bench: Bench, provider: RunningProvider) -> None:
    """Coinbase waits 5 s for a subscription. Ours comes at once; it is the server that pretends not to hear it."""
    provider.set(switches={"deaf": True, "within_s": 0.1})
    bench.want("BTC-USD")
    bench.until(lambda: bench.told)
    assert "no subscription within" in str(bench.told[0][1])


@pytest.mark.parametrize("whole", [False, True])
def test_products_that_are_refused_cost_the_others_nothing(bench: Bench, provider: RunningProvider, whole: bool) -> None:
    """Unknown and delisted ones, beside good ones, whether the message fails as a whole or not."""
    provider.set(switches={"per_s": 50, "whole": whole})
    bench.want("BTC-USD", "NOPE-USD", "ETH-USD", "WLUNA-USD")
    refused = {"NOPE-USD", "WLUNA-USD"}
    bench.until(lambda: bench.prices().keys() == {"BTC-USD", "ETH-USD"} and bench.errors().keys() == refused, push_s=0.1)
    assert "has delisted 'WLUNA-USD'" in str(bench.errors()["WLUNA-USD"])
    assert bench.told == []


def test_an_unknown_product_that_is_not_named_costs_only_itself(bench: Bench, provider: RunningProvider) -> None:
    """All in one message at first."""
    provider.set(switches={"per_s": 50, "unnamed": True})
    bench.want("BTC-USD", "NOPE-USD", "ETH-USD")
    bench.until(lambda: bench.prices().keys() == {"BTC-USD", "ETH-USD"} and bench.errors().keys() == {"NOPE-USD"}, push_s=0.1)
    assert bench.errors()["NOPE-USD"].rejects_symbol
