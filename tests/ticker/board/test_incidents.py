"""What is remembered of incidents is bounded, and what is logged of them too."""

import logging

import pytest

from ticker.board.incidents import LINES_PERIOD_S, MOST_LINES, MOST_LISTED, BadTicks, Disagreements, IncidentLog, OddFields, Switches
from ticker.quote import Odd
from ticker.wire import Divergence, LeftOut, Switch

NOW = 1_700_000_000_000


def test_so_many_lines_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """The last one says that it is; ten minutes later there are as many again, and also where the clock was set back."""
    lines, period_ms = IncidentLog(logging.WARNING), round(LINES_PERIOD_S * 1000)
    for start in (NOW, NOW + period_ms, NOW - 10 * period_ms):
        caplog.clear()
        for number in range(100):
            lines.tell(True, start + number, "line %d", number)
        said = [record.getMessage() for record in caplog.records]
        assert len(said) == MOST_LINES
        assert said[0] == "line 0"
        assert said[-1] == f"line {MOST_LINES - 1} (enough of this for ten minutes; /api/status has all)"


def test_whoever_debugs_is_told_all(caplog: pytest.LogCaptureFixture) -> None:
    """What is not new, and what is too much, at that level."""
    caplog.set_level(logging.DEBUG)
    lines = IncidentLog(logging.WARNING)
    for number in range(MOST_LINES + 2):
        lines.tell(number != 0, NOW, "line %d", number)
    at_level = [record.getMessage().split(" (")[0] for record in caplog.records if record.levelno == logging.WARNING]
    assert at_level == [f"line {number}" for number in range(1, MOST_LINES + 1)]
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG] == ["line 0", f"line {MOST_LINES + 1}"]


def test_bad_ticks_of_thousands(caplog: pytest.LogCaptureFixture) -> None:
    """All are counted, the newest are listed, the newest first; a feed gone mad does not flood the log."""
    bad = BadTicks()
    for number in range(1_000):
        bad.note(f"S{number}", "a", "jump", "too far", "{}", NOW + number)
    bad.note("S950", "a", "jump", "again", "x" * 1_000, NOW + 1_000)
    state = bad.state()
    assert state.count == 1_001
    assert [entry.symbol for entry in state.recent] == [
        "S950",
        *(f"S{number}" for number in range(999, 999 - MOST_LISTED, -1) if number != 950),
    ]
    assert (state.recent[0].count, state.recent[0].reason, len(state.recent[0].excerpt)) == (2, "again", 121)
    assert len(caplog.records) == MOST_LINES


def test_each_kind_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Of each symbol and feed; again after the symbol had left and come back."""
    bad = BadTicks()
    for kind in ("jump", "jump", "no price", "jump"):
        bad.note("X", "a", kind, kind, "{}", NOW)
    assert len(caplog.records) == 2
    bad.forget("X")
    bad.note("X", "a", "jump", "jump", "{}", NOW)
    assert len(caplog.records) == 3


def test_a_log_line_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the payload holds."""
    BadTicks().note("X", "a", "no price", "not a price", "1\r\n2\x1b[31m", NOW)
    assert "\n" not in caplog.records[0].getMessage()
    assert "\x1b" not in caplog.records[0].getMessage()


def test_odd_fields_of_thousands(caplog: pytest.LogCaptureFixture) -> None:
    """All are counted, the newest are listed, the newest first; the log has the first of each, and ends."""
    odd = OddFields()
    for number in range(1_000):
        for symbol in ("X", "Y"):
            odd.note(symbol, f"f{number}", Odd("bid", f"because of {symbol}", "x"), NOW + number)
    state = odd.state()
    assert (state.count, len(state.fields), len(caplog.records)) == (2_000, MOST_LISTED, MOST_LINES)
    newest = LeftOut(feed="f999", field="bid", count=2, symbol="Y", at=NOW + 999, reason="because of Y", excerpt="x")
    assert state.fields[0] == newest
    odd.keep({"f7"})
    assert [entry.feed for entry in odd.state().fields] == ["f7"]


def told(symbol: str, feed: str, since_ms: int) -> Divergence:
    """What is said of two sources that disagree."""
    return Divergence(symbol=symbol, feed=feed, since=since_ms, price=107.0, source="a", source_price=100.0, apart_pct=7.0)


def test_disagreements_are_listed_while_they_last() -> None:
    """Those that are over are forgotten by looking; `since` is when they began."""
    apart = Disagreements()
    apart.note("X", "b", "6 %", "a", NOW)
    apart.note("X", "b", "7 %", "a", NOW + 1_000)
    apart.note("Y", "b", "8 %", "a", NOW + 2_000)
    assert [(entry.symbol, entry.feed, entry.since) for entry in apart.state(lambda *of: told(*of) if of[0] == "X" else None)] == [
        ("X", "b", NOW)
    ]
    assert [entry.symbol for entry in apart.state(told)] == ["X"]
    apart.clear("X", "b")
    assert apart.state(told) == []


def test_the_last_switches() -> None:
    """All are counted, the newest are listed."""
    switches = Switches()
    for number in range(MOST_LISTED + 5):
        switches.note(f"S{number}", "a", "b", "stale", NOW + number)
    state = switches.state()
    assert (state.count, len(state.recent)) == (MOST_LISTED + 5, MOST_LISTED)
    assert state.recent[0] == Switch(symbol=f"S{MOST_LISTED + 4}", left="a", taken="b", reason="stale", at=NOW + MOST_LISTED + 4)
