"""`doctor --try feeds.NAME SYMBOL`: ask a feed for one symbol, and show what it makes of the answer."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.diagnosis.ask import ask
from cli.diagnosis.remedies import Asked, needs_negative, remedy
from cli.process.failure import EXIT_FAILED, EXIT_WRONG, fail
from cli.process.settings import load_settings
from feeds.generic.feed import HttpJson
from feeds.registry import kinds
from ticker import symbols
from ticker.board.sanity import needs_key
from ticker.errors import FeedError, said
from ticker.quote import PRICE_FIELDS, Tick
from ticker.runtime import DeadlineExceeded
from ticker.settings import Settings, SymbolOptions, other_names
from ticker.settings.describe import did_you_mean
from ticker.source import Source, Subscription
from web.runtime import EventletRuntime

LIMIT_S = 15.0
"""How long it may take, whatever the feed's own `timeout_s`."""
SHOWN_LENGTH = 60


def try_feed(config: Path, feed: str, symbol: str) -> None:
    """Print what the feed called `feed` (or `feeds.NAME`, as in the file) has for `symbol`, which need not be in the settings.

    Exits with 1 where there is no price, with 2 where there is no such feed.
    """
    settings = load_settings(config).settings
    name = feed.removeprefix("feeds.")
    if name not in settings.feeds:
        fail(f"there is no feed {name}; {did_you_mean(name, settings.feeds, 'feeds')}", EXIT_WRONG)
    if problem := symbols.check(symbol):
        hint = other_names.hint(symbol, [name], taken=settings.symbols)
        fail(f"the symbol {problem}" + (f"; {hint}" if hint else ""), EXIT_WRONG)
    runtime = EventletRuntime()
    source: Source = kinds()[settings.feeds[name].kind](name, settings.feeds[name], runtime)
    console = Console(highlight=False)
    subscription = _subscription(settings, source, symbol)
    try:
        with runtime.deadline(LIMIT_S):
            tick = _ask(source, subscription, console)
    except (FeedError, DeadlineExceeded) as error:
        console.print(f"[red]✗[/] {escape(str(error))}")
        console.print(f"[dim]{escape(remedy(error, Asked(name, settings.feeds[name], subscription)))}[/]")
        raise click.exceptions.Exit(EXIT_FAILED) from None
    finally:
        source.close()
    table = Table("field", "becomes", box=None, padding=(0, 2, 0, 0))
    for field in (*PRICE_FIELDS, "upstream_state", "cadence", "volume_of"):
        if (value := getattr(tick, field)) is not None:
            table.add_row(field, escape(_shown(value)))
    console.print(table)
    wish = settings.symbols.get(symbol)
    if needs_key(tick.price, wish is not None and wish.allow_negative):
        console.print(f"[yellow]![/] the price is zero or below; {escape(needs_negative(symbol, wish.feed if wish else (name,)))}")
    for odd in () if isinstance(source, HttpJson) else tick.odd or ():  # there it stands beside what was found
        console.print(f"[yellow]![/] {escape(odd.field)} is unknown: {escape(odd.reason)} [dim]{escape(odd.excerpt)}[/]")


def _subscription(settings: Settings, source: Source, symbol: str) -> Subscription:
    wish = settings.symbols.get(symbol)
    options = (wish.options.get(source.name) if wish else None) or SymbolOptions()
    return Subscription(symbol, options.id or source.native_id(symbol), options)


def _ask(source: Source, subscription: Subscription, console: Console) -> Tick:
    """The tick for one symbol. Raises `FeedError` where there is none."""
    console.print(f"[bold]{escape(source.name)}[/] ({source.kind}): {escape(subscription.symbol)}, there {escape(subscription.id)}")
    if isinstance(source, HttpJson):
        response = source.ask([subscription])
        console.print(f"{escape(said(response.where))}: HTTP {response.status}, {len(response.body)} bytes")
        table = Table("field", "expression", "finds", "", box=None, padding=(0, 2, 0, 0))
        for finding in source.explain(response, subscription):
            odd = f"[yellow]{escape(finding.odd)}[/]" if finding.odd else ""
            table.add_row(finding.field, escape(getattr(source.settings, finding.field)), escape(_shown(finding.found)), odd)
        console.print(table)
        outcome = source.read(response, [subscription]).get(subscription.symbol)
    else:
        outcome = ask(source, subscription)
    if isinstance(outcome, FeedError):
        raise outcome
    if outcome is None:
        raise FeedError("no news of it so far: this feed says nothing until something happens")
    return outcome


def _shown(value: object) -> str:
    return said(json.dumps(value, ensure_ascii=False), SHOWN_LENGTH)
