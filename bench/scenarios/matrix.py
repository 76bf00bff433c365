"""All sizes: 1 to 10,000 clients, 1 to 200 symbols each, identical and distinct lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bench.rows import Row
from bench.run import Bench
from bench.scenarios.throughput import one_case
from bench.servers import OURS, SEND_LOOP, Load

NAME = "matrix"
TITLE = "Delivered updates a second, by number of clients and symbols"
CLIENTS = (1, 10, 100, 500, 2000, 10_000)
SYMBOLS = (1, 20, 200)
MOST_JOINS_OF_A_PEER = 10_000


def run(bench: Bench) -> Iterator[Row]:
    """One round and short windows each. Peers climb to their knee only where their joins take seconds; the send loop always runs."""
    brief = replace(bench, seconds=min(bench.seconds, 2.0), quick=True)
    for symbols in SYMBOLS[:2] if bench.quick else SYMBOLS:
        for clients in CLIENTS[2:4] if bench.quick else CLIENTS:
            joins = clients * symbols
            few = joins <= MOST_JOINS_OF_A_PEER
            brief.kinds = [kind for kind in bench.kinds if kind in (OURS, SEND_LOOP) or few]
            for distinct in (False, True):
                universe = max(200, 5 * symbols) if distinct else symbols
                load = Load(clients, symbols, universe, distinct=distinct)
                case = f"{clients:,} × {symbols}, {'distinct' if distinct else 'identical'}"
                yield from one_case(brief, NAME, case, load, rounds=1)
