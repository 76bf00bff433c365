"""What a stranger says, with a key of ours somewhere in it, each of its characters spelt in some way: none of that is published."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from urllib.parse import unquote

from tests.fuzz.target import Target
from ticker.secrets import BLANK, PIECE, Hidden

KEY = "Zq7Sec9retKxWv+Tn4Lpq8Rz/Jm5Yd3Bh=x"
WAYS: tuple[Callable[[str], str], ...] = (
    str, str.upper, str.lower, lambda char: f"%{ord(char):02X}", lambda char: f"%25{ord(char):02x}", lambda char: f"&#{ord(char)};",
    lambda char: f"&#x{ord(char):x};", lambda char: f"\\u{ord(char):04x}", lambda char: f"\\x{ord(char):02X}", lambda char: f"\x07{char}"
)  # fmt: skip
PIECES = [KEY[at : at + PIECE].lower() for at in range(len(KEY) - PIECE + 1)]


def word_targets() -> dict[str, Target]:
    """The blanking of secrets."""
    hidden = Hidden()
    hidden.add(KEY)

    def run(data: bytes) -> None:
        ways, around = data[: len(KEY)].ljust(len(KEY), b"\0"), data[len(KEY) :].decode("utf-8", "replace")
        spelt = "".join(WAYS[way % len(WAYS)](char) for way, char in zip(ways, KEY, strict=True))
        for text in (f"{around} {spelt} {around}", f"{around} {spelt}", f"{spelt} {around}"):
            blanked = hidden.blank(text)
            assert BLANK in blanked
            assert not [piece for piece in PIECES if piece in _undone(blanked).lower()], blanked

    return {"words": Target(run, [b"", bytes(36) + b"no such key: ", bytes(range(256)), b"\x03" * 60, bytes(36) + b'{"apikey":"',
                                  b"\x07" * 40 + b"%%&&\\\\", bytes(36) + b"%25%32&amp;#4 \\u00"])}  # fmt: skip


def _undone(text: str) -> str:
    text = re.sub(r"\\(?:u00|x)([0-9A-Fa-f]{2})", lambda escape: chr(int(escape[1], 16)), text.replace("\x07", ""))
    return html.unescape(html.unescape(unquote(unquote(text))))
