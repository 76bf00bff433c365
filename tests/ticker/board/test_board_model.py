"""The board under random histories, held against what a reader of its updates may rely on. The model knows no code of the board."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.errors import FeedError
from ticker.quote import Quote, Tick
from ticker.settings.model import QualitySettings, SymbolSettings
from ticker.source import Answer

START_MS = 1_700_000_000_000
FEEDS = {"a": FeedTerms("polled", 2.0, 10.0), "b": FeedTerms("simulated", 1.0, 4.0), "c": FeedTerms("streamed", 1.0, 30.0)}
LIMIT_MS = {"a": 10_000, "b": 4_000, "c": 30_000}
SOURCES = {"X": ("a", "b", "c"), "Y": ("b", "a"), "Z": ("a",)}
RETURN_REST_MS = 60_000
ANY_PRICE = QualitySettings(max_jump_pct=100_000)
"""Jumps that have to be confirmed are the business of test_hour.py and test_bad_ticks.py."""


class Source:
    """What the model knows of one feed's word on one symbol."""

    def __init__(self) -> None:
        self.tick: Tick | None = None
        self.current_ms = 0
        self.newest_ms = 0
        self.failures = 0
        self.rejected = False
        self.feed_down = False

    def broken(self) -> bool:
        """Five errors running, rejected, or its feed is down and has not spoken since."""
        return self.failures >= 5 or self.rejected or self.feed_down

    def hear(self, tick: Tick, now: int) -> None:
        """It says `tick`: each answer proves itself where there are no times, else a newer time does, or a price that moved."""
        self.failures, self.rejected, self.feed_down = 0, False, False
        made = tick.quote_time
        if made is not None and made < self.newest_ms:
            return
        moved = self.tick is not None and made == self.tick.quote_time and tick.price != self.tick.price
        self.current_ms = now if made is None or moved else max(self.current_ms, made)
        self.newest_ms = max(self.newest_ms, made or 0)
        self.tick = tick


class BoardMachine(RuleBasedStateMachine):
    """Answers, errors, outages, time and reloads in any order."""

    @initialize()
    def begin(self) -> None:
        """All symbols, no price."""
        self.now = START_MS
        self.board = Board("epoch")
        self.sources = {(symbol, feed): Source() for symbol, feeds in SOURCES.items() for feed in feeds}
        self.down: set[str] = set()
        self.seq: dict[str, int] = {}
        self.last: dict[str, Quote] = {}
        self.switched_ms: dict[str, int] = {}
        self.newest_ms: dict[str, int] = {}
        self.present: set[str] = set()
        self.reload(None)

    @rule(feed=st.sampled_from(sorted(FEEDS)), data=st.data())
    def answer(self, feed: str, data: st.DataObject) -> None:
        """A feed answers for some of its symbols; prices and times repeat, go back, or lack a time."""
        answer: dict[str, Tick | FeedError] = {}
        for symbol in data.draw(st.sets(st.sampled_from(sorted(SOURCES)), min_size=1)):
            if data.draw(st.integers(0, 2)) == 0:
                answer[symbol] = FeedError("no price", rejects_symbol=data.draw(st.booleans()))
            else:
                age_ms = data.draw(st.sampled_from([None, 0, 0, 1, 5_000, 60_000]))
                answer[symbol] = Tick(
                    price=data.draw(st.sampled_from([1.0, 2.0, 3.0])),
                    prev_close=2.0,
                    quote_time=None if age_ms is None else self.now - age_ms,
                )
        steady = {
            symbol: (quote, self.newest_ms[symbol])
            for symbol, quote in self.last.items()
            if quote.source == feed and quote.state == "fresh" and self.sources[symbol, feed].failures == 0
        }
        self.note(feed, answer)
        updates = self.board.apply(feed, answer, self.now)
        self.check(updates)
        self.check_nothing_folded(steady, answer, updates)

    def note(self, feed: str, answer: Answer) -> None:
        """The model's own account of an answer."""
        for symbol, news in answer.items():
            source = self.sources.get((symbol, feed))
            if source is None or symbol not in self.present:
                continue
            if isinstance(news, Tick):
                source.hear(news, self.now)
            else:
                source.failures, source.rejected = source.failures + 1, news.rejects_symbol

    @rule(feed=st.sampled_from(sorted(FEEDS)), down=st.booleans())
    def outage(self, feed: str, down: bool) -> None:
        """A feed goes down or comes up."""
        (self.down.add if down else self.down.discard)(feed)
        for (symbol, name), source in self.sources.items():
            if name == feed and symbol in self.present:
                source.feed_down = down
        self.check(self.board.set_feed_down(feed, down, self.now))

    @rule(passed_ms=st.sampled_from([0, 1, 250, 1_000, 4_000, 9_999, 10_000, 31_000, 60_000]))
    def time_passes(self, passed_ms: int) -> None:
        """Time passes, then the board is swept: whoever is silent for too long is not fresh, whoever is not, is."""
        self.now += passed_ms
        self.check(self.board.sweep(self.now))
        for symbol, quote in self.board.quotes.items():
            feeds = SOURCES[symbol]
            if quote.state == "fresh":
                assert self.now - self.sources[symbol, quote.source].current_ms < LIMIT_MS[quote.source]
            elif quote.state == "stale":
                assert not self.healthy(symbol, quote.source), "its own source vouches for it"
            assert (quote.state == "failed") == all(self.sources[symbol, feed].broken() for feed in feeds)
            if not self.healthy(symbol, quote.source):
                assert not any(self.could_take_over(symbol, feed) for feed in feeds if feed != quote.source)

    @rule(without=st.sampled_from([None, *SOURCES]))
    def reload(self, without: str | None) -> None:
        """A symbol is removed or comes back, with all that was known of it forgotten but its `seq`."""
        symbols = set(SOURCES) - {without}
        for symbol, feeds in SOURCES.items():
            if symbol not in symbols or symbol not in self.present:
                self.last.pop(symbol, None)
                self.switched_ms.pop(symbol, None)
                self.newest_ms.pop(symbol, None)
                for feed in feeds:
                    self.sources[symbol, feed] = Source()
                    self.sources[symbol, feed].feed_down = feed in self.down
        wanted = {symbol: SymbolSettings(feed=SOURCES[symbol]) for symbol in sorted(symbols)}
        changes = self.board.configure(wanted, FEEDS, self.now, ANY_PRICE)
        assert set(changes.added) == symbols - self.present
        assert set(changes.removed) == self.present - symbols
        self.present = symbols
        assert changes.quotes == []

    def check(self, updates: list[Quote]) -> None:
        """What holds for every update, whatever led to it."""
        for quote in updates:
            symbol, last = quote.symbol, self.last.get(quote.symbol)
            assert symbol in self.present
            assert quote.source in SOURCES[symbol]
            assert quote.kind == FEEDS[quote.source].kind
            assert quote.seq == self.seq.get(symbol, 0) + 1
            if last is not None:
                assert _without_times(quote) != _without_times(last), "no update: nothing differs"
                assert quote.received_time >= last.received_time
                if _without_state(quote) == _without_state(last):
                    assert quote.received_time == last.received_time, "a change of state alone keeps the times"
                if quote.quote_time is not None and last.quote_time is not None:
                    assert quote.quote_time >= last.quote_time
                if quote.source != last.source:
                    self.check_switch(last, quote)
            self.seq[symbol], self.last[symbol] = quote.seq, quote
            self.newest_ms[symbol] = max(self.newest_ms.get(symbol, 0), quote.quote_time or 0)
            source = self.sources[symbol, quote.source]
            source.newest_ms = max(source.newest_ms, self.newest_ms[symbol])
        assert self.board.quotes == self.last

    def check_switch(self, last: Quote, quote: Quote) -> None:
        """Away from what can't be counted on at once, back to a better source at most once a minute, never to a worse one."""
        symbol = quote.symbol
        assert self.healthy(symbol, quote.source)
        if self.healthy(symbol, last.source):
            feeds = SOURCES[symbol]
            assert feeds.index(quote.source) < feeds.index(last.source)
            assert self.now - self.switched_ms.get(symbol, 0) >= RETURN_REST_MS
        self.switched_ms[symbol] = self.now

    def check_nothing_folded(self, steady: dict[str, tuple[Quote, int]], answer: Answer, updates: list[Quote]) -> None:
        """Each answer of the source in use that differs and is not older is exactly one update, with its price."""
        for symbol, (last, newest_ms) in steady.items():
            news = answer.get(symbol)
            if not isinstance(news, Tick):
                continue
            mine = [quote for quote in updates if quote.symbol == symbol]
            older = news.quote_time is not None and news.quote_time < newest_ms
            if older or (news.price, news.quote_time) == (last.price, last.quote_time):
                assert all(
                    (quote.price, quote.quote_time) == (last.price, last.quote_time) or quote.source != last.source for quote in mine
                )
            else:
                assert (news.price, news.quote_time) in [(quote.price, quote.quote_time) for quote in mine] or self.switched(mine, last)

    def switched(self, updates: list[Quote], last: Quote) -> bool:
        """Whether the answer led away from its own source: by what it said, its price is too old."""
        return bool(updates) and updates[-1].source != last.source

    def healthy(self, symbol: str, feed: str) -> bool:
        """Whether the source has a price and can be counted on now."""
        source = self.sources[symbol, feed]
        return source.tick is not None and not source.broken() and self.now - source.current_ms < LIMIT_MS[feed]

    def could_take_over(self, symbol: str, feed: str) -> bool:
        """Whether the source is healthy and its newest price is no step back."""
        tick = self.sources[symbol, feed].tick
        made = tick.quote_time if tick else None
        return self.healthy(symbol, feed) and (made is None or made >= self.newest_ms.get(symbol, 0))


def _without_times(quote: Quote) -> list[object]:
    return [getattr(quote, name) for name in quote.__struct_fields__ if name not in ("received_time", "seq")]


def _without_state(quote: Quote) -> list[object]:
    return [getattr(quote, name) for name in quote.__struct_fields__ if name not in ("received_time", "seq", "state")]


BoardMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40)
TestBoardModel = pytest.mark.slow(BoardMachine.TestCase)
