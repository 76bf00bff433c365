"""Who waits and who has a place, against the long way round: counting all of them each time."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.web.fanout.clients import newcomer
from tests.web.fanout.test_timeouts import Watched, connected
from ticker.settings import BroadcastSettings, LimitSettings
from web.auth.identity import ANYBODY
from web.fanout.client import Client
from web.fanout.close_reasons import CloseReason
from web.fanout.engine import Engine
from web.runtime import EventletRuntime

ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", ""]
"""The last but one is in the network of the one before."""


class Arrivals:
    """Lets clients into an engine whose loop does not run."""

    def __init__(self, **limits: int) -> None:
        self.engine = Engine(EventletRuntime(), "e1", BroadcastSettings(), LimitSettings(**limits), 10, 25)
        self.numbers = count(1)

    def client(self, address: str = "192.0.2.1", is_known: bool = False) -> Client:
        """One that has just come."""
        client = newcomer(self.engine, next(self.numbers), address)
        client.identity = ANYBODY if is_known else None
        self.engine.admit(client)
        return client

    def closed(self, clients: list[Client]) -> list[int]:
        """Which of them were crowded out."""
        assert {client.closed for client in clients} <= {None, CloseReason.CROWDED_OUT}
        return [index for index, client in enumerate(clients) if client.closed is not None]


MOST_WAITING = 6


class Comings(RuleBasedStateMachine):
    """Clients come from a few addresses, join, and go, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals = Arrivals(max_waiting=MOST_WAITING)
        self.here: list[Client] = []
        self.joined: set[Client] = set()

    def waiting(self) -> list[Client]:
        """Who has joined nothing, the oldest first."""
        return [client for client in self.here if client not in self.joined]

    @rule(address=st.sampled_from(ADDRESSES), is_known=st.booleans())
    def comes(self, address: str, is_known: bool) -> None:
        """Where too many wait, the oldest of a crowd goes that none is larger than; it is never the one that came."""
        client = self.arrivals.client(address, is_known)
        self.here.append(client)
        waited = self.waiting()
        closed = [client for client in waited if client.closed is not None]
        assert client.closed is None
        assert len(closed) == max(0, len(waited) - MOST_WAITING)
        crowds = Counter(self._crowd(one) for one in waited)
        for one in closed:
            assert one.closed is CloseReason.CROWDED_OUT
            assert crowds[self._crowd(one)] == max(crowds.values())
            assert next(other for other in waited if self._crowd(other) == self._crowd(one)) is one
            self.here.remove(one)

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def joins(self, data: st.DataObject) -> None:
        """For the first time, or again."""
        client = data.draw(st.sampled_from(self.here))
        self.arrivals.engine.pools.seat(client)
        self.joined.add(client)

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def goes(self, data: st.DataObject) -> None:
        """From wherever it is."""
        client = data.draw(st.sampled_from(self.here))
        self.arrivals.engine.close(client, CloseReason.CLIENT)
        self.here.remove(client)
        self.joined.discard(client)

    @invariant()
    def the_books_are_right(self) -> None:
        """Every sum is what a count of all comes to, and nothing is kept of who is gone."""
        pools = self.arrivals.engine.pools
        assert pools.joined == len(self.joined)
        assert list(pools.waiting) == self.waiting()
        networks = Counter(client.network for client in self.here)
        assert dict(pools._networks) == networks
        assert all(pools.of_network(network) == networks[network] for network in [*networks, "198.51.100.1"])
        crowds = Counter(map(self._crowd, self.waiting()))
        assert {crowd: list(members) for crowd, members in pools._crowds.items()} == {
            crowd: [client for client in self.waiting() if self._crowd(client) == crowd] for crowd in crowds
        }
        assert {size: set(equals) for size, equals in pools._by_size.items()} == {
            size: {crowd for crowd in crowds if crowds[crowd] == size} for size in set(crowds.values())
        }
        assert pools._largest == max(crowds.values(), default=0)

    @staticmethod
    def _crowd(client: Client) -> tuple[str, bool]:
        return client.network, client.identity is not None


TestComings: Any = Comings.TestCase
TestComings.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_flood_pushes_out_itself() -> None:
    """Three wait, from three addresses; however many come from a fourth, they stay, and of the fourth the newest do."""
    arrivals = Arrivals(max_waiting=10)
    others = [arrivals.client(f"198.51.100.{number}") for number in range(3)]
    flood = [arrivals.client() for _ in range(1000)]
    assert arrivals.closed(others) == []
    assert arrivals.closed(flood) == list(range(993))
    assert arrivals.engine.ledger.closes == {"crowded_out": 993}


def test_a_network_of_ipv6_is_one_crowd() -> None:
    """Each of its sessions comes from another address, and they make room for one another."""
    arrivals = Arrivals(max_waiting=10)
    other = arrivals.client("2001:db8:2::1")
    flood = [arrivals.client(f"2001:db8:1::{number:x}") for number in range(100)]
    assert arrivals.closed([other]) == []
    assert arrivals.closed(flood) == list(range(91))
    assert arrivals.engine.pools.of_network("2001:db8:1::/64") == 9


def test_a_good_token_is_no_part_of_the_crowd_at_its_address() -> None:
    """It waits apart from those that came with none."""
    arrivals = Arrivals(max_waiting=10)
    known = [arrivals.client(is_known=True) for _ in range(4)]
    flood = [arrivals.client() for _ in range(100)]
    assert arrivals.closed(known) == []
    assert arrivals.closed(flood) == list(range(94))


def test_who_has_joined_is_never_pushed_out() -> None:
    """Also when it has left everything again."""
    arrivals = Arrivals(max_waiting=2)
    readers = [arrivals.client() for _ in range(2)]
    channel = arrivals.engine.subscriptions.add_channel("A")
    for client in readers:
        arrivals.engine.subscriptions.join(client.spaces, channel)
        arrivals.engine.pools.seat(client)
    arrivals.engine.subscriptions.leave(readers[0].spaces, channel)
    flood = [arrivals.client() for _ in range(100)]
    assert arrivals.closed(readers) == []
    assert (arrivals.closed(flood), arrivals.engine.pools.joined) == (list(range(98)), 2)


def test_whose_words_nobody_has_read_yet_stays() -> None:
    """That we are slow is not its fault: the next oldest goes; where all of a crowd have said something, the oldest does."""
    watched = Watched()
    watched.engine.configure(BroadcastSettings(), LimitSettings(max_waiting=2))
    with connected() as (one, its_peer), connected() as (other, others_peer):
        oldest, second = watched.client(joined=False), watched.client(joined=False)
        oldest.socket, second.socket = one, other
        its_peer.sendall(b"x")
        third = watched.client(joined=False)
        assert [client.closed for client in (oldest, second, third)] == [None, CloseReason.CROWDED_OUT, None]
    with connected() as (one, its_peer), connected() as (other, others_peer):
        watched.engine.close(oldest, CloseReason.CLIENT)
        fourth = watched.client(joined=False)
        third.socket, fourth.socket = one, other
        for peer in (its_peer, others_peer):
            peer.sendall(b"x")
        fifth = watched.client(joined=False)
        assert [client.closed for client in (third, fourth, fifth)] == [CloseReason.CROWDED_OUT, None, None]
        watched.engine.close(fourth, CloseReason.CLIENT)


def test_fewer_may_wait_from_now_on() -> None:
    """After a reload with a lower limit each that comes makes one go; the rest go by and by as they are timed out."""
    arrivals = Arrivals(max_waiting=10)
    clients = [arrivals.client() for _ in range(10)]
    arrivals.engine.configure(BroadcastSettings(), LimitSettings(max_waiting=3))
    arrivals.client()
    assert arrivals.closed(clients) == [0]
