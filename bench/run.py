"""What all scenarios are made of: a server with its clients, a window that was not disturbed, a climb to the knee."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.knee import Rung, next_offer, whole_rounds_s
from bench.loadgen import Generator, Joined, Window, generator
from bench.machine import speed
from bench.rows import is_disturbed
from bench.servers import Kind, Load, Running

SETTLE_S = 1.0
DRAIN_S = 6.0
COALESCE = ("--coalesce-us", "500")
FASTEST_HZ = 400.0  # of a symbol, for the first try


@dataclass
class Bench:
    """The options of this run, and what was learnt about the machine in it."""

    kinds: list[Kind]
    seconds: float
    quick: bool
    say: Callable[[str], None]
    best_speed: float = 0.0
    object_bytes: dict[str, int] = field(default_factory=dict)  # of our quotes, by case
    our_hz: dict[str, float] = field(default_factory=dict)  # of our feed, by case, where that left our core room

    @property
    def rounds(self) -> int:
        """How often servers take turns."""
        return 1 if self.quick else 3

    def speed(self) -> float:
        """The machine's speed now, against the best seen in this run."""
        now = speed()
        self.best_speed = max(self.best_speed, now)
        return now / self.best_speed

    def find(self, name: str) -> Kind | None:
        """A server of this run by its name in the tables."""
        return next((kind for kind in self.kinds if kind.name == name), None)


@dataclass
class Session:
    """A running server and its clients, all joined."""

    server: Running
    generator: Generator
    joined: Joined
    speed: float  # of the machine before it was started, against the best of this run


@contextlib.contextmanager
def session(
    bench: Bench, kind: Kind, load: Load, hz: float, *options: str, join_timeout_s: float = 60, silent_joins: bool = True
) -> Iterator[Session]:
    """Start a server, bring in its clients, then let it send. With `silent_joins` a steerable server is quiet until all are in."""
    speed_before = bench.speed()
    with kind.start(load, hz) as server:
        if kind.steerable and not silent_joins:
            server.offer(hz)
        with generator(server, load, *options, deflate=kind.deflate, join_timeout_s=join_timeout_s) as clients:
            opened = Session(server, clients, clients.joined(), speed_before)
            if kind.steerable and silent_joins:
                server.offer(hz)
            yield opened


def sampling(offered_per_s: float) -> tuple[str, str]:
    """Option of the generator: the age of every update up to 200,000 a second, then of fewer; it has to parse them."""
    return "--sample-every", "1" if offered_per_s < 200_000 else "7" if offered_per_s < 2_000_000 else "97"


def calm_window(bench: Bench, clients: Generator, seconds: float, attempts: int = 3) -> Window:
    """Measure once things have settled, again if others used the machine meanwhile; the last attempt stands whatever it is."""
    for attempt in range(attempts):
        time.sleep(SETTLE_S)
        window = clients.measure(seconds)
        if not is_disturbed(window.machine):
            break
        if attempt < attempts - 1:
            machine = window.machine
            bench.say(
                f"    disturbed (stolen {machine.stolen:.0%}, sender's core busy {machine.sender_core_busy:.0%}, of which "
                f"{machine.sender_cpu:.0%} by the sender), again"
            )
    return window


def climb(bench: Bench, kind: Kind, load: Load, first_per_s: float, *options: str) -> tuple[list[Rung], Joined]:
    """Look for the knee of a steerable server. One that was overloaded is given time to drain, or else started anew."""
    rungs: list[Rung] = []
    joined: Joined | None = None
    precision = 1.5 if bench.quick else 1.2
    first_per_s = min(first_per_s, load.offered_per_s(FASTEST_HZ))
    options = (*options, *sampling(4 * first_per_s))
    while (offer := next_offer(rungs, first_per_s, precision=precision)) is not None:
        with session(bench, kind, load, load.hz(offer), *options) as opened:
            joined = joined or opened.joined
            if opened.joined.live < load.clients:
                return rungs, opened.joined
            while offer is not None:
                rungs.append(_rung(bench, opened, load, offer))
                offer = next_offer(rungs, first_per_s, precision=precision)
                lost = rungs[-1].window.live < load.clients
                if lost or (not rungs[-1].keeps_up and (offer is None or not _drains(opened))):
                    break
    if joined is None:
        raise ValueError("first_per_s was never tried")
    return rungs, joined


def _rung(bench: Bench, opened: Session, load: Load, offer: float) -> Rung:
    opened.server.offer(load.hz(offer))
    time.sleep(SETTLE_S)
    window = opened.generator.measure(whole_rounds_s(load.hz(offer), bench.seconds))
    bench.say(f"    {opened.server.name}: offered {offer:,.0f}/s, delivered {window.updates_per_s:,.0f}/s, p99 {window.p99_ms:.1f} ms")
    return Rung(offer, window)


def _drains(opened: Session) -> bool:
    opened.server.offer(0)
    end = time.monotonic() + DRAIN_S
    while time.monotonic() < end:
        if opened.generator.measure(0.5).updates_per_s == 0:
            return True
    return False
