"""What settings want of a source: whether it can stay, and which symbols it is asked for."""

from __future__ import annotations

from ticker.settings.model import FeedSettings, Settings, SymbolOptions
from ticker.source import Source, Subscription

NOT_THE_SOURCES_BUSINESS = ("interval_s", "stale_after_s", "interest", "idle_interval_s")
"""What may change in a feed's settings without a new source."""


def same_source(settings: FeedSettings, other: FeedSettings) -> bool:
    """Whether a source made with `settings` serves `other` as well: how often to poll and what is stale is not the source's business."""
    others_business = {name: getattr(settings, name) for name in NOT_THE_SOURCES_BUSINESS if name in type(settings).model_fields}
    return settings == other.model_copy(update=others_business)


def subscriptions(settings: Settings, source: Source) -> list[Subscription]:
    """What `source` is to be asked for, in the settings' order."""
    wanted = []
    for symbol, wish in settings.symbols.items():
        if source.name in wish.feed:
            options = wish.options.get(source.name) or SymbolOptions()
            wanted.append(Subscription(symbol, options.id or source.native_id(symbol), options))
    return wanted
