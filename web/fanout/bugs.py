"""What is logged when a handler fails or the engine does: each bug a few times a minute, as a client may reach it at will."""

from __future__ import annotations

import logging
import sys
from time import monotonic

BURST = 5
PERIOD_S = 60.0


class Bugs:
    """A logger of tracebacks that repetition does not flood: `BURST` of each bug in `PERIOD_S`."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self.clock = monotonic
        self._counted: dict[str, tuple[float, int]] = {}  # by the line that raised: since when, how many

    def report(self, message: str, *arguments: object) -> None:
        """Log the exception that is being handled, with its traceback."""
        where, now_s = _line_raising(), self.clock()
        since_s, count = self._counted.get(where, (now_s, 0))
        if now_s >= since_s + PERIOD_S:
            if count > BURST:
                self._log.error("the same went wrong %d times more", count - BURST)
            since_s, count = now_s, 0
        self._counted[where] = since_s, count + 1
        if count < BURST:
            self._log.exception(message, *arguments)


def _line_raising() -> str:
    kind, _, trace = sys.exc_info()
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{kind}:{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
