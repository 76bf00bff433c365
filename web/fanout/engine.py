"""The loop that owns every WebSocket: one task, one epoll set, all reading and writing. It never blocks.

Other tasks only queue (`send`, `publish`, `put_state`) and wake it. Whoever changes a reading list or handles a client's
packets holds `turn`; a flush holds it too, so that no list changes under it while it lets others breathe.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from time import monotonic, perf_counter, time
from typing import Any

from ticker.quote import Quote
from ticker.settings import BroadcastSettings, LimitSettings
from web.fanout.bugs import Bugs
from web.fanout.client import Client, Ending
from web.fanout.close_reasons import CloseReason, Ledger
from web.fanout.counters import Counters
from web.fanout.drain import Drain
from web.fanout.flush import Flusher
from web.fanout.flush_clock import FlushClock
from web.fanout.frames import BINARY, FrameReader, close_frame, frame, text_frame
from web.fanout.handshake_queue import HandshakeQueue
from web.fanout.late_flushes import LateFlushes
from web.fanout.outbox import ControlOverflow
from web.fanout.pools import Pools
from web.fanout.receive import Receiver
from web.fanout.sockets import hang_up, prepare
from web.fanout.subscriptions import Subscriptions
from web.fanout.timeouts import Timeouts
from web.refusals import Refusals
from web.runtime import EventletRuntime, original

log = logging.getLogger(__name__)
bugs = Bugs(log)

select = original("select")  # the patched one has no epoll

_PING = text_frame(b"2")
_IDLE_S = 1.0


class Engine:
    """Owns the clients. Settings may be replaced at any time (`configure`). `lists_changed` is called when reading lists change."""

    def __init__(
        self,
        runtime: EventletRuntime,
        epoch: str,
        broadcast: BroadcastSettings,
        limits: LimitSettings,
        ping_interval_s: int,
        ping_timeout_s: int,
        lists_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.runtime = runtime
        self.clock = monotonic
        self.wall_clock = time
        self.subscriptions = Subscriptions(epoch, lists_changed)
        self.flusher = Flusher(self.subscriptions, breathe=lambda: runtime.sleep(0))
        self.broadcast = broadcast
        self.limits = limits
        self.clients: set[Client] = set()
        self.polling: set[Client] = set()  # those of them that poll
        self.pools = Pools()
        self.ledger = Ledger()
        self.counters = Counters()
        self.refusals = Refusals()
        self.timeouts = Timeouts(self.pools.waiting.keys(), self.polling, ping_interval_s, ping_timeout_s, self.clock())
        self.turn = threading.RLock()
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._by_descriptor: dict[int, Client] = {}
        self._awake = True
        self._stopping = False
        self._drain: Drain | None = None
        self.rounds = 0  # that ended well
        self._flush_clock = FlushClock()
        self._late_flushes = LateFlushes()
        self.handshake_queue = HandshakeQueue()
        self._receiver = Receiver(self._epoll, self._wake, self._by_descriptor, self.send_frame)

    def configure(self, broadcast: BroadcastSettings, limits: LimitSettings) -> None:
        """Take changed settings into force."""
        self.broadcast = broadcast
        self.limits = limits

    # What other tasks may call.

    def publish(self, quotes: Collection[Quote]) -> None:
        """Take a batch of updates; it leaves whole, at once or when the conflation window ends."""
        if not self.flusher.is_dirty:
            self._late_flushes.dirty(self.clock())
        self.flusher.mark(quotes)
        self.wake()

    def send(self, client: Client, packet: str | bytes) -> None:
        """Queue a control packet: never dropped, in order. Too much of it unsent closes the client."""
        self.send_frame(client, text_frame(packet.encode()) if isinstance(packet, str) else frame(BINARY, packet))

    def send_frame(self, client: Client, framed: bytes) -> None:
        """The same for a packet that is a frame already (one that many clients get)."""
        if client.closed is not None:
            return
        try:
            client.put_control(framed)
        except ControlOverflow:
            self.close(client, CloseReason.CONTROL_OVERFLOW)
        else:
            self.pump_soon(client)

    def pump_soon(self, client: Client) -> None:
        """See to it that what `client` is owed is written."""
        if not client.blocked:
            self.flusher.pump[client] = None
            self.wake()

    def wake(self) -> None:
        """Have the loop look around."""
        if not self._awake:
            self._awake = True
            os.eventfd_write(self._wake, 1)

    def attach(self, client: Client, sock: Any) -> None:
        """Take over the socket of a client that has shaken hands."""
        prepare(sock)
        client.socket = sock
        client.reader = FrameReader(self.limits.max_message_bytes)
        self._by_descriptor[sock.fileno()] = client
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def heard(self, client: Client, early: bytes) -> None:
        """Take in what `client` sent before its socket was ours. Needs `turn`."""
        if early and (ending := self._receiver.heard(client, early, self.clock())) is not None:
            self._end(client, ending)

    def open_for_quotes(self, client: Client) -> None:
        """The client speaks WebSocket from now on: whatever it is owed goes there."""
        client.transport = "websocket"
        client.write = client.socket.send
        self.pump_soon(client)

    def admit(self, client: Client) -> None:
        """Count a new client in. It waits until it joins something (`pools`); who waits in vain makes room for it, one for one."""
        self.ledger.opened += 1
        self.clients.add(client)
        self.timeouts.add(client)
        self.pools.enter(client)
        if len(self.pools.waiting) > self.limits.max_waiting:
            self.close(self.pools.first_to_go(spared=client), CloseReason.CROWDED_OUT)

    def close(self, client: Client, reason: CloseReason, farewell: bytes = b"") -> None:
        """End a connection: whatever fits of what it is owed, a close frame (`farewell`, or the reason's own), and it is forgotten.

        Waits for `turn` where another task has it: reading lists change.
        """
        with self.turn:
            if client.closed is not None:
                return
            farewell = farewell or close_frame(reason.code, reason.word)
            last_words = client.last_words(self.subscriptions.number, self.subscriptions.registry, farewell)
            client.closed = reason
            self.ledger.close(reason, client.address, self.clock())
            log.debug("client %s from %s is closed: %s", client.public_id, client.address, reason.word)
            if client in self.clients:
                self.clients.remove(client)
                self.pools.leave(client)
            self.polling.discard(client)
            self.timeouts.remove(client)
            self.flusher.pump.pop(client, None)
            self.subscriptions.drop(client)
            if client.poll_event is not None:
                client.poll_event.set()
            if client.socket is not None:
                self._hang_up(client, last_words, reset=reason is CloseReason.STALLED)
            client.handler.gone(client, reason)

    def give_up_probe(self, client: Client, reason: CloseReason) -> None:
        """The WebSocket that a polling client tried out is no good: it goes on polling."""
        client.transport = "polling"
        client.reader = None
        self.ledger.turn_away(reason, client.address, self.clock())
        log.debug("client %s from %s goes on polling, its WebSocket is closed: %s", client.public_id, client.address, reason.word)
        self._hang_up(client, close_frame(reason.code, reason.word))

    @property
    def draining(self) -> bool:
        """Whether the end has begun: nobody else may come in."""
        return self._drain is not None

    @property
    def seeing_off(self) -> bool:
        """Whether whoever is owed nothing may go: what was published last is on its way."""
        return self._drain is not None and self._drain.begun

    def drain(self) -> None:
        """Send everybody what was published so far and close them one by one; it is done when there are no `clients` left."""
        self._drain = self._drain or Drain()
        self.wake()

    # The loop.

    def run(self) -> None:
        """Serve until `stop`."""
        with self.runtime.kept(self._epoll.fileno()):
            while not self._stopping:
                self._awake = False
                timeout_s = self._idle_s()
                if timeout_s > 0:
                    self.runtime.wait_readable(self._epoll.fileno(), timeout_s)
                self._awake = True
                try:
                    with self.turn:
                        self._round()
                except Exception:
                    # A bug. Everybody's quotes must not end with it: say so, and go on with the next round.
                    bugs.report("a round of the fan-out failed")
                    self.runtime.sleep(0.1)
                self.runtime.sleep(0)

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping = True
        self.wake()

    def _round(self) -> None:
        for client, event in self._receiver.turns():
            if event & select.EPOLLOUT:
                self._has_room(client)
            if event & ~select.EPOLLOUT and (ending := self._receiver.readable(client, self.clock())) is not None:
                self._end(client, ending)
        began_s = perf_counter()
        self._pump()
        now_s = self.clock()
        window_s = self.broadcast.flush_ms / 1000
        if self.flusher.is_dirty and now_s >= (opens_s := self._flush_clock.opens_s(window_s)):
            self._late_flushes.begin(now_s, opens_s, window_s)
            self._flush_clock.begin(now_s, window_s)
            self._flush(now_s)
        self.flusher.send_timed(now_s * 1000)
        self._pump()
        if self._drain is not None:
            self._see_off(self._drain, now_s)
            self._pump()
        self.do_what_is_due(now_s)
        self.handshake_queue.open()
        self._receiver.take_share(perf_counter() - began_s)
        self.rounds += 1

    def _flush(self, now_s: float) -> None:
        """Flush, and see how long it took and how old the prices are that it sent, by one of them."""
        sampled, counters = self.flusher.oldest(), self.counters
        self.flusher.flush(now_s * 1000)
        counters.flush_s.observe(self.clock() - now_s)
        if sampled is not None and sampled.state == "fresh":  # a change of state repeats an old price
            counters.age_s.observe(time() - sampled.received_time / 1000)

    def _idle_s(self) -> float:
        """How long nothing need be done unless somebody wakes the loop."""
        if self.flusher.pump or self.handshake_queue.is_waiting:
            return 0
        now_s = self.clock()
        due_s = self.timeouts.next_s
        if self.flusher.is_dirty:
            due_s = min(due_s, self._flush_clock.opens_s(self.broadcast.flush_ms / 1000))
        timed_ms = self.flusher.next_timed_ms()
        if timed_ms is not None:
            due_s = min(due_s, timed_ms / 1000)
        return min(due_s - now_s, _IDLE_S)

    def do_what_is_due(self, now_s: float) -> None:
        """Ping whom it is time to ping, and end what has had its time. `now_s`: monotonic seconds."""
        if now_s >= self.timeouts.next_s:
            self.counters.lag_s.observe(now_s - self.timeouts.next_s)
            limits = self.limits.join_timeout_s, self.broadcast.stall_limit_s
            for client, ending in self.timeouts.due(now_s, self.wall_clock(), *limits):
                if ending is None:
                    self.send_frame(client, _PING)
                else:
                    self._end(client, ending)

    def _end(self, client: Client, ending: Ending) -> None:
        """End what speaks through the client's WebSocket: the connection, or only the try of one."""
        if ending.is_of_probe:
            self.give_up_probe(client, ending.reason)
        else:
            self.close(client, ending.reason, ending.farewell)

    def _see_off(self, drain: Drain, now_s: float) -> None:
        """Send what was published last, whatever the window and the rates, and close whoever has everything."""
        if not drain.begun:
            drain.begun = True
            self.flusher.send_the_last(self.clients)
        for client, has_room in drain.look(self.clients, self.flusher.pump, now_s):
            if has_room:
                self.close(client, CloseReason.SHUTDOWN)
            else:
                self.flusher.wait_for_room(client)

    def _has_room(self, client: Client) -> None:
        """Its socket, which was full, has room again."""
        log.debug("client %s has room again", client.public_id)
        client.blocked = False
        self._epoll.modify(client.socket.fileno(), select.EPOLLIN)
        self.timeouts.unblocked(client)
        self.flusher.pump[client] = None

    def _pump(self) -> None:
        """Serve by itself each client that is owed something no shared buffer carries."""
        pump = self.flusher.pump
        while pump:
            client = pump.popitem()[0]
            assert isinstance(client, Client)
            if client.closed is not None or client.blocked:
                continue
            if client.write is None:
                if client.poll_event is not None:
                    client.poll_event.set()
                continue
            self.flusher.serve(client)
        self._note_full_and_dead()

    def _note_full_and_dead(self) -> None:
        """Wait for room in the sockets that turned out to be full, and give up the dead ones."""
        blocked, self.flusher.blocked = self.flusher.blocked, []
        for client in blocked:
            assert isinstance(client, Client)
            if client.closed is None:
                log.debug("client %s is stalled: its socket is full", client.public_id)
                self.counters.stalls += 1
                self.timeouts.blocked(client, self.clock())
                self._epoll.modify(client.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
        lost, self.flusher.lost = self.flusher.lost, []
        for client in lost:
            assert isinstance(client, Client)
            self.close(client, CloseReason.CLIENT)

    def _hang_up(self, client: Client, last_words: bytes, reset: bool = False) -> None:
        sock, client.socket = client.socket, None
        client.write = None
        self._by_descriptor.pop(sock.fileno(), None)
        with suppress(OSError):
            self._epoll.unregister(sock.fileno())
        hang_up(sock, last_words, reset)
