"""Signed tokens (JWT, RFC 7519). Imported only where they are asked for: their library takes 0.1 s and 10 MB."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jwt
from jwt.algorithms import get_default_algorithms

from ticker.errors import Problem, SettingsError
from ticker.nested import undisturbed
from ticker.settings import ServerSettings
from web.auth.identity import Identity, Unauthorized
from web.auth.tokens import WrongToken, digest

MOST_BYTES = 8192
"""Of a token. A header line is no longer either."""
LEEWAY_S = 2.0
"""How far clocks may differ. A socket is closed within 5 s of its token's end, so it can't be more."""
MOST_PATTERNS, LONGEST_PATTERN = 1000, 64
SHORTEST_RSA_BITS = 2048
MOST_REMEMBERED = 4096


class _Known(NamedTuple):
    identity: Identity
    from_s: float
    until_s: float


class JwtVerifier:
    """Checks signature, algorithm, issuer, audience and times. Raises `SettingsError` where the keys are of no use."""

    def __init__(self, server: ServerSettings, now: Callable[[], float] = time.time) -> None:
        self._algorithm = server.jwt_algorithm
        self._issuer, self._audience = server.jwt_issuer, server.jwt_audience
        self._now = now
        self._known: dict[bytes, _Known | str] = {}
        """By the hash of a token that is signed as it must be: what it allows, or why that is nothing. A page joins each of its namespaces
        with the same one, and whoever has one that is for somebody else may send it as often as he likes."""
        self._keys = [
            _key(name, secret.get_secret_value().strip(), server.jwt_algorithm)
            for name in ("jwt_key", "jwt_key_previous")
            if (secret := getattr(server, name)) is not None
        ]

    def verify(self, token: str) -> Identity:
        """What the token's claims allow."""
        hashed = digest(token)
        known = self._known.get(hashed)
        if known is None:
            try:
                known = self._checked(token)
            except WrongToken:
                raise
            except Unauthorized as problem:
                known = str(problem)
            if len(self._known) >= MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[hashed] = known
        if isinstance(known, str):
            raise Unauthorized(known)
        if known.from_s > self._now():
            raise Unauthorized("the token is not valid yet")
        if known.until_s <= self._now():
            raise Unauthorized("the token has expired")
        return known.identity

    def _checked(self, token: str) -> _Known:
        """What it says, whatever the time is."""
        if len(token) > MOST_BYTES or not token.isascii():
            raise WrongToken("the token is too long" if len(token) > MOST_BYTES else "the token is malformed")
        claims = self._claims(token)
        from_s = max((_number(claims, name) - LEEWAY_S for name in ("nbf", "iat") if name in claims), default=-math.inf)
        until_s = _number(claims, "exp") + LEEWAY_S
        return _Known(Identity(_symbols(claims), _max_hz(claims), until_s), from_s, until_s)

    def _claims(self, token: str) -> dict[str, Any]:
        """The claims, if one of the keys signed them for us. Times are for the caller to judge: its clock is passed in."""
        problem: Exception = WrongToken("the token is malformed")
        for key in self._keys:
            try:
                return undisturbed(partial(self._decoded, key), token)
            except jwt.InvalidSignatureError:
                problem = WrongToken("the token's signature is wrong")
            except jwt.InvalidAlgorithmError:
                raise WrongToken(f"the token must be signed with {self._algorithm}") from None
            except jwt.MissingRequiredClaimError as error:
                raise Unauthorized(f"the token lacks the claim {error.claim}") from None
            except jwt.InvalidAudienceError:
                raise Unauthorized("the token is for another audience") from None
            except jwt.InvalidIssuerError:
                raise Unauthorized("the token is from another issuer") from None
            except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
                raise WrongToken("the token is malformed") from None
        raise problem from None

    def _decoded(self, key: Any, token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token, key, [self._algorithm], audience=self._audience, issuer=self._issuer,
            options={"require": ["exp", "iss", "aud"], "verify_exp": False, "verify_nbf": False, "verify_iat": False})  # fmt: skip
        return claims


def _key(name: str, text: str, algorithm: str) -> Any:
    """The key that `text` is, ready for use."""
    try:
        key: Any = get_default_algorithms()[algorithm].prepare_key(text)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise SettingsError(
            [
                Problem(
                    f"server.{name}",
                    f"is no key for {algorithm}: {type(error).__name__}",
                    "give the public key as PEM, or for HS256 a random secret",
                )
            ]
        ) from None
    if algorithm == "RS256" and key.key_size < SHORTEST_RSA_BITS:
        raise SettingsError([Problem(f"server.{name}", f"is an RSA key of {key.key_size} bits; {SHORTEST_RSA_BITS} are the least")])
    return key


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise Unauthorized(f"the token's {name} is no time")
    return float(value)


def _symbols(claims: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The claim `symbols`: a list of patterns. One that can't be understood must not mean everything."""
    patterns = claims.get("symbols")
    if "symbols" not in claims:
        return None
    if (
        not isinstance(patterns, list)
        or len(patterns) > MOST_PATTERNS
        or not all(isinstance(pattern, str) and len(pattern) <= LONGEST_PATTERN for pattern in patterns)
    ):
        raise Unauthorized("the token's symbols are no list of patterns")
    return tuple(sorted(set(patterns)))


def _max_hz(claims: Mapping[str, Any]) -> float | None:
    if "max_hz" not in claims:
        return None
    max_hz = claims["max_hz"]
    if isinstance(max_hz, bool) or not isinstance(max_hz, int | float) or not 0 < max_hz < math.inf:
        raise Unauthorized("the token's max_hz is no number above 0")
    return float(min(max_hz, 1e6))
