"""Feeds poll each symbol as often as it is worth: the real poller and board, in stepped time."""

from random import Random

import pytest
from pydantic import HttpUrl

from tests.ticker.stepped import ScriptedSource, SteppedSchedule, SteppedTime, subscriptions
from ticker.board.board import Board
from ticker.board.freshness import FeedTerms
from ticker.calendars.market_hours import Hours
from ticker.polling.poller import Poller
from ticker.settings.model import FeedSettings, PolledSettings, Settings, SymbolSettings
from ticker.watching import LOOK_AT_MARKETS_EVERY_S, READ_LASTS_S, Interest, Watching, idle_interval_s, periods_s

INTERVAL_S = 2.0


class Bench:
    """One feed with four symbols, of which S has a market with hours, and who was polled at once."""

    def __init__(self, interest: bool = True) -> None:
        self.time = SteppedTime()
        self.board = Board("epoch")
        self.watching = Watching(self.board, self.time)
        feed = PolledSettings(kind="x", base_url=HttpUrl("http://127.0.0.1"), interval_s=INTERVAL_S, interest=interest)
        self.source = ScriptedSource("feed", feed)
        self.poller = Poller(
            self.source,
            INTERVAL_S,
            self.time,
            self.time,
            SteppedSchedule(),
            random=Random(1),
            deliver=lambda answer: None,
            changed=lambda: None,
        )
        symbols = {symbol: SymbolSettings(feed=("feed",), calendar="XNYS" if symbol == "S" else None) for symbol in "ABCS"}
        self.settings = Settings(feeds={"feed": feed}, symbols=symbols)
        self.board.configure(symbols, {"feed": FeedTerms("polled", INTERVAL_S)}, self.time.now_ms())
        self.watching.configure(self.settings, {"feed": self.poller})
        self.poller.want(subscriptions(*symbols))
        self.watching.settle("feed")
        self.poller.start()

    def at_once(self) -> list[str]:
        """Who was to be polled at once since this was last asked; they are polled now."""
        before = len(self.source.batches)
        self.time.run_spawned()
        return sorted(symbol for batch in self.source.batches[before:] for symbol in batch)

    def fast(self) -> set[str]:
        """Who is polled at the interval."""
        return {symbol for symbol, interval_s in self.poller.intervals_s(strict=lambda symbol: True).items() if interval_s == INTERVAL_S}


def test_who_is_watched_is_polled_at_the_interval() -> None:
    """And at once, where it was not just now; the others ten times less often."""
    bench = Bench()
    assert bench.fast() == set()
    bench.watching.watch({"A", "B"})
    assert bench.at_once() == ["A", "B"]
    assert bench.fast() == {"A", "B"}
    bench.watching.watch({"B"})
    bench.watching.watch({"B", "A"})
    assert bench.at_once() == []  # A was asked for a moment ago
    bench.time.pass_s(INTERVAL_S)
    bench.watching.watch(None)
    assert bench.at_once() == ["C", "S"]
    assert bench.fast() == set("BCS")
    bench.poller.run()
    assert bench.fast() == set("ABCS")  # silence is measured anew from the first poll at the new pace


def test_a_read_is_worth_a_minute() -> None:
    """Then it is as before."""
    bench = Bench()
    bench.watching.read(["C"])
    assert bench.at_once() == ["C"]
    assert bench.fast() == {"C"}
    bench.time.pass_s(READ_LASTS_S)
    bench.watching.look_around()
    assert bench.fast() == set()
    bench.watching.read(None)
    assert bench.at_once() == ["A", "B", "C", "S"]
    assert bench.fast() == set("ABCS")


def test_a_recording_watches_everything() -> None:
    """Whatever clients do."""
    bench = Bench()
    bench.watching.watch_everything()
    bench.watching.watch([])
    assert bench.at_once() == ["A", "B", "C", "S"]
    assert bench.fast() == set("ABCS")


def test_without_interest_everything_is_watched() -> None:
    """And who watches what need not be found out."""
    bench = Bench(interest=False)
    assert not bench.watching.matters
    assert bench.fast() == set("ABCS")
    bench.watching.watch({"A"})
    bench.watching.read(["B"])
    assert bench.fast() == set("ABCS")
    assert bench.at_once() == []
    assert Bench().watching.matters


@pytest.mark.parametrize("interest", [True, False])
def test_a_shut_market_is_polled_less_often(interest: bool) -> None:
    """Found out within seconds when it shuts, at once when it opens."""
    bench = Bench(interest)
    bench.watching.watch(None)
    bench.at_once()
    now_ms = bench.time.now_ms()
    opens_ms = now_ms + 3_600_000
    bench.board.set_hours("XNYS", Hours([(opens_ms, opens_ms + 3_600_000)], now_ms + 86_400_000), now_ms)
    bench.time.pass_s(LOOK_AT_MARKETS_EVERY_S)
    bench.watching.look_around()
    assert bench.fast() == set("ABC")
    bench.board.apply("feed", bench.source.prices(subscriptions("S")), bench.time.now_ms())
    bench.time.pass_s(3600.0)
    bench.board.sweep(bench.time.now_ms())
    bench.watching.look_around()
    assert bench.at_once() == ["S"]
    assert bench.fast() == set("ABCS")


def polled(interval_s: float = 2.0, interest: bool = True, idle_s: float | None = None) -> PolledSettings:
    """Of a feed that is polled."""
    return PolledSettings(kind="x", base_url=HttpUrl("http://127.0.0.1"), interval_s=interval_s, interest=interest, idle_interval_s=idle_s)


def test_clients_watch_what_they_read() -> None:
    """All of it replaced by each list; a change is told."""
    interest = Interest()
    assert not interest.is_watched("A")
    assert interest.watch({"A", "B"})
    assert [interest.is_watched(symbol) for symbol in "ABC"] == [True, True, False]
    assert not interest.watch(["B", "A"])
    assert interest.watch([])
    assert not interest.is_watched("A")
    assert interest.watch(None)
    assert interest.is_watched("ANY")


def test_a_recording_watches_everything_for_ever() -> None:
    """Whatever clients do."""
    interest = Interest()
    interest.watch_for_ever()
    interest.watch([])
    interest.expire(1e9)
    assert interest.is_watched("A")


def test_a_read_watches_for_a_minute() -> None:
    """Reading again makes it longer; what is news is told once."""
    interest = Interest()
    assert interest.read(["A"], 0.0)
    assert not interest.read(["A"], 30.0)
    assert interest.read(["A", "B"], 31.0)
    assert not interest.expire(READ_LASTS_S)
    assert interest.is_watched("A")
    assert interest.expire(31.0 + READ_LASTS_S)
    assert not interest.is_watched("A")
    assert not interest.expire(1000.0)


def test_a_read_of_everything_watches_everything() -> None:
    """For a minute too; and what is watched already is no news."""
    interest = Interest()
    assert interest.read(None, 0.0)
    assert not interest.read(None, 10.0)
    assert not interest.read(["A"], 10.0)
    assert interest.is_watched("B")
    assert interest.expire(70.0)
    assert not interest.is_watched("A")
    interest.watch(["A"])
    assert not interest.read(["A"], 100.0)


def test_unwatched_symbols_are_polled_less_often() -> None:
    """Ten times, if the settings say nothing; where the feed goes by interest."""
    assert periods_s(polled(), ["A", "B"], "A".__eq__, lambda symbol: False) == {"B": 20.0}
    assert periods_s(polled(idle_s=7.0), ["A", "B"], "A".__eq__, lambda symbol: False) == {"B": 7.0}
    assert periods_s(polled(idle_s=2.0), ["B"], "A".__eq__, lambda symbol: False) == {}
    assert periods_s(polled(interest=False), ["B"], "A".__eq__, lambda symbol: False) == {}
    assert periods_s(FeedSettings(kind="sim"), ["B"], "A".__eq__, lambda symbol: True) == {}
    assert idle_interval_s(polled(3.0)) == 30.0


def test_shut_markets_are_polled_less_often() -> None:
    """Watched or not, but once a minute at least; what nobody watches keeps its own interval where that is longer."""
    shut, watched = "S".__eq__, "S".__eq__
    assert periods_s(polled(interest=False), ["S", "O"], watched, shut) == {"S": 20.0}
    assert periods_s(polled(30.0, interest=False), ["S"], watched, shut) == {"S": 60.0}
    assert periods_s(polled(90.0, interest=False), ["S"], watched, shut) == {}
    assert periods_s(polled(30.0), ["S"], lambda symbol: False, shut) == {"S": 300.0}
