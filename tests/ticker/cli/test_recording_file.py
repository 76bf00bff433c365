"""The file that a recording goes into."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ticker.cli.recording_file import RecordingFile
from ticker.quote import Quote
from ticker.recording import Unpacker

QUOTE = Quote(symbol="A", price=1.5, received_time=1, seq=1, source="x", kind="polled", state="fresh")
HEADER = b'{"recording":1}\n'
LINE = b'{"t":7,"quotes":[{"price":1.5,"symbol":"A","received_time":1,"seq":1,"source":"x","kind":"polled","state":"fresh"}]}'


def recording(path: Path, *, replace: bool = False) -> RecordingFile:
    """A file with a header, at 7 ms."""
    return RecordingFile(path, HEADER, lambda: 7, replace=replace)


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


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    """Each time, and at the end."""
    with pytest.raises(OSError, match="No space left"):
        recording(Path("/dev/full"))
    with pytest.raises(OSError, match="No such file"):
        recording(tmp_path / "none" / "x")
