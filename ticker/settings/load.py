"""From a settings file to `Settings`, or to a list of everything that is wrong with it. The same code for start, reload and `validate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from ticker import symbols
from ticker.errors import Problem, SettingsError
from ticker.rate_limit import Demand
from ticker.settings import environment, other_names, toml_file
from ticker.settings.auth import combinations
from ticker.settings.check import Missing, check, secret_hint, unknown_key
from ticker.settings.describe import did_you_mean, key_path, nearest, shown, toml
from ticker.settings.model import (
    FEED_NAME,
    SYMBOL_KEYS,
    BroadcastSettings,
    FeedSettings,
    LimitSettings,
    MetricsSettings,
    QualitySettings,
    ServerSettings,
    Settings,
    SymbolOptions,
    SymbolSettings,
    Table,
)
from ticker.settings.warnings import oddities

FIXED: Mapping[str, type[Table]] = {
    "server": ServerSettings,
    "broadcast": BroadcastSettings,
    "limits": LimitSettings,
    "metrics": MetricsSettings,
    "quality": QualitySettings,
}
T = TypeVar("T", bound=Table)
_Key = tuple[str, ...]


class FeedKind(NamedTuple):
    """What a kind of feed adds to the settings: the keys of its `[feeds.NAME]` and of a symbol's table for it; and what it spends in a
    second of its provider's limits, by unit, for so many symbols at such an interval (s).
    """

    settings: type[FeedSettings]
    options: type[SymbolOptions] = SymbolOptions
    demand: Callable[[int, float], Demand] = lambda symbols, interval_s: {}


@dataclass(frozen=True)
class Loaded:
    """Settings that can be used, and what is odd about them all the same."""

    settings: Settings
    warnings: tuple[Problem, ...]


def load(
    path: Path,
    kinds: Mapping[str, FeedKind],
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    *,
    secrets_required: bool = True,
) -> Loaded:
    """Read and check the file at `path`; see `parse`. Raises `SettingsError` with every problem at once."""
    return parse(toml_file.read(path), kinds, environ, overrides, name=path.name, folder=path.parent, secrets_required=secrets_required)


def parse(
    data: bytes,
    kinds: Mapping[str, FeedKind],
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    *,
    name: str = "settings.toml",
    folder: Path = Path(),
    secrets_required: bool = True,
) -> Loaded:
    """Check the bytes of a settings file that is called `name` in errors and lies in `folder`.

    An option (`overrides`: `{"server.port": 8080}`, `None` for one not given) wins over a `TICKERCAST_` variable of `environ`,
    and that over the file. With `secrets_required` off a missing secret is no error, and its feed's settings can't be used:
    for whoever edits the file without the server's environment. Raises `SettingsError` with every problem at once.
    """
    tables, problems = toml_file.parse(toml_file.decode(data, name), name)
    loader = _Loader(kinds, problems, secrets_required, str(folder))
    return loader.load(tables, environ, {key: value for key, value in (overrides or {}).items() if value is not None})


class _Loader:
    """Collects problems, one a key, on the way through the tables."""

    def __init__(self, kinds: Mapping[str, FeedKind], problems: list[Problem], secrets_required: bool, folder: str) -> None:
        self.kinds = kinds
        self.folder = folder
        self.secrets_required = secrets_required
        self.problems = {problem.key: problem for problem in problems}
        self.warnings: list[Problem] = []
        self.refused: set[str] = set()
        self.origins: dict[tuple[str | int, ...], str] = {}

    def load(self, tables: dict[str, Any], environ: Mapping[str, str], overrides: Mapping[str, object]) -> Loaded:
        known = {name: self._table(tables, name) for name in (*FIXED, "feeds", "symbols")}
        for name in tables.keys() - known.keys():
            self._add(Problem(key_path([name]), "unknown key", _place_of(name)))
        feeds = {name: dict(values) for name, values in known["feeds"].items() if isinstance(values, dict)}
        in_file = {(*path, key) for path, values in _places(known, feeds) for key in values}
        self._overlay(known, feeds, environ, overrides)
        self._refuse_secrets(known, feeds, in_file)
        fixed = {name: self._check(model, known[name], (name,)) for name, model in FIXED.items()}
        if self.secrets_required and isinstance(fixed["server"], ServerSettings):
            for problem in combinations(fixed["server"]):
                self._add(problem)
        tables_of_feeds = known["feeds"] | feeds
        checked_feeds = dict(self._feeds(tables_of_feeds))
        checked_symbols = dict(self._symbols(known["symbols"], list(tables_of_feeds), checked_feeds))
        if self.problems:
            raise SettingsError(list(self.problems.values()), self.warnings)
        settings = Settings.model_validate({**fixed, "feeds": checked_feeds, "symbols": checked_symbols})
        # Without its secrets a feed's settings are as they stand in the file, and nobody polls with them.
        demands = {name: kind.demand for name, kind in self.kinds.items()} if self.secrets_required else {}
        return Loaded(settings, (*self.warnings, *oddities(settings, demands)))

    def _add(self, problem: Problem) -> None:
        if problem.key not in self.refused:
            self.problems.setdefault(problem.key, problem)

    def _table(self, tables: Mapping[str, Any], name: str) -> dict[str, Any]:
        values = tables.get(name, {})
        if isinstance(values, dict):
            return dict(values)
        self._add(Problem(name, "must be a table", f"write [{name}]" if name != "feeds" else "write [feeds.NAME]", shown(values)))
        return {}

    def _overlay(
        self,
        known: Mapping[str, dict[str, Any]],
        feeds: dict[str, dict[str, Any]],
        environ: Mapping[str, str],
        overrides: Mapping[str, object],
    ) -> None:
        overlay = environment.read(
            environ,
            FIXED,
            {name: _kind(values) for name, values in feeds.items()},
            {name: kind.settings for name, kind in self.kinds.items()},
        )
        for problem in overlay.problems:
            self._add(problem)
        self.warnings += overlay.warnings
        self.refused = {key_path(path) for path in overlay.refused}
        given = [(path, value, f"the variable {variable}") for path, value, variable in overlay.values]
        for dotted, value in overrides.items():
            name, key = dotted.split(".")
            given.append(((name, key), value, f"the option --{key.replace('_', '-')}"))
        for path, value, origin in given:
            values = feeds.setdefault(path[1], {}) if path[0] == "feeds" else known[path[0]]
            if path[-1] in values and path not in self.origins:
                self._check_alone(values, path)
            values[path[-1]] = value
            self.origins[path] = origin

    def _check_alone(self, values: Mapping[str, Any], path: _Key) -> None:
        """Judge a value of the file that something else is going to replace: the file has to be right in itself."""
        model = FIXED.get(path[0]) or (self.kinds[values["kind"]].settings if _kind(values) in self.kinds else FeedSettings)
        result = check(model, {path[-1]: values[path[-1]]}, path[:-1], {}, self.folder)
        for problem in result if isinstance(result, list) else []:
            if isinstance(problem, Problem) and problem.key.startswith(key_path(path)):
                self._add(problem)

    def _refuse_secrets(self, known: Mapping[str, dict[str, Any]], feeds: Mapping[str, dict[str, Any]], in_file: set[_Key]) -> None:
        """A secret in the file gets copied, committed and pasted into bug reports. Take it out, and say where it belongs."""
        for path, values in _places(known, feeds):
            model = FIXED.get(path[0]) or (self.kinds[values["kind"]].settings if _kind(values) in self.kinds else Table)
            for secret in model.secrets:
                if (*path, secret) in in_file:
                    self._add(Problem(key_path([*path, secret]), "a secret does not belong in this file", secret_hint([*path, secret])))
                    if (*path, secret) not in self.origins:
                        del values[secret]

    def _check(self, model: type[T], values: Mapping[str, Any], path: tuple[str, ...]) -> T | None:
        result = check(model, values, path, self.origins, self.folder)
        if not isinstance(result, list):
            return result
        for problem in result:
            if isinstance(problem, Problem):
                self._add(problem)
            elif self.secrets_required:
                self._add(problem.problem)
        if not all(isinstance(problem, Missing) for problem in result):
            return None
        # Only secrets are missing, and nobody asked for them: what stands in the file is right.
        unchecked: Any = model.model_construct(**values)
        return cast(T, unchecked)

    def _feeds(self, tables: Mapping[str, Any]) -> Iterator[tuple[str, FeedSettings | None]]:
        for name, values in tables.items():
            path, key = ("feeds", name), key_path(["feeds", name])
            if not isinstance(values, dict):
                self._add(Problem(key, "must be a table", "write [feeds.NAME], with its keys below", shown(values)))
                yield name, None
                continue
            if name in SYMBOL_KEYS:
                self._add(Problem(key, f"no feed can be called {name}: in [symbols] the word means something else", "choose another name"))
            elif not FEED_NAME.fullmatch(name):
                self._add(Problem(key, "the name of a feed is made of a-z, 0-9 and _, and starts with a letter", _feed_name_hint(name)))
            if _kind(values) in self.kinds:
                yield name, self._check(self.kinds[values["kind"]].settings, values, path)
            else:
                self._unknown_kind(values, path)
                yield name, None

    def _unknown_kind(self, values: Mapping[str, Any], path: tuple[str, ...]) -> None:
        kind, key = values.get("kind"), key_path([*path, "kind"])
        kinds = ", ".join(sorted(self.kinds))
        if kind is None:
            self._add(Problem(key, "is missing", f"the kinds: {kinds}"))
        elif not isinstance(kind, str):
            self._add(Problem(key, "must be a string", f"the kinds: {kinds}", shown(kind)))
        else:
            guess = nearest(kind, self.kinds)
            self._add(Problem(key, "there is no such kind", f"did you mean {guess}? " * bool(guess) + f"the kinds: {kinds}", shown(kind)))
        # The keys that every kind has can be judged all the same.
        common = {name: value for name, value in values.items() if name in FeedSettings.model_fields and name != "kind"}
        self._check(FeedSettings, common | {"kind": ""}, path)

    def _symbols(
        self, tables: Mapping[str, Any], feed_names: Sequence[str], feeds: Mapping[str, FeedSettings | None]
    ) -> Iterator[tuple[str, SymbolSettings | None]]:
        for symbol, values in tables.items():
            key = key_path(["symbols", symbol])
            reason = symbols.check(symbol)
            if reason:
                self._add(Problem(key, f"the symbol {reason}", self._alias(symbol, values, feed_names, tables)))
            if not isinstance(values, dict):
                example = values if isinstance(values, str) and values in feed_names else "FEED"
                self._add(Problem(key, "must be a table", f'write {{ feed = "{example}" }}', shown(values)))
                continue
            dotted = [] if reason else list(_dotted(values))
            for parts in dotted:
                self._add(toml_file.dotted_symbol([symbol, *parts]))
            beginnings = {parts[0] for parts in dotted}
            rest = {name: value for name, value in values.items() if name not in beginnings}
            if rest or not dotted:
                yield symbol, self._symbol(symbol, rest, feed_names, feeds)

    def _alias(self, symbol: str, values: object, feed_names: Sequence[str], taken: Mapping[str, Any]) -> str:
        """How to give another name to a symbol that we can't spell."""
        line = values if isinstance(values, dict) else {}
        given = line.get("feed")
        chosen = [feed for feed in (given if isinstance(given, list) else [given]) if isinstance(feed, str) and feed in feed_names]
        return other_names.hint(symbol, chosen, line, taken)

    def _symbol(
        self, symbol: str, values: Mapping[str, Any], feed_names: Sequence[str], feeds: Mapping[str, FeedSettings | None]
    ) -> SymbolSettings | None:
        path = ("symbols", symbol)
        chosen = self._chosen(values, path, feed_names)
        options: dict[str, SymbolOptions | None] = {}
        for name, value in values.items():
            if name in SYMBOL_KEYS:
                continue
            if name not in feed_names:
                known = [*SYMBOL_KEYS, *(feed for feed in chosen if feed in feed_names)]
                self._add(unknown_key(path, name, known, value))
            elif name not in chosen and not all(feed in feed_names for feed in chosen):
                continue  # The feed that was meant may be this one, under a wrong name.
            elif name not in chosen:
                reason = f"the symbol does not use the feed {name}"
                self._add(Problem(key_path([*path, name]), reason, f"add {name} to feed, or remove this"))
            else:
                options[name] = self._options(value, (*path, name), feeds[name])
        for feed in chosen:
            if feed not in options and feeds.get(feed):
                options[feed] = self._options({}, (*path, feed), feeds[feed])
        own = {name: value for name, value in values.items() if name in SYMBOL_KEYS}
        if "feed" not in own:
            return None
        return self._check(SymbolSettings, own | {"options": {name: value for name, value in options.items() if value}}, path)

    def _chosen(self, values: Mapping[str, Any], path: tuple[str, ...], feed_names: Sequence[str]) -> list[str]:
        """The feeds a symbol names, checked against those there are."""
        key = key_path([*path, "feed"])
        if "feed" not in values:
            example = feed_names[0] if feed_names else "NAME"
            self._add(Problem(key, "is missing", f'write feed = "{example}"; {_all(feed_names)}'))
            return []
        given = values["feed"] if isinstance(values["feed"], list) else [values["feed"]]
        if not given:
            self._add(Problem(key, "must name at least one feed", _all(feed_names), []))
        chosen = [feed for feed in given if isinstance(feed, str)]
        for index, feed in enumerate(chosen):
            where = key if len(given) == 1 else key_path([*path, "feed", given.index(feed)])
            if feed not in feed_names:
                self._add(Problem(where, "there is no such feed", did_you_mean(feed, feed_names, "feeds"), shown(feed)))
            elif feed in chosen[:index]:
                self._add(Problem(key, f"names the feed {feed} twice", "name it once", shown(given)))
        return list(dict.fromkeys(chosen))

    def _options(self, value: object, path: tuple[str, ...], feed: FeedSettings | None) -> SymbolOptions | None:
        if isinstance(value, str):
            value = {"id": value}
        if not isinstance(value, dict):
            reason = f"must be the symbol's id at {path[-1]}, a string, or a table of options"
            self._add(Problem(key_path(path), reason, f'write "{toml(value)}", in quotes' if type(value) is int else "", shown(value)))
            return None
        return self._check(self.kinds[feed.kind].options, value, path) if feed else None


def _places(known: Mapping[str, dict[str, Any]], feeds: Mapping[str, dict[str, Any]]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """The tables that the environment may add to, with their place in the file."""
    yield from (((name,), known[name]) for name in FIXED)
    yield from ((("feeds", name), values) for name, values in feeds.items())


def _kind(values: Mapping[str, Any]) -> str | None:
    kind = values.get("kind")
    return kind if isinstance(kind, str) else None


def _all(feed_names: Sequence[str]) -> str:
    return f"the feeds: {', '.join(feed_names)}" if feed_names else "there are no feeds yet: write [feeds.NAME]"


def _place_of(name: str) -> str:
    """Where a key at the top of the file belongs, or the table that was meant."""
    owner = next((table for table, model in FIXED.items() if name in model.model_fields), None)
    return f"it belongs in [{owner}]" if owner else did_you_mean(name, [*FIXED, "feeds", "symbols"], "tables")


def _feed_name_hint(name: str) -> str:
    plain = "".join(character if character.isalnum() else "_" for character in name.lower())
    return f"write [feeds.{plain}]" if FEED_NAME.fullmatch(plain) and plain.isascii() else "choose another name"


def _dotted(values: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The rest of each symbol that was written with a dot and without quotes: `("B",)` in `BRK.B = { feed = … }`."""
    for name, value in values.items():
        if name not in SYMBOL_KEYS and isinstance(value, dict) and len(before) < symbols.MAX_LENGTH:
            if "feed" in value:
                yield (*before, name)
            yield from _dotted(value, (*before, name))
