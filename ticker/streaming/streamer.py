"""Keeps one feed's stream alive: connects, subscribes, reads fast, notices silence, comes back after a cut.

One connection carries all symbols. What is read waits for the board in a `Delivery`, so that a slow board never makes the provider wait.
A connection that is known to end is replaced before it does; one that breaks is made again after a pause that grows, and shrinks only
when prices come: a server that lets everybody in and then says nothing is not well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

from ticker import wire
from ticker.clock import Clock
from ticker.counters import FeedCounters
from ticker.errors import FeedError
from ticker.feed_log import FeedLog
from ticker.feed_state import FeedState
from ticker.quote import Tick
from ticker.runtime import Runtime, Turn
from ticker.source import Answer, Ended, Session, StreamSource, Subscription, bared
from ticker.streaming.connection import StreamConnection
from ticker.streaming.delivery import Delivery
from ticker.streaming.snapshots import Snapshots

log = logging.getLogger(__name__)

LOOK_S = 0.25
"""How long to wait for bytes before looking whether anything else is to be done."""
SETTLED_S = 10.0
"""A connection that has been ready for so long makes its feed `ok`, though nobody trades."""
PROVEN_S = 60.0
"""A connection that has been ready for so long is as good as one that brought prices: its feed's failures are forgotten."""
LEAVE_WITHIN_S = 1.0
"""How long the other side may take to end a connection that we leave, where it has to be gone before another is opened."""
SUCCESSOR_WITHIN_S = 15.0
"""In this time a connection that is to replace another must be ready."""
SUCCESSOR_AGAIN_S = 30.0
"""After this time it is tried again."""
MUTE_FIRST_S, MUTE_LONGEST_S = 600.0, 3600.0
"""A connection that may just be quiet is renewed less and less often."""


class Streamer:
    """One feed's stream: a `Runner`. `deliver(answer)` takes in what came; `changed()` is called when something of `wire_state` that is
    worth telling has changed; `anew()` when what comes next may be older than what came before.
    """

    def __init__(
        self,
        source: StreamSource,
        runtime: Runtime,
        clock: Clock,
        here: str,
        *,
        deliver: Callable[[Answer], None],
        changed: Callable[[], None],
        anew: Callable[[], None],
        random: Random | None = None,
        counters: FeedCounters | None = None,
    ) -> None:
        self.source = source
        self._runtime = runtime
        self._clock = clock
        self._here = here
        self._changed = changed
        self._anew = anew
        self._counters = counters or FeedCounters()
        self._feed_log = FeedLog(source.name)
        self.feed_state = FeedState(clock, self._feed_log, changed, random)
        self.interval_s = source.settings.interval_s  # the shortest pause after a failure
        beside = source.snapshots
        self._snapshots = None if beside is None else Snapshots(beside, source.snapshot_every_s, runtime, clock, self._counters)
        self._wanted: dict[str, Subscription] = {}
        self._version = 0  # counts the calls of `want`
        self._delivery = Delivery(runtime, deliver)
        self._connections: list[StreamConnection] = []
        self._charge: object | None = None  # the task that is in charge; `None`: there is none
        self._successor_coming = False
        self._next_successor_s = 0.0
        self._connects = 0
        self._gaps = 0  # of connections that are over
        self._mute_s = 0.0
        self._facts: Mapping[str, Any] = {}
        self._stopped = False

    @property
    def symbols(self) -> Collection[str]:
        """What is wanted."""
        return self._wanted.keys()

    def want(self, subscriptions: Sequence[Subscription]) -> list[Subscription]:
        """Stream `subscriptions` from now on, and nothing else; returns those that are new or ask for something else than before."""
        before, self._wanted = self._wanted, {subscription.symbol: subscription for subscription in subscriptions}
        new = [subscription for subscription in subscriptions if before.get(subscription.symbol) != subscription]
        for symbol in [*(one.symbol for one in new), *(before.keys() - self._wanted.keys())]:
            self._feed_log.forget(symbol)
        self._version += 1
        return new

    def start(self, new: Sequence[Subscription] = ()) -> None:
        """Stream from now on, in a task of its own, if anything is wanted. What is `new` the connection asks for by itself."""
        if self._wanted:
            self._runtime.spawn(self.run)

    def slow(self, periods_s: Mapping[str, float]) -> list[Subscription]:
        """A stream brings what comes when it comes: nothing is slower, and nothing overdue."""
        return []

    def hurry(self, subscriptions: Sequence[Subscription]) -> None:
        """Nothing: no answer comes sooner for being asked for."""

    def intervals_s(self, strict: Callable[[str], bool]) -> dict[str, float]:
        """None: it is not asked again and again."""
        return {}

    def run(self) -> None:
        """Stream until nothing is wanted any more, or `stop`. Raises nothing; returns at once where it runs already."""
        if self._charge is None:
            self._charge = charge = object()
            self._go_on(charge, None)

    def stop(self) -> None:
        """Deliver nothing more, close the source; connections are closed within `LOOK_S`."""
        self._stopped = True
        self._feed_log.stop()
        self._delivery.stop()
        try:
            self.source.close()
        except Exception:
            log.exception("feed %s: closing failed", self.source.name)

    def wire_state(self) -> wire.Feed:
        """This feed's entry of the wire's `feeds`."""
        gaps = self._gaps + sum(connection.session.gaps for connection in self._connections)
        return wire.Feed(feed=self.source.name, kind=self.source.kind, **self.feed_state.wire_state(),
                         reconnects=max(0, self._connects - 1), gaps=gaps, folded=self._delivery.folded, **self._facts)  # fmt: skip

    def _go_on(self, charge: object, connection: StreamConnection | None) -> None:
        """One connection after the other, for as long as the task `charge` is in charge."""
        try:
            while self._charge is charge and self._wanted and not self._stopped:
                if connection is None:
                    connection = self._connect()
                if connection is not None:
                    self._serve(charge, connection)
                    connection = None
        finally:
            if connection is not None:
                self._close(connection)
            if self._charge is charge:
                self._charge = None

    def _connect(self) -> StreamConnection | None:
        """A new connection; or `None` where it failed, or after a moment's wait where it is too early."""
        too_early_s = LOOK_S if self._successor_coming else self.feed_state.wait_s
        if too_early_s > 0:
            self._ask_meanwhile()
            self._runtime.sleep(min(too_early_s, LOOK_S))
            return None
        try:
            return self._open()
        except Exception as error:
            self._failed(error)
        return None

    def _failed(self, error: Exception) -> None:
        """There is no connection, or it is of no use."""
        if not self._stopped:
            failure = error if isinstance(error, FeedError) else self._feed_log.bug(error, self._clock.monotonic())
            self.feed_state.failed(failure, self.interval_s)

    def _ask_meanwhile(self) -> None:
        """Where there is no connection to be had (the plan has no such stream, say), live on what is asked for beside it."""
        if self._snapshots is not None and not self._successor_coming and self.feed_state.lasting:
            self._snapshots.look_alone(self._new_session, self._wanted, self._version, self._put_meanwhile)

    def _put_meanwhile(self, answer: Answer) -> None:
        self._put(answer)
        if not self._stopped and any(isinstance(news, Tick) for news in answer.values()):
            self.feed_state.served()

    def _new_session(self) -> Session:
        return self.source.session(self._here)

    def _open(self) -> StreamConnection:
        log.debug("feed %s: connects, for %d symbols", self.source.name, len(self._wanted))
        link = self.source.open(list(self._wanted.values()))
        connection = StreamConnection(link, self._new_session(), self._clock.monotonic())
        self._connects += 1
        self._connections.append(connection)
        return connection

    def _close(self, connection: StreamConnection) -> None:
        log.debug("feed %s: closes a connection after %.1f s", self.source.name, connection.age_s(self._clock.monotonic()))
        self._connections.remove(connection)
        self._gaps += connection.session.gaps
        if self._snapshots is not None:
            self._snapshots.forget(connection.session)
        connection.link.close()

    def _serve(self, charge: object, connection: StreamConnection) -> None:
        """Use `connection` until it ends, or another takes its place; then close it."""
        try:
            while self._charge is charge and self._wanted and not self._stopped:
                self._step(connection)
                if connection.renew and self._charge is charge:
                    self._replace(charge, connection)
        except Ended as error:
            if error.anew:
                self._anew()
            if error.planned and (connection.has_data or connection.session.ready):
                log.info("feed %s: %s; connecting anew", self.source.name, error)
            else:
                self._failed(error)
        except Exception as error:
            self._failed(self._feed_log.bug(error, self._clock.monotonic()))
        finally:
            self._close(connection)

    def _replace(self, charge: object, connection: StreamConnection) -> None:
        """Let another connection take the place of `connection`. Raises `Ended` where that has to go first."""
        if not self.source.overlaps:
            self._leave(connection)
            raise Ended("replaced in time", planned=True)
        if not self._successor_coming and self._clock.monotonic() >= self._next_successor_s:
            self._successor_coming = True
            log.debug("feed %s: a second connection is to take the place of the first", self.source.name)
            self._runtime.spawn(self._make_successor, charge)

    def _leave(self, connection: StreamConnection) -> None:
        """Have the other side end the connection, for a moment: until it has, it counts, and a second one would be refused."""
        until_s = self._clock.monotonic() + LEAVE_WITHIN_S
        with suppress(Ended):
            connection.link.leave()
            while (left_s := until_s - self._clock.monotonic()) > 0:
                connection.link.receive(left_s)

    def _make_successor(self, charge: object) -> None:
        """Have a second connection ready before the first is given up, then take charge with it."""
        connection = None
        try:
            connection = self._open()
            until_s = self._clock.monotonic() + SUCCESSOR_WITHIN_S
            while not connection.session.ready and not self._stopped:
                if self._clock.monotonic() > until_s:
                    raise Ended(f"not ready within {SUCCESSOR_WITHIN_S:g} s")
                self._step(connection)
        except Exception as error:
            problem = error if isinstance(error, FeedError) else self._feed_log.bug(error, self._clock.monotonic())
            log.info("feed %s: a new connection in place of the old one could not be had: %s", self.source.name, problem)
            self._next_successor_s = self._clock.monotonic() + SUCCESSOR_AGAIN_S
            if connection is not None:
                self._close(connection)
            return
        finally:
            self._successor_coming = False
        if self._charge is charge:
            log.debug("feed %s: the second connection takes over", self.source.name)
            self._charge = successor = object()
            self._go_on(successor, connection)
        else:
            self._close(connection)

    def _step(self, connection: StreamConnection) -> None:
        """Say what is to be said, wait a little for what comes, and take it in. Raises `Ended`."""
        session, now_s = connection.session, self._clock.monotonic()
        if connection.version != self._version:
            connection.version = self._version
            log.debug("feed %s: subscribes to %d symbols", self.source.name, len(self._wanted))
            session.want(list(self._wanted.values()))
        messages, answer = session.due(now_s)
        for message in messages:
            connection.link.send(message)
        if answer:
            self._put(answer)
        if self._snapshots is not None and connection is self._connections[-1]:
            self._snapshots.look(session, self._wanted, self._version, self._put)
        self._watch(connection, now_s)
        received = connection.link.receive(max(0.0, min(LOOK_S, session.next_due_s(now_s))))
        if received is None:
            return
        now_s = self._clock.monotonic()
        connection.heard(len(received), now_s)
        self._counters.messages += len(received)
        turn = Turn(pause=partial(self._runtime.sleep, 0))
        for message in received:
            self._take(connection, message, now_s)
            turn.step()
        if session.facts != self._facts:
            self._facts = session.facts
            self._changed()
        self._runtime.sleep(0)  # a torrent never makes us wait, so nobody else would get a turn

    def _take(self, connection: StreamConnection, message: bytes, now_s: float) -> None:
        try:
            answer = connection.session.receive(message, now_s)
        except Ended:
            raise
        except FeedError as error:
            connection.odd(self.source.name, error)
            return
        connection.odd_running = 0
        if not answer:
            return
        self._put(answer)
        if any(isinstance(news, Tick) for news in answer.values()):
            self.feed_state.succeeded()
            if not connection.has_data:
                connection.has_data, self._mute_s = True, 0.0
                self.feed_state.proven()
                self._well()

    def _watch(self, connection: StreamConnection, now_s: float) -> None:
        """Draw the conclusions from silence and age. Raises `Ended`."""
        connection.watch(now_s)
        if not connection.renew and connection.is_mute(now_s, self._mute_s):
            self._mute_s = min(max(2 * self._mute_s, MUTE_FIRST_S), MUTE_LONGEST_S)
            connection.renew = True
        age_s, longest_s = connection.age_s(now_s), self.source.longest_s
        if connection.session.leaving or (longest_s is not None and age_s >= longest_s):
            connection.renew = True
        if age_s >= SETTLED_S and connection.session.ready and self.feed_state.state != "ok":
            self._well()
        if age_s >= PROVEN_S and connection.session.ready:
            self.feed_state.proven()

    def _well(self) -> None:
        """The connection does what it is for, or has been ready for long enough to say so."""
        self.feed_state.no_try_to_come()
        self.feed_state.well()

    def _put(self, answer: Answer) -> None:
        """Hand on what came; the board takes it in a task of its own."""
        if self._stopped:
            return
        self._feed_log.symbols(bared(answer))
        self._delivery.put(answer)
