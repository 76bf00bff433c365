"""What the core asks of a feed, whoever wrote it. `feeds.base.Feed` is the base class that offers all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, Self

from ticker.errors import FeedError, said
from ticker.gate import Gate
from ticker.quote import Correction, Kind, Tick, VolumeOf, correcting
from ticker.rate_limit import Cost, Demand
from ticker.settings.model import FeedSettings, SymbolOptions


class Subscription(NamedTuple):
    """One symbol as one feed is to serve it: our symbol, the provider's id of it, and this feed's options for it."""

    symbol: str
    id: str
    options: SymbolOptions


Answer = Mapping[str, Tick | FeedError]
"""By our symbol: a tick, or why there is none. A symbol that was asked for and is absent has no news."""


def merge(answer: dict[str, Tick | FeedError], news: Answer) -> None:
    """Put `news`, which came after it, into `answer`. Of each symbol the newest is kept, as what it has to be to be believed: after a
    correction whatever stands on it is one too, and an error that may pass does not hide it.
    """
    for symbol, one in news.items():
        if not isinstance(answer.get(symbol), Correction):
            answer[symbol] = one
        elif isinstance(one, Tick):
            answer[symbol] = correcting(one)
        elif not one.retryable:
            answer[symbol] = one


class Unread(NamedTuple("Unread", [("rows", int), ("first", str)])):
    """Rows of an answer that nobody can make anything of, not even whose they are. `first`: where the first one is, and why, in words
    that are fit to be published.
    """

    __slots__ = ()

    def __new__(cls, rows: int, first: str) -> Self:
        """Their number, and what there is to say of the first of them."""
        return super().__new__(cls, rows, said(first))


class Source(Protocol):
    """A feed as the core sees it. It knows nothing of boards, schedules or back-off."""

    @property
    def name(self) -> str:
        """The feed's name in the settings."""

    @property
    def settings(self) -> FeedSettings:
        """What it was made with. `interval_s` and `stale_after_s` are the poller's business and may change without a new source."""

    @property
    def kind(self) -> str:
        """The word in `kind = "…"` of the settings."""

    @property
    def quote_kind(self) -> Kind:
        """What the wire field `kind` says of its quotes."""

    @property
    def batch_size(self) -> int | None:
        """How many symbols one call can carry; `None`: all."""

    @property
    def cadence_s(self) -> float:
        """How old its newest prices may be by nature, seconds: for daily rates, the longest time from one to the next."""

    @property
    def volume_of(self) -> VolumeOf:
        """What the `volume` of its ticks counts, where a tick does not say so itself."""

    @property
    def again_in_s(self) -> float | None:
        """Looked at after a good poll: when it would like to be asked again, seconds; `None`: at the interval, as always."""

    @property
    def unread(self) -> Unread | None:
        """What of its last answer could not be read, if anything."""

    @property
    def gate(self) -> Gate | None:
        """What its calls go through, which keeps to the provider's limits; `None`: nobody counts them."""

    def cost(self, symbols: int) -> Cost:
        """What a call for so many symbols takes of the limits."""

    def demand(self, symbols: int, interval_s: float) -> Demand:
        """What polling so many symbols at that interval takes of the limits in a second."""

    def native_id(self, symbol: str) -> str:
        """The provider's id of `symbol` where the settings name none."""

    def poll(self, batch: Sequence[Subscription]) -> Answer:
        """Ask once for `batch`: 1 to `batch_size` symbols, all that are wanted or any part of them.

        Raises `FeedError` where the whole call failed; with `rejects_symbol` set, one of several symbols is unknown
        to the provider and spoils the batch. Never called twice at a time.
        """

    def close(self) -> None:
        """Give back what it holds. It is not polled afterwards; a call under way may fail in any way it likes."""


def bare(error: FeedError) -> FeedError:
    """`error` without what it was raised in and raised from: an error is kept, and would keep the whole answer that was looked at there."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def bared(answer: Answer) -> Answer:
    """`answer` with its errors `bare`."""
    for news in answer.values():
        if isinstance(news, FeedError):
            bare(news)
    return answer


def reason(error: FeedError) -> str:
    """The error in words without the excerpt of the payload: what is shown to clients, and tells one failure from another."""
    return str(error).removesuffix(f" [{error.excerpt}]")
