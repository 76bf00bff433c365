"""The house stays as docs/architecture.md draws it: its tree, the size of its rooms and of their files."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tree import ARCHITECTURE, ROOT, SOURCES, folders, with_tree

MOST_ENTRIES = 24
"""So many a stranger takes in at a glance. A folder that has one file for each provider, or for each thing that is tried, has more."""
CROWDED = {"feeds", "tests/feeds", "tests/providers", "tests/e2e"}
TOGETHER = {"ticker/composed"}
"""Where several rooms are tested together."""
MOST_LINES, MOST_LINES_OF_TESTS = 350, 500
MEASURED = {".py", ".ts", ".css"}


def sized(source: str) -> Iterator[tuple[Path, int]]:
    """Each source file below a folder, with its number of lines."""
    for _, inside in folders(source):
        for path in inside:
            if path.suffix in MEASURED and (ROOT / path).is_file():
                yield path, len((ROOT / path).read_text(encoding="utf-8").splitlines())


def test_the_tree_in_the_docs_is_the_tree() -> None:
    """`make docs` would change nothing."""
    page = ARCHITECTURE.read_text(encoding="utf-8")
    assert with_tree(page) == page, "run make docs"


@pytest.mark.parametrize("source", [*SOURCES, "tests", "bench", "docs"])
def test_no_folder_is_crowded(source: str) -> None:
    """Whoever runs `ls` sees a room, and not a store."""
    counts = {folder: len(inside) for folder, inside in folders(source) if folder not in CROWDED and folder != "docs/images"}
    assert {folder: count for folder, count in counts.items() if count > MOST_ENTRIES} == {}


@pytest.mark.parametrize("source", [*SOURCES, "bench"])
def test_sources_can_be_read_at_a_sitting(source: str) -> None:
    """No file is longer than `MOST_LINES`; tests of the page are held to what tests are."""
    assert {path: lines for path, lines in sized(source) if lines > MOST_LINES and "tests" not in path.parts} == {}


@pytest.mark.parametrize("folder", ["tests", "web/frontend/tests"])
def test_tests_can_be_read_at_a_sitting(folder: str) -> None:
    """Nor is a test."""
    assert {path: lines for path, lines in sized(folder) if lines > MOST_LINES_OF_TESTS} == {}


@pytest.mark.parametrize("source", ["cli", "ticker", "feeds", "web"])
def test_tests_mirror_the_tree(source: str) -> None:
    """Where a module is, there are its tests: no folder of tests without a folder of code."""
    rooms = {folder for folder, _ in folders(source)} | TOGETHER
    assert {folder.removeprefix("tests/") for folder, _ in folders(f"tests/{source}")} <= rooms


def test_a_name_is_that_of_one_class() -> None:
    """Whoever reads a name knows what it is. Those of the wire stand apart: they are written `wire.Feed` wherever they are used."""
    found = Counter[str]()
    for source in ("cli", "ticker", "feeds", "web"):
        for path, _ in sized(source):
            if path.suffix == ".py" and path != Path("ticker/wire.py"):
                found.update(re.findall(r"^class ([A-Za-z]\w*)", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE))
    assert [name for name, count in found.items() if count > 1] == []
