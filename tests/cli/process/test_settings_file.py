"""The settings file of a running service on a mount that does not answer: what waits, and what does not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from cli.process import settings_file
from cli.process.settings_file import SettingsFile
from ticker.clock import SystemClock
from ticker.errors import SettingsError
from ticker.runtime import Busy
from ticker.settings import Settings, edit
from ticker.settings.diff import SettingsChanges
from ticker.settings.reload import Reload, Reloader, ReloadOutcome
from web.runtime import EventletRuntime, original

PATIENCE_S = 20.0


class Mount:
    """In place of a reloader: counts who asks, and answers when it may."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = original("threading").Event()
        self.is_broken = False
        self.warnings = ()

    def check(self, now_s: float, now_ms: int) -> ReloadOutcome | None:
        """Nothing changed."""
        self._answer("check")
        return None

    def reload(self, now_ms: int) -> ReloadOutcome:
        """The same settings."""
        self._answer("reload")
        return ReloadOutcome(Reload(True, now_ms), Settings(), SettingsChanges())

    def _answer(self, asked: str) -> None:
        self.asked.append(asked)
        assert self.may_answer.wait(PATIENCE_S)
        if self.is_broken:
            raise ZeroDivisionError


class Bench:
    """A settings file on it, and what was taken from it."""

    def __init__(self, folder: Path) -> None:
        self.runtime = EventletRuntime()
        self.mount = Mount()
        self.taken: list[ReloadOutcome] = []
        self.reloads = 0
        path = folder / "settings.toml"
        self.file = SettingsFile(self.runtime, self.runtime.aside(path.name), SystemClock(), path, cast(Reloader, self.mount))
        self.file.start(self.taken.append, self._reloaded)

    def _reloaded(self) -> None:
        self.reloads += 1

    def until(self, condition: Callable[[], Any]) -> None:
        """Let others run until it is true."""
        with self.runtime.deadline(PATIENCE_S):
            while not condition():
                self.runtime.sleep(0.001)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """One that looks all the time, and has no patience."""
    for name in ("LOOK_EVERY_S", "EDIT_WAITS_S", "EDIT_ENDS_S"):
        monkeypatch.setattr(settings_file, name, 0.001)
    bench = Bench(tmp_path)
    bench.until(lambda: bench.mount.asked)
    yield bench
    bench.mount.may_answer.set()
    bench.file.end()


def test_a_reload_comes_after_what_is_being_read(bench: Bench) -> None:
    """Once, however often it was asked for meanwhile; then it is told that it is over."""
    for _ in range(3):
        bench.file.reload()
        bench.runtime.sleep(0.005)
    assert (bench.mount.asked, bench.reloads) == (["check"], 0)
    bench.mount.may_answer.set()
    bench.until(lambda: bench.reloads)
    assert bench.mount.asked.count("reload") == len(bench.taken) == bench.reloads == 1


def test_an_edit_does_not_wait_for_ever(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused with an error of the system's kind, which the admin is told; and the next one works."""
    with pytest.raises(Busy) as refused:
        bench.file.add("ACME", None)
    assert refused.value.strerror == "settings.toml takes too long"
    monkeypatch.setattr(settings_file, "EDIT_WAITS_S", PATIENCE_S)
    bench.mount.may_answer.set()
    with pytest.raises(SettingsError, match="there is no such file"):
        bench.file.remove("ACME")


def test_one_edit_at_a_time_and_the_end_does_not_wait_for_ever(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs keeps others out, and the end for a moment."""
    bench.mount.may_answer.set()
    may_end, begun = original("threading").Event(), original("threading").Event()

    def hang(*_: object) -> None:
        begun.set()
        assert may_end.wait(PATIENCE_S)

    monkeypatch.setattr(edit, "add", hang)
    monkeypatch.setattr(settings_file, "EDIT_WAITS_S", PATIENCE_S)
    bench.runtime.spawn(bench.file.add, "A", None)
    bench.until(begun.is_set)
    monkeypatch.setattr(settings_file, "EDIT_WAITS_S", 0.001)
    with pytest.raises(Busy, match="another change of it does not end"):
        bench.file.add("B", None)
    bench.file.end()
    may_end.set()


def test_a_bug_does_not_end_the_looking(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """It is told, and the next time may be better."""
    bench.mount.is_broken = True
    with caplog.at_level(logging.ERROR):
        bench.mount.may_answer.set()
        bench.until(lambda: caplog.records)
    bench.mount.is_broken = False
    bench.file.reload()
    bench.until(lambda: bench.taken)
    assert "settings.toml could not be read" in caplog.text
