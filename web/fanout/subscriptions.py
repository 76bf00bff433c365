"""Who reads which symbols at which rate: joining, leaving, and sorting lanes into cohorts. No I/O.

Joining and leaving touch the client's own set only, O(1) a symbol whatever the number of other clients; the cohort is
looked up once before the next flush. Nobody may change a reading list while a flush is under way (`Engine.turn`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from web.fanout.channel import Channel
from web.fanout.cohort import Cohort, CohortKey, Lane, space_parts
from web.fanout.frame_table import FrameTable
from web.fanout.outbox import Outbox
from web.fanout.spelling import Spelled, meant


class Readers:
    """All channels, cohorts, and the lanes that wait to be sorted into one."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.number = 0  # of the newest flush
        self.registry: dict[str, Channel] = {}
        self.table = FrameTable()
        self.cohorts: dict[CohortKey, Cohort] = {}
        self.everything: dict[Cohort, None] = {}  # cohorts with a "*" subscription: any channel touches them
        self.unsettled: dict[Lane, None] = {}
        self.changed: Callable[[], None] = lambda: None  # called at each change of a list; must return at once

    def add_channel(self, symbol: str) -> Channel:
        """Make `symbol` readable."""
        channel = self.registry[symbol] = Channel(symbol, self.epoch, self.table.take())
        return channel

    def named(self, namespace: str) -> Channel | None:
        """The channel of a namespace, however it is spelt."""
        symbol = namespace[1:]
        return self.registry.get(symbol) or self.registry.get(meant(symbol))

    def name_of(self, lane: Lane, channel: Channel) -> str:
        """What the namespace of `channel` is called by the client whose `lane` it is."""
        return lane.encode.names.get(channel, channel.namespace) if isinstance(lane.encode, Spelled) else channel.namespace

    def remove_channel(self, symbol: str) -> list[tuple[Outbox, str]]:
        """Forget `symbol`; returns the clients that had joined its namespace, who are to be told, and what they call it."""
        channel = self.registry.pop(symbol)
        joined = []
        for lane in list(self.lanes_of(channel)):
            if lane.is_of_spaces:
                joined.append((lane.outbox, self.name_of(lane, channel)))
            self.leave(lane, channel)
        for cohort in self.everything:
            for lane in cohort.stragglers:
                lane.pending.pop(channel, None)
        self.table.give_back(channel.slot)
        return joined

    def lanes_of(self, channel: Channel) -> Iterator[Lane]:
        """Every lane that lists `channel` by name (a "*" subscription does not)."""
        for cohort in list(channel.cohorts):
            yield from list(cohort.ready)
            yield from list(cohort.stragglers)
        yield from [lane for lane in self.unsettled if channel in lane.channels]

    def join(self, lane: Lane, channel: Channel, namespace: str | None = None) -> None:
        """Add `channel` to the list; its next quote to this client is the snapshot. `namespace`: as the client spells it."""
        self._edit(lane)[channel] = None
        lane.pending[channel] = True
        if namespace not in (None, channel.namespace):
            _spell(lane, channel, namespace)

    def begin_anew(self, lane: Lane, channels: Iterable[Channel], held: Iterable[Channel]) -> None:
        """Let `lane`, which reads `channels`, be as if it had just joined them, having the newest quote of those in `held` already."""
        self._edit(lane)
        lane.pending.update(dict.fromkeys(channels, True))
        for channel in held:
            del lane.pending[channel]

    def leave(self, lane: Lane, channel: Channel) -> None:
        """Take `channel` off the list."""
        self._edit(lane).pop(channel, None)
        lane.pending.pop(channel, None)
        if isinstance(lane.encode, Spelled):
            _spell(lane, channel, None)

    def join_everything(self, lane: Lane) -> None:
        """Make it a "*" subscription: a snapshot of all that was not listed before, then every channel there is and will be."""
        listed = self._edit(lane)
        if not lane.everything:
            lane.everything = True
            lane.pending.update((channel, True) for channel in self.registry.values() if channel not in listed)
            lane.channels = {}

    def leave_everything(self, lane: Lane, keep: Iterable[Channel] = ()) -> None:
        """Make it an ordinary list again, of `keep`."""
        self._edit(lane)
        lane.everything = False
        kept = lane.channels = dict.fromkeys(keep)
        lane.pending = {channel: first for channel, first in lane.pending.items() if channel in kept}

    def set_period(self, lane: Lane, period_ms: float) -> None:
        """Send to `lane` at most every `period_ms`; 0: every flush."""
        self._edit(lane)
        lane.period_ms = period_ms
        lane.due = False

    def drop(self, outbox: Outbox) -> None:
        """Forget a client."""
        self.changed()
        for lane in outbox.lanes():
            self.unsettled.pop(lane, None)
            if lane.cohort is not None:
                self._take_out(lane, lane.cohort)

    def demote(self, outbox: Outbox) -> None:
        """The client's socket is full: serve its lanes by themselves until it has caught up."""
        for lane in outbox.lanes():
            if lane.cohort is not None:
                lane.cohort.demote(lane, self.number)

    def promote(self, outbox: Outbox) -> None:
        """The client has been sent all it was owed: let its lanes share buffers again where they can."""
        for lane in outbox.lanes():
            if lane.cohort is not None and not lane.ready:
                lane.cohort.place(lane)

    def settle(self) -> list[Lane]:
        """Sort every lane whose list or rate changed into its cohort; returns those that are owed something.

        Call it before a flush gets its number.
        """
        settled, self.unsettled = self.unsettled, {}
        for lane in settled:
            key = CohortKey(lane.encode, frozenset(lane.channels), lane.everything, lane.period_ms)
            if not key.channels and not key.everything:
                lane.channels = key.channels
                continue
            cohort = self.cohorts.get(key)
            if cohort is None:
                cohort = self.cohorts[key] = Cohort(key, self.number)
                if key.everything:
                    self.everything[cohort] = None
            lane.collect(self.number, self.registry)
            cohort.add(lane)
        return [lane for lane in settled if lane.pending]

    def _edit(self, lane: Lane) -> dict[Channel, None]:
        """Take `lane` out of its cohort, bring its books up to date, and give it a set of its own to change."""
        self.changed()
        if lane.cohort is not None:
            lane.cohort.demote(lane, self.number)
            lane.collect(self.number, self.registry)
            lane.channels = dict.fromkeys(lane.cohort.channels)
            self._take_out(lane, lane.cohort)
        elif lane not in self.unsettled:
            lane.synced = self.number  # an empty list: nothing was missed
        self.unsettled[lane] = None
        if not isinstance(lane.channels, dict):
            lane.channels = dict.fromkeys(lane.channels)
        return lane.channels

    def _take_out(self, lane: Lane, cohort: Cohort) -> None:
        if cohort.remove(lane):
            del self.cohorts[cohort.key]
            self.everything.pop(cohort, None)


def _spell(lane: Lane, channel: Channel, namespace: str | None) -> None:
    """Take up the name of a channel of `lane`, which is in no cohort; `None`: the usual one again."""
    spelled = lane.encode.changeable() if isinstance(lane.encode, Spelled) else Spelled({})
    if namespace is None:
        spelled.names.pop(channel, None)
    else:
        spelled.names[channel] = namespace
    lane.encode = spelled if spelled.names else space_parts
