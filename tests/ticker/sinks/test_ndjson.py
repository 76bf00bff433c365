"""What waits for a pipe's reader: every update while there is room, then the newest of each symbol."""

from __future__ import annotations

import json

from ticker.quote import Quote
from ticker.sinks.ndjson import MOST_WAITING, NdjsonBacklog


def quote(symbol: str, seq: int, received_time: int = 0) -> Quote:
    """A quote that is told apart by its number."""
    return Quote(symbol=symbol, price=1.5, seq=seq, received_time=received_time or seq, source="sim", kind="simulated", state="fresh")


def drain(backlog: NdjsonBacklog, most_bytes: int = 4096) -> list[tuple[str, int]]:
    """Everything that waits, as (symbol, seq)."""
    found = []
    while data := backlog.take(most_bytes):
        assert data.endswith(b"\n")
        found += [(line["symbol"], line["seq"]) for line in map(json.loads, data.splitlines())]
    return found


def test_every_update_in_order_while_there_is_room() -> None:
    """None is folded, up to the last one that has room."""
    backlog = NdjsonBacklog()
    updates = [("A" if number % 2 else "B", number) for number in range(MOST_WAITING)]
    backlog.add(quote(symbol, seq) for symbol, seq in updates)
    assert drain(backlog) == updates
    assert not backlog


def test_one_too_many_folds_to_the_newest_of_each_symbol() -> None:
    """In the order in which they came; what comes afterwards is again kept one by one."""
    backlog = NdjsonBacklog()
    backlog.add([quote("B", 1)])
    backlog.add(quote("A", number) for number in range(2, MOST_WAITING + 2))
    backlog.add([quote("C", 1, MOST_WAITING + 5), quote("C", 2, MOST_WAITING + 5)])
    assert drain(backlog) == [("B", 1), ("A", MOST_WAITING + 1), ("C", 1), ("C", 2)]


def test_more_symbols_than_room_cost_one_quote_each() -> None:
    """The bound is then the number of symbols, however long the reader sleeps."""
    backlog = NdjsonBacklog()
    symbols = [f"S{number}" for number in range(MOST_WAITING + 10)]
    for seq in (1, 2, 3):
        backlog.add(quote(symbol, seq) for symbol in symbols)
    assert drain(backlog) == [(symbol, 3) for symbol in symbols]


def test_lines_are_whole_and_few_at_a_time() -> None:
    """As many as fit, but at least one, however small the space."""
    backlog = NdjsonBacklog()
    backlog.add(quote("A", seq) for seq in range(1, 5))
    size = len(backlog.take(1))
    assert backlog.take(2 * size + 1).count(b"\n") == 2
    assert json.loads(backlog.take(0)) == {"price": 1.5, "symbol": "A", "received_time": 4, "seq": 4, "source": "sim", "kind": "simulated",
                                           "state": "fresh"}  # fmt: skip
    assert backlog.take(4096) == b""
    assert not backlog
