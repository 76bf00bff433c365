"""The jar of a feed that brings one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.http.cookies import MAX_COOKIE_BYTES, MAX_COOKIES, Cookies


def after(*headers: str) -> str | None:
    """The `Cookie` header after these `Set-Cookie` ones."""
    cookies = Cookies()
    cookies.take(headers)
    return cookies.header()


def test_cookies_are_kept_by_name_whoever_they_are_for() -> None:
    """One provider, one jar; the newest value counts."""
    assert (
        after(
            "A3=d=AQ&S=x; Expires=Thu, 16 Nov 2034 12:40:11 GMT; Domain=.yahoo.com; Path=/; Secure; HttpOnly",
            "GUCS=one; Max-Age=1800",
            "GUCS=two; path=/elsewhere",
            "EMPTY=",
        )
        == "A3=d=AQ&S=x; GUCS=two; EMPTY="
    )


@pytest.mark.parametrize(
    "deleting",
    ["A=; Max-Age=0", "A=x; max-age=-1", "A=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "A=;expires=Thu, 01-Jan-1970 00:00:01 GMT"],
)
def test_a_cookie_can_be_deleted(deleting: str) -> None:
    """As servers do it."""
    assert after("A=1", "B=2", deleting) == "B=2"


@pytest.mark.parametrize("kept", ["A=1; Max-Age=00x", "A=1; Max-Age=60", "A=1; Expires=soon", "A=1; Expires", "A=1;;", " A = 1 ; Path"])
def test_what_else_an_attribute_says_deletes_nothing(kept: str) -> None:
    """A cookie with an odd attribute is a cookie."""
    assert after(kept) == "A=1"


@pytest.mark.parametrize("bad", ["", ";", "A", "=1", "A B=1", "A=\x00", "A=1\r\nX: y", "A=ä", f"A={'x' * MAX_COOKIE_BYTES}", "Ä=1"])
def test_what_no_browser_would_take_is_passed_over(bad: str) -> None:
    """And the next one is taken."""
    assert after(bad, "B=2") == "B=2"


def test_a_jar_is_bounded() -> None:
    """So is the header that goes out; what is in it can still change."""
    header = after(*(f"N{number}=1" for number in range(MAX_COOKIES + 10)), "N0=2")
    assert header is not None
    assert len(header.split("; ")) == MAX_COOKIES
    assert header.startswith("N0=2; ")


def test_a_jar_can_be_emptied() -> None:
    """Then there is no header."""
    cookies = Cookies()
    cookies.take(["A=1"])
    assert ("A" in cookies, "B" in cookies) == (True, False)
    cookies.clear()
    assert (cookies.header(), "A" in cookies) == (None, False)


@given(st.lists(st.text(max_size=30)))
def test_whatever_is_set_the_header_can_be_sent(headers: list[str]) -> None:
    """One line of ASCII."""
    header = after(*headers)
    assert header is None or (header.isascii() and header.isprintable())
