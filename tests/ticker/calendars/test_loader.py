"""The board is told when markets are open, by whatever can tell, and while it is not told it goes on without."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from queue import SimpleQueue

import pytest

from tests.ticker.stepped import START_MS, SteppedTime
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.calendars.exchange_hours import RENEW_AFTER_MS, RETRY_AFTER_MS, FoundHours, HoursError
from ticker.calendars.loader import CalendarLoader
from ticker.calendars.market_hours import Hours
from ticker.quote import Tick
from ticker.settings.model import SymbolSettings
from ticker.wire import Calendar
from web.runtime import EventletRuntime

TERMS = {"a": FeedTerms("polled", 2.0)}
PATIENCE_S = 60.0
"""How long to wait for what must happen; never waited out when all is well."""


class Street:
    """Markets in stepped time with hours out of a hat: XNYS is open for an hour from the start, XHKG can't be had."""

    def __init__(self) -> None:
        self.time = SteppedTime()
        self.board = Board("epoch")
        self.published: list[str] = []
        self.asked: list[list[str]] = []
        self.error: str | None = None
        self.takes_s = 0.0
        self.markets = CalendarLoader(self.time, self.time, self.take_hours, self.hours)

    def use(self, **calendars: str | None) -> None:
        """These symbols have these calendars."""
        symbols = {symbol: SymbolSettings(feed=("a",), calendar=calendar) for symbol, calendar in calendars.items()}
        self.board.configure(symbols, TERMS, self.time.now_ms())
        self.markets.configure(symbols.values())

    def look(self) -> None:
        """Look, and let what follows run."""
        self.markets.look()
        self.time.run_spawned()

    def hours(self, calendars: Collection[str], first: date, last: date) -> FoundHours:
        """What the hat has."""
        self.asked.append(list(calendars))
        self.time.pass_s(self.takes_s)
        if self.error is not None:
            raise HoursError(self.error)
        opens = START_MS
        return {name: HoursError("closed down") if name == "XHKG" else [(opens, opens + 3_600_000)] for name in calendars}

    def take_hours(self, calendar: str, hours: Hours) -> None:
        """Tell the board, as the core does, and remember the states that follow."""
        quotes = self.board.set_hours(calendar, hours, self.time.now_ms())
        self.published += [f"{quote.symbol} {quote.state}" for quote in quotes]


def test_hours_reach_the_board() -> None:
    """In a task of their own, each calendar once; what never shuts needs none."""
    street = Street()
    street.use(A="XNYS", B="XNYS", C="24/7", D=None)
    street.time.pass_s(3_601)
    street.board.apply("a", {"A": Tick(price=1.0), "C": Tick(price=1.0)}, street.time.now_ms())
    street.markets.look()
    assert (street.asked, street.published) == ([], [])
    street.time.run_spawned()
    assert street.asked == [["XNYS"]]
    assert street.published == ["A closed"]
    assert street.board.is_shut("B")
    street.look()
    assert len(street.asked) == 1
    street.time.pass_s(RENEW_AFTER_MS / 1000)
    street.look()
    assert len(street.asked) == 2


def test_the_currency_week_is_known_to_everybody() -> None:
    """Nobody is asked for its hours, and it is shown where it is used."""
    street = Street()
    street.use(A="24/5", B="24/7")
    street.look()
    assert street.asked == []
    state = Calendar(calendar="24/5", market="open", until=1_700_258_400_000, error=None)  # it is Tuesday; Friday 17:00 in New York
    assert street.markets.state() == [state]
    street.time.pass_s(3.5 * 86_400)
    street.board.apply("a", {"A": Tick(price=1.0), "B": Tick(price=1.0)}, street.time.now_ms())
    assert [quote.state for quote in street.board.quotes.values()] == ["closed", "fresh"]
    street.use(A="24/7")
    assert street.markets.state() == []


def test_hours_that_can_not_be_had(caplog: pytest.LogCaptureFixture) -> None:
    """Said once, tried again; the other calendars are not kept waiting."""
    street = Street()
    street.use(A="XNYS", B="XHKG")
    street.look()
    assert [(entry.calendar, entry.market, entry.error) for entry in street.markets.state()] == [
        ("XHKG", "unknown", "closed down"),
        ("XNYS", "open", None),
    ]
    street.time.pass_s(RETRY_AFTER_MS / 1000)
    street.look()
    assert street.asked == [["XHKG", "XNYS"], ["XHKG"]]
    assert [record.getMessage() for record in caplog.records] == ["calendar XHKG: its hours are not known: closed down"]


def test_the_whole_package_is_missing() -> None:
    """Every calendar has the error, and loses it when the package is there."""
    street = Street()
    street.error = "not installed"
    street.use(A="XNYS", B="XLON")
    street.look()
    assert [entry.error for entry in street.markets.state()] == ["not installed"] * 2
    street.error = None
    street.use(A="XNYS")
    street.look()
    assert street.markets.state() == [Calendar(calendar="XNYS", market="open", until=START_MS + 3_600_000, error=None)]


def test_hours_that_never_come() -> None:
    """Whoever takes too long is given up."""
    street = Street()
    street.takes_s = 61.0
    street.use(A="XNYS")
    street.look()
    assert [entry.error for entry in street.markets.state()] == ["took longer than 60 s"]


@pytest.mark.slow
def test_a_real_exchange() -> None:
    """With the real package, process and runtime: on a Tuesday at 22:13 UTC New York is shut."""
    time = SteppedTime()
    loaded: SimpleQueue[tuple[str, Hours]] = SimpleQueue()
    markets = CalendarLoader(EventletRuntime(), time, lambda calendar, hours: loaded.put((calendar, hours)))
    markets.configure([SymbolSettings(feed=("a",), calendar="XNYS")])
    markets.look()
    calendar, hours = loaded.get(timeout=PATIENCE_S)
    assert (calendar, hours.at(START_MS).phase) == ("XNYS", "shut")
    assert markets.state() == [Calendar(calendar="XNYS", market="shut", until=1_700_058_600_000, error=None)]
