"""`python -m tests.attacks --seconds 10 [ATTACK …]`: each attack for so long, what a witness saw of it; exit 1 where a bound is not kept.

Attackers come from 127.0.0.2, once with and once without a token; then all of them from the witness' own address, where no limit by address
tells them apart.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.attacks.clients import ATTACKS
from tests.attacks.witness import SYMBOL, Witness
from tests.e2e.server import RunningServer, serving

TOKEN = "correct-horse-battery-staple"
MOST_GAP_MS, MOST_ANSWER_MS, MOST_WATCHDOG_S = 300.0, 500.0, 2.0
MOST_CUT_GAP_MS, MOST_HEAD_KB = 500.0, 48.0
WATCHDOG_USEC = "2000000"
SETTINGS = """
[server]
auth = "{auth}"
metrics = "{metrics}"
[feeds.sim]
kind = "simulated"
interval_s = 0.1
[symbols]
{witness} = {{ feed = "sim" }}
"""


class Watchdog:
    """What the manager of a service sees: the longest time between two signs of life."""

    def __init__(self, folder: str) -> None:
        self.path = f"{folder}/notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self.longest_s, self._last_s = 0.0, time.monotonic()
        threading.Thread(target=self._listen, daemon=True).start()

    def begin(self) -> None:
        """Forget what was."""
        self.longest_s, self._last_s = 0.0, time.monotonic()

    def _listen(self) -> None:
        while True:
            if b"WATCHDOG=1" in self._socket.recv(4096):
                now_s = time.monotonic()
                self.longest_s, self._last_s = max(self.longest_s, now_s - self._last_s), now_s


@contextmanager
def attacked(auth: str, requests_per_s: int, symbols: int = 1000) -> Iterator[tuple[RunningServer, Watchdog]]:
    """A relay to attack."""
    settings = SETTINGS.format(auth=auth, metrics="open", witness=SYMBOL)
    settings += "".join(f'S{number} = {{ feed = "sim" }}\n' for number in range(symbols - 1))
    with tempfile.TemporaryDirectory() as folder:
        watchdog = Watchdog(folder)
        os.environ |= {"NOTIFY_SOCKET": watchdog.path, "WATCHDOG_USEC": WATCHDOG_USEC}
        variables = {"LIMITS__HTTP_REQUESTS_PER_S": str(requests_per_s), **({"SERVER__TOKENS": TOKEN} if auth == "token" else {})}
        with serving(settings, variables=variables) as server:
            yield server, watchdog


def resident_kb(server: RunningServer) -> float:
    """How much memory it has."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return float(status.split("VmRSS:")[1].split()[0])


def cpu_s(server: RunningServer) -> float:
    """How much processor time it has used."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def attack(server: RunningServer, watchdog: Watchdog, name: str, seconds: float, source: str, token: str, witness_token: str) -> bool:
    """One attack; prints its row and says whether all bounds were kept."""
    port = server.address[1]
    witness = Witness(port, seconds + 1, witness_token)
    witness.begun()
    watchdog.begin()
    before_kb, peak_kb, began_s, used_s = resident_kb(server), 0.0, time.monotonic(), cpu_s(server)
    attacker = subprocess.Popen(
        [sys.executable, "-m", "tests.attacks.clients", name, str(port), str(seconds), source, token], stdout=subprocess.PIPE, text=True
    )
    while attacker.poll() is None:
        peak_kb = max(peak_kb, resident_kb(server))
        time.sleep(0.05)
    core = (cpu_s(server) - used_s) / (time.monotonic() - began_s)
    count = attacker.communicate()[0].strip()
    seen = witness.seen()
    is_cut = name.startswith("3,000")
    grown_kb = (peak_kb - before_kb) / (3000 if is_cut else 1)
    kept = (
        seen.gap_ms <= (MOST_CUT_GAP_MS if is_cut else MOST_GAP_MS)
        and seen.answer_p99_ms <= MOST_ANSWER_MS
        and watchdog.longest_s <= MOST_WATCHDOG_S
        and (not is_cut or grown_kb <= MOST_HEAD_KB)
    )
    verdict = "" if kept else "NOT KEPT"
    print(
        f"| {name} | {source[-1:]}{', token' if token else ''} | {count} | {seen.gap_ms:.0f} | {seen.answer_p99_ms:.0f} | "
        f"{seen.answer_longest_ms:.0f} | {watchdog.longest_s:.1f} | {100 * core:.0f} % | {grown_kb:.0f} KB | {verdict} |",
        flush=True,
    )
    return kept


def main() -> int:
    """Read the arguments, attack, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description="Attack a relay, with a witness.")
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"default: all of {', '.join(ATTACKS)}")
    parser.add_argument("--seconds", type=float, default=10, help="of each (default: %(default)s)")
    parser.add_argument("--requests-per-s", type=int, default=1_000_000, help="limits.http_requests_per_s (default: as good as none)")
    arguments = parser.parse_args()
    if unknown := set(arguments.attacks) - ATTACKS.keys():
        parser.error(f"there is no attack {', '.join(sorted(unknown))}")
    print("| attack | from 127.0.0 | count | gap of quotes, ms | /healthz p99 | longest | WATCHDOG, s | core | memory | |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    kept = True
    for auth, sources in (("none", ("127.0.0.2", "127.0.0.1")), ("token", ("127.0.0.2",))):
        with attacked(auth, arguments.requests_per_s) as (server, watchdog):
            for name in arguments.attacks or ATTACKS:
                for source in sources:
                    for token in ("", TOKEN) if auth == "token" else ("",):
                        kept &= attack(server, watchdog, name, arguments.seconds, source, token, TOKEN if auth == "token" else "")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
