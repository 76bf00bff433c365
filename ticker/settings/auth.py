"""Whether what `[server]` says of who may read fits together: `auth`, its secrets, and the keys that belong to them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import SecretStr

from ticker.errors import Problem
from ticker.settings.check import secret_hint
from ticker.settings.server import ServerSettings

SHORTEST_TOKEN, LONGEST_TOKEN = 16, 4096
"""How many characters a token may have."""
_TOKEN = re.compile(rf"[!-+\--~]{{{SHORTEST_TOKEN},{LONGEST_TOKEN}}}")  # printable ASCII without space and comma
_SECRETS_OF = {"token": ("tokens", "tokens_previous"), "jwt": ("jwt_key", "jwt_key_previous")}


def tokens_in(secret: SecretStr | None) -> tuple[str, ...]:
    """The tokens of a secret that may hold several: with spaces, commas or line ends between, or as a JSON list."""
    text = "" if secret is None else secret.get_secret_value().strip()
    if text.startswith("["):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list) and all(isinstance(token, str) for token in listed):
            return tuple(dict.fromkeys(listed))
    return tuple(dict.fromkeys(re.findall(r"[^\s,]+", text)))


def combinations(server: ServerSettings) -> Iterator[Problem]:
    """Everything about `auth` that is left out, left over, or does not fit. No value is shown: they are secrets."""
    needed = _SECRETS_OF.get(server.auth, (None,))[0]
    if needed is not None and getattr(server, needed) is None:
        yield Problem(f"server.{needed}", f'is missing: server.auth = "{server.auth}" needs it', secret_hint(("server", needed)))
    for auth, names in _SECRETS_OF.items():
        for name in names:
            if auth != server.auth and getattr(server, name) is not None:
                yield Problem(
                    f"server.{name}",
                    f'is set, but server.auth = "{server.auth}" does not ask for it',
                    f'write auth = "{auth}" in [server], or unset it',
                )
    if server.auth == "token":
        yield from _in_tokens(server)
    elif server.auth == "jwt":
        yield from _in_jwt(server)


def _in_tokens(server: ServerSettings) -> Iterator[Problem]:
    for name in _SECRETS_OF["token"]:
        secret = getattr(server, name)
        tokens = tokens_in(secret)
        if secret is not None and (not tokens or not all(map(_TOKEN.fullmatch, tokens))):
            yield Problem(
                f"server.{name}",
                f"each token must be {SHORTEST_TOKEN} to {LONGEST_TOKEN} letters, digits and signs of ASCII",
                "make one with: openssl rand -hex 32",
            )


def _in_jwt(server: ServerSettings) -> Iterator[Problem]:
    if not server.jwt_issuer:
        yield Problem("server.jwt_issuer", 'is missing: server.auth = "jwt" needs it', "write what stands in the tokens' iss")
    for name in _SECRETS_OF["jwt"]:
        secret = getattr(server, name)
        text = "" if secret is None else secret.get_secret_value().strip()
        is_pem = text.startswith("-----BEGIN ")
        if not text:
            continue
        if "PRIVATE KEY-----" in text:
            yield Problem(
                f"server.{name}", "is a private key, which nobody but the issuer should have", "give its public half: openssl pkey -pubout"
            )
        elif is_pem and server.jwt_algorithm == "HS256":
            yield Problem(
                f"server.{name}", "is a public key, which is no secret to share for HS256", 'write jwt_algorithm = "RS256" or "EdDSA"'
            )
        elif not is_pem and server.jwt_algorithm != "HS256":
            yield Problem(f"server.{name}", f"must be a public key as PEM for {server.jwt_algorithm}: -----BEGIN PUBLIC KEY-----")
