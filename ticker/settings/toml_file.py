"""From a file to a table of plain values: reading within bounds, TOML, and errors that name the key and not just a column."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ticker import symbols
from ticker.errors import Problem, SettingsError
from ticker.settings.describe import key_part, key_path, nearest

MAX_BYTES = 4 * 1024 * 1024
MAX_LINES_REREAD = 40_000
"""So many lines are read again at most, to find more errors than the first: that takes well under a second."""

_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=\s*")
_HEADER = re.compile(rf"\s*\[\[?\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]")
_BROKEN_HEADER = re.compile(r"\s*\[+\s*([^\[\]#=]+)")
_BARE_SYMBOL = re.compile(r"\s*([^\s\"'#\[]+?)\s*=\s*\{")
_ENDS_A_TABLE = re.compile(r"\}\s*(?:#.*)?$")
_WORD = re.compile(r"[A-Za-z_][\w.:/-]*")
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_DUPLICATE = re.compile(r"Cannot (?:overwrite|declare|mutate)|Duplicate inline table key '(.*)'")


def read(path: Path) -> bytes:
    """The bytes of the file at `path`. Raises `SettingsError` if it is missing, no plain file, unreadable or over 4 MiB."""
    try:
        with open(path, "rb", opener=without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _wrong(path, "is not a file", "--config PATH names the settings file")
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _wrong(path, "there is no such file", _missing_hint(path)) from None
    except IsADirectoryError:
        raise _wrong(path, "is a folder", f"did you mean {path / 'settings.toml'}?") from None
    except OSError as error:
        raise _wrong(path, f"can't be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise _wrong(path, f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return data


def folder_of(path: str) -> str:
    """What stands before the name of the file in `path`, with its slash."""
    return path[: path.rfind("/") + 1]


def _wrong(path: Path, reason: str, hint: str = "") -> SettingsError:
    return SettingsError([Problem(str(path), reason, hint, folder=folder_of(str(path)))])


def without_waiting(path: str, flags: int) -> int:
    """An opener for `open`: a named pipe is opened at once, and does not wait for somebody who writes into it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _missing_hint(path: Path) -> str:
    try:
        guess = nearest(path.stem, sorted(entry.stem for entry in path.parent.glob("*.toml")))
    except OSError:
        guess = None
    return f"did you mean {path.with_name(guess + '.toml')}?" if guess else "--config PATH names the settings file"


def decode(data: bytes, name: str) -> str:
    """The text of a settings file called `name` in errors; a byte order mark is tolerated. Raises `SettingsError`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            [Problem(name, f"is not UTF-8: line {line} has the byte 0x{data[error.start]:02x}", "save it with the encoding UTF-8")]
        ) from None
    if not text.strip():
        raise SettingsError([Problem(name, "is empty", "an empty [symbols] table is enough to start without symbols")])
    return text


def parse(text: str, name: str) -> tuple[dict[str, Any], list[Problem]]:
    """The tables in `text`, and what is wrong with it as TOML.

    TOML stops at the first error. Where that is a doubled or unquoted key on a line of its own, the line is set aside and
    reading goes on, so that one run tells of everything. Raises `SettingsError` with all problems so far where it can't.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    problems: list[Problem] = []
    while True:
        try:
            return tomllib.loads("\n".join(lines)), problems
        except RecursionError:
            raise SettingsError([*problems, Problem(name, "is nested too deeply")]) from None
        except tomllib.TOMLDecodeError as error:
            fault = _fault(str(error), lines, name)
            problems.append(fault.problem)
            if not fault.repairable:
                raise SettingsError(problems) from None
            if len(problems) * len(lines) > MAX_LINES_REREAD:
                raise SettingsError([*problems, Problem(name, "may have more such errors: reading it ended here")]) from None
            lines[fault.line - 1] = ""
        except ValueError:
            raise SettingsError([*problems, Problem(name, "has a number with thousands of digits in it")]) from None


class _Fault(NamedTuple):
    problem: Problem
    line: int
    repairable: bool


def _fault(message: str, lines: list[str], name: str) -> _Fault:
    """What a message of the parser is about, and whether the line it complains of can be set aside."""
    position = _POSITION.search(message)
    if position and position[1]:
        line, where = int(position[1]), f"at line {position[1]}, column {position[2]}"
    else:
        line = max((number for number, content in enumerate(lines, 1) if content.strip()), default=1)
        where = f"at its end, line {line}"
    reason, content = _POSITION.sub("", message), lines[line - 1]
    about = statements(lines[:line])
    if reason.startswith(("Unclosed", "Unterminated")):
        # Noticed where the next key or the end stands; the mistake is in the last value that was begun and not ended.
        keys = [begun for begun in about if begun.key != begun.table]
        opened = next((begun for begun in reversed(keys) if not _stands_alone(lines[begun.line - 1])), None)
        if opened and opened.line < line:
            words = f"not valid TOML at line {opened.line}: {reason[:1].lower()}{reason[1:]}"
            return _Fault(Problem(key_path(opened.key), words), line, False)
    *before, (_, table, key) = about
    # A line of [symbols] stands alone: without it, nothing else becomes wrong.
    repairable = table[:1] == ("symbols",) and _ENDS_A_TABLE.search(content) is not None
    bare = _BARE_SYMBOL.match(content)
    if table[:1] == ("symbols",) and bare and not _KEY.fullmatch(f"{bare[1]}=") and symbols.check(bare[1]) is None:
        problem = Problem(key_path([*table, bare[1]]), f"not valid TOML {where}: such a name needs quotes", _quote_it(bare[1]))
        return _Fault(problem, line, repairable)
    duplicate = _DUPLICATE.match(reason)
    if duplicate and table == ("symbols",) and len(key) > 2 and reason.startswith("Cannot mutate"):
        return _Fault(dotted_symbol(key[1:]), line, repairable)
    if duplicate:
        key = (*key, duplicate[1]) if duplicate[1] else key
        first = next((number for number, _, other in before if other == key), line)
        twice = f"is there twice, in line {first} and in line {line}" if first != line else f"is there twice in line {line}"
        return _Fault(Problem(key_path(key) or name, twice, "remove one of them"), line, repairable or _stands_alone(content))
    return _Fault(
        Problem(key_path(key) or name, f"not valid TOML {where}: {reason[:1].lower()}{reason[1:]}", _value_hint(content)), line, repairable
    )


def dotted_symbol(parts: Sequence[str]) -> Problem:
    """`BRK.B = …` without quotes: TOML reads a key `B` inside a table `BRK`."""
    symbol = ".".join(parts)
    return Problem(key_path(["symbols", symbol]), "without quotes the dot makes this a table inside a table", _quote_it(symbol))


def _quote_it(symbol: str) -> str:
    return f"quote it: {key_part(symbol)} = {{ … }}"


def _value_hint(content: str) -> str:
    key = _KEY.match(content)
    word = _WORD.match(content, key.end()) if key else None
    if word and word[0].lower() in ("true", "false"):
        return f"write {word[0].lower()}"
    return "text needs quotes" if word else ""  # Without the text: it may be a secret that has no business here.


class Statement(NamedTuple):
    line: int
    table: tuple[str, ...]
    key: tuple[str, ...]
    """What the line sets or opens, in full; the table's own name where the line does neither."""


def statements(lines: list[str]) -> list[Statement]:
    """The key each line is about. Lines inside a multi-line string may be taken for keys: good enough to point at a place."""
    found: list[Statement] = []
    table: tuple[str, ...] = ()
    for number, content in enumerate(lines, 1):
        header, key = _HEADER.match(content), _KEY.match(content)
        if header:
            table = _parts(header[1])
        elif not key and (broken := _BROKEN_HEADER.match(content)):
            table = tuple(broken[1].strip().split("."))
        found.append(Statement(number, table, (*table, *_parts(key[1])) if key else table))
    return found


def _parts(key: str) -> tuple[str, ...]:
    """The parts of a dotted key, unquoted."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", key):
        return (key,)
    try:
        table: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return (key,)
    parts: list[str] = []
    while isinstance(table, dict):
        part, table = next(iter(table.items()))
        parts.append(part)
    return tuple(parts)


def _stands_alone(content: str) -> bool:
    """Whether the line is a whole key with its whole value."""
    key = _KEY.match(content)
    try:
        return key is not None and bool(tomllib.loads(f"x = {content[key.end() :]}"))
    except (ValueError, RecursionError):
        return False
