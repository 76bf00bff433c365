"""What people are told of prices: limits in force, sources that disagree, switches from one to another."""

from __future__ import annotations

import pytest

from tests.ticker.board.desk import NOW, Desk
from ticker.errors import FeedError


def test_sources_that_disagree() -> None:
    """Are told while they do: who, since when, and by how much."""
    desk = Desk("a", "b")
    desk.hear(100.0, "a")
    assert desk.state["divergences"] == []
    desk.hear(110.0, "b")
    assert desk.state["divergences"] == [
        {"symbol": "X", "feed": "b", "since": NOW + 4_000, "price": 110.0, "source": "a", "source_price": 100.0, "apart_pct": 10.0}
    ]
    desk.hear(101.0, "a")
    desk.hear(110.0, "b")
    (entry,) = desk.state["divergences"]
    assert (entry["since"], entry["apart_pct"]) == (NOW + 4_000, 8.9109)
    desk.hear(106.0, "b")
    assert desk.state["divergences"] == [], "5 % is not more than 5 %"


def test_the_source_in_use_comes_nearer() -> None:
    """Also then they agree again."""
    desk = Desk("a", "b")
    desk.hear(100.0, "a")
    desk.hear(110.0, "b")
    desk.hear(109.0, "a")
    assert desk.state["divergences"] == []


@pytest.mark.parametrize("end", ["silent", "down", "error", "another currency"])
def test_a_disagreement_ends_with_the_comparison(end: str) -> None:
    """A source that says nothing any more disagrees with nobody; nor does one that means another currency."""
    desk = Desk("a", "b")
    desk.hear(100.0, "a", currency="USD")
    desk.hear(110.0, "b")
    assert len(desk.state["divergences"]) == 1
    if end == "silent":
        for _ in range(5):
            desk.hear(100.0, "a")
    elif end == "down":
        desk.board.set_feed_down("b", True, desk.now)
    elif end == "error":
        desk.take(FeedError("unknown", rejects_symbol=True), "b")
    else:
        desk.hear(110.1, "b", currency="EUR")
    assert desk.state["divergences"] == []


def test_switches_are_remembered() -> None:
    """From whom to whom, when, and why; there and back."""
    desk = Desk("a", "b")
    desk.hear(100.0, "a")
    for _ in range(6):
        desk.hear(101.0, "b")
        desk.board.sweep(desk.now)
    for _ in range(31):
        desk.hear(101.0, "b")
        desk.hear(100.0, "a", passed_ms=0)
    state = desk.state["switches"]
    assert state["count"] == 2
    assert [(entry["from"], entry["to"], entry["reason"]) for entry in state["recent"]] == [("b", "a", "a is back"), ("a", "b", "stale")]
    assert [entry["at"] for entry in state["recent"]] == [NOW + 72_000, NOW + 12_000]


@pytest.mark.parametrize(
    ("trouble", "reason"), [("rejects", "the symbol is rejected"), ("down", "the feed is down"), ("errors", "5 errors running")]
)
def test_why_a_source_was_left(trouble: str, reason: str) -> None:
    """In words."""
    desk = Desk("a", "b", stale_after_s=60.0)
    desk.hear(100.0, "a")
    desk.hear(100.0, "b")
    if trouble == "rejects":
        desk.take(FeedError("unknown", rejects_symbol=True), "a")
    elif trouble == "down":
        desk.board.set_feed_down("a", True, desk.now)
    else:
        for _ in range(5):
            desk.take(FeedError("no row"), "a")
    assert desk.quote.source == "b"
    assert desk.state["switches"]["recent"][0]["reason"] == reason


def test_limits_in_force_are_told() -> None:
    """The limit, where it comes from, and what it is compared with."""
    desk = Desk()
    desk.hear(100.0)
    expected = {"symbol": "X", "source": "a", "state": "fresh", "error": None, "stale_after_s": 10.0, "stale_after_from": "interval",
                "current_as_of": NOW + 2_000, "market": "unknown", "market_until": None}  # fmt: skip
    assert desk.state["symbols"] == [expected]
    for _ in range(2):
        made = desk.now
        for _ in range(10):
            desk.hear(100.0, quote_time=made)
        desk.hear(100.1)
    assert desk.state["symbols"][0]["stale_after_from"] == "learnt"
    assert desk.state["symbols"][0]["stale_after_s"] == 45.0
    desk = Desk("a", stale_after_s=7.0, calendar="24/7")
    assert desk.state["symbols"] == [{**expected, "source": None, "state": None, "stale_after_s": 7.0, "stale_after_from": "settings",
                                      "current_as_of": None, "market": "open"}]  # fmt: skip


def test_a_removed_symbol_takes_its_record_along() -> None:
    """What it did is nobody's business any more."""
    desk = Desk("a", "b")
    desk.hear(100.0, "a")
    desk.hear(110.0, "b")
    desk.hear(200.0, "a")
    desk.board.configure({}, {}, desk.now)
    assert desk.state == {"symbols": [], "bad_ticks": {"count": 1, "recent": []}, "odd_fields": {"count": 0, "fields": []},
                          "divergences": [], "switches": {"count": 0, "recent": []}, "markets": []}  # fmt: skip
