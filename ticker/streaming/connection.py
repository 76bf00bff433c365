"""One connection of a stream, and what its silence means. Times are arguments: monotonic seconds."""

from __future__ import annotations

import logging

from ticker.errors import FeedError
from ticker.source import Ended, Link, Session

log = logging.getLogger(__name__)

PROBE_AFTER_S = 15.0
"""Not a byte for so long, and the other side is asked for a sign of life."""
DEAD_AFTER_S = 30.0
"""Not a byte for so long, and the connection is dead, whatever TCP thinks."""
MOST_ODD = 100
"""So many messages running that make no sense end a connection."""


class StreamConnection:
    """Its I/O, what is said over it, and what has been seen of it."""

    def __init__(self, link: Link, session: Session, now_s: float) -> None:
        self.link = link
        self.session = session
        self.opened_s = now_s
        self.version = -1  # of what is wanted, as far as `session` knows it
        self.has_data = False
        self.odd_running = 0  # so many messages, the last ones, made no sense
        self.renew = False  # whether another one should take its place
        self._bytes_s = self._message_s = now_s
        self._probed = False
        self._odd_ever = False

    def heard(self, messages: int, now_s: float) -> None:
        """Something came; so many whole messages with it."""
        self._bytes_s, self._probed = now_s, False
        if messages:
            self._message_s = now_s

    def odd(self, feed: str, error: FeedError) -> None:
        """A message made no sense: the first is mentioned. Raises `Ended` where they are many running."""
        if not self._odd_ever:
            log.warning("feed %s: a message that makes no sense is passed over: %s", feed, error)
        self._odd_ever, self.odd_running = True, self.odd_running + 1
        if self.odd_running >= MOST_ODD:
            raise Ended(f"{MOST_ODD} messages running make no sense, the last: {error}") from error

    def age_s(self, now_s: float) -> float:
        """How long it has been open."""
        return now_s - self.opened_s

    def watch(self, now_s: float) -> None:
        """Ask for a sign of life where there was none for a while. Raises `Ended` where the connection is dead."""
        quiet_s = now_s - self._bytes_s
        if quiet_s >= DEAD_AFTER_S:
            raise Ended(f"not a byte for {quiet_s:.0f} s")
        if quiet_s >= PROBE_AFTER_S and not self._probed:
            self._probed = True
            self.link.ping()
        silence = self.session.silence
        if silence is not None and silence.heartbeat and now_s - self._message_s >= silence.limit_s:
            raise Ended(f"no heartbeat for {now_s - self._message_s:.0f} s")

    def is_mute(self, now_s: float, at_least_s: float) -> bool:
        """Whether it is alive as far as one can tell, and has said nothing for longer than is usual, and for `at_least_s`."""
        silence = self.session.silence
        return silence is not None and not silence.heartbeat and now_s - self._message_s >= max(silence.limit_s, at_least_s)
