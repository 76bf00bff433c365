"""Several sources of one symbol: which of them its price comes from."""

import pytest

from tests.ticker.board.boards import LIMIT, NOW, UNKNOWN, seen, state, tick, two_sources
from ticker.board.failover import RETURN_REST_MS


def test_errors_of_several_sources_name_the_feed() -> None:
    """Where a symbol has several feeds, it is said which one has the error; rejected is who is rejected by all."""
    board = two_sources()
    board.apply("b", {"X": UNKNOWN}, NOW)
    assert (state(board)["status"], state(board)["error"]) == ("pending", "b: unknown")
    board.apply("a", {"X": UNKNOWN}, NOW)
    assert (state(board)["status"], state(board)["error"]) == ("rejected", "a: unknown")


def test_the_first_source_that_has_a_price() -> None:
    """A price as soon as anybody has one; the preferred source takes over with its first."""
    board = two_sources()
    assert seen(board.apply("b", tick(2.0), NOW)) == [(1, 2.0, "b", "fresh")]
    assert seen(board.apply("a", tick(1.0), NOW + 100)) == [(2, 1.0, "a", "fresh")]
    assert board.apply("b", tick(2.1), NOW + 200) == []


@pytest.mark.parametrize("trouble", ["stale", "down", "rejects"])
def test_the_next_source_takes_over_at_once(trouble: str) -> None:
    """With its newest price, the moment the first one can't be counted on."""
    board = two_sources()
    board.apply("a", tick(1.0), NOW)
    board.apply("b", tick(2.0), NOW + 1_000)
    board.apply("b", tick(2.5), NOW + 8_000)
    updates = {
        "stale": lambda: board.sweep(NOW + LIMIT),
        "down": lambda: board.set_feed_down("a", True, NOW + LIMIT),
        "rejects": lambda: board.apply("a", {"X": UNKNOWN}, NOW + LIMIT),
    }[trouble]()
    assert seen(updates) == [(2, 2.5, "b", "fresh")]
    assert updates[0].received_time == NOW + 8_000
    assert seen(board.apply("b", tick(2.6), NOW + LIMIT + 1)) == [(3, 2.6, "b", "fresh")]


def test_back_to_the_better_source_after_a_minute() -> None:
    """The better source is left waiting for a minute after a switch, then gets the symbol with its next answer."""
    board = two_sources()
    board.apply("a", tick(1.0), NOW)
    board.apply("b", tick(2.0), NOW)
    board.set_feed_down("a", True, NOW)
    assert board.apply("a", tick(1.1), NOW + 1_000) == []
    for now in range(NOW + 5_000, NOW + RETURN_REST_MS, 5_000):
        board.apply("b", tick(2.0), now)
    assert board.apply("a", tick(1.2), NOW + RETURN_REST_MS - 1) == []
    assert seen(board.apply("a", tick(1.3), NOW + RETURN_REST_MS)) == [(3, 1.3, "a", "fresh")]


def test_no_step_back_across_a_switch() -> None:
    """The next source does not take over with a price older than the one shown, only with its first newer one."""
    board = two_sources()
    board.apply("a", tick(1.0, quote_time=NOW), NOW)
    board.apply("b", tick(2.0, quote_time=NOW - 1), NOW + 9_000)
    assert seen(board.sweep(NOW + LIMIT)) == [(2, 1.0, "a", "stale")]
    assert seen(board.apply("b", tick(2.1, quote_time=NOW + LIMIT), NOW + LIMIT + 1)) == [(3, 2.1, "b", "fresh")]


def test_no_step_back_of_the_time_received() -> None:
    """A source whose price has stood unchanged for longer than the other's takes over without turning `received_time` back."""
    board = two_sources()
    board.apply("a", tick(1.0), NOW)
    board.apply("b", tick(2.0), NOW + 1_000)
    board.apply("a", tick(1.1), NOW + 9_000)
    board.apply("b", tick(2.0), NOW + 10_000)
    assert [(quote.source, quote.received_time) for quote in board.set_feed_down("a", True, NOW + 10_500)] == [("b", NOW + 9_000)]


def test_failed_only_when_every_source_is() -> None:
    """One source that may still answer keeps the price fresh to its limit, then stale, rather than failed."""
    board = two_sources()
    board.apply("a", tick(1.0), NOW)
    assert board.set_feed_down("a", True, NOW) == []
    assert seen(board.sweep(NOW + LIMIT)) == [(2, 1.0, "a", "stale")]
    assert seen(board.set_feed_down("b", True, NOW + LIMIT)) == [(3, 1.0, "a", "failed")]
