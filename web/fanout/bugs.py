"""What is logged when a handler fails or the engine does: each bug a few times a minute, as a client may reach it at will."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from time import monotonic

from ticker.log_limit import LogLimit

BURST = 5
PERIOD_S = 60.0


class Bugs:
    """A logger of tracebacks that repetition does not flood: `BURST` of each bug in `PERIOD_S`. `clock`: seconds."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = monotonic) -> None:
        self._log = log
        self._clock = clock
        self._limit = LogLimit(BURST, PERIOD_S)

    def report(self, message: str, *arguments: object) -> None:
        """Log the exception that is being handled, with its traceback."""
        line = self._limit.passes(self._clock(), _line_raising())
        if line is None:
            return
        if line.left_out:
            self._log.error("the same went wrong %d times more", line.left_out)
        self._log.exception(message, *arguments)


def _line_raising() -> str:
    kind, _, trace = sys.exc_info()
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{kind}:{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
