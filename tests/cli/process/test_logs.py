"""Log lines: one event is one line in either format, nothing raw gets through, and a flood is a trickle."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from cli.process.logs import BURST, LONGEST, FloodFilter, Format, JsonLine, StderrHandler, TextLine, log_to_stderr
from cli.process.stderr import StderrLines, lines_of_stderr
from tests.spelling import KEY, traces
from ticker import secrets

PATIENCE_S = 20.0
FORMATS: tuple[Format, ...] = ("text", "json")
EVIL = ["A\r\n2026 INFO all is well", "\x1b[2J\x1b]0;owned\x07", "a\x00b", "a\u2028b\u2029c\x85d", "\u202eesrever", "\x9b31m", "\ud800",
        "é价🙂", '{"level":"info"}\n{"level":"info"}', "%s %d %(x)s {0}", "\x7f", "\v\f\x1c\x1d\x1e"]  # fmt: skip


class Bench:
    """A logger whose lines are kept, on a clock that the test steps."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self.now_s = 0.0
        self.stream = io.StringIO()
        self.log = logging.Logger("test")
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(formatter)
        handler.addFilter(FloodFilter(lambda: self.now_s))
        self.log.addHandler(handler)

    def lines(self) -> list[str]:
        """What was written, cut at line feeds only."""
        *lines, rest = self.stream.getvalue().split("\n")
        assert rest == ""
        return lines


@pytest.fixture(params=FORMATS)
def bench(request: pytest.FixtureRequest) -> Bench:
    """In each format."""
    return Bench(TextLine() if request.param == "text" else JsonLine())


def failure(message: str) -> Exception:
    """An error with a traceback."""
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


@pytest.mark.parametrize("evil", EVIL)
def test_one_event_is_one_line(bench: Bench, evil: str) -> None:
    """Nobody can write a line of their own into the log, or a command to the terminal: by a name, a payload, an exception."""
    bench.log.warning("no price for %s", evil)
    bench.log.error("a bug in %s", evil, exc_info=failure(evil))
    assert len(bench.lines()) == 2
    for line in bench.lines():
        assert line.isprintable()
        assert len(line.splitlines()) == 1
        assert line.encode()


@pytest.mark.parametrize("evil", EVIL)
def test_json_holds_what_was_said(evil: str) -> None:
    """Every line is an object, and the message in it the one that was logged; half a character is written out."""
    bench = Bench(JsonLine())
    bench.log.warning("no price for %s", evil)
    (entry,) = map(json.loads, bench.lines())
    assert entry.keys() == {"time", "level", "logger", "message"}
    assert (entry["level"], entry["logger"]) == ("warning", "test")
    assert entry["message"] == "no price for " + evil.replace("\ud800", "\\ud800")
    assert bench.lines()[0].isascii()


def test_a_traceback_stays_on_its_line() -> None:
    """In text after the message, in JSON in `exception`; what the exception says can't pass for an event."""
    text, machine = Bench(TextLine()), Bench(JsonLine())
    error = failure("why\n2026 INFO all is well\x1b[2J")
    for bench in (text, machine):
        bench.log.error("a bug", exc_info=error)
    (line,) = text.lines()
    assert "test: a bug | Traceback (most recent call last): |   File" in line
    assert line.endswith(" | ValueError: why | 2026 INFO all is well\\x1b[2J")
    (entry,) = map(json.loads, machine.lines())
    assert entry["message"] == "a bug"
    assert entry["exception"].endswith("ValueError: why\n2026 INFO all is well\x1b[2J")


def test_a_flood_is_a_trickle(bench: Bench) -> None:
    """A thousand malformed frames a second for thirty seconds are at most a mebibyte of log, and nobody else's lines are lost."""
    error = failure("nonsense" + "\x1b\u2028" * 4000)
    for number in range(30_000):
        bench.now_s = number / 1000
        bench.log.warning("closed %s: %s", "203.0.113.9", "\x1b" * 4000, exc_info=error)
        if number % 1000 == 0:
            bench.log.warning("something else")
    lines = bench.lines()
    assert len(bench.stream.getvalue()) <= 1_048_576
    assert sum("something else" in line for line in lines) == 30
    flood = [line for line in lines if "203.0.113.9" in line]
    assert BURST <= len(flood) <= BURST + 30
    assert "left_out" in flood[-1] or "more like this were left out" in flood[-1]


def test_what_was_left_out_is_told_later() -> None:
    """With the next line of its kind, once."""
    bench = Bench(JsonLine())

    def say() -> None:
        bench.log.info("again")

    for _ in range(BURST + 7):
        say()
    bench.now_s += 60.0
    say()
    say()
    entries = [json.loads(line) for line in bench.lines()]
    assert len(entries) == BURST + 2
    assert [entry.get("left_out") for entry in entries[-3:]] == [None, 7, None]


def test_a_fast_feed_hides_no_other_at_debug() -> None:
    """What is decided about each feed is a kind of its own there, and only there: other lines are limited whatever feed they are about."""
    bench = Bench(JsonLine())
    for name, lines in (("fast", 1000), ("slow", 1)):
        for _ in range(lines):
            bench.log.debug("feed %s: polls", name)
            bench.log.warning("feed %s: fails", name)
    said = [(entry["level"], entry["message"]) for entry in map(json.loads, bench.lines())]
    assert [said.count(("debug", f"feed {name}: polls")) for name in ("fast", "slow")] == [BURST, 1]
    assert [said.count(("warning", f"feed {name}: fails")) for name in ("fast", "slow")] == [BURST, 0]


def test_a_line_has_an_end(bench: Bench) -> None:
    """However long what somebody sent is: the beginning and the end of it."""
    bench.log.warning("%s", "first" + "x" * 1_000_000 + "last")
    assert LONGEST / 2 < len(bench.lines()[0]) < LONGEST + 200
    assert "first" in bench.lines()[0]
    assert "last" in bench.lines()[0]


def test_no_secret_gets_into_a_line(bench: Bench) -> None:
    """In words or in a traceback, where a library quotes what it had in hand; in another spelling too."""
    secrets.HIDDEN.add(KEY)
    for spelt in (KEY, quote(KEY, safe=""), json.dumps(KEY), base64.b64encode(KEY.encode()).decode()):
        bench.log.error("a bug: %s", spelt, exc_info=failure(f"GET /?apikey={spelt} HTTP/1.1"))
    for line in bench.lines():
        assert "***" in line
        assert [
            trace
            for spelt in (KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode())
            for trace in traces(spelt)
            if trace in line
        ] == []


@pytest.mark.parametrize(("log_format", "begins"), [("text", "20"), ("json", "{")])
def test_everything_goes_through_it(log_format: Format, begins: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's own lines, those of libraries from a warning up, and Python's warnings."""
    path = tmp_path / "stderr"
    before = logging.root.handlers[:], logging.root.level
    try:
        with path.open("w") as file:
            monkeypatch.setattr(sys, "stderr", file)
            log_to_stderr("debug", log_format)
            logging.getLogger("tickercast").debug("ours")
            logging.getLogger("urllib3.connectionpool").debug("GET /quote?token=secret")
            logging.getLogger("py.warnings").warning("old\nnews")
            assert lines_of_stderr().finish(PATIENCE_S)
    finally:
        logging.captureWarnings(False)
        logging.basicConfig(handlers=before[0], level=before[1], force=True)
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    assert all(line.startswith(begins) for line in lines)
    assert "secret" not in path.read_text()


@pytest.mark.parametrize("log_format", FORMATS)
def test_what_is_lost_is_told_as_a_log_line(log_format: Format) -> None:
    """In the format of the others, and counted."""
    lines = StderrLines(os.open(os.devnull, os.O_WRONLY), most_bytes=0)
    handler = StderrHandler(lines, JsonLine() if log_format == "json" else TextLine())
    handler.handle(logging.makeLogRecord({"msg": "there is no room"}))
    handler.handle(logging.makeLogRecord({"msg": "nor for this"}))
    assert handler.lost == 2
    told = lines.lost_line(handler.lost)
    assert "2 lines lost: stderr could not be written, or not so fast" in told
    assert told.startswith("{" if log_format == "json" else "20")
