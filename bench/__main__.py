"""`python -m bench`: runs scenarios, prints their tables, and with `--write` keeps them in `bench/RESULTS.md`."""

from __future__ import annotations

import datetime
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.build import BUILD, BuildFailed, build, install_node_peer
from bench.children import GENERATOR_CORE
from bench.machine import describe
from bench.report import markdown, show, show_targets
from bench.rows import Row
from bench.run import Bench
from bench.scenarios import SCENARIOS
from bench.servers import PEERS, Kind

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
STORED = BUILD / "results.json"
NARROWEST = 150  # columns of text, for the widest table


@click.command()
@click.option("--scenario", "scenarios", multiple=True, type=click.Choice(list(SCENARIOS)), help="Only these; may be repeated.")
@click.option("--peers", multiple=True, type=click.Choice(list(PEERS)), help="Only these servers; may be repeated.")
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=None, help="Length of a measured window; 5, with --quick 2.")
@click.option("--quick", is_flag=True, help="A look: one round, fewer rates, smaller sizes.")
@click.option("--write", is_flag=True, help="Write bench/RESULTS.md; scenarios not run keep the figures of their last run.")
def main(scenarios: tuple[str, ...], peers: tuple[str, ...], seconds: float | None, quick: bool, write: bool) -> None:
    """Measure this server beside its peers, on loopback, and print the ratios."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every child is ended on the way out
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))  # inherited by the servers: a client is a file
    os.sched_setaffinity(0, {GENERATOR_CORE})  # its own little work; children are pinned one by one
    console = Console()
    console.width = max(console.width, NARROWEST)
    try:
        build()
    except BuildFailed as error:
        raise click.ClickException(str(error)) from error
    if trouble := install_node_peer():
        console.print(f"Socket.IO on Node: {trouble}", style="yellow", markup=False)
    bench = Bench(
        _available(peers, console),
        seconds or (2.0 if quick else 5.0),
        quick,
        lambda line: console.print(line, style="dim", highlight=False, markup=False),
    )
    stored: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    for name in scenarios or tuple(SCENARIOS):
        console.rule(SCENARIOS[name][0])
        rows = list(SCENARIOS[name][1](bench))
        show(rows, console)
        when = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, windows of {bench.seconds:g} s, {bench.rounds} round(s) in turns" + (
            ", quick" if quick else ""
        )
        stored[name] = {"run": when, "rows": [row.to_json() for row in rows]}
        STORED.write_text(json.dumps(stored, indent=1), encoding="utf-8")
    ran = [Row(**row) for name in SCENARIOS if name in (scenarios or SCENARIOS) for row in stored[name]["rows"]]
    show_targets(ran, console)
    if write:
        everything = [Row(**row) for name in SCENARIOS if name in stored for row in stored[name]["rows"]]
        RESULTS.write_text(markdown(everything, describe(), {name: stored[name]["run"] for name in stored}), encoding="utf-8")
        console.print(f"written: {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS.name}")


def _available(wanted: tuple[str, ...], console: Console) -> list[Kind]:
    kinds = []
    for name in wanted or tuple(PEERS):
        missing = PEERS[name].missing()
        if missing:
            console.print(f"{PEERS[name].name}: {missing}", style="yellow")
        else:
            kinds.append(PEERS[name])
    return kinds


if __name__ == "__main__":
    main()
