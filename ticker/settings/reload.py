"""Takes the saved file into force, or says why not: watcher, loader and difference composed, with no clock and no thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ticker.errors import Problem, SettingsError
from ticker.settings.diff import SettingsChanges, diff, live
from ticker.settings.load import Loaded
from ticker.settings.model import Settings
from ticker.settings.watch import Watcher

MAX_LINES = 20
"""So many lines of an error are logged and sent to clients at most; `validate` shows all."""


@dataclass(frozen=True)
class Reload:
    """How the last attempt to take new settings went: what `config` and `last_reload` say on the wire."""

    ok: bool
    at: int
    """Epoch ms."""
    error: str | None = None
    restart_required: tuple[str, ...] = ()
    """What the last file that was taken into force has in `[server]`, and the running process has not."""


class ReloadOutcome(NamedTuple):
    """A reload, and what is in force after it: the settings before, where it failed."""

    reload: Reload
    settings: Settings
    changes: SettingsChanges


class Reloader:
    """Holds the settings in force. Ask `check` about 4 times a second, `reload` when told to (SIGHUP: secrets are read again).

    `parse` turns the file's bytes into settings; `content` is what `running` was made from. It reads files, so it is asked in a thread.
    """

    def __init__(self, path: Path, content: bytes, running: Settings, parse: Callable[[bytes], Loaded]) -> None:
        self.settings = running
        self.warnings: Sequence[Problem] = ()
        """What is odd about them, to be told with the outcome."""
        self._restart_required: tuple[str, ...] = ()
        self._parse = parse
        self._watcher = Watcher(path, content)

    def check(self, now_s: float, now_ms: int) -> ReloadOutcome | None:
        """What came of a change of the file, if it has settled. `now_s`: any clock that does not jump; `now_ms`: epoch ms."""
        try:
            content = self._watcher.check(now_s)
            return None if content is None else self._apply(content, now_ms)
        except SettingsError as error:
            return self._refuse(error, now_ms)

    def reload(self, now_ms: int) -> ReloadOutcome:
        """Take the file as it is now."""
        try:
            return self._apply(self._watcher.read(), now_ms)
        except SettingsError as error:
            return self._refuse(error, now_ms)

    def _apply(self, content: bytes, now_ms: int) -> ReloadOutcome:
        loaded = self._parse(content)
        changes = diff(self.settings, loaded.settings)
        self.settings = live(self.settings, loaded.settings)
        self._restart_required = changes.restart_required
        self.warnings = loaded.warnings
        return ReloadOutcome(Reload(True, now_ms, None, changes.restart_required), self.settings, changes)

    def _refuse(self, error: SettingsError, now_ms: int) -> ReloadOutcome:
        lines = [str(problem) for problem in error.problems]
        if len(lines) > MAX_LINES:
            lines[MAX_LINES:] = [f"… and {len(lines) - MAX_LINES} more"]
        return ReloadOutcome(Reload(False, now_ms, "\n".join(lines), self._restart_required), self.settings, SettingsChanges())
