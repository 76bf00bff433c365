"""The file that a recording goes into."""

from __future__ import annotations

import gzip
import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cli.process import recording_file
from cli.process.recording_file import RecordingFile
from ticker.quote import Quote, VolumeOf
from ticker.sinks.recording import Unpacker, read_batch

ROOT = Path(__file__).parents[3]
QUOTE = Quote(symbol="A", price=1.5, received_time=1, seq=1, source="x", kind="polled", state="fresh")
VOLUME_OF: dict[str, VolumeOf] = {}
HEADER = b'{"recording":1}\n'
LINE = b'{"t":7,"quotes":[{"price":1.5,"symbol":"A","received_time":1,"seq":1,"source":"x","kind":"polled","state":"fresh"}]}'


def recording(path: Path, *, replace: bool = False) -> RecordingFile:
    """A file with a header, at 7 ms."""
    return RecordingFile(path, HEADER, lambda: 7, VOLUME_OF, replace=replace)


@pytest.mark.parametrize("name", ["x.ndjson", "x.ndjson.gz"])
def test_what_was_flushed_can_be_read_though_nobody_closed_it(tmp_path: Path, name: str) -> None:
    """As after a crash."""
    file = recording(tmp_path / name)
    file.put([QUOTE])
    assert Unpacker().lines((tmp_path / name).read_bytes()) == [HEADER[:-1]]
    file.flush()
    assert Unpacker().lines((tmp_path / name).read_bytes()) == [HEADER[:-1], LINE]
    file.put([QUOTE, QUOTE])
    file.close()
    content = (tmp_path / name).read_bytes()
    assert (file.updates, file.batches, file.size) == (3, 2, len(content))
    assert len((gzip.decompress(content) if name.endswith(".gz") else content).splitlines()) == 3


def test_what_volumes_count_is_said_once_and_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the quote from which on it holds."""
    for symbol, volume_of in (("A", "session"), ("B", "24h")):
        monkeypatch.setitem(VOLUME_OF, symbol, volume_of)
    file, other = recording(tmp_path / "x.ndjson"), msgspec.structs.replace(QUOTE, symbol="B")
    for quotes in ([QUOTE], [QUOTE, other], [QUOTE, other]):
        file.put(quotes)
    monkeypatch.setitem(VOLUME_OF, "A", "day_utc")
    file.put([other])
    file.put([QUOTE])
    file.close()
    batches = [read_batch(line) for line in (tmp_path / "x.ndjson").read_bytes().splitlines()[1:]]
    assert [found and found.volume_of for found in batches] == [{"A": "session"}, {"B": "24h"}, {}, {}, {"A": "day_utc"}]


def test_a_recording_is_not_overwritten_unless_told_to(tmp_path: Path) -> None:
    """An empty file is nobody's loss."""
    path = tmp_path / "x.ndjson"
    path.touch()
    recording(path).close()
    with pytest.raises(FileExistsError):
        recording(path)
    assert path.read_bytes() == HEADER
    path.write_bytes(b"x" * 1000)
    recording(path, replace=True).close()
    assert path.read_bytes() == HEADER


def test_what_waits_for_the_disk_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes nothing must not cost all memory; what was flushed waits no more."""
    monkeypatch.setattr(recording_file, "MOST_WAITING_BYTES", 2 * len(LINE))
    file = recording(tmp_path / "x.ndjson")
    behind = [file.is_behind]
    for wait in (file.put, file.put, lambda _: file.flush()):
        wait([QUOTE])
        behind.append(file.is_behind)
    assert behind == [False, False, True, False]
    file.close()


FULL = """
import pathlib, resource, sys
from tests.cli.process.test_recording_file import QUOTE, recording

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
file = recording(pathlib.Path(sys.argv[1]))
file.put([QUOTE] * 100)
for write in (file.flush, file.close):
    file.put([QUOTE] * 100)
    try:
        write()
    except OSError as error:
        print(error.strerror)
"""


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    """Each time, and at the end; in a process of its own, in which no file may grow, for a device that is full is not written to."""
    run = subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "x")], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    assert run.stdout.splitlines() == ["File too large"] * 2
    with pytest.raises(OSError, match="No such file"):
        recording(tmp_path / "none" / "x")


def test_a_recording_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the mask says; a file that was there keeps its mode."""
    before = os.umask(0)
    try:
        recording(tmp_path / "new").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    (tmp_path / "old").touch(mode=0o640)
    (tmp_path / "old").chmod(0o640)
    recording(tmp_path / "old").close()
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o640


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(("trap", "words"), [
    ("link", "it is a link"), ("link to nothing", "it is a link"), ("hard link", "has other names"),
    ("pipe", "it is no regular file|No such device"), ("device", "it is no regular file"), ("folder", "Is a directory")])  # fmt: skip
def test_what_is_not_the_file_that_was_named_is_not_written_to(tmp_path: Path, trap: str, words: str, replace: bool) -> None:
    """Nor waited for; what a link leads to is as it was."""
    precious, path = tmp_path / "precious", tmp_path / "x"
    precious.write_text("precious")
    if trap == "pipe":
        os.mkfifo(path)
    elif trap == "hard link":
        path.hardlink_to(precious)
    elif trap == "folder":
        path.mkdir()
    elif trap == "device":
        path = Path("/dev/null")
    else:
        path.symlink_to(precious if trap == "link" else tmp_path / "nothing")
    with pytest.raises(OSError, match=words):
        recording(path, replace=replace)
    assert precious.read_text() == "precious"
    assert not (tmp_path / "nothing").exists()


def test_a_pipe_that_somebody_reads_is_no_file_either(tmp_path: Path) -> None:
    """It may be anybody."""
    os.mkfifo(tmp_path / "x")
    reader = os.open(tmp_path / "x", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(OSError, match="no regular file"):
        recording(tmp_path / "x")
    assert os.read(reader, 100) == b""
    os.close(reader)
