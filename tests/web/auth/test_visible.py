"""Which symbols are seen: looked at once for each list of patterns, again only where there are others, and never at a stretch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker import wire
from web.auth import visible
from web.auth.identity import ANYBODY, Identity
from web.auth.patterns import Patterns
from web.auth.visible import Visibility, visible_symbols

SYMBOLS = dict.fromkeys(["BTC-USD", "BTC-EUR", "AAPL", "TSLA"])
SOME = Identity(symbols=("BTC-*", "AAPL", "NOPE"))


class Counting:
    """A `Visibility` on a clock that goes on by a millisecond with each look; it counts its pauses and the symbols it looks at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        self.pauses = 0
        self.looked_at: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        fit = Patterns.fit

        def counted(patterns: Patterns, symbol: str) -> bool:
            self.looked_at.append(symbol)
            return fit(patterns, symbol)

        monkeypatch.setattr(Patterns, "fit", counted)
        self.visibility = Visibility(self._pause, self._clock)

    def of(self, identity: Identity, symbols: Mapping[str, object]) -> tuple[Any, list[str]]:
        """What it may see, and which symbols were looked at for it, in alphabetical order."""
        self.looked_at.clear()
        return self.visibility.of(identity, symbols), sorted(self.looked_at)

    def _pause(self) -> None:
        self.pauses += 1
        self.meanwhile()

    def _clock(self) -> float:
        self.now_s += 0.001
        return self.now_s


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """One that has been asked nothing yet."""
    return Counting(monkeypatch)


def test_who_sees_all(counting: Counting) -> None:
    """Is not looked at."""
    assert counting.of(ANYBODY, SYMBOLS) == (None, [])


def test_each_list_is_looked_at_once(counting: Counting) -> None:
    """The answer is the same object from then on, also for another token with that list, and for settings that were read again."""
    first, looked_at = counting.of(SOME, SYMBOLS)
    assert (first, looked_at) == ({"BTC-USD", "BTC-EUR", "AAPL"}, sorted(SYMBOLS))
    for identity in (SOME, Identity(SOME.symbols, max_hz=5, expires_s=60)):
        for symbols in (SYMBOLS, dict(SYMBOLS), dict.fromkeys(reversed(SYMBOLS))):
            again, looked_at = counting.of(identity, symbols)
            assert again is first
            assert looked_at == []


def test_only_what_is_new_is_looked_at(counting: Counting) -> None:
    """And the object is another one only where what is seen is."""
    first, _ = counting.of(SOME, SYMBOLS)
    more = {**SYMBOLS, "MSFT": None, "BTC-GBP": None}
    second, looked_at = counting.of(SOME, more)
    assert (second, looked_at) == ({"BTC-USD", "BTC-EUR", "AAPL", "BTC-GBP"}, ["BTC-GBP", "MSFT"])
    third, looked_at = counting.of(SOME, dict.fromkeys(symbol for symbol in more if symbol not in ("MSFT", "TSLA")))
    assert third is second
    assert looked_at == []
    fourth, looked_at = counting.of(SOME, {"AAPL": None})
    assert (fourth, looked_at) == ({"AAPL"}, [])
    counting.of(ANYBODY, SYMBOLS)
    fifth, looked_at = counting.of(SOME, SYMBOLS)
    assert (fifth, looked_at) == (first, ["BTC-EUR", "BTC-USD", "TSLA"])


def test_who_was_away_is_looked_at_anew(counting: Counting) -> None:
    """What changed since then nobody remembers."""
    other = Identity(symbols=("*",))
    counting.of(SOME, SYMBOLS)
    counting.of(other, {"AAPL": None, "BTC-USD": None})
    counting.of(other, {"AAPL": None, "BTC-EUR": None})
    assert counting.of(SOME, {"AAPL": None, "BTC-EUR": None}) == ({"AAPL", "BTC-EUR"}, ["AAPL", "BTC-EUR"])


def test_it_gives_way(counting: Counting) -> None:
    """A hundred symbols at a millisecond each: others run after every second one."""
    counting.of(SOME, dict.fromkeys(f"S{number}" for number in range(100)))
    assert 30 <= counting.pauses <= 50


def test_symbols_that_change_meanwhile(counting: Counting) -> None:
    """What was begun is about those of then; who asks next has those of now."""
    many = dict.fromkeys(f"BTC-{number}" for number in range(10))
    fewer = dict.fromkeys(list(many)[:5])
    other = Identity(symbols=("BTC-1",))

    def changed() -> None:
        counting.meanwhile = lambda: None
        assert counting.visibility.of(other, fewer) == frozenset(["BTC-1"])

    counting.meanwhile = changed
    assert counting.of(SOME, many)[0] == many.keys()
    assert counting.of(SOME, fewer) == (fewer.keys(), [])


@given(st.lists(st.tuples(st.integers(0, 3), st.frozensets(st.sampled_from(["A", "AB", "BA", "B", "C"]))), max_size=20))
def test_it_is_what_each_symbol_says(steps: list[tuple[int, frozenset[str]]]) -> None:
    """Whatever symbols come and go, and whoever asks in between."""
    identities = [Identity(symbols=patterns) for patterns in (("A*",), ("*B", "C"), (), ("B", "A"))]
    visibility = Visibility(lambda: None)
    for number, symbols in steps:
        seen = visibility.of(identities[number], dict.fromkeys(symbols))
        assert seen == frozenset(symbol for symbol in symbols if identities[number].may_see(symbol))


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list that was used longest ago is forgotten first; one that shows nothing takes a place too."""
    monkeypatch.setattr(visible, "MOST_NAMES", 12)
    visibility = Visibility(lambda: None)
    lists = [Identity(symbols=("BTC-*", f"X{number}")) for number in range(4)]
    first, *_ = answers = [visibility.of(identity, SYMBOLS) for identity in lists]
    assert answers == [frozenset(["BTC-USD", "BTC-EUR"])] * 4
    assert visibility.of(lists[0], SYMBOLS) is first
    visibility.of(Identity(symbols=()), SYMBOLS)
    assert set(visibility._answers) == {identity.patterns for identity in (lists[0], lists[2], lists[3], Identity(symbols=()))}
    assert visibility._held == 10
    for number in range(100):
        visibility.of(Identity(symbols=(f"Y{number}",)), SYMBOLS)
    assert (visibility._held, len(visibility._answers)) == (12, 12)


OF_A_SYMBOL: dict[str, Any] = {"name": None, "decimals": None, "group": [], "feed": "f", "currency": None, "stale_after_s": 10.0,
                               "status": "live", "error": None, "volume_of": "session"}  # fmt: skip
SYMBOLS_STATE = [wire.Symbol(symbol=symbol, **OF_A_SYMBOL) for symbol in SYMBOLS]
CONFIG = wire.Reload(ok=False, at=1, error="x", restart_required=["y"])
OF_A_FEED: dict[str, Any] = {"kind": "polled", "state": "ok", "last_success": 5, "next_try": None}
FEEDS = [wire.Feed(feed="f", **OF_A_FEED, error=None, interval_s=5.0, widened="SECRET"),
         wire.Feed(feed="g", **OF_A_FEED, error="SECRET", gaps=1, upstream=["there"])]  # fmt: skip


def test_what_is_told() -> None:
    """Everything to who sees all; else its own symbols, and of feeds and settings nothing that may name others."""
    seen = visible_symbols(SOME, SYMBOLS)
    assert visible.symbols(SYMBOLS_STATE, None) is SYMBOLS_STATE
    assert [entry.symbol for entry in visible.symbols(SYMBOLS_STATE, seen)] == ["BTC-USD", "BTC-EUR", "AAPL"]
    assert visible.feeds(FEEDS, None) is FEEDS
    assert msgspec.to_builtins(visible.feeds(FEEDS, seen)) == [
        {"feed": "f", **OF_A_FEED, "error": None}, {"feed": "g", **OF_A_FEED, "error": visible.NOT_TOLD, "upstream": ["there"]}
    ]  # fmt: skip
    assert visible.config(CONFIG, None) is CONFIG
    assert visible.config(CONFIG, seen) == wire.Reload(ok=False, at=1, error=visible.NOT_TOLD, restart_required=[])
