"""What a running command writes to stdout: with `--ndjson`, quotes."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence

from cli.process.descriptors import is_gone, write_some
from cli.process.failure import EXIT_WRONG, fail
from ticker.quote import Quote
from ticker.sinks.ndjson import NdjsonBacklog
from web.runtime import EventletRuntime

_PIPE_BUF = 4096  # a pipe takes so many bytes at once or not at all (POSIX: PIPE_BUF, at least 512; Linux: 4096)
_AT_ONCE = 16
"""So many pieces are given to the thread at a time."""


class NdjsonWriter:
    """Writes quotes to stdout as fast as the reader takes them, in a thread: also a terminal, a disk or somebody else who writes into the
    same pipe can make it wait. `over` is called once when no more can be written: with the error, or with `None` when the reader has left.
    """

    def __init__(self, runtime: EventletRuntime, over: Callable[[OSError | None], None]) -> None:
        if sys.stdout is None:
            fail("--ndjson writes to stdout, and that is closed", EXIT_WRONG)
        self._runtime = runtime
        self._over = over
        self._backlog = NdjsonBacklog()
        self._idle = True
        self._ended = False
        self._descriptor = sys.stdout.fileno()
        self._aside = runtime.aside("")

    @property
    def is_idle(self) -> bool:
        """Whether everything is written, or nobody reads it any more."""
        return self._idle

    def look(self) -> None:
        """Notice that the reader has left, even if there is nothing to write to it. Never blocks."""
        if not self._ended and is_gone(self._descriptor):
            self._end(None)

    def publish(self, quotes: Sequence[Quote]) -> None:
        """Take accepted updates. Never blocks."""
        if self._ended:
            return
        self._backlog.add(quotes)
        if self._idle:
            self._idle = False
            self._runtime.spawn(self._write)

    def _write(self) -> None:
        try:
            while self._backlog and not self._ended:
                pieces = [piece for _ in range(_AT_ONCE) if (piece := self._backlog.take(_PIPE_BUF))]
                self._aside.run(_write_all, self._descriptor, pieces)
        except OSError as error:
            self._end(None if error.errno == errno.EPIPE or is_gone(self._descriptor) else error)
        finally:
            self._idle = True

    def _end(self, error: OSError | None) -> None:
        if not self._ended:
            self._ended = self._idle = True
            self._over(error)


def _write_all(descriptor: int, pieces: Sequence[bytes]) -> None:
    """Write each of `pieces`, however long that takes. Raises `OSError`."""
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[write_some(descriptor, rest) :]
