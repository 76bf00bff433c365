"""The table of frames: a list's news in its own order, each frame made once and only if somebody reads it, and nothing left behind."""

from __future__ import annotations

import pytest

from tests.web.fanout.quotes import quote
from web.fanout.channel import Channel
from web.fanout.frame_table import picker
from web.fanout.subscriptions import Subscriptions


def flushed(subscriptions: Subscriptions, *symbols: str) -> list[Channel]:
    """A flush of these symbols begins."""
    subscriptions.number += 1
    dirty = [subscriptions.registry[symbol] for symbol in symbols]
    for channel in dirty:
        channel.flush(quote(channel.symbol, subscriptions.number), subscriptions.number)
    subscriptions.table.begin(dirty)
    return dirty


@pytest.fixture
def subscriptions() -> Subscriptions:
    """Of A, B and C."""
    subscriptions = Subscriptions("e1")
    for symbol in "ABC":
        subscriptions.add_channel(symbol)
    return subscriptions


@pytest.mark.parametrize("read", ["A", "AB", "CA", "CBA"])
@pytest.mark.parametrize("dirty", ["A", "B", "BC", "ABC"])
def test_the_news_of_a_list(subscriptions: Subscriptions, read: str, dirty: str) -> None:
    """What is both read and new, in the order of the list."""
    flushed(subscriptions, *dirty)
    channels = [subscriptions.registry[symbol] for symbol in read]
    frames = [channel.frame() for channel in channels if channel.symbol in dirty]
    assert subscriptions.table.gather(picker(channels), channels) == (b"".join(frames), len(frames))


def test_a_frame_is_made_for_the_first_who_reads_it(subscriptions: Subscriptions) -> None:
    """The next one gets the same bytes; what nobody reads is not made."""
    flushed(subscriptions, "A", "B")
    channel = subscriptions.registry["A"]
    pick = picker([channel])
    first, _ = subscriptions.table.gather(pick, [channel])
    again, _ = subscriptions.table.gather(pick, [channel])
    assert first is again
    assert subscriptions.table.slots.count(None) == 1


def test_a_flush_leaves_nothing_behind(subscriptions: Subscriptions) -> None:
    """What was new is not new the next time."""
    dirty = flushed(subscriptions, "A", "B")
    channels = list(subscriptions.registry.values())
    subscriptions.table.gather(picker(channels), channels)
    subscriptions.table.end(dirty)
    assert subscriptions.table.gather(picker(channels), channels) == (b"", 0)


def test_a_symbol_that_came_after_another_went_has_its_own_news(subscriptions: Subscriptions) -> None:
    """Slots are used again, frames are not; and the table grows no further than there are symbols."""
    subscriptions.remove_channel("B")
    late = subscriptions.add_channel("D")
    assert len(subscriptions.table.slots) == 3
    flushed(subscriptions, "D")
    channels = list(subscriptions.registry.values())
    assert subscriptions.table.gather(picker(channels), channels) == (late.frame(), 1)
