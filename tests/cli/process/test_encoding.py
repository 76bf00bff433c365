"""Commands on terminals that know little: every one of them says what it has to say, in the signs that there are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SETTINGS = """
[server]
port = 0
[feeds.sim]
kind = "simulated"
[symbols]
ACME = { feed = "sim", name = "M\u00fcller \u2013 \u4e2d\u2026" }
"""
SPOILT = SETTINGS + 'BOLT = { feed = "s\u4e2dm" }\n'


def said(folder: Path, settings: str, encoding: str, *command: str) -> tuple[int, str]:
    """What a command ends with, and all that it writes."""
    (folder / "settings.toml").write_text(settings, encoding="utf-8")
    environ = {**os.environ, "PYTHONIOENCODING": encoding, "TERM": "dumb", "COLUMNS": "200", "TICKERCAST_FEEDS__SIN__SEED": "1"}
    done = subprocess.run([sys.executable, str(ROOT / "main.py"), *command], cwd=folder, env=environ, capture_output=True, check=False)
    written = (done.stdout + done.stderr).decode(encoding)
    assert "Traceback" not in written
    return done.returncode, written


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_the_doctor(tmp_path: Path, encoding: str) -> None:
    """Each finding has its mark, and words of other languages do not stop it."""
    code, written = said(tmp_path, SETTINGS, encoding, "doctor")
    lines = {line.split("  ")[1].strip(): line for line in written.splitlines() if "  " in line}
    assert code == 0
    assert lines["feed sim"].startswith("+ ")
    assert lines["settings"].startswith("! ")
    assert "did you mean TICKERCAST_FEEDS__SIM__...?" in lines["settings"]


@pytest.mark.parametrize(("command", "settings", "code", "words"), [
    (["doctor", "--try", "feeds.sim", "ACME"], SETTINGS, 0, "price"), (["doctor"], SPOILT, 1, "x "),
    (["doctor", "--try", "feeds.sim", "\u4e2d"], SETTINGS, 2, "the symbol"), (["symbols", "list"], SETTINGS, 0, "M\u00fcller - \\u4e2d..."),
    (["validate"], SPOILT, 2, "s\\u4e2dm"), (["\u4e2d"], SETTINGS, 2, "no command"),
])  # fmt: skip
def test_every_command(tmp_path: Path, command: list[str], settings: str, code: int, words: str) -> None:
    """Whatever stands in the settings or is asked for."""
    ended, written = said(tmp_path, settings, "latin-1", *command)
    assert (ended, words in written) == (code, True), written
