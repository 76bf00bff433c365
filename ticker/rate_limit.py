"""What a provider allows (calls, weight or credits, in a second, a minute, an hour or a day), and what has been spent of it.

A call counts from when it begins until a whole window after it has ended. Whenever in between it reached the provider, and wherever the
provider's windows begin, none of them ever holds more than its limit. A `Budget` is a plain object: no clock, times are monotonic seconds.
A `Gate` is what everything that leaves for the provider goes through: it lets calls pass one by one, when the budget has room.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple

from ticker import wire
from ticker.errors import BudgetSpent
from ticker.runtime import Runtime

Cost = Mapping[str, int]
"""What something takes of a budget, by unit: `{"calls": 1, "weight": 2}`."""
Demand = Mapping[str, float]
"""What something takes in a second, by unit."""

CALL: Cost = MappingProxyType({"calls": 1})
WINDOWS_S: Mapping[str, float] = MappingProxyType({"s": 1.0, "min": 60.0, "hour": 3600.0, "day": 86_400.0})
WINDOW_NAMES: Mapping[str, str] = MappingProxyType({"s": "second", "min": "minute", "hour": "hour", "day": "day"})

SHORTEST_WAIT_S = 0.001
"""No wait is shorter: what is added to a clock must move it."""
SLICES = 256
"""So finely a window's spending is remembered; a slice counts until its youngest call is a window old."""


class Rate(NamedTuple):
    """At most `most` of `unit` in any `window` (`s`, `min`, `hour` or `day`)."""

    unit: str
    most: int
    window: wire.Window

    @property
    def window_s(self) -> float:
        """The window's length, seconds."""
        return WINDOWS_S[self.window]

    @property
    def per_s(self) -> float:
        """What it comes to in a second."""
        return self.most / self.window_s

    def __str__(self) -> str:
        """`6000 weight a minute`, `1 call a second`."""
        unit = self.unit.removesuffix("s") if self.most == 1 else self.unit
        return f"{self.most} {unit} a{'n' if self.window == 'hour' else ''} {WINDOW_NAMES[self.window]}"


class Usage(NamedTuple):
    """What a provider says in its headers: for `reset_in_s` seconds from now, `left` of `unit` may still be spent."""

    unit: str
    left: int
    reset_in_s: float


class Budget:
    """The budget of one account with one provider, shared by all feeds that use it."""

    def __init__(self, rates: Iterable[Rate] = ()) -> None:
        self._windows = [_Window(rate) for rate in rates]
        self._told: dict[str, tuple[float, float]] = {}  # by unit: what is left, and until when that holds
        self._paused_until_s = -math.inf
        self._demands: dict[str, Demand] = {}

    @property
    def rates(self) -> list[Rate]:
        """The limits in force."""
        return [window.rate for window in self._windows]

    def usual_window_s(self) -> float:
        """How long to wait after a refusal that does not say it: the longest window up to a minute, seconds; a minute without any."""
        return max((rate.window_s for rate in self.rates if rate.window_s <= 60), default=60.0)

    def set_rates(self, rates: Iterable[Rate]) -> None:
        """Replace the limits; what was spent stays spent."""
        before = {(window.rate.unit, window.rate.window): window for window in self._windows}
        self._windows = []
        for rate in rates:
            window = before.get((rate.unit, rate.window)) or _Window(rate)
            window.rate = rate
            self._windows.append(window)

    def fits(self, cost: Cost) -> bool:
        """Whether something of that cost can be had at all."""
        return all(cost.get(window.rate.unit, 0) <= window.rate.most for window in self._windows)

    def wait_s(self, cost: Cost, now_s: float) -> float:
        """How long from now on, at least, until `cost` can be spent; 0: now. Ask again then: others may have been faster.

        What does not even fit into an empty window is treated like what just does, so that no wait is for ever.
        """
        wait_s = self._paused_until_s - now_s
        for unit, amount in cost.items():
            left, until_s = self._told.get(unit, (math.inf, now_s))
            if left < amount:
                wait_s = max(wait_s, until_s - now_s)
        for window in self._windows:
            wait_s = max(wait_s, window.wait_s(min(cost.get(window.rate.unit, 0), window.rate.most), now_s))
        return max(wait_s, SHORTEST_WAIT_S) if wait_s > 0 else 0.0

    def begin(self, cost: Cost) -> None:
        """A call of that cost begins. `end` must follow."""
        for window in self._windows:
            window.begin(cost.get(window.rate.unit, 0))
        for unit, (left, until_s) in self._told.items():
            self._told[unit] = left - cost.get(unit, 0), until_s

    def end(self, cost: Cost, now_s: float) -> None:
        """A call of that cost has ended, however it did: the provider has seen it by now, if it ever does."""
        for window in self._windows:
            window.end(cost.get(window.rate.unit, 0), now_s)

    def pause(self, until_s: float) -> None:
        """The provider asked to be left alone until then."""
        self._paused_until_s = max(self._paused_until_s, until_s)

    def hear(self, usage: Usage, now_s: float) -> None:
        """Take the provider's word for what is left: others may spend from the same account. What is under way may not be in it yet."""
        under_way = max((window.under_way for window in self._windows if window.rate.unit == usage.unit), default=0)
        self._told[usage.unit] = usage.left - under_way, now_s + usage.reset_in_s

    def plan(self, who: str, demand: Demand) -> None:
        """`who` means to spend so much from now on."""
        self._demands[who] = demand

    @property
    def planners(self) -> int:
        """How many mean to spend from it."""
        return len(self._demands)

    def keep_plans(self, of: Container[str]) -> None:
        """Forget what anybody else meant to spend."""
        self._demands = {who: demand for who, demand in self._demands.items() if who in of}

    def stretch(self) -> float:
        """By how much, 1 or more, everybody's intervals must grow so that all that is planned fits."""
        return max((needed(self._planned(rate.unit), rate) for rate in self.rates), default=1.0)

    def tightest(self) -> Rate | None:
        """The limit that makes intervals grow, `None` where all that is planned fits."""
        tightest = max(self.rates, key=lambda rate: needed(self._planned(rate.unit), rate), default=None)
        return tightest if self.stretch() > 1.0 else None

    def spent(self, now_s: float) -> list[wire.Spent]:
        """For people: each limit, and how much of it is spent in the window that ends now."""
        return [wire.Spent(unit=window.rate.unit, per=window.rate.window, most=window.rate.most,
                           used=(used := window.used(now_s)), left=window.rate.most - used) for window in self._windows]  # fmt: skip

    def _planned(self, unit: str) -> float:
        return sum(demand.get(unit, 0.0) for demand in self._demands.values())


def needed(per_s: float, rate: Rate) -> float:
    """By how much, 1 or more, intervals must grow so that what spends `per_s` of a unit in a second keeps to `rate`."""
    return max(1.0, per_s / rate.per_s)


def lowest(rates: Iterable[Rate]) -> list[Rate]:
    """Of several limits on the same unit and window the lowest."""
    found: dict[tuple[str, str], Rate] = {}
    for rate in rates:
        key = rate.unit, rate.window
        if key not in found or rate.most < found[key].most:
            found[key] = rate
    return list(found.values())


class Gate:
    """One feed's way to its provider. `account` says whose limits are spent, `rates` what they are as far as this feed knows.

    `budget` is this feed's own until `share` puts that of the account in its place. `monotonic` is the clock, in seconds.
    """

    def __init__(self, account: Hashable, rates: Sequence[Rate], runtime: Runtime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.account = account
        self.rates = list(rates)
        self.budget = Budget(rates)
        self._runtime = runtime
        self._monotonic = monotonic

    def wait_s(self, cost: Cost) -> float:
        """How long, at least, until a call of that cost may leave; 0: now."""
        return self.budget.wait_s(cost, self._monotonic())

    def has_room(self, cost: Cost = CALL) -> bool:
        """Whether a call of that cost could leave at once: for those that can be done without."""
        return not self.wait_s(cost)

    @contextmanager
    def passing(self, cost: Cost, until_s: float) -> Iterator[None]:
        """Wait until `cost` can be spent, and count the block as the call that spends it.

        Raises `BudgetSpent`, at once, where that would take until after `until_s` of the clock.
        """
        while wait_s := self.wait_s(cost):
            if self._monotonic() + wait_s > until_s:
                raise BudgetSpent(wait_s)
            self._runtime.sleep(wait_s)
        budget = self.budget
        budget.begin(cost)
        try:
            yield
        finally:
            budget.end(cost, self._monotonic())

    def pause(self, seconds: float) -> None:
        """Let nothing pass for so long: the provider asked for it."""
        self.budget.pause(self._monotonic() + seconds)

    def hear(self, usage: Usage) -> None:
        """Take the provider's word for what is left."""
        self.budget.hear(usage, self._monotonic())


class Accounts:
    """The budgets by account. They outlive feeds: neither a ban nor what was spent is forgotten when settings change."""

    def __init__(self) -> None:
        self._budgets: dict[Hashable, Budget] = {}

    def share(self, gates: Mapping[str, Gate]) -> None:
        """Give all feeds of one account one budget: of their limits the lowest each. `gates` are those of all feeds, by name."""
        by_account: dict[Hashable, dict[str, Gate]] = {}
        for name, gate in gates.items():
            by_account.setdefault(gate.account, {})[name] = gate
        for account, members in by_account.items():
            budget = self._budgets.setdefault(account, Budget())
            budget.set_rates(lowest(rate for gate in members.values() for rate in gate.rates))
            for gate in members.values():
                gate.budget = budget
        for account, budget in self._budgets.items():
            budget.keep_plans(by_account.get(account, {}))


class _Window:
    """One limit, and what counts against it."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.under_way = 0
        self._ended = 0
        self._slices: deque[list[float]] = deque()  # when its first call ended, when its last did, how much they took

    def used(self, now_s: float) -> int:
        """What counts now."""
        while self._slices and self._slices[0][1] + self.rate.window_s <= now_s:
            self._ended -= int(self._slices.popleft()[2])
        return self.under_way + self._ended

    def wait_s(self, amount: int, now_s: float) -> float:
        if amount == 0:
            return 0.0
        excess = self.used(now_s) + amount - self.rate.most
        if excess <= 0:
            return 0.0
        for _, last_s, taken in self._slices:
            excess -= int(taken)
            if excess <= 0:
                return last_s + self.rate.window_s - now_s
        return self.rate.window_s  # what is under way has to end first, and then to grow old

    def begin(self, amount: int) -> None:
        self.under_way += amount

    def end(self, amount: int, now_s: float) -> None:
        if amount == 0:
            return
        self.under_way -= amount
        self._ended += amount
        newest = self._slices[-1] if self._slices else None
        if newest is not None and now_s - newest[0] <= self.rate.window_s / SLICES:
            newest[1], newest[2] = now_s, newest[2] + amount
        else:
            self._slices.append([now_s, now_s, amount])
