"""How long a price may be believed; which state follows is told row by row in test_states.py."""

import pytest

from ticker.board.freshness import FeedTerms, current_ms, limit_ms, state_at
from ticker.calendars.market_hours import NEVER, UNKNOWN, Market
from ticker.quote import Tick

NOW = 1_700_000_000_000


@pytest.mark.parametrize(("symbol_limit_s", "terms", "interval_s", "expected_ms"), [
    (None, FeedTerms("polled", 2.0), None, 10_000),
    (None, FeedTerms("polled", 60.0), None, 180_000),
    (None, FeedTerms("simulated", 0.001), None, 10_000),
    (None, FeedTerms("streamed", 1.0), None, 30_000),
    (None, FeedTerms("streamed", 1.0, 5.0), None, 5_000),
    (None, FeedTerms("polled", 60.0, 1.5), None, 1_500),
    (0.5, FeedTerms("polled", 60.0, 1.5), None, 500),
    (1e-9, FeedTerms("polled", 60.0), None, 1),
    (None, FeedTerms("polled", 2.0), 20.0, 60_000),
    (5.0, FeedTerms("polled", 2.0), 20.0, 60_000),
    (None, FeedTerms("polled", 20.0), 2.0, 60_000),
    (200.0, FeedTerms("polled", 2.0), 20.0, 200_000),
], ids=["at least 10 s", "3 intervals", "fast", "stream", "stream with its own", "the feed's", "the symbol's goes first", "never 0",
        "polled less often", "also what is named follows", "polled more often", "long enough"])  # fmt: skip
def test_limit(symbol_limit_s: float | None, terms: FeedTerms, interval_s: float | None, expected_ms: int) -> None:
    """The symbol's limit, else the feed's, else by rule; longer where the symbol is polled less often."""
    assert limit_ms(symbol_limit_s, terms, interval_s) == expected_ms


@pytest.mark.parametrize(("tick", "last", "allowance_ms", "expected_ms"), [
    (Tick(price=1.0), None, 0, NOW),
    (Tick(price=1.0, untimed=True), None, 0, NOW - 1_000),
    (Tick(price=1.0, untimed=True), Tick(price=1.0, quote_time=NOW - 5_000), 0, 0),
    (Tick(price=1.0, untimed=True), Tick(price=1.1, quote_time=NOW - 5_000), 0, NOW - 1_000),
    (Tick(price=1.0, quote_time=NOW - 5_000), None, 0, NOW - 5_000),
    (Tick(price=1.0, quote_time=NOW + 5_000), None, 0, NOW - 1_000),
    (Tick(price=1.0, quote_time=NOW - 5_000), None, 4_000, NOW - 1_000),
    (Tick(price=1.0, quote_time=NOW - 5_000), None, 60_000, NOW),
    (Tick(price=1.0, quote_time=NOW - 5_000), Tick(price=1.1, quote_time=NOW - 6_000), 0, NOW - 5_000),
    (Tick(price=1.0, quote_time=NOW - 5_000), Tick(price=1.1, quote_time=NOW - 5_000), 0, NOW - 1_000),
    (Tick(price=1.0, bid=0.9, quote_time=NOW - 5_000), Tick(price=1.0, bid=0.8, quote_time=NOW - 5_000), 0, NOW - 1_000),
    (Tick(price=1.0, quote_time=NOW - 5_000, session="pre"), Tick(price=1.0, quote_time=NOW - 5_000, session="closed"), 0, NOW - 5_000),
    (Tick(price=1.0, quote_time=NOW - 5_000, ext_time=NOW - 2_000), None, 0, NOW - 2_000),
    (Tick(price=1.0, quote_time=NOW - 5_000, ext_time=NOW - 9_000), None, 0, NOW - 5_000),
], ids=["no time", "no time where there should be one", "once more, and no time", "the price moved, and no time",
        "its time", "a time ahead of ours", "delayed", "delayed by more than it is old", "a newer time", "the price moved, not "
        "the time", "so did the bid", "only the session moved", "an extended price that is newer", "and one that is older"])  # fmt: skip
def test_current(tick: Tick, last: Tick | None, allowance_ms: int, expected_ms: int) -> None:
    """A price first received a second ago and heard again now is as new as its source's word allows."""
    assert current_ms(tick, last, NOW - 1_000, NOW, allowance_ms) == expected_ms


def test_a_verdict_says_until_when_it_holds() -> None:
    """Whoever asks again then, and not before, misses no change."""
    times = {"heard_ms": NOW, "current_ms": NOW - 3_000, "limit_ms": 10_000}
    assert state_at(NOW, UNKNOWN, **times) == ("fresh", NOW + 7_000)
    assert state_at(NOW + 7_000, UNKNOWN, **times) == ("stale", NEVER)
    assert state_at(NOW, Market("open", 0, NOW + 1_000), **times) == ("fresh", NOW + 1_000)
    assert state_at(NOW + 7_000, Market("extended", 0, NOW + 20_000), **times) == ("closed", NOW + 10_000)
    assert state_at(NOW + 10_000, Market("extended", 0, NOW + 20_000), **times) == ("stale", NOW + 20_000)
    by_night = Market("extended", 0, NOW + 20_000, off_hours=True)
    assert [state_at(NOW + ms, by_night, **times) for ms in (0, 7_000, 19_000)] == [
        ("fresh", NOW + 7_000),
        ("closed", NOW + 20_000),
        ("closed", NOW + 20_000),
    ]
    assert state_at(NOW, Market("shut", 0, NOW + 60_000), **times) == ("closed", NOW + 60_000)
    assert state_at(NOW + 8_000, Market("open", NOW + 1_000, NEVER), **times) == ("closed", NOW + 11_000)
    assert state_at(NOW + 11_000, Market("open", NOW + 1_000, NEVER), **times) == ("stale", NEVER)
