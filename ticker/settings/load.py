"""From a settings file to `Settings`, or to a list of everything that is wrong with it. The same code for start, reload and `validate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ticker.errors import Problem, SettingsError
from ticker.rate_limit import Demand
from ticker.settings import environment, toml_file
from ticker.settings.auth import combinations
from ticker.settings.check import secret_hint
from ticker.settings.describe import did_you_mean, key_path, nearest, shown
from ticker.settings.model import (
    FEED_NAME,
    SYMBOL_KEYS,
    BroadcastSettings,
    FeedSettings,
    LimitSettings,
    MetricsSettings,
    QualitySettings,
    Settings,
    SymbolOptions,
)
from ticker.settings.problems import Problems
from ticker.settings.server import ServerSettings
from ticker.settings.symbols import SymbolsReader
from ticker.settings.table import Table
from ticker.settings.warnings import oddities

FIXED: Mapping[str, type[Table]] = {
    "server": ServerSettings,
    "broadcast": BroadcastSettings,
    "limits": LimitSettings,
    "metrics": MetricsSettings,
    "quality": QualitySettings,
}
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
    loader = _Loader(kinds, Problems(problems, str(folder), secrets_required=secrets_required), secrets_required=secrets_required)
    return loader.load(tables, environ, {key: value for key, value in (overrides or {}).items() if value is not None})


class _Loader:
    """Goes through the tables of one file, with what the environment and the options set on top of them."""

    def __init__(self, kinds: Mapping[str, FeedKind], problems: Problems, *, secrets_required: bool) -> None:
        self._kinds = kinds
        self._secrets_required = secrets_required
        self._problems = problems
        self._warnings: list[Problem] = []

    def load(self, tables: dict[str, Any], environ: Mapping[str, str], overrides: Mapping[str, object]) -> Loaded:
        known = {name: self._table(tables, name) for name in (*FIXED, "feeds", "symbols")}
        for name in tables.keys() - known.keys():
            self._problems.add(Problem(key_path([name]), "unknown key", _place_of(name)))
        feeds = {name: dict(values) for name, values in known["feeds"].items() if isinstance(values, dict)}
        in_file = {(*path, key) for path, values in _places(known, feeds) for key in values}
        self._overlay(known, feeds, environ, overrides)
        self._refuse_secrets(known, feeds, in_file)
        fixed = {name: self._problems.check(model, known[name], (name,)) for name, model in FIXED.items()}
        if self._secrets_required and isinstance(fixed["server"], ServerSettings):
            for problem in combinations(fixed["server"]):
                self._problems.add(problem)
        tables_of_feeds = known["feeds"] | feeds
        checked_feeds = dict(self._feeds(tables_of_feeds))
        options = {name: kind.options for name, kind in self._kinds.items()}
        checked_symbols = dict(SymbolsReader(self._problems, checked_feeds, options).read(known["symbols"]))
        if self._problems:
            raise SettingsError(list(self._problems), self._warnings)
        settings = Settings.model_validate({**fixed, "feeds": checked_feeds, "symbols": checked_symbols})
        # Without its secrets a feed's settings are as they stand in the file, and nobody polls with them.
        demands = {name: kind.demand for name, kind in self._kinds.items()} if self._secrets_required else {}
        return Loaded(settings, (*self._warnings, *oddities(settings, demands)))

    def _table(self, tables: Mapping[str, Any], name: str) -> dict[str, Any]:
        values = tables.get(name, {})
        if isinstance(values, dict):
            return dict(values)
        self._problems.add(Problem(name, "must be a table", f"write [{name}]" if name != "feeds" else "write [feeds.NAME]", shown(values)))
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
            {name: kind.settings for name, kind in self._kinds.items()},
        )
        for problem in overlay.problems:
            self._problems.add(problem)
        self._warnings += overlay.warnings
        self._problems.refused = {key_path(path) for path in overlay.refused}
        given = [(path, value, f"the variable {variable}") for path, value, variable in overlay.values]
        for dotted, value in overrides.items():
            name, key = dotted.split(".")
            given.append(((name, key), value, f"the option --{key.replace('_', '-')}"))
        for path, value, origin in given:
            values = feeds.setdefault(path[1], {}) if path[0] == "feeds" else known[path[0]]
            if path[-1] in values and path not in self._problems.origins:
                self._problems.check_alone(self._model(values, path, FeedSettings), values[path[-1]], path)
            values[path[-1]] = value
            self._problems.origins[path] = origin

    def _refuse_secrets(self, known: Mapping[str, dict[str, Any]], feeds: Mapping[str, dict[str, Any]], in_file: set[_Key]) -> None:
        """A secret in the file gets copied, committed and pasted into bug reports. Take it out, and say where it belongs."""
        for path, values in _places(known, feeds):
            for secret in self._model(values, path, Table).secrets:
                if (*path, secret) in in_file:
                    self._problems.add(
                        Problem(key_path([*path, secret]), "a secret does not belong in this file", secret_hint([*path, secret]))
                    )
                    if (*path, secret) not in self._problems.origins:
                        del values[secret]

    def _model(self, values: Mapping[str, Any], path: _Key, otherwise: type[Table]) -> type[Table]:
        """What the table that `path` lies in must be; `otherwise`: that of a feed whose kind is not known."""
        return FIXED.get(path[0]) or (self._kinds[values["kind"]].settings if _kind(values) in self._kinds else otherwise)

    def _feeds(self, tables: Mapping[str, Any]) -> Iterator[tuple[str, FeedSettings | None]]:
        for name, values in tables.items():
            path, key = ("feeds", name), key_path(["feeds", name])
            if not isinstance(values, dict):
                self._problems.add(Problem(key, "must be a table", "write [feeds.NAME], with its keys below", shown(values)))
                yield name, None
                continue
            if name in SYMBOL_KEYS:
                self._problems.add(
                    Problem(key, f"no feed can be called {name}: in [symbols] the word means something else", "choose another name")
                )
            elif not FEED_NAME.fullmatch(name):
                self._problems.add(
                    Problem(key, "the name of a feed is made of a-z, 0-9 and _, and starts with a letter", _feed_name_hint(name))
                )
            if _kind(values) in self._kinds:
                yield name, self._problems.check(self._kinds[values["kind"]].settings, values, path)
            else:
                self._unknown_kind(values, path)
                yield name, None

    def _unknown_kind(self, values: Mapping[str, Any], path: tuple[str, ...]) -> None:
        kind, key = values.get("kind"), key_path([*path, "kind"])
        kinds = ", ".join(sorted(self._kinds))
        if kind is None:
            self._problems.add(Problem(key, "is missing", f"the kinds: {kinds}"))
        elif not isinstance(kind, str):
            self._problems.add(Problem(key, "must be a string", f"the kinds: {kinds}", shown(kind)))
        else:
            guess = nearest(kind, self._kinds)
            self._problems.add(
                Problem(key, "there is no such kind", f"did you mean {guess}? " * bool(guess) + f"the kinds: {kinds}", shown(kind))
            )
        # The keys that every kind has can be judged all the same.
        common = {name: value for name, value in values.items() if name in FeedSettings.model_fields and name != "kind"}
        self._problems.check(FeedSettings, common | {"kind": ""}, path)


def _places(known: Mapping[str, dict[str, Any]], feeds: Mapping[str, dict[str, Any]]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """The tables that the environment may add to, with their place in the file."""
    yield from (((name,), known[name]) for name in FIXED)
    yield from ((("feeds", name), values) for name, values in feeds.items())


def _kind(values: Mapping[str, Any]) -> str | None:
    kind = values.get("kind")
    return kind if isinstance(kind, str) else None


def _place_of(name: str) -> str:
    """Where a key at the top of the file belongs, or the table that was meant."""
    owner = next((table for table, model in FIXED.items() if name in model.model_fields), None)
    return f"it belongs in [{owner}]" if owner else did_you_mean(name, [*FIXED, "feeds", "symbols"], "tables")


def _feed_name_hint(name: str) -> str:
    plain = "".join(character if character.isalnum() else "_" for character in name.lower())
    return f"write [feeds.{plain}]" if FEED_NAME.fullmatch(plain) and plain.isascii() else "choose another name"
