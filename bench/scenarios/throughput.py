"""The highest rate of delivered updates: ours flat out, peers at their knee, the kernel's limit; in turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bench.children import ChildFailed
from bench.knee import knee
from bench.loadgen import Joined, Window
from bench.rows import Row
from bench.run import COALESCE, Bench, calm_window, climb, sampling, session
from bench.servers import OURS, SEND_LOOP, SEND_LOOP_PACED, Kind, Load

NAME = "throughput"
TITLE = "Delivered updates a second"
CASES = {
    "500 clients × 20, identical lists": Load(500, 20),
    "500 clients × 20, a random 20 of 200": Load(500, 20, 200, distinct=True),
    "1,000 clients × 1": Load(1000, 1),
}
MOST_QUOTES_PER_S = 80_000  # of the feed itself
OUR_RATES_HZ = (400.0, 300.0, 200.0, 150.0, 100.0, 50.0, 20.0, 10.0)
FIRST_PER_S = {
    "Flask-SocketIO, stock": 10_000.0,
    "Flask-SocketIO, stock, deflate": 6_000.0,
    "Socket.IO on Node": 80_000.0,
    "NATS": 600_000.0,
}
NATS_P99_MS = 150.0


@dataclass
class Plan:
    """What the first round found out: the rate at which a server is measured from then on; and the best so far."""

    kind: Kind
    label: str
    hz: float
    best: Row
    rounds: list[float]


def run(bench: Bench) -> Iterator[Row]:
    """All cases."""
    for case, load in CASES.items():
        yield from one_case(bench, NAME, case, load)


def one_case(bench: Bench, scenario: str, case: str, load: Load, rounds: int | None = None) -> list[Row]:
    """All servers with one load: each finds its rate first, then they take turns. Peers send quotes as long as ours are."""
    bench.say(f"{case}")
    plans: list[Plan] = []
    failed: list[Row] = []
    for kind in sorted(bench.kinds, key=lambda kind: kind is not OURS):
        sized = replace(load, object_bytes=bench.object_bytes.get(case, load.object_bytes))
        try:
            plans += _first_round(bench, kind, scenario, case, sized)
        except ChildFailed as error:
            failed.append(_failed(scenario, case, kind, error))
    for _ in range((bench.rounds if rounds is None else rounds) - 1):
        for plan in plans:
            sized = replace(load, object_bytes=bench.object_bytes.get(case, load.object_bytes))
            try:
                _again(bench, plan, scenario, case, sized)
            except ChildFailed as error:
                plan.best.add_note(f"a later round failed: {str(error)[:80]}")
    for plan in plans:
        if len(plan.rounds) > 1:
            plan.best.facts = {f"round {number}": delivered for number, delivered in enumerate(plan.rounds, 1)}
    return [plan.best for plan in plans] + failed


def _first_round(bench: Bench, kind: Kind, scenario: str, case: str, load: Load) -> list[Plan]:
    if kind.steerable:
        return _climbed(bench, kind, scenario, case, load)
    if kind is SEND_LOOP:
        return _send_loop(bench, scenario, case, load)
    best: Plan | None = None
    rates = [hz for hz in OUR_RATES_HZ if load.all_symbols * hz <= MOST_QUOTES_PER_S]
    for hz in rates[:2] if bench.quick else rates:
        row, window = _flat_out(bench, kind, kind.name, scenario, case, load, hz)
        if best is None or window.updates_per_s > (best.best.delivered_per_s or 0):
            best = Plan(kind, kind.name, hz, row, [window.updates_per_s])
        elif window.updates_per_s < 0.8 * (best.best.delivered_per_s or 0):
            break  # lower rates bring less from here on
        bench.object_bytes[case] = round(window.object_bytes)
    if best and best.best.compares_cpu:
        bench.our_hz[case] = best.hz
    return [best] if best else []


def _send_loop(bench: Bench, scenario: str, case: str, load: Load) -> list[Plan]:
    """Flat out; and, where ours was not at its limit, at the rate of ours, where the CPU time of an update compares: a core that
    sleeps between rounds pays for waking and for colder caches."""
    labels = {SEND_LOOP.name: 0.0}
    if case in bench.our_hz:
        labels[SEND_LOOP_PACED] = bench.our_hz[case]
    plans = []
    for label, hz in labels.items():
        row, window = _flat_out(bench, SEND_LOOP, label, scenario, case, load, hz)
        plans.append(Plan(SEND_LOOP, label, hz, row, [window.updates_per_s]))
    return plans


def _flat_out(bench: Bench, kind: Kind, label: str, scenario: str, case: str, load: Load, hz: float) -> tuple[Row, Window]:
    offered = load.offered_per_s(hz or 1000)
    with session(bench, kind, load, hz, *COALESCE, *sampling(offered)) as opened:
        window = calm_window(bench, opened.generator, bench.seconds, 2)
    row = _row(scenario, case, label, load, hz, window, opened.joined, opened.speed)
    if kind is SEND_LOOP:
        row.note = f"at this CPU use the generator could take {window.updates_per_s / max(window.machine.generator_cpu, 0.01):,.0f}/s"
    if opened.server.helpers:
        row.add_note(opened.server.helpers)
    bench.say(
        f"    {label}: {'' if not hz else f'{hz:g} Hz, '}{window.updates_per_s:,.0f}/s, p99 {window.p99_ms:.1f} ms, "
        f"sender {window.machine.sender_core_busy:.2f}, generator {window.machine.generator_core_busy:.2f}"
    )
    return row, window


def _climbed(bench: Bench, kind: Kind, scenario: str, case: str, load: Load) -> list[Plan]:
    rungs, joined = climb(bench, kind, load, FIRST_PER_S.get(kind.name, 10_000.0), *COALESCE)
    plans = []
    wanted = {kind.name: knee(rungs)}
    if kind.name == "NATS":
        wanted[f"NATS, p99 ≤ {NATS_P99_MS:.0f} ms"] = knee(rungs, p99_limit_ms=NATS_P99_MS)
    for label, rung in wanted.items():
        if rung is None:
            row = Row(scenario, case, label, note="kept up with no rate that was tried").with_joined(joined)
            plans.append(Plan(kind, label, 0, row, []))
            continue
        hz = load.hz(rung.offered_per_s)
        row = _row(scenario, case, label, load, hz, rung.window, joined, bench.speed())
        plans.append(Plan(kind, label, hz, row, [rung.window.updates_per_s]))
    return plans


def _again(bench: Bench, plan: Plan, scenario: str, case: str, load: Load) -> None:
    if plan.kind.steerable and not plan.hz:
        return
    row, window = _flat_out(bench, plan.kind, plan.label, scenario, case, load, plan.hz)
    plan.rounds.append(window.updates_per_s)
    kept_up = not plan.kind.steerable or window.updates_per_s >= 0.95 * load.offered_per_s(plan.hz)
    if kept_up and window.updates_per_s > (plan.best.delivered_per_s or 0):
        plan.best = row


def _row(scenario: str, case: str, label: str, load: Load, hz: float, window: Window, joined: Joined, speed: float) -> Row:
    row = Row(scenario, case, label, offered_per_s=load.offered_per_s(hz) or None, speed=speed)
    return row.with_joined(joined).with_window(window, saturating=True)


def _failed(scenario: str, case: str, kind: Kind, error: ChildFailed) -> Row:
    return Row(scenario, case, kind.name, note=str(error).splitlines()[-1][:160])
