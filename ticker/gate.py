"""Lets the calls to a provider pass one by one, when the budget has room: what everything that leaves for the provider goes through."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ticker.errors import BudgetSpent
from ticker.rate_limit import CALL, Budget, Cost, Rate, Usage, lowest
from ticker.runtime import Runtime


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
