"""No spelling of a secret survives in what a stranger wrote, and nothing else is blanked."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spelling import KEY, SPELLINGS, traces
from ticker.secrets import MOST, Hidden


def hidden(*secrets: str) -> Hidden:
    """These and no others."""
    made = Hidden()
    for secret in secrets:
        made.add(secret)
    return made


@pytest.mark.parametrize(
    "around", ["{}", "{}!", 'the key "{}" is not known', '{{"error":"bad apikey {} "}}', "/q?apikey={}&s=A", "<b>{}</b>"]
)
@pytest.mark.parametrize("spelt", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_is_blanked(spelt: str, around: str) -> None:
    """Wherever it stands; what is around it stays."""
    blanked = hidden(KEY).blank(around.format(spelt))
    assert "***" in blanked
    assert [trace for trace in traces(spelt) if trace in blanked] == []
    before, _, after = around.format("\0").partition("\0")
    assert (blanked.startswith(before), blanked.endswith(after)) == (True, True)


@pytest.mark.parametrize("kept", range(4, len(KEY)))
def test_a_key_that_is_cut_off_is_blanked(kept: int) -> None:
    """A text that ends in the middle of it shows not even its first part."""
    assert hidden(KEY).blank(f"no such key: {KEY[:kept]}") == "no such key: ***"


WAYS: list[Callable[[str], str]] = [
    str, lambda char: f"%{ord(char):02x}", lambda char: f"%{ord(char):02X}", lambda char: f"&#{ord(char)};", str.upper, str.lower,
    lambda char: f"&#x{ord(char):x};", lambda char: f"\\u{ord(char):04X}", lambda char: f"\\x{ord(char):02x}",
    lambda char: f"%25{ord(char):02x}", lambda char: f"\x00{char}", lambda char: f"&amp;#{ord(char)};"]  # fmt: skip
"""How one character may be written."""


SIGNS = "abcXYZ0189+/=-_.~!'\""
KEYS = st.text(st.sampled_from(SIGNS), min_size=8, max_size=40).filter(lambda key: len(set(key)) > 5)
ODD_KEYS = st.text(st.sampled_from(SIGNS + "%\\&"), min_size=8, max_size=40).filter(lambda key: len(set(key)) > 5)


@given(
    KEYS,
    st.lists(st.sampled_from(WAYS), min_size=40, max_size=40),
    st.sampled_from(["", "no key ", '{"k":"', "# "]),
    st.sampled_from(["", '"}', " is wrong", "\n"]),
)
def test_each_character_may_be_written_in_its_own_way(key: str, ways: list[Callable[[str], str]], before: str, after: str) -> None:
    """Whatever the mixture."""
    spelt = "".join(way(char) for way, char in zip(ways, key, strict=False))
    assert hidden(key).blank(before + spelt + after).replace("\x00", "") in {before + "***" + after, before + "***", "***" + after}


@given(ODD_KEYS, st.sampled_from([WAYS[0], WAYS[1], WAYS[3], WAYS[7]]))
def test_a_key_may_have_the_signs_that_escape(key: str, way: Callable[[str], str]) -> None:
    """It is found as it is, and escaped."""
    assert hidden(key).blank(f"no key {''.join(map(way, key))} there") == "no key *** there"


@given(st.binary(min_size=8, max_size=60).map(lambda raw: raw.hex()), st.text(max_size=20), st.text(max_size=20), st.booleans())
def test_base64_is_blanked_whatever_stands_around_the_key_in_it(key: str, before: str, after: str, url: bool) -> None:
    """At each of its three alignments: of the code nothing is left that says as much as eight of the key's characters."""
    code = base64.urlsafe_b64encode if url else base64.b64encode
    inner = code(before.encode("utf-8", "replace") + key.encode() + after.encode("utf-8", "replace")).decode()
    blanked = hidden(key).blank(f"Basic {quote(inner)}")
    assert "***" in blanked
    lone = code(bytes(3) + key.encode()).decode()[4:]
    assert lone[:12] not in blanked


@pytest.mark.parametrize("text", [
    "", "no row for AAPL", '{"price":"67244.12"} & more %20 \\n \\u0041', "a" * 2000, "é价🙂\ud800 &bogus; %zz",
    "key", "***", "&#99999999; &#x110000; \\U00110000", "\\", "%", "&", "&#;"])  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    """To the letter, whatever escapes it has."""
    assert hidden(KEY).blank(text) == text
    assert hidden().blank(text) == text


def test_three_letters_are_no_secret() -> None:
    """Four are, as a whole."""
    assert hidden("abc").blank("abc abcd") == "abc abcd"
    assert hidden("demo").blank("the DEMO key, a dem") == "the *** key, a dem"


def test_of_several_in_one_each_is_a_secret() -> None:
    """As `tokens` may have them; the words of a sentence are none."""
    several = hidden("first-token-of-mine, second-token-of-mine")
    assert several.blank("Bearer SECOND-token-of-mine and first%2Dtoken-of-mine") == "Bearer *** and ***"
    assert hidden("a secret that two parties share!").blank("that two parties share a secret") == "that two parties share a secret"
    assert hidden("a secret that two parties share!").blank("x a secret that two parties share! x") == "x *** x"


def test_our_own_words_lose_the_whole_secret_only() -> None:
    """A token may have a word in it that the log has too."""
    token = hidden("tickercast-token-of-the-house")
    assert token.blank_whole("listening: tickercast 0.1.0") == "listening: tickercast 0.1.0"
    assert token.blank_whole("url: /?t=tickercast%2Dtoken-of-the-house") == "url: /?t=***"


def test_old_secrets_are_forgotten() -> None:
    """Keys may be replaced as long as the process runs."""
    known = hidden(*(f"key-number-{number:04d}-of-many" for number in range(MOST + 1)))
    assert known.blank("x key-number-0001-of-many x") == "x *** x"
    assert known.blank_whole("x key-number-0000-of-many x") == "x key-number-0000-of-many x"
