"""An hour of random faults on six feeds and some forty symbols, in stepped time, against an account that knows what really happened."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import msgspec
import pytest

from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.calendars.market_hours import ALWAYS, Hours
from ticker.errors import FeedError
from ticker.quote import Correction, MarketSession, Odd, Quote, Tick, correcting
from ticker.settings.model import SymbolSettings
from ticker.source import Answer

START = 1_700_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SWEEP_MS = 500
RETURN_REST_MS = 60_000
TERMS = {
    "quick": FeedTerms("polled", 1.0), "steady": FeedTerms("polled", 2.0, 8.0), "untimed": FeedTerms("polled", 2.0),
    "slow": FeedTerms("polled", 15.0), "stream": FeedTerms("streamed", 1.0), "delayed": FeedTerms("polled", 3.0)}  # fmt: skip
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
HALTING = frozenset(f"S{number}" for number in range(1, 50, 3)) - SIGNED
"""Symbols whose trading is halted now and then."""
DAILY = {"D0": 5 * HOUR_MS, "D1": 5 * HOUR_MS, "D2": 5 * HOUR_MS, "D3": 5 * DAY_MS, "D4": 5 * DAY_MS}
"""Symbols with a price a day, and how old it is. Of those with an even number the settings say so, of the others the ticks."""
TIMED = ("quick", "steady", "slow", "stream")
TROUBLES = ("none", "none", "none", "none", "silence", "frozen", "errors", "down", "garbage", "back", "gaps", "cancels", "halts",
            "times lost")  # fmt: skip
WORDS: dict[str, tuple[MarketSession, ...]] = {"open": ("regular",), "shut": ("closed", "pre", "post", "overnight")}
"""What a feed that is right says of a market."""
ODD: tuple[dict[str, Any], ...] = (
    {"bid": 107.0, "ask": 106.0}, {"bid": math.nan}, {"high": math.inf}, {"volume": -2_147_483_648.0}, {"prev_close": 1e-300},
    {"low": -200.0}, {"open": 0.0}, {"odd": (Odd("low", "not a number", "n/a"),)})  # fmt: skip
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
        self.heard_ms: dict[str, int] = {}  # when it had one
        self.shut: dict[str, bool] = {}  # whether it said then that nobody can trade
        self.says = "nothing"  # of sessions
        self.words: dict[str, MarketSession | None] = {}  # what it says of each symbol while it is wrong

    def look(self, now: int) -> None:
        """Trouble comes and goes."""
        if now >= self.until_ms:
            was = self.trouble
            self.says = self.random.choice(("nothing", "nothing", "right", "wrong"))
            self.words.clear()
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
                if is_good:
                    self.heard_ms[symbol] = now
                    self.shut[symbol] = isinstance(said, Tick) and (said.halted is True or said.session in WORDS["shut"])
                yield symbol, said

    def session(self, symbol: str, phase: str) -> MarketSession | None:
        """What it says of the market of a symbol, right, wrong, or nothing."""
        if self.says == "nothing":
            return None
        if self.says == "wrong":
            return self.words.setdefault(symbol, self.random.choice((None, "regular", *WORDS["shut"])))
        return self.random.choice(WORDS[phase])

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
        is_daily, is_lit = symbol in DAILY, self.name != "untimed"
        at_rest = self.rests(symbol) and market.phase == "shut"
        if at_rest:
            made = market.since_ms
        if is_daily:
            made = START - DAILY[symbol]
        beside: dict[str, Any] = self.random.choice(ODD) if self.random.random() < 0.1 else {}
        good = Tick(
            price=price(symbol, made),
            quote_time=made if is_lit else None,
            delay_min=DELAY_MIN.get(self.name),
            session=self.session(symbol, market.phase if self.rests(symbol) else "open"),
            cadence="day" if is_daily and int(symbol[1:]) % 2 else None,
            **beside,
        )
        if symbol in self.to_cancel:
            self.to_cancel.discard(symbol)
            self.well_since_ms = max(self.well_since_ms, now)  # a jump that was doubted is doubted anew
            restored = good if at_rest else self.last[symbol]
            self.true_ms[symbol] = now if restored.quote_time is None else self.true_ms[symbol]  # without a time, each answer counts
            return correcting(restored)
        if trouble == "cancels" and last is not None and not at_rest and self.random.random() < 0.3:
            self.to_cancel.add(symbol)
            self.true_ms[symbol] = now if good.quote_time is None else now - lag_ms
            return msgspec.structs.replace(good, price=good.price + 1)
        if trouble == "garbage" and last is not None and now - self.true_ms[symbol] < 60_000:
            self.spiked[symbol] = not self.spiked.get(symbol, False)
            if self.spiked[symbol]:
                wild = self.random.choice([math.nan, math.inf, 100 * SPIKES[self.name]] + ([] if symbol in SIGNED else [0.0, -1.0]))
                return msgspec.structs.replace(good, price=wild)
        if trouble == "back" and last is not None and last.quote_time is not None and self.random.random() < 0.5:
            return msgspec.structs.replace(good, quote_time=last.quote_time - self.random.randrange(1, 60_000))
        if trouble == "halts" and last is not None and symbol in HALTING:
            return msgspec.structs.replace(good if at_rest else last, halted=True)
        if trouble == "times lost" and last is not None and is_lit and not (is_daily or at_rest or symbol in SIGNED):
            if self.random.random() < 0.9:  # to say the same again proves nothing
                return msgspec.structs.replace(last, quote_time=None, untimed=True)
            self.true_ms[symbol] = now
            self.last[symbol] = msgspec.structs.replace(good, quote_time=None, untimed=True)
            return self.last[symbol]
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
        self.said_ms: dict[str, int] = {}  # since when its source says of the market what it says now
        self.shown: Counter[str] = Counter()  # how often what was promised was to be seen
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
            if last is None or (quote.source, quote.session) != (last.source, last.session):
                self.said_ms[quote.symbol] = now
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
        is_shut = self.symbols[quote.symbol].calendar == "XNYS" and OPEN.at(now).phase != "open"
        if order.index(quote.source) < order.index(last.source) and last.state == "fresh" and not is_shut and self.current(last, now):
            assert now - self.switched_ms.get(quote.symbol, 0) >= RETURN_REST_MS
            self.returns += 1
        self.switched_ms[quote.symbol] = now

    def current(self, quote: Quote, now: int) -> bool:
        """Whether its source had a newer price within its limit."""
        feed = self.feeds[quote.source]
        return (
            feed.trouble != "down"
            and feed.failures[quote.symbol] < 5
            and not feed.shut[quote.symbol]
            and now - feed.true_ms[quote.symbol] < self.limits_ms.get(quote.symbol, 0)
        )

    def check_states(self, now: int) -> None:
        """Nothing is fresh that is too old; nothing that somebody vouches for is anything else."""
        self.limits_ms = {entry.symbol: round(entry.stale_after_s * 1000) for entry in self.board.symbols_state()}
        assert max(limit_ms for symbol, limit_ms in self.limits_ms.items() if symbol not in DAILY) <= 300_000
        for symbol, quote in self.board.quotes.items():
            if symbol in DAILY:
                self.check_daily(quote)
                continue
            if quote.state == "fresh":
                assert now - self.feeds[quote.source].true_ms[symbol] < self.limits_ms[symbol]
            calendar = self.symbols[symbol].calendar
            seen_ms = now - round(DELAY_MIN.get(quote.source, 0.0) * 60_000)
            market = OPEN.at(seen_ms) if calendar == "XNYS" else ALWAYS.at(seen_ms)
            may_move = not rests(symbol) or quote.session in ("pre", "post", "overnight")
            assert market.phase == "open" or quote.state in (("fresh", "closed", "failed") if may_move else ("closed", "failed"))
            self.check_word(quote, calendar, now)
            settled = seen_ms - market.since_ms >= SETTLED_MS and (market.phase == "open" or not rests(symbol))
            is_open = calendar == "XNYS" and market.phase == "open"
            if settled and any(self.vouches(self.feeds[feed], quote, now, is_open) for feed in self.symbols[symbol].feed):
                assert quote.state == "fresh"

    def check_daily(self, quote: Quote) -> None:
        """A price a day is fresh all the time though it is hours old and nobody says it again, and stale where the next is overdue."""
        state = "fresh" if DAILY[quote.symbol] < 4 * DAY_MS else "stale"
        assert quote.state in (state, "failed")
        assert quote.symbol not in self.limits_ms or self.limits_ms[quote.symbol] == 4 * DAY_MS
        self.shown[f"daily {quote.state}"] += 1

    def check_word(self, quote: Quote, calendar: str | None, now: int) -> None:
        """Halted is closed, never fresh or stale. Without a calendar the source's word counts for as long as it is heard, and nobody calls
        a price closed without it; with one that says open it does not. Of a market that never shuts, a source that calls it closed has no
        fresh price.
        """
        feed, limit_ms = self.feeds[quote.source], self.limits_ms[quote.symbol]
        silent_ms = now - feed.heard_ms[quote.symbol]
        if quote.halted:
            assert quote.state in ("closed", "failed")
            self.shown["halted"] += 1
        elif calendar == "24/7":
            assert quote.state != "closed"
            assert quote.state != "fresh" or quote.session != "closed" or silent_ms >= limit_ms
        elif calendar is None and quote.state == "closed":
            opens_ms = limit_ms + round(DELAY_MIN.get(quote.source, 0.0) * 60_000)
            has_opened = quote.session == "regular" and now - self.said_ms[quote.symbol] < opens_ms
            assert quote.session in WORDS["shut"] or has_opened
            assert silent_ms < max(limit_ms, 3 * EVERY_MS[quote.source])
            self.shown[str(quote.session)] += 1
        elif calendar is None and quote.session == "closed":
            assert quote.state == "failed" or silent_ms >= limit_ms

    def vouches(self, feed: Feed, quote: Quote, now: int, is_open: bool) -> bool:
        """Whether a source has been well for a while, has a price that is no older than any that was shown, and does not say that its
        market is shut; where that `is_open` by a calendar, what it says does not count.
        """
        made_ms = feed.last[quote.symbol].quote_time if quote.symbol in feed.last else 0
        return (
            now - feed.well_since_ms >= SETTLED_MS
            and (made_ms is None or made_ms >= self.newest_ms[quote.symbol])
            and (is_open or not feed.shut.get(quote.symbol))
        )


def rests(symbol: str) -> bool:
    """Whether nobody trades it while the exchange is shut."""
    return int(symbol[1:]) % 2 == 0


def price_of(seed: int) -> Callable[[str, int], float]:
    """What a symbol really costs at a time: it moves slowly, and without end."""
    phases: dict[str, float] = {}

    def price(symbol: str, ms: int) -> float:
        phase = phases.get(symbol) or phases.setdefault(symbol, Random(f"{seed} {symbol}").uniform(0, 7))
        return (0 if symbol in SIGNED else 100) + 5 * math.sin(ms / 60_000 + phase) + (ms % 1_000) / 10_000

    return price


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 6])
def test_an_hour_of_faults(seed: int) -> None:
    """Every second, all that was promised holds for every symbol; and what updates must be they are with each."""
    random, price = Random(seed), price_of(seed)
    symbols = {}
    for number in range(32):
        listed = ("delayed",) if number % 10 == 0 else random.sample([name for name in TERMS if name != "delayed"], random.randrange(1, 6))
        signed = f"S{number}" in SIGNED
        symbols[f"S{number}"] = SymbolSettings(
            feed=tuple(listed),
            calendar=random.choice([None, None, "24/7", "XNYS"]),
            allow_negative=signed,
            max_jump=random.choice([None, 4.0]) if signed else None,
        )
    for number, daily in enumerate(DAILY):
        symbols[daily] = SymbolSettings(feed=tuple(random.sample(TIMED, 2 if number < 3 else 1)), cadence=None if number % 2 else "day")
    feeds = {
        name: Feed(
            name,
            [symbol for symbol, wish in symbols.items() if name in wish.feed],
            lambda symbol: symbols[symbol].calendar == "XNYS" and rests(symbol),
            random,
        )
        for name in TERMS
    }
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
        if now % 1_000 == 0:
            account.check_states(now)
    state = board.quality_state(START + HOUR_MS)
    assert account.seen == {"fresh", "stale", "closed", "failed"}
    assert account.returns > 10
    assert account.corrections > 100
    assert account.shown["halted"] > 300
    assert account.shown["closed"] > 300
    assert sum(account.shown[said] for said in ("pre", "post", "overnight")) > 0
    assert all(account.shown[f"daily {state}"] > 1_000 for state in ("fresh", "stale"))
    assert state.switches.count > 100
    assert state.bad_ticks.count > 1_000
    assert {entry.field for entry in state.odd_fields.fields} == {"bid", "high", "volume", "low", "prev_close"}
