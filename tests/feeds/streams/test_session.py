"""What all sessions have in common: what is asked for, acknowledged, refused, put off, and left."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from feeds.streams.session import AGAIN_AFTER_S, StreamSession, traded
from tests.ticker.stepped import subscriptions
from ticker.errors import FeedError
from ticker.quote import Correction, Odd, Tick
from ticker.source import Answer, Subscription


class Toy(StreamSession):
    """A protocol of words."""

    sends_per_s: ClassVar[float] = 2.0

    def subscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        """One message for all."""
        return [b"+" + ",".join(ids).encode()]

    def unsubscribe(self, ids: Sequence[str]) -> Iterable[bytes]:
        """Likewise."""
        return [b"-" + ",".join(ids).encode()]

    def receive(self, message: bytes, now_s: float) -> Answer:
        """Nothing is said here."""
        return {}


def wanting(*symbols: str) -> Toy:
    """A session that has asked for symbols, at second 0."""
    session = Toy({})
    session.want(subscriptions(*symbols))
    session.due(0.0)
    return session


def test_messages_keep_their_distance() -> None:
    """Two a second, from the first; and it tells when to ask again."""
    session = Toy({})
    session.send(b"1", b"2", b"3")
    assert [session.due(at_s)[0] for at_s in (0.0, 0.2, 0.5, 0.9, 1.0)] == [[b"1"], [], [b"2"], [], [b"3"]]
    session.send(b"4")
    assert session.next_due_s(1.0) == 0.5


def test_ready_is_when_all_is_acknowledged() -> None:
    """Not when it has been sent."""
    session = wanting("A", "B")
    assert not session.ready
    session.acknowledged(["a", 7, None])
    assert not session.ready
    session.acknowledged(["b"])
    assert session.ready


def test_a_change_asks_for_what_is_new_and_leaves_what_is_gone() -> None:
    """And forgets its price."""
    session = wanting("A", "B")
    session.acknowledged(["a", "b"])
    session.say("a", Tick(price=1.0))
    session.want(subscriptions("B", "C"))
    assert [session.due(at_s)[0] for at_s in (1.0, 2.0)] == [[b"-a"], [b"+c"]]
    assert session.known == {}
    assert session.say("a", Tick(price=2.0)) == {}


def test_what_is_refused_for_good_is_not_asked_for_again() -> None:
    """Until it is wanted anew."""
    session = wanting("A")
    assert session.refused("a", FeedError("no", retryable=False)).keys() == {"A"}
    assert session.ready
    assert all(session.due(float(second))[0] == [] for second in range(1, 1000, 10))


def test_what_is_refused_for_now_is_asked_for_again() -> None:
    """A minute later, and again; it does not keep the others from being ready."""
    session = wanting("A", "B")
    session.acknowledged(["b"])
    session.refused("a", FeedError("busy"))
    session.due(1.0)
    assert session.ready
    assert session.next_due_s(1.0) == AGAIN_AFTER_S
    assert session.due(60.0)[0] == []
    assert session.due(61.0)[0] == [b"+a"]


def test_a_symbol_that_leaves_is_not_waited_for() -> None:
    """Put off, or unanswered."""
    session = wanting("A", "B")
    session.refused("a", FeedError("busy"))
    session.due(1.0)
    session.want([])
    assert session.due(2.0)[0] == [b"-a,b"]
    assert session.ready
    assert [session.due(float(second))[0] for second in range(3, 200)] == [[]] * 197


def test_too_many_symbols_wait_for_room() -> None:
    """What a connection carries may be learnt; who asked last waits."""
    session = wanting("A", "B", "C")
    session.carry(2)
    messages, news = session.due(1.0)
    assert messages == []
    assert {symbol: str(error) for symbol, error in news.items()} == {"C": "one connection carries 2 symbols at most"}
    assert session.due(2.0) == ([], {})
    session.want(subscriptions("B", "C"))
    assert [session.due(at_s)[0] for at_s in (3.0, 4.0)] == [[b"-a"], [b"+c"]]


def test_a_snapshot_fills_in_what_the_stream_does_not_say() -> None:
    """The newer price wins, whichever it is; an error of it is none where there is a price."""
    session = wanting("A", "B")
    session.say("a", Tick(price=2.0, quote_time=1_700_000_002_000))
    old, new = Tick(price=1.0, prev_close=9.0, quote_time=1_700_000_001_000), Tick(price=3.0, prev_close=9.0, quote_time=1_700_000_003_000)
    assert session.take_snapshot({"A": old}) == {"A": Tick(price=2.0, prev_close=9.0, quote_time=1_700_000_002_000)}
    night = Tick(price=2.0, quote_time=1_700_000_002_000, session="overnight")
    session.say("a", night)
    assert session.take_snapshot({"A": Tick(price=1.0, quote_time=1_700_000_001_000, session="post")}) == {"A": night}
    assert isinstance(session.take_snapshot({"B": FeedError("none")})["B"], FeedError)
    assert session.take_snapshot({"A": new}) == {"A": new}
    assert session.take_snapshot({"A": FeedError("down")}) == {}
    assert session.take_snapshot({"NOBODY": new}) == {}


def test_a_trade_stretches_high_and_low() -> None:
    """And leaves unknown what is unknown."""
    assert traded(Tick(price=1.0, high=2.0, change=0.1), 3.0, 5) == Tick(price=3.0, high=3.0, quote_time=5)
    assert traded(Tick(price=1.0, low=1.0), 0.5, None) == Tick(price=0.5, low=0.5)


def test_two_symbols_of_ours_with_one_id() -> None:
    """One subscription, both told."""
    one, two = subscriptions("A", "B")
    session = Toy({})
    session.want([one, Subscription("B", one.id, two.options)])
    assert session.due(0.0)[0] == [b"+a"]
    assert session.say("a", Tick(price=1.0)).keys() == {"A", "B"}


def test_what_is_known_is_plain() -> None:
    """What was odd is told once, and a correction corrects once; a snapshot is remembered in the same way."""
    session = wanting("A", "B")
    odd = (Odd("bid", "less than nothing", "-1"),)
    said = session.say("a", Correction(price=1.0, odd=odd))
    assert said == {"A": Correction(price=1.0, odd=odd)}
    assert session.take_snapshot({"B": Tick(price=2.0, odd=odd)}) == {"B": Tick(price=2.0, odd=odd)}
    assert session.known == {"a": Tick(price=1.0), "b": Tick(price=2.0)}
