"""Drives the load generator: `bench/native/loadgen.c` documents its commands and what it reports."""

from __future__ import annotations

import contextlib
import json
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.build import program
from bench.children import GENERATOR_CORE, SERVER_CORE, Child, ChildFailed, child
from bench.servers import Load, Running


@dataclass(frozen=True)
class Machine:
    """The processors during a stretch of time; shares of one core, 1.0 is all of it."""

    sender_cpu: float  # the process that sends
    helper_cpu: float  # other processes of the server
    generator_cpu: float
    sender_core_busy: float  # not idle: stolen time counts as busy
    generator_core_busy: float
    stolen: float  # of the sender's core, by the hypervisor
    rss_start: int  # bytes, of the process that sends
    rss_end: int
    rss_peak: int
    tcp_memory_end: int  # bytes in the kernel's TCP buffers


@dataclass(frozen=True)
class Joined:
    """Everybody has connected and joined, or the time was up."""

    timed_out: bool
    clients: int
    live: int
    joins: int
    refused: int
    open_s: float  # first connect until the last WebSocket was open
    join_s: float  # first connect until the last namespace was joined
    machine: Machine
    reasons: dict[str, int]

    @property
    def bytes_per_client(self) -> float:
        """Resident memory that the clients cost the server, a client."""
        return (self.machine.rss_end - self.machine.rss_start) / max(self.live, 1)


@dataclass(frozen=True)
class Window:
    """What arrived in a stretch of time. Ages are in ms."""

    seconds: float
    updates_per_s: float
    bytes_per_s: float
    object_bytes: float  # mean length of a quote's JSON
    samples: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    least: int  # updates of the client that got the fewest, among those that read at full pace
    most: int
    starved: int  # clients that got nothing
    gaps: int  # clients that heard nothing for longer than the limit
    backwards: int  # updates with a lower `seq` than before
    repeated: int
    gone: int
    protocol_errors: int
    live: int
    closed: int
    reasons: dict[str, int]
    machine: Machine

    @property
    def cpu_us_per_update(self) -> float:
        """CPU time of the sending process for one delivered update."""
        return self.machine.sender_cpu * 1e6 / self.updates_per_s if self.updates_per_s else 0.0


@dataclass(frozen=True)
class Resumed:
    """What became of the clients that had stalled."""

    stalled: int
    caught_up: int  # have at least the newest value of each symbol as of the moment they resumed
    behind: int
    closed_by_server: int
    first_close_s: float  # after the stall began
    last_close_s: float
    recovery_p50_ms: float
    recovery_max_ms: float
    backwards: int
    protocol_errors: int
    reasons: dict[str, int]


def parse_machine(said: dict[str, Any]) -> Machine:
    """From any event that spans time."""
    cores, watched = said["cores"], said["watched"]
    sender: dict[str, Any] = watched[0] if watched else {"cpu": 0.0, "rss_start": 0, "rss_end": 0, "rss_peak": 0}
    mine = cores[SERVER_CORE]
    return Machine(
        sender["cpu"],
        sum(other["cpu"] for other in watched[1:]),
        said["generator_cpu"],
        mine["busy"],
        cores[GENERATOR_CORE]["busy"],
        mine["stolen"],
        sender["rss_start"],
        sender["rss_end"],
        sender["rss_peak"],
        said["tcp_memory_end"],
    )


def parse_joined(said: dict[str, Any]) -> Joined:
    """From `{"event":"joined"}`."""
    return Joined(
        **{key: said[key] for key in ("timed_out", "clients", "live", "joins", "refused", "open_s", "join_s", "reasons")},
        machine=parse_machine(said),
    )


def parse_window(said: dict[str, Any]) -> Window:
    """From `{"event":"window"}`."""
    age = said["age_ms"]
    plain = ("seconds", "updates_per_s", "bytes_per_s", "object_bytes", "least", "most", "starved", "gaps", "backwards", "repeated",
             "gone", "protocol_errors", "live", "closed", "reasons")  # fmt: skip
    return Window(
        **{key: said[key] for key in plain},
        samples=age["samples"],
        p50_ms=age["p50"],
        p95_ms=age["p95"],
        p99_ms=age["p99"],
        max_ms=age["max"],
        machine=parse_machine(said),
    )


def parse_resumed(said: dict[str, Any]) -> Resumed:
    """From `{"event":"resumed"}`."""
    plain = ("stalled", "caught_up", "behind", "closed_by_server", "first_close_s", "last_close_s", "backwards", "protocol_errors",
             "reasons")  # fmt: skip
    return Resumed(
        **{key: said[key] for key in plain}, recovery_p50_ms=said["recovery_ms"]["p50"], recovery_max_ms=said["recovery_ms"]["max"]
    )


class Generator:
    """A running load generator."""

    def __init__(self, process: Child, join_timeout_s: float) -> None:
        self._child = process
        self._pending = b""
        self._join_timeout_s = join_timeout_s

    def joined(self) -> Joined:
        """Wait until everybody has joined."""
        return parse_joined(self._answer("joined", self._join_timeout_s + 10))

    def measure(self, seconds: float) -> Window:
        """Count for so long, from now."""
        self._child.tell(f"measure {seconds}")
        return parse_window(self._answer("window", seconds + 20))

    def stall(self) -> None:
        """The clients chosen for it stop reading."""
        self._child.tell("stall")
        self._answer("stalled", 20)

    def resume(self, seconds: float) -> Resumed:
        """They read again; watch them for so long."""
        self._child.tell(f"resume {seconds}")
        return parse_resumed(self._answer("resumed", seconds + 20))

    def _answer(self, event: str, timeout_s: float) -> dict[str, Any]:
        output = self._child.process.stdout
        if output is None:
            raise ChildFailed("the load generator's output is not piped")
        end = time.monotonic() + timeout_s
        while b"\n" not in self._pending:
            ready, _, _ = select.select([output], [], [], max(end - time.monotonic(), 0))
            if not ready:
                raise self._child.failed(f"did not answer {event} within {timeout_s:.0f} s")
            heard = output.read1(65_536)  # type: ignore[attr-defined]  # Popen types a pipe as IO[bytes]; it is a BufferedReader
            if not heard:
                raise self._child.failed("ended")
            self._pending += heard
        line, self._pending = self._pending.split(b"\n", 1)
        said: dict[str, Any] = json.loads(line)
        if said["event"] != event:
            raise self._child.failed(f"answered {said['event']}, not {event}")
        return said


@contextlib.contextmanager
def generator(server: Running, load: Load, *options: str, deflate: bool = False, join_timeout_s: float = 60) -> Iterator[Generator]:
    """Clients of `server` for as long as the block lasts; they begin to connect at once."""
    # An address has 28,000 ports to connect from; and our server takes 2,000 connections a second as it is shipped.
    crowd = ["--sources", "8", "--parallel", "200", "--connects-per-s", "1800"] if load.clients > 1000 else []
    watch = [part for pid in server.watched for part in ("--watch", str(pid))]
    command = [program("loadgen"), "--port", str(server.port), "--protocol", server.protocol, "--clients", str(load.clients),
               "--symbols", str(load.symbols), "--universe", str(load.all_symbols), "--join-timeout", str(join_timeout_s),
               *(["--distinct"] if load.distinct else []), *(["--deflate"] if deflate else []), *watch, *crowd,
               *options]  # fmt: skip
    with child("load generator", command, GENERATOR_CORE, pipe_stdout=True) as process:
        yield Generator(process, join_timeout_s)
