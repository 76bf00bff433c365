"""The debug log tells of flushes that begin late, and does not drown in them."""

import logging

import pytest

from web.fanout.late_flushes import SAY_EVERY_S, LateFlushes

WINDOW_S = 0.1


def test_how_late_a_flush_began(caplog: pytest.LogCaptureFixture) -> None:
    """Against the window, or where that was over, against when there was something to send; a little late is not worth a line."""
    caplog.set_level(logging.DEBUG)
    late = LateFlushes()
    late.dirty(5.0)
    late.begin(5.13, 5.08, WINDOW_S)
    late.dirty(5.2)
    late.begin(5.24, 5.1, WINDOW_S)
    assert caplog.records == []
    late.dirty(6.0)
    late.begin(6.25, 6.1, WINDOW_S)
    late.dirty(20.0)
    late.begin(20.08, 6.2, WINDOW_S)
    assert [record.message for record in caplog.records] == [
        "a flush began 150.0 ms late, where a window is 100 ms long",
        "a flush began 80.0 ms late, where a window is 100 ms long",
    ]


def test_a_line_for_many(caplog: pytest.LogCaptureFixture) -> None:
    """It says how many were left out."""
    caplog.set_level(logging.DEBUG)
    late = LateFlushes()
    late.dirty(0.0)
    for begun_s in (1.0, 2.0, 3.0, 1.0 + SAY_EVERY_S):
        late.begin(begun_s, begun_s - WINDOW_S, WINDOW_S)
    assert caplog.records[-1].message.endswith("; so did 2 others since the last such line")
    assert len(caplog.records) == 2


def test_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is counted for a log that would not say it."""
    caplog.set_level(logging.INFO)
    late = LateFlushes()
    late.begin(1.0, 0.0, WINDOW_S)
    caplog.set_level(logging.DEBUG)
    late.begin(2.0, 1.0, WINDOW_S)
    assert [record.message for record in caplog.records] == ["a flush began 1000.0 ms late, where a window is 100 ms long"]
