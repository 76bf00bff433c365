"""The real server as a process of its own, with a settings file that the test may edit."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0
"""How long a test waits for what must come. Machines may be busy, and no test fails by a clock: how soon things come is measured by
`make bench`, or told by counts."""
START_TIMEOUT_S = PATIENCE_S
PATIENT = {"server.ping_timeout_s": 300, "limits.join_timeout_s": 600, "broadcast.stall_limit_s": 600}
"""Time limits of ours that a client on a busy machine may miss by nobody's fault; where a test is about one, its settings say so."""


class Answer(NamedTuple):
    """One HTTP answer; `headers` in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)


class RunningServer:
    """`python main.py serve` that listens at `url`."""

    def __init__(self, process: subprocess.Popen[bytes], config: Path) -> None:
        self.process = process
        self.config = config
        self.url = ""
        self.log: list[str] = []
        self._said = threading.Condition()
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def wait_log(self, pattern: str, timeout_s: float = PATIENCE_S) -> re.Match[str]:
        """Wait for a log line in which `pattern` is found."""
        found: list[re.Match[str]] = []

        def is_there() -> bool:
            found[:] = [match for line in self.log if (match := re.search(pattern, line))]
            return bool(found) or self._ended

        with self._said:
            self._said.wait_for(is_there, timeout_s)
        assert found, f"no line of the log has {pattern!r}:\n" + "\n".join(self.log)
        return found[0]

    def lines(self, pattern: str) -> list[str]:
        """The log lines so far in which `pattern` is found."""
        return [line for line in self.log if re.search(pattern, line)]

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        """One HTTP request, with `path` on the wire as it is written here."""
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE_S)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        finally:
            connection.close()

    def edit(self, change: Callable[[str], str]) -> None:
        """Save the settings file as an editor does: a new file in place of the old."""
        beside = self.config.with_suffix(".new")
        beside.write_text(change(self.config.read_text()))
        beside.replace(self.config)

    def check_log(self) -> None:
        """No traceback may stand in it; what stands in it is forgotten."""
        with self._said:
            said, self.log[:] = list(self.log), []
        assert [line for line in said if re.search("Traceback|Error:", line)] == [], "\n".join(said)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        """End it; returns its exit code."""
        self.process.send_signal(with_signal)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; returns its exit code."""
        code = self.process.wait(PATIENCE_S)
        with self._said:
            self._said.wait_for(lambda: self._ended, PATIENCE_S)
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                with self._said:
                    self.log.append(line.decode().rstrip("\n"))
                    self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()


def command_line(*arguments: str) -> list[str]:
    """The program with these arguments."""
    return [sys.executable, str(ROOT / "main.py"), *arguments]


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our own, with these settings in it (their names without `TICKERCAST_`) and no others."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TICKERCAST_")}
    return own | {f"TICKERCAST_{name}": value for name, value in (variables or {}).items()}


def with_files(soft: int, hard: int) -> list[str]:
    """What runs a command with so many files to open."""
    code = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (%d, %d)); os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", code % (soft, hard)]


def start(
    config: Path,
    *options: str,
    port: int = 0,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    command: Sequence[str] = ("serve",),
    variables: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
) -> RunningServer:
    """Start `serve` with the settings in `config`, on a free port if none is named; it may not be listening yet.

    `variables`: settings from the environment, by their names without `TICKERCAST_`. Tests ask as fast as they can, so nothing limits that,
    and clients have all the time there is. `before`: a command that runs the one behind it in circumstances of its making.
    """
    arguments = [*before, *command_line(*command, "--config", str(config), "--port", str(port), *options)]
    given = {"LIMITS__HTTP_REQUESTS_PER_S": "1000000", **patience(config.read_text()), **(variables or {})}
    process = subprocess.Popen(
        arguments, cwd=config.parent, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=environment(given)
    )
    return RunningServer(process, config)


def patience(settings: str) -> dict[str, str]:
    """Settings from the environment that leave clients their time, but for what `settings` say themselves."""
    return {key.upper().replace(".", "__"): str(value) for key, value in PATIENT.items() if key.partition(".")[2] not in settings}


@contextmanager
def serving(
    settings: str,
    *options: str,
    headless: bool = True,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    variables: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
    listening: str = r'listening on (http://[^\s"]+)',
) -> Iterator[RunningServer]:
    """A server with `settings` that listens. Ended with the block, where no traceback may stand in its log."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "settings.toml"
        config.write_text(settings)
        server = start(config, *(["--headless"] if headless else []), *options, stdout=stdout, variables=variables, before=before)
        try:
            server.url = server.wait_log(listening, START_TIMEOUT_S)[1]
            yield server
        finally:
            if server.process.poll() is None:
                server.process.terminate()
            try:
                server.wait()
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.wait()
                raise
            assert server.lines("Traceback|Error:") == [], "\n".join(server.log)


def run(
    *arguments: str, cwd: Path | None = None, timeout_s: float = PATIENCE_S, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        command_line(*arguments), cwd=cwd, env=environment(variables), capture_output=True, text=True, timeout=timeout_s, check=False
    )
