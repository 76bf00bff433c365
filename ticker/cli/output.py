"""What a running command writes to stdout: with `--ndjson`, quotes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from ticker.ndjson import NdjsonBacklog
from ticker.quote import Quote
from web.runtime import EventletRuntime, original

_PIPE_BUF = 4096  # a pipe that can be written to takes so many bytes without blocking (POSIX: PIPE_BUF, at least 512; Linux: 4096)


def is_gone(descriptor: int) -> bool:
    """Whether nobody is at the other end of a pipe, a socket or a terminal any more. Never blocks."""
    poll = original("select").poll()
    poll.register(descriptor, 0)  # no event asked for: what is told in any case is that the other end is gone
    return bool(poll.poll(0))


class NdjsonWriter:
    """Writes quotes to stdout as fast as the reader takes them; `gone` is called when the reader has left."""

    def __init__(self, runtime: EventletRuntime, gone: Callable[[], None]) -> None:
        self._runtime = runtime
        self._gone = gone
        self._backlog = NdjsonBacklog()
        self._idle = True
        self._ended = False
        self._descriptor = sys.stdout.fileno()

    @property
    def is_idle(self) -> bool:
        """Whether everything is written, or nobody reads it any more."""
        return self._idle

    def look(self) -> None:
        """Notice that the reader has left, even if there is nothing to write to it. Never blocks."""
        if not self._ended and is_gone(self._descriptor):
            self._end()

    def publish(self, quotes: Sequence[Quote]) -> None:
        """Take accepted updates. Never blocks."""
        if self._ended:
            return
        self._backlog.add(quotes)
        if self._idle:
            self._idle = False
            self._runtime.spawn(self._write)

    def _write(self) -> None:
        os = original("os")
        try:
            while self._backlog:
                self._runtime.wait_writable(self._descriptor)
                os.write(self._descriptor, self._backlog.take(_PIPE_BUF))
        except OSError:
            self._end()
        finally:
            self._idle = True

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._gone()
