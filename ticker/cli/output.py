"""What a running command writes: log lines to stderr, and with `--ndjson` quotes to stdout."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ticker.ndjson import NdjsonBacklog
from ticker.quote import Quote
from web.runtime import EventletRuntime, original

LEVELS = ("debug", "info", "warning", "error")
_PIPE_BUF = 4096  # a pipe that can be written to takes so many bytes without blocking (POSIX: PIPE_BUF, at least 512; Linux: 4096)


class OneLine(logging.Formatter):
    """One event, one line: line ends and other control characters in a message are escaped. Tracebacks keep their lines, indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return _printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return "\n".join(f"    {_printable(line)}" for line in super().formatException(ei).split("\n"))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def log_to_stderr(level: str) -> None:
    """Send log records of `level` and above to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for talkative in ("apscheduler", "urllib3", "werkzeug", "engineio", "socketio"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


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
