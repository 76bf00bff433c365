"""Secrets, and how to blank them in a text that a stranger wrote, in whatever spelling they come back.

A provider that quotes what it was sent writes a key as its software does: percent-encoded, with some characters kept; for HTML or JSON;
in base64, which a header of HTTP wants; in capitals; cut short. So the text is not searched for a list of spellings: its escapes are
undone, over and over, with a note of where each character stood, and what is left is compared with case and alphabets made alike.

Every table of settings tells the secrets that it holds (`ticker.settings.model`), and every `FeedError` asks here before it says a
word (`ticker.errors`): nobody in between has to remember.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from html.entities import html5

BLANK = "***"
SHORTEST = 4
"""Three letters are no secret: to blank them would be to garble what has them by chance."""
PIECE = 8
"""So many characters of a secret running are blanked wherever they stand."""
HEAD = 6
"""The first characters of a secret are blanked from so many on, if the secret is twice as long."""
TAIL_HEAD = 4
"""The first characters of a secret are blanked from so many on where the text ends with them, as it may have been cut."""
GRAM = PIECE // 2
STRIDE = PIECE - GRAM + 1
"""Of a piece at least one run of `GRAM` characters begins at a multiple of this: the others need not be looked at."""
LONGEST_CODED = 512
"""Of longer secrets, which are tokens and keys of our own, pieces in base64 and hex are not looked for: only the whole."""
MOST = 256
"""So many secrets are remembered, the newest: they may be replaced again and again while the process runs."""
MOST_LEVELS = 4
"""What is encoded more often than that, nobody reads."""

_FOLDED = {**{ord(upper): upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, ord("-"): "+", ord("_"): "/"}
"""Makes case alike, and the two alphabets of base64."""
_ESCAPE = re.compile(
    r"%(?P<percent>[0-9A-Fa-f]{2})"
    r"|&\#(?P<decimal>[0-9]{1,7});?|&\#[xX](?P<hex>[0-9A-Fa-f]{1,6});?|&(?P<name>[A-Za-z]{2,31});?"
    r"|\\(?:u(?P<u>[0-9A-Fa-f]{4})|U(?P<long>[0-9A-Fa-f]{8})|u\{(?P<braced>[0-9A-Fa-f]{1,6})\}|x(?P<x>[0-9A-Fa-f]{2}))"
    r"|\\(?P<plain>[^A-Za-z0-9])"
    r"|(?P<unseen>[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff])"
)


class Hidden:
    """The secrets that must not be said, and what they look like."""

    def __init__(self) -> None:
        self.version = 0
        self._secrets: dict[str, _Looks] = {}
        self._gather()

    def add(self, secret: str) -> None:
        """Blank `secret` from now on; of several in one, with spaces, commas or line ends between, each by itself too."""
        words = [word for word in re.split(r"[\s,]+", secret) if len(word) >= 2 * HEAD]
        new = [one for one in dict.fromkeys([secret.strip(), *words]) if len(one) >= SHORTEST and one not in self._secrets]
        for one in new:
            self._secrets[one] = _Looks(one)
        if new:
            for oldest in list(self._secrets)[:-MOST]:
                self._secrets.pop(oldest, None)
            self._gather()

    def blank(self, text: str) -> str:
        """`text` with each secret as three stars: the whole of it, pieces of it, and its beginning where the text ends."""
        return self._blanked(text, pieces=True) if self._secrets else text

    def blank_whole(self, text: str) -> str:
        """The same for words of our own, which may have a piece of a secret by chance: only the whole of it."""
        return self._blanked(text, pieces=False) if self._secrets else text

    def _gather(self) -> None:
        looks = list(self._secrets.values())  # settings may be read in two threads at a time
        self.version += 1
        self._wholes = list(dict.fromkeys(whole for one in looks for whole in one.wholes))
        self._unpieced = list(dict.fromkeys(whole for one in looks for whole in one.wholes if whole not in one.in_pieces))
        self._plain = list(dict.fromkeys(plain for one in looks for plain in one.plain))
        self._heads = [plain[:length] for plain in self._plain if len(plain) >= 2 * HEAD for length in range(HEAD, PIECE)]
        pieced = list(dict.fromkeys(piece for one in looks for piece in one.in_pieces))
        self._pieces = {piece[at : at + PIECE] for piece in pieced for at in range(len(piece) - PIECE + 1)}
        self._grams = {piece[at : at + GRAM] for piece in pieced for at in range(len(piece) - GRAM + 1)}

    def _blanked(self, text: str, pieces: bool) -> str:
        found: list[tuple[int, int]] = []
        for level, places in _levels(text):
            folded = level.translate(_FOLDED)
            spans = self._in_pieces(folded) if pieces else _all(self._wholes, folded)
            found += [(places[begin], places[end]) for begin, end in spans]
        return _without(text, sorted(found)) if found else text

    def _in_pieces(self, text: str) -> Iterator[tuple[int, int]]:
        yield from _all(self._unpieced, text)
        yield from _all(self._heads, text)
        for plain in self._plain:
            for length in range(min(PIECE, len(plain)) - 1, TAIL_HEAD - 1, -1):
                if text.endswith(plain[:length]):
                    yield len(text) - length, len(text)
                    break
        if not self._grams.isdisjoint([text[at : at + GRAM] for at in range(0, len(text), STRIDE)]):
            for at in range(len(text) - PIECE + 1):
                if text[at : at + PIECE] in self._pieces:
                    yield at, at + PIECE


HIDDEN = Hidden()
"""Those of this process."""


class _Looks:
    """What one secret looks like once escapes are undone and case is made alike."""

    def __init__(self, secret: str) -> None:
        # One that has what looks like an escape is read as that wherever somebody undoes escapes, here first of all.
        plain = [level.translate(_FOLDED) for level, _ in _levels(secret)]
        coded = [code.translate(_FOLDED) for code in _coded(secret.encode("utf-8", "surrogatepass")) if len(code) > SHORTEST]
        self.wholes = [look for look in dict.fromkeys([*plain, *coded]) if len(look) >= SHORTEST]
        # A secret with spaces in it is a sentence, or a key in a file: parts of it are words that anybody may use.
        self.plain = plain if len(secret.split()) == 1 else []
        in_pieces = [*plain, *coded] if len(secret) <= LONGEST_CODED else plain
        self.in_pieces = [look for look in in_pieces if len(look) >= PIECE] if self.plain else []


def _coded(secret: bytes) -> Iterator[str]:
    """Its bytes in hex; and in base64, without what depends on its neighbours there: behind a user's name it may begin anywhere."""
    yield secret.hex()
    for before in range(3):
        code = base64.b64encode(bytes(before) + secret + bytes(2)).decode()
        yield code[-(-8 * before // 6) : 8 * (before + len(secret)) // 6]


def _levels(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """`text`, and again and again with its escapes undone; for each character, and for the end, where in `text` it stands."""
    places: Sequence[int] = range(len(text) + 1)
    yield text, places
    for _ in range(MOST_LEVELS):
        if text.isprintable() and "%" not in text and "&" not in text and "\\" not in text:
            return
        undone, places = _undone(text, places)
        if undone == text:
            return
        text = undone
        yield text, places


def _undone(text: str, places: Sequence[int]) -> tuple[str, list[int]]:
    made: list[str] = []
    made_places: list[int] = []
    at = 0
    for escape in _ESCAPE.finditer(text):
        begin, end = escape.span()
        meant = _meant(escape)
        made += [text[at:begin], meant]
        made_places += places[at:begin]
        made_places += [places[begin]] * len(meant) if len(meant) == 1 else places[begin : begin + len(meant)]
        at = end
    made.append(text[at:])
    made_places += places[at:]
    return "".join(made), made_places


def _meant(escape: re.Match[str]) -> str:
    """The character that an escape stands for; the escape itself where it stands for none."""
    kind, code = str(escape.lastgroup), escape[str(escape.lastgroup)]
    if kind == "unseen":
        return ""
    if kind == "plain":
        return code
    if kind == "name":
        char = html5.get(code + ";", "")
        return char if len(char) == 1 else escape[0]
    number = int(code, 10 if kind == "decimal" else 16)
    return chr(number) if number <= 0x10FFFF else escape[0]


def _all(looks: Sequence[str], text: str) -> Iterator[tuple[int, int]]:
    for look in looks:
        at = text.find(look)
        while at >= 0:
            yield at, at + len(look)
            at = text.find(look, at + 1)


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    kept: list[str] = []
    at = 0
    for begin, end in spans:
        if begin > at or not kept:
            kept.append(text[at:begin])
        at = max(at, end)
    kept.append(text[at:])
    return BLANK.join(kept)
