"""Coinbase Advanced Trade: parsing, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.coinbase_advanced import CoinbaseAdvanced, parse
from tests.feeds.support import JSON, answers_or_complains, complaint, connected, mutated, subscribe
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "coinbase_advanced"
SYMBOLS, UNKNOWN_SYMBOL = ("BTC-USD", "ETH/USD"), "NOPE-USD"
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""
SOL = {
    "product_id": "SOL-EUR", "price": "171.04", "price_percentage_change_24h": "-2.31870912448", "volume_24h": "30411.8821",
    "volume_percentage_change_24h": "11.2", "base_increment": "0.00000001", "base_name": "Solana", "is_disabled": False,
    "status": "online", "trading_disabled": False, "product_type": "SPOT", "quote_currency_id": "EUR", "base_currency_id": "SOL",
    "mid_market_price": "", "alias": "", "alias_to": []}  # fmt: skip
BTC = SOL | {"product_id": "BTC-USD", "price": "91020", "quote_currency_id": "USD", "alias_to": ["BTC-USDC"]}
BATCH = subscribe(CoinbaseAdvanced, "BTC-USD", "SOL/EUR")


def ticks(*rows: Any, batch: Any = BATCH) -> dict[str, Tick | FeedError]:
    """What is read from an answer with these rows."""
    return parse(json.dumps({"products": rows, "num_products": len(rows)}).encode(), batch)


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[CoinbaseAdvanced]:
    """A feed on the local server."""
    feed = connected(CoinbaseAdvanced, provider, runtime)
    yield feed
    feed.close()


def test_rows_are_read_field_by_field_and_found_by_their_id() -> None:
    """In any order; 24 hours' change in percent; no time, no bid and no ask."""
    assert ticks(SOL, {"product_id": 7}, None, BTC) == {
        "BTC-USD": Tick(price=91020.0, volume=30411.8821, change_pct=-2.3187, currency="USD"),
        "SOL/EUR": Tick(price=171.04, volume=30411.8821, change_pct=-2.3187, currency="EUR"),
    }


def test_a_market_may_come_under_its_other_name() -> None:
    """BTC-USDC is BTC-USD's; its own row would come first."""
    batch = subscribe(CoinbaseAdvanced, "BTC-USDC")
    assert ticks(BTC, batch=batch)["BTC-USDC"] == Tick(price=91020.0, volume=30411.8821, change_pct=-2.3187, currency="USD")
    own = BTC | {"product_id": "BTC-USDC", "price": "91019", "alias_to": []}
    tick = ticks(BTC, own, batch=batch)["BTC-USDC"]
    assert isinstance(tick, Tick)
    assert tick.price == 91019.0


def test_no_price_is_an_error_and_no_change_is_unknown() -> None:
    """`""` is nothing."""
    answer = ticks(BTC | {"price": ""}, SOL | {"price_percentage_change_24h": "", "volume_24h": ""})
    assert isinstance(answer["BTC-USD"], FeedError)
    assert not answer["BTC-USD"].rejects_symbol
    assert answer["SOL/EUR"] == Tick(price=171.04, currency="EUR")


@pytest.mark.parametrize(("changes", "session"), [
    ({"is_disabled": True}, "closed"), ({"trading_disabled": True}, "closed"), ({"cancel_only": True}, "closed"),
    ({"status": "delisted"}, "closed"), ({"view_only": True, "volume_24h": "0"}, "closed"), ({"view_only": True}, None),
    ({"post_only": True}, None), ({"volume_24h": "0"}, None)])  # fmt: skip
def test_a_market_that_is_shut_says_so(changes: dict[str, Any], session: str | None) -> None:
    """Its last price is no live one. What may only be looked at is traded, as long as it has a volume."""
    tick = ticks(BTC | changes, SOL)["BTC-USD"]
    assert isinstance(tick, Tick)
    assert (tick.price, tick.session) == (91020.0, session)


def test_a_delisted_product_without_a_price_is_called_so() -> None:
    """The others have theirs."""
    answer = ticks(BTC | {"status": "delisted", "price": ""}, SOL)
    assert "has delisted 'BTC-USD'" in str(answer["BTC-USD"])
    assert isinstance(answer["SOL/EUR"], Tick)


def test_a_side_field_costs_itself_only() -> None:
    """The price is good."""
    tick = ticks(BTC | {"volume_24h": "much", "price_percentage_change_24h": []}, SOL)["BTC-USD"]
    assert isinstance(tick, Tick)
    assert (tick.price, {odd.field for odd in tick.odd or ()}) == (91020.0, {"volume", "change_pct"})


@given(mutated({"products": [BTC, SOL], "num_products": 2}) | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(payload: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(payload, BATCH), {"BTC-USD", "SOL/EUR"})


def test_a_hundred_products_are_one_call(feed: CoinbaseAdvanced, provider: RunningProvider) -> None:
    """Each with a parameter of its own."""
    symbols = [f"T{number:03}-USD" for number in range(100)]
    assert all(isinstance(tick, Tick) for tick in feed.poll(subscribe(CoinbaseAdvanced, *symbols)).values())
    assert len(provider.requests()) == 1


def test_a_delisted_product_is_closed_at_its_last_price(feed: CoinbaseAdvanced) -> None:
    """It stays in the answers."""
    answer = feed.poll(subscribe(CoinbaseAdvanced, "BTC-USD", "WLUNA-USD"))
    sessions = {symbol: tick.session for symbol, tick in answer.items() if isinstance(tick, Tick)}
    assert sessions == {"BTC-USD": None, "WLUNA-USD": "closed"}


def test_a_refused_batch_is_for_the_poller_to_search(feed: CoinbaseAdvanced, provider: RunningProvider) -> None:
    """Where one unknown product fails the call, unnamed."""
    provider.set(switches={"strict": True})
    error = complaint(lambda: feed.poll(subscribe(CoinbaseAdvanced, "BTC-USD", "NOPE-USD")))
    assert (error.rejects_symbol, error.retryable) == (True, False)
    assert isinstance(feed.poll(subscribe(CoinbaseAdvanced, "BTC-USD"))["BTC-USD"], Tick)
