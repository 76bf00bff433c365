"""The fault proxy does what it says, with nothing but an echo behind it. (Here, because asyncio wants an unpatched process.)"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.e2e.server import PATIENCE_S
from tests.faults import RECEIVE_BYTES, FaultProxy

FELT_BYTES = 40_000_000
"""More than four sending sockets hold, each of up to 4 MB, with what waits in the receiving ones and in the proxy."""


@pytest.fixture
def network() -> Iterator[FaultProxy]:
    """A proxy in front of an echo."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=echo, args=(client,), daemon=True).start()

        def echo(client: socket.socket) -> None:
            with suppress(OSError), client:
                while data := client.recv(65_536):
                    client.sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        with FaultProxy(listener.getsockname()[1]) as proxy:
            yield proxy
        listener.shutdown(socket.SHUT_RDWR)


def connected(network: FaultProxy) -> socket.socket:
    """A connection through it."""
    client = socket.create_connection(("127.0.0.1", network.port), PATIENCE_S)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    return client


def exactly(client: socket.socket, count: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        assert more
        data += more
    return data


def test_it_passes_on_whatever_comes(network: FaultProxy) -> None:
    """In both directions, much of it, and the end of it."""
    sent = bytes(range(256)) * 4000
    with connected(network) as client:
        threading.Thread(target=client.sendall, args=(sent,)).start()
        assert exactly(client, len(sent)) == sent
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


@pytest.mark.parametrize("fault", [{"latency_s": 0.01}, {"jitter_s": 0.02}, {"bytes_per_s": 1e6}, {"slice_bytes": 7},
                                   {"latency_s": 0.01, "jitter_s": 0.02, "bytes_per_s": 1e6, "slice_bytes": 100}])  # fmt: skip
@pytest.mark.parametrize("direction", ["up", "down"])
def test_what_is_slow_arrives_whole_and_in_order(network: FaultProxy, direction: str, fault: dict[str, float]) -> None:
    """Whatever the fault; and a line that was repaired has none."""
    line = getattr(network, direction)
    for name, value in fault.items():
        setattr(line, name, value)
    sent = b"".join(b"%06d" % number for number in range(2000))
    with connected(network) as client:
        threading.Thread(target=client.sendall, args=(sent,)).start()
        assert exactly(client, len(sent)) == sent
    line.repair()
    assert all(not getattr(line, name) for name in fault)


def test_a_cut_line_delivers_when_it_is_healed(network: FaultProxy) -> None:
    """Nothing meanwhile, and nothing is refused: old connections stay open, new ones are not answered."""
    with connected(network) as old:
        old.sendall(b"a")
        assert exactly(old, 1) == b"a"
        network.cut()
        old.sendall(b"b")
        with connected(network) as new:
            new.sendall(b"c")
            for client in (old, new):
                client.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    client.recv(1)
                client.settimeout(PATIENCE_S)
            network.heal()
            assert (exactly(old, 1), exactly(new, 1)) == (b"b", b"c")


def test_a_reset_is_one(network: FaultProxy) -> None:
    """Not an end that looks like the other side's wish."""
    with connected(network) as client:
        client.sendall(b"a")
        assert exactly(client, 1) == b"a"
        network.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with connected(network) as client:
        client.sendall(b"b")
        assert exactly(client, 1) == b"b"


def test_a_receiver_that_does_not_read_is_felt(network: FaultProxy) -> None:
    """The proxy holds little of its own: once the kernel's buffers of four sockets are full, the sender stalls."""
    with connected(network) as client:
        client.setblocking(False)
        sent, waits = 0, 0
        while waits < 20 and sent < FELT_BYTES:
            try:
                sent += client.send(b"x" * 65_536)
                waits = 0
            except BlockingIOError:
                waits += 1
                threading.Event().wait(0.05)
        assert sent < FELT_BYTES
