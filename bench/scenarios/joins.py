"""Coming and going: many joins at once, one client with many namespaces, leaving a crowd, joining under full load."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from bench.children import ChildFailed
from bench.loadgen import generator
from bench.payload import symbol_name
from bench.probe import Probe, ProbeFailed
from bench.rows import Row
from bench.run import COALESCE, Bench, session
from bench.servers import OURS, SEND_LOOP, Kind, Load

NAME = "joins"
TITLE = "Joining and leaving"
MANY = "10,000 joins: 500 clients × 20"
ONE = "one client joins 1,000 namespaces"
LEAVE = "one client leaves 1,000 namespaces, 4,000 others there"
BUSY = "10,000 joins while 500 others × 20 get all they can"
QUIET_HZ = 1 / 60
FREEZE_WATCH_S = 0.5


def run(bench: Bench) -> Iterator[Row]:
    """Silent servers, so that only the joins cost; servers take turns, the best of the rounds counts."""
    kinds = [kind for kind in bench.kinds if kind is not SEND_LOOP]
    yield from _in_turns(bench, MANY, kinds, Load(500, 20, flush_ms=50), from_open=False)
    yield from _in_turns(bench, ONE, kinds, Load(1, 1000, flush_ms=50), from_open=True)
    for kind in kinds:
        if kind.name != "NATS":  # the probe speaks Socket.IO
            yield _leaving(bench, kind)
    if OURS in kinds:
        yield _while_busy(bench)


def _in_turns(bench: Bench, case: str, kinds: Sequence[Kind], load: Load, *, from_open: bool) -> list[Row]:
    best: dict[str, Row] = {}
    for _ in range(bench.rounds):
        for kind in kinds:
            row = Row(NAME, case, kind.name)
            try:
                with session(bench, kind, load, QUIET_HZ) as opened:
                    row.with_joined(opened.joined)
                    if row.join_s is not None and from_open:
                        row.join_s = opened.joined.join_s - opened.joined.open_s
                        row.joins_per_s = opened.joined.joins / row.join_s
            except ChildFailed as error:
                row.add_note(str(error).splitlines()[-1][:160])
            bench.say(f"  {case}: {kind.name}: {row.join_s or 0:.3f} s {row.note}")
            before = best.get(kind.name)
            if before is None or (row.join_s is not None and (before.join_s is None or row.join_s < before.join_s)):
                best[kind.name] = row
    return list(best.values())


def _leaving(bench: Bench, kind: Kind) -> Row:
    """The client says so, and in a second turn just hangs up; meanwhile another one joins and leaves, to see if the server freezes."""
    others = Load(400 if bench.quick else 4000, 20, 1001, distinct=True, flush_ms=50)
    *names, spare = (f"/{symbol_name(number)}" for number in range(1001))
    row = Row(NAME, LEAVE, kind.name)
    if bench.quick:
        row.add_note("400 others, to be quick")
    try:
        with session(bench, kind, others, QUIET_HZ) as opened:
            row.with_joined(opened.joined)
            row.join_s = row.joins_per_s = None
            leaver, watcher = Probe(opened.server.port), Probe(opened.server.port)
            with leaver, watcher:
                leaver.join(names)
                row.facts["leave_ms"] = leaver.leave(names, spare) * 1000
                leaver.join(names[1:])  # and the spare one: 1,000 again
                watcher.join(names[:1])
                leaver.close()
                row.facts["longest wait of another client after it hung up, ms"] = _longest_wait_s(watcher, names[1]) * 1000
    except (ChildFailed, ProbeFailed) as error:
        row.add_note(str(error).splitlines()[-1][:160])
    bench.say(f"  {LEAVE}: {kind.name}: {row.facts} {row.note}")
    return row


def _longest_wait_s(watcher: Probe, namespace: str) -> float:
    longest, end = 0.0, time.monotonic() + FREEZE_WATCH_S
    while time.monotonic() < end:
        longest = max(longest, watcher.join([namespace]))
        watcher.send([f"41{namespace},"])
        time.sleep(0.005)  # stays below the server's limit of joins a second
    return longest


def _while_busy(bench: Bench) -> Row:
    load = Load(500, 20)
    row = Row(NAME, BUSY, OURS.name)
    try:
        with session(bench, OURS, load, 400, *COALESCE) as opened:
            window = opened.generator.measure(bench.seconds)
            with generator(opened.server, load, *COALESCE, join_timeout_s=60) as newcomers:
                row.with_joined(newcomers.joined())
            row.with_window(window, saturating=True)
            row.kib_per_client = None
            row.facts["join_s without load"] = opened.joined.join_s
            row.add_note("ages and rate: before the newcomers")
    except ChildFailed as error:
        row.add_note(str(error).splitlines()[-1][:160])
    return row
