"""Reloading: the file that was saved comes into force, or the settings before go on."""

from pathlib import Path

import pytest

from tests.ticker.settings.kinds import KINDS
from tests.ticker.settings.spoilt import MORE, OLD, SPOILERS, remove
from ticker.settings.diff import SettingsChanges
from ticker.settings.load import Loaded, parse
from ticker.settings.reload import Reload, Reloader, ReloadOutcome


class Running:
    """A reloader of a real file, and the time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_ms = 1_700_000_000_000
        self.environ: dict[str, str] = {}
        path.write_text(OLD)
        content = path.read_bytes()
        self.reloader = Reloader(path, content, self.parse(content).settings, self.parse)

    def parse(self, content: bytes) -> Loaded:
        """What `serve` binds: kinds, environment, options."""
        return parse(content, KINDS, self.environ, {"server.port": 8080})

    def outcome(self) -> ReloadOutcome | None:
        """What comes of 2 s of checks, four a second."""
        outcomes = []
        for _ in range(8):
            self.now_ms += 250
            outcomes.append(self.reloader.check(self.now_ms / 1000, self.now_ms))
        found = [outcome for outcome in outcomes if outcome]
        assert len(found) <= 1
        return found[0] if found else None

    def save(self, text: str) -> ReloadOutcome:
        """Save the file, and what comes of it."""
        self.path.write_text(text)
        outcome = self.outcome()
        assert outcome is not None
        return outcome


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """A process that runs with the file above."""
    running = Running(tmp_path / "settings.toml")
    assert running.outcome() is None
    return running


def test_a_saved_file_comes_into_force(running: Running) -> None:
    """The outcome says what changed, and when; options still win over the file."""
    before_ms = running.now_ms
    reload, settings, changes = running.save(MORE)
    assert reload == Reload(True, reload.at)
    assert before_ms < reload.at <= before_ms + 750
    assert list(settings.symbols) == ["A", "B"]
    assert settings.server.port == 8080
    assert changes == SettingsChanges(added_symbols=("B",))
    assert running.reloader.settings is settings


@pytest.mark.parametrize(
    ("text", "words"), [("", "settings.toml: is empty"), ("[symbols]\nA = { feed = 5 }\n", "symbols.A.feed"), ("x", "not valid TOML")]
)
def test_a_bad_file_changes_nothing(running: Running, text: str, words: str) -> None:
    """It is reported, and the settings before go on; a good one takes the error back."""
    before = running.reloader.settings
    reload, settings, changes = running.save(text)
    assert (reload.ok, changes) == (False, SettingsChanges())
    assert words in (reload.error or "")
    assert settings is before is running.reloader.settings
    assert running.save(OLD).reload.ok


def test_a_file_that_is_gone_changes_nothing(running: Running) -> None:
    """The same; and when it is back unchanged, that is good news too."""
    running.path.unlink()
    outcome = running.outcome()
    assert outcome is not None
    assert "no such file" in (outcome.reload.error or "")
    assert list(outcome.settings.symbols) == ["A"]
    back = running.save(OLD)
    assert back.reload.ok
    assert not back.changes


def test_what_needs_a_restart_is_listed_until_then(running: Running) -> None:
    """`[server]` stays as the process was started, also through other reloads, good and bad."""
    restart = "server.host"
    first = running.save('[server]\nhost = "::1"\n' + OLD)
    assert first.reload.restart_required == (restart,)
    assert first.settings.server.host == "127.0.0.1"
    assert running.save('[server]\nhost = "::1"\n' + MORE).reload.restart_required == (restart,)
    assert running.save("broken").reload.restart_required == (restart,)
    assert running.save(MORE).reload.restart_required == ()


def test_on_demand_the_environment_is_read_again(running: Running) -> None:
    """SIGHUP: the same file, with another secret or variable."""
    running.environ["TICKERCAST_FEEDS__SIM__SEED"] = "99"
    outcome = running.reloader.reload(5)
    assert outcome.reload == Reload(True, 5)
    assert outcome.changes == SettingsChanges(changed_feeds=("sim",))
    running.environ["TICKERCAST_FEEDS__SIM__SEED"] = "x"
    assert running.reloader.reload(6).reload.ok is False
    assert running.reloader.settings is outcome.settings


@pytest.mark.parametrize("text", [MORE, "broken"])
def test_what_was_read_on_demand_can_be_undone_at_once(running: Running, text: str) -> None:
    """Good or bad: the file is as it was before when the next check looks at it, and that comes into force."""
    running.path.write_text(text)
    assert running.reloader.reload(running.now_ms).reload.ok == (text == MORE)
    reload, settings, _ = running.save(OLD)
    assert (reload.ok, list(settings.symbols)) == (True, ["A"])


def test_what_was_read_on_demand_is_not_read_again(running: Running) -> None:
    """Once it is in force, no check applies it a second time."""
    running.path.write_text(MORE)
    assert running.reloader.reload(running.now_ms).reload.ok
    assert running.outcome() is None


def test_a_long_error_is_cut(running: Running) -> None:
    """The wire and the log get the first twenty problems."""
    reload, _, _ = running.save("".join(f"x{number} = 1\n" for number in range(500)))
    lines = (reload.error or "").split("\n")
    assert len(lines) == 21
    assert lines[-1] == "… and 480 more"


def test_two_hundred_reloads_half_of_them_bad(running: Running) -> None:
    """Each is told right, and after each bad one the settings of the last good one stand, to the very object."""
    for number in range(100):
        good = running.save(MORE if number % 2 else OLD + f"# {number}\n")
        assert good.reload == Reload(True, good.reload.at)
        assert list(good.settings.symbols) == (["A", "B"] if number % 2 else ["A"])
        remove(running.path)
        SPOILERS[number % len(SPOILERS)](running.path)
        outcome = running.outcome() if number % 3 else running.reloader.reload(running.now_ms)
        assert outcome is not None
        assert (outcome.reload.ok, outcome.changes) == (False, SettingsChanges())
        assert outcome.reload.error
        assert outcome.settings is good.settings is running.reloader.settings
        remove(running.path)
