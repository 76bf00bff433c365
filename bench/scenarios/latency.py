"""The age of updates at rates below the limit, and of a lone update on an idle server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.children import ChildFailed
from bench.knee import whole_rounds_s
from bench.rows import Row
from bench.run import Bench, calm_window, sampling, session
from bench.servers import SEND_LOOP, SEND_LOOP_PACED, Load

NAME = "latency"
TITLE = "Age of an update when it arrives"


@dataclass(frozen=True)
class Case:
    """A load, the rate of each symbol, and how long it takes to have enough samples."""

    title: str
    load: Load
    hz: float
    least_s: float = 0.0
    slow_peers: bool = False  # worth trying with servers that reach only tens of thousands a second


CASES = (
    Case("a lone update, 1 client", Load(1, 1, flush_ms=50), 10, 20, slow_peers=True),
    Case("a lone update, 100 clients", Load(100, 1, flush_ms=50), 10, 10, slow_peers=True),
    Case("100 k/s: 500 clients × 20 at 10 Hz", Load(500, 20, flush_ms=50), 10),
    Case("1 M/s: 500 clients × 100 at 20 Hz", Load(500, 100, flush_ms=50), 20),
    Case("1 M/s: 500 clients × 20 at 100 Hz, flush_ms = 1", Load(500, 20, flush_ms=1), 100),
)


def run(bench: Bench) -> Iterator[Row]:
    """All cases; no pauses between the generator's reads."""
    for case in CASES:
        bench.say(case.title)
        for kind in bench.kinds:
            slow = kind.name.startswith("Flask")
            if slow and not case.slow_peers:
                continue
            offered = case.load.offered_per_s(case.hz)
            row = Row(NAME, case.title, SEND_LOOP_PACED if kind is SEND_LOOP else kind.name, offered_per_s=offered)
            try:
                with session(bench, kind, case.load, case.hz, *sampling(offered)) as opened:
                    seconds = whole_rounds_s(case.hz, min(case.least_s, 5.0) if bench.quick else max(bench.seconds, case.least_s))
                    row.speed = opened.speed
                    window = calm_window(bench, opened.generator, seconds)
                row.with_window(window, saturating=False)
                if window.updates_per_s < 0.95 * offered:
                    row.add_note("did not keep up")
            except ChildFailed as error:
                row.add_note(str(error).splitlines()[-1][:160])
            yield row
