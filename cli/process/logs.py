"""Log lines on stderr, as text or as JSON: one event, one line, whatever names, payloads or clients put into it; and never too many.

Nothing that comes from outside reaches the terminal raw: what is not printable is escaped. No secret does at all: strangers' words come
here without, and are looked through once more, as tracebacks quote whatever a library had in hand. A kind of event, which is a place in the
code (at debug one for each feed), is told `BURST` times at once and then once a second; its next line says how many were left out.

A line is made where it is logged, and written by a thread (`cli.process.stderr`): to log never blocks.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from cli.process.stderr import StderrLines, lines_of_stderr
from ticker import secrets
from web.runtime import original

LEVELS = ("debug", "info", "warning", "error")
Format = Literal["text", "json"]

BURST = 20
"""So many events of a kind are logged at once."""
PER_S = 1.0
"""So many events of a kind are logged in a second after the first `BURST`."""
LONGEST = 8192
"""The most characters of one message or traceback as it is written; of a longer one only its beginning and its end are."""

_TALKATIVE = ("apscheduler", "urllib3", "werkzeug", "engineio", "socketio")
_TIME = "%Y-%m-%dT%H:%M:%S"


def log_to_stderr(level: str, log_format: Format = "text") -> None:
    """Send log records of `level` and above to stderr."""
    handler = StderrHandler(lines_of_stderr(), JsonLine() if log_format == "json" else TextLine())
    handler.addFilter(FloodFilter(time.monotonic))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    for talkative in _TALKATIVE:
        logging.getLogger(talkative).setLevel(logging.WARNING)


class StderrHandler(logging.Handler):
    """Hands log lines to those who write them. `lost`: so many lines never got there."""

    def __init__(self, lines: StderrLines, formatter: logging.Formatter) -> None:
        super().__init__()
        self._lines = lines
        self.setFormatter(formatter)
        lines.lost_line = self._lost_line

    def createLock(self) -> None:
        """One of the system's: a green lock is none between threads, and in the loop nobody else runs while a line is made."""
        self.lock = original("threading").RLock()

    def emit(self, record: logging.LogRecord) -> None:
        """Never blocks."""
        try:
            self._lines.write(f"{self.format(record)}\n".encode("utf-8", "backslashreplace"))
        except Exception:
            self.handleError(record)

    @property
    def lost(self) -> int:
        """Since the start, whatever they were."""
        return self._lines.lost

    def _lost_line(self, lines: int) -> str:
        what = f"{lines} line{'' if lines == 1 else 's'} lost: stderr could not be written, or not so fast"
        return self.format(logging.LogRecord("tickercast", logging.WARNING, __file__, 0, what, None, None))


class FloodFilter(logging.Filter):
    """Lets an event pass unless there were too many of its kind lately. `monotonic` is the clock, in seconds.

    No `LogLimit`: that lets none pass until its period is over, and here one of each kind is to be told every second, however many come.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._kinds: dict[tuple[str, int, str], _Kind] = {}  # as many as there are places in the code that log, times feeds

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to tell it; then its `left_out` is how many before it were not told."""
        now_s = self._monotonic()
        kind = self._kinds.setdefault((record.pathname, record.lineno, _feed(record)), _Kind(now_s))
        kind.tokens = min(BURST, kind.tokens + (now_s - kind.seen_s) * PER_S)
        kind.seen_s = now_s
        if kind.tokens < 1:
            kind.left_out += 1
            return False
        kind.tokens -= 1
        record.left_out, kind.left_out = kind.left_out, 0
        return True


def _feed(record: logging.LogRecord) -> str:
    """Which feed a line at debug is about: one that is polled ten times a second must not hide what is decided about the others."""
    if record.levelno == logging.DEBUG and isinstance(record.args, tuple) and str(record.msg).startswith("feed %s"):
        return str(record.args[0])
    return ""


class _Kind:
    def __init__(self, now_s: float) -> None:
        self.tokens = float(BURST)
        self.seen_s = now_s
        self.left_out = 0


class TextLine(logging.Formatter):
    """For people: time, level, who, what. A traceback follows on the same line, its lines separated by ` | `."""

    def format(self, record: logging.LogRecord) -> str:
        left_out, traceback = _left_out(record), _cut(_one_line(_traceback(record)), _printable)
        line = f"{_when(record)} {record.levelname:<7} {record.name}: {_printable(_cut(_message(record), _printable))}"
        if traceback:
            line += " | " + _printable(traceback)
        return line + (f" ({left_out} more like this were left out)" if left_out else "")


class JsonLine(logging.Formatter):
    """For programs: `time` (UTC), `level`, `logger`, `message`; `exception` and `left_out` where there are any. All ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": _when(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _cut(_scalar(_message(record)), json.dumps),
        }
        if traceback := _traceback(record):
            entry["exception"] = _cut(_scalar(traceback), json.dumps)
        if left_out := _left_out(record):
            entry["left_out"] = left_out
        return json.dumps(entry)


def _when(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, UTC):{_TIME}}.{int(record.msecs):03d}Z"


def _message(record: logging.LogRecord) -> str:
    return secrets.HIDDEN.blank_whole(record.getMessage())


def _traceback(record: logging.LogRecord) -> str:
    if not record.exc_info or not record.exc_info[0]:
        return ""
    return secrets.HIDDEN.blank_whole(logging.Formatter().formatException(record.exc_info))


def _one_line(text: str) -> str:
    return " | ".join(text.splitlines())


def _left_out(record: logging.LogRecord) -> int:
    return int(getattr(record, "left_out", 0))


def _cut(text: str, written: Callable[[str], str]) -> str:
    """The text; or its ends, if it would take more than `LONGEST` characters when `written`."""
    half = LONGEST // 2
    cut = text if len(text) <= LONGEST else f"{text[:half]} … {text[-half:]}"
    while len(written(cut)) > LONGEST + 16:
        half //= 2
        cut = f"{text[:half]} … {text[-half:]}"
    return cut


def _printable(text: str) -> str:
    """With everything escaped that would end a line, move a cursor, turn the direction of writing, or is half a character."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _scalar(text: str) -> str:
    """With half characters escaped: strict JSON has none."""
    return text.encode("utf-8", "backslashreplace").decode()
