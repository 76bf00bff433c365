"""Which pages may connect, by the header that browsers set and pages can't change."""

from __future__ import annotations

from typing import Any

import pytest

from web.origins import origin_check

OWN: dict[str, Any] = {"wsgi.url_scheme": "http", "HTTP_HOST": "relay.example:5000"}


@pytest.mark.parametrize("origin", [
    "http://evil.example", "null", "", "http://relay.example", "http://relay.example:5001", "https://relay.example:5000",
    "http://relay.example:5000.evil.example", "http://evil.example/http://relay.example:5000", "http://relay.example:5000/",
    "http://relay.example:5000@evil.example", "http://xrelay.example:5000", "HTTP://RELAY.EXAMPLE:5000", "http://relay.example:5000 ",
])
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
    for origin in ("http://app.example", "https://app.example:443", "https://app.example.evil.example", "https://a.app.example", "null"):
        assert not is_allowed(origin, OWN)


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


