"""Notices that the settings file was saved. Reads it when its status has changed, and believes it once two reads agree."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ticker.errors import SettingsError
from ticker.settings import toml_file

AGREE_S = 0.25
"""Two reads this far apart must give the same: an editor that writes piece by piece is not caught in the middle."""
TOLERANCE_S = 0.02
"""A check that is asked for each 250 ms may come a little early; it need not wait for the next one."""


class _Status(NamedTuple):
    """What changes when a file is written, replaced, or comes to be named by a link. Compared for equality only: clocks go back."""

    modified_ns: int
    changed_ns: int
    size: int
    inode: int
    device: int


class _Sight(NamedTuple):
    """What a look at the file gave: its bytes, or why there are none."""

    content: bytes | SettingsError

    def agrees(self, other: _Sight) -> bool:
        mine, theirs = self.content, other.content
        return mine == theirs or (isinstance(mine, SettingsError) and isinstance(theirs, SettingsError) and str(mine) == str(theirs))


class Watcher:
    """Watches one path, whatever it leads to: a file edited in place or replaced, a link that is turned, nothing for a while.

    Ask `check` about 4 times a second. `content` is what has been applied already.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        self._path = path
        self._settled = _Sight(content)
        # Unknown, not read here: the file may have changed since `content` was read, and the first check finds out.
        self._status: _Status | None = None
        self._known = False
        self._candidate: _Sight | None = None
        self._since_s = 0.0

    def check(self, now_s: float) -> bytes | None:
        """The file's new bytes when they have settled, else `None`. `now_s` counts seconds on any clock that does not jump.

        The same bytes come only once, however often they are saved. Raises `SettingsError`, also once, when the file is gone
        or can't be read; when it is back, its bytes come again even if they are those from before.
        """
        status = self._stat()
        if self._known and status == self._status and self._candidate is None:
            return None
        sight = self._look()
        if self._candidate is None or not sight.agrees(self._candidate) or status != self._status:
            self._known, self._status, self._candidate, self._since_s = True, status, sight, now_s
            return None
        if now_s - self._since_s < AGREE_S - TOLERANCE_S:
            return None
        self._candidate = None
        if sight.agrees(self._settled):
            return None
        self._settled = sight
        if isinstance(sight.content, SettingsError):
            raise sight.content
        return sight.content

    def read(self) -> bytes:
        """The file's bytes as they are now, for whoever does not wait for them to settle: they do not come from `check` once more, and
        what was there before them does, if it is saved again. Raises `SettingsError` when the file is gone or can't be read.
        """
        self._settled = self._look()
        if isinstance(self._settled.content, SettingsError):
            raise self._settled.content
        return self._settled.content

    def _stat(self) -> _Status | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return _Status(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)

    def _look(self) -> _Sight:
        try:
            return _Sight(toml_file.read(self._path))
        except SettingsError as error:
            return _Sight(error)
