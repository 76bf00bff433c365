"""Every example of the README, taken out of it and run as it stands, against a real server with the settings that come with the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.clients import PAGE_PACKAGES, node_path
from tests.e2e.server import PATIENCE_S, ROOT, RunningServer, serving

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:5000"
CURL = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[-1]).read().decode())"
MOVING = re.compile(r"ACME \d+\.?\d* fresh")


def block(language: str, word: str) -> str:
    """The only example in `language` that has `word` in it."""
    found = [text for name, text in BLOCKS if name == language and word in text]
    assert len(found) == 1, (language, word, found)
    return str(found[0])


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """The settings that come with the project."""
    with serving((ROOT / "settings.toml").read_text(encoding="utf-8")) as running:
        yield running


def first_lines(command: Sequence[str], number: int, cwd: Path, path: str | None = None) -> list[str]:
    """The first lines that a program writes, which is then ended."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **({"PATH": path} if path else {})}
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    alarm = threading.Timer(PATIENCE_S, process.kill)
    alarm.start()
    try:
        assert process.stdout is not None
        lines = [line for _ in range(number) if (line := process.stdout.readline().rstrip("\n"))]
    finally:
        alarm.cancel()
        os.killpg(process.pid, 15)
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert len(lines) == number, errors
    return lines


def test_javascript(server: RunningServer, tmp_path: Path) -> None:
    """It prints the price as it moves."""
    (tmp_path / "node_modules").symlink_to(PAGE_PACKAGES)
    (tmp_path / "read.mjs").write_text(block("js", "/ACME").replace(ADDRESS, server.url))
    for line in first_lines([node_path(), "read.mjs"], 3, tmp_path):
        assert MOVING.fullmatch(line)


def test_python(server: RunningServer, tmp_path: Path) -> None:
    """The same."""
    (tmp_path / "read.py").write_text(block("python", "/ACME").replace(ADDRESS, server.url))
    for line in first_lines([sys.executable, "read.py"], 3, tmp_path):
        assert MOVING.fullmatch(line)


def test_a_shell_once(server: RunningServer, tmp_path: Path) -> None:
    """One quote. A bare Debian has no curl: there Python fetches what curl would."""
    script = block("sh", "curl").replace(ADDRESS, server.url)
    if shutil.which("curl") is None:
        script = f"curl() {{ '{sys.executable}' -c '{CURL}' \"$@\"; }}\n{script}"
    (line,) = first_lines(["bash", "-c", script + "echo"], 1, tmp_path)
    assert line.startswith("{")
    assert '"symbol":"ACME"' in line


def test_a_shell_as_it_moves(tmp_path: Path) -> None:
    """Lines of one symbol, from a relay of its own on another port than the one that may be in use here."""
    script = block("sh", "--ndjson").replace(".venv/bin/python main.py serve", f"'{sys.executable}' '{ROOT}/main.py' serve --port 0")
    shutil.copy(ROOT / "settings.toml", tmp_path)
    for line in first_lines(["bash", "-c", script], 3, tmp_path):
        assert '"symbol":"ACME"' in line


def test_one_line_adds_a_symbol(server: RunningServer) -> None:
    """The line as the README has it, while the server runs."""
    line = block("toml", "[symbols]").removeprefix("[symbols]\n")
    symbol = line.split(" = ")[0]
    server.edit(lambda text: text.replace("[symbols]\n", "[symbols]\n" + line, 1))
    server.wait_log(f"settings applied: .*added symbols {symbol}")
    assert symbol in [entry["symbol"] for entry in server.get("/api/symbols").json["symbols"]]


def test_every_link_leads_somewhere() -> None:
    """In the README and in the page on the wire: to a file that is there, or out of the project by https."""
    for page in (ROOT / "README.md", ROOT / "docs" / "protocol.md"):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), (page.name, target)
