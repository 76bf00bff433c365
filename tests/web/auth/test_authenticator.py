"""Who is asked for a token, where it may stand, and how often it may be wrong."""

from __future__ import annotations

import logging

import pytest

from web.auth.authenticator import Authenticator
from web.auth.identity import ANYBODY, Identity, Unauthorized
from web.auth.throttle import MOST_FAILURES
from web.auth.tokens import TokenVerifier, Verifier, WrongToken

GOOD = "good-horse-battery-staple"


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def header(token: str, **more: str) -> dict[str, str]:
    """A request with this token."""
    return {"HTTP_AUTHORIZATION": f"Bearer {token}", "REMOTE_ADDR": "192.0.2.1", **more}


def test_nobody_is_asked_without_a_verifier() -> None:
    """Whatever they send."""
    everybody = Authenticator()
    assert everybody.is_open
    assert everybody.of_request(header("wrong", QUERY_STRING="token=x")) == ANYBODY
    assert everybody.of_payload({"token": "wrong"}, "192.0.2.1") == ANYBODY


def test_who_says_nothing_is_nobody_yet() -> None:
    """No token is no guess: `None`, and nobody is refused for it."""
    asked = Authenticator(TokenVerifier([GOOD]))
    for _ in range(MOST_FAILURES + 5):
        assert asked.of_request({"REMOTE_ADDR": "192.0.2.1"}) is None
        assert asked.of_payload(None, "192.0.2.1") is None
    assert asked.of_request(header(GOOD)) == ANYBODY


def test_a_token_in_an_address_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """A good one too, beside a good header too; it is not repeated to anybody."""
    asked = Authenticator(TokenVerifier([GOOD]))
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Unauthorized, match="address") as problem:
        asked.of_request(header(GOOD, QUERY_STRING=f"token={GOOD}"))
    assert GOOD not in str(problem.value) + caplog.text


def test_guessing_is_throttled(caplog: pytest.LogCaptureFixture) -> None:
    """After 20 wrong ones in a minute from an address nothing is looked at, not even the right one; others come in as ever."""
    clock = Clock()
    asked = Authenticator(TokenVerifier([GOOD]), clock)
    for number in range(MOST_FAILURES):
        with pytest.raises(WrongToken):
            asked.of_payload({"token": f"guess {number}"}, "192.0.2.1")
    with pytest.raises(Unauthorized) as problem:
        asked.of_request(header(GOOD))
    assert (problem.value.code, problem.value.throttled_s) == ("too_many_requests", 60)
    assert asked.of_payload({"token": GOOD}, "192.0.2.2") == ANYBODY
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "too many wrong tokens from 192.0.2.1: none is looked at for a while"
    ]
    assert "guess" not in caplog.text
    clock.now_s += 60
    assert asked.of_request(header(GOOD)) == ANYBODY


def test_a_token_that_was_good_is_no_guess() -> None:
    """A crowd whose tokens expire together, behind one address, is not locked out."""

    class Expired:
        """Knows all tokens, and that they are too old."""

        def verify(self, token: str) -> Identity:
            """No."""
            raise Unauthorized("the token has expired")

    asked = Authenticator(Expired())
    for _ in range(MOST_FAILURES + 5):
        with pytest.raises(Unauthorized, match="expired"):
            asked.of_request(header("x"))
    verifier: Verifier = TokenVerifier([GOOD])
    asked.verifier = verifier
    assert asked.of_request(header(GOOD)) == ANYBODY
