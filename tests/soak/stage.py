"""Where the rows play: a relay in a process of its own, its crowd, and what can be seen of it from outside."""

from __future__ import annotations

import asyncio
import json
import os
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.server import RunningServer, serving
from tests.soak.crowd import Crowd
from web.socketio.admission import SHARES

QUIET = [f"Q{number}" for number in range(20)]
BUSY = [f"B{number}" for number in range(180)]
STALL_S, PING_S, PONG_S, JOIN_S = 10, 3, 4, 5
CONNECTS_PER_S = 200  # from one address, as all of the crowd come
SETTINGS = f"""
[server]
ping_interval_s = {PING_S}
ping_timeout_s = {PONG_S}

[broadcast]
stall_limit_s = {STALL_S}

[limits]
join_timeout_s = {JOIN_S}
connects_per_s = {SHARES * CONNECTS_PER_S}

[feeds.quiet]
kind = "simulated"
interval_s = 1.0

[feeds.busy]
kind = "simulated"
interval_s = 0.4

[symbols]
""" + "\n".join([*(f'{symbol} = {{ feed = "quiet" }}' for symbol in QUIET), *(f'{symbol} = {{ feed = "busy" }}' for symbol in BUSY)])
"""The crowd reads a few quiet symbols each, one update a second; whoever is heavy reads all: 130 KB a second."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Row(NamedTuple):
    """One line of the table."""

    number: str
    promise: str
    figure: str
    bound: str
    is_met: bool


class Stage:
    """A running relay. `minutes`: the time there is; `unit_s`: a tenth of it."""

    def __init__(self, server: RunningServer, minutes: float) -> None:
        self.server = server
        self.minutes = minutes
        self.unit_s = minutes * 6
        self.port = server.address[1]
        self.crowd = Crowd(self.port)
        self.clients = 0
        """How many the crowd is."""
        self.quiet_p99_ms = float("inf")
        self.rows: list[Row] = []

    def note(self, number: str, promise: str, figure: str, bound: str, is_met: bool) -> None:
        """Add a line, and show it."""
        row = Row(number, promise, figure, bound, is_met)
        self.rows.append(row)
        print(f"| {row.number} | {row.promise} | {row.figure} | {row.bound} | {'met' if row.is_met else 'NOT MET'} |", flush=True)

    @property
    def rss_mb(self) -> float:
        """Resident memory of the relay."""
        return int(Path(f"/proc/{self.server.process.pid}/statm").read_text().split()[1]) * PAGE_BYTES / 1e6

    @property
    def cpu_s(self) -> float:
        """Processor time it has used."""
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    @property
    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    async def status(self) -> dict[str, Any]:
        """What `/api/status` says."""
        answer: dict[str, Any] = await asyncio.to_thread(get_json, f"{self.server.url}/api/status")
        return answer

    async def clients_are(self, most: int, seconds: float) -> float:
        """Wait until no more than so many are connected; returns the seconds it took."""
        began_s = time.monotonic()
        while (await self.status())["clients"] > most:
            if time.monotonic() - began_s > seconds:
                raise TimeoutError(f"more than {most} clients after {seconds:g} s")
            await asyncio.sleep(0.1)
        return time.monotonic() - began_s

    async def quotes(self) -> dict[str, Any]:
        """What `/api/quotes` says."""
        answer: dict[str, Any] = await asyncio.to_thread(get_json, f"{self.server.url}/api/quotes")
        return answer

    async def reference(self) -> dict[str, float]:
        """The price of each symbol as REST has it."""
        return {quote["symbol"]: quote["price"] for quote in (await self.quotes())["quotes"]}


def get_json(url: str) -> Any:
    """One answer."""
    with urllib.request.urlopen(url, timeout=20) as response:
        return json.loads(response.read())


@contextmanager
def stage(minutes: float) -> Iterator[Stage]:
    """A relay with its settings, ended with the block."""
    with serving(SETTINGS) as server:
        yield Stage(server, minutes)
