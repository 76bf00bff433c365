"""The server of the official suites, in processes of its own, once for all tests here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conformance.peer import Address

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """Where it listens. It pings so seldom that no test meets one."""
    with serving(tmp_path_factory.mktemp("patient"), interval_s=60, timeout_s=50, connect_s=60) as address:
        yield address


@pytest.fixture(scope="session")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """One with time-outs short enough to wait for."""
    with serving(tmp_path_factory.mktemp("impatient"), interval_s=1, timeout_s=1, connect_s=1) as address:
        yield address


@contextmanager
def serving(folder: Path, interval_s: int, timeout_s: int, connect_s: int) -> Iterator[Address]:
    """A running server. Whatever is sent to it, it has nothing to say about it on stderr: no traceback, no line a frame."""
    stderr = folder / "stderr"
    command = [sys.executable, "-m", "tests.conformance", "--ping-interval", str(interval_s), "--ping-timeout", str(timeout_s),
               "--connect-timeout", str(connect_s)]  # fmt: skip
    with (
        stderr.open("w") as errors,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, stderr.read_text()
            host, _, port = url.removeprefix("listening on http://").rpartition(":")
            yield Address(host, int(port))
        finally:
            process.terminate()
    assert process.returncode == 0
    assert stderr.read_text() == ""
