"""Replaces the content of a file at once: whoever reads it sees all of the old or all of the new, also after a power cut."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK_S = 5.0
"""How long to wait for another of our own edits; it takes milliseconds."""

CANT_REPLACE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV}
"""The folder may not be written to, or the file is mounted by itself (containers do that): only its content can be changed."""


def replace(path: Path, old: bytes, new: bytes) -> bool:
    """Make `new` the content of the file at `path`, if it is `old` still; returns whether it was.

    A link is followed: the file it leads to is replaced. Mode and, where we may, owner stay. Where the file can't be replaced
    its content is overwritten in place, which a reader can catch half done. Our own edits exclude each other; a program that
    knows nothing of us can slip between the comparison and the replacement, a matter of microseconds. Raises `OSError`.
    """
    target = path.resolve(strict=True)
    with _locked(target.parent):
        try:
            return _swap(target, old, new)
        except OSError as error:
            if error.errno not in CANT_REPLACE:
                raise
        return _overwrite(target, old, new)


def _swap(target: Path, old: bytes, new: bytes) -> bool:
    status = target.stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        # `open` and not `os.fdopen`: eventlet makes a pipe of that one.
        with open(descriptor, "wb") as file:
            file.write(new)
            file.flush()
            mine = os.fstat(descriptor)
            if (mine.st_uid, mine.st_gid) != (status.st_uid, status.st_gid):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
            os.fsync(descriptor)
        if target.read_bytes() != old:
            return False
        os.replace(name, target)
        name = ""
    finally:
        if name:
            with suppress(OSError):
                os.unlink(name)
    _sync_folder(target.parent)
    return True


def _overwrite(target: Path, old: bytes, new: bytes) -> bool:
    with target.open("r+b") as file:
        if file.read() != old:
            return False
        try:
            _put(file.fileno(), new)
        except OSError:
            # The disk is full, most likely. What was there fits.
            with suppress(OSError):
                _put(file.fileno(), old)
            raise
    return True


def _put(descriptor: int, content: bytes) -> None:
    written = 0
    while written < len(content):
        written += os.pwrite(descriptor, content[written:], written)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the file system lets us."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other edits of ours out. The folder is locked and not the file: that one is replaced. Some file systems have no locks."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    until_s = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until_s:
                raise TimeoutError(errno.ETIMEDOUT, "another edit of the settings does not end") from None
            time.sleep(0.02)
        except OSError:
            return
