"""What an identity may see."""

from __future__ import annotations

import pytest

from web.identity import ANYBODY, Identity, matches


@pytest.mark.parametrize(("pattern", "symbol", "is_match"), [
    ("BTC-USD", "BTC-USD", True), ("BTC-USD", "BTC-USDT", False), ("BTC-USD", "XBTC-USD", False), ("BTC-USD", "btc-usd", False),
    ("BTC-*", "BTC-USD", True), ("BTC-*", "BTC-", True), ("BTC-*", "BTC", False), ("BTC-*", "ABTC-USD", False),
    ("*-USD", "ETH-USD", True), ("*-USD", "-USD", True), ("*-USD", "ETH-USDT", False), ("B*-*D", "BTC-USD", True), ("B*-*D", "BD", False),
    ("*", "^GSPC", True), ("**", "A", True), ("", "A", False), ("A*A", "A", False), ("A*A", "AA", True), ("A*B*A", "ABA", True),
    ("A*AB*B", "AAB", False), ("[A-Z]*", "AAPL", False), ("A?C", "ABC", False), (".*", "A", False), ("A.C", "ABC", False),
])
def test_patterns(pattern: str, symbol: str, is_match: bool) -> None:
    """Only the star means something, and it may stand for nothing; case counts."""
    assert matches(pattern, symbol) is is_match


def test_a_pattern_of_stars_costs_nothing() -> None:
    """Thirty of them, and a symbol that fits nowhere: a look at each part, not at each way to share the letters."""
    assert not matches("A*" * 30 + "B", "A" * 32)


def test_one_pattern_is_enough() -> None:
    """No list means everything; an empty one, nothing."""
    assert ANYBODY.may_see("A")
    assert ANYBODY.sees_all
    assert not Identity(symbols=()).may_see("A")
    some = Identity(symbols=("BTC-*", "AAPL"))
    assert [symbol for symbol in ("BTC-USD", "AAPL", "AAPLX", "ETH-USD") if some.may_see(symbol)] == ["BTC-USD", "AAPL"]
    assert not some.sees_all
