"""Requests over HTTP: an answer that is the same for all, and one that Flask makes, beside Flask on eventlet's server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from bench.children import GENERATOR_CORE, ROOT
from bench.rows import Row
from bench.run import Bench
from bench.servers import OURS, Kind, Load

NAME = "requests"
TITLE = "Requests over HTTP"
PEER = "Flask-SocketIO, stock"
SYMBOLS = 200
SAME_FOR_ALL, BY_FLASK = f"GET /api/quotes, {SYMBOLS} symbols", "GET /readyz, which Flask makes"
CASES = {SAME_FOR_ALL: "/api/quotes", BY_FLASK: "/readyz"}
LOAD = Load(1, SYMBOLS, flush_ms=50, limits="http_requests_per_s = 1000000")
UPDATES_HZ = 2.0


def run(bench: Bench) -> Iterator[Row]:
    """The two take turns, each case in every round; the best of the rounds counts, and all of them are told."""
    kinds = [kind for kind in bench.kinds if kind.name in (OURS.name, PEER)]
    for case, path in CASES.items():
        rows = {kind.name: Row(NAME, case, kind.name) for kind in kinds}
        for number in range(1, bench.rounds + 1):
            for kind in kinds:
                answered_per_s = _asked(kind, path, bench.seconds)
                row = rows[kind.name]
                row.facts[f"round {number}"] = answered_per_s
                row.delivered_per_s = max(row.delivered_per_s or 0.0, answered_per_s)
                bench.say(f"  {case}: {kind.name}: {answered_per_s:,.0f} answers/s")
        yield from rows.values()


def _asked(kind: Kind, path: str, seconds: float) -> float:
    """Answers a second."""
    with kind.start(LOAD, UPDATES_HZ) as server:
        if kind.steerable:
            server.offer(UPDATES_HZ)
        command = ["taskset", "-c", str(GENERATOR_CORE), sys.executable, "-m", "bench.asker", str(server.port), path, str(seconds)]
        counted = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
        return float(counted["answers"] / counted["seconds"])
