"""How a command that can't go on says so: its exit code, and a sentence or a list of what is wrong, on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import click

from ticker.errors import Problem
from ticker.settings.describe import toml

EXIT_FAILED = 1
"""The run failed: a port in use, a disk full, a feed out of reach."""
EXIT_WRONG = 2
"""Wrong use or wrong settings (click's own code for wrong use)."""


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
