"""How long it is from one poll of a feed to the next: as the settings say, or longer where that can't be, and why. No clock."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ticker.source import Source

NOTABLE = 0.05
"""A change of what the limits allow is told if it is more than this part of it."""
NOTABLY_LATE = 0.2
"""A change of how long a round takes is told if it is more than this part of it: no two rounds take the same time."""


class Interval:
    """The intervals of one feed. `interval_s` is what the settings say; what is slower than that is stretched by the same factor."""

    def __init__(self, source: Source, interval_s: float) -> None:
        self.interval_s = interval_s
        self._source = source
        self._symbols = 0
        self._stretch = 1.0
        self._took_s = 0.0  # by the last round, where that was longer than there was time for
        self._noted = (interval_s, 1.0, 0.0)

    def plan(self, counts: Mapping[float | None, int]) -> None:
        """So many symbols are to be polled at each period (`None`: the interval)."""
        self._symbols = sum(counts.values())
        gate = self._source.gate
        if gate is None:
            return
        spent: dict[str, float] = {}
        for period_s, symbols in counts.items():
            for unit, per_s in self._source.demand(symbols, period_s or self.interval_s).items() if symbols else ():
                spent[unit] = spent.get(unit, 0.0) + per_s
        gate.budget.plan(self._source.name, spent)

    def took(self, seconds: float) -> None:
        """A round of calls took so long, with nothing going wrong."""
        self._took_s = seconds if seconds > self.planned_s * (1 + NOTABLY_LATE) else 0.0

    def look(self) -> bool:
        """Take in what the limits allow by now; whether the intervals in force differ notably from when this last said so."""
        gate = self._source.gate
        self._stretch = 1.0 if gate is None else gate.budget.stretch()
        interval_s, stretch, took_s = self._noted
        if interval_s == self.interval_s and _alike(stretch, self._stretch, NOTABLE) and _alike(took_s, self._took_s, NOTABLY_LATE):
            return False
        self._noted = self.interval_s, self._stretch, self._took_s
        return True

    @property
    def planned_s(self) -> float:
        """The interval that the provider's limits leave room for."""
        return self.interval_s * self._stretch

    def in_force_s(self, period_s: float | None = None, with_calls: bool = True) -> float:
        """How long it really is from one answer to the next, for symbols that are to be polled every `period_s` (`None`: interval).

        Without how long the calls take, if that is to be held against the provider.
        """
        return max((period_s or self.interval_s) * self._stretch, self._took_s if with_calls else 0.0)

    def most(self, batch_size: int | None) -> int | None:
        """How many symbols the limits have room for in one interval; `None`: as many as there are."""
        gate = self._source.gate
        if gate is None or batch_size is None:
            return None
        cost = self._source.cost(batch_size)
        calls = min((rate.per_s * self.planned_s / cost[rate.unit] for rate in gate.budget.rates if cost.get(rate.unit)), default=math.inf)
        return None if calls == math.inf else int(calls) * batch_size

    @property
    def limited(self) -> str | None:
        """Which limit makes the interval longer than the settings say, `None` where none does."""
        gate = self._source.gate
        rate = None if gate is None or self._stretch == 1 else gate.budget.tightest()
        if gate is None or rate is None:
            return None
        others = " together with other feeds" if gate.budget.planners > 1 else ""
        return f"{self._polls()} are more than {rate} allow{'s' if rate.most == 1 else ''}{others}"

    @property
    def reason(self) -> str | None:
        """Why the interval in force is longer than the settings say, `None` where it is not."""
        return self.limited or (f"{self._polls()} take {self._took_s:.3g} s" if self._took_s else None)

    def _polls(self) -> str:
        return f"{self._symbols} symbol{'' if self._symbols == 1 else 's'} every {self.interval_s:g} s"


def _alike(one: float, other: float, part: float) -> bool:
    return abs(one - other) <= part * max(one, other)
