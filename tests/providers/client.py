"""Runs a provider's server as a process of its own, so that it answers whatever the test's process is busy with."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.providers.server import BUDGET_PATH, CONTROL_PATH, STREAMS_PATH

ROOT = Path(__file__).parents[2]


class RunningProvider:
    """A provider that listens at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def set(self, **changes: Any) -> None:
        """Merge into the control: `set(unknown=["BTC-USD"])`, `set(fault={"name": "drip"})`, …"""
        self._call("POST", changes)

    def fault(self, name: str, **options: Any) -> None:
        """Break every answer from now on (`times=n`: the next n) in the way that `faults.py` calls `name`."""
        self.set(fault={"name": name, **options})

    def heal(self) -> None:
        """Break nothing any more."""
        self.set(fault=None)

    def forget(self) -> None:
        """As after the start, prices apart."""
        self._call("DELETE")

    def requests(self) -> list[dict[str, Any]]:
        """What was asked for, oldest first: `path`, `query`, `headers` (lower case), `form`, `body`, `status`, `fault`, `client_port`."""
        shown: list[dict[str, Any]] = self._call("GET")["requests"]
        return shown

    def paths(self) -> list[str]:
        """The paths of `requests`."""
        return [request["path"] for request in self.requests()]

    def budget(self) -> dict[str, dict[str, Any]]:
        """By limit (`calls_per_s`): `limit`, the `most` that came in any window, wherever it begins, and the `total`."""
        shown: dict[str, dict[str, Any]] = self._call("GET", path=BUDGET_PATH)
        return shown

    def streams(self, open_only: bool = False) -> list[dict[str, Any]]:
        """WebSocket connections, oldest first: `path`, `query`, `headers`, symbols `asked` for, what was `heard` (decoded JSON), `sent`
        and `lost` messages, `pongs`, and how it is `over` (a code and a reason; `None`: it is not)."""
        shown: list[dict[str, Any]] = self._call("GET", path=STREAMS_PATH)
        for one in shown:
            one["heard"] = [json.loads(message) for message in one["heard"]]
        return [one for one in shown if one["over"] is None or not open_only]

    def say(self, *messages: Any, **commands: Any) -> None:
        """Send messages (JSON values; text as it stands) over every open WebSocket; `binary` and `raw` take base64, `close` a code."""
        texts = [message if isinstance(message, str) else json.dumps(message) for message in messages]
        self._call("POST", {"say": texts, **commands}, STREAMS_PATH)

    def exceeded(self) -> list[str]:
        """The limits that were not kept."""
        return [name for name, counted in self.budget().items() if counted["most"] > counted["limit"]]

    def _call(self, method: str, body: Any = None, path: str = CONTROL_PATH) -> Any:
        scheme, _, address = self.url.partition("://")
        # Nobody has to vouch for a server that we have started ourselves.
        connection = (
            http.client.HTTPConnection(address, timeout=10)
            if scheme == "http"
            else (http.client.HTTPSConnection(address, timeout=10, context=ssl._create_unverified_context()))
        )
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(answer["error"])
        return answer


@contextmanager
def running(name: str, *, fixtures: Path | None = None, limits: bool = True, certificate: Path | None = None) -> Iterator[RunningProvider]:
    """A provider's server as a process, ended with the block."""
    command = ["tests.providers", name]
    if fixtures is not None:
        command += ["--fixtures", str(fixtures)]
    if not limits:
        command += ["--no-limits"]
    if certificate is not None:
        command += ["--certificate", str(certificate)]
    with _serving(command) as provider:
        yield provider


@contextmanager
def in_front_of(provider: RunningProvider, chaos: int | None = None) -> Iterator[RunningProvider]:
    """A fault proxy in front of a provider's server, as a process, ended with the block."""
    with _serving(["tests.providers.proxy", "--to", provider.url, *([] if chaos is None else ["--chaos", str(chaos)])]) as proxy:
        yield proxy


@contextmanager
def network_in_front_of(provider: RunningProvider) -> Iterator[RunningProvider]:
    """A network in front of a provider's stream, as a process, ended with the block: `set(switches={"slice": 1})`, `set(cut=True)`."""
    with _serving(["tests.providers.stream_proxy", "--to", provider.url]) as network:
        yield network


@contextmanager
def _serving(module: list[str]) -> Iterator[RunningProvider]:
    process = subprocess.Popen([sys.executable, "-m", *module], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        prefix = "listening on "
        if not said.startswith(prefix):
            raise RuntimeError(f"{' '.join(module)} did not start")
        yield RunningProvider(said.removeprefix(prefix).strip())
    finally:
        process.kill()  # it has nothing to put in order, and a signal that can be missed may be
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
