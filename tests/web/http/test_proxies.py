"""Who may say where a request comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from web.http.proxies import Proxies

TRUSTED = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]


def seen(peer: str, headers: dict[str, str], trusted: Sequence[str] = TRUSTED) -> dict[str, Any]:
    """What the application sees of a request from `peer`; `For`, `Proto`, `Host` are X-Forwarded-…."""
    environ: dict[str, Any] = {"REMOTE_ADDR": peer, "HTTP_HOST": "inner:5000", "wsgi.url_scheme": "http",
                               "HTTP_FORWARDED": "for=203.0.113.9;host=evil", "HTTP_X_FORWARDED_PORT": "1",
                               **{f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in headers.items()}}  # fmt: skip
    Proxies(trusted).believe(environ)
    assert [name for name in environ if "FORWARDED" in name] == [], "nothing is left for anybody to believe"
    return environ


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("192.0.2.7", "203.0.113.9", "203.0.113.9"),
        ("192.0.2.8", "203.0.113.9", "192.0.2.8"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("10.0.0.1", "10.1.1.1, 10.9.9.9", "10.1.1.1"),
        ("10.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, evil, 10.2.2.2", "10.2.2.2"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db9::1]:4711", "2001:db9::1"),
        ("10.0.0.1", "2001:db9::1", "2001:db9::1"),
        ("2001:db8::5", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", " , ,", "10.0.0.1"),
        ("10.0.0.1", "0x7f000001", "10.0.0.1"),
        ("10.0.0.1", "2130706433", "10.0.0.1"),
        ("10.0.0.1", "010.0.0.1", "10.0.0.1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_the_rightmost_that_is_not_ours(peer: str, forwarded: str, client: str) -> None:
    """What stands left of it, the client may have written; what can't be read, nobody of ours wrote."""
    assert seen(peer, {"For": forwarded})["REMOTE_ADDR"] == client


@pytest.mark.parametrize(
    ("peer", "headers", "own"),
    [
        ("198.51.100.1", {"Proto": "https", "Host": "evil.example"}, "http://inner:5000"),
        ("10.0.0.1", {"For": "203.0.113.9", "Proto": "https", "Host": "quotes.example"}, "https://quotes.example"),
        ("10.0.0.1", {"For": "203.0.113.9", "Proto": "HTTPS", "Host": "quotes.example:8443"}, "https://quotes.example:8443"),
        ("10.0.0.1", {"For": "203.0.113.9", "Proto": "https, http", "Host": "evil.example, quotes.example"}, "http://quotes.example"),
        ("10.0.0.1", {"For": "203.0.113.9, 10.2.2.2", "Proto": "https, http"}, "https://inner:5000"),
        ("10.0.0.1", {"For": "203.0.113.9, 10.2.2.2", "Proto": "https"}, "https://inner:5000"),
        ("10.0.0.1", {"Proto": "javascript", "Host": "a b"}, "http://inner:5000"),
        ("10.0.0.1", {"Host": "[2001:db8::1]:443"}, "http://[2001:db8::1]:443"),
        ("10.0.0.1", {"Host": "quotes.example/evil"}, "http://inner:5000"),
        ("10.0.0.1", {"Host": "user@quotes.example"}, "http://inner:5000"),
    ],
)
def test_scheme_and_host(peer: str, headers: dict[str, str], own: str) -> None:
    """Those that the client spoke to, said by a proxy of ours and nobody else."""
    environ = seen(peer, headers)
    assert f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}" == own


def test_who_is_one() -> None:
    """By address or network, dressed up as IPv6 or not; never what is no address."""
    proxies = Proxies(TRUSTED)
    assert [
        address
        for address in ("10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "192.0.2.8", "2001:db8::1", "proxy", "")
        if proxies.is_trusted(address)
    ] == ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8::1"]


def test_nobody_is_trusted_by_default() -> None:
    """Not even this machine."""
    environ = seen("127.0.0.1", {"For": "203.0.113.9", "Proto": "https", "Host": "evil.example"}, trusted=[])
    assert (environ["REMOTE_ADDR"], environ["HTTP_HOST"], environ["wsgi.url_scheme"]) == ("127.0.0.1", "inner:5000", "http")
