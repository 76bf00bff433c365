"""How one poll is judged from its calls."""

from tests.ticker.stepped import subscriptions
from ticker.errors import FeedError
from ticker.polling.round import GIVE_UP_AFTER, Tally

BATCH = subscriptions("A")


def test_gives_up_after_failures_running() -> None:
    """Single failures between good calls do not end a poll; that many in a row do."""
    tally = Tally()
    for _ in range(10):
        tally.failed(BATCH, FeedError("no"))
        tally.good()
    assert not tally.give_up
    for _ in range(GIVE_UP_AFTER):
        assert not tally.give_up
        tally.failed(BATCH, FeedError("no"))
    assert tally.give_up


def test_gives_up_at_once_when_asked_to_wait() -> None:
    """A provider that names a time is left alone from then on."""
    tally = Tally()
    tally.failed(BATCH, FeedError("slow down", retry_after_s=7.0))
    assert tally.give_up


def test_the_longest_wish_is_the_worst() -> None:
    """Of several failures the one that asks for the longest wait counts; without a wish, the last."""
    tally = Tally()
    tally.failed(BATCH, FeedError("first"))
    tally.failed(BATCH, FeedError("last"))
    assert str(tally.worst()) == "last"
    tally.failed(BATCH, FeedError("wait", retry_after_s=2.0))
    tally.failed(BATCH, FeedError("after"))
    assert str(tally.worst()) == "wait"
