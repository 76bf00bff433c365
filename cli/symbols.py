"""`symbols list`, `symbols add`, `symbols remove`: the settings file, edited with everything else in it left as it is."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cli.process.failure import fail
from cli.process.settings import config_option, feed_kinds
from ticker.errors import Problem
from ticker.settings.describe import key_path
from ticker.settings.load import Loaded, load


@click.group()
def command() -> None:
    """List the symbols of the settings file, add one, remove one. A running tickercast picks the change up within 2 s."""


@command.command("list")
@config_option
def list_symbols(config: Path) -> None:
    """Print each symbol with its feeds and its name."""
    symbols = load(config, feed_kinds(), os.environ, secrets_required=False).settings.symbols
    rows = [(symbol, ", ".join(settings.feed), settings.name or "") for symbol, settings in symbols.items()]
    symbol_width, feed_width = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    for symbol, feed, name in rows:
        click.echo(f"{symbol:{symbol_width}}  {feed:{feed_width}}  {name}".rstrip())


@command.command()
@click.argument("symbol")
@click.option("--feed", metavar="NAME", help="The feed that serves it; not needed if there is only one.")
@config_option
def add(symbol: str, feed: str | None, config: Path) -> None:
    """Add SYMBOL to the settings file."""
    from ticker.settings import edit

    try:
        loaded = edit.add(config, symbol, feed, feed_kinds(), os.environ)
    except OSError as error:
        fail(f"{config} can't be written: {error.strerror}")
    _warn(loaded, symbol)
    click.echo(f"{symbol} added to {config}, from {loaded.settings.symbols[symbol].feed[0]}")


@command.command()
@click.argument("symbol")
@config_option
def remove(symbol: str, config: Path) -> None:
    """Remove SYMBOL from the settings file."""
    from ticker.settings import edit

    try:
        edit.remove(config, symbol, feed_kinds(), os.environ)
    except OSError as error:
        fail(f"{config} can't be written: {error.strerror}")
    click.echo(f"{symbol} removed from {config}")


def _warn(loaded: Loaded, symbol: str) -> None:
    concerned: list[Problem] = [warning for warning in loaded.warnings if warning.key == key_path(["symbols", symbol])]
    for warning in concerned:
        click.echo(f"warning: {symbol} {warning.reason}", err=True)
