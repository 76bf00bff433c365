"""What waits for the board: all of it, or the newest of each symbol."""

from ticker.quote import Correction, Tick
from ticker.streaming.inbox import BACKLOG, Inbox


def test_what_is_folded_still_corrects() -> None:
    """The board sees one tick of the symbol, and it takes back what was shown; those it replaced are counted."""
    inbox = Inbox()
    inbox.put({"A": Correction(price=271.01, quote_time=1)})
    for number in range(BACKLOG):
        inbox.put({"B": Tick(price=1.0 + number)})
    assert inbox.take(1) == [{"A": Correction(price=271.01, quote_time=1), "B": Tick(price=float(BACKLOG))}]
    assert (bool(inbox), inbox.folded) == (False, BACKLOG - 1)


def test_the_oldest_come_first() -> None:
    """A few at a time."""
    inbox = Inbox()
    for price in (1.0, 2.0, 3.0):
        inbox.put({"A": Tick(price=price)})
    assert [[answer["A"] for answer in inbox.take(2)] for _ in range(2)] == [[Tick(price=1.0), Tick(price=2.0)], [Tick(price=3.0)]]
