"""Where a recording goes: a file that can be read whole up to the last flush, whatever becomes of this process.

It is for its owner alone, and is the file that was named: a link, a pipe, a device or a file that has another name or owner besides may be
somebody's trap, for what is written or for what would be overwritten.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ticker.quote import Quote, VolumeOf
from ticker.sinks.recording import Packer, batch

PACKED_SUFFIX = ".gz"
MOST_WAITING_BYTES = 67_108_864
"""So many bytes may wait in memory for a disk that is slow or takes nothing."""


class RecordingFile:
    """Lines wait in memory until `flush`, which may be called in another thread than `put`. `clock_ms`: Unix epoch ms, on a clock that
    nobody sets. `volume_of`: what the volume of each symbol counts now.
    """

    def __init__(self, path: Path, header: bytes, clock_ms: Callable[[], int], volume_of: Mapping[str, VolumeOf], *, replace: bool) -> None:
        """Begin with `header`. Raises `FileExistsError` where there is something in it already, and not to be replaced; else `OSError`,
        also where it is anything but a regular file of ours with one name.
        """
        self.updates = self.batches = self.size = 0
        self._clock_ms = clock_ms
        self._volume_of = volume_of
        self._told: dict[str, VolumeOf] = {}
        self._packer = Packer(gzip=path.suffix == PACKED_SUFFIX)
        self._waiting = deque([header])
        self._put_bytes, self._taken_bytes = len(header), 0
        self._file = io.BufferedWriter(io.FileIO(path, "wb", opener=_keeping_content))
        try:
            status = os.fstat(self._file.fileno())
            _check(status)
            if status.st_size and not replace:
                raise FileExistsError
            self._file.truncate(0)
            self.flush()
        except OSError:
            self._give_up()
            raise

    def put(self, quotes: Sequence[Quote]) -> None:
        """Take updates that were accepted together."""
        now, told = self._volume_of, self._told
        news = {symbol: now[symbol] for quote in quotes if (symbol := quote.symbol) in now and told.get(symbol) != now[symbol]}
        told |= news
        line = batch(quotes, self._clock_ms(), news)
        self._put_bytes += len(line)
        self._waiting.append(line)
        self.updates += len(quotes)
        self.batches += 1

    @property
    def is_behind(self) -> bool:
        """Whether more waits than there is room for."""
        return self._put_bytes - self._taken_bytes > MOST_WAITING_BYTES

    def flush(self) -> None:
        """Hand what waits to the system. Raises `OSError`."""
        lines: list[bytes] = []
        while self._waiting:
            lines.append(self._waiting.popleft())
        if lines:
            self._write(self._packer.pack(b"".join(lines)))
            self._taken_bytes += sum(map(len, lines))

    def close(self) -> None:
        """Write the rest, to the disk itself. Raises `OSError`."""
        try:
            self.flush()
            self._write(self._packer.end())
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError:
            self._give_up()
            raise

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        self.size += len(data)

    def _give_up(self) -> None:
        with suppress(OSError):  # closing tries to write what could not be written
            self._file.close()


def _check(status: os.stat_result) -> None:
    """Raises `OSError` for what is there and is not ours alone."""
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    if status.st_nlink > 1:
        raise OSError(errno.EMLINK, "the file has other names too (hard links)")
    if status.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "the file belongs to somebody else")


def _keeping_content(path: str, _: int) -> int:
    """An opener: what is there stays until it is looked at. (`os.fdopen` is not for files once the process is patched.)

    A link is not followed, and a pipe that nobody reads is not waited for.
    """
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link, and links are not followed") from None
        raise
