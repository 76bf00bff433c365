"""The commands, one file each; below them `process`, what a command has to do with the machine and the settings, and `diagnosis`, what
`doctor` does for one feed. They compose the core, the feeds and the web: nothing else may import all of them.
"""

from __future__ import annotations

import gc
import importlib

import click

import ticker
from cli.process.encoding import never_fail_to_encode
from cli.process.failure import EXIT_WRONG, print_problems
from ticker.errors import SettingsError
from ticker.settings.describe import nearest

DEFAULT = "serve"
COMMANDS = (DEFAULT, "validate", "symbols", "doctor", "record", "replay")
"""Each is `command` in the module of its name, imported when it is called: `validate` need not wait for what `serve` imports."""


class Commands(click.Group):
    """Finds a command in its module, runs `serve` where none is named, and explains wrong settings wherever they are met."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        gc.disable()  # what modules make stays: to look through it for garbage while they load would take a tenth of the start
        try:
            command = importlib.import_module(f"{__name__}.{cmd_name}").command
        finally:
            gc.enable()
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # `main.py --port 8080`: an option that is not the group's own belongs to the default command.
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            guess = nearest(args[0], COMMANDS)
            ctx.fail(f"there is no command {args[0]!r}" + (f"; did you mean {guess}?" if guess else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        never_fail_to_encode()
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            print_problems(error.problems)
            if error.warnings:
                print_problems(error.warnings, "warning")
            ctx.exit(EXIT_WRONG)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command: serve. Each command has its own --help.",
)
@click.version_option(ticker.__version__, prog_name="tickercast")
def main() -> None:
    """tickercast: a live market ticker. Exits with 0 if all went well, 1 if the run failed, 2 for wrong use or wrong settings."""
