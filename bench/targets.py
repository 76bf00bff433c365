"""What the server has to reach, and whether this run's figures do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bench.rows import Row, advantage, by_round
from bench.scenarios import crowd, joins, latency, requests, stall, throughput
from bench.servers import OURS, SEND_LOOP, SEND_LOOP_PACED


@dataclass(frozen=True)
class Figure:
    """A measured figure against its bound. `measured` is `None` when a server it needs was not part of the run."""

    what: str
    wanted: str
    measured: float | None
    met: bool | None
    note: str = ""


class Rows:
    """The rows of all scenarios, by case and server."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = {(row.scenario, row.case, row.server): row for row in rows}

    def find(self, scenario: str, case: str, server: str = OURS.name) -> Row | None:
        """One row, if it was measured."""
        return self._rows.get((scenario, case, server))

    def value(self, scenario: str, case: str, field: str, server: str = OURS.name) -> float | None:
        """A field, or else a fact, of one row."""
        row = self.find(scenario, case, server)
        if row is None:
            return None
        found = getattr(row, field) if hasattr(row, field) else row.facts.get(field)
        return None if found is None else float(found)


def evaluate(rows: Sequence[Row]) -> list[Figure]:
    """All bounds, in the order of the scenarios."""
    table = Rows(rows)
    return [*_throughput(table), *_latency(table), *_joins(table), *_crowd(table), *_stall(table), *_requests(table)]


def _bound(what: str, wanted: str, measured: float | None, holds: Callable[[float], bool], row: Row | None = None) -> Figure:
    note = "" if row is None or row.verdict in ("", "valid") else row.verdict
    return Figure(what, wanted, measured, None if measured is None else holds(measured), note)


def _ratio(upper: float | None, lower: float | None) -> float | None:
    return upper / lower if upper is not None and lower else None


def _throughput(table: Rows) -> list[Figure]:
    identical, distinct, single = throughput.CASES
    nats = f"NATS, p99 ≤ {throughput.NATS_P99_MS:.0f} ms"

    def against(case: str, server: str, wanted: float) -> Figure:
        ours, other = table.find(throughput.NAME, case), table.find(throughput.NAME, case, server)
        if server == SEND_LOOP.name and ours is not None and ours.compares_cpu:
            other = table.find(throughput.NAME, case, SEND_LOOP_PACED) or other
        if ours is None or other is None:
            return Figure(f"{case}: × {server}", f"≥ {wanted:g}", None, None)
        measured, by_cpu = advantage(ours, other)
        figure = _bound(f"{case}: × {server}", f"≥ {wanted:g}", measured, lambda v: v >= wanted)
        if by_cpu:
            return replace(figure, note="by CPU per update")
        rounds = ", ".join(f"{ratio:.2f}" for ratio in by_round(ours, other))
        return replace(figure, note=f"round by round: {rounds}") if rounds else figure

    our_p99 = table.value(throughput.NAME, identical, "p99_ms")
    here = table.find(throughput.NAME, identical)
    return [
        against(identical, SEND_LOOP.name, 0.85),
        against(identical, "Socket.IO on Node", 15),
        against(identical, nats, 1.3),
        _bound(f"{identical}: p99 against that of {nats}", "≤ 0.25",
               _ratio(our_p99, table.value(throughput.NAME, identical, "p99_ms", nats)), lambda v: v <= 0.25, here),
        _bound(f"{distinct}: updates/s", "≥ 2,000,000", table.value(throughput.NAME, distinct, "delivered_per_s"),
               lambda v: v >= 2e6, table.find(throughput.NAME, distinct)),
        against(single, "Socket.IO on Node", 2.3),
    ]  # fmt: skip


def _latency(table: Rows) -> list[Figure]:
    lone, _, hundred_k, *million = (case.title for case in latency.CASES)

    def bound(case: str, field: str, limit: float) -> Figure:
        return _bound(
            f"{case}: {field.removesuffix('_ms')}, ms",
            f"≤ {limit:g}",
            table.value(latency.NAME, case, field),
            lambda v: v <= limit,
            table.find(latency.NAME, case),
        )

    return [
        bound(hundred_k, "p50_ms", 3),
        bound(hundred_k, "p99_ms", 8),
        *(bound(case, "p99_ms", 12) for case in million),
        bound(lone, "p99_ms", 2),
    ]


def _joins(table: Rows) -> list[Figure]:
    mine, theirs = table.value(joins.NAME, joins.MANY, "join_s"), table.value(joins.NAME, joins.MANY, "join_s", "Socket.IO on Node")
    alone = table.value(joins.NAME, joins.ONE, "join_s")
    busy = _ratio(table.value(joins.NAME, joins.BUSY, "join_s"), table.value(joins.NAME, joins.BUSY, "join_s without load"))
    return [
        _bound(f"{joins.MANY}: time against Socket.IO on Node", "< 1", _ratio(mine, theirs), lambda v: v < 1),
        _bound(f"{joins.ONE}, ms", "≤ 80", None if alone is None else alone * 1000, lambda v: v <= 80),
        _bound(f"{joins.LEAVE}, ms", "≤ 50", table.value(joins.NAME, joins.LEAVE, "leave_ms"), lambda v: v <= 50),
        _bound(f"{joins.BUSY}: time against without load", "≤ 3", busy, lambda v: v <= 3),
    ]


def _crowd(table: Rows) -> list[Figure]:
    row = table.find(crowd.NAME, crowd.TITLE)
    return [
        _bound(f"{crowd.TITLE}: all joined, s", "≤ 20", table.value(crowd.NAME, crowd.TITLE, "join_s"), lambda v: v <= 20),
        _bound(f"{crowd.TITLE}: p99, ms", "≤ 150", table.value(crowd.NAME, crowd.TITLE, "p99_ms"), lambda v: v <= 150, row),
        _bound(
            f"{crowd.TITLE}: resident KB a client",
            "≤ 60",
            _kilobytes(table.value(crowd.NAME, crowd.TITLE, "kib_per_client")),
            lambda v: v <= 60,
        ),
    ]


def _stall(table: Rows) -> list[Figure]:
    def fact(case: str, name: str) -> float | None:
        return table.value(stall.NAME, case, name)

    p99 = _ratio(fact(stall.SHORT, "p99 during, ms"), fact(stall.SHORT, "p99 before, ms"))
    return [
        _bound(f"{stall.SHORT}: resident memory grows, MiB", "< 32", fact(stall.SHORT, "RSS growth, MiB"), lambda v: v < 32),
        _bound(
            f"{stall.SHORT}: the others' p99, during against before", "≤ 1.3", p99, lambda v: v <= 1.3, table.find(stall.NAME, stall.SHORT)
        ),
        _bound(f"{stall.SHORT}: caught up on resuming, of 100", "100", fact(stall.SHORT, "caught up"), lambda v: v == 100),
        _bound(
            f"{stall.SHORT}: the slowest to catch up, ms", "≤ 1,000", fact(stall.SHORT, "slowest to catch up, ms"), lambda v: 0 < v <= 1000
        ),
        _bound(f"{stall.SHORT}: seq went backwards", "0", fact(stall.SHORT, "seq went backwards"), lambda v: v == 0),
        _bound(f"{stall.LONG}: closed, of 100", "100", fact(stall.LONG, "closed"), lambda v: v == 100),
        _bound(f"{stall.LONG}: the last closed after, s", "≤ 32", fact(stall.LONG, "last closed after, s"), lambda v: 0 < v <= 32),
        _bound(f"{stall.LONG}: slow readers closed", "0", fact(stall.LONG, "slow readers closed"), lambda v: v == 0),
    ]


def _requests(table: Rows) -> list[Figure]:
    case, wanted = requests.SAME_FOR_ALL, 2.0
    ours, other = table.find(requests.NAME, case), table.find(requests.NAME, case, requests.PEER)
    measured = None if ours is None or other is None else _ratio(ours.delivered_per_s, other.delivered_per_s)
    rounds = "" if ours is None or other is None else ", ".join(f"{ratio:.2f}" for ratio in by_round(ours, other))
    figure = _bound(f"{case}: × {requests.PEER}", f"≥ {wanted:g}", measured, lambda v: v >= wanted)
    return [replace(figure, note=f"round by round: {rounds}") if rounds else figure]


def _kilobytes(kib: float | None) -> float | None:
    return None if kib is None else kib * 1.024
