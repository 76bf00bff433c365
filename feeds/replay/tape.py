"""A recording as `ticker.source.Link`: its lines, each when it is due. The only module that reads recordings from a disk."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from ticker.errors import FeedError
from ticker.quote import Quote, VolumeOf
from ticker.runtime import Aside, Runtime
from ticker.sinks.recording import Header, NotARecording, Unpacker, batch, moment_ms, read_batch, read_header, time_of
from ticker.source import Ended

log = logging.getLogger(__name__)

READ_BYTES = 64 * 1024
MOST_LINES = 64
"""So many lines are handed over at a time where more are due: the board takes as many in one turn, and nothing need be folded."""
PASS_PAUSE_S = 1.0
"""The pause between the last line and the first, where a recording is played again, in seconds of its own time."""
SHORTEST_PAUSE_S = 0.05
"""The pause is never shorter than so many seconds of our time."""
OVER = b'{"over":true}'
"""The message that comes after the last line."""


class Play(NamedTuple):
    """What of a recording is played, and how fast."""

    speed: float = 1.0
    loop: bool = False
    begin: str | None = None
    end: str | None = None


class Reader:
    """A file's header, and the lines behind it, one after the other. `aside`: reads it where others do not wait for the disk."""

    def __init__(self, path: Path, aside: Aside | None = None) -> None:
        """Open it and read the header. Raises `FeedError`."""
        self._path = path
        self._aside = aside
        self._unpacker = Unpacker()
        self._lines: deque[bytes] = deque()
        try:
            self._file = self._beside(path.open, "rb")
        except OSError as error:
            raise FeedError(f"{path.name} can't be read: {error.strerror}") from None
        try:
            self.first_line = self.line() or b""
            self.header: Header = read_header(self.first_line)
        except NotARecording as error:
            self.close()
            raise FeedError(f"{self._path.name} {error}", retryable=False) from None

    @property
    def torn(self) -> str | None:
        """What is missing at the end, once that is reached."""
        return self._unpacker.torn

    def line(self) -> bytes | None:
        """The next one, or `None`: there is no more (so far). Raises `FeedError`."""
        try:
            while not self._lines:
                data = self._beside(self._file.read, READ_BYTES)
                if not data:
                    self._unpacker.end()
                    return None
                self._lines.extend(self._unpacker.lines(data))
        except OSError as error:
            raise FeedError(f"{self._path.name} can't be read: {error.strerror}") from None
        except NotARecording as error:
            raise FeedError(f"{self._path.name} {error}", retryable=False) from None
        return self._lines.popleft()

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
        if self._aside is not None:
            self._aside.close()

    def _beside(self, work: Callable[..., Any], *args: Any) -> Any:
        return work(*args) if self._aside is None else self._aside.run(work, *args)


class Tape:
    """One pass over a recording. The first message is its header, then come its lines as they were, in the end `OVER`."""

    def __init__(self, path: Path, runtime: Runtime, play: Play, clock: Callable[[], float] = monotonic) -> None:
        """Open the file and wind to the beginning. Raises `FeedError`."""
        self._path = path
        self._runtime = runtime
        self._play = play
        self._clock = clock
        self._reader = Reader(path, runtime.aside(f"reading {path.name}"))
        started_ms = self._reader.header.started
        self._end_ms = None if play.end is None else moment_ms(play.end, started_ms)
        self._ready = [self._reader.first_line]
        self._next: bytes | None = None
        self._next_ms = 0
        self._zero_s: float | None = None  # when, on our clock, `_zero_ms` of the recording is played
        self._zero_ms = 0
        self._has_played = False
        self._is_over = False
        self._was_pinged = False
        self._advance()
        if play.begin is not None:
            self._wind(moment_ms(play.begin, started_ms))

    def receive(self, timeout_s: float) -> list[bytes] | None:
        """The lines that are due, after waiting for the first of them for at most `timeout_s`."""
        until_s = self._clock() + timeout_s
        due, self._ready = self._ready, []
        while len(due) < MOST_LINES and not self._is_over:
            wait_s = self._next_due_s() - self._clock()
            if wait_s > 0:
                if due:
                    break
                rest_s = max(0.0, until_s - self._clock())
                self._runtime.sleep(min(wait_s, rest_s))
                if wait_s > rest_s:
                    return self._alive()
            if self._next is None:
                self._end_of_pass(due)
                break
            due.append(self._next)
            self._has_played = True
            self._advance()
        if not due:
            self._runtime.sleep(timeout_s)
            return self._alive()
        return due

    def send(self, message: bytes) -> None:
        """A recording does not listen."""

    def ping(self) -> None:
        """A recording is always there; `receive` says so."""
        self._was_pinged = True

    def leave(self) -> None:
        """Nobody need be told that it is left."""
        raise Ended("the recording is left", planned=True)

    def close(self) -> None:
        self._reader.close()

    def _alive(self) -> list[bytes] | None:
        pinged, self._was_pinged = self._was_pinged, False
        return [] if pinged else None

    def _next_due_s(self) -> float:
        """When the next line is to be played, or the end to be told, on our clock."""
        if self._zero_s is None:
            self._zero_s, self._zero_ms = self._clock(), self._next_ms
        due_s = self._zero_s + (self._next_ms - self._zero_ms) / 1000 / self._play.speed
        if self._next is None and self._play.loop:
            return due_s + max(PASS_PAUSE_S / self._play.speed, SHORTEST_PAUSE_S)
        return due_s

    def _advance(self) -> None:
        """Look at the next line."""
        self._next = self._reader.line()
        time_ms = None if self._next is None else time_of(self._next)
        if time_ms is None:
            return
        if self._end_ms is not None and time_ms > self._end_ms:
            self._next = None
        elif time_ms < self._next_ms:  # another recording behind this one
            self._zero_s = None
            self._next_ms = time_ms
        else:
            self._next_ms = time_ms

    def _wind(self, begin_ms: int) -> None:
        """Pass over what is before `begin_ms`, but for the newest of each symbol, which is told at once."""
        newest: dict[str, Quote] = {}
        volume_of: dict[str, VolumeOf] = {}
        passed = 0
        while self._next is not None and self._next_ms < begin_ms:
            if (found := read_batch(self._next)) is not None:
                newest |= {quote.symbol: quote for quote in found.quotes}
                volume_of |= found.volume_of
            self._advance()
            passed += 1
            if passed % 1000 == 0:
                self._runtime.sleep(0)
        if newest:
            self._ready.append(batch(list(newest.values()), begin_ms, volume_of))
        if passed and self._next is not None:
            self._zero_s, self._zero_ms = self._clock(), begin_ms

    def _end_of_pass(self, due: list[bytes]) -> None:
        """Begin again, by raising `Ended`, or tell that it is over."""
        if self._reader.torn is not None:
            log.warning("%s: %s", self._path, self._reader.torn)
        if self._play.loop and self._has_played:
            raise Ended("the recording begins again", planned=True, anew=True)
        log.info("%s: the recording is over", self._path)
        self._is_over = True
        due.append(OVER)
