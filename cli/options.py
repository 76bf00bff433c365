"""What several commands share: the settings' option and how they are read, exit codes, and how errors are told."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import click

from ticker.errors import Problem
from ticker.settings.describe import toml
from ticker.settings.load import FeedKind, Loaded, load

EXIT_FAILED = 1
"""The run failed: a port in use, a disk full, a feed out of reach."""
EXIT_WRONG = 2
"""Wrong use or wrong settings (click's own code for wrong use)."""

config_option = click.option(
    "--config", type=click.Path(path_type=Path), default="settings.toml", show_default=True, metavar="PATH", help="The settings file."
)


def feed_kinds() -> Mapping[str, FeedKind]:
    """The kinds of feed there are, as the settings need to know them."""
    from feeds.registry import kinds

    return {name: FeedKind(feed.Settings, feed.Options, feed.demand) for name, feed in kinds().items()}


def load_settings(config: Path, overrides: Mapping[str, object] | None = None) -> Loaded:
    """The settings in the file `config`, this process' environment and `overrides` (`{"server.port": 8080}`, `None`: not given).

    Raises `SettingsError`, which the commands turn into a list of what is wrong and exit code 2.
    """
    loaded = load(config, feed_kinds(), os.environ, overrides)
    if loaded.settings.server.auth == "jwt":
        from cli.access import verifier_of

        verifier_of(loaded.settings.server)  # raises for keys that are none
    return loaded


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Say why on stderr and end the process."""
    click.echo(f"error: {message}", err=True)
    raise click.exceptions.Exit(code)


def print_problems(problems: Sequence[Problem], what: str = "error") -> None:
    """List all of `problems` on stderr, each with its key, value, reason and remedy."""
    click.echo(f"{len(problems)} {what}{'' if len(problems) == 1 else 's'} in the settings:", err=True)
    for problem in problems:
        value = "" if problem.value is None else f" (is {toml(problem.value)})"
        click.echo(f"\n  {problem.key}\n      {problem.reason}{value}", err=True)
        if problem.hint:
            click.echo(f"      {problem.hint}", err=True)
