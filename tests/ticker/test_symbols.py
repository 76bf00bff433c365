"""The syntax of a symbol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker import symbols

ALLOWED = "ABCXYZabcxyz0189.-_=^/:+"


@pytest.mark.parametrize("symbol", ["A", "AAPL", "BRK.B", "BTC-USD", "EURUSD=X", "^GSPC", "BTC/USD", "7203.T", "a_b", "CRYPTO:BTC+USD",
                                    "A" * 32, "A.", "A/.b", "A/..b", "A/b."])  # fmt: skip
def test_accepts(symbol: str) -> None:
    """What providers call their instruments can be a symbol."""
    assert symbols.check(symbol) is None


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("", "empty"),
        ("A" * 33, "33 characters"),
        ("BTC USD", "a space"),
        ("A%2FB", '"%"'),
        ("A?b", '"?"'),
        ("A#b", '"#"'),
        ("Ä", '"Ä"'),
        ("A\n", "U+000A"),
        ("A\x1b[31m", "U+001B"),
        ("A\u202eB", "U+202E"),
        (".A", "first character"),
        ("-A", "first character"),
        ("/A", "first character"),
        ("A/", "ends with a slash"),
        ("A//B", "two slashes"),
        ("A/./B", "between slashes"),
        ("A/../B", "between slashes"),
        ("A/..", "between slashes"),
    ],
)
def test_refuses_and_says_why(symbol: str, words: str) -> None:
    """What would not be the same in a namespace, a URL and a log is refused, with the reason."""
    reason = symbols.check(symbol)
    assert reason is not None
    assert words in reason
    assert reason.isprintable()


@given(st.text(ALLOWED, min_size=1, max_size=32))
def test_what_is_accepted_survives_a_url(symbol: str) -> None:
    """A path made of an accepted symbol keeps all its segments when dot segments are removed and slashes merged."""
    if symbols.check(symbol) is None:
        segments = symbols.namespace(symbol).split("/")
        assert segments[0] == ""
        assert all(segment not in ("", ".", "..") for segment in segments[1:])


def test_a_namespace_is_the_raw_name() -> None:
    """Nothing is encoded, and a slash stays a slash."""
    assert symbols.namespace("^BTC/USD=X") == "/^BTC/USD=X"
