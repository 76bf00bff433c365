"""What the Python peers share: their options, the quotes they send, and when the next round is due."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Pace:
    """Rounds at a steady rate. A round that comes late is not made up for: a peer that can't keep up sends fewer."""

    hz: float = 0.0
    _due: float = 0.0
    _input: str = field(default="")

    def obey(self, text: str) -> None:
        """Take what came in on standard input: whole lines `rate HZ`, perhaps cut."""
        *lines, self._input = (self._input + text).split("\n")
        for line in lines:
            self.hz = float(line.removeprefix("rate "))
            self._due = time.monotonic()

    def wait_s(self) -> float:
        """Seconds until the next round, 0 or more; a tenth of a second while paused."""
        return max(self._due - time.monotonic(), 0.0) if self.hz else 0.1

    def begin(self) -> None:
        """A round begins now."""
        self._due = max(self._due + 1 / self.hz, time.monotonic())


class Quotes:
    """The newest quote of each symbol, stamped with the time in µs."""

    def __init__(self, symbols: int, template: str) -> None:
        self.names = [f"S{number:04}" for number in range(symbols)]
        self._quote: dict[str, Any] = json.loads(template)
        self._seq: int = self._quote["seq"]

    def round(self) -> list[tuple[str, dict[str, Any]]]:
        """The next quote of every symbol, `(name, quote)`."""
        self._seq += 1
        stamped = {**self._quote, "seq": self._seq, "received_time": time.time_ns() // 1000}
        return [(name, {**stamped, "symbol": name}) for name in self.names]


def options() -> argparse.Namespace:
    """`--port`, `--symbols`, `--template`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--symbols", type=int, required=True)
    parser.add_argument("--template", required=True)
    return parser.parse_args()
