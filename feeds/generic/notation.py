"""How an endpoint that nobody prepared for us writes numbers and times: decimal commas, percent signs, local times, formats of its own."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from feeds.values.parse import TimeUnit, epoch_ms, iso_ms, number, shown
from ticker.errors import FeedError

NOTHING = frozenset({"", "-", "--", "n/a", "n/d", "na", "null", "none"})
"""What stands where there is no number, in any case."""
UNITS: dict[str, TimeUnit] = {"s": "s", "ms": "ms", "us": "us", "ns": "ns"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAMPLE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def zone_of(name: str) -> tzinfo:
    """The time zone called `name` (`Europe/Berlin`). Raises `ValueError` where there is none."""
    if name == "UTC":  # which needs no data base
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('is no time zone; write one like "Europe/Berlin", or "UTC"') from None


def check_time_form(form: str) -> str:
    """`form` if it is a unit, `iso`, or a format of `strptime` that has the date. Raises `ValueError`."""
    if form in UNITS or form == "iso":
        return form
    try:
        again = datetime.strptime(_SAMPLE.strftime(form), form)
    except ValueError:
        again = None
    if "%" not in form or again is None or (again.year, again.month, again.day) != (2026, 1, 2):
        raise ValueError('must be s, ms, us, ns, iso, or a format with the date, like "%d.%m.%Y %H:%M:%S"')
    return form


class Notation(NamedTuple):
    """One endpoint's way of writing."""

    decimal: Literal[".", ","]
    ignore: str
    time_form: str
    zone: tzinfo
    fractions: bool

    def plain(self, value: Any) -> Any:
        """A number's string as JSON would write it, `None` where it says that there is none; anything else as it is."""
        if not isinstance(value, str):
            return value
        text = value.strip()
        if text.casefold() in NOTHING:
            return None
        text = text.translate({ord(character): None for character in self.ignore}).strip().replace("\u2212", "-").removeprefix("+")
        if self.decimal == ",":
            text = text.replace(".", "!").replace(",", ".")  # a point that is not to be ignored would be read as ours
        if text.startswith((".", "-.")):
            text = text.replace(".", "0.", 1)
        return text

    def word(self, value: Any) -> Any:
        """A word in its plain form for a code or one of ours, `None` where it says that there is none; anything else as it is."""
        if not isinstance(value, str):
            return value
        text = value.strip()
        return None if text.casefold() in NOTHING else text

    def pct(self, value: Any, what: str) -> float | None:
        """A change in percent, to 4 places, whatever it is written in."""
        plain = self.plain(value.strip().removesuffix("%") if isinstance(value, str) else value)
        if plain is None:
            return None
        read = number(plain, what)
        in_percent = isinstance(value, str) and value.strip().endswith("%")
        exact = Decimal(repr(read)) * (100 if self.fractions and not in_percent else 1)
        return round(float(exact), 4) + 0.0

    def time_ms(self, value: Any, what: str) -> int | None:
        """A time as Unix epoch ms; one that names no zone is in ours."""
        if value is None or (isinstance(value, str) and value.strip().casefold() in NOTHING) or value is False:
            return None
        if self.time_form in UNITS:
            return epoch_ms(value.strip() if isinstance(value, str) else value, what, UNITS[self.time_form])
        if not isinstance(value, str):
            raise FeedError(f'{what}: a time in words was expected; time_form = "ms", or "s", is that of a number', payload=shown(value))
        try:
            if self.time_form != "iso":
                moment = datetime.strptime(value.strip(), self.time_form)
            elif (moment := datetime.fromisoformat(value.strip())).tzinfo is not None:
                return iso_ms(value.strip(), what)
        except ValueError:
            if self.time_form == "iso":
                return iso_ms(value.strip(), what)  # more digits than Python reads
            raise FeedError(f"{what}: not a time of the form {self.time_form}", payload=shown(value)) from None
        try:
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=self.zone)
            milliseconds = (moment - EPOCH).total_seconds() * 1000
        except (OverflowError, ValueError):
            raise FeedError(f"{what}: no such time", payload=shown(value)) from None
        return epoch_ms(round(milliseconds), what, "ms")
