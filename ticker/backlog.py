"""What waits for somebody slower than what comes: all of it while there is room, then the newest of each symbol. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


class Backlog(Generic[_Item]):
    """Items in order. Where more than `most` of them wait, `fold` makes few of them, the newest of each symbol.

    `folded` counts what newer things of the same symbol have replaced; `size` says how many symbols an item is about.
    """

    def __init__(self, most: int, fold: Callable[[Iterable[_Item]], Iterable[_Item]], size: Callable[[_Item], int] = lambda _: 1) -> None:
        self.folded = 0
        self._most = most
        self._fold = fold
        self._size = size
        self._waiting: deque[_Item] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def first(self) -> _Item:
        """The oldest. There must be one."""
        return self._waiting[0]

    def add(self, items: Iterable[_Item]) -> None:
        """Take more, in order. An item that was added must not change any more."""
        self._waiting.extend(items)
        if len(self._waiting) > self._most:
            before = sum(map(self._size, self._waiting))
            self._waiting = deque(self._fold(self._waiting))
            self.folded += before - sum(map(self._size, self._waiting))

    def take(self, most: int) -> list[_Item]:
        """The oldest, at most `most`."""
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
