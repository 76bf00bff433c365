"""The limits of the settings, each reached on purpose by clients that are told so, while those who were there before go on."""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress

import pytest

from tests.e2e.clients import node_driver
from tests.e2e.raw import RawPolling, RawSocket
from tests.e2e.server import RunningServer, serving

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
        assert (answer.status, answer.body) == (503, b"too many clients")
        assert 1 <= int(answer.headers["retry-after"]) <= 5  # each is told another time
        assert server.get("/api/quotes/S0").status == 200
        first.quote("S0")


def test_too_many_connects_in_a_second() -> None:
    """Of twenty at once some are refused, not all, and none for good."""
    with serving(limited(connects_per_s=3)) as server, ExitStack() as stack:
        came = 0
        for _ in range(20):
            with suppress(ConnectionRefusedError):
                stack.enter_context(closing(RawSocket(server.address)))
                came += 1
        assert 3 <= came < 20


def test_who_joins_nothing_is_closed() -> None:
    """After `join_timeout_s`, on either transport, whatever else it says; who has joined stays."""
    with serving(limited(join_timeout_s=1)) as server:
        reader, refused, polling = joined(server), RawSocket(server.address), RawPolling(server.address)
        refused.join("/NOPE")
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
