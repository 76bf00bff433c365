"""The states as they stand on the wire, byte by byte: which keys there are, in which order, what is null and what is absent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.ticker.board.desk import NOW, TERMS, Desk
from ticker import wire
from ticker.board.board import Board
from ticker.quote import Odd, Quote, Tick
from ticker.settings.model import SymbolSettings

OF_A_FEED: dict[str, Any] = {"feed": "f", "kind": "k", "state": "ok", "last_success": 1, "next_try": None, "error": None}
FEED = '{"feed":"f","kind":"k","state":"ok","last_success":1,"next_try":null,"error":null'
RELOAD = wire.Reload(ok=True, at=2, error=None, restart_required=[])
QUOTE = Quote(price=1.5, symbol="A", received_time=3, seq=1, source="f", kind="polled", state="fresh")


@pytest.mark.parametrize(
    ("state", "encoded"),
    [
        (
            wire.Hello(epoch="e", version="1", server_time=1, flush_ms=50, heartbeat_s=5.0),
            '{"epoch":"e","version":"1","server_time":1,"flush_ms":50,"heartbeat_s":5.0}',
        ),
        (wire.Beat(server_time=1), '{"server_time":1}'),
        (wire.Shutdown(retry_after_ms=500), '{"retry_after_ms":500}'),
        (wire.Feed(**OF_A_FEED, interval_s=2.0, widened=None), FEED + ',"interval_s":2.0,"widened":null}'),
        (wire.Feed(**OF_A_FEED, reconnects=0, gaps=1, folded=2), FEED + ',"reconnects":0,"gaps":1,"folded":2}'),
        (
            wire.Feed(**OF_A_FEED, reconnects=0, gaps=0, folded=0, upstream=["a"]),
            FEED + ',"reconnects":0,"gaps":0,"folded":0,"upstream":["a"]}',
        ),
        (wire.Feed(**OF_A_FEED, reconnects=0, gaps=0, folded=0, over=True), FEED + ',"reconnects":0,"gaps":0,"folded":0,"over":true}'),
        (
            wire.Feed(
                **OF_A_FEED,
                interval_s=2.0,
                widened="why",
                budget=[wire.Spent(unit="calls", per="min", most=3, used=1, left=2)],
                unread=wire.UnreadRows(rows=2, first="row 1"),
            ),
            FEED + ',"interval_s":2.0,"widened":"why","budget":[{"unit":"calls","per":"min","most":3,"used":1,"left":2}],'
            '"unread":{"rows":2,"first":"row 1"}}',
        ),
        (RELOAD, '{"ok":true,"at":2,"error":null,"restart_required":[]}'),
        (
            wire.Calendar(calendar="XNYS", market="shut", until=None, error=None),
            '{"calendar":"XNYS","market":"shut","until":null,"error":null}',
        ),
        (wire.Error(error=wire.Problem(code="c", message="m")), '{"error":{"code":"c","message":"m"}}'),
        (wire.Symbols(symbols=[]), '{"symbols":[]}'),
        (
            wire.Quotes(epoch="e", quotes=[QUOTE], unknown=["B"]),
            '{"epoch":"e","quotes":[{"price":1.5,"symbol":"A","received_time":3,"seq":1,"source":"f","kind":"polled","state":"fresh"}],'
            '"unknown":["B"]}',
        ),
        (
            wire.Sparklines(epoch="e", step_s=60, sparklines={"A": [(60_000, 1.5)]}, unknown=[]),
            '{"epoch":"e","step_s":60,"sparklines":{"A":[[60000,1.5]]},"unknown":[]}',
        ),
        (
            wire.Candles(symbol="A", interval_s=60, candles=[wire.Candle(1, 1.0, 2.0, 0.5, 1.5), wire.Candle(2, 1.0, 2.0, 0.5, 1.5, 7.0)]),
            '{"symbol":"A","interval_s":60,"candles":[{"time_ms":1,"open":1.0,"high":2.0,"low":0.5,"close":1.5},'
            '{"time_ms":2,"open":1.0,"high":2.0,"low":0.5,"close":1.5,"volume":7.0}]}',
        ),
        (
            wire.Status(version="1", epoch="e", uptime_s=1.5, clients=0, feeds=[], last_reload=RELOAD),
            '{"version":"1","epoch":"e","uptime_s":1.5,"clients":0,"feeds":[],'
            '"last_reload":{"ok":true,"at":2,"error":null,"restart_required":[]}}',
        ),
        (wire.Health(ok=True), '{"ok":true}'),
        (wire.Ready(ready=True, reason=None), '{"ready":true,"reason":null}'),
        (wire.Edited(ok=True, symbol="A"), '{"ok":true,"symbol":"A"}'),
        (wire.FirstRows(epoch="e", server_time=1, symbols=[], quotes=[]), '{"epoch":"e","server_time":1,"symbols":[],"quotes":[]}'),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, msgspec.Struct) else "",
)
def test_a_state_on_the_wire(state: msgspec.Struct, encoded: str) -> None:
    """Unknown is null, and what is not said is absent."""
    assert msgspec.json.encode(state).decode() == encoded


def test_a_symbol_on_the_wire() -> None:
    """Before its first price and with it; one feed is a name, several are a list."""
    board = Board("epoch")
    two = SymbolSettings(feed=("a", "b"), name="Two", decimals=2, group=("g", "h"), currency="EUR")
    board.configure({"ONE": SymbolSettings(feed=("a",)), "TWO": two}, TERMS, NOW)
    board.apply("a", {"ONE": Tick(price=1.5, currency="USD", volume_of="session")}, NOW)
    assert [msgspec.json.encode(symbol).decode() for symbol in board.symbols_state()] == [
        '{"symbol":"ONE","name":null,"decimals":null,"group":[],"feed":"a","currency":"USD","stale_after_s":10.0,"status":"live",'
        '"error":null,"volume_of":"session"}',
        '{"symbol":"TWO","name":"Two","decimals":2,"group":["g","h"],"feed":["a","b"],"currency":"EUR","stale_after_s":10.0,'
        '"status":"pending","error":null,"volume_of":"24h"}',
    ]


def test_what_is_said_of_prices_on_the_wire() -> None:
    """Bad ticks, odd fields, sources that disagree, switches, and how the symbol stands."""
    desk = Desk("a", "b")
    desk.take(Tick(price=100.0, odd=(Odd("bid", "no number", "x"),)))
    desk.take(Tick(price=110.0, bid=None), "b")
    desk.take(Tick(price=1_000_000.0))
    desk.board.sweep(desk.now)
    assert msgspec.json.encode(desk.board.quality_state(desk.now)).decode() == (
        '{"symbols":[{"symbol":"X","source":"a","state":"fresh","error":null,"stale_after_s":10.0,"stale_after_from":"interval",'
        '"current_as_of":1700000000000,"market":"unknown","market_until":null}],'
        '"bad_ticks":{"count":1,"recent":[{"symbol":"X","feed":"a","count":1,"at":1700000000000,'
        '"reason":"1e+06 after 100, a jump of more than 20 %","excerpt":"{\\"price\\":1000000.0}"}]},'
        '"odd_fields":{"count":1,"fields":[{"feed":"a","field":"bid","count":1,"symbol":"X","at":1700000000000,"reason":"no number",'
        '"excerpt":"x"}]},'
        '"divergences":[{"symbol":"X","feed":"b","since":1700000000000,"price":110.0,"source":"a","source_price":100.0,"apart_pct":10.0}],'
        '"switches":{"count":0,"recent":[]},"markets":[]}'
    )


def test_a_switch_on_the_wire() -> None:
    """`from` is no name that a field can have in Python."""
    switch = wire.Switch(symbol="X", left="a", taken="b", reason="stale", at=1)
    assert msgspec.json.encode(switch).decode() == '{"symbol":"X","from":"a","to":"b","reason":"stale","at":1}'
