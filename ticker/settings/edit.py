"""Adds a symbol to the settings file and removes one: comments, order and everything else stay as they were written.

Here is what to write; `write.py` puts it into the file.
"""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Item, Key, Table

from ticker import symbols
from ticker.errors import Problem, SettingsError
from ticker.settings import other_names, toml_file
from ticker.settings.describe import did_you_mean, key_part, key_path
from ticker.settings.load import FeedKind, Loaded, parse
from ticker.settings.write import replace

ATTEMPTS = 5


def add(path: Path, symbol: str, feed: str | None, kinds: Mapping[str, FeedKind], environ: Mapping[str, str]) -> Loaded:
    """Add `symbol` to the file at `path`, served by `feed` or, with `None`, by the only feed there is. Returns the settings then.

    Raises `SettingsError`, and leaves the file alone, where the symbol or the feed is wrong, the symbol is there already,
    or the file is not valid before or after. Raises `OSError` where it can't be written.
    """

    def change(text: str, now: Loaded | None) -> str:
        if now is None:
            raise AssertionError("a file to add to is checked first")
        return with_symbol(text, symbol, _feed(feed, list(now.settings.feeds)))

    reason = symbols.check(symbol)
    if reason:
        raise SettingsError([Problem(key_path(["symbols", symbol]), f"the symbol {reason}", _alias(path, symbol, feed))])
    return _edit(path, change, kinds, environ, valid_before=True)


def remove(path: Path, symbol: str, kinds: Mapping[str, FeedKind], environ: Mapping[str, str]) -> Loaded:
    """Remove `symbol` from the file at `path`. Returns the settings then.

    The file need not be valid before: the symbol may be what is wrong with it. Raises as `add` does.
    """
    return _edit(path, lambda text, _: without_symbol(text, symbol), kinds, environ, valid_before=False)


def _edit(
    path: Path,
    change: Callable[[str, Loaded | None], str],
    kinds: Mapping[str, FeedKind],
    environ: Mapping[str, str],
    *,
    valid_before: bool,
) -> Loaded:
    """Change, check, write; all over again if somebody else wrote in between."""
    for _ in range(ATTEMPTS):
        data = toml_file.read(path)
        # Who edits the file need not hold the server's secrets.
        now = parse(data, kinds, environ, name=path.name, folder=path.parent, secrets_required=False) if valid_before else None
        text = toml_file.decode(data, path.name)
        mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        edited = mark + change(text, now).encode()
        loaded = parse(edited, kinds, environ, name=path.name, folder=path.parent, secrets_required=False)
        if replace(path, data, edited):
            return loaded
    raise SettingsError([Problem(path.name, "is being changed by somebody else all the time", "try again")])


def _feed(feed: str | None, feeds: list[str]) -> str:
    if feed is None:
        if len(feeds) != 1:
            reason = "is needed: there is more than one feed" if feeds else "there are no feeds yet"
            raise SettingsError([Problem("--feed", reason, f"the feeds: {', '.join(feeds)}" if feeds else "write [feeds.NAME] first")])
        return feeds[0]
    if feed not in feeds:
        raise SettingsError([Problem("--feed", "there is no such feed", did_you_mean(feed, feeds, "feeds"), feed)])
    return feed


def _alias(path: Path, symbol: str, feed: str | None) -> str:
    """How to add a symbol that we can't spell: under another name, by hand. The file may be anything."""
    try:
        tables = _tables(toml_file.decode(toml_file.read(path), path.name))
    except SettingsError:
        tables = {}
    feeds = list(tables["feeds"]) if isinstance(tables.get("feeds"), dict) else []
    chosen = feed if feed is not None and feed in feeds else feeds[0] if len(feeds) == 1 else "FEED"
    return other_names.hint(symbol, [chosen], taken=tables.get("symbols", {}))


def with_symbol(text: str, symbol: str, feed: str) -> str:
    """`text` with a line for `symbol` after the last one of `[symbols]`. Raises `SettingsError` if it is there already."""
    before = _tables(text)
    if symbol in before.get("symbols", {}):
        raise SettingsError([Problem(key_path(["symbols", symbol]), "is there already")])
    end = "\r\n" if "\r\n" in text else "\n"
    line = f'{key_part(symbol)} = {{ feed = "{feed}" }}'
    wanted = before | {"symbols": before.get("symbols", {}) | {symbol: {"feed": feed}}}
    gap = "" if text.endswith("\n") else end
    return _first_that_gives(
        wanted,
        f"write the line {line} into [symbols] by hand",
        [
            lambda: _appended(text, line + end),
            # The symbols are spread over the file, or there are none yet: then at its end.
            lambda: f'{text}{gap}{end}[symbols.{key_part(symbol)}]{end}feed = "{feed}"{end}',
            lambda: f"{text}{gap}{end}[symbols]{end}{line}{end}",
        ]
        if "symbols" in before
        else [lambda: f"{text}{gap}{end}[symbols]{end}{line}{end}"],
    )


def without_symbol(text: str, symbol: str) -> str:
    """`text` without the line, or the table, of `symbol`. Raises `SettingsError` if it is not there."""
    before = _tables(text)
    others = dict(before.get("symbols", {}))
    if symbol not in others:
        raise SettingsError([Problem(key_path(["symbols", symbol]), "there is no such symbol", _similar(symbol, others))])
    del others[symbol]
    wanted = before | {"symbols": others}
    return _first_that_gives(wanted, "remove it by hand", [lambda: _without_lines(text, symbol), lambda: _removed(text, symbol)])


def _similar(symbol: str, others: Mapping[str, Any]) -> str:
    hint = did_you_mean(symbol, others, "symbols")
    return hint if hint.startswith("did") else "symbols list shows them all"


def _tables(text: str) -> dict[str, Any]:
    tables, problems = toml_file.parse(text, "settings.toml")
    if problems or not isinstance(tables.get("symbols", {}), dict):
        raise SettingsError(problems or [Problem("symbols", "must be a table", "write [symbols]")])
    return tables


def _first_that_gives(wanted: Mapping[str, Any], by_hand: str, ways: list[Callable[[], str]]) -> str:
    """The text of the first way that reads back as `wanted`: no layout, however rare, is ever damaged."""
    for way in ways:
        try:
            text = way()
            after = tomllib.loads(text)
        except (ValueError, TOMLKitError, AttributeError, TypeError):
            # What tomlkit can't take apart it tells in several ways.
            continue
        # A table that lost its last symbol may be gone.
        if {"symbols": {}} | after == {"symbols": {}} | dict(wanted):
            return text
    raise SettingsError([Problem("symbols", "this file is laid out in a way that can't be edited automatically", by_hand)])


def _appended(text: str, line: str) -> str:
    document = tomlkit.parse(text)
    key, item = tomlkit.parse(line).body[0]
    table = document["symbols"]
    if not isinstance(table, Table) or key is None:
        raise TypeError("the symbols are not one table")
    # A comment that ends a table mostly speaks of the next one. The new line goes before it.
    body = table.value.body
    last: list[tuple[Key | None, Item]] = []
    while body and body[-1][0] is None:
        last.insert(0, body.pop())
    table.append(key, item)
    body.extend(last)
    return tomlkit.dumps(document)


def _removed(text: str, symbol: str) -> str:
    document = tomlkit.parse(text)
    table = document["symbols"]
    if not isinstance(table, Table):
        raise TypeError("the symbols are not one table")
    table.remove(symbol)
    return tomlkit.dumps(document)


def _without_lines(text: str, symbol: str) -> str:
    """Without the lines that set its keys, nor those from `[symbols.SYMBOL]` to its last key. What follows speaks of others."""
    lines = text.split("\n")
    mine = [statement for statement in toml_file.statements(lines) if statement.key[:2] == ("symbols", symbol)]
    headers = [statement.line for statement in mine if statement.table[:2] == ("symbols", symbol)]
    keys = [statement.line for statement in mine if statement.key != statement.table]
    gone = set(keys)
    if headers:
        last = max([headers[0], *keys])
        gone.update(number for number in headers if number < last)
        gone.add(headers[0])
    kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in gone)
    # If the last line went and nothing ended it, half of what ended the one before is left.
    return kept if text.endswith("\n") else kept.removesuffix("\r")
