"""Which calendars there are."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from ticker.settings import calendars
from ticker.settings.calendars import check, known_calendars


@pytest.fixture
def without_the_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where it is not installed."""
    known_calendars.cache_clear()
    monkeypatch.setattr(calendars, "PACKAGE", "no_such_package")
    yield
    known_calendars.cache_clear()


def test_the_names_are_the_packages() -> None:
    """All of them and their other names, read without importing it."""
    asked = "import exchange_calendars as x; print(*x.get_calendar_names())"
    names = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout.split()
    assert known_calendars() == frozenset(names)
    assert "exchange_calendars" not in sys.modules


@pytest.mark.parametrize("name", ["XNYS", "XNAS", "NYSE", "24/7", "us_futures"])
def test_names_that_are_known(name: str) -> None:
    """Codes of exchanges, and what else they are called."""
    assert check(name) == name


@pytest.mark.parametrize(("name", "hint"), [
    ("xnys", 'did you mean "XNYS"'), ("XNSY", 'did you mean "XNYS"'), ("New York", "like"), ("", "")])
def test_names_that_are_not(name: str, hint: str) -> None:
    """The nearest one is suggested."""
    with pytest.raises(ValueError, match=f'must be "24/7", or .*{hint}'):
        check(name)


@pytest.mark.usefixtures("without_the_package")
def test_without_the_package() -> None:
    """Any name may be right, if it looks like one."""
    assert known_calendars() is None
    assert check("XABC") == "XABC"
    with pytest.raises(ValueError, match="must be"):
        check("New York")
