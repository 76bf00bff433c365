"""What waits for somebody slower: all of it, or the newest of each symbol."""

from __future__ import annotations

from collections.abc import Iterable

from ticker.backlog import Backlog
from ticker.quote import Correction, Tick
from ticker.source import Answer
from ticker.streaming.delivery import newest

MOST = 5


def answers() -> Backlog[Answer]:
    """What waits for a board."""
    return Backlog(MOST, newest, len)


def test_what_is_folded_still_corrects() -> None:
    """The board sees one tick of the symbol, and it takes back what was shown; those it replaced are counted."""
    backlog = answers()
    backlog.add([{"A": Correction(price=271.01, quote_time=1)}])
    for number in range(MOST):
        backlog.add([{"B": Tick(price=1.0 + number)}])
    assert backlog.take(1) == [{"A": Correction(price=271.01, quote_time=1), "B": Tick(price=float(MOST))}]
    assert (bool(backlog), backlog.folded) == (False, MOST - 1)


def test_the_oldest_come_first() -> None:
    """A few at a time, and no more than there are."""
    backlog = answers()
    backlog.add({"A": Tick(price=price)} for price in (1.0, 2.0, 3.0))
    assert backlog.first == {"A": Tick(price=1.0)}
    assert [[answer["A"] for answer in backlog.take(2)] for _ in range(3)] == [[Tick(price=1.0), Tick(price=2.0)], [Tick(price=3.0)], []]


def test_nothing_is_folded_while_there_is_room() -> None:
    """The last that has room is still kept as it came."""

    def refuse(items: Iterable[int]) -> Iterable[int]:
        raise AssertionError("folded")

    backlog = Backlog(MOST, refuse)
    for number in range(MOST):
        backlog.add([number])
    assert backlog.take(MOST + 1) == list(range(MOST))
    assert backlog.folded == 0
