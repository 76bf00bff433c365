"""A bug that clients reach at will does not flood the log, and no other bug is hidden by it."""

import logging

import pytest

from web.fanout.bugs import BURST, PERIOD_S, Bugs


def test_each_bug_a_few_times_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """With their tracebacks; then how often it went wrong besides."""
    now_s = 0.0
    bugs = Bugs(logging.getLogger("x"), lambda: now_s)
    for number in range(100):
        try:
            int("one")
        except ValueError:
            bugs.report("number %d", number)
    try:
        int("another")
    except ValueError:
        bugs.report("something else")
    assert [record.message for record in caplog.records] == [f"number {number}" for number in range(BURST)] + ["something else"]
    assert all(record.exc_info for record in caplog.records)

    now_s = PERIOD_S
    for _ in range(2):
        try:
            dict[str, int]()["x"]
        except KeyError:
            bugs.report("later")
    assert caplog.records[-1].message == "later"


def test_what_was_left_out_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """When it happens again a minute later."""
    now_s = 0.0
    bugs = Bugs(logging.getLogger("x"), lambda: now_s)
    for number in range(100):
        now_s = PERIOD_S if number == 99 else 0.0
        try:
            int("one")
        except ValueError:
            bugs.report("oh")
    assert [record.message for record in caplog.records][-2:] == [f"the same went wrong {99 - BURST} times more", "oh"]
