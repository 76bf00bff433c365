"""One measured figure with its circumstances, and when it counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from bench.loadgen import Joined, Machine, Window

SATURATED = 0.95
COMPARE_CPU = "compare CPU per update"
DISTURBED_STOLEN = 0.05
DISTURBED_FOREIGN = 0.10
SLOW = 0.75


@dataclass
class Row:
    """One line of a table. Absent is not measured, never 0."""

    scenario: str
    case: str
    server: str
    offered_per_s: float | None = None
    delivered_per_s: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    cpu_us: float | None = None  # of the sending process, a delivered update
    helper_cpu: float | None = None  # of its other processes, shares of a core
    join_s: float | None = None
    joins_per_s: float | None = None
    kib_per_client: float | None = None
    sender_busy: float | None = None
    generator_busy: float | None = None
    speed: float | None = None  # of the machine at that moment, against the best of the run
    verdict: str = ""
    note: str = ""
    facts: dict[str, float] = field(default_factory=dict)

    def with_window(self, window: Window, *, saturating: bool) -> Row:
        """Fill in what a window says; `saturating`: the server was asked for more than it can do."""
        machine = window.machine
        self.delivered_per_s, self.cpu_us = window.updates_per_s, window.cpu_us_per_update
        self.p50_ms, self.p95_ms, self.p99_ms, self.max_ms = window.p50_ms, window.p95_ms, window.p99_ms, window.max_ms
        self.sender_busy, self.generator_busy = machine.sender_core_busy, machine.generator_core_busy
        self.helper_cpu = machine.helper_cpu or None
        self.verdict = verdict(machine, saturating=saturating)
        if self.speed is not None and self.speed < SLOW:
            self.add_note("the machine was slow")
        troubles = {
            "closed": window.closed,
            "starved": window.starved,
            "backwards": window.backwards,
            "protocol errors": window.protocol_errors,
        }
        self.add_note(", ".join(f"{count} {what}" for what, count in troubles.items() if count) + _reasons(window.reasons))
        return self

    def with_joined(self, joined: Joined) -> Row:
        """Fill in how the clients came."""
        if joined.timed_out or joined.live < joined.clients:
            self.add_note(f"only {joined.live} of {joined.clients} clients joined" + _reasons(joined.reasons))
        else:
            self.join_s, self.joins_per_s = joined.join_s, (joined.joins / joined.join_s if joined.joins else None)
            self.kib_per_client = joined.bytes_per_client / 1024
        return self

    @property
    def compares_cpu(self) -> bool:
        """Its rate is not the server's limit: compare the CPU time of an update."""
        return COMPARE_CPU in self.verdict

    def add_note(self, note: str) -> None:
        """One more remark."""
        self.note = "; ".join(part for part in (self.note, note) if part)

    def to_json(self) -> dict[str, Any]:
        """For `results.json`."""
        return asdict(self)


def _reasons(reasons: dict[str, int]) -> str:
    return "".join(f", {reason} × {count}" for reason, count in reasons.items())


def advantage(ours: Row, other: Row) -> tuple[float | None, bool]:
    """How many times more ours delivers; and whether that had to be told from the CPU time of an update, because a rate in it was
    not the sender's limit."""
    by_cpu = ours.compares_cpu or other.compares_cpu
    upper, lower = (other.cpu_us, ours.cpu_us) if by_cpu else (ours.delivered_per_s, other.delivered_per_s)
    return (upper / lower if upper is not None and lower else None), by_cpu


def by_round(ours: Row, other: Row) -> list[float]:
    """The same round by round, where both took turns: what the machine does between two rounds is not in these."""
    rounds = [name for name in ours.facts if name.startswith("round ") and other.facts.get(name)]
    return [ours.facts[name] / other.facts[name] for name in rounds]


def verdict(machine: Machine, *, saturating: bool) -> str:
    """What a figure is worth. A highest rate counts while the sender's core is the limit (≥ 95 % busy) and the generator's is not
    (< 95 %); else only the CPU time of an update can be compared. Disturbed: others used the cores."""
    said = "valid"
    if machine.generator_core_busy >= SATURATED:
        said = f"generator's core full: {COMPARE_CPU}"
    elif saturating and machine.sender_core_busy < SATURATED:
        said = f"sender's core not full: {COMPARE_CPU}"
    return f"{said}; disturbed" if is_disturbed(machine) else said


def is_disturbed(machine: Machine) -> bool:
    """Others took more of the two cores than noise: the hypervisor, or processes that are not part of the measurement."""
    foreign = (
        machine.sender_core_busy - machine.sender_cpu - machine.stolen,
        machine.generator_core_busy - machine.generator_cpu - machine.helper_cpu,
    )
    return machine.stolen > DISTURBED_STOLEN or max(foreign) > DISTURBED_FOREIGN
