"""Signed tokens: every way in which one can be wrong, on a clock that stands."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ticker.errors import SettingsError
from ticker.settings import ServerSettings
from web.auth.identity import Identity, Unauthorized
from web.auth.jwt import LEEWAY_S, MOST_BYTES, MOST_REMEMBERED, JwtVerifier
from web.auth.tokens import WrongToken

NOW_S = 1_800_000_000
SECRET, OTHER = "a secret that two parties share!", "another one that nobody shares!!"
CLAIMS = {"iss": "https://issuer.example", "aud": "tickercast", "exp": NOW_S + 60}
RSA, ED = rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()


def public(key: Any) -> str:
    """The public half as PEM."""
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())


def verifier(key: str = SECRET, algorithm: str = "HS256", previous: str | None = None) -> JwtVerifier:
    """One with these keys."""
    settings = ServerSettings.model_validate({
        "auth": "jwt", "jwt_algorithm": algorithm, "jwt_issuer": "https://issuer.example", "jwt_key": SecretStr(key),
        "jwt_key_previous": None if previous is None else SecretStr(previous)})  # fmt: skip
    return JwtVerifier(settings, lambda: NOW_S)


def signed(key: Any = SECRET, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token with `CLAIMS`, changed; `None` leaves one out."""
    wanted = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(wanted, key, algorithm, headers=headers)


def by_hand(header: dict[str, Any], claims: Any = None, key: bytes = SECRET.encode()) -> str:
    """A token that no library would write, signed with HMAC-SHA256 all the same."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    body = claims if isinstance(claims, bytes) else json.dumps(CLAIMS if claims is None else claims).encode()
    text = f"{part(json.dumps(header).encode())}.{part(body)}"
    return f"{text}.{part(hmac.digest(key, text.encode(), hashlib.sha256))}"


@pytest.mark.parametrize(
    ("algorithm", "key", "signer"), [("HS256", SECRET, SECRET), ("RS256", public(RSA), RSA), ("EdDSA", public(ED), ED)]
)
def test_a_good_token(algorithm: str, key: str, signer: Any) -> None:
    """Each algorithm, pinned: it may see everything, until it ends."""
    assert verifier(key, algorithm).verify(signed(signer, algorithm)) == Identity(None, None, NOW_S + 60 + LEEWAY_S)
    for other, with_it in (("HS256", SECRET), ("RS256", RSA), ("EdDSA", ED), ("HS512", SECRET * 2)):
        if other != algorithm:
            with pytest.raises(WrongToken):
                verifier(key, algorithm).verify(signed(with_it, other))


def test_claims_of_ours() -> None:
    """Which symbols, and how fast."""
    assert verifier().verify(signed(symbols=["BTC-*", "AAPL"], max_hz=2)) == Identity(("AAPL", "BTC-*"), 2.0, NOW_S + 60 + LEEWAY_S)
    assert verifier().verify(signed(symbols=[])).symbols == ()


def test_the_public_key_is_no_secret() -> None:
    """The classic: a token signed by HMAC with the public key as the secret, for a verifier of the key pair's."""
    for algorithm, key in (("RS256", public(RSA)), ("EdDSA", public(ED))):
        for secret in (key, key.strip(), key.encode().hex()):
            with pytest.raises(WrongToken):
                verifier(key, algorithm).verify(by_hand({"alg": "HS256", "typ": "JWT"}, key=secret.encode()))


@pytest.mark.parametrize("header", [
    {"alg": "none"}, {"alg": "None"}, {"alg": "nOnE"}, {"alg": ""}, {"alg": None}, {"alg": ["HS256"]}, {},
    {"alg": "HS256", "crit": ["exp"]},
    {"alg": "HS384"}, {"alg": "hs256"},
])  # fmt: skip
def test_headers_that_are_wrong(header: dict[str, Any]) -> None:
    """No algorithm, another one, or an extension that must be understood."""
    with pytest.raises(Unauthorized):
        verifier().verify(by_hand(header))
    unsigned = by_hand(header).rpartition(".")[0] + "."
    with pytest.raises(Unauthorized):
        verifier().verify(unsigned)


@pytest.mark.parametrize("header", [{"jku": "http://127.0.0.1/keys"}, {"x5u": "http://127.0.0.1/cert"}, {"kid": "../../etc/passwd"},
                                    {"jwk": {"kty": "oct", "k": base64.urlsafe_b64encode(OTHER.encode()).decode()}}])  # fmt: skip
def test_a_token_does_not_bring_its_own_key(header: dict[str, Any]) -> None:
    """What its header says of keys counts for nothing: it must be signed with ours."""
    assert verifier().verify(signed(headers=header)).sees_all
    with pytest.raises(WrongToken):
        verifier().verify(signed(OTHER, headers=header))


@pytest.mark.parametrize(("claims", "reason"), [
    ({"exp": None}, "lacks"), ({"iss": None}, "lacks"), ({"aud": None}, "lacks"),
    ({"iss": "https://evil.example"}, "issuer"), ({"iss": "https://issuer.example/"}, "issuer"),
    ({"iss": ["https://issuer.example"]}, "issuer"),
    ({"aud": "other"}, "audience"), ({"aud": ["other", "Tickercast"]}, "audience"), ({"aud": []}, "aud"),
    ({"exp": NOW_S - 3}, "expired"), ({"exp": 0}, "expired"), ({"exp": True}, "no time"), ({"exp": "x"}, "no time"),
    ({"exp": 1e300}, "no time"), ({"exp": [NOW_S + 60]}, "no time"), ({"exp": str(NOW_S + 60)}, "no time"),
    ({"nbf": NOW_S + 3}, "not valid yet"), ({"nbf": "soon"}, "no time"), ({"iat": NOW_S + 3}, "not valid yet"),
    ({"symbols": "*"}, "patterns"), ({"symbols": [5]}, "patterns"), ({"symbols": {"A": 1}}, "patterns"),
    ({"symbols": ["A" * 65]}, "patterns"),
    ({"symbols": ["A"] * 1001}, "patterns"), ({"max_hz": 0}, "max_hz"), ({"max_hz": -1}, "max_hz"), ({"max_hz": "5"}, "max_hz"),
    ({"max_hz": True}, "max_hz"),
])  # fmt: skip
def test_claims_that_are_wrong(claims: dict[str, Any], reason: str) -> None:
    """Each is refused, in words."""
    with pytest.raises(Unauthorized, match=reason):
        verifier().verify(by_hand({"alg": "HS256"}, {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 3000, b'{"exp":1e999}', b'{"exp":NaN}',
                                  json.dumps({**CLAIMS, "symbols": None}).encode(),
                                  json.dumps({**CLAIMS, "max_hz": float("inf")}).encode()])  # fmt: skip
def test_bodies_that_make_no_sense(body: bytes) -> None:
    """Signed by our very key, and refused."""
    with pytest.raises(Unauthorized):
        verifier().verify(by_hand({"alg": "HS256"}, body))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "x" * (MOST_BYTES + 1), "é.é.é", "\ud800", SECRET, "a" * 4000, "ey" + "." * 500])
def test_no_tokens_at_all(token: str) -> None:
    """Rubbish is a guess; a token that is too long is not even read."""
    with pytest.raises(WrongToken):
        verifier().verify(token)


def test_a_token_that_was_changed() -> None:
    """One letter anywhere: the signature is wrong."""
    good = signed(symbols=["A"])
    for at in range(0, len(good), 7):
        changed = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
        with pytest.raises(Unauthorized):
            verifier().verify(changed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
HEADER_NAMES = st.sampled_from(["alg", "typ", "kid", "crit", "b64"])
CLAIM_NAMES = st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "symbols", "max_hz"])


@given(st.text(max_size=60) | st.lists(st.text("abcABC019-_=", max_size=30), min_size=2, max_size=4).map(".".join))
def test_any_text_is_refused_in_words(token: str) -> None:
    """Whatever it is, it is no token, and nothing else happens."""
    with pytest.raises(WrongToken):
        verifier().verify(token)


@given(st.dictionaries(CLAIM_NAMES, JSON, max_size=4), st.dictionaries(HEADER_NAMES, JSON, max_size=2))
def test_any_claims_are_an_identity_or_are_refused(claims: dict[str, Any], header: dict[str, Any]) -> None:
    """Signed by our own key, with claims and a header of any shape: an identity whose parts are what they should be, or a refusal."""
    try:
        identity = verifier().verify(by_hand({"alg": "HS256", **header}, CLAIMS | claims))
    except Unauthorized:
        return
    assert identity.expires_s is not None
    assert identity.expires_s > NOW_S
    assert identity.symbols is None or all(isinstance(pattern, str) for pattern in identity.symbols)
    assert identity.max_hz is None or 0 < identity.max_hz <= 1e6


def test_clocks_may_differ_a_little() -> None:
    """Two seconds either way."""
    assert verifier().verify(signed(exp=NOW_S - 1, nbf=NOW_S + 1, iat=NOW_S + 1)).expires_s == NOW_S + 1


def test_a_token_that_is_known_still_ends() -> None:
    """It is remembered as good, and not for longer than it is; of very many the oldest are forgotten."""
    now_s = float(NOW_S)
    settings = ServerSettings(auth="jwt", jwt_key=SecretStr(SECRET), jwt_issuer="https://issuer.example")
    clocked = JwtVerifier(settings, lambda: now_s)
    token = signed()
    assert clocked.verify(token) is clocked.verify(token)
    now_s += 60 + LEEWAY_S
    with pytest.raises(Unauthorized, match="expired") as problem:
        clocked.verify(token)
    assert not isinstance(problem.value, WrongToken)
    for number in range(MOST_REMEMBERED + 3):
        clocked.verify(signed(exp=NOW_S + 600, jti=str(number)))
    assert len(clocked._known) == MOST_REMEMBERED


@pytest.mark.parametrize(("claims", "reason", "guessed"), [
    ({"aud": "other"}, "audience", False), ({"iss": "other"}, "issuer", False), ({"exp": None}, "lacks", False),
    ({"symbols": "*"}, "patterns", False), ({"nbf": NOW_S + 30}, "not valid yet", False), ({"exp": NOW_S - 30}, "expired", False),
    ({}, "signature", True),
])  # fmt: skip
def test_a_signature_is_checked_once(monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any], reason: str, guessed: bool) -> None:
    """Of a token that is signed and good for nothing, too: sent again and again it costs a look-up. A guess is counted elsewhere."""
    checked = 0
    decode = JwtVerifier._decoded

    def counted(self: JwtVerifier, key: Any, token: str) -> dict[str, Any]:
        nonlocal checked
        checked += 1
        return decode(self, key, token)

    monkeypatch.setattr(JwtVerifier, "_decoded", counted)
    own, token = verifier(), signed(OTHER if guessed else SECRET, **claims)
    for _ in range(5):
        with pytest.raises(Unauthorized, match=reason) as problem:
            own.verify(token)
        assert isinstance(problem.value, WrongToken) is guessed
    assert checked == (5 if guessed else 1)


def test_a_token_of_tomorrow_is_good_tomorrow() -> None:
    """That it was refused before is not held against it."""
    now_s = float(NOW_S)
    clocked = JwtVerifier(ServerSettings(auth="jwt", jwt_key=SecretStr(SECRET), jwt_issuer="https://issuer.example"), lambda: now_s)
    token = signed(nbf=NOW_S + 30)
    with pytest.raises(Unauthorized, match="not valid yet"):
        clocked.verify(token)
    now_s += 30
    assert clocked.verify(token).sees_all


def test_the_key_before_is_good_too() -> None:
    """While the issuer changes over; an older one is not."""
    both = verifier(OTHER, previous=SECRET)
    assert both.verify(signed(SECRET)).sees_all
    assert both.verify(signed(OTHER)).sees_all
    with pytest.raises(WrongToken):
        both.verify(signed("yet another one, of long ago....."))


@pytest.mark.parametrize(("algorithm", "key"), [
    ("RS256", public(ED)), ("EdDSA", public(RSA)), ("RS256", public(ec.generate_private_key(ec.SECP256R1()))),
    ("RS256", public(rsa.generate_private_key(65537, 1024))), ("RS256", "-----BEGIN PUBLIC KEY-----\nrubbish\n-----END PUBLIC KEY-----"),
    ("HS256", public(RSA)),
])  # fmt: skip
def test_keys_that_are_of_no_use(algorithm: str, key: str) -> None:
    """They are refused at the start, and not shown."""
    with pytest.raises(SettingsError) as refused:
        verifier(key, algorithm)
    assert refused.value.problems[0].key == "server.jwt_key"
    assert key.splitlines()[1][:20] not in str(refused.value)


def test_nothing_of_a_token_or_a_key_is_said() -> None:
    """Not in an error, not in a `repr`."""
    token = signed(OTHER)
    with pytest.raises(WrongToken) as problem:
        verifier().verify(token)
    assert token.split(".")[1] not in repr(problem.value)
    assert SECRET not in repr(verifier()) + repr(ServerSettings(jwt_key=SecretStr(SECRET)))
