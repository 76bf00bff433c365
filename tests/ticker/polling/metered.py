"""A scripted source whose calls go through a gate, as those of every feed that asks over HTTP do, and are counted where they arrive."""

from __future__ import annotations

from collections.abc import Sequence

from tests.providers.counted import Counted
from tests.ticker.stepped import ScriptedSource, SteppedTime
from ticker.rate_limit import Cost, Demand, Gate, Rate
from ticker.settings.model import FeedSettings
from ticker.source import Answer, Subscription


class Metered(ScriptedSource):
    """A call costs what `price` says (by unit; one call, if nothing), and takes `takes_s`."""

    def __init__(
        self,
        name: str,
        time: SteppedTime,
        rates: Sequence[Rate],
        batch_size: int | None = 1,
        settings: FeedSettings | None = None,
        account: str = "",
    ) -> None:
        super().__init__(name, settings, batch_size)
        self.time = time
        self.gate = self.its_gate = Gate(account or name, rates, time, time.monotonic)
        self.price: Cost = {"calls": 1}
        self.takes_s = 0.0
        self.patience_s = 5.0
        self.arrived = Counted({f"{rate.unit}_per_{rate.window}": rate.most for rate in rates}, time.monotonic)
        self.asked_at_s: list[float] = []

    def cost(self, symbols: int) -> Cost:
        """Of a call for so many."""
        return self.price

    def demand(self, symbols: int, interval_s: float) -> Demand:
        """A call a batch, nothing to spare."""
        calls = -(-symbols // (self.batch_size or max(1, symbols)))
        return {unit: calls * amount / interval_s for unit, amount in self.price.items()}

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """What the script says, through the gate."""
        with self.its_gate.passing(self.cost(len(batch)), self.time.monotonic() + self.patience_s):
            self.asked_at_s.append(self.time.monotonic())
            self.arrived.count(self.price)
            self.time.pass_s(self.takes_s)
            return super().poll(batch)

    def exceeded(self) -> list[str]:
        """The limits that were not kept."""
        return [name for name, counted in self.arrived.shown().items() if counted["most"] > counted["limit"]]
