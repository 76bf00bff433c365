"""The rate at which peers send."""

from __future__ import annotations

import pytest

from bench.payload import template
from bench.peers.pace import Pace, Quotes


def test_commands_may_come_in_pieces() -> None:
    """A pipe cuts where it likes; the newest whole line counts."""
    pace = Pace()
    pace.obey("ra")
    assert pace.hz == 0
    pace.obey("te 2.5\nrate 4\nrate 1")
    assert pace.hz == 4
    pace.obey("00\n")
    assert pace.hz == 100


def test_a_late_round_is_not_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second's delay the next round is due at once, the one after it a period later."""
    now = 100.0
    monkeypatch.setattr("bench.peers.pace.time.monotonic", lambda: now)
    pace = Pace()
    pace.obey("rate 10\n")
    pace.begin()
    assert pace.wait_s() == pytest.approx(0.1)
    now = 101.0
    pace.begin()
    assert pace.wait_s() == 0
    pace.begin()
    assert pace.wait_s() == pytest.approx(0.1)


def test_every_round_has_a_new_seq_and_one_stamp() -> None:
    """All symbols of a round carry the same `seq` and time, so that a batch is a batch."""
    quotes = Quotes(3, template(300))
    first, second = quotes.round(), quotes.round()
    assert [name for name, _ in first] == ["S0000", "S0001", "S0002"]
    assert {quote["symbol"] for _, quote in first} == {"S0000", "S0001", "S0002"}
    assert len({(quote["seq"], quote["received_time"]) for _, quote in first}) == 1
    assert second[0][1]["seq"] == first[0][1]["seq"] + 1
