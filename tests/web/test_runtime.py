"""What the concurrency library does for us: names."""

from __future__ import annotations

import select
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest
from eventlet import hubs, tpool

from ticker.runtime import DeadlineExceeded
from web.runtime import EventletRuntime, original, resolve

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 80))]


class Resolver:
    """The machine's own, which answers names when it is told to; and what it was asked."""

    def __init__(self, outcome: Callable[[], Any]) -> None:
        self.outcome = outcome
        self.asked: list[tuple[Any, ...]] = []
        self.may_answer = original("threading").Event()

    def __call__(self, host: str, port: int, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        self.asked.append((host, port, family, type, flags))
        assert self.may_answer.wait(20)
        return self.outcome()


def refuse() -> Any:
    """No such name."""
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_who_waits_for_a_name_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver blocks in a thread of its own; others have their turn, and the asker gets its answer, or its error."""
    here = EventletRuntime()
    found: list[Any] = []
    for outcome in (lambda: ANSWER, refuse):
        resolver = Resolver(outcome)
        monkeypatch.setattr(original("socket"), "getaddrinfo", resolver)

        def ask() -> None:
            try:
                found.append(socket.getaddrinfo("hub.example", 80, type=socket.SOCK_STREAM))
            except socket.gaierror as error:
                found.append(error.errno)

        here.spawn(ask)
        turns = 0
        while not resolver.asked:
            here.sleep(0)
            turns += 1
        assert turns
        before = len(found)
        resolver.may_answer.set()
        while len(found) == before:
            here.sleep(0)
        assert resolver.asked == [("hub.example", 80, 0, socket.SOCK_STREAM, 0)]
    assert found == [ANSWER, socket.EAI_NONAME]


def test_an_address_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is asked for; and connections of every kind ask so."""
    EventletRuntime()
    monkeypatch.setattr(tpool, "execute", lambda *_: pytest.fail("a thread was asked"))
    assert socket.getaddrinfo("127.0.0.1", 80, 0, socket.SOCK_STREAM)[0][4] == ("127.0.0.1", 80)
    assert socket.getaddrinfo("::1", 80, family=socket.AF_INET6, type=socket.SOCK_STREAM)[0][4][:2] == ("::1", 80)
    assert socket.getaddrinfo is resolve is sys.modules["eventlet.green.socket"].getaddrinfo


def test_a_lookup_that_hangs_is_cut_short_by_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a connection is, whose time it belongs to."""
    here, resolver = EventletRuntime(), Resolver(lambda: ANSWER)
    monkeypatch.setattr(original("socket"), "getaddrinfo", resolver)
    try:
        with pytest.raises(DeadlineExceeded), here.deadline(0.05):
            socket.getaddrinfo("hub.example", 80)
    finally:
        resolver.may_answer.set()


def watched_by_the_hub() -> set[int]:
    """The descriptors that the hub's epoll set watches at this moment."""
    hub = hubs.get_hub()
    with open(f"/proc/self/fdinfo/{hub.poll.fileno()}", encoding="ascii") as lines:
        return {int(line.split()[1]) for line in lines if line.startswith("tfd:")}


def test_a_kept_descriptor_stays_with_the_hub_between_waits() -> None:
    """An epoll set is watched all the while, still wakes who waits for it, and is let go at the end."""
    here = EventletRuntime()
    one, other = original("socket").socketpair()
    with one, other, original("select").epoll() as epoll:
        epoll.register(one.fileno(), select.EPOLLIN)
        with here.kept(epoll.fileno()):
            assert not here.wait_readable(epoll.fileno(), 0)
            assert epoll.fileno() in watched_by_the_hub()
            other.send(b"x")
            assert here.wait_readable(epoll.fileno(), 20)
            assert epoll.fileno() in watched_by_the_hub()
        assert epoll.fileno() not in watched_by_the_hub()
