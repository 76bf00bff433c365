"""The Makefile's promises: what it can't install it names, what is there it leaves, what was interrupted it makes again.

make, bash and the Makefile are the real ones; only Python and npm are stand-ins that note how they were called.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pip
import pytest

ROOT = Path(__file__).parent.parent
APT_LINE = "apt-get install -y make python3-venv"


def executable(path: Path, script: str) -> Path:
    """Write `script` for bash at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of stand-ins, in a folder with a space in its name: packages installed, page not yet built."""
    root = tmp_path / "a project"
    executable(root / ".venv/bin/python", "exit 0")
    (root / ".venv/complete").touch()
    executable(root / ".venv/bin/node", "exit 0")
    executable(
        root / ".venv/bin/npm",
        """
        echo "npm $*" >>../../calls
        case "$*" in
            "ci "*) rm -rf node_modules && mkdir node_modules ;;
            "run build") [[ ! -e ../../broken ]] || { echo "no such module"; exit 1; }; mkdir -p dist && touch dist/index.html ;;
        esac
        """,
    )
    (root / "web/frontend/src").mkdir(parents=True)
    (root / "web/frontend/package-lock.json").write_text("{}")
    (root / "web/frontend/src/main.ts").write_text("one")
    shutil.copy(ROOT / "Makefile", root)
    return root


def make(project: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run make in `project` as a user would, whatever make runs these tests."""
    return subprocess.run(["make", *args], cwd=project, env=environment(), capture_output=True, text=True, check=False)


def environment() -> dict[str, str]:
    """Ours, without what a make that runs these tests has put there."""
    made = ("MFLAGS", "BESIDE", "ONLY")
    return {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name not in made}


def calls(project: Path) -> list[str]:
    """What npm was asked since the last look."""
    noted = project / "calls"
    lines = noted.read_text().splitlines() if noted.exists() else []
    noted.write_text("")
    return [line.split(" --")[0] for line in lines if line != "npm --version"]


def test_the_page_is_built_once(project: Path) -> None:
    """The first call installs and builds, the second does nothing and says nothing."""
    first = make(project, "page")
    assert (first.returncode, first.stderr, calls(project)) == (0, "", ["npm ci", "npm run build"])
    assert first.stdout == "• Installing the page's packages\n• Building the page\n"
    second = make(project, "page")
    assert (second.returncode, second.stdout, second.stderr, calls(project)) == (0, "", "", [])


def test_the_page_is_built_again_when_a_source_changes_or_goes(project: Path) -> None:
    """Contents count, not dates; the packages stay, since their lock is the same."""
    make(project, "page")
    calls(project)
    (project / "web/frontend/src/main.ts").write_text("two")
    make(project, "page")
    assert calls(project) == ["npm run build"]
    (project / "web/frontend/src/main.ts").unlink()
    make(project, "page")
    assert calls(project) == ["npm run build"]


def test_the_page_packages_follow_their_lock(project: Path) -> None:
    """A changed lock installs anew, and so do packages that somebody removed."""
    make(project, "page")
    calls(project)
    (project / "web/frontend/package-lock.json").write_text('{"lockfileVersion": 3}')
    make(project, "page")
    assert calls(project) == ["npm ci", "npm run build"]
    shutil.rmtree(project / "web/frontend/node_modules")
    make(project, "page-packages")
    assert calls(project) == ["npm ci"]


def test_a_failed_build_shows_why_and_is_made_again(project: Path) -> None:
    """A half-written build is never taken for a whole one, even when the sources are again those of an earlier whole one."""
    make(project, "page")
    source = project / "web/frontend/src/main.ts"
    source.write_text("broken")
    (project / "broken").touch()
    failed = make(project, "page")
    assert failed.returncode != 0
    assert "no such module" in failed.stderr
    source.write_text("one")
    (project / "broken").unlink()
    calls(project)
    assert make(project, "page").returncode == 0
    assert calls(project) == ["npm run build"]


def test_an_old_python_is_refused_by_name(project: Path) -> None:
    """Without Python 3.11 or newer there is one sentence and one line to type, and nothing half made."""
    shutil.rmtree(project / ".venv")
    old = executable(project / "old", "exit 1")
    refused = make(project, "venv", f"PYTHON={old}")
    assert refused.returncode != 0
    assert "needs Python 3.11 or newer" in refused.stderr
    assert APT_LINE in refused.stderr
    assert not (project / ".venv").exists()


def test_a_python_without_ensurepip_is_refused_with_the_line_that_installs_it(project: Path) -> None:
    """Debian packs ensurepip apart from Python; a virtual environment can't be made before it is installed."""
    shutil.rmtree(project / ".venv")
    bare = executable(project / "bare", '[[ "$*" != *ensurepip* ]]')
    refused = make(project, "venv", f"PYTHON={bare}")
    assert refused.returncode != 0
    assert "ensurepip is missing" in refused.stderr
    assert APT_LINE in refused.stderr


def test_an_interrupted_environment_is_made_anew(project: Path) -> None:
    """An environment whose last installation did not end is thrown away whole: half a package looks installed to pip."""
    (project / ".venv/complete").unlink()
    (project / ".venv/leftover").touch()
    python = executable(project / "fresh", '[[ "$*" != *"-m venv"* ]] || mkdir -p .venv/bin; echo Python 3.11.0')
    made = make(project, "venv", f"PYTHON={python}")
    assert (made.returncode, made.stdout) == (0, "• Making .venv with Python 3.11.0\n")
    assert (project / ".venv/complete").exists()
    assert not (project / ".venv/leftover").exists()


def test_headless_asks_for_no_page(project: Path) -> None:
    """`make run ARGS="serve --headless"` reaches Python without Node, npm or a build."""
    (project / "requirements.txt").touch()
    (project / ".venv/requirements.txt").touch()
    executable(project / ".venv/bin/python", '[[ $1 == -c ]] || echo "python $*"')
    run = make(project, "run", "ARGS=serve --headless --port 8080")
    assert (run.returncode, run.stdout) == (0, "python main.py serve --headless --port 8080\n")
    assert calls(project) == []


@pytest.fixture
def checked(project: Path) -> Path:
    """The project, with all that lint and tests need; its Python notes how it is called, and fails where the file `bad` says so."""
    for lock in ("requirements.txt", "requirements-dev.txt"):
        (project / lock).touch()
        (project / ".venv" / lock).touch()
    executable(
        project / ".venv/bin/python",
        """
        [[ $1 != -c ]] || exit 0
        echo "$*" >>asked
        if [[ -e bad && "$*" == *"$(<bad)"* ]]; then echo "this is why"; exit 1; fi
        """,
    )
    return project


def test_quick_looks_at_the_code_and_runs_what_is_not_slow(checked: Path) -> None:
    """Each look, the page's tests, and every part of the unit tests without its slow ones; each under its name."""
    quick = make(checked, "quick")
    assert (quick.returncode, quick.stderr) == (0, "")
    asked = (checked / "asked").read_text().splitlines()
    looks = ["ruff check", "ruff format --check", "mypy", "lint-imports"]
    assert [sum(look in line for line in asked) for look in looks] == [1] * 4
    tests = [line for line in asked if "pytest" in line]
    assert len(tests) > 3
    assert all("-m not slow" in line for line in tests)
    assert {"npm run typecheck", "npm run size", "npm test"} <= set(calls(checked))
    assert {"• ruff", "• mypy", "• unit-feeds", "• unit-rest", "• page-test"} <= set(quick.stdout.splitlines())


@pytest.mark.parametrize(
    ("target", "bad"),
    [("lint", "ruff check"), ("lint", "ruff format --check"), ("test", "mypy"), ("unit", "tests/web"), ("quick", "tests/cli")],
)
def test_one_part_that_fails_fails_the_whole_and_says_why(checked: Path, target: str, bad: str) -> None:
    """The others run all the same; what comes after all of them does not."""
    (checked / "bad").write_text(bad)
    failed = make(checked, target, "-o", "chromium", "-o", "proxies")
    assert failed.returncode != 0
    assert "this is why" in failed.stdout
    asked = (checked / "asked").read_text()
    assert ("lint-imports" in asked) == (target != "unit")
    assert ("--ignore=tests/e2e" in asked) == (target != "lint")
    assert "loadfile" not in asked


def test_every_unit_test_is_in_one_part() -> None:
    """No file is forgotten by the parts, none is run twice."""
    shown = subprocess.run(
        ["make", "--eval", "shown: ; printf '%s\\n' $(foreach part,$(PARTS),'$($(part))')", "shown"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    parts = [in_part(line.split()) for line in shown.stdout.splitlines()]
    files = [file for file in (ROOT / "tests").rglob("test_*.py") if not file.is_relative_to(ROOT / "tests/e2e")]
    assert [sum(file in part for part in parts) for file in files] == [1] * len(files)


def in_part(words: list[str]) -> set[Path]:
    """The test files below some of these paths and below none that is ignored."""
    ignored = [ROOT / word.removeprefix("--ignore=") for word in words if word.startswith("--ignore=")]
    files: set[Path] = set()
    for word in words:
        if not word.startswith("--"):
            path = ROOT / word
            files.update([path] if path.is_file() else path.rglob("test_*.py"))
    return {file for file in files if not any(file.is_relative_to(other) for other in ignored)}


def test_help_shows_every_target() -> None:
    """One that is not shown is not found."""
    shown = subprocess.run(["make", "help"], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^\.PHONY: ([a-z0-9-]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"run", "test", "quick", "format", "docs", "unit", "e2e", "page-test"} <= set(targets)
    assert [target for target in targets if not re.search(rf"(?<![a-z-]){target}(?![a-z-])", shown)] == []


def wheel(folder: Path) -> str:
    """A package of one line, as pip takes it; returns its SHA-256."""
    files = {
        "trinket.py": b"ANSWER = 42\n",
        "trinket-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: trinket\nVersion: 1.0\n",
        "trinket-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip('=')},{len(body)}"
        for name, body in files.items()
    ]
    files["trinket-1.0.dist-info/RECORD"] = "\n".join([*lines, "trinket-1.0.dist-info/RECORD,,", ""]).encode()
    folder.mkdir()
    path = folder / "trinket-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_not_as_locked_is_not_installed(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real pip in a real environment: the locked file goes in; with one digit of its hash another, without a hash, or with a version
    left open, nothing does, and the environment does not count as complete."""
    shutil.rmtree(project / ".venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    (packages,) = (project / ".venv/lib").glob("python*/site-packages")
    (packages / "pip").symlink_to(Path(pip.__file__).parent)  # ours, since Python's own takes seconds to unpack
    (project / ".venv/complete").touch()
    digest = wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    flipped = re.sub("^.", lambda first: "0" if first[0] != "0" else "1", digest)
    for lock in (f"trinket==1.0 --hash=sha256:{flipped}\n", "trinket==1.0\n", f"trinket --hash=sha256:{digest}\n"):
        (project / "requirements.txt").write_text(lock)
        refused = make(project, "runtime")
        assert refused.returncode != 0
        assert "hash" in refused.stderr.lower()
        assert not (project / ".venv/complete").exists()
        assert not list((project / ".venv").rglob("trinket.py"))
        (project / ".venv/complete").touch()  # or make would make the environment anew
    (project / "requirements.txt").write_text(f"trinket==1.0 --hash=sha256:{digest}\n")
    installed = make(project, "runtime")
    assert (installed.returncode, installed.stderr) == (0, "")
    assert list((project / ".venv").rglob("trinket.py"))
