"""A quote of another tickercast becomes a tick with all its numbers, or an error."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ticker.runtime
from feeds.tickercast.quotes import MOST_HOPS, read_quote, read_rows, tick_of, volumes_of
from tests.feeds.hostile import Witness
from tests.feeds.support import complaint, mutated, well_formed
from ticker.errors import BadTick, FeedError
from ticker.quote import Quote, Tick, encode, plain
from ticker.runtime import Runtime
from ticker.sinks.recording import as_tick, batch, read_batch

QUOTE: dict[str, Any] = {
    "symbol": "BTC-USD", "price": 67244.12, "bid": 67244.1, "ask": 67244.13, "open": 66120.5, "high": 67500, "low": 65980.01,
    "prev_close": 66000.25, "volume": 8123.4, "change": 1123.62, "change_pct": 1.6994, "currency": "USD", "quote_time": 1795377851903,
    "received_time": 1795377852011, "seq": 418, "source": "coinbase", "kind": "polled", "state": "fresh", "delay_min": 15,
    "session": "post", "ext_price": 67300.5, "ext_change_pct": -0.08, "ext_time": 1795377852000, "snapshot": True, "epoch": "cf98"
}  # fmt: skip


def both(row: dict[str, Any]) -> Tick:
    """A quote that is read the quick way and the careful one to the same tick."""
    quick = read_rows(json.dumps(["quotes", [row]]).encode())
    assert quick is not None
    assert (tick_of(quick[0]), quick[0].seq) == read_quote(row)
    return tick_of(quick[0])


def test_every_field_arrives_as_it_was() -> None:
    """With the first source's name, one hop more, and the state as the upstream's word."""
    tick, seq = read_quote(QUOTE)
    assert seq == 418
    assert tick == Tick(
        price=67244.12,
        bid=67244.1,
        ask=67244.13,
        open=66120.5,
        high=67500.0,
        low=65980.01,
        prev_close=66000.25,
        volume=8123.4,
        change=1123.62,
        change_pct=1.6994,
        currency="USD",
        quote_time=1795377851903,
        delay_min=15.0,
        session="post",
        ext_price=67300.5,
        ext_change_pct=-0.08,
        ext_time=1795377852000,
        origin="coinbase",
        hops=1,
        upstream_state="fresh",
    )


def test_a_quote_that_was_relayed_keeps_its_origin() -> None:
    """Whoever it came from last."""
    tick, _ = read_quote(QUOTE | {"origin": "kraken", "hops": 2})
    assert (tick.origin, tick.hops) == ("kraken", 3)


def test_what_is_absent_is_unknown() -> None:
    """A price, a state and a source will do."""
    tick, _ = read_quote({"symbol": "X", "price": 1.5, "seq": 1, "source": "sim", "state": "stale"})
    assert tick == Tick(price=1.5, origin="sim", hops=1, upstream_state="stale")


def test_it_takes_what_a_board_publishes() -> None:
    """Through the real encoder, digit by digit."""
    quote = Quote(symbol="X", price=0.1 + 0.2, quote_time=1795377851903, received_time=1, seq=9, source="a", kind="polled", state="closed")
    tick, seq = read_quote(json.loads(encode(quote)))
    assert (tick.price, tick.quote_time, tick.upstream_state, seq) == (0.1 + 0.2, 1795377851903, "closed", 9)


def test_hops_end_somewhere() -> None:
    """A loop that nobody noticed."""
    assert read_quote(QUOTE | {"hops": MOST_HOPS - 1})[0].hops == MOST_HOPS
    error = complaint(lambda: read_quote(QUOTE | {"hops": MOST_HOPS}))
    assert error.rejects_symbol
    assert "16 relays" in str(error)


@pytest.mark.parametrize("odd", [
    {"price": 1e-19}, {"price": "NaN"}, {"price": None}, {"state": None}, {"state": 3}, {"state": ""}, {"hops": -1}, {"hops": 1.5},
    {"hops": True}, {"seq": "1"}, {"seq": None}, {"quote_time": 1795377851}, {"source": ""}, {"source": 3}])  # fmt: skip
def test_what_makes_no_sense_is_an_error(odd: dict[str, Any]) -> None:
    """Of that symbol, where it makes the quote; prices that are none are bad ticks."""
    error = complaint(lambda: read_quote(QUOTE | odd))
    assert isinstance(error, BadTick) == (odd.keys() <= {"price", "quote_time"} and odd != {"price": None})
    assert read_rows(json.dumps(["quotes", [QUOTE | odd]]).encode()) is None


@pytest.mark.parametrize("odd", [
    {"bid": "unch"}, {"high": [1]}, {"volume": -1}, {"change": "1,5"}, {"change_pct": "1 %"}, {"session": "lunch"}, {"session": 1},
    {"halted": "yes"}, {"currency": "not a code"}, {"currency": 1}, {"ext_time": "soon"}, {"delay_min": -1}, {"quote_time": "noon"},
    {"bid": 1e-19}])  # fmt: skip
def test_a_field_beside_the_price_costs_itself_only(odd: dict[str, Any]) -> None:
    """A newer relay may have words that are unknown here."""
    (field,) = odd
    tick, _ = read_quote(QUOTE | odd)
    whole = read_quote(QUOTE)[0]
    assert plain(tick) == msgspec.structs.replace(whole, **{field: None})
    assert [one.field for one in tick.odd or ()] == [field]


def test_a_state_that_is_unknown_here_is_never_fresh() -> None:
    """Whatever a newer relay means by it."""
    assert read_quote(QUOTE | {"state": "auction"})[0].upstream_state == "stale"


@pytest.mark.parametrize("price", [-37.63, -1.0, 0.0])
def test_prices_of_any_sign_pass(price: float) -> None:
    """The last and those beside it; whether they can be meant is for the settings of here to say."""
    row = QUOTE | dict.fromkeys(("price", "bid", "ask", "low", "prev_close"), price)
    tick = read_quote(row)[0]
    assert (tick.price, tick.bid, tick.ask, tick.low, tick.prev_close, tick.odd) == (price, price, price, price, price, None)
    if price:
        assert both(row) == tick
    assert str(read_quote(QUOTE | {"price": -0.0, "bid": -0.0})[0].price) == "0.0"


SIGNED = st.floats(1e-18, 1e18) | st.floats(-1e18, -1e-18) | st.just(0.0)


@given(SIGNED, SIGNED | st.none(), SIGNED | st.none(), st.floats(-1e18, 1e18))
def test_what_a_board_publishes_arrives_as_it_was(price: float, bid: float | None, prev_close: float | None, change: float) -> None:
    """Digit by digit, over the wire and in a recording, whatever its sign."""
    quote = Quote(
        symbol="X",
        price=price,
        bid=bid,
        prev_close=prev_close,
        change=change,
        received_time=1,
        seq=9,
        source="a",
        kind="polled",
        state="fresh",
    )
    tick, seq = read_quote(json.loads(encode(quote)))
    rows = read_rows(b'["quotes",[%b]]' % encode(quote))
    assert rows is None or (tick_of(rows[0]), rows[0].seq) == (tick, seq)
    assert (tick.price, tick.bid, tick.prev_close, tick.change, tick.odd) == (price, bid, prev_close, change, None)
    (kept,) = (read_batch(batch([quote], 1)) or pytest.fail("it is no line")).quotes
    assert as_tick(kept) == msgspec.structs.replace(tick, origin=None, hops=None)


def test_halts_nights_and_counts_pass() -> None:
    """In either way of reading."""
    tick = both(QUOTE | {"halted": True, "session": "overnight", "state": "closed"})
    assert (tick.halted, tick.session, tick.upstream_state) == (True, "overnight", "closed")
    assert read_quote(QUOTE, "day_utc")[0].volume_of == "day_utc"
    assert volumes_of([{"symbol": "A", "volume_of": "session"}, {"symbol": "B"}, {"symbol": "C", "volume_of": "hour"}, 1, {
        "symbol": ["D"], "volume_of": "24h"}]) == {"A": "session"}  # fmt: skip


@given(mutated(QUOTE))
def test_whatever_comes_is_a_tick_or_an_error(body: bytes) -> None:
    """And a tick is well formed."""
    try:
        row = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(row, dict):
        try:
            tick, _ = read_quote(row)
        except FeedError:
            return
        assert well_formed(tick)
        assert tick.hops is not None
        assert 1 <= tick.hops <= MOST_HOPS


def test_a_message_in_which_all_is_well_is_read_at_once() -> None:
    """To the same ticks."""
    rows = read_rows(json.dumps(["quotes", [QUOTE, QUOTE | {"symbol": "X", "hops": 3, "origin": "kraken"}]]).encode())
    assert rows is not None
    assert [(row.symbol, row.seq) for row in rows] == [("BTC-USD", 418), ("X", 418)]
    assert tick_of(rows[0]) == read_quote(QUOTE)[0]
    assert (tick_of(rows[1]).hops, tick_of(rows[1]).origin) == (4, "kraken")
    assert read_rows(b'["beat",{"server_time":1}]') is None
    assert read_rows(b'["quotes",[{"symbol":"X"}]]') is None
    assert read_rows(json.dumps(["quotes", [QUOTE | {"currency": "USD\n"}]]).encode()) is None


def test_a_long_message_is_read_as_a_short_one(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot of 10,000 symbols, with others' turns meanwhile; one bad row, or too many, and it is for those who look closer."""
    monkeypatch.setattr(ticker.runtime, "LONGEST_TURN_S", 0.0)
    rows = [QUOTE | {"symbol": f"S{number}"} for number in range(10_000)]
    witness = Witness(runtime)
    read = read_rows(json.dumps(["quotes", rows]).encode())
    assert witness.stop() >= 10
    assert read is not None
    assert [row.symbol for row in read] == [f"S{number}" for number in range(10_000)]
    assert read[0] == read_rows(json.dumps(["quotes", rows[:1]]).encode())[0]  # type: ignore[index]
    rows[7_000] = QUOTE | {"price": "none"}
    assert read_rows(json.dumps(["quotes", rows]).encode()) is None
    assert read_rows(json.dumps(["symbols", rows]).encode()) is None
    assert read_rows(json.dumps(["quotes", [QUOTE | {"more": "x" * 300_000}, *rows[:10]]]).encode()) == (
        read_rows(json.dumps(["quotes", [QUOTE, *rows[:10]]]).encode())
    )
    least = {key: QUOTE[key] for key in ("symbol", "price", "source", "state", "seq")}
    assert read_rows(json.dumps(["quotes", [least] * 50_001]).encode()) is None


@given(mutated(["quotes", [QUOTE]]))
def test_what_is_read_at_once_is_what_would_be_read_alone(body: bytes) -> None:
    """The quick way takes nothing that the careful one does not."""
    rows = read_rows(body)
    for row, careful in zip(rows, json.loads(body)[1], strict=True) if rows is not None else ():
        assert (tick_of(row), row.seq) == read_quote(careful)
        assert well_formed(tick_of(row))
