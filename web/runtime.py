"""The only module that knows eventlet. The rest of the program asks it for tasks, deadlines, waiting on a descriptor, and a server.

The day eventlet retires, this file changes (and the two patch lines of `main.py`).
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, cast

import eventlet
import eventlet.green.socket
import eventlet.hubs
import eventlet.hubs.hub
import eventlet.patcher
import eventlet.tpool
import eventlet.wsgi

from ticker.runtime import DeadlineExceeded, Task

log = logging.getLogger(__name__)

ASYNC_MODE = "eventlet"

RELIED_UPON: dict[Any, tuple[str, ...]] = {
    eventlet.hubs: ("get_hub", "trampoline"),
    eventlet.hubs.hub.BaseHub: ("add", "remove", "schedule_call_global", "WRITE"),
    eventlet.patcher: ("original", "is_monkey_patched"),
    eventlet.green.socket: ("getaddrinfo", "create_connection"),
    eventlet.wsgi: ("server", "WSGI_LOCAL"),
    eventlet.wsgi.HttpProtocol: ("get_environ", "handle_one_response", "send_error", "_read_request_line"),
    eventlet.wsgi.Input: ("get_socket", "read"),
}
"""Names of eventlet's that are used here beyond its documentation; they are checked at start (`web.fanout.guard`)."""


def original(module: str) -> ModuleType:
    """The standard library's `module` as it was before the process was patched: its calls block, and cost no detour."""
    return cast(ModuleType, eventlet.patcher.original(module))


def is_patched() -> bool:
    """Whether the process was patched before anything else was imported."""
    return bool(eventlet.patcher.is_monkey_patched("socket"))


def resolve(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
    """`socket.getaddrinfo` of the machine's own resolver: hosts, nsswitch, search domains, as every other program here. It blocks, so
    it works in a thread, and only the task that asks waits. An address needs no looking up.
    """
    socket = eventlet.patcher.original("socket")
    try:
        return socket.getaddrinfo(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)
    except OSError:
        return eventlet.tpool.execute(socket.getaddrinfo, host, port, family, type, proto, flags)


class EventletRuntime:
    """`ticker.runtime.Runtime` on eventlet's hub: one OS thread, every task a greenlet. With the first one, names resolve in threads."""

    def __init__(self) -> None:
        socket: Any = sys.modules["socket"]
        if is_patched() and socket.getaddrinfo.__module__ == "socket":  # else eventlet's own client was asked for
            socket.getaddrinfo = eventlet.green.socket.getaddrinfo = resolve

    def spawn(self, work: Callable[..., Any], *args: Any) -> Task:
        """Run `work(*args)` as a greenlet; an exception it raises is logged and ends only this task."""
        return cast(Task, eventlet.spawn(_logged, work, *args))

    def sleep(self, seconds: float) -> None:
        """Let others run for `seconds`, ≥ 0."""
        eventlet.sleep(seconds)

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Cut the block short after `seconds` in all, whatever it waits for, and raise `DeadlineExceeded`."""
        timer = eventlet.Timeout(seconds)
        try:
            yield
        except eventlet.Timeout as error:
            if error is not timer:
                raise
            raise DeadlineExceeded(f"took longer than {seconds:g} s") from None
        finally:
            timer.cancel()

    def wait_readable(self, descriptor: int, timeout_s: float) -> bool:
        """Let others run until `descriptor` can be read, at most `timeout_s`; whether it can."""
        try:
            eventlet.hubs.trampoline(descriptor, read=True, timeout=timeout_s)
        except eventlet.Timeout:
            return False
        return True

    @contextmanager
    def kept(self, descriptor: int) -> Iterator[None]:
        """Keep `descriptor` in what the hub polls during the block, also while nobody waits for it.

        For an epoll set: adding one to another has the kernel walk over all that it watches, at each wait anew. `descriptor` must never be
        writable, as an epoll set never is: that is what it is kept for.
        """
        hub = eventlet.hubs.get_hub()
        listener = hub.add(hub.WRITE, descriptor, lambda _: None, lambda *_: None, None)
        try:
            yield
        finally:
            hub.remove(listener)

    def wait_writable(self, descriptor: int) -> None:
        """Let others run until `descriptor` can be written to. A regular file always can, and is nothing that epoll would wait for."""
        select = eventlet.patcher.original("select")
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        if poll.poll(0):
            eventlet.sleep(0)
        else:
            eventlet.hubs.trampoline(descriptor, write=True)

    def listen(self, host: str, port: int, backlog: int = 4096) -> Any:
        """A listening TCP socket; raises `OSError` where the address is taken (never shares a port silently)."""
        socket = eventlet.patcher.original("socket")
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listener = eventlet.listen((host, port), family=family, backlog=backlog, reuse_addr=True, reuse_port=False)
        # Accepted sockets inherit it (Linux): a lone small quote must not wait for Nagle's 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener

    @contextmanager
    def unless_done(self, seconds: float, work: Callable[[], None]) -> Iterator[None]:
        """Call `work` where the block takes longer than that; the block goes on."""
        timer = eventlet.hubs.get_hub().schedule_call_global(max(seconds, 0.0), work)
        try:
            yield
        finally:
            timer.cancel()

    def serve_wsgi(self, listener: Any, app: Callable[..., Any], protocol: type, idle_s: float) -> None:
        """Serve `app` until the task is killed, each connection by a `protocol` of its own; errors show no traceback to the client.

        `idle_s`: how long a connection may wait for its next request. How many there are is the listener's business: a pool that is
        full would keep newcomers waiting without a word.
        """
        eventlet.wsgi.server(listener, app, log_output=False, debug=False, max_size=1_000_000, protocol=protocol, keepalive=idle_s,
                             socket_timeout=idle_s * 2)


HttpProtocol: Any = eventlet.wsgi.HttpProtocol
"""What speaks HTTP with one connection; `web.entrance` makes it stricter."""


ENDING = (signal.SIGTERM, signal.SIGINT)
TWIN_S = 0.1
"""A second signal so soon is the first one again: some send it to the process, and then to its group."""


class Signals:
    """Signals as something to wait for: a handler that only schedules work would not wake the hub (PEP 475).

    Of those that end a program the second one does so at once, whatever it is doing.
    """

    def __init__(self, runtime: EventletRuntime, *wanted: signal.Signals) -> None:
        self._runtime = runtime
        self._read_end, write_end = os.pipe()
        for end in (self._read_end, write_end):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        self._first_s: float | None = None
        for number in wanted:
            signal.signal(number, self._end_at_the_second if number in ENDING else lambda *_: None)

    def wait(self, timeout_s: float) -> list[signal.Signals]:
        """The signals that came, after waiting at most `timeout_s` for one."""
        if not self._runtime.wait_readable(self._read_end, timeout_s):
            return []
        return [signal.Signals(number) for number in original("os").read(self._read_end, 64)]

    def _end_at_the_second(self, number: int, _: object) -> None:
        now_s = time.monotonic()
        if self._first_s is None:
            self._first_s = now_s
        elif now_s > self._first_s + TWIN_S:
            os._exit(128 + number)


def take_socket(environ: dict[str, Any]) -> Any:
    """Take the TCP socket out of a WSGI request, as an unpatched non-blocking socket that the HTTP server no longer closes.

    Call `leave_response_to_us` as the answer of the request. Bytes that the client sent behind its request are lost to the
    HTTP server's buffer; a WebSocket client must not send before the answer (RFC 6455 section 4.1), so there are none.
    """
    green = environ["eventlet.input"].get_socket()
    plain = eventlet.patcher.original("socket").socket(fileno=green.fd.detach())
    plain.setblocking(False)
    return plain


def leave_response_to_us() -> list[bytes]:
    """What a WSGI app returns after `take_socket`: the server then writes nothing."""
    eventlet.wsgi.WSGI_LOCAL.already_handled = True
    return []


def _logged(work: Callable[..., Any], *args: Any) -> Any:
    try:
        return work(*args)
    except Exception:
        log.exception("a background task failed: %s", getattr(work, "__qualname__", work))
        return None
