"""The settings that a command works with: the option that names their file, and how they are read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from ticker.settings.load import FeedKind, Loaded, load

config_option = click.option(
    "--config", type=click.Path(path_type=Path), default="settings.toml", show_default=True, metavar="PATH", help="The settings file."
)


def feed_kinds() -> Mapping[str, FeedKind]:
    """The kinds of feed there are, as the settings need to know them."""
    from feeds.registry import kinds

    return {name: FeedKind(feed.Settings, feed.Options, feed.demand) for name, feed in kinds().items()}


def load_settings(config: Path, overrides: Mapping[str, object] | None = None) -> Loaded:
    """The settings in the file `config`, this process' environment and `overrides` (`{"server.port": 8080}`, `None`: not given).

    Raises `SettingsError`, which the commands turn into a list of what is wrong and exit code 2.
    """
    loaded = load(config, feed_kinds(), os.environ, overrides)
    if loaded.settings.server.auth == "jwt":
        from cli.process.access import verifier_of

        verifier_of(loaded.settings.server)  # raises for keys that are none
    return loaded
