"""Has the hours of the calendars in use loaded, in time, and hands them on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from ticker import wire
from ticker.calendars.currency_week import WEEK
from ticker.calendars.exchange_hours import TIMEOUT_S, HoursError, Load, WantedCalendars, end_ms, load, span
from ticker.calendars.market_hours import NEVER, Hours
from ticker.clock import Clock
from ticker.runtime import DeadlineExceeded, Runtime
from ticker.settings.calendars import BUILT_IN, CURRENCY_WEEK
from ticker.settings.model import SymbolSettings

log = logging.getLogger(__name__)


class CalendarLoader:
    """Loads hours in tasks of their own; `take_hours` is called with a calendar and its hours, each time that they are known anew."""

    def __init__(self, runtime: Runtime, clock: Clock, take_hours: Callable[[str, Hours], None], load_hours: Load = load) -> None:
        self._runtime = runtime
        self._clock = clock
        self._take_hours = take_hours
        self._load_hours = load_hours
        self._wanted = WantedCalendars()
        self._hours: dict[str, Hours] = {CURRENCY_WEEK: WEEK}
        self._has_currency_week = False

    def configure(self, symbols: Iterable[SymbolSettings]) -> None:
        """Use the calendars that these symbols name."""
        calendars = {symbol.calendar for symbol in symbols if symbol.calendar is not None}
        self._has_currency_week = CURRENCY_WEEK in calendars
        self._wanted.want(sorted(calendars - BUILT_IN))

    def look(self) -> None:
        """Load what is due, if anything. Returns at once."""
        if due := self._wanted.take_due(self._clock.now_ms()):
            self._runtime.spawn(self._load, due)

    def state(self) -> list[wire.Calendar]:
        """For `/api/status`: each calendar in use that is ever shut."""
        now_ms = self._clock.now_ms()
        shown = []
        for calendar in [*self._wanted.calendars, *([CURRENCY_WEEK] if self._has_currency_week else ())]:
            hours = self._hours.get(calendar)
            market = hours.at(now_ms) if hours else None
            until_ms = market.until_ms if market and market.until_ms < NEVER else None
            phase: wire.MarketPhase = market.phase if market else "unknown"
            shown.append(wire.Calendar(calendar=calendar, market=phase, until=until_ms, error=self._wanted.errors.get(calendar)))
        return shown

    def _load(self, calendars: Sequence[str]) -> None:
        now_ms = self._clock.now_ms()
        first, last = span(now_ms)
        try:
            with self._runtime.deadline(TIMEOUT_S):
                found = self._load_hours(calendars, first, last)
        except (HoursError, DeadlineExceeded) as error:
            found = dict.fromkeys(calendars, HoursError(str(error)))
        for calendar, windows in found.items():
            if isinstance(windows, HoursError):
                if self._wanted.failed(calendar, str(windows)):
                    log.warning("calendar %s: its hours are not known: %s", calendar, windows)
                continue
            self._hours[calendar] = hours = Hours(windows, end_ms(last))
            self._wanted.loaded(calendar, now_ms)
            self._take_hours(calendar, hours)
