"""What all tests share: patched and unpatched runs are kept apart, slow tests are known, Hypothesis never judges by time; Chromium."""

import shutil
import subprocess
from types import ModuleType

import hypothesis
import pytest

from tests.providers.client import RunningProvider, running
from ticker import secrets

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

# The machine may be busy: an example that takes long is no failure. The examples are the same in each run, so is the verdict.
hypothesis.settings.register_profile("tickercast", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("tickercast")


@pytest.fixture(autouse=True)
def _hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test knows the secrets of another: a short one would garble what that expects to read."""
    monkeypatch.setattr(secrets, "HIDDEN", secrets.Hidden())


STARTERS = (subprocess, running)
"""A test file that has one of these starts processes itself."""
STARTED = (RunningProvider.__name__, "Address")
"""A fixture that says it gives one of these has started a process."""


def pytest_configure(config: pytest.Config) -> None:
    """The one mark of our own."""
    config.addinivalue_line("markers", "slow: computes for seconds or starts processes (found by itself); `make quick` leaves it out")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts processes, before `-m` chooses."""
    for item in items:
        if isinstance(item, pytest.Function) and (_starts(item.module) or _asks_for_started(item)):
            item.add_marker(pytest.mark.slow)


def _starts(module: ModuleType) -> bool:
    return any(value is starter for value in vars(module).values() for starter in STARTERS)


def _asks_for_started(item: pytest.Function) -> bool:
    fixtures = (fixture for fixtures in item._fixtureinfo.name2fixturedefs.values() for fixture in fixtures)
    given = [str(getattr(fixture.func, "__annotations__", {}).get("return")) for fixture in fixtures]
    return any(name in words for words in given for name in STARTED)


@pytest.fixture(autouse=True)
def _no_process_unless_slow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What starts a process is known to, so that the fast tests stay fast."""
    if request.node.get_closest_marker("slow") is None and request.config.pluginmanager.has_plugin("tests.green"):

        def refuse(*_: object, **__: object) -> None:
            pytest.fail("This test starts a process: mark it with @pytest.mark.slow", pytrace=False)

        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse a run that would mean nothing: unit tests on blocking sockets, or real clients on green ones."""
    patched = session.config.pluginmanager.has_plugin("tests.green")
    e2e = session.config.rootpath / "tests" / "e2e"
    for item in session.items:
        if item.path.is_relative_to(e2e) and patched:
            raise pytest.UsageError("tests/e2e runs by itself and unpatched: python -m pytest tests/e2e")
        if not item.path.is_relative_to(e2e) and not patched:
            raise pytest.UsageError("these tests run in a patched process: python -m pytest -p tests.green (all but tests/e2e)")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of the system's Chromium; without one the test that asks for it fails."""
    for name in CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    pytest.fail("The browser tests need Chromium. On Debian, as root: apt-get install -y chromium", pytrace=False)
