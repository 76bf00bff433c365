"""A stream's life, in virtual time: the connections are the test's, the tasks are real."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import msgspec
import pytest

from tests.ticker.stepped import START_MS, subscriptions
from tests.ticker.streaming.streamers import Bench, streamer
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.source import Ended, Silence
from ticker.streaming.delivery import MOST_WAITING


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A streamer that is stopped in the end."""
    with streamer() as bench:
        yield bench


def test_one_connection_carries_all_symbols(bench: Bench) -> None:
    """They are asked for after connecting, and what comes is delivered message by message, in order."""
    bench.start("A", "B")
    assert bench.source.link.sent == [b"+a", b"+b"]
    bench.source.link.say(b"a 1.5", b"b 2.5", b"a 1.75")
    bench.time.run_s(0.01)
    assert bench.delivered == [{"A": Tick(price=1.5)}, {"B": Tick(price=2.5)}, {"A": Tick(price=1.75)}]
    assert len(bench.source.links) == 1
    assert msgspec.to_builtins(bench.streamer.wire_state()) == {
        "feed": "stream", "kind": "scripted_stream", "state": "ok", "last_success": START_MS + 10, "next_try": None, "error": None,
        "reconnects": 0, "gaps": 0, "folded": 0}  # fmt: skip


def test_symbols_come_and_go_on_the_same_connection(bench: Bench) -> None:
    """Within a moment, and without a word to those that stay."""
    bench.start("A", "B")
    new = bench.streamer.want(subscriptions("B", "C"))
    bench.time.run_s(0.3)
    assert [subscription.symbol for subscription in new] == ["C"]
    assert bench.source.link.sent[2:] == [b"+c", b"-a"]
    assert len(bench.source.links) == 1


def test_a_stream_of_nothing_is_closed_and_comes_back(bench: Bench) -> None:
    """No symbols, no connection; the first one opens it again."""
    bench.start("A")
    bench.streamer.want([])
    bench.time.run_s(0.3)
    assert bench.source.link.closed
    bench.start("B")
    assert len(bench.source.links) == 2
    assert bench.source.link.sent == [b"+b"]


def test_a_cut_is_followed_by_a_new_connection_and_a_new_subscription(bench: Bench) -> None:
    """After a pause of at least one interval and at most two; prices make all well again."""
    bench.start("A")
    bench.source.link.say(b"a 1", Ended("cut"))
    bench.time.run_s(0.01)
    assert bench.told == [("retrying", "cut")]
    next_try_ms = bench.streamer.wire_state().next_try
    assert next_try_ms is not None
    bench.time.run_s(1.5)
    assert 0.5 <= bench.source.opened_s[1] - 0.01 <= 1.26
    assert bench.source.link.sent == [b"+a"]
    assert bench.state() == "retrying"
    bench.source.link.say(b"a 2")
    bench.time.run_s(0.01)
    assert bench.told == [("retrying", "cut"), ("ok", None)]
    assert bench.streamer.wire_state().next_try is None
    assert bench.streamer.wire_state().reconnects == 1


def test_the_pause_grows_until_prices_come_whatever_connects(bench: Bench) -> None:
    """A server that lets us in and cuts us off is not well: five such in a row, and the feed is down."""
    bench.start("A")
    for _ in range(6):
        bench.source.link.say(b"ack", Ended("cut"))
        before = len(bench.source.links)
        while len(bench.source.links) == before:
            bench.time.run_s(1)
    assert bench.state() == "down"
    assert bench.source.opened_s[6] - bench.source.opened_s[5] > 2.0
    bench.source.link.say(b"a 1", Ended("cut"))
    bench.time.run_s(2)
    assert bench.source.opened_s[7] - bench.source.opened_s[6] < 3.0
    assert bench.state() == "retrying"


def test_the_pause_is_bounded(bench: Bench) -> None:
    """Five minutes at most, with a jitter that keeps a crowd apart."""
    bench.source.refusals = [FeedError("connection refused") for _ in range(40)]
    bench.start("A")
    bench.time.run_s(20_000)
    pauses = [after - before for before, after in zip(bench.source.opened_s, bench.source.opened_s[1:], strict=False)]
    assert max(pauses) <= 300.5
    assert len({round(pause) for pause in pauses}) > 10


def test_what_the_provider_asks_for_is_kept(bench: Bench) -> None:
    """`Retry-After` of a refused handshake; and half a minute at least where the key is wrong."""
    bench.source.refusals = [FeedError("too many", retry_after_s=7.0), FeedError("wrong key", retryable=False)]
    bench.start("A")
    bench.time.run_s(100)
    assert 7.0 <= bench.source.opened_s[1] - bench.source.opened_s[0] <= 8.1
    assert 30.0 <= bench.source.opened_s[2] - bench.source.opened_s[1] <= 60.5


def test_a_refusal_on_the_connection_is_like_one_before_it(bench: Bench) -> None:
    """The key is judged after the handshake by many."""
    bench.start("A")
    bench.source.link.say(b"over key")
    bench.time.run_s(20)
    assert bench.error() == "key"
    assert len(bench.source.links) == 1
    bench.time.run_s(50)
    assert len(bench.source.links) == 2


def test_a_missing_heartbeat_is_a_dead_connection(bench: Bench) -> None:
    """Where the protocol promises one: whatever TCP says, and whatever pings are answered."""
    bench.source.silence = Silence(5.0, heartbeat=True)
    bench.start("A")
    for _ in range(20):
        bench.source.link.say(b"beat")
        bench.time.run_s(1)
    assert len(bench.source.links) == 1
    bench.source.link.say(None)
    bench.time.run_s(4.5)
    assert bench.source.links[0].closed
    assert bench.error() == "no heartbeat for 5 s"


def test_quiet_symbols_are_left_alone(bench: Bench) -> None:
    """A heartbeat and no price for an hour: the connection stays, and the feed is well."""
    bench.source.silence = Silence(5.0, heartbeat=True)
    bench.start("A")
    bench.source.link.say(b"a 1")
    for _ in range(1800):
        bench.source.link.say(b"beat")
        bench.time.run_s(2)
    assert len(bench.source.links) == 1
    assert bench.told == []


def test_a_connection_without_a_byte_is_probed_then_dead(bench: Bench) -> None:
    """A sign of life is asked for after 15 s; without one it is over after 30."""
    bench.start("A")
    bench.time.run_s(16)
    assert bench.source.link.pings == 1
    bench.time.run_s(200)
    assert len(bench.source.links) == 1
    bench.source.link.answers_pings = False
    bench.time.run_s(46)
    assert bench.source.links[0].closed
    assert str(bench.error()).startswith("not a byte for 3")


def test_a_mute_connection_is_renewed_less_and_less_often(bench: Bench) -> None:
    """Without heartbeats nobody knows whether it is night or the subscription was lost. It costs a connection, and no `retrying`."""
    bench.source.silence = Silence(300.0, heartbeat=False)
    bench.start("A")
    bench.source.link.say(b"ack")
    for _ in range(4 * 3600):
        bench.time.run_s(1)
        if bench.source.link.sent and not bench.streamer._connections[-1].session.ready:
            bench.source.link.say(b"ack")
    assert bench.told == []
    since = [round(after - before, -1) for before, after in zip(bench.source.opened_s, bench.source.opened_s[1:], strict=False)]
    assert since == [300, 600, 1200, 2400, 3600, 3600]


def test_a_quiet_night_is_no_failure(bench: Bench) -> None:
    """A connection that is ready for ten seconds makes the feed well, though nobody trades; after a minute it has proven itself."""
    bench.source.refusals = [FeedError("no") for _ in range(4)]
    bench.start("A")
    bench.time.run_s(30)
    bench.source.link.say(b"ack")
    assert bench.state() == "retrying"
    bench.time.run_s(11)
    assert bench.state() == "ok"
    bench.time.run_s(60)
    bench.source.link.say(Ended("cut"))
    bench.time.run_s(1.5)
    assert len(bench.source.links) == 2


def test_a_slow_board_never_stops_the_reading(bench: Bench) -> None:
    """All messages are read at once; what waits too long is folded to the newest of each symbol, and counted."""
    bench.start("A", "B")
    bench.slow_s = 10.0
    bench.source.link.say(b"b 1")
    for price in range(1, 2 * MOST_WAITING + 1):
        bench.source.link.say(b"a %d" % price)
    bench.time.run_s(1)
    assert not bench.source.link._waiting
    bench.slow_s = 0.0
    bench.time.run_s(1000)
    assert bench.prices()[-1] == 2 * MOST_WAITING
    assert bench.streamer.wire_state().folded == 2 * MOST_WAITING + 1 - len(bench.prices())
    assert bench.streamer.wire_state().folded


def test_a_message_that_makes_no_sense_costs_only_itself(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """It is mentioned once; a hundred running end the connection."""
    bench.start("A")
    with caplog.at_level(logging.WARNING):
        for _ in range(99):
            bench.source.link.say(b"what?")
        bench.source.link.say(b"a 1")
        for _ in range(99):
            bench.source.link.say(b"what?")
        bench.time.run_s(0.1)
    assert bench.prices() == [1]
    assert len(caplog.records) == 1
    bench.source.link.say(b"what?")
    bench.time.run_s(0.1)
    assert bench.source.link.closed
    assert "make no sense" in str(bench.error())


def test_a_bug_in_a_protocol_ends_the_connection_only(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """With a traceback in the log; the next connection has another chance."""
    bench.start("A")
    bench.source.link.say(b"bug")
    bench.time.run_s(0.1)
    assert bench.error() == "internal error: ZeroDivisionError"
    assert any(record.exc_info for record in caplog.records)
    bench.time.run_s(2)
    bench.source.link.say(b"a 1")
    bench.time.run_s(0.1)
    assert bench.state() == "ok"


def test_gaps_and_facts_outlive_their_connection(bench: Bench) -> None:
    """What was counted stays counted, and a change of a fact is told."""
    bench.start("A")
    bench.source.link.say(b"gap", b"gap", b"fact one", b"a 1")
    bench.time.run_s(0.1)
    assert len(bench.told) == 1
    bench.source.link.say(Ended("cut"))
    bench.time.run_s(2)
    bench.source.link.say(b"gap")
    bench.time.run_s(0.1)
    state = bench.streamer.wire_state()
    assert state.gaps == 3


def test_after_the_stop_nothing_is_delivered(bench: Bench) -> None:
    """And the connection is closed within a moment, by the task that uses it."""
    bench.start("A")
    bench.streamer.stop()
    bench.source.link.say(b"a 1")
    bench.time.run_s(0.3)
    assert bench.source.closed
    assert bench.source.link.closed
    assert bench.delivered == []
