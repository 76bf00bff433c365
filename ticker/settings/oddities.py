"""What settings say that will work and is hardly meant: the warnings of `validate`, and its errors with `--strict`."""

from __future__ import annotations

from collections.abc import Iterator

from ticker.errors import Problem
from ticker.settings.model import Settings
from ticker.settings.words import key_path


def oddities(settings: Settings) -> Iterator[Problem]:
    """Each thing that is odd about `settings`, by its key."""
    used = {feed for symbol in settings.symbols.values() for feed in symbol.feed}
    for name, feed in settings.feeds.items():
        path = ("feeds", name)
        if name not in used:
            yield Problem(key_path(path), "no symbol uses this feed")
        if feed.interval_s < feed.advised_interval_s:
            reason = f"the provider advises {feed.advised_interval_s:g} s or more"
            yield Problem(key_path([*path, "interval_s"]), reason, value=feed.interval_s)
        if feed.stale_after_s is not None and feed.stale_after_s <= feed.interval_s:
            yield Problem(key_path([*path, "stale_after_s"]), "not longer than interval_s: prices turn stale between two polls",
                          value=feed.stale_after_s)
    if not settings.symbols:
        yield Problem("symbols", "there are no symbols yet", "symbols add SYMBOL")
    by_lower: dict[str, str] = {}
    for symbol in settings.symbols:
        twin = by_lower.setdefault(symbol.lower(), symbol)
        if twin != symbol:
            yield Problem(key_path(["symbols", symbol]), f"differs from {twin} by case only, and is another symbol")
