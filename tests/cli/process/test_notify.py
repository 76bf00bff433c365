"""What a service manager hears, on a real datagram socket, by path and by abstract name; and the silence where there is none."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.process.notify import Notifier


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    """A socket that a manager listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(20)
        yield listening


@pytest.fixture
def environ(tmp_path: Path, manager: socket.socket) -> dict[str, str]:
    """What it starts a service with."""
    path = str(tmp_path / "notify")
    manager.bind(path)
    return {"NOTIFY_SOCKET": path}


def test_every_state(environ: dict[str, str], manager: socket.socket) -> None:
    """One datagram each; a reload says when it began, by the clock that the manager goes by."""
    notifier = Notifier(environ)
    notifier.ready()
    notifier.reloading()
    notifier.stopping()
    said = [manager.recv(4096).decode() for _ in range(3)]
    assert (said[0], said[2]) == ("READY=1", "STOPPING=1")
    name, _, began = said[1].partition("\nMONOTONIC_USEC=")
    assert name == "RELOADING=1"
    assert began.isdecimal()


def test_an_abstract_name(manager: socket.socket) -> None:
    """Written with an @ for the zero byte."""
    name = f"tickercast-test-{os.getpid()}"
    manager.bind("\0" + name)
    Notifier({"NOTIFY_SOCKET": "@" + name}).ready()
    assert manager.recv(4096) == b"READY=1"


def test_the_watchdog_hears_of_rounds_only(environ: dict[str, str], manager: socket.socket) -> None:
    """A loop that stands still is not well, however often one asks."""
    notifier = Notifier(environ)
    for rounds in (5, 5, 5, 6, 6):
        notifier.alive(rounds)
    notifier.stopping()
    assert [manager.recv(4096) for _ in range(3)] == [b"WATCHDOG=1", b"WATCHDOG=1", b"STOPPING=1"]


@pytest.mark.parametrize(("words", "watchdog_s"), [
    ({}, None), ({"WATCHDOG_USEC": "3000000"}, 3.0), ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "PID"}, 0.5),
    ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None), ({"WATCHDOG_USEC": "0"}, None), ({"WATCHDOG_USEC": "-5"}, None),
    ({"WATCHDOG_USEC": "soon"}, None), ({"WATCHDOG_USEC": ""}, None)])  # fmt: skip
def test_how_often(environ: dict[str, str], words: dict[str, str], watchdog_s: float | None) -> None:
    """As the manager says, and only if it means this process."""
    meant = {name: value.replace("PID", str(os.getpid())) for name, value in words.items()}
    assert Notifier({**environ, **meant}).watchdog_s == watchdog_s


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "relative", "/no/such/socket", "@no-such-tickercast"])
def test_nobody_there(address: str) -> None:
    """It runs as well without."""
    notifier = Notifier({"NOTIFY_SOCKET": address} if address else {})
    notifier.ready()
    notifier.stopping()


def test_a_manager_that_does_not_listen(environ: dict[str, str]) -> None:
    """Its socket fills up, and nobody waits for it."""
    notifier = Notifier(environ)
    for rounds in range(10_000):
        notifier.alive(rounds)
