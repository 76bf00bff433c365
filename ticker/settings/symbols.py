"""Reads `[symbols]`: which feeds each symbol names, what it says to each of them, and everything that is wrong with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ticker import symbols
from ticker.errors import Problem
from ticker.settings import other_names, toml_file
from ticker.settings.check import unknown_key
from ticker.settings.describe import did_you_mean, key_path, shown, toml
from ticker.settings.model import SYMBOL_KEYS, FeedSettings, SymbolOptions, SymbolSettings
from ticker.settings.problems import Problems


class SymbolsReader:
    """Reads it next to the `feeds` of the file, by name (`None`: something is wrong with that one). `options`: what a symbol may say to a
    feed of each kind.
    """

    def __init__(self, problems: Problems, feeds: Mapping[str, FeedSettings | None], options: Mapping[str, type[SymbolOptions]]) -> None:
        self._problems = problems
        self._feeds = feeds
        self._feed_names = list(feeds)
        self._options_by_kind = options

    def read(self, tables: Mapping[str, Any]) -> Iterator[tuple[str, SymbolSettings | None]]:
        """Each symbol with its settings, or with `None` where something is wrong with them. `tables`: what stands in `[symbols]`."""
        for symbol, values in tables.items():
            key = key_path(["symbols", symbol])
            reason = symbols.check(symbol)
            if reason:
                self._problems.add(Problem(key, f"the symbol {reason}", self._alias(symbol, values, tables)))
            if not isinstance(values, dict):
                example = values if isinstance(values, str) and values in self._feed_names else "FEED"
                self._problems.add(Problem(key, "must be a table", f'write {{ feed = "{example}" }}', shown(values)))
                continue
            dotted = [] if reason else list(_dotted(values))
            for parts in dotted:
                self._problems.add(toml_file.dotted_symbol([symbol, *parts]))
            beginnings = {parts[0] for parts in dotted}
            rest = {name: value for name, value in values.items() if name not in beginnings}
            if rest or not dotted:
                yield symbol, self._symbol(symbol, rest)

    def _alias(self, symbol: str, values: object, taken: Mapping[str, Any]) -> str:
        """How to give another name to a symbol that we can't spell."""
        line = values if isinstance(values, dict) else {}
        given = line.get("feed")
        chosen = [feed for feed in (given if isinstance(given, list) else [given]) if isinstance(feed, str) and feed in self._feed_names]
        return other_names.hint(symbol, chosen, line, taken)

    def _symbol(self, symbol: str, values: Mapping[str, Any]) -> SymbolSettings | None:
        path = ("symbols", symbol)
        chosen = self._chosen(values, path)
        options: dict[str, SymbolOptions | None] = {}
        for name, value in values.items():
            if name in SYMBOL_KEYS:
                continue
            if name not in self._feed_names:
                known = [*SYMBOL_KEYS, *(feed for feed in chosen if feed in self._feed_names)]
                self._problems.add(unknown_key(path, name, known, value))
            elif name not in chosen and not all(feed in self._feed_names for feed in chosen):
                continue  # The feed that was meant may be this one, under a wrong name.
            elif name not in chosen:
                reason = f"the symbol does not use the feed {name}"
                self._problems.add(Problem(key_path([*path, name]), reason, f"add {name} to feed, or remove this"))
            else:
                options[name] = self._options(value, (*path, name), self._feeds[name])
        for feed in chosen:
            if feed not in options and self._feeds.get(feed):
                options[feed] = self._options({}, (*path, feed), self._feeds[feed])
        own = {name: value for name, value in values.items() if name in SYMBOL_KEYS}
        if "feed" not in own:
            return None
        return self._problems.check(SymbolSettings, own | {"options": {name: value for name, value in options.items() if value}}, path)

    def _chosen(self, values: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
        """The feeds a symbol names, checked against those there are."""
        key = key_path([*path, "feed"])
        if "feed" not in values:
            example = self._feed_names[0] if self._feed_names else "NAME"
            self._problems.add(Problem(key, "is missing", f'write feed = "{example}"; {_all(self._feed_names)}'))
            return []
        given = values["feed"] if isinstance(values["feed"], list) else [values["feed"]]
        if not given:
            self._problems.add(Problem(key, "must name at least one feed", _all(self._feed_names), []))
        chosen = [feed for feed in given if isinstance(feed, str)]
        for index, feed in enumerate(chosen):
            where = key if len(given) == 1 else key_path([*path, "feed", given.index(feed)])
            if feed not in self._feed_names:
                self._problems.add(Problem(where, "there is no such feed", did_you_mean(feed, self._feed_names, "feeds"), shown(feed)))
            elif feed in chosen[:index]:
                self._problems.add(Problem(key, f"names the feed {feed} twice", "name it once", shown(given)))
        return list(dict.fromkeys(chosen))

    def _options(self, value: object, path: tuple[str, ...], feed: FeedSettings | None) -> SymbolOptions | None:
        if isinstance(value, str):
            value = {"id": value}
        if not isinstance(value, dict):
            reason = f"must be the symbol's id at {path[-1]}, a string, or a table of options"
            self._problems.add(
                Problem(key_path(path), reason, f'write "{toml(value)}", in quotes' if type(value) is int else "", shown(value))
            )
            return None
        return self._problems.check(self._options_by_kind[feed.kind], value, path) if feed else None


def _all(feed_names: Sequence[str]) -> str:
    return f"the feeds: {', '.join(feed_names)}" if feed_names else "there are no feeds yet: write [feeds.NAME]"


def _dotted(values: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The rest of each symbol that was written with a dot and without quotes: `("B",)` in `BRK.B = { feed = … }`."""
    for name, value in values.items():
        if name not in SYMBOL_KEYS and isinstance(value, dict) and len(before) < symbols.MAX_LENGTH:
            if "feed" in value:
                yield (*before, name)
            yield from _dotted(value, (*before, name))
