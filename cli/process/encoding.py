"""Output that any terminal takes: what its encoding has no sign for is written with signs that it has, and nothing fails for it."""

from __future__ import annotations

import codecs
import io
import sys

_PLAIN = {"✓": "+", "✗": "x", "…": "...", "×": "x", "–": "-", "—": "-", "→": "->", "≤": "<=", "≥": ">=", "’": "'", "“": '"', "”": '"'}
_ERRORS = "tickercast.plain"


def never_fail_to_encode() -> None:
    """Have stdout and stderr write whatever is printed, with other signs where their encoding lacks some."""
    codecs.register_error(_ERRORS, _in_plain_signs)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _in_plain_signs(error: UnicodeError) -> tuple[str, int]:
    """What stands for the signs that can't be written: one of ASCII, or the sign's number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in signs), error.end
