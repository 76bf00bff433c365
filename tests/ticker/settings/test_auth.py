"""Who may read: what of it fits together, and what is said where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from tests.ticker.settings.kinds import KINDS
from ticker.errors import SettingsError
from ticker.settings import Settings
from ticker.settings.auth import tokens_in
from ticker.settings.diff import diff, live
from ticker.settings.load import parse

TOKEN, OTHER = "good-horse-battery-staple", "other-horse-battery-staple"
KEY = "a secret that two parties share!"
PUBLIC = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----"
PRIVATE = PUBLIC.replace("PUBLIC", "PRIVATE")


def load(environ: Mapping[str, str], secrets_required: bool = True, **server: Any) -> Settings:
    """Settings with these keys of `[server]` and these variables, by the last part of their names."""
    lines = "\n".join(f"{name} = {str(value) if isinstance(value, list) else chr(34) + value + chr(34)}" for name, value in server.items())
    variables = {f"TICKERCAST_SERVER__{name}": value for name, value in environ.items()}
    return parse(f"[server]\n{lines}\n[symbols]\n".encode(), KINDS, variables, secrets_required=secrets_required).settings


@pytest.mark.parametrize(
    ("server", "environ", "key", "words"),
    [
        ({"auth": "token"}, {}, "server.tokens", "set TICKERCAST_SERVER__TOKENS, or TICKERCAST_SERVER__TOKENS_FILE"),
        ({"auth": "token"}, {"TOKENS_PREVIOUS": TOKEN}, "server.tokens", "TICKERCAST_SERVER__TOKENS"),
        ({"auth": "token"}, {"TOKENS": TOKEN, "JWT_KEY": KEY}, "server.jwt_key", "does not ask for it"),
        ({"auth": "token"}, {"TOKENS": f"{TOKEN}, short, and another"}, "server.tokens", "16 to 4096"),
        ({"auth": "token"}, {"TOKENS": "   ,   ,   ,     "}, "server.tokens", "16 to 4096"),
        ({"auth": "token"}, {"TOKENS": "gänseblümchen-im-garten"}, "server.tokens", "ASCII"),
        ({"auth": "token"}, {"TOKENS": "short"}, "server.tokens", "at least 16"),
        ({"auth": "token"}, {"TOKENS": TOKEN, "TOKENS_PREVIOUS": "x" * 4097}, "server.tokens_previous", "16 to 4096"),
        ({}, {"TOKENS": TOKEN}, "server.tokens", 'auth = "token"'),
        ({}, {"JWT_KEY": KEY}, "server.jwt_key", 'auth = "jwt"'),
        ({"auth": "none"}, {"TOKENS_PREVIOUS": TOKEN}, "server.tokens_previous", 'server.auth = "none" does not ask for it'),
        ({"auth": "jwt", "jwt_issuer": "i"}, {}, "server.jwt_key", "TICKERCAST_SERVER__JWT_KEY"),
        ({"auth": "jwt"}, {"JWT_KEY": KEY}, "server.jwt_issuer", "iss"),
        ({"auth": "jwt", "jwt_issuer": "i", "jwt_audience": ""}, {"JWT_KEY": KEY}, "server.jwt_audience", "1 to 200"),
        ({"auth": "jwt", "jwt_issuer": "i"}, {"JWT_KEY": "not so long"}, "server.jwt_key", "at least 32"),
        ({"auth": "jwt", "jwt_issuer": "i"}, {"JWT_KEY": PUBLIC}, "server.jwt_key", "RS256"),
        ({"auth": "jwt", "jwt_issuer": "i", "jwt_algorithm": "RS256"}, {"JWT_KEY": KEY}, "server.jwt_key", "BEGIN PUBLIC KEY"),
        ({"auth": "jwt", "jwt_issuer": "i", "jwt_algorithm": "EdDSA"}, {"JWT_KEY": PRIVATE}, "server.jwt_key", "pkey -pubout"),
        (
            {"auth": "jwt", "jwt_issuer": "i", "jwt_algorithm": "EdDSA"},
            {"JWT_KEY": PUBLIC, "JWT_KEY_PREVIOUS": PRIVATE},
            "server.jwt_key_previous",
            "private",
        ),
        ({"auth": "jwt", "jwt_algorithm": "none"}, {"JWT_KEY": KEY}, "server.jwt_algorithm", "HS256"),
        ({"auth": "basic"}, {}, "server.auth", '"none", "token", "jwt"'),
        ({"tokens": TOKEN}, {}, "server.tokens", "does not belong in this file"),
        ({"jwt_key_previous": KEY}, {}, "server.jwt_key_previous", "does not belong in this file"),
        ({"trusted_proxies": ["proxy.example"]}, {}, "server.trusted_proxies", "10.0.0.0/8"),
        ({"trusted_proxies": ["10.0.0.1/8"]}, {}, "server.trusted_proxies", "host bits"),
        ({"trusted_proxies": "127.0.0.1"}, {}, "server.trusted_proxies", "list"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_remedy(server: dict[str, Any], environ: dict[str, str], key: str, words: str) -> None:
    """By the key that is wrong; and no secret is shown."""
    with pytest.raises(SettingsError) as refused:
        load(environ, **server)
    problem = next(problem for problem in refused.value.problems if problem.key == key)
    assert words in str(problem)
    for secret in (*environ.values(), server.get("tokens", "-"), server.get("jwt_key_previous", "-")):
        assert secret == "-" or secret not in str(refused.value)


@pytest.mark.parametrize(("server", "environ"), [
    ({}, {}), ({"auth": "token"}, {"TOKENS": TOKEN}), ({"auth": "token"}, {"TOKENS": f"{TOKEN}\n{OTHER}\n", "TOKENS_PREVIOUS": OTHER}),
    ({"auth": "jwt", "jwt_issuer": "i"}, {"JWT_KEY": KEY, "JWT_KEY_PREVIOUS": KEY}),
    ({"auth": "jwt", "jwt_issuer": "i", "jwt_algorithm": "RS256"}, {"JWT_KEY": PUBLIC}),
    ({"trusted_proxies": ["127.0.0.1", "::1", "10.0.0.0/8"]}, {}), ({}, {"AUTH": "token", "TOKENS": TOKEN}),
])  # fmt: skip
def test_what_fits(server: dict[str, Any], environ: dict[str, str]) -> None:
    """From the file and from variables."""
    load(environ, **server)


def test_who_only_edits_the_file_need_not_know_the_tokens() -> None:
    """`symbols add` in a shell without the server's environment."""
    assert load({}, secrets_required=False, auth="token").server.auth == "token"


def test_several_tokens() -> None:
    """With spaces, commas or line ends between, or as JSON; each once."""
    for text in (f"{TOKEN} {OTHER}", f"{TOKEN},{OTHER}", f"{TOKEN}\r\n{OTHER}\n", f' ["{TOKEN}", "{OTHER}"]', f"{TOKEN},{OTHER} {TOKEN}"):
        assert tokens_in(SecretStr(text)) == (TOKEN, OTHER)
    assert tokens_in(None) == ()
    assert tokens_in(SecretStr("[broken")) == ("[broken",)


def test_secrets_take_hold_without_a_restart() -> None:
    """As long as they are checked the same way; everything else of `[server]` waits."""
    before = load({"TOKENS": TOKEN}, auth="token")
    after = load({"TOKENS": OTHER, "TOKENS_PREVIOUS": TOKEN}, auth="token", host="::1")
    assert diff(before, after).secrets == ("server.tokens", "server.tokens_previous")
    assert diff(before, after).restart_required == ("server.host",)
    server = live(before, after).server
    assert (server.tokens, server.host) == (SecretStr(OTHER), "127.0.0.1")
    opened = load({})
    assert diff(before, opened).restart_required == ("server.auth", "server.tokens")
    assert live(before, opened).server == before.server, "a door that was locked stays locked until the restart"


def test_a_proxy_that_is_everybody_is_odd() -> None:
    """It works, and is hardly meant."""
    loaded = parse(b'[server]\ntrusted_proxies = ["0.0.0.0/0"]\n[symbols]\n', KINDS, {})
    assert "server.trusted_proxies" in [warning.key for warning in loaded.warnings]
