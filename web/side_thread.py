"""A thread of the operating system beside the loop, for what may block: a file on a slow mount, a disk, a pipe that nobody reads."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

from ticker.runtime import Busy

log = logging.getLogger(__name__)

SLOW_S = 1.0
COMPUTES_S = 0.02
"""A thread that used so much of a core in a second waits for no disk: it computes, on a machine that may be busy."""
_LOOK_S = 60.0


class SideThread:
    """Does one piece of work after the other, while the loop goes on. It is begun with the first one.

    `what` it does is told in a warning where a piece has waited for a second: once, and again only after one that was quick. Without
    `what` nothing is told. A piece that never ends keeps its thread and whoever waits for it, and nothing else: the process ends all the
    same. Work must not log, and must share nothing with the loop that either changes.

    `wait_readable`: lets others run until a descriptor can be read, or so many seconds have passed. `original`: gives modules unpatched.
    """

    def __init__(self, wait_readable: Callable[[int, float], bool], original: Callable[[str], ModuleType], what: str) -> None:
        self._wait_readable = wait_readable
        self._original = original
        self._what = what
        self._turn = threading.Lock()  # a green one: who waits for it lets others run
        self._work: Any = None  # the queue of the thread, once there is one
        self._done_end = self._core_clock = -1
        self._current: _Piece | None = None
        self._is_slow = False

    def run(self, work: Callable[..., Any], *args: Any, wait_s: float = -1) -> Any:
        """What `work(*args)` returns or raises. Raises `Busy` where others are not done in `wait_s` (-1: however long)."""
        if not self._turn.acquire(timeout=wait_s):
            raise Busy(errno.ETIMEDOUT, f"{self._what} takes too long")
        try:
            self._await()  # what somebody began who was ended before it was done
            self._current = piece = _Piece(work, args)
            self._queue().put(piece)
            self._await()
        finally:
            self._turn.release()
        return piece.outcome()

    def close(self) -> None:
        """Let the thread end, when it is done with what it does."""
        if self._work is not None:
            self._work.put(None)
            self._work = None
            if not self._turn.locked():  # nobody waits for what may still be done
                self._current = None
                os.close(self._done_end)

    def _queue(self) -> Any:
        if self._work is None:
            self._work = self._original("queue").SimpleQueue()
            self._done_end, told_end = os.pipe()
            thread = self._original("threading").Thread(target=self._do_all, args=(self._work, told_end), name=self._what, daemon=True)
            thread.start()
            self._core_clock = time.pthread_getcpuclockid(thread.ident)
        return self._work

    def _await(self) -> None:
        """Return when nothing is being done."""
        piece, patience_s = self._current, SLOW_S
        if piece is None:
            return
        used_s = time.clock_gettime(self._core_clock)
        while not self._wait_readable(self._done_end, patience_s):
            before_s, used_s = used_s, time.clock_gettime(self._core_clock)
            if piece.is_done or used_s - before_s > COMPUTES_S:
                continue
            if self._what and not self._is_slow:
                log.warning("%s has taken longer than a second: is it on a slow mount? Prices go on meanwhile", self._what)
            self._is_slow, patience_s = True, _LOOK_S
        self._original("os").read(self._done_end, 1)
        self._is_slow = self._is_slow and patience_s == _LOOK_S
        self._current = None
        if self._work is None:  # it was closed meanwhile
            os.close(self._done_end)

    def _do_all(self, pieces: Any, told_end: int) -> None:
        """What the thread does."""
        write = self._original("os").write
        while (piece := pieces.get()) is not None:
            piece.do()
            with suppress(OSError):  # nobody waits any more
                write(told_end, b".")
        os.close(told_end)


class _Piece:
    """A call, and what came of it."""

    def __init__(self, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._work = work
        self._args = args
        self._result: Any = None
        self._error: BaseException | None = None
        self.is_done = False

    def do(self) -> None:
        """In the thread."""
        try:
            self._result = self._work(*self._args)
        except BaseException as error:
            self._error = error
        self.is_done = True

    def outcome(self) -> Any:
        """In the loop: what it returned, or raise what it raised."""
        if self._error is not None:
            raise self._error
        return self._result
