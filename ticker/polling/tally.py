"""How one poll went, call by call."""

from __future__ import annotations

from ticker.errors import BudgetSpent, FeedError
from ticker.polling.bad_symbols import Batch

GIVE_UP_AFTER = 3
"""So many failed calls running end a poll; fewer cost only their own symbols."""
SEARCH_CALLS = 64
"""The most extra calls that one poll spends on finding the symbols that spoil a batch: enough for 4 in 100."""


class Tally:
    """How a poll went so far: `answers` calls were answered, `failures` were not; `spent`: the rest was not asked for.

    `patience_s`: how long a call may wait for room in the provider's limits.
    """

    def __init__(self, patience_s: float = 0.0) -> None:
        self.patience_s = patience_s
        self.spent: BudgetSpent | None = None
        self.answers = 0
        self.failures: list[tuple[Batch, FeedError]] = []
        self.search_calls = SEARCH_CALLS
        self.give_up = False
        self._failed_running = 0

    def good(self) -> None:
        """A call was answered."""
        self.answers += 1
        self._failed_running = 0

    def failed(self, batch: Batch, error: FeedError) -> None:
        """The call for `batch` was not answered: with `give_up`, the provider is to be left alone for now."""
        self.failures.append((batch, error))
        self._failed_running += 1
        self.give_up = error.retry_after_s is not None or self._failed_running >= GIVE_UP_AFTER

    def worst(self) -> FeedError:
        """The failure that asks for the longest wait, else the last."""
        return max((error for _, error in reversed(self.failures)), key=lambda error: error.retry_after_s or 0)
