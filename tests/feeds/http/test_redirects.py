"""Where a redirect leads, in words that help; which are followed is told over the wire in test_client.py."""

import pytest

from feeds.http.redirects import Redirect, redirect

OLD = "https://api.polygon.io/v2/snapshot?tickers=AAPL"
HOSTS = ("api.polygon.io", "api.massive.com")


@pytest.mark.parametrize(("url", "location", "words"), [
    (OLD, "https://api.massive.com/v2?tickers=AAPL", 'answers with a redirect to api.massive.com: set base_url = "https://api.massive.com"'),
    (OLD, "https://api.massive.com:8443/", 'answers with a redirect to api.massive.com: set base_url = "https://api.massive.com:8443"'),
    (OLD, "http://api.massive.com/", "answers with a redirect to api.massive.com, which is not followed"),
    (OLD, "https://login.hotel.example/?from=api", "answers with a redirect to login.hotel.example, which is not followed"),
    (OLD, "http://api.polygon.io/v2", "answers with a redirect to http://api.polygon.io, which is not followed"),
    (OLD, "https://api.polygon.io:444/v2", "answers with a redirect to https://api.polygon.io:444, which is not followed"),
    (OLD, "https://me:secret@api.massive.com/", "answers with a redirect to an address that can't be followed"),
    (OLD, "javascript:alert(1)", "answers with a redirect to an address that can't be followed"),
    (OLD, "https://[::1/", "answers with a redirect to an address that can't be followed"),
    (OLD, "https://x:99999/", "answers with a redirect to an address that can't be followed")])  # fmt: skip
def test_where_it_leads_is_told(url: str, location: str, words: str) -> None:
    """By its host alone: what else stands in an address may be a secret."""
    assert redirect(url, location, HOSTS) == Redirect(None, words)


@pytest.mark.parametrize(
    ("url", "location", "followed"),
    [
        (OLD, "/v3/snapshot", "https://api.polygon.io/v3/snapshot"),
        (OLD, "//api.polygon.io/x", "https://api.polygon.io/x"),
        ("http://a.example/q", "https://a.example/q", "https://a.example/q"),
    ],
)
def test_the_same_host_is_followed(url: str, location: str, followed: str) -> None:
    """And one that changes over to TLS."""
    assert redirect(url, location) == Redirect(followed)


def test_a_long_host_is_cut() -> None:
    """A stranger wrote it."""
    assert len(redirect(OLD, f"https://{'a' * 5000}.example/").refused) < 200
