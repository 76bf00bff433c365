"""The frames of a flush, each in the slot of its channel: whatever a client reads, its buffer is one gather and one join, both in C."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter

from web.fanout.channel import Channel

Slots = Sequence[bytes | None]
Pick = Callable[[Slots], Sequence[bytes]]
"""The frames of one reading list, in its order. `b""` for a channel without news; `None` where the frame is yet to be made."""


class FrameTable:
    """A slot a channel. Between flushes all are empty; a slot is taken and given back as the channel comes and goes."""

    def __init__(self) -> None:
        self.slots: list[bytes | None] = []
        self._free: list[int] = []

    def take(self) -> int:
        """A slot for a new channel."""
        if self._free:
            return self._free.pop()
        self.slots.append(b"")
        return len(self.slots) - 1

    def give_back(self, slot: int) -> None:
        """Its channel is gone, and so are the lists that had it."""
        self._free.append(slot)

    def begin(self, dirty: Iterable[Channel]) -> None:
        """These have news. Their frames are made when somebody turns out to read them."""
        for channel in dirty:
            self.slots[channel.slot] = None

    def end(self, dirty: Iterable[Channel]) -> None:
        """The flush of `dirty` is over."""
        for channel in dirty:
            self.slots[channel.slot] = b""

    def gather(self, pick: Pick, channels: Iterable[Channel]) -> tuple[bytes, int]:
        """The news of `channels`, whose `pick` it is: one buffer, and how many frames are in it."""
        slots = self.slots
        frames = pick(slots)
        try:
            buffer = b"".join(frames)
        except TypeError:  # a `None`: nobody has read that one in this flush
            for channel in channels:
                if slots[channel.slot] is None:
                    slots[channel.slot] = channel.frame()
            frames = pick(slots)
            buffer = b"".join(frames)
        return buffer, len(frames) - frames.count(b"")


def picker(channels: Sequence[Channel]) -> Pick:
    """What gathers the frames of these channels, one or more."""
    slots = [channel.slot for channel in channels]
    if len(slots) == 1:  # where `itemgetter` would return the frame itself
        return itemgetter(slice(slots[0], slots[0] + 1))
    return itemgetter(*slots)
