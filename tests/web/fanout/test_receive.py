"""Whose bytes are read when: everybody has a turn, and none has two before all had one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from web.fanout import receive
from web.fanout.receive import AT_ONCE, Receiver
from web.runtime import original

CLIENTS = AT_ONCE + 40


class Crowd:
    """So many clients, all of whom have sent something; `read` is who had a turn, in order."""

    def __init__(self, stack: ExitStack) -> None:
        socket, select = original("socket"), original("select")
        self.epoll = stack.enter_context(select.epoll())
        self.read: list[int] = []
        clients: dict[int, Any] = {}
        for number in range(CLIENTS):
            ours, theirs = (stack.enter_context(end) for end in socket.socketpair())
            theirs.send(b"hello")
            clients[ours.fileno()] = SimpleNamespace(number=number, socket=ours)
            self.epoll.register(ours.fileno(), select.EPOLLIN)
        wake = os.eventfd(0)
        stack.callback(os.close, wake)
        self.receiver = Receiver(self.epoll, wake, clients, lambda client, framed: None)

    def take_turns(self) -> None:
        """A round of reading: each takes a byte, and leaves some."""
        client: Any
        for client, _ in self.receiver.turns():
            client.socket.recv(1)
            self.read.append(client.number)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    """Clients whose sockets are closed with the test."""
    with ExitStack() as stack:
        yield Crowd(stack)


def test_a_round_reads_everybody_once_where_there_is_time(crowd: Crowd) -> None:
    """However many they are."""
    crowd.receiver.take_share(1000.0)
    crowd.take_turns()
    assert sorted(set(crowd.read)) == list(range(CLIENTS))


def test_where_there_is_none_they_take_turns(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    """One a round, however many rounds it takes; nobody is passed over again and again."""
    monkeypatch.setattr(receive, "READ_S", -1.0)
    crowd.receiver.take_share(0.0)
    for _ in range(2 * CLIENTS):
        crowd.take_turns()
    assert len(crowd.read) == 2 * CLIENTS
    assert set(crowd.read) == set(range(CLIENTS))


def test_a_long_round_gives_reading_its_share(crowd: Crowd) -> None:
    """After 300 ms of other work 100 ms are for reading: a quarter of the whole."""
    crowd.receiver.take_share(0.3)
    assert crowd.receiver._read_s == pytest.approx(0.1)
