"""`python -m ticker.cli.document`: writes the tables of docs/settings.md anew. Not a command of `main.py`: users need no such thing."""

from __future__ import annotations

from pathlib import Path

from ticker.cli.options import feed_kinds
from ticker.settings.document import with_tables

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def main() -> None:
    """Bring the page up to date with the code."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), feed_kinds()), encoding="utf-8")


if __name__ == "__main__":
    main()
