"""Many clients, few updates: 10,000 clients with 20 symbols each, every symbol once a second, joining while updates flow."""

from __future__ import annotations

from collections.abc import Iterator

from bench.children import ChildFailed
from bench.rows import Row
from bench.run import Bench, calm_window, session
from bench.servers import SEND_LOOP, SEND_LOOP_PACED, Load

NAME = "crowd"
TITLE = "10,000 clients × 20 symbols at 1 update/s"
LOAD = Load(10_000, 20, flush_ms=50)


def run(bench: Bench) -> Iterator[Row]:
    """Servers that can be expected to manage it."""
    for kind in bench.kinds:
        if kind.name.startswith("Flask"):
            continue
        label = SEND_LOOP_PACED if kind is SEND_LOOP else kind.name
        bench.say(f"{TITLE}: {label}")
        row = Row(NAME, TITLE, label, offered_per_s=LOAD.offered_per_s(1))
        patience_s = 40 if bench.quick else 120
        try:
            with session(
                bench, kind, LOAD, 1, "--sample-every", "1", "--gap", "3", join_timeout_s=patience_s, silent_joins=False
            ) as opened:
                row.with_joined(opened.joined)
                if opened.joined.live == LOAD.clients:
                    row.speed = opened.speed
                    window = calm_window(bench, opened.generator, 5 if bench.quick else 20)
                    row.with_window(window, saturating=False)
                    row.kib_per_client = (window.machine.rss_peak - opened.joined.machine.rss_start) / LOAD.clients / 1024
        except ChildFailed as error:
            row.add_note(str(error).splitlines()[-1][:160])
        yield row
