"""Which kinds of feed there are: every subclass of `Feed` in this folder, and in the folders below it, that names its `kind`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import feeds
from feeds.base import Feed


@cache
def kinds() -> Mapping[str, type[Feed]]:
    """The feed classes by the word in `kind = "…"`, in alphabetical order. Imports every module of the package, and of the packages in it.

    Raises `TypeError` where two classes claim one kind.
    """
    for module in pkgutil.walk_packages(feeds.__path__, f"{feeds.__name__}."):
        importlib.import_module(module.name)
    found: dict[str, type[Feed]] = {}
    for feed in _subclasses(Feed):
        # Only what lives here: a feed class made elsewhere (a test, a notebook) is not on offer.
        if feed.__module__.startswith(f"{feeds.__name__}.") and "kind" in vars(feed):
            if feed.kind in found:
                raise TypeError(f"kind {feed.kind!r} is claimed by {found[feed.kind].__qualname__} and {feed.__qualname__}")
            found[feed.kind] = feed
    return MappingProxyType(dict(sorted(found.items())))


def _subclasses(base: type[Any]) -> Iterator[type[Feed]]:
    for feed in base.__subclasses__():
        yield feed
        yield from _subclasses(feed)
