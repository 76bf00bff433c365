"""The door to the street: which HTTP connections are let in, and how long each may take over what it says and hears.

eventlet's server reads and writes for as long as a client likes, and stops listening for good when descriptors run out. Here the
request line, headers, body and answer each have their time, and who finds no room is told when to come again.
"""

from __future__ import annotations

import errno
import logging
import resource
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from http import HTTPStatus
from time import monotonic
from typing import Any, NamedTuple

from web.runtime import EventletRuntime, HttpProtocol, original

log = logging.getLogger(__name__)

socket = original("socket")

_IDLE_S = 15.0  # for the next request to begin and to end its first line
_HEADERS_S = 15.0
_BODY_S = 30.0
_BODY_BYTES = 33_554_432  # twice the most that `limits.max_message_bytes` may be
_ANSWER_S, _ANSWER_BYTES_PER_S = 30.0, 10_000  # so long, and longer where there is more to say
_SPARE_DESCRIPTORS = 64  # for feeds, files and whatever else must go on when clients have taken the rest
_COMPLAIN_EVERY_S = 60.0
_AGAIN_S = 0.05  # after an error of accept
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class MostRequests(NamedTuple):
    """How many HTTP connections there may be at a time. A WebSocket is one only until it has shaken hands."""

    in_all: int
    of_an_address: int


def serve_http(runtime: EventletRuntime, entrance: Entrance, app: Callable[..., Any]) -> None:
    """Serve the WSGI `app` until the task is killed."""
    protocol = type("_EnteredProtocol", (_HttpProtocol,), {"runtime": runtime, "entrance": entrance})
    runtime.serve_wsgi(entrance, app, protocol, _IDLE_S)


class Entrance:
    """A listener that lets in as many connections as there is room for (`most`), and tells the others at once when to come again.

    An address that `is_proxy` stands for many: of those behind it, nobody is refused for the others.

    No error of `accept` ends it: eventlet's server would stop listening for good when descriptors run out for a moment.
    """

    def __init__(self, runtime: EventletRuntime, listener: Any, most: Callable[[], MostRequests],
                 is_proxy: Callable[[str], bool] = lambda address: False) -> None:
        self._runtime = runtime
        self._listener = listener
        self._most = most
        self._is_proxy = is_proxy
        self.open = 0
        """How many there are."""
        self.answering = 0
        """How many of them have asked for what is not written yet."""
        self._open_of: Counter[str] = Counter()
        self._complained_s = -_COMPLAIN_EVERY_S

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> tuple[Any, Any]:
        """The next connection there is room for."""
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError as error:
                if error.errno in (errno.EBADF, errno.EINVAL) or self._listener.fileno() < 0:
                    raise  # it was closed
                self._complain(f"a connection could not be taken: {error.strerror}")
                self._runtime.sleep(_AGAIN_S)
                continue
            most = self._most()
            descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            if connection.fileno() >= descriptors - _SPARE_DESCRIPTORS:
                self._complain(f"of {descriptors} file descriptors only {_SPARE_DESCRIPTORS} are free: raise the limit (ulimit -n)")
            elif self.open < most.in_all and (self._open_of[address[0]] < most.of_an_address or self._is_proxy(address[0])):
                self.open += 1
                self._open_of[address[0]] += 1
                return connection, address
            with suppress(OSError):
                connection.setblocking(False)
                connection.send(_BUSY)
            connection.close()

    def left(self, address: Any) -> None:
        """A connection that was let in is over, or is no HTTP any more."""
        self.open -= 1
        self._open_of[address[0]] -= 1
        if not self._open_of[address[0]]:
            del self._open_of[address[0]]

    def _complain(self, what: str) -> None:
        if monotonic() - self._complained_s >= _COMPLAIN_EVERY_S:
            self._complained_s = monotonic()
            log.warning("%s; new clients are refused meanwhile", what)


class _HttpProtocol(HttpProtocol):  # type: ignore[misc]  # eventlet has no types
    """eventlet's, saying which version of HTTP a request was made in, nothing of itself where it can't be parsed, and in time."""

    runtime: EventletRuntime
    entrance: Entrance
    wfile: Any

    def __init__(self, conn_state: Any, server: Any) -> None:
        try:
            super().__init__(conn_state, server)
        except OSError:
            pass  # the connection is gone; eventlet would print a traceback for the rarer kinds of it
        finally:
            self.entrance.left(conn_state[0])
            for file in (self.wfile, self.rfile, conn_state[1]):
                with suppress(OSError):
                    file.close()

    def setup(self) -> None:
        """Open the connection's two files."""
        super().setup()
        self.wfile = _Answer(self.wfile, self.within)

    def _read_request_line(self) -> Any:
        with self.within(_IDLE_S):
            return super()._read_request_line()

    def parse_request(self) -> Any:
        """Read the headers."""
        with self.within(_HEADERS_S):
            return super().parse_request()

    def handle_one_response(self) -> None:
        """Answer a request."""
        self.entrance.answering += 1
        try:
            super().handle_one_response()
        finally:
            self.entrance.answering -= 1

    def get_environ(self) -> dict[str, Any]:
        """The request as WSGI knows it."""
        environ: dict[str, Any] = super().get_environ()
        environ["SERVER_PROTOCOL"] = self.request_version
        body = environ["eventlet.input"]
        body.rfile = _Body(body.rfile, self)
        return environ

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no HTTP: the library's answer would repeat it and name our versions."""
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 %d %b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % (code, HTTPStatus(code).phrase.encode()))

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Cut the connection where the block takes longer: what is read there ends, and what is written fails."""
        return self.runtime.unless_done(seconds, self._cut)

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class _Body:
    """What follows the headers. All of it has to come in time; of an endless one the rest is not waited for."""

    def __init__(self, file: Any, protocol: _HttpProtocol) -> None:
        self._file = file
        self._protocol = protocol
        self._until_s = monotonic() + _BODY_S
        self._room = _BODY_BYTES

    def read(self, size: int) -> bytes:
        """As files do."""
        return self._taken(self._file.read, size)

    def readline(self, size: int = 1024) -> bytes:
        """As files do. (Only the lines between chunks are asked for without a size; they are short.)"""
        return self._taken(self._file.readline, size)

    def _taken(self, read: Callable[[int], bytes], size: int) -> bytes:
        if self._room <= 0:
            self._protocol.close_connection = True
            return b""
        with self._protocol.within(self._until_s - monotonic()):
            data = read(size)
        self._room -= len(data)
        return data


class _Answer:
    """Where the answer goes: a client that does not take it in reasonable time is not waited for."""

    def __init__(self, file: Any, within: Callable[[float], Any]) -> None:
        self._file = file
        self._within = within
        self._unsent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> None:
        """As files do."""
        self._unsent += len(data)
        with self._within(_ANSWER_S + self._unsent / _ANSWER_BYTES_PER_S):
            self._file.write(data)

    def writelines(self, lines: Iterable[bytes]) -> None:
        """As files do."""
        self.write(b"".join(lines))

    def flush(self) -> None:
        """As files do."""
        with self._within(_ANSWER_S + self._unsent / _ANSWER_BYTES_PER_S):
            self._file.flush()
        self._unsent = 0
