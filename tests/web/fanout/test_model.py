"""The fan-out under every interleaving: a model of sockets that take any number of bytes, and what each client must have seen."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from ticker.quote import Quote
from web.fanout.flush import Flusher
from web.fanout.frames import text_frame
from web.fanout.outbox import Outbox
from web.fanout.readers import Readers

SYMBOLS = ["A", "B/C", "^D", "E", "F"]
EPOCH = "e1"


class Reader:
    """A client's far end: a socket with a window that the rules open, and what was read from it."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self.outbox.write = self.take
        self.window = 0
        self.open = False
        self.bytes = bytearray()
        self.controls_sent: list[int] = []
        self.controls_seen: list[int] = []
        self.joined: set[str] = set()
        self.snapshots_due: set[str] = set()
        self.board_snapshots_due: set[str] = set()
        self.newest: dict[str, int] = {}
        self.board_newest: dict[str, int] = {}
        self.states_seen: list[int] = []
        self.state_sent = 0

    def take(self, data: bytes | memoryview) -> int:
        """A non-blocking send."""
        taken = len(data) if self.open else min(len(data), self.window)
        if not taken:
            raise BlockingIOError
        self.window -= min(taken, self.window)
        self.bytes += data[:taken]
        self.read_frames()
        return taken

    def read_frames(self) -> None:
        """Take whole frames off the stream; anything else than well-formed ones is an error."""
        while len(self.bytes) >= 2:
            assert self.bytes[0] == 0x81, "a whole unfragmented text frame"
            size, start = self.bytes[1], 2
            if size >= 126:
                start = 4 if size == 126 else 10
                size = int.from_bytes(self.bytes[2:start])
            if len(self.bytes) < start + size:
                return
            text = self.bytes[start:start + size].decode()
            del self.bytes[:start + size]
            self.read(text)

    def read(self, text: str) -> None:
        """One packet: a control packet `2<n>`, a state, a quote of a namespace, or quotes of the board."""
        if text.startswith("2"):
            self.controls_seen.append(int(text[1:]))
            return
        namespace, _, body = text[2:].partition(",") if text[2] == "/" else ("", "", text[2:])
        event, payload = json.loads(body)
        if event == "state":
            self.states_seen.append(payload)
        elif event == "quote":
            assert payload["symbol"] == namespace[1:]
            self.see(payload, self.newest, self.snapshots_due)
        else:
            for quote in payload:
                self.see(quote, self.board_newest, self.board_snapshots_due)

    @staticmethod
    def see(quote: dict[str, Any], newest: dict[str, int], due: set[str]) -> None:
        """A quote must be newer than the one before; the first one after joining is the snapshot, and no other."""
        symbol = quote["symbol"]
        assert quote["seq"] > newest.get(symbol, 0), "no step back, nothing twice"
        assert ("snapshot" in quote) == (symbol in due), "a snapshot exactly after joining"
        assert ("epoch" in quote) == ("snapshot" in quote)
        due.discard(symbol)
        newest[symbol] = quote["seq"]


class FanOut(RuleBasedStateMachine):
    """Ticks, stalls, short writes, joins, leaves, rates, control packets and state events in any order."""

    readers_bundle = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.core = Readers(EPOCH)
        self.flusher = Flusher(self.core, lambda: None)
        self.seqs = dict.fromkeys(SYMBOLS, 0)
        self.flushed = dict.fromkeys(SYMBOLS, 0)
        self.ticked: dict[str, int] = {}
        for symbol in SYMBOLS:
            self.core.add_channel(symbol)
        self.clients: list[Reader] = []
        self.now_ms = 1000.0
        self.control = 0

    def pump(self) -> None:
        """What the engine does between two flushes."""
        while self.flusher.pump:
            outbox = self.flusher.pump.popitem()[0]
            if not outbox.blocked:
                self.flusher.serve(outbox)
        self.flusher.blocked.clear()

    @rule(target=readers_bundle)
    def connect(self) -> Reader:
        reader = Reader()
        self.clients.append(reader)
        return reader

    @rule(symbols=st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=8))
    def tick(self, symbols: list[str]) -> None:
        quotes = []
        for symbol in symbols:
            self.seqs[symbol] += 1
            quotes.append(Quote(symbol=symbol, price=1.5, received_time=1, seq=self.seqs[symbol], source="s", kind="simulated",
                                state="fresh"))
            self.ticked[symbol] = self.seqs[symbol]
        self.flusher.mark(quotes)

    @rule(elapsed_ms=st.sampled_from([0.0, 50.0, 400.0]))
    def flush(self, elapsed_ms: float) -> None:
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
                forgotten = any(lane.pending for lane in reader.outbox.lanes() if lane.cohort)
                assert reader.outbox.blocked or not forgotten

    @rule(reader=readers_bundle, symbol=st.sampled_from(SYMBOLS))
    def join(self, reader: Reader, symbol: str) -> None:
        if symbol not in reader.joined:
            reader.joined.add(symbol)
            reader.snapshots_due.add(symbol)
            reader.newest.pop(symbol, None)
            self.core.join(reader.outbox.spaces, self.core.registry[symbol])
            self.flusher.pump[reader.outbox] = None
            self.pump()

    @rule(reader=readers_bundle, symbol=st.sampled_from(SYMBOLS))
    def leave(self, reader: Reader, symbol: str) -> None:
        # A frame in progress may still arrive after leaving; the protocol's client ignores it, so the model waits.
        if symbol in reader.joined and not reader.outbox.blocked:
            reader.joined.discard(symbol)
            reader.snapshots_due.discard(symbol)
            self.core.leave(reader.outbox.spaces, self.core.registry[symbol])

    @rule(reader=readers_bundle, symbols=st.one_of(st.just("*"), st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True)))
    def subscribe(self, reader: Reader, symbols: str | list[str]) -> None:
        lane = reader.outbox.board_lane()
        before = set(SYMBOLS) if lane.everything else {channel.symbol for channel in lane.channels}
        if symbols == "*":
            self.core.join_everything(lane)
        else:
            for symbol in set(symbols) - before:
                self.core.join(lane, self.core.registry[symbol])
        for symbol in (set(SYMBOLS) if symbols == "*" else set(symbols)) - before:
            reader.board_snapshots_due.add(symbol)
            reader.board_newest.pop(symbol, None)
        self.flusher.pump[reader.outbox] = None
        self.pump()

    @rule(reader=readers_bundle, period_ms=st.sampled_from([0.0, 100.0, 1000.0]), board=st.booleans())
    def rate(self, reader: Reader, period_ms: float, board: bool) -> None:
        self.core.set_period(reader.outbox.board_lane() if board else reader.outbox.spaces, period_ms)

    @rule(reader=readers_bundle, size=st.integers(0, 300))
    def put_control(self, reader: Reader, size: int) -> None:
        self.control += 1
        reader.controls_sent.append(self.control)
        reader.outbox.put_control(text_frame(b"2" + str(self.control).encode().rjust(size, b"0")))
        self.flusher.pump[reader.outbox] = None
        self.pump()

    @rule(reader=readers_bundle)
    def put_state(self, reader: Reader) -> None:
        reader.state_sent += 1
        reader.outbox.put_state("state", text_frame(b'42["state",%d]' % reader.state_sent))
        self.flusher.pump[reader.outbox] = None
        self.pump()

    @rule(reader=readers_bundle, window=st.integers(1, 2000))
    def drain(self, reader: Reader, window: int) -> None:
        reader.window = window
        if reader.outbox.blocked:
            reader.outbox.blocked = False
            self.flusher.pump[reader.outbox] = None
            self.pump()

    @rule(reader=readers_bundle, is_open=st.booleans())
    def stall_or_open(self, reader: Reader, is_open: bool) -> None:
        reader.open = is_open
        if is_open and reader.outbox.blocked:
            reader.outbox.blocked = False
            self.flusher.pump[reader.outbox] = None
            self.pump()

    @rule(reader=consumes(readers_bundle))
    def disconnect(self, reader: Reader) -> None:
        self.clients.remove(reader)
        self.flusher.pump.pop(reader.outbox, None)
        self.core.drop(reader.outbox)

    @rule(symbol=st.sampled_from(SYMBOLS))
    def remove_and_add(self, symbol: str) -> None:
        if any(reader.outbox.blocked for reader in self.clients):
            return
        self.flusher.forget(self.core.registry[symbol])
        told = self.core.remove_channel(symbol)
        assert sorted(map(id, told)) == sorted(id(reader.outbox) for reader in self.clients if symbol in reader.joined)
        self.flushed[symbol] = 0
        self.ticked.pop(symbol, None)
        self.core.add_channel(symbol)
        for reader in self.clients:
            reader.joined.discard(symbol)
            reader.snapshots_due.discard(symbol)
            reader.newest.pop(symbol, None)
            reader.board_newest.pop(symbol, None)
            board = reader.outbox.board
            if board is not None and board.everything:
                reader.board_snapshots_due.add(symbol)
            else:
                reader.board_snapshots_due.discard(symbol)

    @invariant()
    def controls_arrive_once_and_in_order(self) -> None:
        for reader in self.clients:
            assert reader.controls_seen == reader.controls_sent[:len(reader.controls_seen)]
            assert reader.states_seen == sorted(set(reader.states_seen))

    @invariant()
    def cohorts_are_sound(self) -> None:
        for key, cohort in self.core.cohorts.items():
            members = {*cohort.ready, *cohort.stragglers}
            assert members
            assert not set(cohort.ready) & set(cohort.stragglers)
            assert all(lane.cohort is cohort and not lane.outbox.blocked for lane in cohort.ready)
            assert all(cohort in channel.cohorts for channel in key.channels)

    def teardown(self) -> None:
        """The last value always arrives: open every socket, let the slowest rate come due, and compare."""
        for reader in self.clients:
            self.stall_or_open(reader, True)
        for elapsed_ms in (0.0, 1000.0, 1000.0):
            self.flush(elapsed_ms)
        for reader in self.clients:
            assert not reader.bytes
            assert not reader.outbox.unsent_bytes
            assert reader.controls_seen == reader.controls_sent
            assert reader.states_seen[-1:] == ([reader.state_sent] if reader.state_sent else [])
            for symbol in reader.joined:
                assert reader.newest.get(symbol, 0) == self.flushed[symbol]
            board = reader.outbox.board
            listed = [] if board is None else SYMBOLS if board.everything else [channel.symbol for channel in board.channels]
            for symbol in listed:
                assert reader.board_newest.get(symbol, 0) == self.flushed[symbol]


TestFanOut = FanOut.TestCase
TestFanOut.settings = settings(max_examples=150, stateful_step_count=50, deadline=None, report_multiple_bugs=False)
