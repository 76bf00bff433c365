"""Coming back: what a client says that it has, held against what was sent. It is spared what it has, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from web.fanout.channel import Channel
from web.fanout.reading_list import ReadingList
from web.fanout.subscriptions import Subscriptions


def resume(subscriptions: Subscriptions, reading_list: ReadingList, asked: Collection[Channel], since: Any) -> bool:
    """Let `reading_list` begin anew with `asked`, which it reads: whether its word, `{epoch, seqs: {SYMBOL: n}}`, could be taken.

    Then what it has is the newest or is followed by a snapshot; else snapshots of all follow, and it must forget what it had.
    """
    held = _held(subscriptions.epoch, asked, since)
    subscriptions.begin_anew(reading_list, asked, held or ())
    return held is not None


def _held(epoch: str, asked: Collection[Channel], since: Any) -> list[Channel] | None:
    """The channels whose newest quote the client has; `None` where anything it says can't be so.

    Only what it asks for is looked at: of no other symbol does it learn whether it exists, or how far it is.
    """
    if not isinstance(since, dict) or since.get("epoch") != epoch:
        return None
    seqs = since.get("seqs")
    if not isinstance(seqs, dict) or len(seqs) > len(asked):
        return None
    channels = {channel.symbol: channel for channel in asked}
    held = []
    for symbol, seq in seqs.items():
        channel = channels.get(symbol)
        # Without a quote there is nothing to vouch for: the symbol was removed since, and came back.
        if channel is None or channel.quote is None or type(seq) is not int or not 0 < seq <= channel.quote.seq:
            return None
        if seq == channel.quote.seq:
            held.append(channel)
    return held
