"""The writer of NDJSON on real pipes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.process.descriptors import is_gone
from cli.process.stdout import NdjsonWriter
from ticker.quote import Quote
from ticker.sinks.ndjson import MOST_WAITING
from web.runtime import EventletRuntime

PATIENCE_S = 20.0


def quote(seq: int) -> Quote:
    """A quote that is told apart by its number."""
    return Quote(symbol="A", price=1.5, seq=seq, received_time=seq, source="sim", kind="simulated", state="fresh")


def wait_for(condition: Callable[[], bool]) -> None:
    """Let the writer work until `condition` is true."""
    runtime = EventletRuntime()
    with runtime.deadline(PATIENCE_S):
        while not condition():
            runtime.sleep(0.001)


class Pipe:
    """A pipe as stdout; `gone` counts how often the writer said that its reader has left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reader, writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.stdout = os.fdopen(writer, "w")
        monkeypatch.setattr(sys, "stdout", self.stdout)
        self.gone: list[OSError | None] = []
        self.writer = NdjsonWriter(EventletRuntime(), self.gone.append)
        self.seqs: list[int] = []
        self._rest = b""

    def read(self) -> None:
        """Take what is there."""
        try:
            data = os.read(self.reader, 1_000_000)
        except BlockingIOError:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.seqs += [json.loads(line)["seq"] for line in lines]

    def read_until(self, seq: int) -> None:
        """Read until that update has come."""

        def has_come() -> bool:
            self.read()
            return self.seqs[-1:] == [seq]

        wait_for(has_come)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    """A pipe whose other end is open."""
    pipe = Pipe(monkeypatch)
    yield pipe
    pipe.stdout.close()


def test_a_reader_that_keeps_up_gets_everything(pipe: Pipe) -> None:
    """In order, batch by batch."""
    for first in range(1, 300, 100):
        pipe.writer.publish([quote(seq) for seq in range(first, first + 100)])
    pipe.read_until(300)
    assert pipe.seqs == list(range(1, 301))


def test_a_full_pipe_blocks_nobody(pipe: Pipe) -> None:
    """What can't be written waits, folded to the newest; it goes on when the reader does."""
    last = 3 * MOST_WAITING
    for first in range(1, last, 1000):
        pipe.writer.publish([quote(seq) for seq in range(first, first + 1000)])
        EventletRuntime().sleep(0)
    pipe.read_until(last)
    assert pipe.seqs == sorted(set(pipe.seqs))
    assert len(pipe.seqs) < last


def test_a_reader_that_leaves_is_noticed_without_a_write(pipe: Pipe) -> None:
    """And told once, whatever is published afterwards."""
    pipe.writer.look()
    assert not pipe.gone
    os.close(pipe.reader)
    for _ in range(2):
        pipe.writer.look()
        pipe.writer.publish([quote(1)])
    assert pipe.gone == [None]


def test_a_reader_that_leaves_while_a_write_waits(pipe: Pipe) -> None:
    """The write ends, the process does not."""
    pipe.writer.publish([quote(seq) for seq in range(1, 5000)])
    EventletRuntime().sleep(0)
    os.close(pipe.reader)
    wait_for(lambda: bool(pipe.gone))
    pipe.writer.publish([quote(1)])
    pipe.writer.look()
    assert pipe.gone == [None]


def test_a_file_is_never_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor ever gone: epoll knows no files."""
    with (tmp_path / "quotes").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        writer = NdjsonWriter(EventletRuntime(), lambda _: pytest.fail("a file has no reader"))
        for seq in range(1, 100):
            writer.publish([quote(seq)])
            EventletRuntime().sleep(0)
            writer.look()
        wait_for(lambda: (tmp_path / "quotes").read_bytes().count(b"\n") == 99)
    assert [json.loads(line)["seq"] for line in (tmp_path / "quotes").read_text().splitlines()] == list(range(1, 100))


def test_is_gone() -> None:
    """A pipe's other end; a file has none."""
    reader, writer = os.pipe()
    assert not is_gone(writer)
    os.close(reader)
    assert is_gone(writer)
    os.close(writer)
    with open(os.devnull, "w") as nowhere:
        assert not is_gone(nowhere.fileno())
