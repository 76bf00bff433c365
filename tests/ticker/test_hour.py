"""An hour of random faults on six feeds and fifty symbols, in stepped time, against an account that knows what really happened."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from ticker.board import Board
from ticker.errors import FeedError
from ticker.freshness import FeedTerms
from ticker.market import ALWAYS, Hours
from ticker.quote import Correction, Odd, Quote, Tick
from ticker.settings.model import SymbolSettings
from ticker.source import Answer

START = 1_700_000_000_000
HOUR_MS = 3_600_000
SWEEP_MS = 500
RETURN_REST_MS = 60_000
TERMS = {
    "quick": FeedTerms("polled", 1.0), "steady": FeedTerms("polled", 2.0, 8.0), "untimed": FeedTerms("polled", 2.0),
    "slow": FeedTerms("polled", 15.0), "stream": FeedTerms("streamed", 1.0), "delayed": FeedTerms("polled", 3.0)}
EVERY_MS = {"quick": 1_000, "steady": 2_000, "untimed": 2_000, "slow": 15_000, "stream": 750, "delayed": 3_000}
DELAY_MIN = {"delayed": 15.0}
SPIKES = {feed: 3.0 ** (number + 1) for number, feed in enumerate(TERMS)}
"""By how much a feed's wild ticks are too high: each in its own way, so that none bears out another's."""
OPEN = Hours([(START - HOUR_MS, START + 20 * 60_000), (START + 35 * 60_000, START + HOUR_MS)], START + 2 * HOUR_MS)
"""Shut for a quarter of an hour in the middle. Then every other symbol of it rests; the others trade on."""
SETTLED_MS = 31_000
"""Whoever is well for so long is heard and seen to be."""
SIGNED = frozenset(f"S{number}" for number in range(3, 50, 5))
"""Symbols whose prices may be below zero, and are half of the time."""
TROUBLES = ("none", "none", "none", "silence", "frozen", "errors", "down", "garbage", "back", "gaps", "cancels")
ODD: tuple[dict[str, Any], ...] = (
    {"bid": 107.0, "ask": 106.0}, {"bid": math.nan}, {"high": math.inf}, {"volume": -2_147_483_648.0}, {"prev_close": 1e-300},
    {"low": -200.0}, {"open": 0.0}, {"odd": (Odd("low", "not a number", "n/a"),)})
"""What is now and then beside a good price, and costs no more than itself."""


class Feed:
    """One feed, its symbols, and what is wrong with it this minute."""

    def __init__(self, name: str, symbols: list[str], rests: Callable[[str], bool], random: Random) -> None:
        self.name = name
        self.symbols = symbols
        self.rests = rests
        self.random = random
        self.trouble = "none"
        self.until_ms = START
        self.well_since_ms = START
        self.true_ms: dict[str, int] = {}  # when the newest price that it has let out was the newest there was
        self.last: dict[str, Tick] = {}  # and that price
        self.spiked: dict[str, bool] = {}
        self.to_cancel: set[str] = set()
        self.failures: dict[str, int] = {}  # how often running it had no price that could be one

    def look(self, now: int) -> None:
        """Trouble comes and goes."""
        if now >= self.until_ms:
            was = self.trouble
            self.trouble = self.random.choice(TROUBLES)
            self.until_ms = now + self.random.randrange(5_000, 120_000)
            if was != "none" or self.trouble != "none":
                self.well_since_ms = now if self.trouble == "none" else START + 2 * HOUR_MS

    def answer(self, now: int, price: Callable[[str, int], float]) -> Iterator[tuple[str, Tick | FeedError]]:
        """What it says now."""
        for symbol in self.symbols:
            said = self.say(symbol, now, price)
            if said is not None:
                is_good = isinstance(said, Tick) and (math.isfinite(said.price) if symbol in SIGNED else 0 < said.price < math.inf)
                self.failures[symbol] = 0 if is_good else self.failures.get(symbol, 0) + 1
                yield symbol, said

    def say(self, symbol: str, now: int, price: Callable[[str, int], float]) -> Tick | FeedError | None:
        """What it says of one symbol."""
        last = self.last.get(symbol)
        trouble = self.trouble
        if trouble in ("silence", "down") or (trouble == "gaps" and self.random.random() < 0.7):
            return None
        if trouble == "errors":
            return FeedError("no price")
        if trouble == "frozen" and last is not None and self.name != "untimed":
            return last
        lag_ms, delay_ms = self.random.randrange(400), round(DELAY_MIN.get(self.name, 0.0) * 60_000)
        made = now - lag_ms - delay_ms
        market = OPEN.at(made)
        at_rest = self.rests(symbol) and market.phase == "shut"
        if at_rest:
            made = market.since_ms
        beside = self.random.choice(ODD) if self.random.random() < 0.1 else {}
        good = Tick(price=price(symbol, made), quote_time=None if self.name == "untimed" else made, delay_min=DELAY_MIN.get(self.name),
                    **beside)
        if symbol in self.to_cancel:
            self.to_cancel.discard(symbol)
            self.well_since_ms = max(self.well_since_ms, now)  # a jump that was doubted is doubted anew
            self.true_ms[symbol] = now if good.quote_time is None else self.true_ms[symbol]  # where there is no time, each answer counts
            return Correction(price=self.last[symbol].price, quote_time=self.last[symbol].quote_time, delay_min=good.delay_min)
        if trouble == "cancels" and last is not None and not at_rest and self.random.random() < 0.3:
            self.to_cancel.add(symbol)
            self.true_ms[symbol] = now if good.quote_time is None else now - lag_ms
            return Tick(price=good.price + 1, quote_time=good.quote_time, delay_min=good.delay_min)
        if trouble == "garbage" and last is not None and now - self.true_ms[symbol] < 60_000:
            self.spiked[symbol] = not self.spiked.get(symbol, False)
            if self.spiked[symbol]:
                wild = self.random.choice([math.nan, math.inf, 100 * SPIKES[self.name]] + ([] if symbol in SIGNED else [0.0, -1.0]))
                return Tick(price=wild, quote_time=good.quote_time, delay_min=good.delay_min)
        if trouble == "back" and last is not None and last.quote_time is not None and self.random.random() < 0.5:
            return Tick(price=good.price, quote_time=last.quote_time - self.random.randrange(1, 60_000), delay_min=good.delay_min)
        self.true_ms[symbol], self.last[symbol] = now if good.quote_time is None else now - lag_ms, good
        return good


class Account:
    """What a reader of the updates may rely on."""

    def __init__(self, board: Board, symbols: dict[str, SymbolSettings], feeds: dict[str, Feed]) -> None:
        self.board = board
        self.symbols = symbols
        self.feeds = feeds
        self.last: dict[str, Quote] = {}
        self.newest_ms: dict[str, int] = {}  # by symbol: the newest time that was ever published
        self.switched_ms: dict[str, int] = {}
        self.limits_ms: dict[str, int] = {}
        self.returns = 0
        self.corrections = 0
        self.seen: set[str] = set()

    def take(self, updates: list[Quote], now: int, answer: Answer | None = None) -> None:
        """Each update follows from the one before, and none carries a price that never was. Time goes back by a correction alone."""
        for quote in updates:
            last = self.last.get(quote.symbol)
            self.last[quote.symbol] = quote
            self.newest_ms[quote.symbol] = max(self.newest_ms.get(quote.symbol, 0), quote.quote_time or 0)
            self.seen.add(quote.state)
            assert -10 < quote.price - (0 if quote.symbol in SIGNED else 100) < 10, f"{quote} is wild"
            self.check_sides(quote)
            corrected = answer is not None and isinstance(answer.get(quote.symbol), Correction)
            self.corrections += corrected
            if last is None:
                assert quote.seq == 1
                continue
            assert quote.seq == last.seq + 1
            assert quote.received_time >= last.received_time
            assert corrected or quote.quote_time is None or last.quote_time is None or quote.quote_time >= last.quote_time
            if quote.source != last.source:
                self.check_switch(last, quote, now)

    def check_sides(self, quote: Quote) -> None:
        """What is beside the price is a number that can be meant, or absent."""
        told = [side for side in (quote.bid, quote.ask, quote.open, quote.high, quote.low, quote.prev_close) if side is not None]
        assert all(math.isfinite(side) and (side > 0 or quote.symbol in SIGNED) for side in told)
        assert quote.bid is None or quote.ask is None or quote.bid <= quote.ask
        assert quote.volume is None or quote.volume >= 0
        assert quote.change_pct is None or (quote.price > 0 and abs(quote.change_pct) <= 1_000_000)

    def check_switch(self, last: Quote, quote: Quote, now: int) -> None:
        """Back to a better source that is not needed: at most once a minute."""
        order = self.symbols[quote.symbol].feed
        if order.index(quote.source) < order.index(last.source) and self.current(last, now):
            assert now - self.switched_ms.get(quote.symbol, 0) >= RETURN_REST_MS
            self.returns += 1
        self.switched_ms[quote.symbol] = now

    def current(self, quote: Quote, now: int) -> bool:
        """Whether its source had a newer price within its limit."""
        feed = self.feeds[quote.source]
        return (feed.trouble != "down" and feed.failures[quote.symbol] < 5
                and now - feed.true_ms[quote.symbol] < self.limits_ms.get(quote.symbol, 0))

    def check_states(self, now: int) -> None:
        """Nothing is fresh that is too old; nothing that somebody vouches for is anything else."""
        self.limits_ms = {entry["symbol"]: round(entry["stale_after_s"] * 1000) for entry in self.board.symbols_state()}
        assert max(self.limits_ms.values()) <= 300_000
        for symbol, quote in self.board.quotes.items():
            if quote.state == "fresh":
                assert now - self.feeds[quote.source].true_ms[symbol] < self.limits_ms[symbol]
            seen_ms = now - round(DELAY_MIN.get(quote.source, 0.0) * 60_000)
            market = OPEN.at(seen_ms) if self.symbols[symbol].calendar == "XNYS" else ALWAYS.at(seen_ms)
            assert market.phase == "open" or quote.state in (("closed", "failed") if rests(symbol) else ("fresh", "closed", "failed"))
            settled = seen_ms - market.since_ms >= SETTLED_MS and (market.phase == "open" or not rests(symbol))
            if settled and any(self.vouches(self.feeds[feed], quote, now) for feed in self.symbols[symbol].feed):
                assert quote.state == "fresh"

    def vouches(self, feed: Feed, quote: Quote, now: int) -> bool:
        """Whether a source has been well for a while, and has a price that is no older than any that was shown."""
        made_ms = feed.last[quote.symbol].quote_time if quote.symbol in feed.last else 0
        return now - feed.well_since_ms >= SETTLED_MS and (made_ms is None or made_ms >= self.newest_ms[quote.symbol])


def rests(symbol: str) -> bool:
    """Whether nobody trades it while the exchange is shut."""
    return int(symbol.removeprefix("S")) % 2 == 0


def price_of(seed: int) -> Callable[[str, int], float]:
    """What a symbol really costs at a time: it moves slowly, and without end."""
    phases: dict[str, float] = {}

    def price(symbol: str, ms: int) -> float:
        phase = phases.get(symbol) or phases.setdefault(symbol, Random(f"{seed} {symbol}").uniform(0, 7))
        return (0 if symbol in SIGNED else 100) + 5 * math.sin(ms / 60_000 + phase) + (ms % 1_000) / 10_000
    return price


@pytest.mark.parametrize("seed", [1, 6, 67_579_266])
def test_an_hour_of_faults(seed: int) -> None:
    """Every half second, all that was promised holds for every symbol."""
    random, price = Random(seed), price_of(seed)
    symbols = {}
    for number in range(50):
        listed = ("delayed",) if number % 10 == 0 else random.sample([name for name in TERMS if name != "delayed"], random.randrange(1, 6))
        signed = f"S{number}" in SIGNED
        symbols[f"S{number}"] = SymbolSettings(feed=tuple(listed), calendar=random.choice([None, None, "24/7", "XNYS"]),
                                               allow_negative=signed, max_jump=random.choice([None, 4.0]) if signed else None)
    feeds = {name: Feed(name, [symbol for symbol, wish in symbols.items() if name in wish.feed],
                        lambda symbol: symbols[symbol].calendar == "XNYS" and rests(symbol), random) for name in TERMS}
    board = Board("epoch")
    board.configure(symbols, TERMS, START)
    board.set_hours("XNYS", OPEN, START)
    account = Account(board, symbols, feeds)
    for now in range(START, START + HOUR_MS, SWEEP_MS):
        for name, feed in feeds.items():
            before = feed.trouble
            feed.look(now)
            if "down" in (before, feed.trouble):
                account.take(board.set_feed_down(name, feed.trouble == "down", now), now)
            if (now - START) % EVERY_MS[name] == 0:
                answer: Answer = dict(feed.answer(now, price))
                account.take(board.apply(name, answer, now), now, answer)
        account.take(board.sweep(now), now)
        account.check_states(now)
    state = board.quality_state(START + HOUR_MS)
    assert account.seen == {"fresh", "stale", "closed", "failed"}
    assert account.returns > 10
    assert account.corrections > 100
    assert state["switches"]["count"] > 100
    assert state["bad_ticks"]["count"] > 1_000
    assert {entry["field"] for entry in state["odd_fields"]["fields"]} == {"bid", "high", "volume", "low", "prev_close"}
