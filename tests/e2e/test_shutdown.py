"""The end of a server under clients of every kind: who is told what, who is waited for, and that nothing holds it up for good."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.e2e.raw import WEBSOCKET, Closed, RawPolling, RawSocket
from tests.e2e.server import PATIENCE_S, RunningServer, serving, start
from tests.e2e.waiting import wait

SETTINGS = """
[server]
drain_s = 120

[feeds.sim]
kind = "simulated"
interval_s = 0.05

[symbols]
""" + "\n".join(f'S{number} = {{ feed = "sim" }}' for number in range(300))
CROWD = 100


def rest_of(client: RawSocket) -> tuple[list[str], Closed]:
    """Every packet until the end, and the end."""
    packets: list[str] = []
    while True:
        try:
            packets.append(str(client.receive()))
        except Closed as end:
            client.close()
            return packets, end


def seqs_of(packets: list[str]) -> list[int]:
    """The `seq`s of the quotes of S0 among packets."""
    return [json.loads(packet.removeprefix("42/S0,"))[1]["seq"] for packet in packets if packet.startswith("42/S0,")]


@contextmanager
def stalling(server: RunningServer) -> Iterator[RawSocket]:
    """A client that has let megabytes of quotes pile up."""
    with closing(RawSocket(server.address)) as client:
        client.join("/")
        client.send('42["subscribe",{"symbols":"*"}]')
        wait(lambda: server.get("/api/quotes/S0").json.get("seq", 0) >= 60)
        yield client


def test_everybody_is_told_and_has_the_last_value() -> None:
    """Each to come again at a time of its own; a client at a tenth of a Hertz ends with the same quote as one at full rate."""
    with serving(SETTINGS) as server:
        crowd: list[RawSocket] = []
        had: list[int] = []
        for number in range(CROWD):
            client = RawSocket(server.address)
            crowd.append(client)
            client.join("/")
            if number % 2:
                client.ask("rate", {"max_hz": 0.1})
            client.join("/S0")
            had.append(client.quote("S0")["seq"])
        assert server.stop() == 0
        said = [rest_of(client) for client in crowd]
        assert {(end.code, end.reason) for _, end in said} == {(1001, "shutdown")}
        times = [packet for packets, _ in said for packet in packets if packet.startswith('42["shutdown",')]
        retry_ms = [int(packet.removeprefix('42["shutdown",{"retry_after_ms":').removesuffix("}]")) for packet in times]
        assert len(retry_ms) == len(set(retry_ms)) == CROWD
        assert 500 <= min(retry_ms) < 600
        assert 2400 < max(retry_ms) < 2500
        last = {max([first, *seqs_of(packets)]) for first, (packets, _) in zip(had, said, strict=True)}
        assert len(last) == 1
        assert server.lines("ERROR") == []


def test_while_somebody_stalls() -> None:
    """Not ready and closed to newcomers, but alive, until he is gone or `drain_s` is over; neither is an error."""
    with serving(SETTINGS) as server, stalling(server) as stalled:
        polling = RawPolling(server.address)
        polling.post("40")
        server.process.send_signal(signal.SIGTERM)
        server.wait_log("stopping")
        ready = server.get("/readyz")
        assert (ready.status, ready.json) == (503, {"ready": False, "reason": "shutting down"})
        assert server.get("/healthz").status == 200
        for transport in (WEBSOCKET, WEBSOCKET.replace("websocket", "polling")):
            refused = server.get(transport)
            assert refused.status == 503
            assert 1 <= int(refused.headers["retry-after"]) <= 5
        packets: list[str] = []
        while packets[-1:] != ["1"]:
            packets += polling.poll()
        assert any(packet.startswith('42["shutdown",') for packet in packets)
        assert server.process.poll() is None
        stalled.close()
        assert server.wait() == 0


def test_balancers_have_time_to_notice() -> None:
    """With `drain_min_s` it stays and says 503 with a time to come again, though nobody is left to be told. A second signal ends it."""
    with serving(SETTINGS.replace("drain_s = 120", "drain_s = 0\ndrain_min_s = 300")) as server:
        server.process.send_signal(signal.SIGTERM)
        server.wait_log("stopping")
        for path in ("/api/quotes", "/api/quotes/S0", "/", WEBSOCKET):
            refused = server.get(path)
            assert refused.status == 503
            assert 1 <= int(refused.headers["retry-after"]) <= 5
            assert refused.headers["connection"] == "close"
        assert server.get("/readyz").json == {"ready": False, "reason": "shutting down"}
        assert (server.get("/healthz").status, server.get("/metrics").status) == (200, 200)
        while server.process.poll() is None:
            server.process.send_signal(signal.SIGTERM)
        assert server.wait() == 128 + signal.SIGTERM


def test_who_stalls_is_not_waited_for_beyond_the_limit() -> None:
    """And that is no error."""
    with serving(SETTINGS.replace("drain_s = 120", "drain_s = 1")) as server, stalling(server):
        assert server.stop() == 0
        assert server.lines("ERROR") == []


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(second: signal.Signals) -> None:
    """Whoever stalls may have minutes: the second signal has none."""
    with serving(SETTINGS.replace("drain_s = 120", "drain_s = 300")) as server, stalling(server):
        server.process.send_signal(signal.SIGTERM)
        server.wait_log("stopping")
        while server.process.poll() is None:
            server.process.send_signal(second)  # one that comes within a tenth of a second is taken for the first one's twin
        assert server.wait() == 128 + second


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("cpu_ticks", [0, 20, 60])
def test_a_signal_during_the_start(tmp_path: Path, number: signal.Signals, cpu_ticks: int) -> None:
    """After so much work, wherever in it that is: it ends, with nothing to explain. (Before main.py's first line Python answers itself.)"""
    config = tmp_path / "settings.toml"
    config.write_text(SETTINGS)
    server = start(config, "--headless")
    maps, status = (Path(f"/proc/{server.process.pid}/{name}") for name in ("maps", "stat"))
    while "greenlet" not in maps.read_text() and server.process.poll() is None:  # the first library that main.py loads
        pass
    while int(status.read_text().rpartition(")")[2].split()[11]) < cpu_ticks and not server.lines("listening"):
        pass
    assert server.stop(number) in (0, 1, -number)
    assert server.lines("Traceback|Error") == []


def test_a_signal_during_a_reload() -> None:
    """Whichever of the two is seen first."""
    with serving(SETTINGS) as server:
        client = RawSocket(server.address)
        client.join("/")
        server.edit(lambda text: text + 'NEW = { feed = "sim" }\n')
        server.process.send_signal(signal.SIGHUP)
        assert server.stop() == 0
        assert rest_of(client)[1].code == 1001


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the start, that it is well, of a reload's beginning and end, and of the end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "400000")
        with serving(SETTINGS) as server:
            assert {manager.recv(100), manager.recv(100)} == {b"READY=1", b"WATCHDOG=1"}
            assert manager.recv(100) == b"WATCHDOG=1"
            server.process.send_signal(signal.SIGHUP)
            while (said := manager.recv(100)) == b"WATCHDOG=1":
                pass
            assert said.startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            while (said := manager.recv(100)) == b"WATCHDOG=1":
                pass
            assert said == b"READY=1"
            server.process.send_signal(signal.SIGTERM)
            while (said := manager.recv(100)) == b"WATCHDOG=1":
                pass
            assert said == b"STOPPING=1"
            assert server.wait() == 0
