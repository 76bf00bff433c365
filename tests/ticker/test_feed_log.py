"""What reaches the log, and how often."""

import pytest

from ticker.errors import FeedError
from ticker.feed_log import REPEAT_AFTER_S, FeedLog
from ticker.quote import Tick
from ticker.source import Unread


class Log:
    """What was logged, from INFO on."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        caplog.set_level("INFO")

    def take(self) -> list[str]:
        """The lines since last asked."""
        lines = [record.getMessage() for record in self._caplog.records]
        self._caplog.clear()
        return lines


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    """The log."""
    return Log(caplog)


def test_a_failure_is_logged_when_it_changes(log: Log) -> None:
    """Once for each reason, with the payload's excerpt, however the numbers and the payload in it vary."""
    feed_log = FeedLog("kraken")
    feed_log.failure(FeedError("HTTP 502 after 1.2 s", payload="<html>"), 3.0, 0.0)
    assert log.take() == ["feed kraken: HTTP 502 after 1.2 s [<html>]; next try in 3.0 s"]
    feed_log.failure(FeedError("HTTP 502 after 2.9 s", payload="<body>"), 6.0, 3.0)
    assert log.take() == []
    feed_log.failure(FeedError("not JSON"), 6.0, 9.0)
    feed_log.success()
    assert log.take() == ["feed kraken: not JSON; next try in 6.0 s", "feed kraken: answers again"]


def test_a_feed_that_comes_and_goes_is_mentioned_once_a_minute(log: Log) -> None:
    """Of each minute of failing every second poll, one failure and one recovery are logged."""
    feed_log = FeedLog("kraken")
    for second in range(0, round(3 * REPEAT_AFTER_S), 4):
        feed_log.failure(FeedError("HTTP 502"), 1.0, float(second))
        feed_log.success()
    lines = log.take()
    assert lines[0::2] == ["feed kraken: HTTP 502; next try in 1.0 s"] * 3
    assert lines[1::2] == ["feed kraken: answers again"] * 3


def test_a_feed_that_fails_on_is_mentioned_once(log: Log) -> None:
    """An outage of hours is one line."""
    feed_log = FeedLog("kraken")
    for minute in range(300):
        feed_log.failure(FeedError("HTTP 502"), 1.0, minute * 60.0)
    assert len(log.take()) == 1


def test_symbols_are_named_together(log: Log) -> None:
    """One line for all symbols that lack a price for the same reason, and only when that is new."""
    feed_log = FeedLog("kraken")
    answer = {f"S{number}": FeedError("no row") for number in range(8)}
    feed_log.symbols(answer)
    assert log.take() == ["feed kraken: no price for S0, S1, S2, S3, S4 and 3 more: no row"]
    feed_log.symbols(answer | {"S9": FeedError("not a price", payload="0")})
    assert log.take() == ["feed kraken: no price for S9: not a price [0]"]
    feed_log.symbols({"S0": Tick(price=1.0)})
    feed_log.forget("S1")
    feed_log.symbols(answer)
    assert log.take() == ["feed kraken: no price for S0, S1: no row"]


def test_a_bug_shows_where_it_is(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """A traceback, once, and once more when the same is still there a minute later."""
    feed_log = FeedLog("kraken")
    for second in (0.0, 1.0, REPEAT_AFTER_S):
        try:
            raise KeyError("gone")
        except KeyError as error:
            feed_log.bug(error, second)
            feed_log.failure(FeedError("internal error"), 1.0, second)
    assert "in test_a_bug_shows_where_it_is" in caplog.text
    assert [line for line in log.take() if "bug" in line] == ["feed kraken: a bug"] * 2


def test_bugs_that_take_turns_are_each_mentioned_once(log: Log) -> None:
    """They are told apart by where they are, whatever is in their words; of a feed that is stopped, none is mentioned."""
    feed_log, failures = FeedLog("kraken"), []
    for number in range(6):
        try:
            if number % 2:
                raise KeyError(number)
            raise ValueError(number)
        except (KeyError, ValueError) as error:
            failures.append(str(feed_log.bug(error, float(number))))
    assert failures[:2] == ["internal error: ValueError", "internal error: KeyError"]
    assert log.take() == ["feed kraken: a bug"] * 2
    feed_log.stop()
    feed_log.bug(RuntimeError("closed"), 6.0)
    assert log.take() == []


def test_a_slow_feed_is_mentioned_once(log: Log) -> None:
    """Not of one slow poll alone; then until a poll was in time again."""
    feed_log = FeedLog("kraken")
    feed_log.slow(9.5, 2.0)
    assert log.take() == []
    feed_log.slow(3.25, 2.0)
    feed_log.slow(3.5, 2.0)
    assert log.take() == ["feed kraken: a poll takes 3.2 s, longer than its interval of 2 s; one follows the other at once"]
    feed_log.in_time()
    feed_log.slow(3.25, 2.0)
    assert log.take() == []
    feed_log.slow(3.25, 2.0)
    assert len(log.take()) == 1


def test_rows_that_cannot_be_read_are_mentioned_once(log: Log) -> None:
    """Until there were none."""
    feed_log = FeedLog("bank")
    for rows in (2, 3):
        feed_log.unread(Unread(rows, "line 3: 1 instead of 2 cells"))
    assert log.take() == ["feed bank: 2 rows can't be read, the others are; line 3: 1 instead of 2 cells"]
    feed_log.unread(None)
    feed_log.unread(Unread(1, "line 9: 1 instead of 2 cells"))
    assert log.take() == ["feed bank: 1 row can't be read, the others are; line 9: 1 instead of 2 cells"]
