"""What most parsers do: one answer for several symbols, in which what is wrong with one costs no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from feeds.values.parse import decode, table
from ticker.errors import BudgetSpent, FeedError
from ticker.quote import Tick
from ticker.runtime import in_turns
from ticker.source import Answer, Subscription


def for_each(batch: Sequence[Subscription], read: Callable[[Subscription], Tick]) -> dict[str, Tick | FeedError]:
    """By our symbol: the tick that `read` returns, or the `FeedError` that it raises."""
    answer: dict[str, Tick | FeedError] = {}
    for subscription in in_turns(batch):
        try:
            answer[subscription.symbol] = read(subscription)
        except FeedError as error:
            answer[subscription.symbol] = error
    return answer


def in_parts(parts: Iterable[Sequence[Subscription]], ask: Callable[[Sequence[Subscription]], Answer]) -> dict[str, Tick | FeedError]:
    """One answer from a call for each of `parts` that holds any symbols. A call that fails costs its own symbols only, and of one that
    the provider's limits do not allow now there is no news.

    Raises its `FeedError` where no call was answered, where it asks us to wait, and where it does not say which symbol it rejects.
    """
    answer: dict[str, Tick | FeedError] = {}
    errors: list[FeedError] = []
    answered = False
    for part in parts:
        if not part:
            continue
        try:
            answer |= ask(part)
            answered = True
        except FeedError as error:
            if error.retry_after_s is not None or (error.rejects_symbol and len(part) > 1):
                raise
            errors.append(error)
            if not isinstance(error, BudgetSpent):
                answer |= dict.fromkeys((subscription.symbol for subscription in part), error)
    if errors and not answered:
        raise errors[0]
    return answer


def unknown(provider: str, id: str, payload: bytes = b"") -> FeedError:
    """What is said of an id that `provider` does not know."""
    return FeedError(f"{provider} has no {id!r}", retryable=False, rejects_symbol=True, payload=payload)


def error_object(body: bytes) -> dict[str, Any]:
    """The JSON object that an error came with, as providers write them; empty where it is something else, a proxy's page say."""
    try:
        return table(decode(body), "error")
    except FeedError:
        return {}
