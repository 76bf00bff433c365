"""Whether a feed is polled or streamed: as its source offers. Whoever has a `Runner` need not know."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ticker.clock import Clock
from ticker.counters import FeedCounters
from ticker.feed_state import Runner
from ticker.polling.poller import Poller
from ticker.polling.scheduler import Schedule
from ticker.runtime import Runtime
from ticker.source import Answer, Source, StreamSource
from ticker.streaming.streamer import Streamer


def runner_of(
    source: Source,
    runtime: Runtime,
    clock: Clock,
    schedule: Schedule,
    epoch: str,
    *,
    deliver: Callable[[Answer], None],
    changed: Callable[[], None],
    paced: Callable[[], None],
    anew: Callable[[], None],
    random: Random,
    counters: FeedCounters,
) -> Runner:
    """What keeps `source` going. `deliver(answer)` takes in what comes; `changed()` is called when the feed's state on the wire has
    changed, `paced()` when an interval in force has, `anew()` when what comes next may be older than what came before.
    """
    if isinstance(source, StreamSource):
        return Streamer(source, runtime, clock, epoch, deliver=deliver, changed=changed, anew=anew, random=random, counters=counters)
    return Poller(
        source,
        source.settings.interval_s,
        runtime,
        clock,
        schedule,
        deliver=deliver,
        changed=changed,
        paced=paced,
        random=random,
        counters=counters,
    )
