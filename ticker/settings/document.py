"""Renders the tables of `docs/settings.md` and examples for `settings.toml` from the model, so that they and the code can't differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from ticker.settings.describe import expectation, toml
from ticker.settings.load import FIXED, FeedKind
from ticker.settings.model import FeedSettings, SymbolOptions, SymbolSettings
from ticker.settings.table import Table

BEGIN = "<!-- The tables from here on are written by `python -m cli.document`. -->"
END = "<!-- End of the tables. -->"
AFTER_FEEDS = "# Symbols: "
"""How the part of `settings.toml` begins that follows its feeds."""
COMMENT_COLUMN = 34
"""Where comments begin in `settings.toml`."""


def with_tables(page: str, kinds: Mapping[str, FeedKind]) -> str:
    """`page` with what stands between its two marks replaced by the tables. Raises `ValueError` if a mark is missing."""
    return between_marks(page, tables(kinds))


def between_marks(page: str, text: str) -> str:
    """`page` with `text` between its two marks. Raises `ValueError` if a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN!r} … {END!r}")
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"


def with_examples(defaults: str, kinds: Mapping[str, FeedKind], brings: Mapping[str, str]) -> str:
    """`settings.toml` with an example, commented out, of each kind that it does not show yet, behind those that it does. `brings` says
    of a kind what there are prices of. Raises `ValueError` if the feeds have no end.
    """
    before, end, after = defaults.partition(f"\n{AFTER_FEEDS}")
    if not end:
        raise ValueError(f"the file has no line that begins with {AFTER_FEEDS!r}")
    shown = set(re.findall(r'^#?kind = "(\w+)"', before, re.MULTILINE))
    examples = (f"{_example(name, kind, brings[name])}\n" for name, kind in sorted(kinds.items()) if name not in shown)
    return "".join(("\n".join((before, *examples)), end, after))


def _example(name: str, kind: FeedKind, brings: str) -> str:
    fields = kind.settings.model_fields
    lines = [f"{f'#[feeds.{name}]':<{COMMENT_COLUMN}}# {brings}", f"#kind = {toml(name)}", f"#interval_s = {fields['interval_s'].default}"]
    if "base_url" in fields and not fields["base_url"].is_required():
        lines.append(f"#base_url = {toml(str(fields['base_url'].default).rstrip('/'))}")
    return "\n".join(lines)


def tables(kinds: Mapping[str, FeedKind]) -> str:
    """The reference: each table of the file with its keys, what they must be, their defaults and meaning, in Markdown."""
    parts = [f"### `[{name}]`\n\n{_table(model, model.model_fields)}" for name, model in FIXED.items()]
    parts.append(f"### `[feeds.NAME]`\n\nEvery kind of feed has these.\n\n{_table(FeedSettings, FeedSettings.model_fields)}")
    for name, kind in sorted(kinds.items()):
        own = {key: field for key, field in kind.settings.model_fields.items() if not _same(field, FeedSettings.model_fields.get(key))}
        parts.append(f"### `[feeds.NAME]` with `kind = {toml(name)}`\n\n{_table(kind.settings, own)}" if own else "")
    own_keys = {key: field for key, field in SymbolSettings.model_fields.items() if key != "options"}
    parts.append(f"### `[symbols]`: keys of `SYMBOL = {{ … }}`\n\n{_table(SymbolSettings, own_keys)}")
    parts.append(
        "### `[symbols]`: keys of a symbol's table for one feed\n\n"
        '`SYMBOL = { feed = "NAME", NAME = { … } }`; every kind has these.\n\n'
        f"{_table(SymbolOptions, SymbolOptions.model_fields)}"
    )
    for name, kind in sorted(kinds.items()):
        own = {key: field for key, field in kind.options.model_fields.items() if not _same(field, SymbolOptions.model_fields.get(key))}
        parts.append(f"A feed with `kind = {toml(name)}` besides:\n\n{_table(kind.options, own)}" if own else "")
    return "\n".join(part for part in parts if part)


def _same(field: FieldInfo, other: FieldInfo | None) -> bool:
    return other is not None and _row(field) == _row(other)


def _table(model: type[Table], fields: Mapping[str, FieldInfo]) -> str:
    return markdown_table([("key", "must be", "default", "meaning"), ("---",) * 4, *_rows(model, fields)])


def _rows(model: type[Table], fields: Mapping[str, FieldInfo], above: str = "") -> Iterator[tuple[str, str, str, str]]:
    """A row for each key, those of a table in the table behind it."""
    for name, field in fields.items():
        must_be, default, meaning = _row(field)
        yield f"`{above}{name}`", must_be, "from the environment only" if name in model.secrets else default, meaning
        inner = _inner(field.annotation)
        if inner is not None:
            yield from _rows(inner, inner.model_fields, f"{above}{name}{'[]' if get_origin(field.annotation) in (list, tuple) else ''}.")


def _inner(annotation: Any) -> type[Table] | None:
    """The table that a key holds, or that the items of its list are."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _inner(argument)) is not None), None)


def _row(field: FieldInfo) -> tuple[str, str, str]:
    default = "" if field.default is None or isinstance(field.default, Table) else f"`{toml(field.default)}`"
    return expectation(field), "required" if field.is_required() else default, field.description or ""


def markdown_table(rows: Iterable[Iterable[str]]) -> str:
    """Rows of cells in Markdown; the second one is `---` in each."""
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)
