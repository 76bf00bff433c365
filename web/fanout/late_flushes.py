"""What the debug log says of flushes that begin late. Pure but for the log; times are arguments, seconds of a monotonic clock."""

from __future__ import annotations

import logging

from ticker.log_limit import LogLimit

log = logging.getLogger(__name__)

LATE = 1 / 2
"""A flush that is later than this part of a window is told of."""
SAY_EVERY_S = 10.0
"""However many are late, the log has a line about it so often."""


class LateFlushes:
    """Knows since when there is something to flush."""

    def __init__(self) -> None:
        self._dirty_since_s = 0.0
        self._limit = LogLimit(1, SAY_EVERY_S)

    def dirty(self, now_s: float) -> None:
        """There was nothing to flush before now."""
        self._dirty_since_s = now_s

    def begin(self, now_s: float, opened_s: float, window_s: float) -> None:
        """A flush begins that might have begun at `opened_s`; windows are `window_s` long."""
        late_s = now_s - max(opened_s, self._dirty_since_s)
        if late_s <= LATE * window_s or not log.isEnabledFor(logging.DEBUG):
            return
        line = self._limit.passes(now_s)
        if line is not None:
            others = f"; so did {line.left_out} others since the last such line" if line.left_out else ""
            log.debug("a flush began %.1f ms late, where a window is %g ms long%s", late_s * 1000, window_s * 1000, others)
