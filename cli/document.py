"""`python -m cli.document`: writes the tables of docs/settings.md, docs/feeds.md and docs/freshness.md, docs/openapi.json and the page's
types anew, and into settings.toml the kinds that it does not show yet. Not a command of `main.py`: users need no such thing.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from cli.process.settings import feed_kinds
from feeds.document import with_kinds, with_worth
from feeds.registry import kinds
from ticker.settings.document import with_examples, with_tables
from web.api import page_types
from web.app import openapi_document

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = DOCS / "settings.md"
DEFAULTS = ROOT / "settings.toml"


def completed(defaults: str) -> str:
    """The text of settings.toml, with an example of each kind."""
    return with_examples(defaults, feed_kinds(), {name: feed.about.brings for name, feed in kinds().items()})


def main() -> None:
    """Bring the pages up to date with the code."""
    DEFAULTS.write_text(completed(DEFAULTS.read_text(encoding="utf-8")), encoding="utf-8")
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), feed_kinds()), encoding="utf-8")
    for page, written in ((DOCS / "feeds.md", with_kinds), (DOCS / "freshness.md", with_worth)):
        page.write_text(written(page.read_text(encoding="utf-8"), kinds()), encoding="utf-8")
    (DOCS / "openapi.json").write_text(json.dumps(msgspec.to_builtins(openapi_document()), indent=1) + "\n", encoding="utf-8")
    page_types.FILE.write_text(page_types.page_types(), encoding="utf-8")


if __name__ == "__main__":
    main()
