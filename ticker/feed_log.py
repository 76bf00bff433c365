"""What is said of a feed in the log: each thing once, not at every poll. Times are monotonic seconds."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Sequence

from ticker.errors import FeedError
from ticker.log_limit import LogLimit
from ticker.source import Answer, Unread, reason

log = logging.getLogger("ticker.feeds")  # of polled and streamed feeds alike, wherever this file lies

REPEAT_AFTER_S = 60.0
"""A feed that comes and goes is mentioned once in this time."""
NAMED = 5
"""So many symbols are named in one line; the others are counted."""


class FeedLog:
    """The memory of what was said of one feed."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._failing = ""  # what was last said to be wrong with the feed
        self._said_at_s = 0.0
        self._announced = False  # whether people have been told that the feed is failing, so that they hear of its recovery
        self._bugs = LogLimit(1, REPEAT_AFTER_S)  # by the place in the code, of which there are not many
        self._stopped = False
        self._slow = 0  # polls in a row that took too long
        self._unread = False
        self._widened = ""
        self._widened_at_s = 0.0
        self._symbols: dict[str, str] = {}  # what was last said to be wrong with a symbol

    def failure(self, error: FeedError, delay: float, now_s: float) -> None:
        """The feed failed and will be asked again in `delay` seconds: said where it is news."""
        what = _kind_of(error)
        if what == self._failing and (self._announced or now_s - self._said_at_s < REPEAT_AFTER_S):
            log.debug("feed %s: still %s; next try in %.1f s", self._feed, error, delay)
            return
        self._failing, self._said_at_s, self._announced = what, now_s, True
        log.warning("feed %s: %s; next try in %.1f s", self._feed, error, delay)

    def success(self) -> None:
        """The feed answered: said where people know of its failing."""
        if self._announced:
            log.info("feed %s: answers again", self._feed)
        self._announced = False

    def bug(self, error: Exception, now_s: float) -> FeedError:
        """The feed's code raised what it should not: a traceback, once a minute for each place. Returns it as a failure of the feed."""
        if not self._stopped and self._bugs.passes(now_s, _place_of(error)) is not None:
            log.error("feed %s: a bug", self._feed, exc_info=error)
        return FeedError(f"internal error: {type(error).__name__}")  # its words are for the log: they may be anybody's

    def stop(self) -> None:
        """The feed is stopped: what breaks from now on breaks because of that."""
        self._stopped = True

    def slow(self, took_s: float, interval_s: float) -> None:
        """A poll took longer than the interval: said of the second in a row, as one alone may be a pause of the machine."""
        self._slow += 1
        if self._slow == 2:
            log.warning(
                "feed %s: a poll takes %.1f s, longer than its interval of %g s; one follows the other at once",
                self._feed,
                took_s,
                interval_s,
            )

    def in_time(self) -> None:
        """A poll took less than the interval."""
        self._slow = 0

    def widened(self, reason: str | None, interval_s: float, now_s: float, often: bool) -> None:
        """Polls are `interval_s` apart, for `reason` longer than the settings say (`None`: as they say). `often`: it keeps changing."""
        what = reason or ""
        if what == self._widened or (often and what and now_s - self._widened_at_s < REPEAT_AFTER_S):
            return
        if reason is not None:
            log.warning("feed %s: polls every %.3g s: %s", self._feed, interval_s, reason)
        else:
            log.info("feed %s: polls every %.3g s again", self._feed, interval_s)
        self._widened, self._widened_at_s = what, now_s

    def unread(self, unread: Unread | None) -> None:
        """Some rows of an answer are of no use to anybody: said until there are none any more, once."""
        if unread is not None and not self._unread:
            rows = "1 row" if unread.rows == 1 else f"{unread.rows} rows"
            log.warning("feed %s: %s can't be read, the others are; %s", self._feed, rows, unread.first)
        self._unread = unread is not None

    def symbols(self, answer: Answer) -> None:
        """What there was for these symbols: one line for each reason why there is no price that is new for some of them."""
        news: dict[str, list[str]] = {}
        for symbol, outcome in answer.items():
            if isinstance(outcome, FeedError):
                if self._symbols.get(symbol) != (what := _kind_of(outcome)):
                    self._symbols[symbol] = what
                    news.setdefault(what, []).append(symbol)
            elif self._symbols:
                self._symbols.pop(symbol, None)
        for symbols in news.values():
            log.warning("feed %s: no price for %s: %s", self._feed, named(symbols), answer[symbols[0]])

    def forget(self, symbol: str) -> None:
        """The symbol left, or asks for something else now."""
        self._symbols.pop(symbol, None)


def named(symbols: Sequence[str]) -> str:
    """The first of them by name, and how many more there are."""
    more = f" and {len(symbols) - NAMED} more" if len(symbols) > NAMED else ""
    return f"{', '.join(symbols[:NAMED])}{more}"


def _kind_of(error: FeedError) -> str:
    """The error without what differs from one time to the next: the payload's excerpt and all numbers."""
    return re.sub(r"\d+", "#", reason(error))


def _place_of(error: Exception) -> tuple[str, str, int | None]:
    """Tells one bug from another: its type, and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return type(error).__name__, frames[0].filename if frames else "", frames[0].lineno if frames else None
