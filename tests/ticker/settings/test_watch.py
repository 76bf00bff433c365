"""The watcher, with real files and a clock that is moved by hand."""

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticker.errors import SettingsError
from ticker.settings.watch import Watcher

STEP_S = 0.25


class Watched:
    """A file, a watcher of it, and the time."""

    def __init__(self, path: Path, content: bytes = b"old") -> None:
        self.path = path
        self.now_s = 1000.0
        path.write_bytes(content)
        self.watcher = Watcher(path, content)
        assert self.seen() == []

    def check(self) -> bytes | str | None:
        """One check, 250 ms after the one before; an error as its text."""
        self.now_s += STEP_S
        try:
            return self.watcher.check(self.now_s)
        except SettingsError as error:
            return str(error)

    def seen(self) -> list[bytes | str]:
        """All that comes of 2 s of checks: the time within which a saved file has to be applied."""
        return [result for result in (self.check() for _ in range(8)) if result is not None]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A watched file that holds `old`."""
    return Watched(tmp_path / "settings.toml")


def test_written_in_place(watched: Watched) -> None:
    """New bytes come once."""
    watched.path.write_bytes(b"new")
    assert watched.seen() == [b"new"]
    assert watched.seen() == []


def test_two_reads_must_agree(watched: Watched) -> None:
    """A file that is still being written is left alone until it has been the same for 250 ms."""
    for content in (b"", b"half", b"half of", b"half of it"):
        watched.path.write_bytes(content)
        assert watched.check() is None
    assert watched.seen() == [b"half of it"]


def test_at_most_every_250_ms(watched: Watched) -> None:
    """However often one checks, the two reads that agree are 250 ms apart."""
    watched.path.write_bytes(b"new")
    results = []
    for _ in range(12):
        watched.now_s += 0.02
        results.append(watched.watcher.check(watched.now_s))
    assert results == [None] * 12
    assert watched.check() == b"new"


def test_replaced_by_rename(watched: Watched) -> None:
    """Most editors write a new file and put it in the place of the old one."""
    other = watched.path.with_suffix(".tmp")
    other.write_bytes(b"new")
    other.replace(watched.path)
    assert watched.seen() == [b"new"]


def test_replaced_by_one_with_the_same_times_and_size(watched: Watched) -> None:
    """The inode tells."""
    status = watched.path.stat()
    other = watched.path.with_suffix(".tmp")
    other.write_bytes(b"new")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(watched.path)
    assert watched.seen() == [b"new"]


def test_modified_time_set_back(watched: Watched) -> None:
    """Restoring a backup gives the file an older time; so does a copy that keeps times."""
    watched.path.write_bytes(b"backup")
    os.utime(watched.path, ns=(0, 0))
    assert watched.seen() == [b"backup"]


def test_touched(watched: Watched) -> None:
    """Saving the same bytes is no change."""
    os.utime(watched.path)
    watched.path.chmod(0o600)
    watched.path.write_bytes(b"old")
    assert watched.seen() == []


def test_changed_and_back(watched: Watched) -> None:
    """Back before it settled: nothing. Back afterwards: news."""
    watched.path.write_bytes(b"new")
    assert watched.check() is None
    watched.path.write_bytes(b"old")
    assert watched.seen() == []
    watched.path.write_bytes(b"new")
    assert watched.seen() == [b"new"]
    watched.path.write_bytes(b"old")
    assert watched.seen() == [b"old"]


def test_a_link_that_is_turned(tmp_path: Path) -> None:
    """Configuration that is mounted into a container is a chain of links, of which one is swapped."""
    for name, content in (("1", b"old"), ("2", b"new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "settings.toml").write_bytes(content)
    (tmp_path / "current").symlink_to("1")
    (tmp_path / "settings.toml").symlink_to("current/settings.toml")
    watched = Watched(tmp_path / "settings.toml")
    (tmp_path / "next").symlink_to("2")
    (tmp_path / "next").replace(tmp_path / "current")
    assert watched.seen() == [b"new"]


def test_gone_and_back(watched: Watched) -> None:
    """Said once when it is gone; when it is back its bytes come again, so that the error can be taken back."""
    watched.path.unlink()
    (error,) = watched.seen()
    assert "there is no such file" in str(error)
    assert watched.seen() == []
    watched.path.write_bytes(b"old")
    assert watched.seen() == [b"old"]


def test_gone_for_a_moment(watched: Watched) -> None:
    """Some editors remove the file and write it anew."""
    watched.path.unlink()
    assert watched.check() is None
    watched.path.write_bytes(b"old")
    assert watched.seen() == []


def test_replaced_by_a_folder(watched: Watched) -> None:
    """Whatever stands in the file's place is told once, and the next thing too."""
    watched.path.unlink()
    watched.path.mkdir()
    (error,) = watched.seen()
    assert "is a folder" in str(error)
    watched.path.rmdir()
    (error,) = watched.seen()
    assert "no such file" in str(error)


def test_changed_between_loading_and_the_first_check(tmp_path: Path) -> None:
    """The watcher is given what was loaded, and finds out that the file has moved on."""
    path = tmp_path / "settings.toml"
    path.write_bytes(b"newer")
    watcher = Watcher(path, b"what was loaded")
    assert [watcher.check(now_s) for now_s in (1.0, 1.25, 1.5)] == [None, b"newer", None]


def test_an_unchanged_file_is_not_read(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times a second for years: a check costs one look at the status."""
    monkeypatch.setattr("ticker.settings.toml_file.read", lambda path: pytest.fail(f"{path} was read"))
    assert watched.seen() == []


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([b"", b"a", b"b", None]), st.sampled_from(["write", "rename"]), st.integers(0, 3)), max_size=12))
def test_the_last_state_is_what_was_seen_last(tmp_path_factory: pytest.TempPathFactory, saves: list[tuple[bytes | None, str, int]]) -> None:
    """Whatever happened to the file, after 2 s of quiet the last news is its content, and no news came twice."""
    watched = Watched(tmp_path_factory.mktemp("watch") / "settings.toml", b"a")
    news: list[bytes | str] = [b"a"]
    last: bytes | None = b"a"
    for content, how, checks in saves:
        last = content
        if content is None:
            watched.path.unlink(missing_ok=True)
        elif how == "write":
            watched.path.write_bytes(content)
        else:
            other = watched.path.with_suffix(".tmp")
            other.write_bytes(content)
            other.replace(watched.path)
        news += [result for result in (watched.check() for _ in range(checks)) if result is not None]
    news += watched.seen()
    assert (news[-1] if isinstance(news[-1], bytes) else None) == last
    assert all(one != other for one, other in itertools.pairwise(news))
