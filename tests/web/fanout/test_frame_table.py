"""The table of frames: a list's news in its own order, each frame made once and only if somebody reads it, and nothing left behind."""

from __future__ import annotations

import pytest

from tests.web.fanout.quotes import quote
from web.fanout.channel import Channel
from web.fanout.frame_table import picker
from web.fanout.subscriptions import Readers


def flushed(readers: Readers, *symbols: str) -> list[Channel]:
    """A flush of these symbols begins."""
    readers.number += 1
    dirty = [readers.registry[symbol] for symbol in symbols]
    for channel in dirty:
        channel.flush(quote(channel.symbol, readers.number), readers.number)
    readers.table.begin(dirty)
    return dirty


@pytest.fixture
def readers() -> Readers:
    """Of A, B and C."""
    readers = Readers("e1")
    for symbol in "ABC":
        readers.add_channel(symbol)
    return readers


@pytest.mark.parametrize("read", ["A", "AB", "CA", "CBA"])
@pytest.mark.parametrize("dirty", ["A", "B", "BC", "ABC"])
def test_the_news_of_a_list(readers: Readers, read: str, dirty: str) -> None:
    """What is both read and new, in the order of the list."""
    flushed(readers, *dirty)
    channels = [readers.registry[symbol] for symbol in read]
    frames = [channel.frame() for channel in channels if channel.symbol in dirty]
    assert readers.table.gather(picker(channels), channels) == (b"".join(frames), len(frames))


def test_a_frame_is_made_for_the_first_who_reads_it(readers: Readers) -> None:
    """The next one gets the same bytes; what nobody reads is not made."""
    flushed(readers, "A", "B")
    channel = readers.registry["A"]
    pick = picker([channel])
    first, _ = readers.table.gather(pick, [channel])
    again, _ = readers.table.gather(pick, [channel])
    assert first is again
    assert readers.table.slots.count(None) == 1


def test_a_flush_leaves_nothing_behind(readers: Readers) -> None:
    """What was new is not new the next time."""
    dirty = flushed(readers, "A", "B")
    channels = list(readers.registry.values())
    readers.table.gather(picker(channels), channels)
    readers.table.end(dirty)
    assert readers.table.gather(picker(channels), channels) == (b"", 0)


def test_a_symbol_that_came_after_another_went_has_its_own_news(readers: Readers) -> None:
    """Slots are used again, frames are not; and the table grows no further than there are symbols."""
    readers.remove_channel("B")
    late = readers.add_channel("D")
    assert len(readers.table.slots) == 3
    flushed(readers, "D")
    channels = list(readers.registry.values())
    assert readers.table.gather(picker(channels), channels) == (late.frame(), 1)
