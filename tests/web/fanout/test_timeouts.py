"""What time does to clients, on a stepped clock: pings and who must answer them, stalls, joins that never come, failed upgrades."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from tests.web.fanout.clients import newcomer
from ticker.settings import BroadcastSettings, LimitSettings
from web.fanout.client import Client, Transport, payload_of
from web.fanout.close_reasons import CloseReason
from web.fanout.engine import Engine
from web.fanout.frames import close_frame, text_frame
from web.fanout.timeouts import UPGRADE_S, Timeouts
from web.runtime import EventletRuntime, original

INTERVAL_S, TIMEOUT_S = 10, 25
STEP_S = 0.25


class Watched:
    """An engine whose loop does not run: a test says what time it is, and has what is due then done."""

    def __init__(self) -> None:
        self.now_s = 5000.0
        self.numbers = count(1)
        self.engine = Engine(EventletRuntime(), "e1", BroadcastSettings(), LimitSettings(), INTERVAL_S, TIMEOUT_S)
        self.engine.clock = lambda: self.now_s
        self.engine.timeouts = Timeouts(self.engine.pools.waiting.keys(), self.engine.polling, INTERVAL_S, TIMEOUT_S, self.now_s)
        self.engine.subscriptions.add_channel("A")

    def client(self, transport: Transport = "websocket", joined: bool = True) -> Client:
        """One that came just now."""
        client = newcomer(self.engine, next(self.numbers), transport=transport)
        self.engine.admit(client)
        if transport != "websocket":
            self.engine.polling.add(client)
        if joined:
            self.engine.subscriptions.join(client.spaces, self.engine.subscriptions.registry["A"])
            self.engine.pools.seat(client)
        return client

    def pass_s(self, seconds: float) -> None:
        """Let time pass in steps, looking around at each."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s = min(self.now_s + STEP_S, until_s)
            self.engine.do_what_is_due(self.now_s)

    def closed(self, client: Client) -> CloseReason | None:
        """Why it was closed, if it was. (A method, so that a type checker does not take the answer for the last one.)"""
        return client.closed

    def sent(self, client: Client) -> list[str]:
        """The control packets that wait for `client`, which are then gone."""
        frames = client.frames(self.engine.subscriptions.number, self.engine.subscriptions.registry)
        client.accepted(sum(map(len, frames)))
        return [payload_of(framed)[1].decode() for framed in frames]


@contextmanager
def connected() -> Iterator[tuple[Any, socket.socket]]:
    """A TCP connection: our end as the engine has it, and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as theirs:
        accepted, _ = listener.accept()
        ours = original("socket").socket(fileno=accepted.detach())
        ours.setblocking(False)
        yield ours, theirs


@pytest.fixture
def watched() -> Watched:
    """An engine at five thousand seconds."""
    return Watched()


def test_pings_come_once_an_interval(watched: Watched) -> None:
    """The first an interval after connecting (less half a second at most), and the next an interval after that."""
    client = watched.client()
    watched.pass_s(INTERVAL_S - 2 * STEP_S - 0.01)
    assert watched.sent(client) == []
    watched.pass_s(2 * STEP_S)
    for _ in range(3):
        assert watched.sent(client) == ["2"]
        watched.engine.timeouts.pong(client)
        watched.pass_s(INTERVAL_S - STEP_S)
        assert watched.sent(client) == []
        watched.pass_s(STEP_S)
    assert client.closed is None


def test_pings_are_spread_as_clients_come(watched: Watched) -> None:
    """Clients that came at different times are not pinged in one burst."""
    clients = []
    for _ in range(40):
        clients.append(watched.client())
        watched.pass_s(STEP_S)
    bursts = []
    for _ in range(80):
        watched.pass_s(STEP_S)
        pinged = [client for client in clients if watched.sent(client)]
        for client in pinged:
            watched.engine.timeouts.pong(client)
        bursts.append(len(pinged))
    assert sum(bursts[40:]) == 40
    assert max(bursts[40:]) <= 2


def test_who_does_not_answer_is_closed(watched: Watched) -> None:
    """After the time-out, to within half a step, and counted."""
    client = watched.client()
    watched.pass_s(INTERVAL_S)
    assert watched.sent(client) == ["2"]
    watched.pass_s(TIMEOUT_S - 3 * STEP_S)
    assert watched.closed(client) is None
    watched.pass_s(3 * STEP_S)
    assert watched.closed(client) is CloseReason.PING_TIMEOUT
    assert watched.engine.ledger.closes == {"ping_timeout": 1}


def test_whose_answer_nobody_has_read_yet_is_not_closed(watched: Watched) -> None:
    """That we are slow is not the client's fault; but when its bytes have been read and were no answer, it is."""
    with connected() as (one, its_peer), connected() as (other, others_peer):
        client, newcomer = watched.client(), watched.client(joined=False)
        client.socket, newcomer.socket = one, other
        for peer in (its_peer, others_peer):
            peer.sendall(b"x")
        watched.pass_s(INTERVAL_S + max(TIMEOUT_S, watched.engine.limits.join_timeout_s) + 2 * STEP_S)
        assert (watched.closed(client), watched.closed(newcomer)) == (None, None)
        for ours in (one, other):
            ours.recv(16)
        watched.pass_s(STEP_S)
        assert (watched.closed(client), watched.closed(newcomer)) == (None, CloseReason.JOIN_TIMEOUT)
        watched.pass_s(TIMEOUT_S)
        assert watched.closed(client) is CloseReason.PING_TIMEOUT


def test_no_second_ping_while_one_is_unanswered(watched: Watched) -> None:
    """A slow answer within the time-out is enough."""
    client = watched.client()
    watched.pass_s(INTERVAL_S * 2)
    assert watched.sent(client) == ["2"]
    watched.engine.timeouts.pong(client)
    watched.pass_s(INTERVAL_S)
    assert watched.sent(client) == ["2"]


def test_a_forged_pong_proves_nothing(watched: Watched) -> None:
    """One before the ping does not answer it."""
    client = watched.client()
    watched.pass_s(INTERVAL_S - 2)
    for _ in range(10):
        watched.engine.timeouts.pong(client)
    watched.pass_s(2 + TIMEOUT_S)
    assert client.closed is CloseReason.PING_TIMEOUT


def test_a_time_out_does_not_depend_on_the_step(watched: Watched) -> None:
    """A look that comes a little early or late does not make a time-out a whole step longer."""
    client = watched.client()
    watched.pass_s(INTERVAL_S + 0.02)  # the ping left a little late
    watched.sent(client)
    watched.pass_s(TIMEOUT_S)
    assert client.closed is CloseReason.PING_TIMEOUT


def test_who_joins_nothing_is_closed(watched: Watched) -> None:
    """In `join_timeout_s`; whoever joined in time stays, and who came later has as long."""
    reader, late = watched.client(), watched.client(joined=False)
    idler = watched.client(joined=False)
    watched.pass_s(watched.engine.limits.join_timeout_s - STEP_S)
    next_one = watched.client(joined=False)
    assert watched.closed(idler) is None
    watched.engine.pools.seat(late)
    watched.pass_s(STEP_S)
    assert watched.closed(idler) is CloseReason.JOIN_TIMEOUT
    assert [client.closed for client in (reader, late, next_one)] == [None] * 3
    watched.pass_s(watched.engine.limits.join_timeout_s)
    assert watched.closed(next_one) is CloseReason.JOIN_TIMEOUT


def test_who_once_joined_may_leave_everything(watched: Watched) -> None:
    """Leaving the last namespace is no reason to be closed, however soon."""
    client = watched.client()
    watched.engine.subscriptions.leave(client.spaces, watched.engine.subscriptions.registry["A"])
    watched.pass_s(watched.engine.limits.join_timeout_s * 2)
    assert client.closed is None


def test_who_takes_nothing_is_closed(watched: Watched) -> None:
    """A full socket for `stall_limit_s`, whatever pongs come; one that has room for a moment begins anew."""
    stalled, steady = watched.client(), watched.client()
    for client in (stalled, steady):
        watched.engine.timeouts.blocked(client, watched.now_s)
    for _ in range(5):
        watched.pass_s(watched.engine.broadcast.stall_limit_s / 5 - STEP_S)
        for client in (stalled, steady):
            watched.engine.timeouts.pong(client)
        watched.engine.timeouts.unblocked(steady)
        watched.engine.timeouts.blocked(steady, watched.now_s)
        assert watched.closed(stalled) is None
    watched.pass_s(5 * STEP_S)
    assert watched.closed(stalled) is CloseReason.STALLED
    assert steady.closed is None


def test_who_never_polls_is_closed(watched: Watched) -> None:
    """A client that polls no more while something waits for it stalls like one whose socket is full."""
    client = watched.client("polling")
    client.put_control(text_frame(b"4x"))
    for _ in range(6):
        assert watched.closed(client) is None
        watched.pass_s(watched.engine.broadcast.stall_limit_s / 6)
        watched.engine.timeouts.pong(client)
    assert watched.closed(client) is CloseReason.STALLED


def test_a_poll_that_waits_is_no_stall(watched: Watched) -> None:
    """However long there was nothing to say, the ping that ends the silence does not end the client."""
    client = watched.client("polling")
    watched.engine.configure(BroadcastSettings(stall_limit_s=5), LimitSettings())
    client.poll_event = threading.Event()
    watched.pass_s(INTERVAL_S)
    assert watched.sent(client) == ["2"]
    assert client.closed is None


def test_a_failed_upgrade_goes_on_polling(watched: Watched) -> None:
    """A WebSocket that is opened and never used is taken away in time."""
    client = watched.client("polling")
    with connected() as (ours, theirs):
        watched.engine.attach(client, ours)
        client.transport = "probing"
        client.upgrade_s = watched.now_s
        watched.pass_s(UPGRADE_S - STEP_S)
        assert client.upgrading
        watched.pass_s(STEP_S)
        assert theirs.recv(100) == close_frame(4004, "ping_timeout")
        assert theirs.recv(100) == b""
    assert (client.transport, client.closed) == ("polling", None)


def test_a_process_that_was_stopped_does_not_blame_its_clients(watched: Watched) -> None:
    """After an hour's sleep everybody is pinged once and has the whole time-out to answer."""
    clients = [watched.client() for _ in range(5)]
    watched.pass_s(STEP_S)
    watched.now_s += 3600
    watched.engine.do_what_is_due(watched.now_s)
    assert all(client.closed is None for client in clients)
    watched.pass_s(INTERVAL_S)
    assert [watched.sent(client) for client in clients] == [["2"]] * 5
    assert all(client.closed is None for client in clients)


def test_whoever_is_closed_is_watched_no_more(watched: Watched) -> None:
    """Nothing is sent to it, it is counted once, nothing holds on to it."""
    client = watched.client("polling", joined=False)
    watched.engine.timeouts.blocked(client, watched.now_s)
    watched.engine.close(client, CloseReason.CLIENT)
    watched.pass_s(100)
    assert watched.engine.ledger.closes == {"client": 1}
    assert watched.sent(client) == []
