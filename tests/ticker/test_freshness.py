"""When silence makes a price stale, and what state follows."""

import pytest

from ticker.freshness import FeedTerms, limit_ms, state_of


@pytest.mark.parametrize(("symbol_limit_s", "terms", "expected_ms"), [
    (None, FeedTerms("polled", 2.0), 10_000),
    (None, FeedTerms("polled", 60.0), 180_000),
    (None, FeedTerms("simulated", 0.001), 10_000),
    (None, FeedTerms("streamed", 1.0), 30_000),
    (None, FeedTerms("streamed", 1.0, 5.0), 5_000),
    (None, FeedTerms("polled", 60.0, 1.5), 1_500),
    (0.5, FeedTerms("polled", 60.0, 1.5), 500),
    (1e-9, FeedTerms("polled", 60.0), 1),
], ids=["at least 10 s", "3 intervals", "fast", "stream", "stream with its own", "the feed's", "the symbol's goes first", "never 0"])
def test_limit(symbol_limit_s: float | None, terms: FeedTerms, expected_ms: int) -> None:
    """The symbol's limit, else the feed's, else by rule."""
    assert limit_ms(symbol_limit_s, terms) == expected_ms


def test_states() -> None:
    """Stale from the limit on; failed whatever the time, when no source can be counted on."""
    assert state_of(silent_ms=9_999, limit_ms=10_000, every_source_broken=False) == "fresh"
    assert state_of(silent_ms=10_000, limit_ms=10_000, every_source_broken=False) == "stale"
    assert state_of(silent_ms=0, limit_ms=10_000, every_source_broken=True) == "failed"
