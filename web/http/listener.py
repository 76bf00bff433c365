"""Takes HTTP connections from the listening socket, and says which have to go where there is no room for all.

No error of `accept` ends it, and who finds no room is told at once when to come again.
"""

from __future__ import annotations

import errno
import logging
import resource
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

from ticker.log_limit import LogLimit
from web.auth.addresses import UNIX_PEER, network_of
from web.http.connection import Connection
from web.http.server import HttpServer
from web.refusals import Reason, Refusals, body
from web.runtime import EventletRuntime, Turns

log = logging.getLogger(__name__)

SPARE_DESCRIPTORS = 64
"""For feeds, files and whatever else must go on when clients have taken the rest."""
_WARN_EVERY_S = 60.0
_AGAIN_S = 0.05  # after an error of accept
_LOOK_S = 60.0
_BUSY_BODY = body(Reason.CONNECTIONS)
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Cache-Control: no-store\r\nContent-Length: %d\r\n\r\n%b" % (len(_BUSY_BODY), _BUSY_BODY)
)


class MostConnections(NamedTuple):
    """How many HTTP connections there may be at a time. A WebSocket is one only until it has shaken hands."""

    in_all: int
    of_a_network: int


class Listener:
    """Takes connections from `sock` (unpatched, non-blocking) for `server`, as many as there is room for (`most`).

    Where there is none, those go first that wait for their next request, longest first. An address that `is_proxy` stands for many: of
    those behind it, nobody is refused for the others.
    """

    def __init__(
        self,
        runtime: EventletRuntime,
        sock: Any,
        server: HttpServer,
        most: Callable[[], MostConnections],
        is_proxy: Callable[[str], bool] = lambda address: False,
        refusals: Refusals | None = None,
    ) -> None:
        self._runtime = runtime
        self._turns = Turns()
        self._socket = sock
        self._server = server
        self._most = most
        self._is_proxy = is_proxy
        self._refusals = refusals or Refusals()
        self._open_of: Counter[str] = Counter()
        self._inside: set[Connection] = set()
        self._idle: dict[str, dict[Connection, None]] = {}  # by network, longest first
        self._oldest: dict[Connection, None] = {}  # the same of all networks
        self._log_limit = LogLimit(1, _WARN_EVERY_S)

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._inside)

    @property
    def idle(self) -> int:
        """How many of them wait for their next request."""
        return len(self._oldest)

    def run(self) -> None:
        """Serve until the socket is closed, or the task is killed."""
        turn = 0
        while True:
            turn = self._turns.take(turn)
            try:
                sock, peer = self._socket.accept()
            except BlockingIOError:
                self._runtime.wait_readable(self._socket.fileno(), _LOOK_S)
            except OSError as error:
                if error.errno in (errno.EBADF, errno.EINVAL) or self._socket.fileno() < 0:
                    return  # it was closed
                self._warn(f"a connection could not be taken: {error.strerror}")
                self._runtime.sleep(_AGAIN_S)
            else:
                self._let_in(sock, peer)

    def _let_in(self, sock: Any, peer: Any) -> None:
        address, port = peer[:2] if peer else (UNIX_PEER, 0)
        network = network_of(address)
        sock.setblocking(False)
        if not self._has_room(sock.fileno(), network, address):
            self._refusals.note(Reason.CONNECTIONS, address)
            with suppress(OSError):
                sock.send(_BUSY)
            sock.close()
            return
        connection = Connection(self._runtime, self._turns, sock, address, port, network)
        connection.is_proxy = self._is_proxy(address)
        self._inside.add(connection)
        self._open_of[network] += 1
        self._runtime.spawn(self._serve, connection)

    def _serve(self, connection: Connection) -> None:
        try:
            self._server.serve(connection, self)
        finally:
            self._left(connection)

    def _has_room(self, descriptor: int, network: str, address: str) -> bool:
        """Whether there is room for one more, after asking somebody idle to leave."""
        most = self._most()
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if descriptor >= descriptors - SPARE_DESCRIPTORS:
            self._warn(f"of {descriptors} file descriptors only {SPARE_DESCRIPTORS} are free: raise the limit (ulimit -n)")
            self._dismiss(self._oldest)  # the next one finds room
            return False
        if self._open_of[network] >= most.of_a_network and not self._is_proxy(address) and not self._dismiss(self._idle.get(network, {})):
            return False
        return len(self._inside) < most.in_all or self._dismiss(self._oldest)

    def _dismiss(self, idle: dict[Connection, None]) -> bool:
        """Have the first of `idle` leave; whether there was one. Its place is free at once."""
        connection = next(iter(idle), None)
        if connection is None:
            return False
        connection.cut()
        self._left(connection)
        return True

    def waits(self, connection: Connection) -> None:
        """`connection` has nothing to do."""
        if connection in self._inside:
            self._idle.setdefault(connection.network, {})[connection] = None
            self._oldest[connection] = None

    def works(self, connection: Connection) -> None:
        """It has something to do again."""
        self._oldest.pop(connection, None)
        idle = self._idle.get(connection.network)
        if idle is not None and idle.pop(connection, self) is None and not idle:
            del self._idle[connection.network]

    def _left(self, connection: Connection) -> None:
        """A connection that was let in is over, or is no HTTP any more."""
        self.works(connection)
        if connection in self._inside:
            self._inside.remove(connection)
            self._open_of[connection.network] -= 1
            if not self._open_of[connection.network]:
                del self._open_of[connection.network]

    def _warn(self, what: str) -> None:
        if self._log_limit.passes(monotonic()):
            log.warning("%s; new clients are refused meanwhile", what)
