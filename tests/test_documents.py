"""The documents name what is there: the files, the modules and the classes they speak of, and the places that their links lead to."""

import re
from functools import cache
from pathlib import PurePosixPath

import pytest

from tests.tree import NOT_OURS, ROOT

ROOMS = ("bench", "cli", "docs", "feeds", "tests", "ticker", "web")
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").rglob("*.md"))
    if path.name != "CHANGELOG.md" and not NOT_OURS & set(path.parts)  # that one speaks of the past, too
)
INVENTED = {"feeds/example.py", "tests/feeds/test_example.py"}
"""What a reader is told to make."""
OTHERS = {"MemoryMax"}
"""Names of other programs' that look like classes of ours."""
WRITTEN = {".py", ".ts", ".mjs", ".md"}
FILE = re.compile(r"[\w./-]*\w\.(?:py|ts)\b")
FOLDER = re.compile(rf"`((?:{'|'.join(ROOMS)})/[\w./-]*)`")
MODULE = re.compile(r"`((?:cli|feeds|ticker|web)(?:\.[A-Za-z_]+)+)[`(]")
CLASS = re.compile(r"`([A-Z][a-z]+[A-Z]\w+)(?:\.([a-z_]+))?[`(]")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@cache
def sources() -> dict[str, str]:
    """The text of every file that may be named, by path; what was installed or built is none."""
    listed = [path for room in ROOMS for path in (ROOT / room).rglob("*")] + list(ROOT.glob("*"))
    ours = [path for path in listed if path.is_file() and not NOT_OURS & set(path.relative_to(ROOT).parts)]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") if path.suffix in WRITTEN else "" for path in ours}


@cache
def folders() -> set[str]:
    """All folders."""
    return {parent.as_posix() for path in sources() for parent in PurePosixPath(path).parents}


@cache
def words() -> set[str]:
    """Every name that stands in the code."""
    return {word for path, text in sources().items() if not path.endswith(".md") for word in re.findall(r"\w+", text)}


def text_of(document: str) -> str:
    """What a document says."""
    return (ROOT / document).read_text(encoding="utf-8")


def anchors(document: str) -> set[str]:
    """The places in a document that a link can lead to, by the rule of GitHub and GitLab."""
    headings = HEADING.findall(re.sub(r"^```.*?^```", "", text_of(document), flags=re.MULTILINE | re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def is_there(name: str) -> bool:
    """Whether a file is named by the end of its path, as documents do where the folder is clear."""
    return name in INVENTED or "NAME" in name or any(f"/{path}".endswith(f"/{name}") for path in sources())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_and_folders_that_are_named_are_there(document: str) -> None:
    """A file that moves takes its name in the documents along."""
    text = re.sub(r"https?://\S+", "", text_of(document))
    absent = {name for name in FILE.findall(text) if not is_there(name.strip("./"))}
    absent |= {name for name in FOLDER.findall(text) if not is_there(name) and name.rstrip("/") not in folders()}
    assert absent == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_modules_and_classes_that_are_named_are_there(document: str) -> None:
    """So does a class that has another name."""
    text, absent = text_of(document), set()
    for dotted in MODULE.findall(text):
        paths = ["/".join(dotted.split(".")[:depth]) for depth in range(2, dotted.count(".") + 2)]
        if not any(path in folders() or f"{path}.py" in sources() for path in paths):
            absent.add(dotted)
    absent |= {".".join(filter(None, names)) for names in CLASS.findall(text) if not set(filter(None, names)) <= words() | OTHERS}
    assert absent == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """To a file that is there, and in it to a heading that is there."""
    dead = set()
    for link in LINK.findall(text_of(document)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, place = link.partition("#")
        target = ((ROOT / document).parent / path).resolve() if path else ROOT / document
        if not target.exists() or (place and target.suffix == ".md" and place not in anchors(target.relative_to(ROOT).as_posix())):
            dead.add(link)
    assert dead == set()
