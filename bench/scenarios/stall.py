"""Clients that stop reading: what they cost the server and the others, when they are closed, how they catch up."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from bench.children import ChildFailed
from bench.loadgen import Window
from bench.rows import Row
from bench.run import COALESCE, Bench, calm_window, session
from bench.servers import OURS, Load, Running

NAME = "stall"
TITLE = "1,000 clients × 20 under full load, 100 stop reading"
SHORT = "100 of 1,000 stop reading for 20 s"
LONG = "100 of 1,000 stop reading for 60 s; 20 read 64 KB/s"
LOAD = Load(1000, 20)
HZ = 400.0
STALLED = "100"


def run(bench: Bench) -> Iterator[Row]:
    """Ours only: the others have nothing to be measured, they queue without bound or close."""
    if OURS in bench.kinds:
        yield _twenty_seconds(bench)
        yield _sixty_seconds(bench)


def _twenty_seconds(bench: Bench) -> Row:
    row = Row(NAME, SHORT, OURS.name)
    try:
        with session(bench, OURS, LOAD, HZ, *COALESCE, "--stall", STALLED, "--seq", "some") as opened:
            clients = opened.generator
            row.speed = opened.speed
            before = calm_window(bench, clients, 5)
            clients.stall()
            during = clients.measure(4 if bench.quick else 20)
            resumed = clients.resume(2)
            after = clients.measure(3)
    except ChildFailed as error:
        row.add_note(str(error).splitlines()[-1][:160])
        return row
    row.with_window(during, saturating=True)
    row.facts = {
        "p99 before, ms": before.p99_ms,
        "p99 during, ms": during.p99_ms,
        "p99 after, ms": after.p99_ms,
        "RSS growth, MiB": _growth_mib(before, during),
        "kernel TCP buffers, MiB": during.machine.tcp_memory_end / 2**20,
        "caught up": resumed.caught_up,
        "still behind": resumed.behind,
        "closed": resumed.closed_by_server,
        "slowest to catch up, ms": resumed.recovery_max_ms,
        "seq went backwards": before.backwards + during.backwards + resumed.backwards + after.backwards,
    }
    bench.say(f"  {SHORT}: {row.facts}")
    return row


def _sixty_seconds(bench: Bench) -> Row:
    row = Row(NAME, LONG, OURS.name)
    try:
        with session(
            bench, OURS, LOAD, HZ, *COALESCE, "--stall", STALLED, "--slow", "20", "--slow-rate", "65536", "--forge-pongs", "--seq", "some"
        ) as opened:
            clients = opened.generator
            row.speed = opened.speed
            before = calm_window(bench, clients, 5)
            clients.stall()
            during = clients.measure(10 if bench.quick else 60)
            status = _status(opened.server)
            resumed = clients.resume(1)
            after = clients.measure(3)
    except ChildFailed as error:
        row.add_note(str(error).splitlines()[-1][:160])
        return row
    row.with_window(during, saturating=True)
    row.facts = {
        "closed": resumed.closed_by_server,
        "first closed after, s": resumed.first_close_s,
        "last closed after, s": resumed.last_close_s,
        "RSS growth at the peak, MiB": _growth_mib(before, during),
        "RSS growth at the end, MiB": (after.machine.rss_end - before.machine.rss_end) / 2**20,
        "slow readers closed": after.closed - resumed.closed_by_server,
        "seq went backwards": before.backwards + during.backwards + resumed.backwards + after.backwards,
        "clients by /api/status": float(status.get("clients", -1)),
    }
    bench.say(f"  {LONG}: {row.facts}")
    return row


def _growth_mib(before: Window, during: Window) -> float:
    return (during.machine.rss_peak - before.machine.rss_end) / 2**20


def _status(server: Running) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/api/status", timeout=10) as answer:
        said: dict[str, Any] = json.load(answer)
        return said
