"""`validate`: the settings' check that `serve` does at its start and at every reload, without starting anything."""

from __future__ import annotations

import json
import math
from pathlib import Path

import click

from cli.process.failure import EXIT_WRONG, print_problems
from cli.process.settings import config_option, load_settings
from ticker.errors import Problem, SettingsError


@click.command()
@config_option
@click.option("--strict", is_flag=True, help="Warnings are errors too.")
@click.option("--json", "as_json", is_flag=True, help='Print {"ok", "errors", "warnings"}, each with key, value, reason and hint.')
def command(config: Path, strict: bool, as_json: bool) -> None:
    """Check the settings without starting. Exits with 2 if they can't be used."""
    errors: list[Problem] = []
    warnings: list[Problem] = []
    summary = ""
    try:
        loaded = load_settings(config)
        warnings = list(loaded.warnings)
        summary = f"{config}: ok, {_count(len(loaded.settings.symbols), 'symbol')} from {_count(len(loaded.settings.feeds), 'feed')}"
    except SettingsError as error:
        errors, warnings = error.problems, error.warnings
    if strict:
        errors, warnings = errors + warnings, []
    if as_json:
        report = {"ok": not errors, "errors": [_plain(error) for error in errors], "warnings": [_plain(warning) for warning in warnings]}
        click.echo(json.dumps(report, indent=2))
    else:
        if errors:
            print_problems(errors)
        if warnings:
            print_problems(warnings, "warning")
        if not errors:
            click.echo(summary)
    if errors:
        raise click.exceptions.Exit(EXIT_WRONG)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _plain(problem: Problem) -> dict[str, object]:
    # JSON has no NaN and no infinity, which a number in TOML can be.
    value = str(problem.value) if isinstance(problem.value, float) and not math.isfinite(problem.value) else problem.value
    return {"key": problem.key, "value": value, "reason": problem.reason, "hint": problem.hint}
