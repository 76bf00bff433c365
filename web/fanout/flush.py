"""One flush: encode each dirty symbol once, build one buffer a cohort, write it once to each client that has room.

Needs no socket, only the `write` of each client (a non-blocking send: returns how many bytes it took, raises
`BlockingIOError` when it can take none), so that a test can drive it with a socket of its own making.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import count, islice
from time import perf_counter

from ticker.quote import Quote
from web.fanout.channel import Channel
from web.fanout.cohort import Cohort
from web.fanout.outbox import Outbox, owe
from web.fanout.reading_list import Owner, Part, ReadingList
from web.fanout.subscriptions import Subscriptions

BREATHE_S = 0.002
"""How long a flush may run before it lets the rest of the process have a turn, seconds."""
LONGEST_BREATH_S = 0.008
"""How long it runs at most before that, however much the rest makes of its turns, seconds."""
OTHERS_SHARE = 0.2
"""What part of the time of a long flush the rest may take. A feed that ticks faster than flushes can follow would else take half of it,
for prices that nobody will see: newer ones fold them."""
_WRITES_A_LOOK = 64  # how often the clock is looked at: a look costs a few per cent of a write


class Flusher:
    """Conflates (the newest quote of each dirty symbol) and flushes.

    `breathe` lets other tasks run; it is called every 2 to 8 ms of a long flush, so that they have a fifth of the time.
    `pump` collects the clients that are to be served by themselves, `blocked` those whose socket turned out to be full,
    `lost` those whose socket is dead. `clock`: seconds.
    """

    def __init__(self, subscriptions: Subscriptions, breathe: Callable[[], None], clock: Callable[[], float] = perf_counter) -> None:
        self.subscriptions = subscriptions
        self._breathe = breathe
        self._clock = clock
        self._pause_at = 0.0
        self._resting_since = 0.0
        self._unwatched = 0  # writes since the clock was looked at
        self._dirty: dict[Channel, Quote] = {}
        self._timed: list[tuple[float, int, Cohort]] = []  # rate-limited cohorts with news, by the time they are due
        self._order = count()
        self.blocked: list[Owner] = []  # sockets that turned out to be full
        self.lost: list[Owner] = []  # sockets that turned out to be dead
        self.pump: dict[Owner, None] = {}  # stragglers to be served by themselves
        self.updates = 0  # quotes that came in
        self.folded = 0  # of those, how many a newer one replaced before any flush
        self.delivered = 0  # quotes written, each client counted
        self.bytes_sent = 0

    def mark(self, quotes: Collection[Quote]) -> None:
        """Take a batch of updates: the newest of each symbol goes out with the next flush."""
        registry, dirty = self.subscriptions.registry, self._dirty
        waited, unknown = len(dirty), 0
        for quote in quotes:
            channel = registry.get(quote.symbol)
            if channel is not None:
                dirty[channel] = quote
            else:
                unknown += 1
        known = len(quotes) - unknown
        self.updates += known
        self.folded += known - (len(dirty) - waited)

    def forget(self, channel: Channel) -> None:
        """Send nothing more of a channel that was removed."""
        self._dirty.pop(channel, None)

    def oldest(self) -> Quote | None:
        """Of the symbols that wait for the next flush, the newest quote of the one that has waited longest."""
        return next(iter(self._dirty.values()), None)

    @property
    def is_dirty(self) -> bool:
        """Whether a flush would send anything."""
        return bool(self._dirty)

    def next_timed_ms(self) -> float | None:
        """When the next rate-limited cohort is due, in the caller's milliseconds."""
        return self._timed[0][0] if self._timed else None

    def flush(self, now_ms: float) -> None:
        """Send everything dirty. `now_ms`: monotonic milliseconds, for the rates."""
        self.settle()
        subscriptions = self.subscriptions
        subscriptions.number += 1
        dirty, self._dirty = self._dirty, {}
        for channel, quote in dirty.items():
            channel.flush(quote, subscriptions.number)
        self._go_on()
        subscriptions.table.begin(dirty)
        try:
            for cohort in self._touched(dirty):
                if not cohort.period_ms or now_ms >= cohort.due_at_ms:
                    self._send(cohort, now_ms)
                else:
                    self._schedule(cohort)
        finally:
            subscriptions.table.end(dirty)
        self._resting_since = self._clock()

    def settle(self) -> None:
        """Sort the reading lists that changed into cohorts, and see to it that what they are owed is sent in its time."""
        for reading_list in self.subscriptions.settle():
            if reading_list.cohort is not None and reading_list.period_ms:
                self._schedule(self.subscriptions.cohorts[reading_list.cohort.key])
            else:
                self.pump[reading_list.outbox] = None

    def _schedule(self, cohort: Cohort) -> None:
        if not cohort.queued:
            cohort.queued = True
            heapq.heappush(self._timed, (cohort.due_at_ms, next(self._order), cohort))

    def send_timed(self, now_ms: float) -> None:
        """Send to the rate-limited cohorts whose time has come."""
        self.settle()
        self._go_on()
        while self._timed and self._timed[0][0] <= now_ms:
            cohort = heapq.heappop(self._timed)[2]
            cohort.queued = False
            if cohort.ready or cohort.stragglers:
                self._send(cohort, now_ms)
        self._resting_since = self._clock()

    def send_the_last(self, outboxes: Iterable[Outbox]) -> None:
        """Whatever the window and the rates: what was published last is due now."""
        if self.is_dirty:
            self.flush(math.inf)
        self.send_timed(math.inf)
        for outbox in outboxes:
            for reading_list in outbox.reading_lists():
                reading_list.due = True
            if not outbox.blocked:
                self.pump[outbox] = None

    def serve(self, outbox: Outbox) -> None:
        """Write what one client is owed by itself, until its socket is full (it is then in `blocked`) or nothing is owed now."""
        write = outbox.write
        assert write is not None
        while data := outbox.gather(self.subscriptions.number, self.subscriptions.registry):
            try:
                taken = write(data)
            except BlockingIOError:
                taken = 0
            except OSError:
                self.lost.append(outbox)
                return
            self.bytes_sent += taken
            self.delivered += outbox.accepted(taken)
            if taken < len(data):
                self.wait_for_room(outbox)
                return
        self.subscriptions.promote(outbox)

    def wait_for_room(self, outbox: Outbox) -> None:
        """The socket of `outbox` is full: serve it by itself, when there is room again."""
        outbox.blocked = True
        self.subscriptions.demote(outbox)
        self.blocked.append(outbox)

    def _touched(self, dirty: Iterable[Channel]) -> list[Cohort]:
        """The cohorts that read any of the dirty channels."""
        cohorts = self.subscriptions.cohorts
        of_each = list(map(self.subscriptions.cohorts_of.__getitem__, dirty))
        if sum(map(len, of_each)) >= len(cohorts):
            return list(cohorts.values())  # asking each is cheaper than merging what the channels say
        touched: dict[Cohort, None] = dict(self.subscriptions.everything) if of_each else {}
        for some in of_each:
            touched |= some
        return list(touched)

    def _send(self, cohort: Cohort, now_ms: float) -> None:
        before, cohort.sent = cohort.sent, self.subscriptions.number
        if cohort.period_ms:
            # From when it was due, not from now, or every send would be late by the one before; but never in a burst.
            cohort.due_at_ms = max(cohort.due_at_ms + cohort.period_ms, now_ms + cohort.period_ms / 2)
        if cohort.ready:
            self._write_all(cohort, before)
        for reading_list in cohort.stragglers:
            reading_list.due = reading_list.due or bool(cohort.period_ms)
            if not reading_list.outbox.blocked:
                self.pump[reading_list.outbox] = None

    def _write_all(self, cohort: Cohort, before: int) -> None:
        """Write what was flushed after flush `before` to each ready member."""
        if cohort.pick is not None:
            parts = None
            buffer, quotes = self.subscriptions.table.gather(cohort.pick, cohort.channels)
        else:
            parts = self._parts(cohort, before)
            buffer = b"".join([part.frame for part in parts])
            quotes = sum([len(part.channels) for part in parts])
        if not buffer:
            return
        size = len(buffer)
        members = len(cohort.ready)
        self.delivered += members * quotes
        self.bytes_sent += members * size
        # A few are cheapest as pairs; a pair for each of ten thousand would have the garbage collector look at everything there is.
        few = members <= _WRITES_A_LOOK
        ready = tuple(cohort.ready.items()) if few else zip(list(cohort.ready), list(cohort.ready.values()), strict=True)
        for done in range(0, members, _WRITES_A_LOOK):
            for reading_list, write in ready if few else islice(ready, _WRITES_A_LOOK):
                try:
                    taken = write(buffer)
                except BlockingIOError:
                    taken = 0
                except OSError:
                    self.lost.append(reading_list.outbox)
                    self.bytes_sent -= size
                    self.delivered -= quotes
                    continue
                if taken != size:
                    self.bytes_sent -= size - taken
                    parts = parts or self._parts(cohort, before)
                    self._fell_behind(reading_list, parts, taken, before)
            self._unwatched += min(members - done, _WRITES_A_LOOK)
            if self._unwatched >= _WRITES_A_LOOK:
                self._unwatched = 0
                if self._clock() > self._pause_at:
                    self._rest()

    def _parts(self, cohort: Cohort, before: int) -> list[Part]:
        """The same news frame by frame."""
        # At a limited rate the first quote of a symbol may have come and gone since the last send.
        news = cohort.news(self.subscriptions.registry, before)
        return cohort.encode([(channel, channel.first > before) for channel in news])

    def _rest(self) -> None:
        """Let the rest of the process have a turn, and make up for it."""
        self._resting_since = self._clock()
        self._breathe()
        self._go_on()

    def _go_on(self) -> None:
        """Flush for a while, the longer the more time the rest took for itself since it was let."""
        now_s = self._clock()
        fair_s = (now_s - self._resting_since) * (1 / OTHERS_SHARE - 1)
        self._pause_at = now_s + min(max(BREATHE_S, fair_s), LONGEST_BREATH_S)

    def _fell_behind(self, reading_list: ReadingList, parts: Sequence[Part], taken: int, before: int) -> None:
        """The socket took `taken` bytes: keep the rest of the frame it is in, and owe the symbols after that."""
        outbox = reading_list.outbox
        assert reading_list.cohort is not None
        for other in outbox.reading_lists():
            # Nothing else may be written before the rest of the frame, by no cohort.
            if other.ready and other.cohort is not None:
                other.cohort.demote(other, other.cohort.sent)
        outbox.blocked = True
        self.blocked.append(outbox)
        reading_list.due = bool(reading_list.period_ms)
        if not taken:
            self.delivered -= sum([len(part.channels) for part in parts])
            reading_list.synced = before
            return
        reading_list.synced = self.subscriptions.number
        index = 0
        while taken >= len(parts[index].frame):
            taken -= len(parts[index].frame)
            index += 1
        if taken:
            outbox.cut(parts[index].frame, taken)
            index += 1
        owed = [channel for part in parts[index:] for channel in part.channels]
        self.delivered -= len(owed)
        owe(reading_list, owed, False)
