"""Draws the tree of docs/architecture.md from the tree itself: `python -m tests.tree` writes it anew, a test compares.

A folder of Python says in its `__init__.py` what it is; those of the page are told here.
"""

from __future__ import annotations

import ast
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ARCHITECTURE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- The tree is drawn by `make docs`. -->\n```\n", "```\n"
PAGE = "web/frontend/src"
SOURCES = ("cli", "ticker", "feeds", "web", PAGE)
TOLD = {
    PAGE: "The page, in TypeScript: composed in app.ts; the tape, and what is painted before the rest has arrived.",
    f"{PAGE}/net": "The connection to the server, kept in a worker that all tabs share.",
    f"{PAGE}/model": "What is known: symbols and quotes, how true they are, how they are written.",
    f"{PAGE}/history": "What was: sparklines, candles, the chart.",
    f"{PAGE}/view": "What is shown of it: the address, the reader's choices.",
    f"{PAGE}/table": "The table: its columns, cells and rows.",
    f"{PAGE}/ui": "What stands around the table: menus, banners, details.",
    f"{PAGE}/i18n": "The texts, in each language.",
    f"{PAGE}/icons": "Its icons.",
    f"{PAGE}/styles": "How all of it looks.",
}
NOT_OURS = {"node_modules", "dist", "__pycache__"}
NAMES_AT, WIDTH = 20, 140


def folders(source: str) -> Iterator[tuple[str, list[Path]]]:
    """The folders below `source` that hold anything of the project's, each with what is in it, folders too, `__init__.py` apart."""
    entries = defaultdict(set)
    for path in (ROOT / source).rglob("*"):
        relative = path.relative_to(ROOT)
        if path.is_file() and path.name != "__init__.py" and not NOT_OURS & set(relative.parts):
            for inner in (relative, *relative.parents[:-1]):
                if inner.as_posix().startswith(source + "/"):
                    entries[inner.parent.as_posix()].add(inner)
    for folder, inside in sorted(entries.items()):
        yield folder, sorted(inside)


def told(folder: str) -> str:
    """What a folder is, in a sentence."""
    init = ROOT / folder / "__init__.py"
    if not init.exists():
        return TOLD[folder]
    text = " ".join((ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or "").split("\n\n")[0].split())
    return text.partition(". ")[0].rstrip(".") + "."


def drawn() -> str:
    """The tree: each folder with its sentence, below it the names of its files."""
    lines = [f"{'main.py':<{NAMES_AT}}Patches the process, then hands over to the commands."]
    for source in SOURCES:
        for folder, inside in folders(source):
            if source == "web" and "frontend" in folder:
                continue
            name = "  " * (folder.count("/") - source.count("/")) + (folder if folder == source else folder.split("/")[-1]) + "/"
            names = " ".join(path.stem for path in inside if path.suffix in {".py", ".ts", ".css", ".svg"})
            indent = " " * NAMES_AT
            lines += textwrap.wrap(told(folder), WIDTH, initial_indent=f"{name:<{NAMES_AT - 1}} ", subsequent_indent=indent)
            lines += textwrap.wrap(names, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def with_tree(page: str) -> str:
    """The page with its tree drawn anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + drawn() + END + after


if __name__ == "__main__":
    ARCHITECTURE.write_text(with_tree(ARCHITECTURE.read_text(encoding="utf-8")), encoding="utf-8")
