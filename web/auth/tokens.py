"""Tokens that are listed in the settings, and how a good one is told from a bad one."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Protocol

from web.auth.identity import ANYBODY, Identity, Unauthorized


class Verifier(Protocol):
    """Knows a good token from a bad one."""

    def verify(self, token: str) -> Identity:
        """What `token` allows. Raises `Unauthorized`, which says in words what is wrong, never with anything of the token."""


class TokenVerifier:
    """Tokens that let their bearer see everything. Compared in constant time, by their hashes: not even their length shows."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._digests = [digest(token) for token in tokens]

    def verify(self, token: str) -> Identity:
        """Compares with every one of them, whichever it is."""
        hashed = digest(token)
        if not sum([hmac.compare_digest(hashed, known) for known in self._digests]):
            raise WrongToken("the token is wrong")
        return ANYBODY


class WrongToken(Unauthorized):
    """The token is none of ours: it counts as a guess. One that was good and is so no longer does not."""


def is_same(one: str, other: str) -> bool:
    """Whether two secrets are equal; how long it takes says neither where they differ nor how long they are."""
    return hmac.compare_digest(digest(one), digest(other))


def digest(token: str) -> bytes:
    """What is compared and remembered in place of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
