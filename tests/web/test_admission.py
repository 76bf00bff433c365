"""Who may come in, and who finds a place when it joins: a real engine whose loop does not run, on a stepped clock."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from ticker.settings import BroadcastSettings, LimitSettings
from web.admission import SURPLUS, Admission
from web.fanout.client import Client
from web.fanout.closing import Closing
from web.fanout.engine import Engine
from web.runtime import EventletRuntime


class Way:
    """An engine, and the way in."""

    def __init__(self, **limits: int) -> None:
        self.now_s = 5000.25
        self.numbers = count(1)
        self.engine = Engine(EventletRuntime(), "e1", BroadcastSettings(), LimitSettings(**limits), 10, 25)
        self.engine.clock = lambda: self.now_s
        self.admission = Admission(self.engine)

    def refusal(self, address: str = "192.0.2.1") -> str | None:
        """Why a handshake from there is refused, if it is."""
        return self.admission.refusal(environ(address))

    def client(self, address: str = "192.0.2.1", joins: bool = True) -> Client:
        """One that has come in, and joined something."""
        number = next(self.numbers)
        client = Client(self.engine, f"sid{number}", f"public{number}", environ(address), "polling")
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
    way.engine.close(first, Closing.CLIENT)
    assert not way.admission.is_surplus(late)


def test_a_few_come_in_to_be_told() -> None:
    """While there is no place, so many may wait; the next one is refused before it costs anything. With a place, any number."""
    way = Way(max_clients=1, connects_per_s=1_000_000)
    reader = way.client()
    for _ in range(SURPLUS):
        assert way.refusal() is None
        way.client("192.0.2.2", joins=False)
    assert way.refusal("192.0.2.3") == "too many clients"
    way.engine.close(reader, Closing.CLIENT)
    assert way.refusal("192.0.2.3") is None


def test_who_left_everything_keeps_its_place() -> None:
    """It may join something else at any time, full or not."""
    way = Way(max_clients=1)
    reader, channel = way.client(), way.engine.readers.add_channel("A")
    way.engine.readers.join(reader.spaces, channel)
    way.engine.readers.leave(reader.spaces, channel)
    other = way.client(joins=False)
    assert [way.admission.is_surplus(client) for client in (reader, other)] == [False, True]


@pytest.mark.parametrize(("addresses", "other"), [
    (["192.0.2.1"] * 3, "192.0.2.2"), (["2001:db8::1", "2001:db8::2:3:4:5", "2001:db8::ffff"], "2001:db8:0:1::1"),
    (["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"], "::ffff:192.0.2.2"),
])
def test_of_one_address(addresses: list[str], other: str) -> None:
    """All of its clients count, those that wait too; of IPv6 a /64 is one address."""
    way = Way(max_clients_per_address=2, connects_per_s=1_000_000)
    first, second, third = (way.client(address, joins=False) for address in addresses)
    assert [way.admission.is_surplus(client) for client in (first, second, third)] == [True] * 3
    assert not way.admission.is_surplus(way.client(other, joins=False))
    way.engine.close(second, Closing.CLIENT)
    assert not way.admission.is_surplus(third)
    for _ in range(SURPLUS):
        assert way.refusal(addresses[0]) is None
        way.client(addresses[1], joins=False)
    assert way.refusal(addresses[2]) == "too many clients from this address"
    assert way.refusal(other) is None


def test_nobody_comes_in_at_the_end() -> None:
    """Once the relay drains."""
    way = Way()
    way.engine.drain()
    assert way.refusal() == "shutting down"
