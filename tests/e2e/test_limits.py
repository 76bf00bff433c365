"""The limits of the settings, each reached on purpose by clients that are told so, while those who were there before go on."""

from __future__ import annotations

import http.client
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

from tests.e2e.clients import node_driver
from tests.e2e.raw import POLLING, WEBSOCKET, Closed, RawPolling, RawSocket
from tests.e2e.server import PATIENCE_S, RunningServer, serving

TOKEN = "canary-horse-battery-staple"
SETTINGS = """
[limits]
LIMITS

[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
""" + "\n".join(f'S{number} = {{ feed = "sim" }}' for number in range(20))


def limited(**limits: object) -> str:
    """Settings with these limits."""
    return SETTINGS.replace("LIMITS", "\n".join(f"{name} = {value}" for name, value in limits.items()))


def joined(server: RunningServer, namespace: str = "/S0") -> RawSocket:
    """A client that has joined."""
    client = RawSocket(server.address)
    assert client.join(namespace).startswith("40")
    return client


def joined_in_time(server: RunningServer) -> RawSocket:
    """A client that has joined, at the second or third try where the machine is too busy for the first."""
    while True:
        with suppress(Closed):
            return joined(server)


@pytest.mark.parametrize("limit", ["max_clients", "max_clients_per_address"])
def test_one_client_too_many(limit: str) -> None:
    """It is refused in words and in a code, wherever it asks; when somebody leaves there is a place again."""
    with serving(limited(**{limit: 2})) as server, node_driver() as driver:
        first, second = joined(server), joined(server, "/")
        third = driver.open(server.url, ["/", "/S0"])
        refused = {"message": "too many clients", "data": {"code": "too_many_clients", "symbol": "S0"}}
        assert third.received.wait("/S0", "connect_error").payload == refused
        refused = {"message": "too many clients", "data": {"code": "too_many_clients"}}
        assert third.received.wait("/", "connect_error").payload == refused
        third.received.wait("", "close")  # with no namespace left, it hangs up by itself
        assert first.join("/S1").startswith("40"), "who is in may join what he likes"
        first.quote("S0")
        assert second.ask("message", "x") == {"ok": True}
        second.close()
        while True:
            with closing(RawSocket(server.address)) as fourth:
                if fourth.join("/S1").startswith("40"):  # the server has noticed that there is a place
                    break


def test_a_crowd_is_refused_at_the_door() -> None:
    """More than a few too many don't get as far as Socket.IO: 503, and when to come again."""
    with serving(limited(max_clients=1)) as server, ExitStack() as stack:
        first = stack.enter_context(closing(joined(server)))
        for _ in range(64):
            stack.enter_context(closing(RawSocket(server.address)))
        with pytest.raises(ConnectionRefusedError, match="503"):
            RawSocket(server.address)
        answer = server.get("/socket.io/?EIO=4&transport=polling")
        assert (answer.status, answer.json["reason"]) == (503, "too_many_clients")
        assert 1 <= int(answer.headers["retry-after"]) <= 5  # each is told another time
        assert server.get("/api/quotes/S0").status == 200
        first.quote("S0")


def test_too_many_connects_in_a_second() -> None:
    """Of sixty at once from one address a quarter of the limit comes in, and the others are refused, none for good."""
    with serving(limited(connects_per_s=12)) as server, ExitStack() as stack:
        crowd = [stack.enter_context(closing(socket.create_connection(server.address, PATIENCE_S))) for _ in range(60)]
        for one in crowd:  # all of them have asked before the first is answered, however busy the machine is
            one.sendall(
                f"GET {WEBSOCKET} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
        came = sum(one.recv(12) == b"HTTP/1.1 101" for one in crowd)
        assert 3 <= came < 60


@pytest.mark.parametrize("how", ["header", "payload"])
def test_a_flood_that_joins_nothing_keeps_nobody_out(how: str) -> None:
    """Sessions without a token, as fast as four threads can open them at another address: far more than there are places come in, and each
    holder of a token has one of them at the first try."""
    settings = limited(max_clients=100, max_waiting=100) + '\n[server]\nauth = "token"\n'
    with serving(settings, variables={"SERVER__TOKENS": TOKEN}) as server, flood(server.address, "127.0.0.2", enough=300):
        holders = []
        for _ in range(20):
            bearer = [(b"Authorization", f"Bearer {TOKEN}".encode())] if how == "header" else []
            holders.append(RawSocket(server.address, headers=bearer))
            assert holders[-1].join("/S0", None if how == "header" else TOKEN).startswith("40/S0,")
        for holder in holders:
            holder.quote("S0")
            holder.close()
        stayed = server.get("/api/status", {"Authorization": f"Bearer {TOKEN}"}).json["clients"]
        assert stayed <= 100 + 20


@contextmanager
def flood(address: tuple[str, int], source: str, enough: int) -> Iterator[None]:
    """Opens sessions from `source` until the block ends, which begins when `enough` of them have come in."""
    come_in: queue.SimpleQueue[int] = queue.SimpleQueue()
    is_over = threading.Event()

    def open_sessions() -> None:
        connection = http.client.HTTPConnection(*address, timeout=PATIENCE_S, source_address=(source, 0))
        with closing(connection):
            while not is_over.is_set():
                connection.request("GET", POLLING)
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    come_in.put(response.status)

    threads = [threading.Thread(target=open_sessions) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(enough):
            come_in.get(timeout=PATIENCE_S)
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def test_who_joins_nothing_is_closed() -> None:
    """After `join_timeout_s`, on either transport, whatever else it says; who has joined stays."""
    with serving(limited(join_timeout_s=1)) as server:
        reader = joined_in_time(server)
        refused, polling = RawSocket(server.address), RawPolling(server.address)
        refused.send("40/NOPE,")
        closed = refused.closing()
        assert (closed.code, closed.reason) == (4003, "join_timeout")
        while polling.request("GET", polling.target)[0] == 200:
            pass
        assert polling.post("40/S0,") == 400
        assert reader.join("/S1").startswith("40")


def test_symbols_of_one_client() -> None:
    """`max_symbols_per_client` counts namespaces; leaving one makes room for another."""
    with serving(limited(max_symbols_per_client=3)) as server:
        client = RawSocket(server.address)
        answers = [client.join(f"/S{number}") for number in range(5)]
        assert [answer[:2] for answer in answers] == ["40", "40", "40", "44", "44"]
        assert answers[4] == '44/S4,{"message":"more than 3 symbols","data":{"code":"too_many_symbols","symbol":"S4"}}'
        client.send("41/S1,")
        assert client.join("/S4").startswith("40")


def test_a_message_that_is_too_long() -> None:
    """Closed with the code for it before it is read; on long polling, 413."""
    with serving(limited(max_message_bytes=2000)) as server:
        reader, long, polling = joined(server), RawSocket(server.address), RawPolling(server.address)
        long.send("4" + "x" * 2000)
        assert (long.closing().code, polling.post("4" + "x" * 2000)) == (1009, 413)
        assert polling.post("40") == 400
        reader.quote("S0")
