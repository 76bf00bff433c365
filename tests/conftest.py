"""What all tests share: patched and unpatched runs are kept apart, Hypothesis never judges by time, Chromium is found or asked for."""

import shutil

import hypothesis
import pytest

from ticker import secrets

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

# The machine may be busy: an example that takes long is no failure. The examples are the same in each run, so is the verdict.
hypothesis.settings.register_profile("tickercast", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("tickercast")


@pytest.fixture(autouse=True)
def _hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test knows the secrets of another: a short one would garble what that expects to read."""
    monkeypatch.setattr(secrets, "HIDDEN", secrets.Hidden())


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
