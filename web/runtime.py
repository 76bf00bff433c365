"""The only module that knows eventlet. The rest of the program asks it for tasks, deadlines, turns, and waiting on a descriptor.

The day eventlet retires, this file changes (and the two patch lines of `main.py`).
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import stat
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import perf_counter
from types import ModuleType
from typing import Any, cast

import eventlet
import eventlet.green.socket
import eventlet.hubs
import eventlet.hubs.hub
import eventlet.patcher
import eventlet.tpool

from ticker.runtime import DeadlineExceeded, Task
from web.side_thread import SideThread

log = logging.getLogger(__name__)

ASYNC_MODE = "eventlet"

RELIED_UPON: dict[Any, tuple[str, ...]] = {
    eventlet.hubs: ("get_hub", "trampoline"),
    eventlet.hubs.hub.BaseHub: ("add", "remove", "schedule_call_global", "switch", "WRITE"),
    eventlet.patcher: ("original", "is_monkey_patched"),
    eventlet.green.socket: ("getaddrinfo", "create_connection"),
}
"""Names of eventlet's that are used here beyond its documentation; they are checked at start (`web.socketio.library_check`)."""


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

    def aside(self, what: str) -> SideThread:
        """A thread for what may block: it holds nobody up but whoever waits for it. `what`: as `SideThread` has it."""
        return SideThread(self.wait_readable, original, what)

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

    def wait_writable(self, descriptor: int, timeout_s: float | None = None) -> bool:
        """Let others run until `descriptor` can be written to, at most `timeout_s` (`None`: however long); whether it can. A regular file
        always can, and is nothing that epoll would wait for.
        """
        select = eventlet.patcher.original("select")
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        if poll.poll(0):
            eventlet.sleep(0)
            return True
        try:
            eventlet.hubs.trampoline(descriptor, write=True, timeout=timeout_s)
        except eventlet.Timeout:
            return False
        return True

    def listen(self, host: str, port: int, backlog: int = 4096) -> Any:
        """A listening TCP socket, or one at the path of `unix:PATH`, unpatched and non-blocking; `stop_listening` closes it.

        Raises `OSError` where the address is taken: it never shares a port.
        """
        socket = eventlet.patcher.original("socket")
        family, address = socket.AF_UNIX, host.removeprefix(UNIX)
        if not host.startswith(UNIX):
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if family == socket.AF_UNIX:
                _bind_to_file(listener, address)
            else:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                # Accepted sockets inherit it (Linux): a lone small quote must not wait for Nagle's 40 ms.
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                listener.bind(address)
            listener.listen(backlog)
            listener.setblocking(False)
        except BaseException:
            listener.close()
            raise
        return listener

    def stop_listening(self, listener: Any) -> None:
        """Close it; a Unix socket leaves no file."""
        name, is_unix = listener.getsockname(), listener.family == eventlet.patcher.original("socket").AF_UNIX
        listener.close()
        if is_unix:
            with suppress(OSError):
                os.unlink(name)


UNIX = "unix:"
"""What the path of a Unix socket stands behind, in place of a host."""


def _bind_to_file(listener: Any, path: str) -> None:
    """Give a Unix socket its place, which its owner and group may use. What a process that is gone has left there is replaced."""
    try:
        listener.bind(path)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not _is_left_over(path):
            raise
        os.unlink(path)
        listener.bind(path)
    os.chmod(path, 0o660)


def _is_left_over(path: str) -> bool:
    """Whether it is a socket at which nobody listens."""
    socket = eventlet.patcher.original("socket")
    if not stat.S_ISSOCK(os.stat(path).st_mode):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        return bool(probe.connect_ex(path) == errno.ECONNREFUSED)


TURN_S = 0.003
"""How long all who share `Turns` may work between two rounds of the hub, seconds."""
SHARE = 1 / 3
"""How long they may work instead, where the rest of a round takes long: this part of what it takes."""
LONGEST_TURN_S = 0.02
"""How long they may work at most, however long the rest takes, seconds."""
EVERY = 4
"""Of so many turns one is for those who have just used one up, while others come from a wait."""


class Turns:
    """Shares the core between many tasks that are of one kind (HTTP connections) and everybody else.

    A green task goes on until it waits for something, and one whose bytes are always there never waits. So those who share an object of
    this class `take` a turn before each piece of work. All of them together work for `TURN_S` in a round of the hub, in which everybody
    else runs too; whoever comes later in it waits in line. So however many there are, others wait for a turn and a single piece of work
    at most. Among themselves those who come from a wait go before those who have just used up a turn, but for one in `EVERY`, and of
    both kinds each `key` (an address) has its turn, however many of its tasks stand in line.
    """

    def __init__(self) -> None:
        self._hub = eventlet.hubs.get_hub()
        self._newly, self._again = _Line(), _Line()
        self._round = self._served = 0
        self._is_open = False  # whether somebody has worked since the hub came round
        self._until_s = 0.0

    def take(self, round: int, key: str = "") -> int:
        """Return when the caller may work on. `round`: what this returned to it before, 0 at first: in its own round it need not stand in
        line again.
        """
        is_mine = round == self._round
        if self._is_open:
            if (is_mine or not self.waiting) and perf_counter() < self._until_s:
                return self._round
        elif not self.waiting:
            self._open(perf_counter(), TURN_S)
            return self._round
        line, current = self._again if is_mine else self._newly, eventlet.getcurrent()
        line.add(key, current)
        try:
            self._hub.switch()
        except BaseException:  # it is killed
            line.remove(key, current)
            raise
        return self._round

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._newly) + len(self._again)

    def _open(self, now_s: float, turn_s: float) -> None:
        self._round += 1
        self._is_open = True
        self._until_s = now_s + turn_s
        self._hub.schedule_call_global(0, self._next)

    def _next(self) -> None:
        """The hub has come round: those in line are next, as many as there is time for."""
        self._is_open = False
        if not self.waiting:
            return
        now_s = perf_counter()
        others_s = now_s - self._until_s
        self._open(now_s, min(max(TURN_S, others_s * SHARE), LONGEST_TURN_S))
        while self.waiting and perf_counter() < self._until_s:
            self._served += 1
            line = self._newly if self._newly and (self._served % EVERY or not self._again) else self._again
            line.pop().switch()  # comes back when it waits for something


class _Line:
    """Tasks in the order they came, by key; the keys have their turns one after the other."""

    def __init__(self) -> None:
        self._tasks: dict[str, deque[Any]] = {}  # greenlets; the key whose turn it is stands first
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, key: str, task: Any) -> None:
        """Have `task` wait."""
        self._tasks.setdefault(key, deque()).append(task)
        self._length += 1

    def pop(self) -> Any:
        """Whose turn it is; there must be one."""
        key = next(iter(self._tasks))
        tasks = self._tasks.pop(key)
        task = tasks.popleft()
        if tasks:
            self._tasks[key] = tasks
        self._length -= 1
        return task

    def remove(self, key: str, task: Any) -> None:
        """Have `task` wait no longer, if it does."""
        if task in self._tasks.get(key, ()):
            self._tasks[key].remove(task)
            self._length -= 1
            if not self._tasks[key]:
                del self._tasks[key]


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


def _logged(work: Callable[..., Any], *args: Any) -> Any:
    try:
        return work(*args)
    except Exception:
        log.exception("a background task failed: %s", getattr(work, "__qualname__", work))
        return None
