"""Who else may read a secret's file: as people keep it, and as Docker, Kubernetes and systemd mount it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from ticker.errors import Problem
from ticker.settings import secret_file
from ticker.settings.secret_file import fault_of, is_in_memory

SHM = Path("/dev/shm")
MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 27 0:52 / /run/secrets\\040of\\040mine ro,relatime shared:7 master:1 - tmpfs tmpfs rw,size=4k
32 27 0:53 / /a - b rw,relatime - tmpfs tmpfs rw
33 27 0:54 / /credentials ro,nosuid - ramfs none rw
34 27 0:6 / /dev rw - devtmpfs devtmpfs rw

of no use
"""


@pytest.mark.parametrize(("mode", "owner", "says"), [
    (0o600, 1000, None), (0o400, 1000, None), (0o700, 0, None), (0o440, 0, None), (0o640, 0, None),
    (0o440, 1000, "others can read that file (mode 0440)"), (0o444, 0, "others can read that file (mode 0444)"),
    (0o644, 1000, "others can read that file (mode 0644)"), (0o604, 0, "others can read that file (mode 0604)"),
    (0o660, 0, "others can write that file (mode 0660)"), (0o666, 0, "others can write that file (mode 0666)"),
    (0o602, 1000, "others can write that file (mode 0602)"), (0o777, 0, "others can write that file (mode 0777)"),
])  # fmt: skip
def test_what_others_may_do(mode: int, owner: int, says: str | None) -> None:
    """Where the file lies in a folder like any other: reading is root's to allow, to a group, and writing nobody's."""
    fault = fault_of(0o100000 | mode, owner)
    assert (fault and fault.what) == says
    assert fault is None or fault.is_fatal == ("write" in fault.what)


@pytest.mark.parametrize(("major", "minor", "expected"), [(0, 52, True), (0, 54, True), (254, 0, False), (0, 6, False), (0, 99, False)])
def test_what_lies_in_memory(major: int, minor: int, expected: bool) -> None:
    """By the mount's type, whatever its name; what is not listed is not known to."""
    assert is_in_memory(os.makedev(major, minor), MOUNTS) is expected
    assert not is_in_memory(os.makedev(major, minor), "")


def secret(folder: Path, mode: int) -> str | Problem:
    """What is read of a secret of that mode, found as Kubernetes shows it: by a link to a link that is changed for another at once."""
    (folder / "..2026").mkdir()
    (folder / "..2026" / "key").write_text("hunter2hunter2\n")
    (folder / "..2026" / "key").chmod(mode)
    (folder / "..data").symlink_to("..2026")
    (folder / "key").symlink_to("..data/key")
    return secret_file.read("TICKERCAST_X", str(folder / "key"))


@pytest.mark.parametrize(
    ("mode", "refused"), [(0o444, False), (0o644, False), (0o440, False), (0o400, False), (0o666, True), (0o664, True)]
)
def test_a_mount_in_memory(mode: int, refused: bool) -> None:
    """A real one: whoever set it up decides who reads; but what others can write is refused there too."""
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        found = secret(Path(folder), mode)
    assert isinstance(found, Problem) is refused
    assert refused or found == "hunter2hunter2"


def test_a_folder_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the mode and both cures; so it is where nobody can tell what is mounted there."""
    monkeypatch.setattr(secret_file, "_MOUNTS", str(tmp_path / "nothing"))
    found = secret(tmp_path, 0o644)
    assert isinstance(found, Problem)
    assert "(mode 0644)" in found.reason
    assert found.hint.startswith(f"chmod 600 {tmp_path}/key, or mount it read-only")


def test_a_read_only_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Docker's secrets are: the mode is the host's, and nobody in the container can change it."""
    real = os.fstatvfs
    monkeypatch.setattr(os, "fstatvfs", lambda descriptor: os.statvfs_result([*real(descriptor)[:8], os.ST_RDONLY, *real(descriptor)[9:]]))
    assert secret(tmp_path, 0o444) == "hunter2hunter2"
