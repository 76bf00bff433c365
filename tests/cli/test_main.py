"""The group of commands: which is run, how wrong use is told, and that nothing is imported for those that are not."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

import ticker
from cli import COMMANDS, main
from ticker.errors import Problem, SettingsError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Puts a command in the place of `serve` and returns the options of each of its runs."""
    runs: list[dict[str, object]] = []

    @click.command()
    @click.option("--port", type=int)
    @click.option("--headless", is_flag=True)
    def command(**options: object) -> None:
        """Serve."""
        if options["port"] == 0:
            raise SettingsError([Problem("server.port", "is zero", "write another", 0), Problem("x\x1b[2J", "is odd")])
        runs.append(options)

    module = ModuleType("cli.serve")
    module.__dict__["command"] = command
    monkeypatch.setitem(sys.modules, "cli.serve", module)
    return runs


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], {"port": None, "headless": False}),
        (["serve"], {"port": None, "headless": False}),
        (["--port", "8080"], {"port": 8080, "headless": False}),
        (["--port=8080", "--headless"], {"port": 8080, "headless": True}),
        (["serve", "--headless"], {"port": None, "headless": True}),
    ],
)
def test_serve_is_the_default(serve: list[dict[str, object]], arguments: list[str], options: dict[str, object]) -> None:
    """Without a command, with or without options, it is `serve`."""
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.output) == (0, "")
    assert serve == [options]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sevre"], "there is no command 'sevre'; did you mean serve?"),
        (["quotes"], "there is no command 'quotes'"),
        (["--prot", "1"], "No such option"),
        (["--port", "http"], "Invalid value for '--port'"),
        (["serve", "now"], "unexpected extra argument"),
    ],
)
def test_wrong_use(serve: list[dict[str, object]], arguments: list[str], words: str) -> None:
    """Exit code 2, the reason on stderr, nothing on stdout."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""
    assert serve == []


def test_wrong_settings_are_explained_by_the_group(serve: list[dict[str, object]]) -> None:
    """Any command may raise `SettingsError`: all problems on stderr, exit code 2, no trace."""
    result = CliRunner().invoke(main, ["--port", "0"])
    assert result.exit_code == 2
    assert "2 errors in the settings" in result.stderr
    assert "server.port\n      is zero (is 0)\n      write another\n" in result.stderr
    assert "Traceback" not in result.output
    assert serve == []


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_the_commands(serve: list[dict[str, object]], option: str) -> None:
    """With what each does, and what the exit codes mean; `serve` has help of its own."""
    result = CliRunner().invoke(main, [option])
    assert result.exit_code == 0
    for line in ("serve     Serve.", "validate  Check the settings", "symbols   List the symbols", "Without a command: serve"):
        assert line in result.stdout
    assert all(f"\n  {name} " in result.stdout for name in COMMANDS)
    assert "--port" in CliRunner().invoke(main, ["serve", option]).stdout
    assert serve == []


def test_version() -> None:
    """The package's own."""
    assert CliRunner().invoke(main, ["--version"]).stdout == f"tickercast, version {ticker.__version__}\n"


def test_the_commands_are_the_files() -> None:
    """Beside them there is only what writes the documentation anew: the rest of `cli` lies in rooms below."""
    assert COMMANDS == ("serve", "validate", "symbols", "doctor", "record", "replay")
    assert {path.stem for path in (ROOT / "cli").glob("*.py")} == {*COMMANDS, "__init__", "document"}


def test_each_command_can_be_imported() -> None:
    """A module of a command's name has a `command` with help."""
    with click.Context(main) as context:
        for name in main.list_commands(context):
            command = main.get_command(context, name)
            assert command is not None
            assert command.get_short_help_str()


def test_no_garbage_is_looked_for_while_a_command_loads() -> None:
    """What modules make stays; and it is looked for again when they are there."""
    code = (
        "import click, gc; from cli import main; found = []; gc.callbacks.append(lambda phase, _: found.append(phase)); gc.collect(0); "
        "before = len(found); main.get_command(click.Context(main), 'validate'); print(before, len(found), gc.isenabled())"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "2 2 True\n"


def test_validate_does_not_import_what_serve_needs() -> None:
    """A check of the settings starts at once: no web, no scheduler, no TOML editor."""
    code = (
        "import sys; from cli import main; main(['validate'], standalone_mode=False); "
        "print(sorted({'flask', 'socketio', 'apscheduler', 'tomlkit', 'rich', 'web'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
