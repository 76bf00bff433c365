"""`python -m bench.page`: measures the page in Chromium, prints figures beside their bounds, and with `--write` keeps them."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from playwright.sync_api import Browser
from rich.console import Console

from bench.build import BUILD
from bench.machine import describe
from bench.page.chromium import chromium
from bench.page.figures import Figure, markdown, shown
from bench.page.recovery import recovery
from bench.page.speed import control, delay, load, motion

RESULTS = Path(__file__).resolve().parents[1] / "RESULTS-page.md"
STORED = BUILD / "page.json"
INTRODUCTION = """# The page, measured

Written by `make bench-page ARGS="--write"`: the real server on one core, all of headless Chromium (its software compositor included) on
another, over loopback. How: [README.md](README.md#the-page). Every other process on the machine makes these figures worse, none better.
"""
CASES: dict[str, tuple[str, Callable[[Browser, float], Iterable[Figure]]]] = {
    "control": ("A static page of 500 rows, for comparison", lambda browser, minutes: control(browser)),
    "load": ("Loading", lambda browser, minutes: load(browser)),
    "500": ("500 symbols × 10 updates/s", lambda browser, minutes: motion(browser, 500, 0.1, minutes)),
    "5000": ("5,000 symbols × 2 updates/s", lambda browser, minutes: motion(browser, 5000, 0.5, minutes)),
    "delay": ("From arrival to paint", lambda browser, minutes: delay(browser)),
    "recovery": ("Recovery", recovery),
}


@click.command()
@click.option("--case", "cases", multiple=True, type=click.Choice(list(CASES)), help="Only these; may be repeated.")
@click.option("--minutes", type=click.FloatRange(0.1, 600), default=10, help="How long the heap is watched and a tab frozen; 10.")
@click.option("--write", is_flag=True, help="Write bench/RESULTS-page.md; cases not run keep the figures of their last run.")
def main(cases: tuple[str, ...], minutes: float, write: bool) -> None:
    """Measure the page. Exits with 1 where a bound is missed."""
    console = Console()
    BUILD.mkdir(exist_ok=True)
    stored = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    missed = False
    for name in cases or tuple(CASES):
        title, measure = CASES[name]
        with chromium() as browser:
            figures = list(measure(browser, minutes))
            version = browser.version
        console.print(shown(title, figures))
        missed = missed or any(figure.met is False for figure in figures)
        when = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, Chromium {version}"
        stored[name] = {"run": when, "figures": [list(figure) for figure in figures]}
        STORED.write_text(json.dumps(stored, indent=1), encoding="utf-8")
    if write:
        RESULTS.write_text(_results(stored), encoding="utf-8")
    sys.exit(1 if missed else 0)


def _results(stored: dict[str, dict[str, object]]) -> str:
    said = {"processor", "cores", "memory", "kernel", "Python"}
    machine = ", ".join(f"{name} {value}" for name, value in describe().items() if name in said)
    parts = [INTRODUCTION, f"{machine}.\n"]
    for name, (title, _) in CASES.items():
        if name in stored:
            rows = stored[name]["figures"]
            assert isinstance(rows, list)
            parts.append(f"{markdown(title, [Figure(*row) for row in rows])}\n{stored[name]['run']}.\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
