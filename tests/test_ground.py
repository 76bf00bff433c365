"""What the project stands on: the locks, their floors, the page that explains each dependency, and where eventlet may be named."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PYTHON_LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-node.txt")

# The oldest release of each without a published hole, and what the newest hole was.
FLOORS = {
    "eventlet": "0.40.3",  # CVE-2025-58068, requests smuggled in trailers
    "h11": "0.16.0",  # CVE-2025-43859, chunks that end otherwise than they should
    "flask": "3.1.3",  # CVE-2026-27205, a session's answer without Vary: Cookie
    "jinja2": "3.1.6",  # CVE-2025-27516, out of the sandbox
    "python-engineio": "4.13.2",  # CVE-2026-48802, a thread for each unasked PONG
    "python-socketio": "5.16.4",  # CVE-2026-48804, attachments that pile up
    "requests": "2.33.0",  # CVE-2026-25645, a predictable temporary file
    "urllib3": "2.7.0",  # CVE-2026-44432, a decompression bomb
    "werkzeug": "3.1.6",  # GHSA-29vq-49wr-vm6x, device names as files
}
PAGE_FLOORS = {
    "socket.io-client": "4.8.4",
    "socket.io-parser": "4.2.7",  # CVE-2026-69185, a packet without its attachments
}

LOCKED = re.compile(
    r"(?P<name>[a-z0-9.-]+)==(?P<version>[\w.]+)( ; [^\\\n]+)?"
    r"(?P<hashes>( \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)


def pins(lock: str) -> dict[str, Version]:
    """The version of each package in a Python lock, by its canonical name."""
    return {match["name"]: Version(match["version"]) for match in LOCKED.finditer((ROOT / lock).read_text())}


def page_packages() -> dict[str, dict[str, Any]]:
    """npm's lock: each installed package by its path below `node_modules`."""
    lock = json.loads((ROOT / "web/frontend/package-lock.json").read_text())
    return {path.removeprefix("node_modules/"): package for path, package in lock["packages"].items() if path}


def wanted(group: str | None = None) -> list[Requirement]:
    """The direct dependencies that `pyproject.toml` names: what runs, or one of its groups."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [Requirement(line) for line in (project["dependency-groups"][group] if group else project["project"]["dependencies"])]


def explained() -> set[str]:
    """The first column of the tables in docs/dependencies.md, without extras."""
    rows = re.findall(r"^\| ([\w.@/-]+)(?:\[\w+\])? \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    return {row.lower() for row in rows} - {"package", "---"}


def imports(source: Path) -> Iterator[str]:
    """The top-level names that a module imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(source.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.split(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.split(".")[0]


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_a_lock_holds_pins_with_hashes_and_nothing_else(lock: str) -> None:
    """Every line belongs to a package pinned by version and SHA-256: no index, no address, no path, nothing unpinned."""
    rest = LOCKED.sub("", (ROOT / lock).read_text())
    assert pins(lock)
    assert [line for line in rest.splitlines() if line and not line.startswith("#")] == []
    assert re.search(r"//|/tmp|/home|/root", rest) is None


@pytest.mark.parametrize(("lock", "group"), list(zip(PYTHON_LOCKS, (None, "dev", "node"), strict=True)))
def test_a_lock_was_made_from_the_pyproject_as_it_stands(lock: str, group: str | None) -> None:
    """Each direct dependency is locked, at a version its specifier admits."""
    locked = pins(lock)
    for requirement in wanted(group):
        assert locked[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_tests_run_on_the_versions_that_users_run() -> None:
    """The development lock is the runtime lock with packages added, none changed."""
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_no_locked_package_has_a_known_hole(package: str, floor: str) -> None:
    """What is installed is at or above the release that closed the newest published hole."""
    assert pins("requirements.txt")[package] >= Version(floor)


@pytest.mark.parametrize(("package", "floor"), PAGE_FLOORS.items())
def test_no_page_package_has_a_known_hole(package: str, floor: str) -> None:
    """The same of what the page's build contains, copies nested below another package included."""
    versions = [Version(entry["version"]) for path, entry in page_packages().items() if path.split("node_modules/")[-1] == package]
    assert versions
    assert min(versions) >= Version(floor)


def test_the_page_lock_has_hashes_and_no_addresses() -> None:
    """npm checks every package against the lock, and fetches it from wherever npm is told to."""
    for path, package in page_packages().items():
        assert package.get("integrity", "").startswith("sha512-"), path
        assert "resolved" not in package, path


def test_every_direct_dependency_is_explained_and_no_other() -> None:
    """docs/dependencies.md has one line for each package we name, and none for one we dropped."""
    page = json.loads((ROOT / "web/frontend/package.json").read_text())
    python = {requirement.name.lower() for group in (None, "dev", "node") for requirement in wanted(group)}
    assert explained() == python | page["dependencies"].keys() | page["devDependencies"].keys()


def test_nothing_installed_or_built_can_be_committed() -> None:
    """The environment, npm's packages and the page's build are ignored."""
    ignored = set((ROOT / ".gitignore").read_text().split())
    assert {".venv/", ".stamps/", "node_modules/", "web/frontend/dist/"} <= ignored


def test_eventlet_is_named_in_two_files_only() -> None:
    """The day eventlet retires, `web/runtime.py` changes, and the patch lines of `main.py` go."""
    sources = [ROOT / "main.py", *(path for package in ("cli", "ticker", "feeds", "web") for path in (ROOT / package).rglob("*.py"))]
    naming = {str(path.relative_to(ROOT)) for path in sources if "node_modules" not in path.parts and "eventlet" in imports(path)}
    assert naming == {"main.py", "web/runtime.py"}
