"""How each server of a comparison is started, and how it is told its rate."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.build import NODE_PEER, program
from bench.children import GENERATOR_CORE, SERVER_CORE, Child, child, free_port
from bench.payload import FULL_BYTES, symbol_name, template

NATS = shutil.which("nats-server", path="/usr/sbin:/usr/bin:/usr/local/bin")


@dataclass(frozen=True)
class Load:
    """Who listens to what. `universe` is the number of symbols there are; with `distinct` every client joins a random choice."""

    clients: int
    symbols: int
    universe: int = 0
    distinct: bool = False
    object_bytes: int = FULL_BYTES
    flush_ms: int = 1
    limits: str = ""

    @property
    def all_symbols(self) -> int:
        """How many symbols the server publishes."""
        return max(self.universe, self.symbols)

    def offered_per_s(self, hz: float) -> float:
        """Symbol updates a second that `hz` updates of every symbol make for all clients together."""
        return self.clients * self.symbols * hz

    def hz(self, offered_per_s: float) -> float:
        """The other way round."""
        return offered_per_s / (self.clients * self.symbols)


@dataclass
class Running:
    """A started server. `watched[0]` is the process that sends; `helpers` says what else runs and where."""

    name: str
    port: int
    protocol: str
    watched: list[int]
    sender: Child
    paced_by: Child | None = None
    helpers: str = ""

    def offer(self, hz: float) -> None:
        """Tell it to update every symbol `hz` times a second, 0 to pause. Only for servers that are steerable."""
        if self.paced_by is None:
            raise ValueError(f"{self.name} has its rate from its start")
        self.paced_by.tell(f"rate {hz:.6g}")


class Kind(Protocol):
    """A kind of server that can be measured."""

    name: str
    steerable: bool  # its rate changes while it runs; else it is started once a rate
    deflate: bool  # its clients offer permessage-deflate

    def missing(self) -> str | None:
        """Why it can't run here, or `None`."""

    def start(self, load: Load, hz: float) -> contextlib.AbstractContextManager[Running]:
        """Start it; a steerable one is silent until told a rate."""


class Ours:
    """This project, as it is shipped: `serve --headless` with the `simulated` feed."""

    name = "tickercast"
    steerable = False
    deflate = False

    def missing(self) -> str | None:
        """It always runs."""
        return None

    @contextlib.contextmanager
    def start(self, load: Load, hz: float) -> Iterator[Running]:
        """One tick moves all symbols; `hz` up to 1000."""
        symbols = "".join(f'{symbol_name(number)} = {{ feed = "sim" }}\n' for number in range(load.all_symbols))
        # Everybody comes from this machine, and some of the crowds join as fast as they can.
        settings = (
            f"[broadcast]\nflush_ms = {load.flush_ms}\n[limits]\nconnects_per_s = 8000\nmax_waiting = 10000\n{load.limits}\n"
            f'[feeds.sim]\nkind = "simulated"\nseed = 7\ninterval_s = {1 / hz:.6g}\n[symbols]\n{symbols}'
        )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "settings.toml"
            file.write_text(settings, encoding="utf-8")
            command = [sys.executable, "main.py", "serve", "--headless", "--config", str(file), "--port", "0"]
            with child(self.name, command, SERVER_CORE) as server:
                port = int(server.wait_for(r"listening on http://127\.0\.0\.1:(\d+)")[1])
                yield Running(self.name, port, "socketio", [server.pid], server)


class PythonPeer:
    """A Python program of `bench/peers`."""

    steerable = True

    def __init__(self, name: str, module: str, needs: tuple[str, ...], *, deflate: bool = False) -> None:
        self.name = name
        self.deflate = deflate
        self._module = module
        self._needs = needs

    def missing(self) -> str | None:
        """Its libraries may not be installed."""
        absent = [needed for needed in self._needs if importlib.util.find_spec(needed) is None]
        return f"not installed: {', '.join(absent)}" if absent else None

    @contextlib.contextmanager
    def start(self, load: Load, hz: float) -> Iterator[Running]:
        """Silent until told a rate."""
        port = free_port()
        command = [sys.executable, "-m", f"bench.peers.{self._module}", *_peer_options(port, load)]
        with child(self.name, command, SERVER_CORE) as server:
            server.wait_for_port(port)
            yield Running(self.name, port, "socketio", [server.pid], server, paced_by=server)


class Node:
    """Socket.IO on Node, from the lock file in `bench/peers/node`."""

    name = "Socket.IO on Node"
    steerable = True
    deflate = False

    def missing(self) -> str | None:
        """Node and the packages of the lock file."""
        if shutil.which("node") is None:
            return "not installed: node"
        if not (NODE_PEER / "node_modules" / "socket.io").is_dir():
            return "not installed: the packages of bench/peers/node/package-lock.json (npm ci)"
        return None

    @contextlib.contextmanager
    def start(self, load: Load, hz: float) -> Iterator[Running]:
        """Silent until told a rate."""
        port = free_port()
        with child(self.name, ["node", str(NODE_PEER / "server.mjs"), *_peer_options(port, load)], SERVER_CORE) as server:
            server.wait_for_port(port)
            yield Running(self.name, port, "socketio", [server.pid], server, paced_by=server)


class Nats:
    """nats-server with its WebSocket listener on the server's core; its publisher shares the generator's."""

    name = "NATS"
    steerable = True
    deflate = False

    def missing(self) -> str | None:
        """`nats-server` on the path."""
        return None if NATS else "not installed: nats-server"

    @contextlib.contextmanager
    def start(self, load: Load, hz: float) -> Iterator[Running]:
        """Silent until its publisher is told a rate."""
        plain, websocket = free_port(), free_port()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "nats.conf"
            file.write_text(
                f'listen: "127.0.0.1:{plain}"\nmax_connections: 20000\nwebsocket {{ listen: "127.0.0.1:{websocket}", no_tls: true }}\n',
                encoding="utf-8",
            )
            publisher = [sys.executable, "-m", "bench.peers.nats_publish", *_peer_options(plain, load)]
            with child(self.name, [NATS or "nats-server", "-c", str(file)], SERVER_CORE) as server:
                server.wait_for_port(websocket)
                with child("publisher of NATS", publisher, GENERATOR_CORE) as paced_by:
                    yield Running(
                        self.name,
                        websocket,
                        "nats",
                        [server.pid, paced_by.pid],
                        server,
                        paced_by=paced_by,
                        helpers="its publisher runs on the generator's core",
                    )


class SendLoop:
    """`bench/native/sendloop.c`: the most that the kernel lets one core send."""

    name = "send loop"
    steerable = False
    deflate = False

    def missing(self) -> str | None:
        """It is built by the bench."""
        return None

    @contextlib.contextmanager
    def start(self, load: Load, hz: float) -> Iterator[Running]:
        """Begins `hz` rounds a second once all clients are there, or with 0 sends as fast as it can."""
        command = [program("sendloop"), "--clients", str(load.clients), "--frames", str(load.symbols), "--bytes", str(load.object_bytes),
                   "--universe", str(load.all_symbols), *(["--distinct"] if load.distinct else []),
                   *(["--hz", f"{hz:.0f}"] if hz else [])]  # fmt: skip
        with child(self.name, command, SERVER_CORE) as server:
            port = int(server.wait_for(r"listening on (\d+)")[1])
            yield Running(self.name, port, "raw", [server.pid], server)


def _peer_options(port: int, load: Load) -> list[str]:
    return ["--port", str(port), "--symbols", str(load.all_symbols), "--template", template(load.object_bytes)]


OURS = Ours()
SEND_LOOP = SendLoop()
SEND_LOOP_PACED = f"{SEND_LOOP.name}, at our rate"
"""The same at the pace of our feed."""
PEERS: dict[str, Kind] = {
    "tickercast": OURS,
    "sendloop": SEND_LOOP,
    "flask": PythonPeer("Flask-SocketIO, stock", "flask_stock", ("flask_socketio", "eventlet")),
    "flask-deflate": PythonPeer("Flask-SocketIO, stock, deflate", "flask_stock", ("flask_socketio", "eventlet"), deflate=True),
    "node": Node(),
    "nats": Nats(),
}
