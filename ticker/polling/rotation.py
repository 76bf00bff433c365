"""Which symbols each round of polls asks for: those at full pace every time, slow ones in turn, new ones as soon as there is room. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Container, Iterator, Mapping, Sequence

from ticker.polling.bad_symbols import Batch
from ticker.source import Subscription


class Rotation:
    """The symbols of one feed in their order, and how often each is asked for."""

    def __init__(self) -> None:
        self.wanted: dict[str, Subscription] = {}
        self._periods_s: dict[str, float] = {}  # of the slow ones
        self._queues: dict[float, deque[str]] = {}  # the slow ones by their period, the next to be asked first
        self._due: dict[float, float] = {}  # by period: how many of the queue are due, and what is saved up for the next one
        self._new: set[str] = set()  # never asked for
        self._start: str | None = None  # where a round that was broken off is to be taken up
        self._fast: list[Subscription] | None = None

    def want(self, subscriptions: Sequence[Subscription]) -> list[Subscription]:
        """Ask for these and nothing else; returns those that are new, or ask for something else than before."""
        before, self.wanted = self.wanted, {subscription.symbol: subscription for subscription in subscriptions}
        new = [subscription for subscription in subscriptions if before.get(subscription.symbol) != subscription]
        self._new = {symbol for symbol in self._new if symbol in self.wanted} | {subscription.symbol for subscription in new}
        self._start = None
        self._queue_up()
        return new

    def slow(self, periods_s: Mapping[str, float]) -> list[str]:
        """Ask for these only once in so many seconds, and for the others in every round; returns those that are asked more often now."""
        before, self._periods_s = self._periods_s, dict(periods_s)
        self._queue_up()
        return [symbol for symbol, period_s in before.items() if symbol in self.wanted and periods_s.get(symbol, 0.0) < period_s]

    @property
    def has_slow(self) -> bool:
        """Whether any symbol is slow."""
        return bool(self._queues)

    def period_s(self, symbol: str) -> float | None:
        """How often a slow symbol is asked for, seconds; `None`: in every round."""
        return self._periods_s.get(symbol)

    def counts(self) -> dict[float | None, int]:
        """How many symbols there are of each period."""
        slow: dict[float | None, int] = {period_s: len(queue) for period_s, queue in self._queues.items() if queue}
        return {None: len(self.wanted) - sum(slow.values()), **slow}

    def round(self, interval_s: float, apart: Container[str], most: int | None) -> list[Subscription]:
        """Whom to ask for in a round that takes `interval_s`: all at full pace, then the slow ones whose turn it is, then slow ones that
        nobody has asked for yet, as long as it is no more than `most` symbols. `apart` are seen to elsewhere.
        """
        if self._fast is None:
            fast = [one for symbol, one in self.wanted.items() if symbol not in self._periods_s and symbol not in apart]
            first = next((index for index, one in enumerate(fast) if one.symbol == self._start), 0)
            self._fast = fast[first:] + fast[:first]
        if not self._queues:
            self._new.clear()
            return self._fast
        chosen = [*self._fast, *self._turns(interval_s, apart)]
        if self._new:
            self._new.difference_update(one.symbol for one in chosen)
            chosen += self._early(apart, len(self.wanted) if most is None else most - len(chosen))
        return chosen

    def left_out(self, batches: Collection[Batch]) -> None:
        """These of the last round were not asked for: they are first next time."""
        missed = [one.symbol for batch in batches for one in batch if one.symbol in self.wanted]
        self._start = next((symbol for symbol in missed if symbol not in self._periods_s), self._start)
        for symbol in reversed(missed):
            if (period_s := self._periods_s.get(symbol)) is not None:
                self._queues[period_s].remove(symbol)
                self._queues[period_s].appendleft(symbol)
                self._due[period_s] += 1
        self._fast = None

    def reshuffle(self) -> None:
        """Others than so far are `apart`."""
        self._fast = None

    def _turns(self, interval_s: float, apart: Container[str]) -> Iterator[Subscription]:
        for period_s, queue in self._queues.items():
            due = self._due[period_s] + len(queue) * min(1.0, interval_s / period_s)
            turns = min(int(due), len(queue))
            self._due[period_s] = min(due - turns, 1.0)
            for _ in range(turns):
                queue.rotate(-1)
                if queue[-1] not in apart:
                    yield self.wanted[queue[-1]]

    def _early(self, apart: Container[str], most: int) -> Iterator[Subscription]:
        for period_s, queue in self._queues.items():
            early = [symbol for symbol in queue if symbol in self._new and symbol not in apart][: max(0, most)]
            most -= len(early)
            self._new.difference_update(early)
            behind = set(early)
            self._queues[period_s] = deque([*(symbol for symbol in queue if symbol not in behind), *early])
            yield from (self.wanted[symbol] for symbol in early)

    def _queue_up(self) -> None:
        """Sort the slow ones into their queues: new ones ahead, those that were there before in their order."""
        queued = [symbol for queue in self._queues.values() for symbol in queue]
        rest = dict.fromkeys([*(symbol for symbol in self.wanted if symbol in self._new), *queued, *self.wanted])
        self._queues = {period_s: deque() for symbol, period_s in self._periods_s.items() if symbol in self.wanted}
        self._due = {period_s: self._due.get(period_s, 0.0) for period_s in self._queues}
        for symbol in rest:
            if symbol in self.wanted and (period_s := self._periods_s.get(symbol)) is not None:
                self._queues[period_s].append(symbol)
        self._fast = None


def split(subscriptions: Sequence[Subscription], size: int | None) -> list[Batch]:
    """In batches of `size`, the last one shorter; `None`: all in one."""
    size = size or max(1, len(subscriptions))
    return [subscriptions[first : first + size] for first in range(0, len(subscriptions), size)]
