"""Which calendars there are."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from cli.process.settings import feed_kinds
from ticker.errors import SettingsError
from ticker.settings import calendars
from ticker.settings.calendars import check, known_calendars
from ticker.settings.load import parse


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


@pytest.mark.parametrize("name", ["XNYS", "XNAS", "NYSE", "24/7", "24/5", "us_futures"])
def test_names_that_are_known(name: str) -> None:
    """Codes of exchanges, and what else they are called."""
    assert check(name) == name


@pytest.mark.parametrize(
    ("name", "hint"), [("xnys", 'did you mean "XNYS"'), ("XNSY", 'did you mean "XNYS"'), ("New York", "like"), ("", "")]
)
def test_names_that_are_not(name: str, hint: str) -> None:
    """The nearest one is suggested."""
    with pytest.raises(ValueError, match=f'must be "24/7", "24/5" for currencies, or .*{hint}'):
        check(name)


@pytest.mark.usefixtures("without_the_package")
def test_without_the_package() -> None:
    """Any name may be right, if it looks like one."""
    assert known_calendars() is None
    assert check("XABC") == "XABC"
    with pytest.raises(ValueError, match="must be"):
        check("New York")


def with_calendars(*calendars: str) -> bytes:
    """A settings file with a symbol for each of `calendars`."""
    lines = [f'S{number} = {{ feed = "sim", calendar = "{calendar}" }}' for number, calendar in enumerate(calendars)]
    return "\n".join(["[feeds.sim]", 'kind = "simulated"', "[symbols]", *lines]).encode()


def test_a_calendar_that_nobody_knows_stops_the_start() -> None:
    """With its key, and the name that was meant."""
    with pytest.raises(SettingsError) as caught:
        parse(with_calendars("24/7", "XNYS", "XNSY"), feed_kinds(), {})
    (problem,) = caught.value.problems
    assert (problem.key, problem.value) == ("symbols.S2.calendar", "XNSY")
    assert problem.reason.endswith('did you mean "XNYS"?')


def test_calendars_that_are_known() -> None:
    """Are nothing to mention."""
    assert parse(with_calendars("24/7", "XNYS", "XLON"), feed_kinds(), {}).warnings == ()


@pytest.mark.usefixtures("without_the_package")
def test_a_missing_package_is_a_warning() -> None:
    """One, however many symbols ask for it; what needs no package is none."""
    (warning,) = parse(with_calendars("24/7", "XNYS", "XLON"), feed_kinds(), {}).warnings
    assert (warning.key, warning.hint) == ("symbols.S1.calendar", "pip install exchange_calendars")
    assert warning.reason.endswith("; 2 symbols have one")
    assert parse(with_calendars("24/7", "24/5"), feed_kinds(), {}).warnings == ()


def test_the_currency_week_takes_the_time_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a machine has none, the package that brings them is named; nothing else needs them."""
    monkeypatch.setattr(calendars, "NEW_YORK", "Nowhere/At_All")
    with pytest.raises(ValueError, match="pip install tzdata"):
        check("24/5")
    assert check("24/7") == "24/7"
