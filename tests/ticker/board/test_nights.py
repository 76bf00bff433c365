"""What a price that moves while its market is shut, a halt and a price a day mean for those around: pollers, other sources, limits."""

from __future__ import annotations

from typing import Any

from tests.ticker.board.desk import NOW, Desk
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.calendars.market_hours import Hours
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.settings.model import SymbolSettings

H = 3_600_000
SHUT = Hours([(NOW - 20 * H, NOW - 10 * H), (NOW + 10 * H, NOW + 20 * H)], NOW + 90 * H)
OPEN = Hours([(NOW - H, NOW + 5 * H), (NOW + 23 * H, NOW + 29 * H)], NOW + 90 * H)


def desk(hours: Hours, *feeds: str, **symbol: Any) -> Desk:
    """A desk with an exchange that keeps these hours."""
    desk = Desk(*feeds, calendar="XNYS", **symbol)
    desk.board.set_hours("XNYS", hours, desk.now)
    return desk


def states(desk: Desk, *seconds: float) -> list[str]:
    """What is shown after each of these."""
    shown: list[str] = []
    for second in seconds:
        desk.now += round(second * 1000)
        desk.board.sweep(desk.now)
        shown.append(desk.quote.state)
    return shown


def test_a_price_that_moves_keeps_its_pace() -> None:
    """For ten minutes after it moved it is asked for as by day; from the first move on, at once."""
    night = desk(SHUT)
    night.hear(100.0)
    assert night.board.is_shut("X")
    assert night.board.take_opened() == []
    assert night.hear(101.0) == [101.0]
    assert not night.board.is_shut("X")
    assert night.board.take_opened() == ["X"]
    assert states(night, 9.9, 0.1) == ["fresh", "closed"]
    assert [entry["market"] for entry in night.state["symbols"]] == ["extended"]
    assert states(night, 589.9) == ["closed"]
    assert not night.board.is_shut("X")
    states(night, 0.1)
    assert night.board.is_shut("X")


def test_a_price_that_moved_by_day_is_none_that_moves_by_night() -> None:
    """Whatever came before the hours were known, or while it was open; nor is the first price of a source that was replaced."""
    night = Desk(calendar="XNYS")
    night.hear(100.0, quote_time=NOW - 11 * H)
    night.hear(101.0, quote_time=NOW - 10 * H)
    night.board.set_hours("XNYS", SHUT, night.now)
    assert (night.quote.state, night.board.is_shut("X")) == ("closed", True)
    night.board.restart_feed("a", night.now)
    night.hear(102.0)
    assert (night.quote.state, night.board.is_shut("X")) == ("closed", True)


def test_of_two_sources_the_one_that_sees_trades_is_shown() -> None:
    """And stays when they are over: the other has an older price, told with a time or not."""
    for by_day in ({"quote_time": NOW - 10 * H}, {"quote_time": None}):
        night = desk(SHUT, "a", "b")
        for price in (100.0, 101.0, 102.0):
            night.hear(99.0, "a", **by_day)
            night.hear(price, "b")
        assert (night.quote.source, night.quote.price, night.quote.state) == ("b", 102.0, "fresh")
        assert not night.board.is_shut("X")
        assert states(night, 9.9, 0.1, 700, 700) == ["fresh", "closed", "closed", "closed"]
        night.hear(99.0, "a", **by_day)
        assert (night.quote.source, night.quote.price) == ("b", 102.0)
        assert night.board.is_shut("X")


def test_a_halt_teaches_nothing() -> None:
    """The lapse over it lengthens no limit, whether it is what is shown or what stands by; polls keep their pace, for it may be over at
    any moment.
    """
    for feeds in (("a",), ("b", "a")):
        day = desk(OPEN, *feeds)
        for _ in range(3):
            day.hear(100.0)
            halted_ms = day.now
            for _ in range(60):
                day.hear(100.0, halted=True, quote_time=halted_ms)
                if "b" in feeds:
                    day.hear(100.0, "b", passed_ms=0)
            assert (day.quote.halted, day.quote.state) == ((None, "fresh") if "b" in feeds else (True, "closed"))
            assert not day.board.is_shut("X")
        for _ in range(5 if "b" in feeds else 0):
            day.take(FeedError("no price"), "b")
        day.hear(101.0)
        assert (day.quote.source, day.quote.halted, day.quote.state) == ("a", None, "fresh")
        assert [(entry["stale_after_s"], entry["stale_after_from"]) for entry in day.state["symbols"]] == [(10.0, "interval")]


def test_a_steady_price_is_halted() -> None:
    """With the very tick that says so, and back with the first one that does not."""
    day = desk(OPEN)
    for _ in range(3):
        day.hear(100.0)
    shown = []
    for halted in (True, None):
        day.hear(100.0, halted=halted)
        shown.append(day.quote.state)
    assert shown == ["closed", "fresh"]


def test_the_limit_of_a_price_a_day() -> None:
    """Is told as what it is, from the price's own time, wherever limits are told; whoever listens hears of each new one."""
    fund = desk(OPEN, cadence="day")
    assert [(entry["stale_after_s"], entry["stale_after_from"]) for entry in fund.state["symbols"]] == [(10.0, "interval")]
    fund.hear(100.0, quote_time=NOW - 20 * H)
    fund.board.take_symbols_changed()
    told = (20 * H + 5 * H + 24 * H) / 1000
    assert [(entry["stale_after_s"], entry["stale_after_from"]) for entry in fund.state["symbols"]] == [(told, "cadence")]
    assert [entry.stale_after_s for entry in fund.board.symbols_state()] == [told]
    fund.hear(101.0, quote_time=NOW + 6 * H, passed_ms=6 * H)
    states(fund, 0)
    assert fund.board.take_symbols_changed()
    assert [entry.stale_after_s for entry in fund.board.symbols_state()] == [(23 + 24) * H / 1000]
    assert states(fund, (23 + 24) * 3600 - 3, 10) == ["fresh", "stale"]


def test_the_opening_and_the_close_of_a_fund_s_market_are_not_missed() -> None:
    """Its polls slow down and speed up with the calendar, though its price stays what it is."""
    fund = desk(OPEN, cadence="day")
    fund.hear(100.0, quote_time=NOW - 20 * H)
    assert not fund.board.is_shut("X")
    assert states(fund, 5 * 3600) == ["fresh"]
    assert fund.board.is_shut("X")
    assert states(fund, 18 * 3600) == ["fresh"]
    assert fund.board.take_opened() == ["X"]


def test_a_feed_of_daily_rates_knows_its_own_holidays() -> None:
    """Where the longest time between two of its rates is longer than what the calendar says, it holds; else the calendar's."""
    board = Board("epoch")
    symbols = {"X": SymbolSettings(feed=("bank",)), "Y": SymbolSettings(feed=("bank",), calendar="XNYS")}
    board.configure(symbols, {"bank": FeedTerms("polled", 3600.0, None, 125 * 3600.0)}, NOW)
    board.set_hours("XNYS", OPEN, NOW)
    board.apply("bank", dict.fromkeys(symbols, Tick(price=1.1, quote_time=NOW - H, delay_min=1440.0, cadence="day")), NOW)
    for passed_h, expected in ((126.9, "fresh"), (127.0, "stale")):
        board.sweep(NOW + round(passed_h * H))
        assert {quote.state for quote in board.quotes.values()} == {expected}


def test_the_evening_is_over_at_the_weekend() -> None:
    """A source that tells the session by its last trade says of Friday's that it was made in the evening, or by night: the market is shut
    all the same, and asked for rarely, with a calendar and without; while the state before the opening is told of a price of yesterday.
    """
    for session, hours_long in (("post", 8), ("overnight", 12)):
        for weekend in (desk(SHUT), Desk()):
            made_ms = weekend.now - (hours_long - 1) * H
            weekend.hear(100.0, quote_time=made_ms, session=session)
            assert (weekend.quote.state, weekend.board.is_shut("X")) == ("closed", False)
            weekend.now = made_ms + hours_long * H - 2_001
            weekend.hear(100.0, quote_time=made_ms, session=session)
            assert not weekend.board.is_shut("X")
            assert states(weekend, 0.001) == ["closed"]
            assert weekend.board.is_shut("X")
    morning = desk(SHUT)
    morning.hear(100.0, quote_time=NOW - 14 * H, session="pre")
    assert not morning.board.is_shut("X")


def test_the_last_price_of_the_evening_tells_when_it_is_over() -> None:
    """One with a time of its own that is newer than the day's close. The times of a recording are told by its own clock."""
    evening = desk(SHUT)
    evening.hear(100.0, quote_time=NOW - 10 * H, session="post", ext_price=101.0, ext_time=NOW - 6 * H)
    assert not evening.board.is_shut("X")
    replayed = Desk()
    replayed.board.configure({"X": SymbolSettings(feed=("tape",))}, {"tape": FeedTerms("replayed", 2.0)}, NOW)
    replayed.hear(100.0, "tape", quote_time=NOW - 90 * H, session="post", upstream_state="closed")
    assert not replayed.board.is_shut("X")
