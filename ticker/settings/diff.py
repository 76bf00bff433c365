"""What is different between two `Settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ticker.settings.model import Settings
from ticker.settings.table import Table


@dataclass(frozen=True)
class SettingsChanges:
    """Names of symbols and feeds, in the order of the new settings (what is gone: of the old); keys as in `broadcast.flush_ms`."""

    added_symbols: tuple[str, ...] = ()
    removed_symbols: tuple[str, ...] = ()
    changed_symbols: tuple[str, ...] = ()
    reordered: bool = False
    """The symbols that both have stand in another order."""
    added_feeds: tuple[str, ...] = ()
    removed_feeds: tuple[str, ...] = ()
    changed_feeds: tuple[str, ...] = ()
    broadcast: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    """Secrets of `[server]`: they take hold at once, so that they can be changed without dropping anybody."""
    restart_required: tuple[str, ...] = ()
    """Other keys of `[server]`: they take hold when the process starts."""

    def __bool__(self) -> bool:
        """Whether anything is different."""
        return any(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        """For a log: what is different, at most ten names of each."""
        parts = []
        for field in fields(self):
            names = getattr(self, field.name)
            if names:
                more = f" and {len(names) - 10} more" if isinstance(names, tuple) and len(names) > 10 else ""
                parts.append(field.name.replace("_", " ") + (f" {', '.join(names[:10])}{more}" if isinstance(names, tuple) else ""))
        return "; ".join(parts) or "nothing changed"


def diff(old: Settings, new: Settings) -> SettingsChanges:
    """What leads from `old` to `new`."""
    stay = [symbol for symbol in new.symbols if symbol in old.symbols]
    server = _keys("server", old.server, new.server)
    secrets = tuple(key for key in server if key.removeprefix("server.") in new.server.secrets) if _checks_alike(old, new) else ()
    return SettingsChanges(
        added_symbols=_without(new.symbols, old.symbols),
        removed_symbols=_without(old.symbols, new.symbols),
        changed_symbols=_changed(old.symbols, new.symbols),
        reordered=stay != [symbol for symbol in old.symbols if symbol in new.symbols],
        added_feeds=_without(new.feeds, old.feeds),
        removed_feeds=_without(old.feeds, new.feeds),
        changed_feeds=_changed(old.feeds, new.feeds),
        broadcast=_keys("broadcast", old.broadcast, new.broadcast),
        limits=_keys("limits", old.limits, new.limits),
        metrics=_keys("metrics", old.metrics, new.metrics),
        quality=_keys("quality", old.quality, new.quality),
        secrets=secrets,
        restart_required=tuple(key for key in server if key not in secrets),
    )


def live(running: Settings, new: Settings) -> Settings:
    """What is in force after `new` was read while `running` was: all of it but `[server]`, which needs a restart save for its secrets."""
    secrets = {name: getattr(new.server, name) for name in new.server.secrets} if _checks_alike(running, new) else {}
    return new.model_copy(update={"server": running.server.model_copy(update=secrets)})


def _checks_alike(old: Settings, new: Settings) -> bool:
    """Whether secrets of one are of use to the other: new ones for another way to check tokens wait for the restart with it."""
    return (old.server.auth, old.server.jwt_algorithm) == (new.server.auth, new.server.jwt_algorithm)


def _without(names: Mapping[str, Table], others: Mapping[str, Table]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others)


def _changed(old: Mapping[str, Table], new: Mapping[str, Table]) -> tuple[str, ...]:
    return tuple(name for name, table in new.items() if name in old and old[name] != table)


def _keys(table: str, old: Table, new: Table) -> tuple[str, ...]:
    return tuple(f"{table}.{name}" for name in type(new).model_fields if getattr(old, name) != getattr(new, name))
