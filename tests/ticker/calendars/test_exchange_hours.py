"""The hours of real exchanges on known days, had from another process; and what there is instead when that fails."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ticker.calendars.exchange_hours import RENEW_AFTER_MS, RETRY_AFTER_MS, HoursError, OpenPeriods, WantedCalendars, end_ms, load, span

NOW = 1_700_000_000_000


def written(windows: OpenPeriods | HoursError) -> list[tuple[str, str]]:
    """OpenPeriods as a reader would write them, UTC."""
    assert not isinstance(windows, HoursError), windows
    return [
        (f"{datetime.fromtimestamp(opens / 1000, UTC):%m-%d %H:%M}", f"{datetime.fromtimestamp(closes / 1000, UTC):%H:%M}")
        for opens, closes in windows
    ]


def test_hours_of_real_exchanges() -> None:
    """New York keeps Thanksgiving and shuts early the day after; Hong Kong has lunch; who does not exist costs nobody else."""
    found = load(["XNYS", "XHKG", "XXXX"], date(2023, 11, 22), date(2023, 11, 24))
    assert written(found["XNYS"]) == [("11-22 14:30", "21:00"), ("11-24 14:30", "18:00")]
    assert written(found["XHKG"]) == [
        (f"11-{day} {opens}", closes) for day in (22, 23, 24) for opens, closes in (("01:30", "04:00"), ("05:00", "08:00"))
    ]
    assert str(found["XXXX"]).startswith("InvalidCalendarName: ")


def test_summer_time() -> None:
    """The hours are those of the exchange's own clock."""
    found = load(["XLON"], date(2023, 3, 24), date(2023, 3, 27))
    assert written(found["XLON"]) == [("03-24 08:00", "16:30"), ("03-27 07:00", "15:30")]


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is optional: an interpreter that has not got it says so."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    with pytest.raises(HoursError, match="the package exchange_calendars is not installed"):
        load(["XNYS"], date(2023, 11, 22), date(2023, 11, 24))


def test_a_process_that_can_not_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or that breaks, is an error like any other."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(HoursError, match="exit code 1"):
        load(["XNYS"], date(2023, 11, 22), date(2023, 11, 24))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(HoursError, match="No such file"):
        load(["XNYS"], date(2023, 11, 22), date(2023, 11, 24))


def test_the_days_to_load() -> None:
    """Past the longest holidays to both sides, and known until a day has begun everywhere."""
    assert span(NOW) == (date(2023, 11, 4), date(2023, 12, 24))
    assert end_ms(date(2023, 12, 24)) == datetime(2023, 12, 24, tzinfo=UTC).timestamp() * 1000


def test_when_to_load() -> None:
    """At once, again a week later, and an hour after a failure; what is no longer in use is let go."""
    wanted = WantedCalendars()
    wanted.want(["XNYS", "XLON"])
    assert wanted.take_due(NOW) == ["XNYS", "XLON"]
    assert wanted.take_due(NOW) == []
    wanted.loaded("XNYS", NOW)
    assert wanted.failed("XLON", "no")
    assert not wanted.failed("XLON", "no")
    assert wanted.take_due(NOW + RETRY_AFTER_MS - 1) == []
    assert wanted.take_due(NOW + RETRY_AFTER_MS) == ["XLON"]
    wanted.want(["XNYS", "XLON", "XHKG"])
    assert wanted.take_due(NOW + RETRY_AFTER_MS) == ["XLON", "XHKG"], "new settings may have mended it"
    wanted.loaded("XLON", NOW)
    assert wanted.errors == {}
    wanted.want(["XNYS"])
    wanted.loaded("XLON", NOW)
    assert wanted.calendars == ["XNYS"]
    assert wanted.take_due(NOW + RENEW_AFTER_MS - 1) == []
    assert wanted.take_due(NOW + RENEW_AFTER_MS) == ["XNYS"]
