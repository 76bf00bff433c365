"""A stream's life, in virtual time: the connections are the test's, the tasks are real."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from tests.ticker.stepped import START_MS, ScriptedSource, subscriptions
from tests.ticker.virtual import ScriptedStream, VirtualTime
from ticker.errors import FeedError
from ticker.inbox import BACKLOG
from ticker.quote import Tick
from ticker.source import Answer, Subscription
from ticker.stream import Ended, Silence
from ticker.streamer import Streamer


class Bench:
    """A streamer, its source, and all that it delivered and told."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.source = ScriptedStream(self.time)
        self.delivered: list[Answer] = []
        self.told: list[tuple[str, str | None]] = []
        self.anew = 0
        self.slow_s = 0.0
        self.streamer = self.make()

    def make(self) -> Streamer:
        """A streamer of the source as it is."""
        return Streamer(self.source, self.time, self.time, "here", deliver=self.deliver, changed=self.changed,
                        anew=self.begin_anew, random=Random(1))

    def ask_beside(self, batch_size: int | None = None) -> ScriptedSource:
        """Let the source have somebody to ask for prices beside the stream."""
        self.source.snapshots = ScriptedSource(batch_size=batch_size)
        self.streamer = self.make()
        return self.source.snapshots

    def deliver(self, answer: Answer) -> None:
        """Take what came, in `slow_s` seconds."""
        self.delivered.append(answer)
        if self.slow_s:
            self.time.sleep(self.slow_s)

    def changed(self) -> None:
        """Remember the state that is told."""
        self.told.append((self.streamer.state, self.error()))

    def begin_anew(self) -> None:
        """Count it."""
        self.anew += 1

    def start(self, *symbols: str) -> None:
        """Want symbols, and let the stream run for a moment."""
        self.streamer.want(subscriptions(*symbols))
        self.time.spawn(self.streamer.run)
        self.time.run_s(0.01)

    def state(self) -> str:
        """As it is told."""
        return self.streamer.state

    def error(self) -> str | None:
        """As it is told."""
        error: str | None = self.streamer.wire_state()["error"]
        return error

    def closed(self) -> list[bool]:
        """Which of the connections made so far are closed."""
        return [link.closed for link in self.source.links]

    def prices(self) -> list[float]:
        """Of everything delivered."""
        return [news.price for answer in self.delivered for news in answer.values() if isinstance(news, Tick)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A streamer that is stopped in the end."""
    bench = Bench()
    yield bench
    bench.streamer.stop()
    bench.time.run_s(60)
    assert all(bench.closed())


def test_one_connection_carries_all_symbols(bench: Bench) -> None:
    """They are asked for after connecting, and what comes is delivered message by message, in order."""
    bench.start("A", "B")
    assert bench.source.link.sent == [b"+a", b"+b"]
    bench.source.link.say(b"a 1.5", b"b 2.5", b"a 1.75")
    bench.time.run_s(0.01)
    assert bench.delivered == [{"A": Tick(price=1.5)}, {"B": Tick(price=2.5)}, {"A": Tick(price=1.75)}]
    assert len(bench.source.links) == 1
    assert bench.streamer.wire_state() == {
        "feed": "stream", "kind": "scripted_stream", "state": "ok", "last_success": START_MS + 10, "next_try": None, "error": None,
        "reconnects": 0, "gaps": 0, "folded": 0}


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
    next_try_ms = bench.streamer.wire_state()["next_try"]
    assert next_try_ms is not None
    bench.time.run_s(1.5)
    assert 0.5 <= bench.source.opened_s[1] - 0.01 <= 1.26
    assert bench.source.link.sent == [b"+a"]
    assert bench.state() == "retrying"
    bench.source.link.say(b"a 2")
    bench.time.run_s(0.01)
    assert bench.told == [("retrying", "cut"), ("ok", None)]
    assert bench.streamer.wire_state()["next_try"] is None
    assert bench.streamer.wire_state()["reconnects"] == 1


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
        if bench.source.link.sent and not bench.streamer._lines[-1].session.ready:
            bench.source.link.say(b"ack")
    assert bench.told == []
    since = [round(after - before, -1) for before, after in zip(bench.source.opened_s, bench.source.opened_s[1:], strict=False)]
    assert since == [300, 600, 1200, 2400, 3600, 3600]


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


def test_an_heir_that_is_not_ready_costs_nothing(bench: Bench) -> None:
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


def test_a_cut_while_the_heir_is_coming_waits_for_it(bench: Bench) -> None:
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


def test_who_allows_one_connection_only_is_left_before_it_is_joined(bench: Bench) -> None:
    """Then the old one goes first, at once and without a pause."""
    bench.source.longest_s, bench.source.overlaps = 100.0, False
    bench.start("A")
    bench.source.link.say(b"ack", b"a 1")
    bench.time.run_s(101)
    assert bench.source.links[0].closed
    assert len(bench.source.links) == 2
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
    for price in range(1, 2 * BACKLOG + 1):
        bench.source.link.say(b"a %d" % price)
    bench.time.run_s(1)
    assert not bench.source.link._waiting
    bench.slow_s = 0.0
    bench.time.run_s(1000)
    assert bench.prices()[-1] == 2 * BACKLOG
    assert len(bench.prices()) + bench.streamer.wire_state()["folded"] == 2 * BACKLOG + 1
    assert bench.streamer.wire_state()["folded"] > 0


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
    assert bench.error() == "internal error: ZeroDivisionError: "
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
    assert state["gaps"] == 3


def test_prices_from_before_the_first_word_are_asked_for(bench: Bench) -> None:
    """In batches, once a symbol and connection; a new symbol alone; all again after a while."""
    beside = bench.ask_beside(batch_size=2)
    bench.start("A", "B", "C")
    bench.time.run_s(1)
    assert beside.batches == [["A", "B"], ["C"]]
    assert len(bench.prices()) == 3
    bench.streamer.want(subscriptions("A", "B", "C", "D"))
    bench.time.run_s(1)
    assert beside.batches[2:] == [["D"]]
    bench.source.link.say(b"a 2", Ended("cut"))
    bench.time.run_s(3)
    assert beside.batches[3:] == [["A", "B"], ["C", "D"]]
    bench.time.run_s(900)
    assert beside.batches[5:] == [["A", "B"], ["C", "D"]]


def test_a_connection_on_trial_does_not_make_us_ask_twice(bench: Bench) -> None:
    """Once for the new connection, and once more for the old one where that stays."""
    beside = bench.ask_beside()
    bench.source.longest_s = 100.0
    bench.start("A")
    bench.source.link.say(b"ack")
    bench.time.run_s(120)
    assert len(bench.source.links) == 2
    assert len(beside.batches) == 3


def test_a_symbol_that_spoils_a_batch_costs_only_itself(bench: Bench) -> None:
    """The others have their prices, it has its error."""
    beside = bench.ask_beside()

    def answer(batch: Sequence[Subscription]) -> Answer:
        symbols = [one.symbol for one in batch]
        if "BAD" in symbols:
            raise FeedError("unknown", rejects_symbol=True, retryable=False)
        return {symbol: Tick(price=1.0) for symbol in symbols}

    beside.answer = answer
    bench.start("A", "B", "BAD", "C", "D")
    bench.time.run_s(1)
    got = {symbol: news for one in bench.delivered for symbol, news in one.items()}
    assert {symbol for symbol, news in got.items() if isinstance(news, Tick)} == {"A", "B", "C", "D"}
    assert isinstance(got["BAD"], FeedError)
    assert bench.state() == "ok"


def test_a_call_that_fails_does_not_keep_the_others_waiting(bench: Bench) -> None:
    """Two running may be about what they asked for, and are asked again after a minute; three are the provider's failure."""
    beside = bench.ask_beside(batch_size=1)
    bad = {"A", "B"}

    def answer(batch: Sequence[Subscription]) -> Answer:
        if batch[0].symbol in bad:
            raise FeedError("nothing of it now")
        return {batch[0].symbol: Tick(price=1.0)}

    beside.answer = answer
    bench.start("A", "B", "C", "D")
    bench.time.run_s(1)
    assert beside.batches == [["A"], ["B"], ["C"], ["D"]]
    assert len(bench.prices()) == 2
    bad.clear()
    bench.time.run_s(61)
    assert beside.batches[4:] == [["A"], ["B"]]
    bad |= {"E", "F", "G"}
    bench.streamer.want(subscriptions("E", "F", "G", "H"))
    bench.time.run_s(1)
    assert beside.batches[6:] == [["E"], ["F"], ["G"]]


def test_where_the_prices_beside_the_stream_fail_the_stream_goes_on(bench: Bench) -> None:
    """And they are asked for again after a minute, or when the provider says."""
    beside = bench.ask_beside()
    failures = [FeedError("503"), FeedError("429", retry_after_s=200.0)]

    def answer(batch: Sequence[Subscription]) -> Answer:
        if failures:
            raise failures.pop(0)
        return {"A": Tick(price=7.0)}

    beside.answer = answer
    bench.start("A")
    bench.source.link.say(b"a 1")
    bench.time.run_s(59)
    assert bench.prices() == [1]
    assert len(beside.batches) == 1
    bench.time.run_s(2)
    assert len(beside.batches) == 2
    bench.time.run_s(198)
    assert len(beside.batches) == 2
    bench.time.run_s(4)
    assert bench.prices() == [1, 7]
    assert bench.told == []


def test_after_the_stop_nothing_is_delivered(bench: Bench) -> None:
    """And the connection is closed within a moment, by the task that uses it."""
    bench.start("A")
    bench.streamer.stop()
    bench.source.link.say(b"a 1")
    bench.time.run_s(0.3)
    assert bench.source.closed
    assert bench.source.link.closed
    assert bench.delivered == []
