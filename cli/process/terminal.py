"""The terminal that the program was started in, if it was: whether SIGHUP says that it was closed, or "read the settings again"."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence

from cli.process.descriptors import is_gone

CLOSED_S = 5.0
"""Within so long after the terminal's end a SIGHUP says that it was closed: it comes by way of the shell, which may take its time."""


def governs(descriptor: int) -> bool:
    """Whether it is the terminal that sends the process its signals. After `setsid` none is, though it may be written to."""
    try:
        os.tcgetpgrp(descriptor)
    except OSError:
        return False
    return True


class Terminal:
    """Looks at those of the standard streams that are the process' own terminal, by `is_own`. The reader of a pipe may leave: that
    closes no terminal.
    """

    def __init__(self, descriptors: Sequence[int] = (0, 1, 2), is_own: Callable[[int], bool] = governs) -> None:
        ends_with_it = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN  # which nohup has set: to ask it before there is a handler
        self._descriptors = [descriptor for descriptor in descriptors if ends_with_it and is_own(descriptor)]
        self._gone_s: float | None = None

    def look(self, now_s: float) -> None:
        """Notice when it is closed. `now_s`: on any clock that does not jump."""
        if self._gone_s is None and any(map(is_gone, self._descriptors)):
            self._gone_s = now_s

    def was_closed(self, now_s: float) -> bool:
        """Whether a SIGHUP that came now says that it was. Later ones, of a program that was to outlive it (`disown`), do not."""
        self.look(now_s)
        return self._gone_s is not None and now_s - self._gone_s < CLOSED_S
