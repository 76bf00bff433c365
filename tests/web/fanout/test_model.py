"""The fan-out under every interleaving: a model of sockets that take any number of bytes, and what each client must have seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.web.fanout.model import Published, Reader
from ticker.quote import Quote
from web.fanout.flush import Flusher
from web.fanout.frames import text_frame
from web.fanout.outbox import CONTROL_LIMIT_BYTES, ControlOverflow, Outbox
from web.fanout.subscriptions import Subscriptions
from web.socketio.resume import resume

SYMBOLS = ["A", "B/C", "^D", "E", "F"]
LARGE_BYTES = 100_000
"""A control packet of which three are too many."""

WHO = st.integers(0, 11)
"""One of those who are there (or away), by number."""
ASKED = st.one_of(st.just("*"), st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True))
NONSENSE: list[Any] = [*[None] * 9, 7, "now", [7], {"epoch": "life 1"}, {"epoch": "life 1", "seqs": None}, {"epoch": None, "seqs": {}},
                       {"epoch": "life 0", "seqs": {"A": 1}}, {"seqs": {"A": 1}}]  # fmt: skip
"""In place of what is said, mostly not."""
LIES: list[Any] = [0, -1, 10**30, 1.0, "1", True, None, [1], {"A": 1}]


def online(machine: FanOut) -> bool:
    """Whether anybody is there."""
    return any(reader.online for reader in machine.clients)


def away(machine: FanOut) -> bool:
    """Whether anybody who was there is not."""
    return not all(reader.online for reader in machine.clients)


class FanOut(RuleBasedStateMachine):
    """Ticks, stalls, short writes, joins, leaves, rates, control packets, state events, drops, returns, reloads, restarts and clocks."""

    @initialize()
    def begin(self) -> None:
        """The first life of the server, some quotes, and two who read them."""
        self.published: Published = {}
        self.clients: list[Reader] = []
        self.now_ms = 1000.0
        self.wall_ms = 1_700_000_000_000
        self.control = 0
        self.lives = 0
        self.restart()
        for who in range(2):
            self.connect()
            self.stall_or_open(who, True)
            self.subscribe(who, "*")
        for _ in range(4):
            self.tick(SYMBOLS)
            self.flush(50.0)

    @rule()
    def restart(self) -> None:
        """The process dies and comes back: everybody is out, every `seq` begins anew, under another epoch."""
        self.lives += 1
        self.core = Subscriptions(f"life {self.lives}")
        self.flusher = Flusher(self.core, lambda: None)
        self.published.clear()
        self.seqs = dict.fromkeys(SYMBOLS, 0)
        self.flushed = dict.fromkeys(SYMBOLS, 0)
        self.ticked: dict[str, int] = {}
        for symbol in SYMBOLS:
            self.core.add_channel(symbol)
        for reader in self.clients:
            reader.online = False
            reader.taken_bytes = reader.quotes_seen = 0

    def pick(self, who: int, is_online: bool = True) -> Reader:
        """One of them."""
        there = [reader for reader in self.clients if reader.online is is_online]
        return there[who % len(there)]

    def pump(self) -> None:
        """What the engine does between two flushes."""
        while self.flusher.pump:
            outbox = self.flusher.pump.popitem()[0]
            assert isinstance(outbox, Outbox)
            if not outbox.blocked:
                self.flusher.serve(outbox)
        self.flusher.blocked.clear()

    def serve(self, reader: Reader) -> None:
        """The same for one."""
        self.flusher.pump[reader.outbox] = None
        self.pump()

    @rule()
    def connect(self) -> None:
        self.clients.append(Reader(self.published))

    @rule(symbols=st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=8))
    def tick(self, symbols: list[str]) -> None:
        quotes = []
        for symbol in symbols:
            self.seqs[symbol] += 1
            seq = self.seqs[symbol]
            price = self.published[symbol, seq] = 1e6 * self.lives + 1e4 * SYMBOLS.index(symbol) + seq
            quotes.append(
                Quote(symbol=symbol, price=price, received_time=self.wall_ms, seq=seq, source="s", kind="simulated", state="fresh")
            )
            self.ticked[symbol] = seq
        self.flusher.mark(quotes)

    @rule(by_h=st.sampled_from([-1, 1]))
    def set_the_clock(self, by_h: int) -> None:
        """The wall clock is set: newer is told by `seq`, not by time."""
        self.wall_ms += by_h * 3_600_000

    @rule(elapsed_ms=st.sampled_from([0.0, 50.0, 400.0, 3_600_000.0]))
    def flush(self, elapsed_ms: float) -> None:
        """The last of the times: the machine slept."""
        self.now_ms += elapsed_ms
        self.pump()
        if self.flusher.is_dirty:
            self.flusher.flush(self.now_ms)
            self.flushed |= self.ticked
            self.ticked.clear()
        self.flusher.send_timed(self.now_ms)
        self.pump()
        if self.flusher.next_timed_ms() is None:
            for reader in self.clients:
                forgotten = any(reading_list.pending for reading_list in reader.outbox.reading_lists() if reading_list.cohort)
                assert not reader.online or reader.outbox.blocked or not forgotten

    @precondition(online)
    @rule(who=WHO, symbol=st.sampled_from(SYMBOLS), spelling=st.sampled_from(["/{0}", "/{0}", "/{0}/", "/%{1:X}{2}", "/%{1:x}{2}/"]))
    def join(self, who: int, symbol: str, spelling: str) -> None:
        reader = self.pick(who)
        if symbol not in reader.joined:
            namespace = reader.joined[symbol] = spelling.format(symbol, ord(symbol[0]), symbol[1:])
            assert self.core.named(namespace) is self.core.registry[symbol]
            reader.snapshots_due.add(symbol)
            reader.newest.pop(symbol, None)
            self.core.join(reader.outbox.spaces, self.core.registry[symbol], namespace)
            self.serve(reader)

    @precondition(online)
    @rule(who=WHO, symbol=st.sampled_from(SYMBOLS))
    def leave(self, who: int, symbol: str) -> None:
        reader = self.pick(who)
        # A frame in progress may still arrive after leaving; the protocol's client ignores it, so the model waits.
        if symbol in reader.joined and not reader.outbox.blocked:
            del reader.joined[symbol]
            reader.snapshots_due.discard(symbol)
            self.core.leave(reader.outbox.spaces, self.core.registry[symbol])

    def listed(self, reader: Reader) -> set[str]:
        """The symbols of its board subscription."""
        board = reader.outbox.board
        return set() if board is None else set(SYMBOLS) if board.everything else {channel.symbol for channel in board.channels}

    @precondition(online)
    @rule(who=WHO, symbols=ASKED)
    def subscribe(self, who: int, symbols: str | list[str]) -> None:
        """Without a word of what it has: a snapshot of what is new in its list."""
        reader = self.pick(who)
        new = set(SYMBOLS if symbols == "*" else symbols) - self.listed(reader)
        self.enlist(reader, symbols)
        reader.forget(self.core.epoch, new)
        reader.board_snapshots_due |= new
        self.serve(reader)

    def enlist(self, reader: Reader, symbols: str | list[str]) -> None:
        """What the board does for `subscribe`."""
        reading_list, listed = reader.outbox.board_list(), self.listed(reader)
        if symbols == "*":
            self.core.join_everything(reading_list)
        else:
            for symbol in symbols:
                if symbol not in listed:
                    self.core.join(reading_list, self.core.registry[symbol])

    @precondition(away)
    @rule(who=WHO, symbols=ASKED)
    def come_back(self, who: int, symbols: str | list[str]) -> None:
        """With what it had when it went: it is told whether it may keep that."""
        reader = self.pick(who, is_online=False)
        reader.connect()
        asked = set(SYMBOLS if symbols == "*" else symbols)
        had = {symbol: seq for symbol, seq in reader.view.items() if symbol in asked}
        self.resume(reader, symbols, {"epoch": reader.view_epoch, "seqs": had})

    @precondition(online)
    @rule(who=WHO, symbols=ASKED, behind=st.dictionaries(st.sampled_from(SYMBOLS), st.sampled_from([0, 0, 1, 2, 3, -1])),
          lie=st.none() | st.tuples(st.sampled_from([*SYMBOLS, "NOPE"]), st.sampled_from(LIES)), nonsense=st.sampled_from(NONSENSE)
    )  # fmt: skip
    def claim(self, who: int, symbols: str | list[str], behind: dict[str, int], lie: tuple[str, Any] | None, nonsense: Any) -> None:
        """Anything may be said, again and again, also by one that listens already. The model waits where a frame is in progress."""
        reader = self.pick(who)
        if not reader.outbox.blocked:
            asked = SYMBOLS if symbols == "*" else symbols
            seqs: dict[str, Any] = {symbol: self.flushed[symbol] - by for symbol, by in behind.items() if symbol in asked}
            seqs |= dict([lie]) if lie else {}
            self.resume(reader, symbols, nonsense or {"epoch": self.core.epoch, "seqs": seqs})

    def resume(self, reader: Reader, symbols: str | list[str], since: Any) -> None:
        """What the model makes of `since`, and what the board does."""
        asked = set(SYMBOLS if symbols == "*" else symbols)
        seqs = since.get("seqs") if isinstance(since, dict) and since.get("epoch") == self.core.epoch else None
        said: dict[str, Any] = seqs if isinstance(seqs, dict) else {}
        is_true = isinstance(seqs, dict) and all(
            symbol in asked and type(seq) is int and 1 <= seq <= self.flushed[symbol] for symbol, seq in said.items()
        )
        self.enlist(reader, symbols)
        recovered = resume(self.core, reader.outbox.board_list(), [self.core.registry[symbol] for symbol in sorted(asked)], since)
        assert recovered is is_true, "no more and no less than what can be vouched for"
        reader.forget(self.core.epoch, asked)
        reader.board_snapshots_due |= asked
        if is_true:
            reader.view |= said
            reader.board_snapshots_due -= {symbol for symbol, seq in said.items() if seq == self.flushed[symbol]}
        self.serve(reader)

    @precondition(online)
    @rule(who=WHO, period_ms=st.sampled_from([0.0, 100.0, 1000.0]), board=st.booleans())
    def rate(self, who: int, period_ms: float, board: bool) -> None:
        outbox = self.pick(who).outbox
        self.core.set_period(outbox.board_list() if board else outbox.spaces, period_ms)

    @precondition(online)
    @rule(who=WHO, size=st.sampled_from([0, 100, 300, LARGE_BYTES]))
    def put_control(self, who: int, size: int) -> None:
        """One that does not read and is owed too many is closed."""
        reader = self.pick(who)
        self.control += 1
        try:
            reader.outbox.put_control(text_frame(b"2" + str(self.control).encode().rjust(size)))
        except ControlOverflow:
            assert reader.outbox.blocked
            self.drop(who)
            return
        reader.controls_sent.append(self.control)
        self.serve(reader)

    @precondition(online)
    @rule(who=WHO)
    def put_state(self, who: int) -> None:
        reader = self.pick(who)
        reader.state_sent += 1
        reader.outbox.put_state("state", text_frame(b'42["state",%d]' % reader.state_sent))
        self.serve(reader)

    @precondition(online)
    @rule(who=WHO, window=st.integers(1, 2000))
    def drain(self, who: int, window: int) -> None:
        reader = self.pick(who)
        reader.window = window
        if reader.outbox.blocked:
            reader.outbox.blocked = False
            self.serve(reader)

    @precondition(online)
    @rule(who=WHO, is_open=st.booleans())
    def stall_or_open(self, who: int, is_open: bool) -> None:
        reader = self.pick(who)
        reader.open = is_open
        if is_open and reader.outbox.blocked:
            reader.outbox.blocked = False
            self.serve(reader)

    @precondition(online)
    @rule(who=WHO)
    def drop(self, who: int) -> None:
        """Its connection is cut, in the middle of whatever was under way."""
        reader = self.pick(who)
        reader.online = False
        self.flusher.pump.pop(reader.outbox, None)
        self.core.drop(reader.outbox)

    @rule(symbol=st.sampled_from(SYMBOLS))
    def remove_and_add(self, symbol: str) -> None:
        """Two reloads: a symbol is gone, and back with its `seq` going on and without a price."""
        there = [reader for reader in self.clients if reader.online]
        if any(reader.outbox.blocked for reader in there):
            return
        self.flusher.forget(self.core.registry[symbol])
        told = self.core.remove_channel(symbol)
        assert sorted((id(outbox), name) for outbox, name in told) == sorted(
            (id(reader.outbox), reader.joined[symbol]) for reader in there if symbol in reader.joined
        )
        self.flushed[symbol] = 0
        self.ticked.pop(symbol, None)
        self.core.add_channel(symbol)
        for reader in there:
            reader.joined.pop(symbol, None)
            reader.snapshots_due.discard(symbol)
            reader.newest.pop(symbol, None)
            reader.view.pop(symbol, None)
            board = reader.outbox.board
            if board is not None and board.everything:
                reader.board_snapshots_due.add(symbol)
            else:
                reader.board_snapshots_due.discard(symbol)

    @invariant()
    def controls_arrive_once_and_in_order(self) -> None:
        for reader in self.clients:
            assert reader.controls_seen == reader.controls_sent[: len(reader.controls_seen)]
            assert reader.states_seen == sorted(set(reader.states_seen))

    @invariant()
    def little_is_held(self) -> None:
        """The rest of a frame, control packets up to their limit, one state event, and an entry a symbol and reading list."""
        for reader in self.clients:
            assert reader.outbox.unsent_bytes <= CONTROL_LIMIT_BYTES + LARGE_BYTES + 1000
            assert all(len(reading_list.pending) <= len(SYMBOLS) for reading_list in reader.outbox.reading_lists())

    @invariant()
    def what_sockets_took_is_counted(self) -> None:
        assert self.flusher.bytes_sent == sum(reader.taken_bytes for reader in self.clients)
        assert self.flusher.delivered >= sum(reader.quotes_seen for reader in self.clients)

    @invariant()
    def cohorts_are_sound(self) -> None:
        for key, cohort in self.core.cohorts.items():
            members = {*cohort.ready, *cohort.stragglers}
            assert members
            assert not set(cohort.ready) & set(cohort.stragglers)
            assert all(reading_list.cohort is cohort and not reading_list.outbox.blocked for reading_list in cohort.ready)
            assert all(cohort in self.core.cohorts_of[channel] for channel in key.channels)

    @rule()
    def settle(self) -> None:
        """The last value always arrives: open every socket, let the slowest rate come due, and compare."""
        there = [reader for reader in self.clients if reader.online]
        for who in range(len(there)):
            self.stall_or_open(who, True)
        for elapsed_ms in (0.0, 1000.0, 1000.0):
            self.flush(elapsed_ms)
        for reader in there:
            assert not reader.bytes
            assert not reader.outbox.unsent_bytes
            assert reader.controls_seen == reader.controls_sent
            assert reader.states_seen[-1:] == ([reader.state_sent] if reader.state_sent else [])
            assert {symbol: reader.newest.get(symbol, 0) for symbol in reader.joined} == {
                symbol: self.flushed[symbol] for symbol in reader.joined
            }
            listed = self.listed(reader)
            assert {symbol: reader.view.get(symbol, 0) for symbol in listed} == {symbol: self.flushed[symbol] for symbol in listed}
            reader.open = False

    def teardown(self) -> None:
        """However it went on, it ends well."""
        if hasattr(self, "core"):
            self.settle()


TestFanOut = pytest.mark.slow(FanOut.TestCase)
TestFanOut.settings = settings(max_examples=300, stateful_step_count=50, deadline=None, report_multiple_bugs=False)
