"""What a stranger said is fit to be published as soon as it is an error."""

from __future__ import annotations

import pytest

from tests.spelling import KEY, SPELLINGS, traces
from ticker import secrets
from ticker.errors import BadTick, BudgetSpent, FeedError, excerpt, said
from ticker.source import Ended, Unread, reason

EVIL = ["\x1b[2J\x1b]0;owned\x07", "a\r\nb", "a\u2028b\u2029c\x85d", "\u202eesrever\u2066", "\x9b31m", "\x7f\x00", "\ud800", "x" * 100_000,
        "🙂" * 5000, "\u202e" * 5000, "\ufeff\xa0\u200d"]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
def test_an_error_is_one_short_line(evil: str) -> None:
    """Whoever wrote what is in it, message or payload."""
    for error in (
        FeedError(evil),
        FeedError("x", payload=evil),
        FeedError(f"a {evil}", payload=evil.encode("utf-8", "replace")),
        Ended(evil, payload=evil),
        BadTick(evil),
    ):
        assert reason(error).isprintable()
        assert len(reason(error)) <= 200
        assert error.excerpt.isprintable()
        assert len(error.excerpt) <= 200
        assert str(error) == (f"{reason(error)} [{error.excerpt}]" if error.excerpt else reason(error))
    assert len(said(evil, 60)) <= 60


@pytest.mark.parametrize("spelt", SPELLINGS.values(), ids=SPELLINGS)
def test_an_error_has_no_secret(spelt: str) -> None:
    """In its words, its excerpt, and what is said of rows that can't be read; also where it stands across the cut."""
    secrets.HIDDEN.add(KEY)
    for filler in ("", "x" * 110, "x" * 190, "x" * 1015):
        text = f"{filler} {spelt} and more"
        shown = [str(FeedError(text)), repr(Ended(text, payload=text.encode())), excerpt(text), Unread(1, text).first]
        assert [trace for trace in traces(spelt) for words in shown if trace in words] == []


def test_an_error_made_of_another_stays_as_it_is() -> None:
    """What is fit once is fit for good."""
    for text in (*EVIL, "plain"):
        once = FeedError(text)
        assert str(FeedError(str(once))) == str(once)
    assert str(BudgetSpent(2.0)) == "the provider's limits allow no call for 2 s"
