"""What a scrape says of feeds and symbols."""

from __future__ import annotations

from tests.web.metrics.reading import scrape, total, value
from tests.web.relaying import Relaying, relaying
from ticker.errors import FeedError
from ticker.settings.reload import Reload


def test_feeds_are_counted_poll_by_poll() -> None:
    """Answers and what they took, then limits and failures, each at its own place."""
    with relaying(["ACME", "BETA"], {"ACME": 1.0, "BETA": 2.0}) as running:
        running.wait("BETA")
        first = scrape(running.http)
        assert value(first, "feed_polls_total", feed="feed", outcome="answered") >= 1
        assert value(first, "feed_poll_seconds_count", feed="feed") == total(first, "feed_polls_total")
        assert value(first, "feed_updates_total", feed="feed") == value(first, "updates_total") == 2
        assert [value(first, "feed_state", feed="feed", state=state) for state in ("ok", "retrying", "down")] == [1, 0, 0]
        running.down = FeedError("HTTP 429", status=429)
        while not value(limited := scrape(running.http), "feed_polls_total", feed="feed", outcome="limited"):
            running.server.engine.runtime.sleep(0.01)
        assert value(limited, "feed_state", feed="feed", state="ok") == 0
        running.down = FeedError("HTTP 500", status=500)
        while not value(scrape(running.http), "feed_polls_total", feed="feed", outcome="failed"):
            running.server.engine.runtime.sleep(0.01)


def test_every_symbol_has_a_state() -> None:
    """Counted by state; one that was rejected, and one that is waited for, too."""
    with relaying(["ACME", "QUIET", "NOPE"], {"ACME": 1.0, "NOPE": FeedError("no such", rejects_symbol=True)}) as running:
        running.wait("ACME")
        while value(scraped := scrape(running.http), "symbols", state="rejected") < 1:
            running.server.engine.runtime.sleep(0.01)
    assert {state: value(scraped, "symbols", state=state) for state in ("fresh", "pending", "rejected", "stale")} == {
        "fresh": 1,
        "pending": 1,
        "rejected": 1,
        "stale": 0,
    }
    assert [value(scraped, "symbol_state", symbol=symbol) for symbol in ("ACME", "QUIET", "NOPE")] == [0, 4, 5]
    assert 0 <= value(scraped, "symbol_age_seconds", symbol="ACME") <= value(scraped, "oldest_fresh_price_seconds") + 0.001
    assert ("tickercast_symbol_age_seconds", frozenset({("symbol", "QUIET")})) not in scraped


def test_the_number_of_series_is_bounded() -> None:
    """Only the first symbols of the settings have series of their own, as many as the settings say; all are counted."""
    symbols = [f"S{number}" for number in range(30)]
    scraped = scrape(Relaying(symbols, {}, metrics={"per_symbol": 7}).http)
    named = {dict(labels)["symbol"] for _, labels in scraped if "symbol" in dict(labels)}
    assert named == set(symbols[:7])
    assert value(scraped, "symbols", state="pending") == 30


def test_what_a_symbol_is_called_breaks_nothing() -> None:
    """Every character that a symbol may have comes back from the parser as it was."""
    odd = ["BTC/USD", "^GSPC", "EURUSD=X", "A+B", "A.B:C_D-E"]
    scraped = scrape(Relaying(odd, {}).http)
    assert [value(scraped, "symbol_state", symbol=symbol) for symbol in odd] == [4] * 5


def test_the_last_reload() -> None:
    """Whether it went well, when it was, and what waits for a restart."""
    running = Relaying(["ACME"], {})
    running.core.report_reload(Reload(False, 1_700_000_000_000, "port: must be a number", ("server.host",)))
    scraped = scrape(running.http)
    told = [value(scraped, f"config_{what}") for what in ("last_reload_successful", "last_reload_timestamp_seconds", "restart_required")]
    assert told == [0, 1_700_000_000, 1]
    assert value(scraped, "ready") == 0
