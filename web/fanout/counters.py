"""What the fan-out counts about itself. Counting is an addition; whoever wants to see it reads (`web.metrics`)."""

from __future__ import annotations

from collections import Counter

from ticker.counters import Histogram

LAG_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
AGE_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counters:
    """Since the start. What the flushes count stands in `Flusher`, connections and their ends in `Engine.ledger`,
    who is not let in in `Engine.refusals`."""

    def __init__(self) -> None:
        self.joins = 0  # namespaces joined, the board among them
        self.stalls = 0  # times that a socket turned out to be full
        self.refused_joins: Counter[str] = Counter()  # by the code in the CONNECT_ERROR
        self.lag_s = Histogram(LAG_BOUNDS_S)
        """How late the loop was for its own timer, four times a second."""
        self.flush_s = Histogram(LAG_BOUNDS_S)
        """How long a flush took, its pauses for others included."""
        self.age_s = Histogram(AGE_BOUNDS_S)
        """From `received_time` to the end of the flush, of one quote a flush."""
