"""One symbol asked of any feed, for the commands that want a single answer: a stream is connected to, subscribed and listened to."""

from __future__ import annotations

from feeds.streams.feed import LISTEN_S, listen
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.source import Source, StreamSource, Subscription


def ask(source: Source, subscription: Subscription) -> Tick | FeedError | None:
    """The tick of one symbol, or why there is none; `None`: no news so far. Raises `FeedError` where the feed as a whole fails.

    Of a stream: its own first word, on top of what there is beside it; that alone where it says nothing, at night say.
    """
    symbol = subscription.symbol
    if not isinstance(source, StreamSource):
        return source.poll([subscription]).get(symbol)
    beside = None if source.snapshots is None else source.snapshots.poll([subscription]).get(symbol)
    if isinstance(beside, FeedError) and beside.rejects_symbol:
        return beside
    if isinstance(beside, Tick):
        session = source.session("")
        session.want([subscription])
        session.take_snapshot({symbol: beside})  # what a session knows outlives it
    news = listen(source, [subscription]).get(symbol, beside)
    return FeedError(f"connected, and not a word within {LISTEN_S:g} s") if news is None else news
