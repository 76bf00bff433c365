"""`doctor`: what is wrong with this installation, each feed's reachability included."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.diagnosis.ask import ask
from cli.diagnosis.remedies import Asked, needs_negative, remedy
from cli.diagnosis.try_feed import try_feed
from cli.process.failure import EXIT_FAILED
from cli.process.open_files import CURE, descriptors, scarcity, shortage
from cli.process.settings import config_option, load_settings
from feeds.http.feed import PolledFeed
from feeds.registry import kinds
from feeds.streams.feed import StreamFeed
from ticker.board.sanity import needs_key
from ticker.errors import FeedError, SettingsError
from ticker.quote import Tick
from ticker.runtime import DeadlineExceeded
from ticker.settings import Settings, SymbolOptions
from ticker.source import Source, Subscription, reason
from web.runtime import UNIX, EventletRuntime, is_patched
from web.socketio.server import LibraryMismatch, check_libraries

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "web" / "frontend" / "dist" / "index.html"
LOCK = ROOT / "requirements.txt"
POLL_LIMIT_S = 15.0
"""How long one feed may take to answer, whatever its own `timeout_s`."""
CLOCK_TOLERANCE_S = 2.0
"""Our clock may differ from the providers' by so much: they tell theirs in whole seconds, and an answer takes its time to get here."""

Mark = Literal["ok", "warn", "fail"]
_SIGNS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}


@dataclass(frozen=True)
class CheckResult:
    """One thing that was looked at. `remedy` says what to do where it is not ok."""

    what: str
    mark: Mark
    found: str
    remedy: str = ""


@click.command(short_help="Say what is wrong with this installation.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON object: {ok, findings}.")
@click.option("--try", "tried", nargs=2, metavar="feeds.NAME SYMBOL", help="Ask one feed for one symbol; show what it makes of it.")
def command(config: Path, as_json: bool, tried: tuple[str, str] | None) -> None:
    """Look at the interpreter, the libraries, the settings, the page's build, the port, ask each feed for one price, and
    compare our clock with the providers'.

    Exits with 1 if anything fails.
    """
    if tried is not None:
        try_feed(config, *tried)
        return
    results: list[CheckResult] = []
    table = Table.grid(padding=(0, 2))
    for result in examine(config):
        results.append(result)
        remedy = f"[dim]{escape(result.remedy)}[/]" if result.remedy and result.mark != "ok" else ""
        table.add_row(_SIGNS[result.mark], f"[bold]{escape(result.what)}[/]", escape(result.found), remedy)
    failed = sum(result.mark == "fail" for result in results)
    if as_json:
        click.echo(json.dumps({"ok": not failed, "findings": [asdict(result) for result in results]}, indent=2))
    else:
        console = Console(highlight=False)
        console.print(table)
        console.print(f"\n{failed} of {len(results)} failed" if failed else "\nall is well")
    if failed:
        raise click.exceptions.Exit(EXIT_FAILED)


def examine(config: Path) -> Iterator[CheckResult]:
    """Everything there is to look at, as it is found."""
    yield _python()
    yield from _libraries()
    yield _page()
    try:
        loaded = load_settings(config)
    except SettingsError as error:
        count = len(error.problems)
        yield CheckResult(
            "settings",
            "fail",
            f"{count} error{'' if count == 1 else 's'} in {config.name}: {error.problems[0]}",
            f"python main.py validate --config {config}",
        )
        return
    settings = loaded.settings
    found = f"{len(settings.symbols)} symbols, {len(settings.feeds)} feeds"
    yield CheckResult("settings", "ok", found)
    for warning in loaded.warnings:
        yield CheckResult("settings", "warn", f"{warning.key} {warning.reason}", warning.hint)
    yield _descriptors(settings)
    yield _port(settings)
    ahead_s: dict[str, float] = {}
    for name in settings.feeds:
        yield _feed(name, settings, ahead_s)
    if ahead_s:
        yield _clock(ahead_s)


def _python() -> CheckResult:
    found = ".".join(map(str, sys.version_info[:3]))
    if not is_patched():
        return CheckResult("python", "fail", f"{found}, not patched", "start it by main.py: nothing may be imported before the patch")
    return CheckResult("python", "ok", found)


def _libraries() -> Iterator[CheckResult]:
    """Whether what is installed is what was tested: the locked versions, and the names that the engine builds on."""
    # What only some platforms need (a marker follows) is not asked for.
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+) \\$", LOCK.read_text(encoding="utf-8"), re.MULTILINE)) if LOCK.exists() else {}
    older, other, missing = [], [], []
    for name, wanted in locked.items():
        try:
            have = version(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        if _release(have) < _release(wanted):
            older.append(f"{name} {have} < {wanted}")
        elif have != wanted:
            other.append(f"{name} {have}")
    if missing or older:
        yield CheckResult("libraries", "fail", ", ".join([*(f"{name} is missing" for name in missing), *older]), "make setup")
    elif other:
        yield CheckResult("libraries", "warn", f"newer than tested: {', '.join(other)}", "make setup")
    else:
        yield CheckResult("libraries", "ok", f"{len(locked)} packages as locked")
    try:
        check_libraries()
    except LibraryMismatch as error:
        yield CheckResult("engine", "fail", str(error).splitlines()[0], "make setup")
    else:
        yield CheckResult("engine", "ok", "the libraries have all that it builds on")


def _release(number: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", number)))


def _page() -> CheckResult:
    if PAGE.exists():
        return CheckResult("page", "ok", "built")
    return CheckResult("page", "warn", "not built: only --headless can serve", "make setup")


def _descriptors(settings: Settings) -> CheckResult:
    have = descriptors(settings)
    fault = shortage(have)
    if fault is not None:
        return CheckResult("open files", "fail", fault.partition(";")[0], CURE)
    warning = scarcity(have, settings)
    if warning is not None:
        return CheckResult("open files", "warn", warning.partition(";")[0], f"{CURE}, or lower limits.max_clients")
    return CheckResult("open files", "ok", f"{have.hard} may be open, {have.for_clients} are enough for limits.max_clients")


def _port(settings: Settings) -> CheckResult:
    server = settings.server
    where = server.host if server.host.startswith(UNIX) else f"{server.host} port {server.port}"
    try:
        runtime = EventletRuntime()
        runtime.stop_listening(runtime.listen(server.host, server.port))
    except OSError as error:
        return CheckResult("port", "warn", f"{where}: {error.strerror or error}", "is tickercast running? else choose another port")
    return CheckResult("port", "ok", f"{where} is free")


def _feed(name: str, settings: Settings, ahead_s: dict[str, float]) -> CheckResult:
    """Ask the feed for the first symbol that names it, and note in `ahead_s` what its provider shows of our clock."""
    what = f"feed {name}"
    feed = settings.feeds[name]
    symbol = next((symbol for symbol, wish in settings.symbols.items() if name in wish.feed), None)
    if symbol is None:
        return CheckResult(what, "warn", "no symbol uses it", f'give a symbol feed = "{name}", or remove [feeds.{name}]')
    runtime = EventletRuntime()
    source: Source = kinds()[feed.kind](name, feed, runtime)
    options = settings.symbols[symbol].options.get(name) or SymbolOptions()
    subscription = Subscription(symbol, options.id or source.native_id(symbol), options)
    started_s = time.monotonic()
    try:
        found = _asked(runtime, lambda: ask(source, subscription))
    finally:
        source.close()
    wire = source.snapshots if isinstance(source, StreamFeed) else source
    if isinstance(wire, PolledFeed) and wire.http.ahead_s is not None:
        ahead_s[name] = wire.http.ahead_s
    took_ms = round((time.monotonic() - started_s) * 1000)
    if not isinstance(found, Tick):
        words = reason(found) if isinstance(found, FeedError) else f"no answer: {found}"
        return CheckResult(what, "fail", f"{symbol}: {words}", remedy(found, Asked(name, feed, subscription)))
    wish = settings.symbols[symbol]
    if needs_key(found.price, wish.allow_negative):
        return CheckResult(what, "fail", f"{symbol}: the price is zero or below, {found.price:g}", needs_negative(symbol, wish.feed))
    if found.odd:
        unknown = ", ".join(sorted({odd.field for odd in found.odd}))
        return CheckResult(
            what,
            "warn",
            f"{symbol} {found.price:g} in {took_ms} ms; what can't be read: {unknown}",
            f"python main.py doctor --try feeds.{name} {symbol} shows why",
        )
    return CheckResult(what, "ok", f"{symbol} {found.price:g} in {took_ms} ms")


def _clock(ahead_s: Mapping[str, float]) -> CheckResult:
    """Whether our clock is right, by those of the providers reached. Of what they show the least is believed: one of them may be wrong."""
    name, by_s = min(ahead_s.items(), key=lambda shown: abs(shown[1]))
    if abs(by_s) < CLOCK_TOLERANCE_S:
        return CheckResult("clock", "ok", f"agrees with that of {name}")
    found = f"{abs(by_s):.0f} s {'ahead' if by_s > 0 else 'behind'}, by {name}"
    return CheckResult("clock", "warn", found, "set it, best by NTP (timedatectl set-ntp true): prices look older or newer than they are")


def _asked(runtime: EventletRuntime, ask: Callable[[], Tick | FeedError | None]) -> Tick | FeedError | DeadlineExceeded:
    """The tick that `ask` gives, or why there is none."""
    try:
        with runtime.deadline(POLL_LIMIT_S):
            tick = ask()
    except (FeedError, DeadlineExceeded) as error:
        return error
    return FeedError("no news of it so far: this feed says nothing until something happens") if tick is None else tick
