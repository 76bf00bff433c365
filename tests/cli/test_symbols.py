"""`symbols list`, `symbols add`, `symbols remove`, on a real file."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main

ROOT = Path(__file__).parents[2]
TEXT = """# mine
[feeds.sim]
kind = "simulated"

[symbols]
# shares
ACME = { feed = "sim", name = "Acme Corporation" }
"BRK.B" = { feed = "sim" } # B
"""
TWO = TEXT + '\n[feeds.coinbase]\nkind = "coinbase"\n'


class File:
    """A settings file and the command that works on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_text(TEXT)

    def symbols(self, *arguments: str) -> Result:
        """Run `symbols` with these arguments."""
        return CliRunner().invoke(main, ["symbols", *arguments, "--config", str(self.path)])


@pytest.fixture
def file(tmp_path: Path) -> File:
    """A file with one feed and two symbols."""
    return File(tmp_path / "settings.toml")


def test_list(file: File) -> None:
    """A line a symbol, in the order of the file, in columns."""
    assert file.symbols("list").stdout == "ACME   sim  Acme Corporation\nBRK.B  sim\n"
    file.path.write_text("[symbols]\n")
    assert file.symbols("list").stdout == ""


def test_add_takes_the_only_feed(file: File) -> None:
    """The line goes below the last one, quoted as it must be; all else stays as it was."""
    result = file.symbols("add", "BTC/USD")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"BTC/USD added to {file.path}, from sim\n"
    assert file.path.read_text() == TEXT + '"BTC/USD" = { feed = "sim" }\n'


def test_add_needs_a_feed_where_there_are_several(file: File) -> None:
    """Exit code 2, and their names; with --feed it works."""
    file.path.write_text(TWO)
    result = file.symbols("add", "BTC-USD")
    assert result.exit_code == 2
    assert "--feed\n      is needed: there is more than one feed\n      the feeds: sim, coinbase\n" in result.stderr
    assert file.path.read_text() == TWO
    assert file.symbols("add", "BTC-USD", "--feed", "coinbase").exit_code == 0
    assert file.path.read_text() == TWO.replace("# B\n", '# B\n"BTC-USD" = { feed = "coinbase" }\n')


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "ACME"], "symbols.ACME\n      is there already\n"),
        (["add", "A B"], "the symbol has a space in it"),
        (["add", "M&M.NS"], 'give it another name here: "M_M.NS" = { feed = "sim", sim = "M&M.NS" }'),
        (["add", "X", "--feed", "sin"], "did you mean sim?"),
        (["add"], "Missing argument 'SYMBOL'"),
        (["remove", "ACNE"], "did you mean ACME?"),
        (["rename", "A", "B"], "No such command 'rename'"),
    ],
)
def test_wrong_use(file: File, arguments: list[str], words: str) -> None:
    """Exit code 2, the reason on stderr, the file untouched."""
    result = file.symbols(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert file.path.read_text() == TEXT


def test_add_tells_of_a_twin(file: File) -> None:
    """It is added, since symbols are case-sensitive; but it is rarely meant."""
    result = file.symbols("add", "acme")
    assert result.exit_code == 0
    assert result.stderr == "warning: acme differs from ACME by case only, and is another symbol\n"


def test_remove(file: File) -> None:
    """The symbol's line goes, comments around it stay."""
    result = file.symbols("remove", "BRK.B")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"BRK.B removed from {file.path}\n", "")
    assert file.path.read_text() == TEXT.replace('"BRK.B" = { feed = "sim" } # B\n', "")


def test_a_file_that_cant_be_written(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings are right and the disk is not: exit code 1."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ticker.settings.write.os.fsync", full)
    for arguments in (["add", "X"], ["remove", "ACME"]):
        result = file.symbols(*arguments)
        assert result.exit_code == 1
        assert result.stderr == f"error: {file.path} can't be written: No space left on device\n"
    assert file.path.read_text() == TEXT


def test_as_a_process(file: File) -> None:
    """As users run it, in the folder of the file."""
    for arguments in (["add", "^GSPC"], ["remove", "ACME"]):
        command = [sys.executable, str(ROOT / "main.py"), "symbols", *arguments]
        subprocess.run(command, cwd=file.path.parent, check=True, capture_output=True)
    without_acme = TEXT.replace('ACME = { feed = "sim", name = "Acme Corporation" }\n', "")
    assert file.path.read_text() == without_acme + '"^GSPC" = { feed = "sim" }\n'
