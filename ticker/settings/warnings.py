"""What settings say that will work and is hardly meant: the warnings of `validate`, and its errors with `--strict`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from ipaddress import ip_network

from ticker.errors import Problem
from ticker.rate_limit import Budget, Demand, lowest
from ticker.settings.calendars import BUILT_IN, known_calendars
from ticker.settings.describe import key_path
from ticker.settings.model import PolledSettings, Settings


def oddities(settings: Settings, demands: Mapping[str, Callable[[int, float], Demand]]) -> Iterator[Problem]:
    """Each thing that is odd about `settings`, by its key. `demands`: what a feed of each kind spends (`FeedKind.demand`)."""
    if any(ip_network(proxy).prefixlen == 0 for proxy in settings.server.trusted_proxies):
        yield Problem(
            "server.trusted_proxies",
            "trusts the whole internet: anybody can say to be anybody",
            "name your proxies' addresses",
            settings.server.trusted_proxies,
        )
    if "null" in settings.server.allowed_origins:
        yield Problem(
            "server.allowed_origins",
            "null is what every page in a sandboxed frame sends, of whatever site: all may connect",
            "give what sends it an origin of its own, or have it send none",
            settings.server.allowed_origins,
        )
    yield from _in_feeds(settings)
    yield from _over_budget(settings, demands)
    yield from _without_hours(settings)
    yield from _jumps_of_any_sign(settings)
    if not settings.symbols:
        yield Problem("symbols", "there are no symbols yet", "symbols add SYMBOL")
    by_lower: dict[str, str] = {}
    for symbol in settings.symbols:
        twin = by_lower.setdefault(symbol.lower(), symbol)
        if twin != symbol:
            yield Problem(key_path(["symbols", symbol]), f"differs from {twin} by case only, and is another symbol")


def _in_feeds(settings: Settings) -> Iterator[Problem]:
    used = {feed for symbol in settings.symbols.values() for feed in symbol.feed}
    for name, feed in settings.feeds.items():
        path = ("feeds", name)
        if name not in used:
            yield Problem(key_path(path), "no symbol uses this feed")
        if feed.interval_s < feed.advised_interval_s:
            reason = f"the provider advises {feed.advised_interval_s:g} s or more"
            yield Problem(key_path([*path, "interval_s"]), reason, value=feed.interval_s)
        if feed.stale_after_s is not None and feed.stale_after_s <= feed.interval_s:
            yield Problem(
                key_path([*path, "stale_after_s"]),
                "not longer than interval_s: prices turn stale between two polls",
                value=feed.stale_after_s,
            )


def _over_budget(settings: Settings, demands: Mapping[str, Callable[[int, float], Demand]]) -> Iterator[Problem]:
    """Feeds whose symbols can't be polled so often. With `interest` it depends on what is watched, and is said when it happens."""
    counts = Counter(feed for symbol in settings.symbols.values() for feed in symbol.feed)
    accounts: dict[Hashable, dict[str, PolledSettings]] = {}
    for name, feed in settings.feeds.items():
        if isinstance(feed, PolledSettings) and feed.kind in demands and counts[name] and not feed.interest:
            accounts.setdefault(feed.account(), {})[name] = feed
    for feeds in accounts.values():
        budget = Budget(lowest(rate for feed in feeds.values() for rate in feed.budget.rates()))
        for name, feed in feeds.items():
            budget.plan(name, demands[feed.kind](counts[name], feed.interval_s))
        for name, feed in feeds.items() if budget.stretch() > 1 else ():
            shared = "" if len(feeds) == 1 else f", shared by {len(feeds)} feeds"
            yield Problem(
                key_path(["feeds", name, "interval_s"]),
                f"{counts[name]} symbol{'s' * (counts[name] > 1)} can't be polled so often with {budget.tightest()}{shared}; "
                f"it will be every {budget.stretch() * feed.interval_s:.3g} s",
                "make it longer",
                feed.interval_s,
            )


def _without_hours(settings: Settings) -> Iterator[Problem]:
    """Calendars that nothing here knows the hours of."""
    asking = [symbol for symbol, wish in settings.symbols.items() if wish.calendar is not None and wish.calendar not in BUILT_IN]
    if asking and known_calendars() is None:
        others = f"; {len(asking)} symbols have one" if len(asking) > 1 else ""
        yield Problem(
            key_path(["symbols", asking[0], "calendar"]),
            f"takes the package exchange_calendars, which is not installed: the market's hours stay unknown{others}",
            "pip install exchange_calendars",
            settings.symbols[asking[0]].calendar,
        )


def _jumps_of_any_sign(settings: Settings) -> Iterator[Problem]:
    """A limit in percent for prices that may be zero: of that everything is too many percent."""
    for symbol, wish in settings.symbols.items():
        if wish.allow_negative and wish.max_jump_pct is not None:
            named = f"max_jump, {wish.max_jump:g}" if wish.max_jump is not None else ""
            instead = named or "max_jump, and without it by how far it has moved so far"
            yield Problem(
                key_path(["symbols", symbol, "max_jump_pct"]),
                f"does not limit its jumps: with allow_negative they are judged in its own unit, by {instead}",
                "remove it" if named else "write max_jump, in its own unit",
                wish.max_jump_pct,
            )
