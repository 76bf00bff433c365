"""`validate`: exit codes, the report for people and the one for programs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main

ROOT = Path(__file__).parents[2]
GOOD = '[feeds.sim]\nkind = "simulated"\n[symbols]\nACME = { feed = "sim" }\n'
UNUSED = GOOD + '[feeds.coinbase]\nkind = "coinbase"\n'
BAD = GOOD + '[server]\nport = "x"\nhost = "\\u001b[2J \\u202e"\n[broadcast]\nheartbeat_s = nan\n'


def validate(tmp_path: Path, text: str, *options: str) -> Result:
    """Run the command on a file with `text`."""
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return CliRunner().invoke(main, ["validate", "--config", str(path), *options])


def test_good_settings(tmp_path: Path) -> None:
    """One calm line, nothing on stderr."""
    result = validate(tmp_path, GOOD)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{tmp_path}/settings.toml: ok, 1 symbol from 1 feed\n"


def test_bad_settings(tmp_path: Path) -> None:
    """All errors on stderr, with key, reason, value and hint; nothing that a terminal would act on."""
    result = validate(tmp_path, BAD)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("3 errors in the settings:\n")
    assert 'server.port\n      must be a whole number from 0 to 65535 (is "x")\n' in result.stderr
    assert "broadcast.heartbeat_s\n      must be a number from 0.1 to 300 (is nan)\n" in result.stderr
    assert result.stderr.replace("\n", "").isprintable()


def test_warnings(tmp_path: Path) -> None:
    """They are told and cost nothing; with --strict they are errors."""
    result = validate(tmp_path, UNUSED)
    assert result.exit_code == 0
    assert "1 warning in the settings:\n\n  feeds.coinbase\n      no symbol uses this feed\n" in result.stderr
    assert "ok, 1 symbol from 2 feeds" in result.stdout
    result = validate(tmp_path, UNUSED, "--strict")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "1 error in the settings:" in result.stderr


def test_json(tmp_path: Path) -> None:
    """The report is one JSON object on stdout, whatever comes of it, and numbers that JSON does not know are text."""
    result = validate(tmp_path, GOOD, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {"ok": True, "errors": [], "warnings": []}

    result = validate(tmp_path, BAD, "--json")
    assert (result.exit_code, result.stderr) == (2, "")
    report = json.loads(result.stdout, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert report["ok"] is False
    assert {"key": "server.port", "value": "x", "reason": "must be a whole number from 0 to 65535", "hint": ""} in report["errors"]
    assert {error["key"]: error["value"] for error in report["errors"]}["broadcast.heartbeat_s"] == "nan"

    unused = {"key": "feeds.coinbase", "value": None, "reason": "no symbol uses this feed", "hint": ""}
    assert json.loads(validate(tmp_path, UNUSED, "--json").stdout) == {"ok": True, "errors": [], "warnings": [unused]}
    result = validate(tmp_path, UNUSED, "--json", "--strict")
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {"ok": False, "errors": [unused], "warnings": []}


def test_no_file(tmp_path: Path) -> None:
    """It is named, also for programs."""
    missing = tmp_path / "none.toml"
    result = CliRunner().invoke(main, ["validate", "--config", str(missing)])
    assert result.exit_code == 2
    assert f"{missing}\n      there is no such file\n" in result.stderr
    result = CliRunner().invoke(main, ["validate", "--config", str(missing), "--json"])
    assert json.loads(result.stdout)["errors"][0]["key"] == str(missing)


def test_the_environment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is of what `serve` would run with."""
    monkeypatch.setenv("TICKERCAST_SERVER__PORT", "x")
    result = validate(tmp_path, GOOD)
    assert result.exit_code == 2
    assert "it comes from the variable TICKERCAST_SERVER__PORT" in result.stderr


def test_a_variable_that_has_no_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be somebody else's, and starts all the same; whoever asks strictly is told no."""
    monkeypatch.setenv("TICKERCAST_SERVER__AUHT", "token")
    assert "did you mean TICKERCAST_SERVER__AUTH?" in validate(tmp_path, GOOD).stderr
    assert [validate(tmp_path, GOOD, *options).exit_code for options in ((), ("--strict",))] == [0, 2]


@pytest.mark.parametrize(("text", "code", "stdout"), [(GOOD, 0, "settings.toml: ok, 1 symbol from 1 feed\n"), (BAD, 2, "")])
def test_as_a_process(tmp_path: Path, text: str, code: int, stdout: str) -> None:
    """As users run it: `python main.py validate`, with the file in the current folder."""
    (tmp_path / "settings.toml").write_text(text)
    result = subprocess.run([sys.executable, str(ROOT / "main.py"), "validate"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (code, stdout)
    assert (result.stderr == "") == (code == 0)
    assert "Traceback" not in result.stderr
