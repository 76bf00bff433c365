"""Tiingo: rows of all hours, errors with status 200, and a feed against a server that speaks its wire."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from feeds.http.limit_headers import LONGEST_WAIT_S
from feeds.tiingo import Tiingo, parse
from tests.feeds.support import CANARY, JSON, answers_or_complains, complaint, connected, mutated, subscribe, well_formed
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PROVIDER = "tiingo"
SYMBOLS = ("AAPL", "BRK.B")
"""What all polled kinds have to say of themselves: see `http/test_polled_kinds.py`."""
PEP: dict[str, Any] = {
    "ticker": "PEP", "timestamp": "2026-05-28T15:41:20.500000001-04:00", "lastSaleTimestamp": "2026-05-28T15:41:18.123456789-04:00",
    "quoteTimestamp": "2026-05-28T15:41:20.500000001-04:00", "open": 148.2, "high": 149, "low": 147.55, "mid": 148.905,
    "tngoLast": 148.88, "last": 148.88, "lastSize": 3, "bidSize": 100, "bidPrice": 148.9, "askPrice": 148.91, "askSize": 200,
    "prevClose": 147.31, "volume": 51832}  # fmt: skip
SOLD_MS, QUOTED_MS = 1_779_997_278_123, 1_779_997_280_500
TICK = Tick(
    price=148.88,
    bid=148.9,
    ask=148.91,
    open=148.2,
    high=149.0,
    low=147.55,
    prev_close=147.31,
    volume=51832.0,
    currency="USD",
    quote_time=SOLD_MS,
    session="regular",
)
BATCH = subscribe(Tiingo, "pep", "BRK.B")


def ticks(*rows: Any, symbols: tuple[str, ...] = ("PEP",)) -> dict[str, Tick | FeedError]:
    """What is read from these rows."""
    return parse(json.dumps(rows).encode(), subscribe(Tiingo, *symbols))


@pytest.fixture
def feed(provider: RunningProvider, runtime: Runtime) -> Iterator[Tiingo]:
    """A feed on the local server."""
    feed = connected(Tiingo, provider, runtime)
    yield feed
    feed.close()


def test_a_row_is_read_field_by_field() -> None:
    """Nine digits of a second and an offset; found whatever the case and the order."""
    rows = {"ticker": None}, None, PEP, PEP | {"ticker": "BRK-B"}
    assert ticks(*rows, symbols=("pep", "BRK.B")) == {"pep": TICK, "BRK.B": TICK}


@pytest.mark.parametrize(("fields", "price", "made_ms"), [
    ({"tngoLast": 148.905}, 148.905, QUOTED_MS), ({"tngoLast": 148.905, "last": None}, 148.905, QUOTED_MS),
    ({"tngoLast": 148.87}, 148.87, QUOTED_MS), ({"lastSaleTimestamp": None}, 148.88, QUOTED_MS),
    ({"timestamp": None, "lastSaleTimestamp": None, "quoteTimestamp": None}, 148.88, None)])  # fmt: skip
def test_a_price_has_the_time_of_what_it_is(fields: dict[str, Any], price: float, made_ms: int | None) -> None:
    """A sale, the middle of a quote, or neither that we can see."""
    (tick,) = ticks(PEP | fields).values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.quote_time) == (price, made_ms)


@pytest.mark.parametrize("nothing", [None, 0])
def test_after_hours_there_is_no_bid_and_no_ask(nothing: Any) -> None:
    """Null, or 0."""
    (tick,) = ticks(PEP | dict.fromkeys(("mid", "bidPrice", "askPrice", "bidSize", "askSize", "lastSize"), nothing)).values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.bid, tick.ask) == (148.88, None, None)


@pytest.mark.parametrize(("made", "session"), [
    ("2026-05-29T00:30:00.123456789-04:00", "overnight"), ("2026-05-28T20:00:00-04:00", "post"), ("2026-05-28T08:15:00-04:00", "pre"),
    ("2026-05-28T16:05:00-04:00", "post"), ("2026-05-28T20:00:00+00:00", "regular"), (None, None), ("yesterday", None)])  # fmt: skip
def test_the_session_is_that_of_the_price(made: Any, session: str | None) -> None:
    """By its time in New York; the official close has the time at which the session ends."""
    (tick,) = ticks(PEP | {"timestamp": made, "lastSaleTimestamp": made, "quoteTimestamp": made}).values()
    assert isinstance(tick, Tick)
    assert (tick.session, tick.quote_time is None, tick.untimed) == (session, session is None, None if session else True)


def test_what_is_not_there_is_unknown() -> None:
    """An empty list, or others only; a row without a price is only an error."""
    for rows in ([], [PEP | {"ticker": "KO"}]):
        error = ticks(*rows)["PEP"]
        assert isinstance(error, FeedError)
        assert error.rejects_symbol
    for nothing in (None, 0):
        error = ticks(PEP | {"tngoLast": nothing})["PEP"]
        assert isinstance(error, FeedError)
        assert not error.rejects_symbol


def test_what_cant_be_read_costs_itself_only() -> None:
    """The price goes on."""
    (tick,) = ticks(PEP | {"bidPrice": "unch", "volume": -2147483648, "high": True}).values()
    assert isinstance(tick, Tick)
    assert (tick.price, tick.bid, tick.volume, tick.high) == (148.88, None, None, None)
    assert {odd.field for odd in tick.odd or ()} == {"bid", "volume", "high"}


@pytest.mark.parametrize(("body", "wait_s", "retryable"), [
    (b'{"detail":"Error: You have run over your hourly request allocation. Please upgrade"}', LONGEST_WAIT_S, True),
    (b"Error: You have run over your daily request allocation.", LONGEST_WAIT_S, True),
    (b'{"detail":"Error: You have run over your monthly unique symbol allocation."}', LONGEST_WAIT_S, False),
    (b'{"detail":"Please supply a token"}', None, False), (b'{"detail":"Invalid token."}', None, False), (b'{"detail":"odd"}', None, True),
    (b"", None, True), (b"<html></html>", None, True)])  # fmt: skip
def test_an_error_may_come_with_status_200(body: bytes, wait_s: float | None, retryable: bool) -> None:
    """As JSON or as text."""
    error = complaint(lambda: parse(body, BATCH))
    assert (error.retry_after_s, error.retryable, error.rejects_symbol) == (wait_s, retryable, False)


@given(mutated([PEP, PEP | {"ticker": "BRK-B"}]) | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_body_is_ticks_or_complaints(body: bytes) -> None:
    """Nothing else comes out."""
    answers_or_complains(lambda: parse(body, BATCH), {"pep", "BRK.B"})


@pytest.mark.parametrize("switches", [{}, {"after_hours": True}, {"no_agreement": True}])
def test_one_call_carries_all_symbols(feed: Tiingo, provider: RunningProvider, switches: dict[str, bool]) -> None:
    """At any hour, with or without an agreement with the exchange."""
    provider.set(switches=switches)
    answer = feed.poll(subscribe(Tiingo, "AAPL", "brk.b", "SPY"))
    assert all(isinstance(tick, Tick) and well_formed(tick) for tick in answer.values())
    (request,) = provider.requests()
    assert (request["path"], request["query"]["tickers"]) == ("/iex/", "AAPL,brk-b,SPY")
    assert request["headers"]["authorization"] == f"Token {CANARY}"


def test_a_spent_allocation_waits_for_the_next(feed: Tiingo, provider: RunningProvider) -> None:
    """As long as we ever wait: whether it is an hour's or a day's, it is tried again then."""
    provider.set(switches={"text": "Error: You have run over your hourly request allocation."})
    assert complaint(lambda: feed.poll(subscribe(Tiingo, "AAPL"))).retry_after_s == LONGEST_WAIT_S


def test_the_night_has_a_path_of_its_own(provider: RunningProvider, runtime: Runtime) -> None:
    """With the same rows. A plan that has it not is told from a wrong key, and blames no symbol."""
    feed = connected(Tiingo, provider, runtime, data_feed="boats")
    assert isinstance(feed.poll(subscribe(Tiingo, "AAPL"))["AAPL"], Tick)
    assert [request["path"] for request in provider.requests()] == ["/boats/"]
    provider.set(switches={"no_boats": True})
    error = complaint(lambda: feed.poll(subscribe(Tiingo, "AAPL")))
    assert ("does not include BOATS" in str(error), error.retryable, error.rejects_symbol) == (True, False, False)
    feed.close()
    feed = connected(Tiingo, provider, runtime, data_feed="boats", api_key=SecretStr("wrong"))
    error = complaint(lambda: feed.poll(subscribe(Tiingo, "AAPL")))
    assert ("refuses the key" in str(error), error.retryable) == (True, False)
    feed.close()
