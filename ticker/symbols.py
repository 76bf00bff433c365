"""What a symbol may look like. It is used as it stands: case-sensitive, and its namespace is the raw name behind a slash."""

from __future__ import annotations

import re

MAX_LENGTH = 32
_ALLOWED = re.compile(r"[A-Za-z0-9.\-_=^/:+]")
_FIRST = re.compile(r"[A-Za-z0-9^]")


def check(symbol: str) -> str | None:
    """Why `symbol` can't be one, in words that follow its name, or `None` if it can.

    A symbol is 1 to 32 characters from `A-Z a-z 0-9 . - _ = ^ / : +`, starts with a letter, a digit or `^`, has no `//`,
    no `.` or `..` as a path segment and no `/` at its end: what is left is the same in a namespace, in a URL and in a log.
    """
    if not symbol:
        return "is empty"
    if len(symbol) > MAX_LENGTH:
        return f"has {len(symbol)} characters; {MAX_LENGTH} are allowed"
    for character in symbol:
        if not _ALLOWED.match(character):
            return f"has {_name(character)} in it; allowed are letters, digits and . - _ = ^ / : +"
    if not _FIRST.match(symbol):
        return f"starts with {_name(symbol[0])}; the first character is a letter, a digit or ^"
    if symbol.endswith("/"):
        return "ends with a slash"
    segments = symbol.split("/")
    if "" in segments:
        return "has two slashes in a row"
    if "." in segments or ".." in segments:
        return "has . or .. between slashes"
    return None


def namespace(symbol: str) -> str:
    """The Socket.IO namespace of `symbol`: `/` and the raw name, nothing encoded."""
    return "/" + symbol


def _name(character: str) -> str:
    if character == " ":
        return "a space"
    return f'"{character}"' if character.isprintable() else f"the character U+{ord(character):04X}"
