"""Clients that were not written here, as strangers would use them: official libraries on every transport, and the bare wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.e2e.clients import Client, NodeDriver, PythonClient
from tests.e2e.quote_checks import check_stream
from tests.e2e.raw import RawPolling, RawSocket
from tests.e2e.server import PATIENT, RunningServer, serving

ODD = ("ACME", "BTC-USD", "BTC/USD", "^GSPC", "EURUSD=X", "A+B", "MOSS.B", "x:y_z")
MANY = tuple(f"S{number:03}" for number in range(500))
SETTINGS = """
[feeds.sim]
kind = "simulated"
interval_s = 0.1

[symbols]
""" + "\n".join(f'"{symbol}" = {{ feed = "sim" }}' for symbol in ODD + MANY)

TRANSPORTS = {"default": None, "websocket": ["websocket"], "polling": ["polling"]}
FINALLY = {"default": "websocket", "websocket": "websocket", "polling": "polling"}
"""What each is to end up with: the default begins with long polling and upgrades."""

Open = Callable[[Sequence[str]], Client]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A relay with odd names, and with many."""
    with serving(SETTINGS) as running:
        yield running


@pytest.fixture(params=[f"{library}, {transport}" for library in ("socket.io-client", "python-socketio") for transport in TRANSPORTS])
def open_client(request: pytest.FixtureRequest, server: RunningServer, driver: NodeDriver) -> Iterator[Open]:
    """Opens a client of each library, with each choice of transports, on some namespaces."""
    library, transport = request.param.split(", ")
    opened: list[Client] = []

    def open_(namespaces: Sequence[str]) -> Client:
        transports = TRANSPORTS[transport]
        if library == "python-socketio":
            opened.append(PythonClient(server.url, namespaces, transports))
        else:
            opened.append(driver.open(server.url, namespaces, transports))
        return opened[-1]

    yield open_
    for client in opened:
        if isinstance(client, PythonClient):
            assert client.transport == FINALLY[transport]
        else:
            client.received.wait("", "transport", lambda event: event.payload == FINALLY[transport])
        client.close()


def test_each_symbol_is_a_namespace_of_its_name(open_client: Open) -> None:
    """Whatever characters it has: joined at once, snapshot first, then every update, in order."""
    client = open_client(["/", *("/" + symbol for symbol in ODD)])
    epoch = client.received.wait("/", "hello").payload["epoch"]
    for symbol in ODD:
        quotes = [event.payload for event in client.received.wait_all("/" + symbol, "quote", 5)]
        check_stream(quotes, symbol, epoch)
        assert client.received.order("/" + symbol)[:2] == ["connect", "quote"]


def test_an_unknown_symbol_is_refused_and_nothing_else(open_client: Open) -> None:
    """The refusal says so in words and in a code; what else was asked for goes on."""
    client = open_client(["/", "/NOPE", "/acme", "/ACME"])
    for symbol in ("NOPE", "acme"):
        refused = client.received.wait("/" + symbol, "connect_error")
        assert refused.payload == {"message": "unknown symbol", "data": {"code": "unknown_symbol", "symbol": symbol}}
    check_stream([event.payload for event in client.received.wait_all("/ACME", "quote", 3)], "ACME")


@pytest.mark.parametrize("number", [1, 20, 500])
def test_many_namespaces_over_one_connection(open_client: Open, number: int) -> None:
    """Each of them is joined and quoted, on long polling too."""
    client = open_client(["/" + symbol for symbol in MANY[:number]])
    for symbol in MANY[:number]:
        check_stream([event.payload for event in client.received.wait_all("/" + symbol, "quote", 3)], symbol)
    assert client.received.count("connect") == number
    assert client.received.count("connect_error") == 0


def test_requests_are_acknowledged(open_client: Open) -> None:
    """On each transport of each library."""
    client = open_client(["/"])
    client.received.wait("/", "hello")
    assert client.call("message", "Grüße, 价格 €") == {"ok": True}
    assert client.received.wait("/", "message").payload == "Echo: Grüße, 价格 €"
    answer = client.call("subscribe", {"symbols": ["ACME", "NOPE"], "max_hz": 2})
    assert answer == {"ok": True, "subscribed": ["ACME"], "refused": {"NOPE": "unknown_symbol"}, "max_hz": 2}
    assert [quote["symbol"] for quote in client.received.wait("/", "quotes").payload] == ["ACME"]


def test_a_client_joins_and_leaves_as_it_likes(server: RunningServer, driver: NodeDriver) -> None:
    """A namespace joined again begins with a snapshot again; the others go on."""
    client = driver.open(server.url, ["/ACME", "/BTC/USD"])
    for symbol in ("ACME", "BTC/USD"):
        client.received.wait_all("/" + symbol, "quote", 2)
    client.leave("/ACME")
    client.received.wait("/ACME", "disconnect")
    client.join("/")
    client.received.wait("/", "hello")  # behind whatever was on its way to the one that left
    before = len(client.received.all("/ACME", "quote"))
    client.join("/ACME")
    again = client.received.wait_all("/ACME", "quote", before + 2)
    check_stream([event.payload for event in again[before:]], "ACME")
    others = [event.payload for event in client.received.wait_all("/BTC/USD", "quote", 4)]
    check_stream(others, "BTC/USD")
    client.close()


def test_the_bare_websocket(server: RunningServer) -> None:
    """The wire as docs/protocol.md tells it, packet by packet; wsproto finds no fault with a frame."""
    client = RawSocket(server.address)
    opening = client.receive()
    assert isinstance(opening, str)
    assert opening[0] == "0"
    handshake = json.loads(opening[1:])
    ping_timeout_ms = 1000 * PATIENT["server.ping_timeout_s"]
    assert handshake.keys() == {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
    assert {**handshake, "sid": ""} == {
        "sid": "", "upgrades": [], "pingInterval": 10_000, "pingTimeout": ping_timeout_ms, "maxPayload": 65_536}  # fmt: skip
    joined = client.join("/BTC/USD")
    assert joined.startswith('40/BTC/USD,{"sid":"')
    assert handshake["sid"] not in joined, "the session's id is a secret"
    check_stream([client.quote("BTC/USD") for _ in range(3)], "BTC/USD")
    assert client.join("/NOPE") == '44/NOPE,{"message":"unknown symbol","data":{"code":"unknown_symbol","symbol":"NOPE"}}'
    client.send("41/BTC/USD,")
    assert client.join("/ACME").startswith("40/ACME,")
    packets = [client.receive() for _ in range(3)]
    assert all(str(packet).startswith('42/ACME,["quote",{') for packet in packets), "what was left is silent"
    client.close()


def test_bare_long_polling(server: RunningServer) -> None:
    """The same over HTTP: many packets in one body, both ways; nothing is promised that is not kept."""
    client = RawPolling(server.address)
    assert client.opening["upgrades"] == ["websocket"]
    assert client.post("40/ACME,", "40/BTC/USD,", "40/NOPE,", "40") == 200
    packets: list[str] = []
    while sum(packet.startswith('42/ACME,["quote"') for packet in packets) < 3:
        packets += client.poll()
    assert '44/NOPE,{"message":"unknown symbol","data":{"code":"unknown_symbol","symbol":"NOPE"}}' in packets
    for symbol in ("ACME", "BTC/USD"):
        prefix = f"42/{symbol},"
        check_stream([json.loads(packet.removeprefix(prefix))[1] for packet in packets if packet.startswith(prefix)], symbol)
    assert client.post("1") == 200
    assert client.request("GET", client.target)[0] == 400
