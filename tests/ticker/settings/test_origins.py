"""What may be listed as an origin or a host: in the form that is compared, or refused with what to write instead."""

from __future__ import annotations

import pytest

from ticker.settings.server import ServerSettings


@pytest.mark.parametrize(("written", "kept"), [
    ("https://app.example", "https://app.example"), ("https://App.Example", "https://app.example"), ("HTTPS://app.example", "https://app.example"),
    ("https://app.example/", "https://app.example"), ("https://app.example:443", "https://app.example"),
    ("http://127.0.0.1:80/", "http://127.0.0.1"), ("http://[::1]:3000", "http://[::1]:3000"), ("http://app.example:443", "http://app.example:443"),
    ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"), ("capacitor://localhost", "capacitor://localhost"),
    ("https://[0:0::1]:0443", "https://[::1]"), ("http://[::FFFF:192.0.2.7]", "http://[::ffff:c000:207]"),
    ("https://app.example:05000", "https://app.example:5000"),
    ("wss://app.example", "wss://app.example"), ("file://", "file://"), ("null", "null"), ("*", "*"),
])  # fmt: skip
def test_origins_that_may_connect(written: str, kept: str) -> None:
    """Case, a slash at the end, the usual port and zeros that mean nothing make no difference."""
    assert ServerSettings(allowed_origins=[written]).allowed_origins == [kept]


@pytest.mark.parametrize(("written", "says"), [
    ("https://*.example.org", 'list each origin, as "https://a.example.org"'), ("*.example.org", "list each origin"),
    ("https://app.example:*", "list each origin"), ("app.example", 'write "https://app.example", or "http://app.example"'),
    ("localhost:3000", 'write "https://localhost:3000", or "http://localhost:3000"'), ("//app.example", "begins with its scheme"),
    ("https://app.example/desk", 'write "https://app.example"'), ("https://App.example:443/?x=1#y", 'write "https://app.example"'),
    ("https://b\u00fccher.example", 'write "https://xn--bcher-kva.example"'), ("https://", "an origin is scheme://host"),
    ("https://user@app.example", "an origin is scheme://host"), ("https://a.example https://b.example", "an origin is scheme://host"),
    ("https://a.example,https://b.example", "an origin is scheme://host"), ("file:///index.html", "an origin is scheme://host"),
    ("https://app.example:65536", "a port is a number up to 65535"), ("https://[::1::]", "::1:: is no IPv6 address"),
    ("", "begins with its scheme"), ("Null", "begins with its scheme"), ("none", "begins with its scheme"),
])  # fmt: skip
def test_origins_that_no_client_sends(written: str, says: str) -> None:
    """Refused, with what was meant."""
    with pytest.raises(ValueError, match=r"an origin|list each origin|a port is|no IPv6") as refused:
        ServerSettings(allowed_origins=[written])
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("written", "kept"), [("https://App.example/", "https://app.example"), ("https://*.example.org", "https://*.example.org"), ("*", "*")]
)
def test_who_may_frame(written: str, kept: str) -> None:
    """Browsers know a star for the first part of a name there."""
    assert ServerSettings(frame_ancestors=[written]).frame_ancestors == [kept]


@pytest.mark.parametrize("written", ["null", "file://", "https://a;script-src *", "https://a'", "app.example"])
def test_who_may_not(written: str) -> None:
    """What browsers do not know there, and what would be a policy of its own."""
    with pytest.raises(ValueError, match=r"browsers know no such|an origin"):
        ServerSettings(frame_ancestors=[written])


@pytest.mark.parametrize(
    ("written", "kept"), [("A.Example", "a.example"), ("192.0.2.7", "192.0.2.7"), ("2001:DB8:0::1", "2001:db8::1"), ("*", "*")]
)
def test_names_that_it_answers_to(written: str, kept: str) -> None:
    """In any case, and an address as browsers write it."""
    assert ServerSettings(allowed_hosts=[written]).allowed_hosts == [kept]


@pytest.mark.parametrize(("written", "says"), [
    ("https://a.example", 'write "a.example"'), ("a.example:80", 'write "a.example"'), ("a/b", 'write "a"'), ("[::1]", 'write "::1"'),
    ("[2001:db8::1]:5000", 'write "2001:db8::1"'), ("*.example.org", 'list each name, as "a.example.org"'),
    ("b\u00fccher.example", 'write "xn--bcher-kva.example"'), ("a b", "without scheme, port and brackets"), ("", "a host is a name"),
    ("1::2::3", "1::2::3 is no IPv6 address"), ("a..b", "a host is a name"), (".a", "a host is a name"),
])  # fmt: skip
def test_names_that_no_client_sends(written: str, says: str) -> None:
    """Refused, with what was meant."""
    with pytest.raises(ValueError, match=r"a host is a name|list each name|no IPv6") as refused:
        ServerSettings(allowed_hosts=[written])
    assert says in str(refused.value)
