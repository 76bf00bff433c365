"""Prices of any sign through the whole chain: payload, board, bars, wire, relay, a second board, its recording, and a third from that."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feeds.finnhub import parse as parse_finnhub
from feeds.generic.feed import HttpJsonSettings
from feeds.replay.feed import ReplaySession
from tests.feeds.tickercast.relaying import Upstream
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.board.history import MINUTE_MS, History
from ticker.quote import PRICE_FIELDS, Quote, Tick, encode
from ticker.runtime import Runtime
from ticker.settings import SymbolOptions
from ticker.settings.model import QualitySettings, Settings, SymbolSettings
from ticker.sinks.recording import batch, header
from ticker.source import Answer, Subscription

NOW = 1_779_998_399_000
BATCH = [Subscription("X", "X", SymbolOptions())]
WISH = SymbolSettings(feed=("a",), allow_negative=True, max_jump=1e18)
KEYS = {"kind": "http_json", "base_url": "https://api.example.org", "path": "/q?ids={symbols}", "rows": "data", "symbol": "id",
        "price": "last", **{side: side for side in ("bid", "ask", "high", "low", "prev_close")}}  # fmt: skip
ENDPOINT = HttpJsonSettings.model_validate(KEYS).extraction()
NUMBERS = st.one_of(st.floats(1e-17, 1e17), st.floats(-1e17, -1e-17), st.sampled_from([0.0, -0.0, 1e-17, -1e-17, -37.63, 0.01, -0.01]))
SIDES = st.none() | NUMBERS
ROWS = st.fixed_dictionaries({"last": NUMBERS, **dict.fromkeys(("bid", "ask", "high", "low", "prev_close"), SIDES)})


def of_endpoint(row: dict[str, Any], made_ms: int) -> Answer:
    """What an endpoint described in settings says: strings, without a time, and what is unknown is absent."""
    told = {key: repr(value) for key, value in row.items() if value is not None}
    return ENDPOINT.parse(json.dumps({"data": [{"id": "X", **told}]}).encode(), BATCH).ticks


def of_finnhub(row: dict[str, Any], made_ms: int) -> Answer:
    """What Finnhub says: bare numbers, 0 where it knows none: a price of 0 can't be told."""
    if row["last"] == 0:
        return {}
    keys = {"last": "c", "high": "h", "low": "l", "prev_close": "pc"}
    quote = {short: row[key] or 0 for key, short in keys.items()} | {"d": None, "dp": None, "o": 0, "t": made_ms // 1000}
    return {symbol: tick for symbol, tick in parse_finnhub(json.dumps(quote).encode(), BATCH).items() if tick is not None}


def board_of(terms: FeedTerms) -> Board:
    """One with the symbol, of this kind of source."""
    board = Board("epoch")
    board.configure({"X": WISH}, {"a": terms}, NOW, QualitySettings())
    return board


def check(quote: Quote, row: dict[str, Any]) -> None:
    """The price and its sides are those of the payload, and what it has moved is what it has moved."""
    told = {name: getattr(quote, name) for name in ("price", "bid", "ask", "high", "low", "prev_close", "change", "change_pct")}
    numbers = [number for number in told.values() if number is not None]
    assert all(math.isfinite(number) for number in numbers)
    assert all(math.copysign(1, number) == 1 for number in numbers if number == 0)
    assert f"{quote.price:.15g}" == f"{row['last'] + 0.0:.15g}"
    assert all(told[side] == row[side] for side in ("bid", "ask", "high", "low", "prev_close") if told[side] is not None)
    assert all(told[side] is not None or not row[side] for side in ("high", "low", "prev_close"))
    assert quote.bid is None or quote.ask is None or quote.bid <= quote.ask
    base = quote.prev_close
    if base is None:
        assert quote.change is quote.change_pct is None
        return
    assert quote.change == float(Fraction(repr(quote.price)) - Fraction(repr(base)))
    assert quote.change_pct is None or (base > 0 and quote.price > 0)


@pytest.mark.parametrize("provider", [of_endpoint, of_finnhub])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, min_size=1, max_size=6))
def test_prices_of_any_sign_arrive_as_they_were(provider: Any, rows: list[dict[str, Any]], runtime: Runtime) -> None:
    """Price for price, digit by digit, at each station; a price is zero or below as any, and -0.0 is 0."""
    first, second, third = (board_of(FeedTerms(kind, 1.0)) for kind in ("polled", "relayed", "replayed"))
    history, upstream, replay = History(), Upstream(runtime), ReplaySession({}, 1.0)
    upstream.want("X")
    upstream.greet()
    upstream.acknowledge()
    replay.want(BATCH)
    replay.receive(header(Settings(feeds={}, symbols={"X": WISH}), "cf98", NOW), 0.0)
    for step, row in enumerate(rows):
        now = NOW + step * 1000
        answer = provider(row, now)
        if not answer:
            continue
        told = answer["X"]
        assert isinstance(told, Tick)
        first.apply("a", answer, now)
        quote = first.quotes["X"]
        check(quote, row)
        history.sample(first.quotes, first.volume_of, now)
        bar = history.bars("X", now)[-1]
        assert bar.low <= bar.close == quote.price <= bar.high
        assert bar.time_ms == now // MINUTE_MS * MINUTE_MS
        second.apply("a", upstream.say(f'42["quotes",[{encode(quote).decode()}]]'), now)
        relayed = second.quotes["X"]
        third.apply("a", replay.receive(batch([relayed], now), 0.0), now)
        for later in (relayed, third.quotes["X"]):
            assert all(getattr(later, name) == getattr(quote, name) for name in PRICE_FIELDS if name not in ("origin", "hops"))
            assert later.state == "fresh"
