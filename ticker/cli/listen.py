"""One symbol asked of any feed, for the commands that want a single answer: a stream is connected to, subscribed and listened to."""

from __future__ import annotations

import time
from typing import NamedTuple

from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.source import Source, Subscription
from ticker.stream import Ended, StreamSource

LISTEN_S = 5.0
"""How long to wait for a stream's first word of a symbol. Who trades each second says it sooner; at night nobody does."""
LOOK_S = 0.1


class Heard(NamedTuple):
    """What a stream had to say: the outcome (`None`: nothing), of how many messages, and whether it had taken note of the symbol."""

    outcome: Tick | FeedError | None
    messages: int
    subscribed: bool


def ask(source: Source, subscription: Subscription) -> Tick | FeedError | None:
    """The tick of one symbol, or why there is none; `None`: no news so far. Raises `FeedError` where the feed as a whole fails."""
    if isinstance(source, StreamSource):
        return listen(source, subscription).outcome or FeedError(f"connected, and not a word within {LISTEN_S:g} s")
    return source.poll([subscription]).get(subscription.symbol)


def listen(source: StreamSource, subscription: Subscription, within_s: float = LISTEN_S) -> Heard:
    """What `source` says of one symbol within `within_s`; where it says nothing, what there is beside it. Raises as `ask` does."""
    symbol = subscription.symbol
    beside = source.poll([subscription]).get(symbol)
    if isinstance(beside, FeedError) and beside.rejects_symbol:
        return Heard(beside, 0, subscribed=False)
    link = source.open([subscription])
    try:
        session = source.session("doctor")
        session.want([subscription])
        if isinstance(beside, Tick):
            session.take_snapshot({symbol: beside})
        news: Tick | FeedError | None = None
        messages, until_s = 0, time.monotonic() + within_s
        while news is None and (now_s := time.monotonic()) < until_s:
            words, answer = session.due(now_s)
            for word in words:
                link.send(word)
            news = answer.get(symbol)
            for message in link.receive(LOOK_S) or []:
                messages += 1
                try:
                    news = session.receive(message, now_s).get(symbol, news)
                except Ended:
                    raise
                except FeedError:  # a message that makes no sense costs only itself, as it does while serving
                    continue
        return Heard(beside if news is None else news, messages, session.ready)
    finally:
        link.close()
