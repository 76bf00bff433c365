"""Who is watched, and what follows from it for polling."""

from pydantic import HttpUrl

from ticker.interest import READ_LASTS_S, Interest, idle_interval_s, periods_s
from ticker.settings.model import FeedSettings, PolledSettings


def settings(interval_s: float = 2.0, interest: bool = True, idle_s: float | None = None) -> PolledSettings:
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
    assert periods_s(settings(), ["A", "B"], "A".__eq__, lambda symbol: False) == {"B": 20.0}
    assert periods_s(settings(idle_s=7.0), ["A", "B"], "A".__eq__, lambda symbol: False) == {"B": 7.0}
    assert periods_s(settings(idle_s=2.0), ["B"], "A".__eq__, lambda symbol: False) == {}
    assert periods_s(settings(interest=False), ["B"], "A".__eq__, lambda symbol: False) == {}
    assert periods_s(FeedSettings(kind="sim"), ["B"], "A".__eq__, lambda symbol: True) == {}
    assert idle_interval_s(settings(3.0)) == 30.0


def test_shut_markets_are_polled_less_often() -> None:
    """Watched or not, but once a minute at least; what nobody watches keeps its own interval where that is longer."""
    shut, watched = "S".__eq__, "S".__eq__
    assert periods_s(settings(interest=False), ["S", "O"], watched, shut) == {"S": 20.0}
    assert periods_s(settings(30.0, interest=False), ["S"], watched, shut) == {"S": 60.0}
    assert periods_s(settings(90.0, interest=False), ["S"], watched, shut) == {}
    assert periods_s(settings(30.0), ["S"], lambda symbol: False, shut) == {"S": 300.0}
