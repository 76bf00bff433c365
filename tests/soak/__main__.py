"""`python -m tests.soak --minutes 10`: play the rows one after the other, print the table, stop. Exit 1 where a row is not met."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
import traceback

from tests.soak import apart, reborn, rows
from tests.soak.lasting import lasting
from tests.soak.stage import Stage, stage

PLAYED = {
    "stalled": rows.stalled_readers, "forgers": rows.forgers, "half_open": rows.half_open, "idlers": rows.idlers, "flood": rows.flood,
    "loris": rows.slow_loris, "leak": rows.leak, "resumes": reborn.resumes, "failover": apart.failover, "lossy": apart.lossy,
    "clock": apart.clock_jumps, "reloads": apart.reloads, "chaos": reborn.chaos, "storm": reborn.storm, "lasting": lasting}  # fmt: skip
"""In this order: a relay that was restarted has another history."""
ALL = [name for name in PLAYED if name != "lasting"]
"""That one takes all the time there is, and half an hour to say much."""
MOST_CLIENTS = 1000


async def play(on: Stage, names: list[str], clients: int) -> None:
    """One row after the other; one that fails to end says so and the next begins."""
    await rows.calibrate(on, clients)
    on.quiet_p99_ms = await on.crowd.p99_ms(2)
    for name in names:
        try:
            await PLAYED[name](on)
        except (TimeoutError, OSError, EOFError) as error:
            on.note(name, "came to its end", f"{type(error).__name__}: {error}", "no error", False)
            traceback.print_exc()


def main() -> int:
    """Read the arguments, play, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Run the relay under load and faults.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"default: all but lasting of {', '.join(PLAYED)}")
    parser.add_argument("--minutes", type=float, default=10, help="about how long it all takes (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=MOST_CLIENTS, help="at most (default: %(default)s)")
    arguments = parser.parse_args()
    if unknown := set(arguments.rows) - PLAYED.keys():
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # what is written to a connection that the relay has closed is no news
    began_s = time.monotonic()
    print("| row | promise | figure | bound | |\n| --- | --- | --- | --- | --- |", flush=True)
    with stage(arguments.minutes) as on:
        asyncio.run(play(on, arguments.rows or ALL, arguments.clients))
        if on.server.process.poll() is None:
            on.server.process.terminate()
            on.server.wait()
        missed = [row for row in on.rows if not row.is_met]
    print(f"{len(on.rows)} figures in {(time.monotonic() - began_s) / 60:.1f} minutes, {len(missed)} not met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
