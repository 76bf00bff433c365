"""Many patterns at a time: against one at a time, and against what they may cost."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.auth import patterns as module
from web.auth.patterns import _INTERNED, Patterns


def matches(pattern: str, symbol: str) -> bool:
    """The same of a single pattern, as slowly as can be understood."""
    first, *rest = pattern.split("*")
    if not rest:
        return symbol == pattern
    *middle, last = rest
    if not symbol.startswith(first):
        return False
    at = len(first)
    for part in middle:
        found = symbol.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return symbol.endswith(last) and len(symbol) - len(last) >= at


@pytest.mark.parametrize(("pattern", "symbol", "is_match"), [
    ("BTC-USD", "BTC-USD", True), ("BTC-USD", "BTC-USDT", False), ("BTC-USD", "XBTC-USD", False), ("BTC-USD", "btc-usd", False),
    ("BTC-*", "BTC-USD", True), ("BTC-*", "BTC-", True), ("BTC-*", "BTC", False), ("BTC-*", "ABTC-USD", False),
    ("*-USD", "ETH-USD", True), ("*-USD", "-USD", True), ("*-USD", "ETH-USDT", False), ("B*-*D", "BTC-USD", True), ("B*-*D", "BD", False),
    ("*", "^GSPC", True), ("**", "A", True), ("", "A", False), ("A*A", "A", False), ("A*A", "AA", True), ("A*B*A", "ABA", True),
    ("A*AB*B", "AAB", False), ("[A-Z]*", "AAPL", False), ("A?C", "ABC", False), (".*", "A", False), ("A.C", "ABC", False),
    ("*", "", True), ("", "", True), ("A*", "", False),
])  # fmt: skip
def test_patterns(pattern: str, symbol: str, is_match: bool) -> None:
    """Only the star means something, and it may stand for nothing; case counts."""
    assert Patterns((pattern,)).fit(symbol) is is_match
    assert matches(pattern, symbol) is is_match


PATTERN = st.text("AB-*", max_size=7)
SYMBOL = st.text("AB-", max_size=8)


@given(st.lists(PATTERN, max_size=12), st.lists(SYMBOL, max_size=12))
def test_many_are_as_one_after_the_other(patterns: list[str], symbols: list[str]) -> None:
    """Whatever they begin and end with, and however many say the same."""
    many = Patterns(patterns)
    assert [many.fit(symbol) for symbol in symbols] == [any(matches(one, symbol) for one in patterns) for symbol in symbols]


def test_a_pattern_of_stars_costs_nothing() -> None:
    """Thirty of them, and a symbol that fits nowhere: a look at each part, not at each way to share the letters."""
    assert not Patterns(["A*" * 30 + "B"]).fit("A" * 32)


@pytest.mark.parametrize("number", [5, 1000])
def test_what_a_symbol_costs_does_not_grow_with_their_number(number: int) -> None:
    """Names, beginnings and ends are looked up: five or a thousand of each, it takes as many steps."""
    kinds = ("N{:04}", "B{:04}*", "*E{:04}", "B{:04}*E{:04}", "B{:04}*x*E")
    many = Patterns([kind.format(i, i) for kind in kinds for i in range(number)])
    assert many._lengths == [0, 5]
    assert {tails._lengths for tails in many._heads.values()} == {(5,), (0, 5)}
    assert max(len(tails._longer) for tails in many._heads.values()) == 1
    assert [many.fit(symbol) for symbol in ("N0004", "B0004y", "yE0004", "B0003xE", "N9999", "B9999", "E9999")] == [True] * 4 + [False] * 3


def test_equal_lists_are_one_object() -> None:
    """While anybody holds it, and no longer."""
    patterns = Patterns.of(("A", "B*"))
    assert Patterns.of(("A", "B*")) is patterns
    assert Patterns.of(("A",)) is not patterns
    del patterns
    gc.collect()
    assert ("A", "B*") not in _INTERNED


def test_of_many_patterns_with_several_stars_few_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose longest part the symbol has in it: else 850 of them and 5,000 symbols would be four million looks."""
    looks = []
    in_order = module._in_order

    def counted(parts: list[str], rest: str) -> bool:
        looks.append(parts)
        return in_order(parts, rest)

    monkeypatch.setattr(module, "_in_order", counted)
    many = Patterns([f"*{number:03}*{number % 7}*" for number in range(850)])
    assert [many.fit(symbol) for symbol in ("SYM-1002", "SYM-1005", "SYM-999")] == [True, False, False]
    assert len(looks) <= 5
