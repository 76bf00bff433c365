"""What is said on stderr is written by a thread: its reader may be slow, have stopped or be gone, and nobody waits for that.

`sys.stderr` itself is replaced, so it is so whoever writes: the log, a command that gives up, Python with a traceback, a library.
"""

from __future__ import annotations

import atexit
import io
import os
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from cli.process.descriptors import write_some
from web.runtime import original

MOST_BYTES = 1_048_576
"""So many bytes may wait for the reader."""
LONGEST_BEGUN = 65_536
"""So many bytes of a line without an end are kept until it is written in pieces."""
FINISH_S = 1.0
"""So long the process waits at its end for the reader to take the rest."""


class StderrLines(io.BufferedIOBase):
    """A stream that takes lines at once and writes them to `descriptor` when that takes them. Where there is no room for more, or they
    can't be written, it counts them, and in their place stands a line that says how many they were.
    """

    def __init__(self, descriptor: int, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self.lost = 0
        """Lines, since the start."""
        self.lost_line: Callable[[int], str] = "{} lines lost".format
        """The line that stands for so many lost ones. The log sets it each time that its format is set."""
        self.name = "<stderr>"
        self._descriptor = descriptor
        self._most_bytes = most_bytes
        self._begun = b""  # of a line that has no end yet
        self._waiting: deque[bytes | _Gap] = deque()
        self._bytes = 0
        self._is_full = False
        self._is_writing = False
        threading = original("threading")
        self._changed = threading.Condition()
        threading.Thread(target=self._write_all, name="stderr", daemon=True).start()

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether that is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        """Take it; whole lines go on. Never blocks."""
        whole, end, self._begun = (self._begun + bytes(data)).rpartition(b"\n")
        if end:
            self._put(whole + end)
        if len(self._begun) > LONGEST_BEGUN:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Have also gone on what has no end yet. Never blocks: `finish` does."""
        begun, self._begun = self._begun, b""
        if begun:
            self._put(begun)

    def finish(self, most_s: float = FINISH_S) -> bool:
        """Wait until all is written, at most `most_s`; whether it is. Blocks: nothing is served any more."""
        self.flush()
        with self._changed:
            return bool(self._changed.wait_for(lambda: not self._waiting and not self._is_writing, most_s))

    def _put(self, data: bytes) -> None:
        with self._changed:
            room = self._most_bytes // 2 if self._is_full else self._most_bytes  # once full, half of it must go first
            self._is_full = self._bytes + len(data) > room
            if not self._is_full:
                self._waiting.append(data)
                self._bytes += len(data)
                self._changed.notify_all()
                return
            if not self._waiting or not isinstance(self._waiting[-1], _Gap):
                self._waiting.append(_Gap())
            gap = self._waiting[-1]
            assert isinstance(gap, _Gap)
            gap.lines += data.count(b"\n") or 1
            self.lost += data.count(b"\n") or 1

    def _write_all(self) -> None:
        """What the thread does."""
        unsaid, is_torn = 0, False  # lines that could not be written; whether a line stands there in part
        while True:
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting)
                self._is_writing = True
                piece = self._waiting.popleft()
                if isinstance(piece, bytes):
                    self._bytes -= len(piece)
                else:
                    unsaid += piece.lines
            if unsaid:
                told = ("\n" * is_torn + self.lost_line(unsaid) + "\n").encode("utf-8", "backslashreplace")
                written = _written(self._descriptor, told)
                unsaid, is_torn = (0, False) if written == len(told) else (unsaid, is_torn or written > 0)
            if isinstance(piece, bytes):
                written = 0 if unsaid else _written(self._descriptor, piece)
                if written < len(piece):
                    missing = piece.count(b"\n", written) or 1
                    is_torn = is_torn or written > 0
                    unsaid += missing
                    with self._changed:
                        self.lost += missing


class _Gap:
    """Lines that there was no room for."""

    def __init__(self) -> None:
        self.lines = 0


def _written(descriptor: int, data: bytes) -> int:
    """How much of it could be written, after waiting for the reader however long."""
    written = 0
    with suppress(OSError):
        while written < len(data):
            written += write_some(descriptor, data[written:])
    return written


def lines_of_stderr() -> StderrLines:
    """What takes the lines of this process. The first time it takes the place of stderr."""
    if isinstance(lines := getattr(sys.stderr, "buffer", None), StderrLines):
        return lines
    before: Any = sys.stderr  # None where it was closed at the start; then there is /dev/null in its place
    lines = StderrLines(2 if before is None else before.fileno())
    sys.stderr = io.TextIOWrapper(lines, "utf-8" if before is None else before.encoding, "backslashreplace", write_through=True)

    def finish() -> None:
        if lines.finish():
            sys.stderr = before  # what is said while Python is taken apart

    atexit.register(finish)
    return lines


def leave(code: int) -> NoReturn:
    """End the process now, when what was said is written. Taking the interpreter apart would take longer than all of the end."""
    lines_of_stderr().finish()
    os._exit(code)
