"""One connection after the other: planned ends, and successors that take over unseen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ticker.streaming.streamers import Bench, streamer
from ticker.errors import FeedError
from ticker.source import Ended


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A streamer that is stopped in the end."""
    with streamer() as bench:
        yield bench


def test_a_planned_cut_is_invisible(bench: Bench) -> None:
    """The new connection is subscribed and acknowledged before the old one is given up, which brings prices until then."""
    bench.source.longest_s = 100.0
    bench.start("A")
    old = bench.source.link
    old.say(b"ack", b"a 1")
    bench.time.run_s(99)
    assert len(bench.source.links) == 1
    bench.time.run_s(2)
    new = bench.source.link
    assert new is not old
    assert new.sent == [b"+a"]
    old.say(b"a 2")
    bench.time.run_s(1)
    assert bench.closed() == [False, False]
    new.say(b"ack")
    bench.time.run_s(1)
    assert bench.closed() == [True, False]
    new.say(b"a 3")
    bench.time.run_s(1)
    assert bench.prices() == [1, 2, 3]
    assert bench.told == []
    bench.time.run_s(98)
    assert len(bench.source.links) == 3


def test_a_server_that_says_goodbye_is_left_in_time(bench: Bench) -> None:
    """`serverShutdown` and its like."""
    bench.start("A")
    old = bench.source.link
    old.say(b"ack", b"leaving")
    bench.time.run_s(1)
    assert len(bench.source.links) == 2
    bench.source.link.say(b"ack")
    bench.time.run_s(1)
    assert old.closed
    assert bench.told == []


def test_a_successor_that_is_not_ready_costs_nothing(bench: Bench) -> None:
    """It is given up after a while and tried again; the old connection goes on."""
    bench.source.longest_s = 100.0
    bench.start("A")
    old = bench.source.link
    old.say(b"ack", b"a 1")
    bench.time.run_s(101)
    bench.source.refusals = [FeedError("full")]
    for _ in range(50):
        old.say(b"a 2")
        bench.time.run_s(1)
    assert bench.closed() == [False, True]
    assert bench.told == []
    for _ in range(30):
        old.say(b"a 2")
        bench.time.run_s(1)
    assert len(bench.source.links) == 3
    bench.source.link.say(b"ack")
    bench.time.run_s(1)
    assert bench.closed() == [True, True, False]


def test_a_cut_while_the_successor_is_coming_waits_for_it(bench: Bench) -> None:
    """Not a third connection."""
    bench.start("A")
    bench.source.link.say(b"ack", b"leaving")
    bench.time.run_s(1)
    bench.source.links[0].say(Ended("cut"))
    bench.time.run_s(5)
    assert len(bench.source.links) == 2
    bench.source.link.say(b"ack", b"a 5")
    bench.time.run_s(1)
    assert bench.state() == "ok"
    assert len(bench.source.links) == 2
    bench.source.link.say(b"a 6")
    bench.time.run_s(1)
    assert bench.prices() == [5, 6]


def test_a_pause_after_a_cut_is_over_when_the_successor_brings_prices(bench: Bench) -> None:
    """What the old connection was told to wait is not waited when the new one is cut in its turn."""
    bench.start("A")
    bench.source.link.say(b"ack", b"leaving")
    bench.time.run_s(1)
    bench.source.links[0].say(Ended("cut", retry_after_s=250.0))
    bench.time.run_s(1)
    bench.source.link.say(b"ack", b"a 5")
    bench.time.run_s(1)
    assert bench.state() == "ok"
    bench.source.link.say(Ended("cut"))
    bench.time.run_s(1)
    assert bench.state() == "retrying"
    next_try_ms = bench.streamer.feed_state.next_try_ms
    assert next_try_ms is not None
    bench.time.run_s((next_try_ms - bench.time.now_ms()) / 1000 + 1)
    assert len(bench.source.links) == 3


def test_who_allows_one_connection_only_is_left_before_it_is_joined(bench: Bench) -> None:
    """Then the old one goes first, at once and without a pause."""
    bench.source.longest_s, bench.source.overlaps = 100.0, False
    bench.start("A")
    bench.source.link.say(b"ack", b"a 1")
    bench.time.run_s(101)
    assert bench.source.links[0].closed
    assert len(bench.source.links) == 2
    assert bench.told == []


@pytest.mark.parametrize("answers", [True, False])
def test_the_other_side_may_notice_that_we_leave_before_we_come_again(bench: Bench, answers: bool) -> None:
    """Where one connection only is allowed, the old one counts until it has; for a second at most."""
    bench.source.longest_s, bench.source.overlaps = 100.0, False
    bench.start("A")
    bench.source.link.ends_when_left = answers
    bench.source.link.say(b"ack", b"a 1")
    bench.time.run_s(102)
    left_s = bench.source.links[0].left_s
    assert left_s is not None
    assert bench.source.opened_s[1] == pytest.approx(left_s + (0 if answers else 1))
    assert bench.told == []


def test_a_planned_end_is_followed_at_once(bench: Bench) -> None:
    """The end of a recording: what comes next begins anew."""
    bench.start("A")
    bench.source.link.say(b"a 1", b"over planned")
    bench.time.run_s(0.1)
    assert len(bench.source.links) == 2
    assert bench.anew == 1
    assert bench.told == []


def test_planned_ends_without_a_word_are_failures(bench: Bench) -> None:
    """Else it would go round and round."""
    bench.start("A")
    bench.source.link.say(b"over planned")
    bench.time.run_s(0.1)
    assert len(bench.source.links) == 1
    assert bench.state() == "retrying"


def test_the_debug_log_tells_of_each_connection(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """What is made, what it subscribes to, what takes over from it, and when it is closed."""
    caplog.set_level("DEBUG")
    bench.source.longest_s = 100.0
    bench.start("A", "B")
    bench.source.link.say(b"ack", b"a 1")
    bench.time.run_s(102)
    bench.source.link.say(b"ack")
    bench.time.run_s(1)
    told = [record.getMessage().partition(": ")[2] for record in caplog.records]
    assert [line.partition(" after ")[0] for line in told] == [
        "connects, for 2 symbols",
        "subscribes to 2 symbols",
        "a second connection is to take the place of the first",
        "connects, for 2 symbols",
        "subscribes to 2 symbols",
        "the second connection takes over",
        "closes a connection",
    ]
