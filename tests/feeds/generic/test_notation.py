"""How numbers and times may be written by an endpoint that nobody prepared for us."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.generic.notation import Notation, check_time_form, zone_of
from feeds.values.parse import number
from tests.feeds.support import JSON, complaint
from ticker.errors import FeedError

PLAIN = Notation(".", "", "iso", UTC, fractions=False)
GERMAN = Notation(",", ".", "%d.%m.%Y %H:%M:%S", ZoneInfo("Europe/Berlin"), fractions=False)


@pytest.mark.parametrize(("notation", "written", "value"), [
    (PLAIN, "12.5", 12.5), (PLAIN, " 12.5 ", 12.5), (PLAIN, "+1.5", 1.5), (PLAIN, "\u22121.5", -1.5), (PLAIN, ".5", 0.5),
    (PLAIN, "-.5", -0.5),
    (PLAIN, 12.5, 12.5), (GERMAN, "1.234,50", 1234.5), (GERMAN, "-0,5", -0.5), (GERMAN, 12.5, 12.5),
    (PLAIN._replace(ignore="$, "), "$ 1,234.50", 1234.5)])  # fmt: skip
def test_a_number_is_what_is_meant(notation: Notation, written: Any, value: float) -> None:
    """Decimal marks, signs, characters that mean nothing."""
    assert number(notation.plain(written), "n") == value


@pytest.mark.parametrize(("notation", "written"), [
    (PLAIN, "1,5"), (PLAIN, "1 234"), (PLAIN, "$1"), (GERMAN._replace(ignore=""), "1.234,50"), (GERMAN._replace(ignore=""), "1.234"),
    (PLAIN, "1e999")])  # fmt: skip
def test_what_could_be_two_numbers_is_none(notation: Notation, written: str) -> None:
    """A point where a comma is the decimal mark is not read as one."""
    complaint(lambda: number(notation.plain(written), "n"))


@pytest.mark.parametrize("written", ["", "-", "--", "N/A", "n/d", " NULL ", None])
def test_nothing_is_written_in_many_ways(written: Any) -> None:
    """And is never 0."""
    assert PLAIN.plain(written) is None
    assert PLAIN.word(written) is None
    assert PLAIN.pct(written, "p") is None
    assert PLAIN.time_ms(written, "t") is None


@pytest.mark.parametrize(("notation", "written", "pct"), [
    (PLAIN, "1.27%", 1.27), (PLAIN, "+1.27 %", 1.27), (PLAIN, 1.270049, 1.27), (GERMAN, "-0,52 %", -0.52),
    (PLAIN._replace(fractions=True), "0.0127", 1.27), (PLAIN._replace(fractions=True), -0.07, -7.0),
    (PLAIN._replace(fractions=True), "1.27%", 1.27)])  # fmt: skip
def test_a_change_is_in_percent(notation: Notation, written: Any, pct: float) -> None:
    """A fraction times a hundred, in decimal; what has a percent sign is none."""
    assert notation.pct(written, "p") == pct


@pytest.mark.parametrize(("form", "zone", "written", "ms"), [
    ("s", "UTC", 1779998399, 1_779_998_399_000), ("ms", "UTC", "1779998399123", 1_779_998_399_123),
    ("us", "UTC", 1779998399123456, 1_779_998_399_123),
    ("ns", "UTC", 1779998399123456789, 1_779_998_399_123), ("s", "UTC", 1779998399.5, 1_779_998_399_500),
    ("iso", "UTC", "2026-05-28T19:59:59Z", 1_779_998_399_000), ("iso", "UTC", "2026-05-28T15:59:59.123456789-04:00", 1_779_998_399_123),
    ("iso", "UTC", "2026-11-30T14:40Z", 1_796_049_600_000), ("iso", "Europe/Berlin", "2026-11-30T15:40", 1_796_049_600_000),
    ("iso", "Europe/Berlin", "2026-05-28 21:59:59", 1_779_998_399_000), ("iso", "UTC", "2026-05-28", 1_779_926_400_000),
    ("%d.%m.%Y %H:%M:%S", "Europe/Berlin", "28.05.2026 21:59:59", 1_779_998_399_000),
    ("%Y%m%d%H%M%S%z", "Europe/Berlin", "20260528195959+0000", 1_779_998_399_000)])  # fmt: skip
def test_a_time_is_what_is_meant(form: str, zone: str, written: Any, ms: int) -> None:
    """A zone in it outranks ours."""
    assert PLAIN._replace(time_form=form, zone=zone_of(zone)).time_ms(written, "t") == ms


@pytest.mark.parametrize("form", ["hours", "", "%H:%M", "%d.%m. %H:%M", "%Y-%m-%d %Q"])
def test_a_form_must_have_the_date(form: str) -> None:
    """Else all prices are of 1900."""
    with pytest.raises(ValueError, match="must be s, ms, us, ns, iso"):
        check_time_form(form)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "/etc/localtime"])
def test_a_zone_must_exist(zone: str) -> None:
    """By its name, not by a file's."""
    with pytest.raises(ValueError, match="is no time zone"):
        zone_of(zone)


@given(JSON | st.text(max_size=20), st.sampled_from([PLAIN, GERMAN, PLAIN._replace(time_form="ms"), PLAIN._replace(fractions=True)]))
def test_any_value_is_read_or_complained_of(value: Any, notation: Notation) -> None:
    """Nothing else comes out."""
    for read in (lambda: notation.pct(value, "p"), lambda: notation.time_ms(value, "t"), lambda: number(notation.plain(value), "n")):
        try:
            read()
        except FeedError as error:
            assert str(error)  # noqa: PT017 (either outcome is fine)
