"""Who may come in, and who finds a place when it joins: a real engine whose loop does not run, on a stepped clock."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.web.fanout.clients import newcomer
from ticker.settings import BroadcastSettings, LimitSettings
from web.auth.authenticator import Authenticator
from web.auth.identity import ANYBODY, Identity
from web.auth.tokens import TokenVerifier
from web.fanout.client import Client
from web.fanout.close_reasons import CloseReason
from web.fanout.engine import Engine
from web.refusals import Reason
from web.runtime import EventletRuntime
from web.socketio.admission import SURPLUS, Admission

TOKEN, PROXY = "a token of sixteen", "198.51.100.99"


class Way:
    """An engine, and the way in."""

    def __init__(self, **limits: int) -> None:
        self.now_s = 5000.25
        self.numbers = count(1)
        self.engine = Engine(EventletRuntime(), "e1", BroadcastSettings(), LimitSettings(**limits), 10, 25)
        self.engine.clock = lambda: self.now_s
        self.access = Authenticator(TokenVerifier([TOKEN]))
        self.admission = Admission(self.engine, self.access, is_proxy=PROXY.__eq__)

    def refusal(self, address: str = "192.0.2.1") -> Reason | None:
        """Why a handshake from there is refused before it is looked at, if it is."""
        return self.admission.refusal(environ(address))

    def come(self, address: str = "192.0.2.1", identity: Identity | None = None) -> bool:
        """A handshake; whether it is let in."""
        return (self.admission.refusal(environ(address)) or self.admission.counted(environ(address), identity)) is None

    def came(self, number: int, address: str = "192.0.2.1", identity: Identity | None = None) -> int:
        """So many handshakes; how many of them are let in."""
        return sum(self.come(address, identity) for _ in range(number))

    def client(self, address: str = "192.0.2.1", joins: bool = True) -> Client:
        """One that has come in, and joined something."""
        client = newcomer(self.engine, next(self.numbers), address)
        self.engine.admit(client)
        if joins:
            assert not self.admission.is_surplus(client)
            self.engine.pools.seat(client)
        return client


def environ(address: str) -> dict[str, Any]:
    """A request from there."""
    return {"REMOTE_ADDR": address}


def test_places_are_for_those_who_join() -> None:
    """However many wait; when all places are taken one more is told so, and with the first that goes there is one again."""
    way = Way(max_clients=3, connects_per_s=1_000_000)
    idle = [way.client(joins=False) for _ in range(500)]
    assert way.refusal() is None
    first, second, _third = (way.client() for _ in range(3))
    late = way.client(joins=False)
    assert way.admission.is_surplus(late)
    assert all(map(way.admission.is_surplus, idle))
    assert not way.admission.is_surplus(second), "who has a place joins what he likes"
    way.engine.close(first, CloseReason.CLIENT)
    assert not way.admission.is_surplus(late)


def test_a_few_come_in_to_be_told() -> None:
    """While there is no place, so many may wait; the next one is refused before it costs anything. With a place, any number."""
    way = Way(max_clients=1, connects_per_s=1_000_000)
    reader = way.client()
    for _ in range(SURPLUS):
        assert way.refusal() is None
        way.client("192.0.2.2", joins=False)
    assert way.refusal("192.0.2.3") is Reason.CLIENTS
    way.engine.close(reader, CloseReason.CLIENT)
    assert way.refusal("192.0.2.3") is None


def test_who_left_everything_keeps_its_place() -> None:
    """It may join something else at any time, full or not."""
    way = Way(max_clients=1)
    reader, channel = way.client(), way.engine.subscriptions.add_channel("A")
    way.engine.subscriptions.join(reader.spaces, channel)
    way.engine.subscriptions.leave(reader.spaces, channel)
    other = way.client(joins=False)
    assert [way.admission.is_surplus(client) for client in (reader, other)] == [False, True]


@pytest.mark.parametrize(
    ("addresses", "other"),
    [
        (["192.0.2.1"] * 3, "192.0.2.2"),
        (["2001:db8::1", "2001:db8::2:3:4:5", "2001:db8::ffff"], "2001:db8:0:1::1"),
        (["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"], "::ffff:192.0.2.2"),
    ],
)
def test_of_one_address(addresses: list[str], other: str) -> None:
    """All of its clients count, those that wait too; of IPv6 a /64 is one address."""
    way = Way(max_clients_per_address=2, connects_per_s=1_000_000)
    first, second, third = (way.client(address, joins=False) for address in addresses)
    assert [way.admission.is_surplus(client) for client in (first, second, third)] == [True] * 3
    assert not way.admission.is_surplus(way.client(other, joins=False))
    way.engine.close(second, CloseReason.CLIENT)
    assert not way.admission.is_surplus(third)
    for _ in range(SURPLUS):
        assert way.refusal(addresses[0]) is None
        way.client(addresses[1], joins=False)
    assert way.refusal(addresses[2]) is Reason.CLIENTS_OF_ADDRESS
    assert way.refusal(other) is None


def test_nobody_comes_in_at_the_end() -> None:
    """Once the relay drains."""
    way = Way()
    way.engine.drain()
    assert way.refusal() is Reason.SHUTTING_DOWN


def test_of_one_address_a_quarter_comes_in() -> None:
    """In each second anew; whoever else comes has a quarter of his own, until all is taken."""
    way = Way(connects_per_s=10)
    assert [way.came(50, f"192.0.2.{number}") for number in range(6)] == [2, 2, 2, 2, 2, 0]
    way.now_s += 0.5
    assert way.came(50) == 0
    way.now_s += 0.25
    assert way.came(50) == 2


@pytest.mark.parametrize(("limit", "share"), [(1, 1), (3, 1), (4, 1), (7, 1), (8, 2), (2000, 500)])
def test_how_much_a_quarter_is(limit: int, share: int) -> None:
    """At least one."""
    assert Way(connects_per_s=limit).came(3000) == share


def test_a_network_of_ipv6_has_one_share() -> None:
    """From however many of its addresses."""
    way = Way(connects_per_s=40)
    assert sum(way.come(f"2001:db8:1:1:{number:x}::1") for number in range(50)) == 10
    assert way.came(50, "2001:db8:1:2::1") == 10


def test_a_good_token_is_outside_the_share_and_inside_the_whole() -> None:
    """A flood from the same address keeps nobody out who has one; but nobody takes more than there is."""
    way = Way(connects_per_s=100)
    assert way.came(1000) == 25
    assert way.came(20, identity=ANYBODY) == 20
    assert way.came(1000) == 0
    assert way.came(1000, identity=Identity(symbols=("A",))) == 55
    assert way.refusal("192.0.2.2") is Reason.CONNECTS


def test_where_nobody_is_asked_everybody_is_in_the_share() -> None:
    """Everybody counts as known then, which tells nothing."""
    way = Way(connects_per_s=100)
    way.access.verifier = None
    assert way.came(1000, identity=ANYBODY) == 25


def test_the_address_of_a_proxy_is_nobodys() -> None:
    """Where one of ours does not say for whom it comes, it is not as if it were one client."""
    way = Way(connects_per_s=100)
    assert way.came(1000, PROXY) == 100


def test_what_is_refused_is_not_taken_from_others() -> None:
    """However often an address comes that has had its share."""
    way = Way(connects_per_s=8)
    assert way.came(100_000) == 2
    assert way.came(10, "192.0.2.2") == 2


def test_what_is_kept_is_forgotten_with_its_second() -> None:
    """And is never more than came in: who is refused leaves nothing behind."""
    way = Way(connects_per_s=40)
    for number in range(1000):
        way.come(f"192.0.{number // 256}.{number % 256}")
    assert len(way.admission._shares) == 40
    way.now_s += 1
    way.come()
    assert len(way.admission._shares) == 1


def test_when_everybody_could_be_back() -> None:
    """As fast as all may come, and as fast as those of one address may."""
    way = Way(connects_per_s=8, max_waiting=1000)
    for number in range(16):
        way.client(f"192.0.2.{number}")
    assert way.admission.return_s() == 2
    for _ in range(8):
        way.client("192.0.2.200")
    assert way.admission.return_s() == 4
