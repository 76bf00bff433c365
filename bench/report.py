"""The figures as tables: on the terminal, and in `bench/RESULTS.md`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.rows import Row
from bench.scenarios import SCENARIOS
from bench.servers import OURS
from bench.targets import evaluate

Cell = Callable[[Row], float | None]


@dataclass(frozen=True)
class Column:
    """A number of a row, and the digits after its point."""

    title: str
    short: str  # for a terminal
    value: Cell
    digits: int


COLUMNS = (
    Column("offered/s", "offered/s", lambda row: row.offered_per_s, 0),
    Column("delivered/s", "delivered/s", lambda row: row.delivered_per_s, 0),
    Column("p50 ms", "p50", lambda row: row.p50_ms, 2),
    Column("p95 ms", "p95", lambda row: row.p95_ms, 2),
    Column("p99 ms", "p99", lambda row: row.p99_ms, 2),
    Column("CPU µs/update", "µs", lambda row: row.cpu_us, 3),
    Column("join s", "join s", lambda row: row.join_s, 3),
    Column("KiB/client", "KiB/cl", lambda row: row.kib_per_client, 1),
    Column("sender's core %", "snd %", lambda row: _percent(row.sender_busy), 0),
    Column("generator's core %", "gen %", lambda row: _percent(row.generator_busy), 0),
    Column("machine %", "mach %", lambda row: _percent(row.speed), 0),
)
COMPARED: Mapping[str, tuple[Cell, bool]] = {  # by scenario: what the ratio is taken of, and whether more of it is better
    "throughput": (lambda row: row.delivered_per_s, True),
    "matrix": (lambda row: row.delivered_per_s, True),
    "latency": (lambda row: row.p99_ms, False),
    "joins": (lambda row: row.join_s or row.facts.get("leave_ms"), False),
    "crowd": (lambda row: row.join_s, False),
    "requests": (lambda row: row.delivered_per_s, True),
}


def ratio(row: Row, ours: Row | None) -> float | None:
    """How many times better ours is: more updates a second, or less time."""
    if ours is None or row.scenario not in COMPARED:
        return None
    value, more_is_better = COMPARED[row.scenario]
    mine, theirs = value(ours), value(row)
    if not mine or not theirs:
        return None
    return mine / theirs if more_is_better else theirs / mine


def show(rows: Sequence[Row], console: Console) -> None:
    """One table a case, its remarks below it."""
    for (scenario, case), header, lines in _tables(rows, short=True):
        table = Table(title=f"{scenario}: {case}", title_justify="left", box=SIMPLE)
        for number, title in enumerate(header[:-1]):
            table.add_column(title, justify="right" if number else "left", no_wrap=not number)
        for line in lines:
            table.add_row(*line[:-1])
        console.print(table)
        for line in lines:
            if line[-1]:
                console.print(f"  {line[0]}: {line[-1]}", highlight=False, markup=False)


def show_targets(rows: Sequence[Row], console: Console) -> None:
    """Each bound that this run says something about."""
    table = Table("", "wanted", "measured", "", title="Bounds", title_justify="left", box=SIMPLE)
    for figure in evaluate(rows):
        if figure.measured is not None:
            mark = "[green]met" if figure.met else "[red]missed"
            table.add_row(figure.what, figure.wanted, _number(figure.measured, 2), f"{mark}[/] {figure.note}")
    console.print(table)


def markdown(rows: Sequence[Row], machine: Mapping[str, str], runs: Mapping[str, str]) -> str:
    """All of `RESULTS.md`; `runs` says of each scenario when and how it was run."""
    parts = ["# Results", "", "Written by `make bench`; how to read it and what makes a figure valid: [README.md](README.md).", "",
             "The machine: " + ", ".join(f"{name} {value}" for name, value in machine.items()) + ".", "", "## Bounds", "",
             "| | wanted | measured | |", "| --- | --- | --- | --- |"]  # fmt: skip
    for figure in evaluate(rows):
        measured = "not measured" if figure.measured is None else _number(figure.measured, 2)
        mark = "" if figure.met is None else "met" if figure.met else "**missed**"
        parts.append(f"| {figure.what} | {figure.wanted} | {measured} | {'; '.join(filter(None, (mark, figure.note)))} |")
    for scenario, of_scenario in groupby(rows, key=lambda row: row.scenario):
        parts += ["", f"## {SCENARIOS[scenario][0]}", "", runs.get(scenario, "")]
        for (_, case), header, lines in _tables(list(of_scenario), short=False):
            parts += ["", f"**{case}**", "", "| " + " | ".join(header) + " |", "| --- |" + " ---: |" * (len(header) - 2) + " --- |"]
            parts += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(parts) + "\n"


def _cpu_ratio(row: Row, ours: Row | None) -> float | None:
    return row.cpu_us / ours.cpu_us if ours is not None and row.cpu_us and ours.cpu_us else None


def _tables(rows: Sequence[Row], *, short: bool) -> list[tuple[tuple[str, str], list[str], list[list[str]]]]:
    tables = []
    for key, group in groupby(rows, key=lambda row: (row.scenario, row.case)):
        case = list(group)
        ours = next((row for row in case if row.server == OURS.name), None)
        columns = [column for column in COLUMNS if any(column.value(row) is not None for row in case)]
        header = ["server", *(column.short if short else column.title for column in columns), "ours is ×", "CPU ×", ""]
        lines = [[row.server, *(_number(column.value(row), column.digits) for column in columns), _number(ratio(row, ours), 2),
                  _number(_cpu_ratio(row, ours), 2), _remarks(row)] for row in case]  # fmt: skip
        tables.append((key, header, lines))
    return tables


def _remarks(row: Row) -> str:
    facts = ", ".join(f"{name}: {_number(value, 0 if abs(value) >= 1000 else 2)}" for name, value in row.facts.items())
    return "; ".join(part for part in (row.verdict, facts, row.note) if part).replace("|", "/").replace("\n", " ")


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100
