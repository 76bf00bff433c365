"""What the log says at debug of the board's decisions: each change of a state, each switch of sources, each tick that is not believed."""

from __future__ import annotations

import logging

import pytest

from tests.ticker.board.boards import ANY_PRICE, LIMIT, NOW, TERMS, one_source, tick, two_sources
from ticker.board.board import Board
from ticker.calendars.market_hours import Hours
from ticker.errors import FeedError
from ticker.settings.model import SymbolSettings


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged of the board, at debug and above."""
    caplog.set_level(logging.DEBUG, "ticker.board")
    return caplog


def said(lines: pytest.LogCaptureFixture) -> list[str]:
    """The lines since this was last asked."""
    told = lines.messages
    lines.clear()
    return told


def test_states(lines: pytest.LogCaptureFixture) -> None:
    """One line for each change of a symbol's state, with what it follows from; none for a price that only moves."""
    board = one_source()
    board.apply("a", tick(1.0), NOW)
    assert said(lines) == ["X is fresh now, by a: last answer 0.0 s ago, price 0.0 s old, stale after 10 s (interval), market unknown"]
    board.apply("a", tick(1.1), NOW + 1_000)
    board.apply("a", tick(1.2), NOW + 2_000)
    assert said(lines) == []
    board.sweep(NOW + 2_000 + LIMIT)
    assert said(lines) == ["X is stale now, by a: last answer 10.0 s ago, price 10.0 s old, stale after 10 s (interval), market unknown"]
    for number in range(5):
        board.apply("a", {"X": FeedError("no answer")}, NOW + 20_000 + number)
    assert said(lines) == ["X is failed now, by a: 5 errors running"]


def test_a_market_that_shuts(lines: pytest.LogCaptureFixture) -> None:
    """The line names the market, and what the source says of its own."""
    board = Board("epoch")
    board.configure({"X": SymbolSettings(feed=("a",), calendar="XNYS")}, TERMS, NOW, ANY_PRICE)
    board.set_hours("XNYS", Hours([(NOW - 1_000, NOW + 5_000)], NOW + 90_000_000), NOW)
    board.apply("a", tick(1.0, halted=True), NOW)
    assert said(lines) == [
        "X is closed now, by a: last answer 0.0 s ago, price 0.0 s old, stale after 10 s (interval), market open, halted"
    ]
    board.apply("a", tick(1.1, upstream_state="stale"), NOW + 1_000)
    assert said(lines)[-1].endswith("market open, stale by its own word")
    board.sweep(NOW + 11_000)
    assert said(lines)[-1] == (
        "X is closed now, by a: last answer 10.0 s ago, price 10.0 s old, stale after 10 s (interval), market shut, stale by its own word"
    )


def test_switches_and_their_reasons(lines: pytest.LogCaptureFixture) -> None:
    """There and back. (Beyond those that everybody is told of they are for those who debug: test_incidents.py.)"""
    board = two_sources()
    board.apply("a", tick(1.0), NOW)
    board.set_feed_down("a", True, NOW)
    board.apply("b", tick(1.0), NOW + 5_000)
    board.apply("b", tick(1.0), NOW + 65_000)
    board.apply("a", tick(1.0), NOW + 70_000)
    assert [message for message in said(lines) if " comes from " in message] == [
        "X comes from b now, not from a: the feed is down",
        "X comes from a now, not from b: a is back",
    ]


def test_ticks_that_are_not_believed(lines: pytest.LogCaptureFixture) -> None:
    """The first of a kind is a warning; the others, which that does not repeat, are told at debug."""
    board = one_source()
    board.apply("a", tick(1.0, quote_time=NOW), NOW)
    lines.clear()
    for number in range(1, 4):
        board.apply("a", tick(1.1, quote_time=NOW - number * 1_000), NOW + number)
    assert [(record.levelname, record.getMessage().partition(": a tick")[2].partition(" [")[0]) for record in lines.records] == [
        (level, f" of X is not believed: made {number} s before the one before it")
        for number, level in enumerate(("WARNING", "DEBUG", "DEBUG"), 1)
    ]


def test_silent_without_debug(caplog: pytest.LogCaptureFixture) -> None:
    """A state that changes is no news for everybody."""
    caplog.set_level(logging.INFO, "ticker.board")
    board = one_source()
    board.apply("a", tick(1.0), NOW)
    board.sweep(NOW + LIMIT)
    assert caplog.records == []
