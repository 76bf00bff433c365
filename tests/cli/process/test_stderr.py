"""Lines for a reader that may be slow, have stopped or be gone: on real pipes and files."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.process.stderr import LONGEST_BEGUN, StderrLines
from web.runtime import original

ROOT = Path(__file__).parents[3]
PATIENCE_S = 20.0
ROOM = 40_000
"""Much more than the pipe has."""


def until(condition: Callable[[], bool]) -> None:
    """Let threads work until it is true. It blocks, as no task but this one is needed."""
    signals = original("signal")
    for _ in range(int(PATIENCE_S * 1000)):
        if condition():
            return
        signals.sigtimedwait([signal.SIGUSR2], 0.001)
    pytest.fail("it never came true")


class Pipe:
    """A pipe of the smallest size, and lines that go into it."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self.reader, False)
        self.lines = StderrLines(self.writer, ROOM)
        self.text = b""

    def say(self, *numbers: int) -> None:
        """A line of 100 bytes for each."""
        for number in numbers:
            self.lines.write(b"%099d\n" % number)

    def read(self) -> bool:
        """Read what is there; whether that was all."""
        try:
            piece = original("os").read(self.reader, 65_536)
        except BlockingIOError:
            piece = b""
        self.text += piece
        return not piece and self.lines.finish(0)

    def read_all(self) -> list[str]:
        """Whatever comes: numbers as they were said, and other lines."""
        until(self.read)
        while not self.read():
            pass
        *lines, rest = self.text.decode().split("\n")
        assert rest == ""
        return [str(int(line)) if line.isdecimal() else line for line in lines]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """One that is closed afterwards."""
    pipe = Pipe()
    yield pipe
    while not pipe.read():
        pass
    os.close(pipe.reader)
    os.close(pipe.writer)


def test_order_is_kept_and_lines_are_whole(pipe: Pipe) -> None:
    """Whoever writes, in whatever pieces."""
    text = io.TextIOWrapper(pipe.lines, "utf-8", "backslashreplace", write_through=True)
    print("by print", "\ud800", file=text)
    pipe.lines.write(b"begun ")
    pipe.lines.write(b"and ended\nbegun")
    text.flush()
    pipe.say(1)
    assert pipe.read_all() == ["by print \\ud800", "begun and ended", f"begun{1:099d}"]
    text.detach()


def test_a_line_that_never_ends(tmp_path: Path) -> None:
    """Dots that show how far something has come, say: they are seen, and do not pile up."""
    with (tmp_path / "log").open("wb") as file:
        lines = StderrLines(file.fileno())
        for _ in range(LONGEST_BEGUN + 1):
            lines.write(b".")
        until(lambda: (tmp_path / "log").stat().st_size == LONGEST_BEGUN + 1)
        assert lines.finish(PATIENCE_S)


def test_a_reader_that_stops_is_not_waited_for(pipe: Pipe) -> None:
    """There is room for so much; of the rest it is told in its place how much it was, once, and nothing of what came later is lost."""
    numbers = list(range(1000))
    pipe.say(*numbers)
    lost = pipe.lines.lost
    assert 1000 - (ROOM + 4096 + 200) // 100 <= lost <= 1000 - ROOM // 100
    kept = pipe.read_all()
    assert kept == [*map(str, numbers[: 1000 - lost]), f"{lost} lines lost"]
    pipe.text = b""
    pipe.say(1, 2)
    assert pipe.read_all() == ["1", "2"]


def test_room_for_a_line_is_not_room_enough(pipe: Pipe) -> None:
    """A reader that is a little too slow loses in few pieces: half of what waits must have gone before there is more."""
    pipe.say(*range(1000))
    while not pipe.text:
        pipe.read()
    before = pipe.lines.lost
    pipe.say(1001)
    assert pipe.lines.lost == before + 1
    gaps = [line for line in pipe.read_all() if not line.isdecimal()]
    assert gaps == [f"{before + 1} lines lost"]


def test_the_end_does_not_wait_for_ever(pipe: Pipe) -> None:
    """Only for so long; and not at all where there is nothing to wait for."""
    assert pipe.lines.finish(0)
    pipe.say(*range(100))  # the pipe has 40 of them
    assert not pipe.lines.finish(0.001)
    assert len(pipe.read_all()) == 100
    assert pipe.lines.finish(0)


def test_a_reader_that_is_gone_costs_its_lines_only(pipe: Pipe) -> None:
    """They are counted; a pipe with a name may have another reader one day."""
    os.dup2(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), pipe.reader)
    pipe.say(1, 2, 3)
    assert pipe.lines.finish(PATIENCE_S)
    until(lambda: pipe.lines.lost == 3)


def test_a_pipe_that_does_not_block_is_waited_for_all_the_same(pipe: Pipe) -> None:
    """Whoever has it too may have set that."""
    os.set_blocking(pipe.writer, False)
    pipe.say(*range(90))
    assert pipe.read_all() == [str(number) for number in range(90)]


FULL = """
import os, resource, sys
from cli.process.stderr import StderrLines
resource.setrlimit(resource.RLIMIT_FSIZE, (150, resource.RLIM_INFINITY))
lines = StderrLines(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT))
for number in range(4):
    lines.write(b"%099d\\n" % number)
assert lines.finish(20)
assert lines.lost == 3
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
lines.write(b"again\\n")
assert lines.finish(20)
"""


def test_a_disk_that_was_full(tmp_path: Path) -> None:
    """A line that broke off is ended before the next, and what is missing is told as soon as there is room."""
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "log")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *first, lost, last = (tmp_path / "log").read_text().splitlines()
    assert [line[-2:] for line in first] == ["00", "00"]
    assert len(first[1]) == 50
    assert (lost, last) == ("3 lines lost", "again")
