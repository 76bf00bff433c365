"""Renders the rows of `docs/feeds.md` and `docs/freshness.md` from the classes, so that a page and the code can't say different things."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from feeds.base import Feed
from ticker.settings.document import between_marks, markdown_table

COLUMNS = ("kind", "what it brings", "a symbol's id there", "symbols a call", "limits of the provider", "key", "delay")
WORTH_COLUMNS = ("kind", "its time is", "an identical answer says", "its market", "worth knowing")
KEYS: Mapping[int, str] = {0: "none", 1: "key", 2: "key and secret"}
"""What a kind wants that has so many secrets in its settings."""

Kinds = Mapping[str, type[Feed]]


def with_kinds(page: str, kinds: Kinds) -> str:
    """`docs/feeds.md` with a row for each kind. Raises `ValueError` if a mark is missing."""
    return between_marks(page, _table(COLUMNS, kinds, _row))


def with_worth(page: str, kinds: Kinds) -> str:
    """`docs/freshness.md` with what the word of each kind is worth. Raises `ValueError` if a mark is missing."""
    return between_marks(page, _table(WORTH_COLUMNS, kinds, _worth))


def _table(columns: tuple[str, ...], kinds: Kinds, row: Callable[[type[Feed]], tuple[str, ...]]) -> str:
    return markdown_table([columns, ("---",) * len(columns), *((f"`{kind}`", *row(feed)) for kind, feed in sorted(kinds.items()))])


def _row(feed: type[Feed]) -> tuple[str, ...]:
    about = feed.about
    batch = about.batch or str(feed.batch_size or "all")
    return about.brings, about.ids, batch, about.limits, about.key or KEYS[len(feed.Settings.secrets)], about.delay


def _worth(feed: type[Feed]) -> tuple[str, ...]:
    about = feed.about
    return about.time, about.same_answer, about.market, about.note
