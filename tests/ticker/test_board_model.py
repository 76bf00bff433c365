"""The board under random histories, held against what a reader of its updates may rely on. The model knows no code of the board."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ticker.board import Board
from ticker.errors import FeedError
from ticker.freshness import FeedTerms
from ticker.quote import Quote, Tick
from ticker.settings.model import SymbolSettings
from ticker.source import Answer

START_MS = 1_700_000_000_000
FEEDS = {"a": FeedTerms("polled", 2.0), "b": FeedTerms("simulated", 1.0, 4.0), "c": FeedTerms("streamed", 1.0)}
LIMIT_MS = {"a": 10_000, "b": 4_000, "c": 30_000}
SOURCES = {"X": ("a", "b", "c"), "Y": ("b", "a"), "Z": ("a",)}
RETURN_REST_MS = 60_000


class Source:
    """What the model knows of one feed's word on one symbol."""

    def __init__(self) -> None:
        self.heard_ms: int | None = None
        self.made_ms: int | None = None
        self.failures = 0
        self.rejected = False
        self.feed_down = False

    def broken(self) -> bool:
        """Five errors running, rejected, or its feed is down and has not spoken since."""
        return self.failures >= 5 or self.rejected or self.feed_down


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
                answer[symbol] = Tick(price=data.draw(st.sampled_from([1.0, 2.0, 3.0])), prev_close=2.0,
                                      quote_time=None if age_ms is None else self.now - age_ms)
        steady = {symbol: quote for symbol, quote in self.last.items() if quote.source == feed and quote.state == "fresh"
                  and self.sources[symbol, feed].failures == 0}
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
                source.heard_ms, source.made_ms = self.now, news.quote_time
                source.failures, source.rejected, source.feed_down = 0, False, False
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
                heard_ms = self.sources[symbol, quote.source].heard_ms
                assert heard_ms is not None
                assert self.now - heard_ms < LIMIT_MS[quote.source]
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
        changes = self.board.configure({symbol: SymbolSettings(feed=SOURCES[symbol]) for symbol in sorted(symbols)}, FEEDS, self.now)
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

    def check_nothing_folded(self, steady: dict[str, Quote], answer: Answer, updates: list[Quote]) -> None:
        """Each answer of the source in use that differs and is not older is exactly one update, with its price."""
        for symbol, last in steady.items():
            news = answer.get(symbol)
            if not isinstance(news, Tick):
                continue
            mine = [quote for quote in updates if quote.symbol == symbol]
            older = news.quote_time is not None and last.quote_time is not None and news.quote_time < last.quote_time
            if older or (news.price, news.quote_time) == (last.price, last.quote_time):
                assert mine == []
            elif news.quote_time is None or last.quote_time is not None:
                assert [(quote.price, quote.quote_time) for quote in mine] == [(news.price, news.quote_time)]

    def healthy(self, symbol: str, feed: str) -> bool:
        """Whether the source has a price and can be counted on now."""
        source = self.sources[symbol, feed]
        return source.heard_ms is not None and not source.broken() and self.now - source.heard_ms < LIMIT_MS[feed]

    def could_take_over(self, symbol: str, feed: str) -> bool:
        """Whether the source is healthy and its newest price is no step back."""
        made_ms = self.sources[symbol, feed].made_ms
        return self.healthy(symbol, feed) and (made_ms is None or made_ms >= self.newest_ms.get(symbol, 0))


def _without_times(quote: Quote) -> list[object]:
    return [getattr(quote, name) for name in quote.__struct_fields__ if name not in ("received_time", "seq")]


def _without_state(quote: Quote) -> list[object]:
    return [getattr(quote, name) for name in quote.__struct_fields__ if name not in ("received_time", "seq", "state")]


BoardMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40)
TestBoardModel = BoardMachine.TestCase
