"""Which pages may connect, by the header that browsers set and pages can't change."""

from __future__ import annotations

from typing import Any

import pytest

from web.http.origins import canonical, origin_check, why_not

OWN: dict[str, Any] = {"wsgi.url_scheme": "http", "HTTP_HOST": "relay.example:5000"}


@pytest.mark.parametrize("origin", [
    "http://evil.example", "null", "", "http://relay.example", "http://relay.example:5001", "https://relay.example", "ws://relay.example", "file://",
    "http://relay.example:5000.evil.example", "http://evil.example/http://relay.example:5000", "http://relay.example:5000/",
    "http://relay.example:5000@evil.example", "http://xrelay.example:5000", "HTTP://RELAY.EXAMPLE:5000", "http://relay.example:5000 ",
])  # fmt: skip
def test_only_the_own_origin_is_allowed_by_default(origin: str) -> None:
    """An empty list means same origin, compared whole: no prefix, no suffix, no other port or scheme."""
    is_allowed = origin_check([])
    assert is_allowed("http://relay.example:5000", OWN)
    assert not is_allowed(origin, OWN)


def test_listed_origins_are_allowed_besides_the_own() -> None:
    """Exactly those."""
    is_allowed = origin_check(["https://app.example", "http://127.0.0.1:3000"])
    for origin in ("https://app.example", "http://127.0.0.1:3000", "http://relay.example:5000"):
        assert is_allowed(origin, OWN)
    for origin in (
        "http://app.example",
        "ws://app.example",
        "https://app.example:80",
        "https://app.example.evil.example",
        "https://a.app.example",
        "null",
        "file://",
    ):
        assert not is_allowed(origin, OWN)


@pytest.mark.parametrize(("origin", "written"), [
    ("http://a", "http://a"), ("ws://a", "http://a"), ("wss://a", "https://a"), ("http://a:80", "http://a"), ("ws://a:80", "http://a"),
    ("https://a:443", "https://a"), ("wss://[::1]:443", "https://[::1]"), ("http://a:443", "http://a:443"), ("https://a:80", "https://a:80"),
    ("http://[::80]", "http://[::80]"), ("null", "null"), ("file://", "file://"), ("", ""), ("a:80", "a:80"), ("app://a:80", "app://a:80"),
])  # fmt: skip
def test_an_origin_is_written_in_one_way(origin: str, written: str) -> None:
    """As browsers write it, also where a program takes the address of its socket, or writes the usual port out."""
    assert canonical(origin) == written


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "allowed"),
    [
        ("ws://relay.example:5000", "relay.example:5000", "http", True),
        ("http://relay.example:80", "relay.example", "http", True),
        ("http://relay.example", "relay.example:80", "http", True),
        ("https://relay.example", "relay.example:443", "https", True),
        ("wss://relay.example:443", "relay.example", "https", True),
        ("https://relay.example", "relay.example", "http", True),
        ("wss://relay.example:8443", "relay.example:8443", "http", True),
        ("https://relay.example:8443", "relay.example", "http", False),
        ("https://relay.example", "relay.example:5000", "http", False),
        ("http://relay.example", "relay.example", "https", False),
        ("ws://relay.example", "relay.example", "https", False),
        ("http://relay.example:443", "relay.example:443", "https", False),
    ],
)
def test_our_own_origin_as_programs_and_proxies_have_it(origin: str, host: str, scheme: str, allowed: bool) -> None:
    """`ws` is http and `wss` https; who ends TLS before us need not say so; never http where it was https."""
    assert origin_check([])(origin, {"HTTP_HOST": host, "wsgi.url_scheme": scheme}) is allowed


def test_origins_without_a_host_can_be_listed() -> None:
    """What small devices send, and pages in a sandboxed frame; neither is the other."""
    assert origin_check(["file://"])("file://", OWN)
    assert not origin_check(["file://"])("null", OWN)
    assert origin_check(["null"])("null", OWN)
    assert not origin_check(["null"])("file://", OWN)


@pytest.mark.parametrize(("origin", "host", "says"), [
    ("https://q.example", "127.0.0.1:5000", ["origin https://q.example is not allowed with Host: 127.0.0.1:5000", "must pass Host on",
                                             'server.allowed_origins = ["https://q.example"] lets any other in']),
    ("null", "a", ["origin null is not allowed", "sandboxed frame", '["null"] lets them all in']),
    ("file://", "a", ["origin file:// is not allowed", 'server.allowed_origins = ["file://"] lets it in']),
    ('https://q"] # \r\n', "a", ["what stands in Origin is none"]), ("https://" + "q" * 500, "a", ["what stands in Origin is none"]),
    ("https://q.example", "\x1b[2J", ["origin https://q.example is not allowed with that Host"]),
])  # fmt: skip
def test_why_not_and_what_to_do(origin: str, host: str, says: list[str]) -> None:
    """The line to write, with nothing in it that somebody else could have put there."""
    told = "; ".join(why_not(origin, {"HTTP_HOST": host}))
    assert not [words for words in says if words not in told]
    assert told.isprintable()
    assert len(told) < 400


def test_everybody_must_be_asked_for() -> None:
    """`"*"` allows all, a sandboxed page (`null`) too."""
    is_allowed = origin_check(["*"])
    assert is_allowed("http://evil.example", OWN)
    assert is_allowed("null", OWN)


def test_no_proxy_header_is_believed() -> None:
    """Whoever can reach us can set them."""
    forged = OWN | {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_PROTO": "http", "HTTP_FORWARDED": "host=evil.example"}
    assert not origin_check([])("http://evil.example", forged)


def test_a_request_without_a_host_has_no_own_origin() -> None:
    """HTTP/1.0 may leave it away; then nothing is the same as it."""
    for origin in ("http://", "", "null"):
        assert not origin_check([])(origin, {"wsgi.url_scheme": "http"})
