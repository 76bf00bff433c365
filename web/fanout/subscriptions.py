"""Who reads which symbols at which rate: joining, leaving, and sorting reading lists into cohorts. No I/O.

Joining and leaving touch the client's own set only, O(1) a symbol whatever the number of other clients; the cohort is
looked up once before the next flush. Nobody may change a reading list while a flush is under way (`Engine.turn`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from web.fanout.channel import Channel
from web.fanout.cohort import Cohort
from web.fanout.frame_table import FrameTable
from web.fanout.reading_list import CohortKey, Group, Owner, ReadingList, space_parts
from web.fanout.spelling import Spelled, meant


class Subscriptions:
    """All channels, cohorts, and the reading lists that wait to be sorted into one.

    `changed` is called at each change of a list, and must return at once.
    """

    def __init__(self, epoch: str, changed: Callable[[], None] = lambda: None) -> None:
        self.epoch = epoch
        self.number = 0  # of the newest flush
        self.registry: dict[str, Channel] = {}
        self.table = FrameTable()
        self.cohorts: dict[CohortKey, Cohort] = {}
        self.cohorts_of: dict[Channel, dict[Cohort, None]] = {}
        """Those that list a channel by name; in a fixed order, as every set here: two runs send the same bytes."""
        self.everything: dict[Cohort, None] = {}  # cohorts with a "*" subscription: any channel touches them
        self.unsettled: dict[ReadingList, None] = {}
        self._changed = changed

    def add_channel(self, symbol: str) -> Channel:
        """Make `symbol` readable."""
        channel = self.registry[symbol] = Channel(symbol, self.epoch, self.table.take())
        self.cohorts_of[channel] = {}
        return channel

    def named(self, namespace: str) -> Channel | None:
        """The channel of a namespace, however it is spelt."""
        symbol = namespace[1:]
        return self.registry.get(symbol) or self.registry.get(meant(symbol))

    def name_of(self, reading_list: ReadingList, channel: Channel) -> str:
        """What the namespace of `channel` is called by the client whose `reading_list` it is."""
        return reading_list.encode.names.get(channel, channel.namespace) if isinstance(reading_list.encode, Spelled) else channel.namespace

    def remove_channel(self, symbol: str) -> list[tuple[Owner, str]]:
        """Forget `symbol`; returns the clients that had joined its namespace, who are to be told, and what they call it."""
        channel = self.registry.pop(symbol)
        joined = []
        for reading_list in list(self.reading_lists_of(channel)):
            if reading_list.is_of_spaces:
                joined.append((reading_list.outbox, self.name_of(reading_list, channel)))
            self.leave(reading_list, channel)
        for cohort in self.everything:
            for reading_list in cohort.stragglers:
                reading_list.pending.pop(channel, None)
        del self.cohorts_of[channel]
        self.table.give_back(channel.slot)
        return joined

    def reading_lists_of(self, channel: Channel) -> Iterator[ReadingList]:
        """Every list that has `channel` by name (a "*" subscription does not)."""
        for cohort in list(self.cohorts_of[channel]):
            yield from list(cohort.ready)
            yield from list(cohort.stragglers)
        yield from [reading_list for reading_list in self.unsettled if channel in reading_list.channels]

    def read(self) -> set[str] | None:
        """The symbols that somebody reads; `None`: somebody reads all of them."""
        if self.everything or any(reading_list.everything for reading_list in self.unsettled):
            return None
        read = {channel.symbol for channel, cohorts in self.cohorts_of.items() if cohorts}
        for reading_list in self.unsettled:
            read.update(channel.symbol for channel in reading_list.channels)
        return read

    def join(self, reading_list: ReadingList, channel: Channel, namespace: str | None = None) -> None:
        """Add `channel` to the list; its next quote to this client is the snapshot. `namespace`: as the client spells it."""
        self._edit(reading_list)[channel] = None
        reading_list.pending[channel] = True
        if namespace not in (None, channel.namespace):
            _spell(reading_list, channel, namespace)

    def begin_anew(self, reading_list: ReadingList, channels: Iterable[Channel], held: Iterable[Channel]) -> None:
        """Let `reading_list` be as if it had just joined `channels`, which it reads, and had the newest of those in `held` already."""
        self._edit(reading_list)
        reading_list.pending.update(dict.fromkeys(channels, True))
        for channel in held:
            del reading_list.pending[channel]

    def leave(self, reading_list: ReadingList, channel: Channel) -> None:
        """Take `channel` off the list."""
        self._edit(reading_list).pop(channel, None)
        reading_list.pending.pop(channel, None)
        if isinstance(reading_list.encode, Spelled):
            _spell(reading_list, channel, None)

    def join_everything(self, reading_list: ReadingList) -> None:
        """Make it a "*" subscription: a snapshot of all that was not listed before, then every channel there is and will be."""
        listed = self._edit(reading_list)
        if not reading_list.everything:
            reading_list.everything = True
            reading_list.pending.update((channel, True) for channel in self.registry.values() if channel not in listed)
            reading_list.channels = {}

    def leave_everything(self, reading_list: ReadingList, keep: Iterable[Channel] = ()) -> None:
        """Make it an ordinary list again, of `keep`."""
        self._edit(reading_list)
        reading_list.everything = False
        kept = reading_list.channels = dict.fromkeys(keep)
        reading_list.pending = {channel: first for channel, first in reading_list.pending.items() if channel in kept}

    def set_period(self, reading_list: ReadingList, period_ms: float) -> None:
        """Send to `reading_list` at most every `period_ms`; 0: every flush."""
        self._edit(reading_list)
        reading_list.period_ms = period_ms
        reading_list.due = False

    def drop(self, outbox: Owner) -> None:
        """Forget a client."""
        self._changed()
        for reading_list in outbox.reading_lists():
            self.unsettled.pop(reading_list, None)
            if reading_list.cohort is not None:
                self._take_out(reading_list, reading_list.cohort)

    def demote(self, outbox: Owner) -> None:
        """The client's socket is full: serve its lists by themselves until it has caught up."""
        for reading_list in outbox.reading_lists():
            if reading_list.cohort is not None:
                reading_list.cohort.demote(reading_list, self.number)

    def promote(self, outbox: Owner) -> None:
        """The client has been sent all it was owed: let its lists share buffers again where they can."""
        for reading_list in outbox.reading_lists():
            if reading_list.cohort is not None and not reading_list.ready:
                reading_list.cohort.place(reading_list)

    def settle(self) -> list[ReadingList]:
        """Sort every list whose channels or rate changed into its cohort; returns those that are owed something.

        Call it before a flush gets its number.
        """
        settled, self.unsettled = self.unsettled, {}
        for reading_list in settled:
            key = CohortKey(reading_list.encode, frozenset(reading_list.channels), reading_list.everything, reading_list.period_ms)
            if not key.channels and not key.everything:
                reading_list.channels = key.channels
                continue
            cohort = self.cohorts.get(key)
            if cohort is None:
                cohort = self.cohorts[key] = Cohort(key, self.number)
                for channel in cohort.channels:
                    self.cohorts_of[channel][cohort] = None
                if key.everything:
                    self.everything[cohort] = None
            reading_list.collect(self.number, self.registry)
            cohort.add(reading_list)
        return [reading_list for reading_list in settled if reading_list.pending]

    def _edit(self, reading_list: ReadingList) -> dict[Channel, None]:
        """Take `reading_list` out of its cohort, bring its books up to date, and give it a set of its own to change."""
        self._changed()
        if reading_list.cohort is not None:
            reading_list.cohort.demote(reading_list, self.number)
            reading_list.collect(self.number, self.registry)
            reading_list.channels = dict.fromkeys(reading_list.cohort.channels)
            self._take_out(reading_list, reading_list.cohort)
        elif reading_list not in self.unsettled:
            reading_list.synced = self.number  # an empty list: nothing was missed
        self.unsettled[reading_list] = None
        if not isinstance(reading_list.channels, dict):
            reading_list.channels = dict.fromkeys(reading_list.channels)
        return reading_list.channels

    def _take_out(self, reading_list: ReadingList, group: Group) -> None:
        cohort = self.cohorts[group.key]
        if cohort.remove(reading_list):
            del self.cohorts[cohort.key]
            self.everything.pop(cohort, None)
            for channel in cohort.channels:
                self.cohorts_of[channel].pop(cohort, None)


def _spell(reading_list: ReadingList, channel: Channel, namespace: str | None) -> None:
    """Take up the name of a channel of `reading_list`, which is in no cohort; `None`: the usual one again."""
    spelled = reading_list.encode.changeable() if isinstance(reading_list.encode, Spelled) else Spelled({})
    if namespace is None:
        spelled.names.pop(channel, None)
    else:
        spelled.names[channel] = namespace
    reading_list.encode = spelled if spelled.names else space_parts
