"""Tokens that are listed: which is good, and how it is told."""

from __future__ import annotations

import hmac

import pytest

from web.auth.identity import ANYBODY
from web.auth.tokens import TokenVerifier, WrongToken

GOOD, OLD = "good-horse-battery-staple", "old-horse-battery-staple"


def test_one_or_several_tokens() -> None:
    """Each opens, and nothing that is like one."""
    tokens = TokenVerifier([GOOD, OLD])
    assert tokens.verify(GOOD) == tokens.verify(OLD) == ANYBODY
    for wrong in ("", GOOD[:-1], GOOD + " ", GOOD.upper(), GOOD + OLD, "é", "\ud800"):
        with pytest.raises(WrongToken):
            tokens.verify(wrong)


def test_every_token_is_compared_whichever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """In constant time: with as many comparisons of the same length, right or wrong."""
    compared: list[tuple[int, int]] = []
    compare_digest = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return compare_digest(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    tokens = TokenVerifier([GOOD, OLD, "a-third-one-of-some-length"])
    tokens.verify(GOOD)
    with pytest.raises(WrongToken):
        tokens.verify("x")
    assert compared == [(32, 32)] * 6
