"""The hours of exchanges, holidays and all, from the package exchange_calendars (optional: pip install exchange_calendars).

It brings numpy and pandas, takes half a second to import, up to a second and a half for a calendar, and 60 MB. So another process
does that, says in JSON when each market opens and shuts in the next weeks, and ends. It is asked again a few days before they are over.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

DAYS_BACK = 10
"""Hours are loaded from so many days ago, so that the last close is known after the longest holidays."""
DAYS_AHEAD = 40
"""Hours are loaded up to so many days from now."""
RENEW_AFTER_MS = 7 * 86_400_000
"""Hours that are known are loaded again after so long."""
RETRY_AFTER_MS = 3_600_000
"""Hours that could not be had are tried again after so long."""
TIMEOUT_S = 60.0
"""How long loading may take, for all calendars together. Each takes a second or two."""

OpenPeriods = Sequence[tuple[int, int]]
"""When a market is open: `[open, close)` in epoch ms, in order. A lunch break parts a day in two."""


class HoursError(Exception):
    """The hours could not be had; the message says why."""


FoundHours = Mapping[str, OpenPeriods | HoursError]
"""What came of loading, by calendar: its hours, or why there are none."""
Load = Callable[[Collection[str], date, date], FoundHours]
"""Loads the hours of calendars from a first day to a last."""


def load(calendars: Collection[str], first: date, last: date) -> FoundHours:
    """The hours of each of `calendars` from `first` to `last`. Waits for another process; raises `HoursError` where that fails.

    Whoever breaks off the waiting ends the process.
    """
    # -P: the folder of this file, where ours are called like some of the standard library's, is not to be searched for modules.
    command = [sys.executable, "-P", __file__, first.isoformat(), last.isoformat(), *calendars]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise HoursError(str(error)) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise HoursError(said[-1] if said else f"exit code {done.returncode}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return {
        name: HoursError(found) if isinstance(found, str) else [(opens, closes) for opens, closes in found]
        for name, found in answer.items()
    }


def span(now_ms: int) -> tuple[date, date]:
    """The days to load at that time."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    return today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD)


def end_ms(last: date) -> int:
    """Until when hours are known that were loaded up to `last`: then its trading day has begun everywhere, and may not be over."""
    return int(datetime(last.year, last.month, last.day, tzinfo=UTC).timestamp() * 1000)


class WantedCalendars:
    """Which calendars are in use, and when to load each: at once, then once a week; after a failure an hour later."""

    def __init__(self) -> None:
        self._due_ms: dict[str, int] = {}
        self.errors: dict[str, str] = {}

    def want(self, calendars: Iterable[str]) -> None:
        """Use these and no others. What could not be had before is tried again."""
        self._due_ms = {name: 0 if name in self.errors else self._due_ms.get(name, 0) for name in calendars}
        self.errors = {name: error for name, error in self.errors.items() if name in self._due_ms}

    @property
    def calendars(self) -> list[str]:
        """Those in use."""
        return list(self._due_ms)

    def take_due(self, now_ms: int) -> list[str]:
        """Those to be loaded now. `loaded` or `failed` must follow; where it does not, they are due again in an hour."""
        due = [name for name, due_ms in self._due_ms.items() if due_ms <= now_ms]
        for name in due:
            self._due_ms[name] = now_ms + RETRY_AFTER_MS
        return due

    def loaded(self, name: str, now_ms: int) -> None:
        """The hours of that calendar are known."""
        self.errors.pop(name, None)
        if name in self._due_ms:
            self._due_ms[name] = now_ms + RENEW_AFTER_MS

    def failed(self, name: str, error: str) -> bool:
        """They could not be had; returns whether that is news."""
        news = self.errors.get(name) != error
        self.errors[name] = error
        return news


def main(first: str, last: str, *calendars: str) -> None:
    """What the other process does."""
    try:
        import exchange_calendars  # noqa: PLC0415  (here and nowhere else: see above)
        import pandas  # noqa: PLC0415
    except ImportError:
        sys.exit("the package exchange_calendars is not installed")
    found: dict[str, Any] = {}
    for name in calendars:
        try:
            schedule = exchange_calendars.get_calendar(name, start=first, end=last).schedule
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
            continue
        windows = []
        for day in schedule.itertuples():
            edges = [day.open, day.break_start, day.break_end, day.close]
            edges_ms = [round(edge.timestamp() * 1000) for edge in edges if not pandas.isna(edge)]  # most markets have no break
            windows += [edges_ms[index : index + 2] for index in range(0, len(edges_ms), 2)]
        found[name] = windows
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
