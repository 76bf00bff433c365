"""How one round of polls is judged from its calls."""

from tests.ticker.stepped import subscriptions
from ticker.errors import FeedError
from ticker.polling.rounds import GIVE_UP_AFTER, RoundResult

BATCH = subscriptions("A")


def test_gives_up_after_failures_running() -> None:
    """Single failures between good calls do not end a poll; that many in a row do."""
    result = RoundResult()
    for _ in range(10):
        result.failed(BATCH, FeedError("no"))
        result.good()
    assert not result.give_up
    for _ in range(GIVE_UP_AFTER):
        assert not result.give_up
        result.failed(BATCH, FeedError("no"))
    assert result.give_up


def test_gives_up_at_once_when_asked_to_wait() -> None:
    """A provider that names a time is left alone from then on."""
    result = RoundResult()
    result.failed(BATCH, FeedError("slow down", retry_after_s=7.0))
    assert result.give_up


def test_the_longest_wish_is_the_worst() -> None:
    """Of several failures the one that asks for the longest wait counts; without a wish, the last."""
    result = RoundResult()
    result.failed(BATCH, FeedError("first"))
    result.failed(BATCH, FeedError("last"))
    assert str(result.worst()) == "last"
    result.failed(BATCH, FeedError("wait", retry_after_s=2.0))
    result.failed(BATCH, FeedError("after"))
    assert str(result.worst()) == "wait"
