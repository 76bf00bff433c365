"""What fuzzing begins with: payloads in the shapes that parsers expect, our own or from the docstrings that show a provider's."""

from __future__ import annotations

import json
import re
from types import ModuleType

NUMBERS = (b"NaN", b"-Infinity", b"1e999", b"-0", b"-1.5", b"0", b"1" + b"0" * 30, b"9" * 400, b'"1_000"', b'"1,5"', b"true", b"null",
           b"[]", b"{}", b'"\\ud800"', b'"\xff"', b"1e-400", b"9223372036854775808", b'"0x1f"', b'"\xd9\xa1"')  # fmt: skip
"""What may stand where a number should."""
BROKEN = (b"", b"\xef\xbb\xbf{}", b"[" * 3000, b'{"a":' * 1500 + b"1" + b"}" * 1500, b"<html>", b"\x00", b"\xff\xfe{\x00}\x00",
          b'{"price":1,"price":2}', b"[1,2", b'"\xed\xa0\x80"')  # fmt: skip
"""What may stand where JSON should."""

FOUND = {"binance_stream": [b'{"stream":"btcusdt@ticker"}']}
"""What was a bug once, by target."""


def shown_by(module: ModuleType) -> list[bytes]:
    """The payloads in the docstring of a provider's file, without the dots that stand for more of the same."""
    text = "\n".join(line for line in (module.__doc__ or "").split("\n") if line.startswith("    "))
    pieces = re.split(r"\n    (?=[{\[→←<])", "\n" + text)
    plain = (re.sub(r",?\s*…\s*,?", "", re.sub(r"\s*\n\s+", "", piece)).strip(" →←") for piece in pieces)
    return [piece.encode() for piece in plain if piece[:1] in ("{", "[", "<")]


def varied(payloads: list[bytes]) -> list[bytes]:
    """The payloads, each with odd numbers in place of one of its own, and broken ones."""
    odd = []
    for payload in payloads:
        found = list(re.finditer(rb'(?<=[:,\[])"?-?[0-9.]+"?(?=[,\]}])', payload))
        for index, match in enumerate(found[:20]):
            odd.append(payload[: match.start()] + NUMBERS[index % len(NUMBERS)] + payload[match.end() :])
    return [*payloads, *odd, *BROKEN]


def encoded(*values: object) -> list[bytes]:
    """Values as JSON."""
    return [json.dumps(value).encode() for value in values]
