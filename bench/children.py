"""Processes that a measurement starts: pinned to a core, their output kept in a file, always ended by their id."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
SERVER_CORE = 0
GENERATOR_CORE = 1 if (os.cpu_count() or 1) > 1 else 0


class ChildFailed(Exception):
    """A process of the bench ended early or did not become ready; the message holds the end of its output."""


class Child:
    """One running process. What it writes, apart from a piped stdout, goes to an unnamed file."""

    def __init__(self, name: str, command: Sequence[str], core: int, *, pipe_stdout: bool = False) -> None:
        """Start it pinned to `core`. It leads a group of its own, so that Ctrl-C reaches the bench and not it."""
        self.name = name
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by stop())
        pinned = ["taskset", "-c", str(core), *command]
        if shutil.which("setpriv"):
            pinned = ["setpriv", "--pdeathsig", "KILL", *pinned]  # not even a killed bench leaves a server behind
        env = {key: value for key, value in os.environ.items() if not key.startswith("TICKERCAST_")}
        self.process = subprocess.Popen(
            pinned,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if pipe_stdout else self._log,
            stderr=self._log,
            cwd=ROOT,
            env=env,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """`setpriv` and `taskset` become the command they run, so this is the command's own id."""
        return self.process.pid

    def log(self) -> str:
        """Everything written so far."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")  # the position belongs to the process that writes

    def tell(self, line: str) -> None:
        """One command line to its standard input."""
        if self.process.stdin is None:
            raise ChildFailed(f"{self.name} takes no commands")
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self.failed("is gone") from None

    def failed(self, what: str) -> ChildFailed:
        """The error to raise about it."""
        return ChildFailed(f"{self.name} {what}: {self.log()[-2000:].strip() or 'no output'}")

    def wait_for(self, pattern: str, timeout_s: float = 20) -> re.Match[str]:
        """Wait until its output matches. Raises `ChildFailed`."""
        for _ in _attempts(timeout_s):
            if found := re.search(pattern, self.log()):
                return found
            if self.process.poll() is not None:
                raise self.failed(f"ended with {self.process.returncode}")
        raise self.failed(f"did not say {pattern!r} within {timeout_s} s")

    def wait_for_port(self, port: int, timeout_s: float = 20) -> None:
        """Wait until 127.0.0.1:`port` accepts. Raises `ChildFailed`."""
        for _ in _attempts(timeout_s):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            if self.process.poll() is not None:
                raise self.failed(f"ended with {self.process.returncode}")
        raise self.failed(f"did not listen on {port} within {timeout_s} s")

    def stop(self) -> None:
        """End of input, then SIGTERM, then SIGKILL; a second or two each."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        for sign, patience_s in ((None, 0.5), (signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0)):
            if self.process.poll() is None and sign is not None:
                self.process.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_s)
                break
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()


@contextlib.contextmanager
def child(name: str, command: Sequence[str], core: int, *, pipe_stdout: bool = False) -> Iterator[Child]:
    """A process that lives as long as the block."""
    started = Child(name, command, core, pipe_stdout=pipe_stdout)
    try:
        yield started
    finally:
        started.stop()


def free_port() -> int:
    """A TCP port nobody listens on at the moment, for servers that can't pick one themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _attempts(timeout_s: float) -> Iterator[None]:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        yield
        time.sleep(0.05)
