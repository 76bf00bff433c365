"""Replacing a file: at once where possible, with mode, owner and links kept."""

import errno
import fcntl
import os
import stat
import threading
from pathlib import Path

import pytest

from ticker.settings import write
from ticker.settings.write import replace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that holds `old`."""
    path = tmp_path / "settings.toml"
    path.write_bytes(b"old")
    return path


def names_in(folder: Path) -> set[str]:
    """What is in a folder."""
    return {entry.name for entry in folder.iterdir()}


def test_a_new_file_takes_the_place_of_the_old(path: Path) -> None:
    """Who has the old one open goes on reading it; nothing else is left in the folder."""
    with path.open("rb") as reader:
        assert replace(path, b"old", b"new content")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new content"
    assert names_in(path.parent) == {"settings.toml"}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_the_mode_stays(path: Path, mode: int) -> None:
    """Also one that forbids writing: the folder decides."""
    path.chmod(mode)
    assert replace(path, b"old", b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_link_stays_a_link(path: Path) -> None:
    """What it leads to is replaced, in its own folder."""
    link = path.parent / "links" / "settings.toml"
    link.parent.mkdir()
    link.symlink_to("../settings.toml")
    assert replace(link, b"old", b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert names_in(link.parent) == {"settings.toml"}


def test_a_file_that_has_changed_is_left_alone(path: Path) -> None:
    """The caller made its edit from what it read: it has to look again."""
    path.write_bytes(b"theirs")
    assert not replace(path, b"old", b"new")
    assert path.read_bytes() == b"theirs"
    assert names_in(path.parent) == {"settings.toml"}


def refuse(code: int) -> object:
    """A system call that fails with `code`."""

    def call(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return call


@pytest.mark.parametrize(
    ("call", "code"),
    [("os.replace", errno.EBUSY), ("os.replace", errno.EXDEV), ("tempfile.mkstemp", errno.EACCES), ("tempfile.mkstemp", errno.EROFS)],
)
def test_in_place_where_a_file_cant_be_replaced(path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int) -> None:
    """A file that is mounted by itself, a folder one may not write to: the content is overwritten, the inode stays."""
    monkeypatch.setattr(f"ticker.settings.write.{call}", refuse(code))
    inode = path.stat().st_ino
    for old, new in ((b"old", b"longer content"), (b"longer content", b"short")):
        assert replace(path, old, new)
        assert path.read_bytes() == new
    assert not replace(path, b"old", b"new")
    assert (path.read_bytes(), path.stat().st_ino) == (b"short", inode)
    assert names_in(path.parent) == {"settings.toml"}


def test_in_place_where_the_owner_would_change(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another user stays theirs: a server that runs as that user must be able to go on reading it."""

    class TheirStatus:
        st_uid, st_gid, st_mode = 4711, 4711, 0o644

    monkeypatch.setattr(Path, "stat", lambda _, **__: TheirStatus())
    monkeypatch.setattr("ticker.settings.write.os.fchown", refuse(errno.EPERM))
    inode = os.stat(path).st_ino
    assert replace(path, b"old", b"new")
    assert (path.read_bytes(), os.stat(path).st_ino) == (b"new", inode)
    assert names_in(path.parent) == {"settings.toml"}


def test_a_full_disk_leaves_the_old_content(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error, no half of a file, and no temporary one."""
    monkeypatch.setattr("ticker.settings.write.os.fsync", refuse(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        replace(path, b"old", b"new")
    assert path.read_bytes() == b"old"
    assert names_in(path.parent) == {"settings.toml"}


def test_a_full_disk_in_place_puts_the_old_content_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there fits."""
    monkeypatch.setattr("ticker.settings.write.tempfile.mkstemp", refuse(errno.EROFS))
    put = write._put

    def full(descriptor: int, content: bytes) -> None:
        if content == b"new and longer":
            os.pwrite(descriptor, content[:5], 0)
            raise OSError(errno.ENOSPC, "No space left on device")
        put(descriptor, content)

    monkeypatch.setattr("ticker.settings.write._put", full)
    with pytest.raises(OSError, match="No space"):
        replace(path, b"old", b"new and longer")
    assert path.read_bytes() == b"old"


def test_edits_of_ours_exclude_each_other(path: Path) -> None:
    """Many at once: each is applied to the result of another, none is lost."""

    def add(number: int) -> None:
        line = f"{number}\n".encode()
        while True:
            old = path.read_bytes()
            if replace(path, old, old + line):
                return

    path.write_bytes(b"")
    threads = [threading.Thread(target=add, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, path.read_text().split())) == list(range(20))


def test_a_lock_that_is_never_given_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that hangs must not make all others hang."""
    monkeypatch.setattr("ticker.settings.write.LOCK_S", 0.0)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError):
            replace(path, b"old", b"new")
    finally:
        os.close(descriptor)
    assert path.read_bytes() == b"old"


def test_a_file_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Better without a lock than not at all."""
    monkeypatch.setattr("ticker.settings.write.fcntl.flock", refuse(errno.ENOLCK))
    assert replace(path, b"old", b"new")
