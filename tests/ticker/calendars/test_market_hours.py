"""When markets are open: by a calendar's hours, and by what a source says of itself."""

import pytest

from ticker.calendars.market_hours import ALWAYS, MOVES_MS, NEVER, UNKNOWN, Hours, Market, PriceMove, StatedSession, TradingDay, market_at
from ticker.quote import MarketSession

HOURS = Hours([(1_000, 2_000), (2_500, 3_000), (5_000, 6_000)], 7_000)


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (0, Market("shut", 0, 1_000)),
        (999, Market("shut", 0, 1_000)),
        (1_000, Market("open", 1_000, 2_000)),
        (1_999, Market("open", 1_000, 2_000)),
        (2_000, Market("shut", 2_000, 2_500)),
        (2_999, Market("open", 2_500, 3_000)),
        (3_000, Market("shut", 3_000, 5_000)),
        (6_000, Market("shut", 6_000, 7_000)),
        (7_000, UNKNOWN),
    ],
)
def test_hours(ms: int, expected: Market) -> None:
    """Open from the first millisecond of a window to the last; a break is shut; nobody knows what lies beyond."""
    assert HOURS.at(ms) == expected


def test_no_window_at_all() -> None:
    """A week of holidays is shut."""
    assert Hours([], 7_000).at(10) == Market("shut", 0, 7_000)


def test_always_open() -> None:
    """At any time, for ever; also as a delayed source shows it."""
    assert ALWAYS.at(1_700_000_000_000) == Market("open", 0, NEVER)
    assert market_at(1_700_000_000_000, ALWAYS, 900_000, StatedSession("regular", 0, NEVER)) == Market("open", 0, NEVER)


def test_always_open_and_nobody_trades() -> None:
    """A market that never shuts is open all the same, and has no current price for as long as the source's word is good."""
    said = StatedSession("closed", 0, 1_700_000_001_000)
    assert market_at(1_700_000_000_000, ALWAYS, 0, said) == Market("open", 0, 1_700_000_001_000, untraded=True)
    assert market_at(1_700_000_001_000, ALWAYS, 0, said) == Market("open", 0, NEVER)


def test_a_delayed_source_opens_and_shuts_later() -> None:
    """By as much as it is behind."""
    assert market_at(1_099, HOURS, 100, None) == Market("shut", 0, 1_100)
    assert market_at(1_100, HOURS, 100, None) == Market("open", 1_100, 2_100)


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ("closed", Market("shut", 50, 900)),
        ("pre", Market("extended", 0, 900)),
        ("regular", Market("open", 50, 900)),
        ("post", Market("extended", 0, 900)),
        ("overnight", Market("extended", 0, 900)),
    ],
)
def test_a_source_knows_its_market(session: MarketSession, expected: Market) -> None:
    """Without a calendar its word is taken, for as long as it is good."""
    assert market_at(100, None, 0, StatedSession(session, 50, 900)) == expected
    assert market_at(899, None, 0, StatedSession(session, 50, 900)) == expected
    assert market_at(900, None, 0, StatedSession(session, 50, 900)) == UNKNOWN


@pytest.mark.parametrize(
    ("now_ms", "session", "expected"),
    [
        (1_500, "closed", "open"),
        (1_500, "pre", "open"),
        (3_500, "regular", "shut"),
        (3_500, "closed", "shut"),
        (3_500, "post", "extended"),
        (4_900, "pre", "extended"),
        (3_500, "overnight", "extended"),
        (1_500, "overnight", "open"),
        (8_000, "closed", "shut"),
        (8_000, "regular", "open"),
    ],
)
def test_a_calendar_goes_first(now_ms: int, session: MarketSession, expected: str) -> None:
    """Where it knows the day it decides what is open and what is shut; what is extended only the source knows."""
    assert market_at(now_ms, HOURS, 0, StatedSession(session, 0, NEVER)).phase == expected


def test_a_verdict_holds_until_the_next_change() -> None:
    """Of the calendar or of the source's word, whichever comes first."""
    assert market_at(3_500, HOURS, 0, StatedSession("post", 0, NEVER)).until_ms == 5_000
    assert market_at(3_500, HOURS, 0, StatedSession("post", 0, 4_000)).until_ms == 4_000


@pytest.mark.parametrize(("moved", "delay_ms", "said", "expected"), [
    (PriceMove(3_200, 3_001), 0, None, Market("extended", 3_000, 5_000, off_hours=True)),
    (PriceMove(3_200, 3_000), 0, None, Market("shut", 3_000, 5_000)),
    (PriceMove(3_200, 3_001), 100, None, Market("extended", 3_100, 5_100, off_hours=True)),
    (PriceMove(3_200, 3_000), 100, None, Market("shut", 3_100, 5_100)),
    (PriceMove(3_200 - MOVES_MS, 3_001), 0, None, Market("shut", 3_000, 5_000)),
    (PriceMove(4_000 - MOVES_MS, 3_001), 0, None, Market("extended", 3_000, 4_000, off_hours=True)),
    (PriceMove(3_200, 3_001), 0, StatedSession("regular", 0, NEVER), Market("extended", 3_000, 5_000, off_hours=True)),
    (PriceMove(3_200, 3_001), 0, StatedSession("closed", 0, NEVER), Market("shut", 3_000, 5_000)),
    (PriceMove(3_200, 3_001), 0, StatedSession("closed", 0, 3_400), Market("extended", 3_000, 5_000, off_hours=True)),
], ids=["moved", "before it shut", "seen later", "seen later and made before it shut", "long ago", "not so long ago", "whatever the source "
        "says of its market", "unless it is closed", "by a word that is worth nothing any more"])  # fmt: skip
def test_a_price_that_moves_while_the_calendar_says_shut(
    moved: PriceMove, delay_ms: int, said: StatedSession | None, expected: Market
) -> None:
    """There is a market outside the calendar's hours, for ten minutes, or until it opens."""
    assert market_at(3_500, HOURS, delay_ms, said, moved) == expected


def test_without_hours_a_price_that_moves_says_nothing() -> None:
    """Of a market of which nothing is known, nor of one that its source alone calls closed."""
    assert market_at(3_500, None, 0, None, PriceMove(3_200, 3_001)) == UNKNOWN
    assert market_at(3_500, None, 0, StatedSession("closed", 50, NEVER), PriceMove(3_200, 3_001)) == Market("shut", 50, NEVER)


@pytest.mark.parametrize(
    ("ms", "expected"),
    [(0, TradingDay(1_000, 3_000)), (2_999, TradingDay(1_000, 3_000)), (3_000, TradingDay(20_000_000, 20_001_000)), (20_001_000, None)],
)
def test_trading_days(ms: int, expected: TradingDay | None) -> None:
    """A break of half a second is within one, a night of five hours is not."""
    hours = Hours([(1_000, 2_000), (2_500, 3_000), (20_000_000, 20_001_000)], 30_000_000)
    assert hours.day_that_ends_after(ms) == expected
