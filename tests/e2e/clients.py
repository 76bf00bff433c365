"""Clients that were not written here, behind one small interface: socket.io-client in Node, and python-socketio's client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple, Protocol

import pytest
import socketio

from tests.e2e.server import PATIENCE_S, ROOT

PAGE_PACKAGES = ROOT / "web" / "frontend" / "node_modules"
DRIVER = ROOT / "tests" / "e2e" / "node" / "driver.mjs"


class Event(NamedTuple):
    """One thing that a client told its user."""

    namespace: str
    name: str
    arguments: tuple[Any, ...]

    @property
    def payload(self) -> Any:
        """The only argument."""
        assert len(self.arguments) == 1, self
        return self.arguments[0]


class Received:
    """What a client has received, in order; may be waited for."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._called: dict[tuple[str, str], list[Event]] = defaultdict(list)
        """The same by namespace and name: of 500 namespaces each is looked for by itself."""
        self._changed = threading.Condition()

    def add(self, event: Event) -> None:
        """Called by the client."""
        with self._changed:
            self._events.append(event)
            self._called[event.namespace, event.name].append(event)
            self._changed.notify_all()

    def all(self, namespace: str, name: str) -> list[Any]:
        """The payloads of the events called `name` so far."""
        with self._changed:
            return [event.payload for event in self._called[namespace, name]]

    def order(self, namespace: str) -> list[str]:
        """The names of all events of a namespace, in order."""
        with self._changed:
            return [event.name for event in self._events if event.namespace == namespace]

    def count(self, name: str) -> int:
        """How many events are called `name`, in all namespaces."""
        with self._changed:
            return sum(event.name == name for event in self._events)

    def has(self, namespace: str, *names: str) -> bool:
        """Whether there is an event with one of these names. For `wait_until`, and afterwards."""
        return any(event.namespace == namespace and event.name in names for event in list(self._events))

    def wait(self, namespace: str, name: str, match: Callable[[Event], bool] = lambda _: True, *, timeout_s: float = PATIENCE_S) -> Event:
        """Wait for an event called `name` for which `match` is true: the first one there is."""
        return self.wait_all(namespace, name, 1, match, timeout_s=timeout_s)[0]

    def wait_all(
        self, namespace: str, name: str, number: int, match: Callable[[Event], bool] = lambda _: True, *, timeout_s: float = PATIENCE_S
    ) -> list[Event]:
        """Wait for `number` of them."""
        found: list[Event] = []

        def is_there() -> bool:
            found[:] = [event for event in self._called[namespace, name] if match(event)]
            return len(found) >= number

        with self._changed:
            assert self._changed.wait_for(is_there, timeout_s), f"{len(found)} of {number} {name!r} on {namespace}; {self._summary()}"
            return found

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until `condition` is true of what was received."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), f"{what}; {self._summary()}"

    def _summary(self) -> str:
        return f"received {len(self._events)}, the last: {self._events[-5:]}"


class Client(Protocol):
    """A client as the tests use it."""

    received: Received

    def call(self, event: str, *arguments: Any) -> Any:
        """Emit on `/` and return the acknowledgement."""

    def emit(self, event: str, *arguments: Any, namespace: str = "/") -> None:
        """Emit and ask for no acknowledgement."""

    def close(self) -> None:
        """Leave."""


class PythonClient:
    """python-socketio's own client."""

    def __init__(self, url: str, namespaces: Sequence[str], transports: Sequence[str] | None = None, **options: Any) -> None:
        self.received = Received()
        self._client = socketio.Client(reconnection=False, **{"request_timeout": PATIENCE_S} | options)
        self._client.on("*", lambda event, namespace, *arguments: self.received.add(Event(namespace, event, arguments)), namespace="*")
        for event in ("connect", "connect_error", "disconnect"):
            self._client.on(event, self._hearing(event), namespace="*")
        self._client.connect(url, namespaces=list(namespaces), transports=transports, wait=False)
        if self._client.eio.ws is not None:
            weakref.finalize(self, self._client.eio.ws.shutdown)  # the library leaves its socket to the garbage where the server hung up

    @property
    def transport(self) -> str:
        """The one in use."""
        return str(self._client.eio.current_transport)

    def call(self, event: str, *arguments: Any) -> Any:
        """Emit on `/` and return the acknowledgement."""
        return self._client.call(event, arguments, timeout=PATIENCE_S)

    def emit(self, event: str, *arguments: Any, namespace: str = "/") -> None:
        """Emit and ask for no acknowledgement."""
        self._client.emit(event, arguments, namespace=namespace)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()

    def _hearing(self, event: str) -> Callable[..., None]:
        return lambda namespace, *arguments: self.received.add(Event(namespace, event, arguments))


def node_path() -> str:
    """Node, beside socket.io-client; without them the test fails, and says what to do."""
    if not (PAGE_PACKAGES / "socket.io-client").is_dir():
        pytest.fail("socket.io-client is not installed. Run `make page-packages`.", pytrace=False)
    node = shutil.which("node", path=f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}")
    if node is None:
        pytest.fail("Node is not installed. Run `make node`.", pytrace=False)
    return node


class NodeDriver:
    """A Node process with any number of socket.io-client clients in it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([node_path(), str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._received: dict[str, Received] = {}
        self._names = count()
        threading.Thread(target=self._read, daemon=True).start()

    def open(self, url: str, namespaces: Sequence[str], transports: Sequence[str] | None = None, **options: Any) -> NodeClient:
        """A new client; `options` are socket.io-client's."""
        name = str(next(self._names))
        received = self._received[name] = Received()
        options.setdefault("timeout", 1000 * PATIENCE_S)  # of the handshake, in ms
        if transports is not None:
            options["transports"] = transports
        self.tell(op="open", client=name, url=url, options=options, namespaces=list(namespaces))
        return NodeClient(self, name, received)

    def tell(self, **command: Any) -> None:
        """Send a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """End the process and all its clients."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if not line.endswith("\n"):
                    break  # it was ended in the middle of what it said
                client, namespace, name, arguments = json.loads(line)
                self._received[client].add(Event(namespace, name, tuple(arguments)))


class NodeClient:
    """One of the clients in a `NodeDriver`."""

    def __init__(self, driver: NodeDriver, name: str, received: Received) -> None:
        self.received = received
        self._driver = driver
        self._name = name
        self._ids = count(1)

    def join(self, namespace: str) -> None:
        """Join a namespace."""
        self._driver.tell(op="join", client=self._name, namespace=namespace)

    def leave(self, namespace: str) -> None:
        """Leave a namespace."""
        self._driver.tell(op="leave", client=self._name, namespace=namespace)

    def call(self, event: str, *arguments: Any) -> Any:
        """Emit on `/` and return the acknowledgement."""
        number = next(self._ids)
        self._driver.tell(op="emit", client=self._name, namespace="/", event=event, arguments=arguments, id=number)
        return self.received.wait("/", "ack", lambda ack: ack.arguments[0] == number).arguments[1]

    def emit(self, event: str, *arguments: Any, namespace: str = "/") -> None:
        """Emit and ask for no acknowledgement."""
        self._driver.tell(op="emit", client=self._name, namespace=namespace, event=event, arguments=arguments)

    def close(self) -> None:
        """Leave."""
        self._driver.tell(op="close", client=self._name)


@contextmanager
def node_driver() -> Iterator[NodeDriver]:
    """A driver, ended with the block."""
    driver = NodeDriver()
    try:
        yield driver
    finally:
        driver.end()
