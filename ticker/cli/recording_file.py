"""Where a recording goes: a file that can be read whole up to the last flush, whatever becomes of this process."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ticker.quote import Quote
from ticker.recording import Packer, batch

PACKED_SUFFIX = ".gz"


class RecordingFile:
    """Lines wait in memory until `flush`. `clock_ms`: Unix epoch ms, on a clock that nobody sets."""

    def __init__(self, path: Path, header: bytes, clock_ms: Callable[[], int], *, replace: bool) -> None:
        """Begin with `header`. Raises `FileExistsError` where there is something in it already, and not to be replaced; else `OSError`."""
        self.updates = self.batches = self.size = 0
        self._clock_ms = clock_ms
        self._packer = Packer(gzip=path.suffix == PACKED_SUFFIX)
        self._waiting = [header]
        self._file = io.BufferedWriter(io.FileIO(path, "wb", opener=_keeping_content))
        try:
            status = os.fstat(self._file.fileno())
            if stat.S_ISREG(status.st_mode):
                if status.st_size and not replace:
                    raise FileExistsError
                self._file.truncate(0)
            self.flush()
        except OSError:
            self._give_up()
            raise

    def put(self, quotes: Sequence[Quote]) -> None:
        """Take updates that were accepted together."""
        self._waiting.append(batch(quotes, self._clock_ms()))
        self.updates += len(quotes)
        self.batches += 1

    def flush(self) -> None:
        """Hand what waits to the system. Raises `OSError`."""
        if self._waiting:
            lines, self._waiting = b"".join(self._waiting), []
            self._write(self._packer.pack(lines))

    def close(self) -> None:
        """Write the rest, to the disk itself. Raises `OSError`."""
        try:
            self.flush()
            self._write(self._packer.end())
            with suppress(OSError):  # a pipe, a device: nothing to wait for
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


def _keeping_content(path: str, _: int) -> int:
    """An opener: what is there stays until it is looked at. (`os.fdopen` is not for files once the process is patched.)"""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
