"""The composed core on the real scheduler and runtime; the clock is stepped, and the sources say what the test wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from typing import Any

import pytest

from tests.ticker.composed.benches import HOUR_S, PATIENCE_S, Bench, settings_of
from tests.ticker.stepped import START_MS
from ticker import wire
from ticker.clock import SystemClock
from ticker.core import SYMBOLS_TOLD_EVERY_S, Listeners
from ticker.errors import FeedError
from ticker.quote import Quote, Tick
from ticker.settings.model import FeedSettings, QualitySettings, Settings, SymbolOptions, SymbolSettings
from ticker.settings.reload import Reload
from ticker.source import Answer, Subscription


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A core that is stopped in the end."""
    bench = Bench()
    yield bench
    bench.core.stop()


def test_every_feed_is_polled_at_once(bench: Bench) -> None:
    """From settings to quotes, and the states that clients are told."""
    bench.core.configure(settings_of({"A": "one", "B": "two"}))
    bench.core.start()
    quotes = bench.wait("A", "B")
    assert {symbol: quote.source for symbol, quote in quotes.items()} == {"A": "one", "B": "two"}
    assert bench.core.quotes == quotes
    assert bench.core.epoch == "epoch"
    assert list(bench.core.symbols) == ["A", "B"]
    assert [entry.status for entry in bench.core.symbols_state()] == ["live", "live"]
    assert [(entry.feed, entry.state, entry.last_success) for entry in bench.core.feeds_state()] == [
        ("one", "ok", START_MS),
        ("two", "ok", START_MS),
    ]
    assert set(bench.states) == {"symbols", "feeds"}


def test_first_prices_that_come_one_by_one_are_told_together(bench: Bench) -> None:
    """The list of symbols is long, so it is told at most so often; a sweep tells what is left, and nothing is told twice."""
    bench.core.configure(settings_of({f"S{number}": "one" for number in range(1_000)}))
    live: list[int] = []
    bench.core.on_state.append(lambda _: live.append(sum(entry.status == "live" for entry in bench.core.symbols_state())))
    for number in range(1_000):
        bench.time.pass_s(0.001)
        bench.core._deliver("one", {f"S{number}": Tick(price=1.0)})
    bench.time.pass_s(0.25)
    bench.core.sweep()
    bench.core.sweep()
    assert len(live) <= 6
    assert live == sorted(set(live))
    assert live[-1] == 1_000


def test_what_was_not_told_yet_is_told_with_new_settings(bench: Bench) -> None:
    """A change that waits for its turn is not lost to a reload that changes nothing itself."""
    bench.core.configure(settings_of({"A": "one"}))
    bench.core._deliver("one", {"A": Tick(price=1.0)})
    bench.states.clear()
    bench.core.configure(settings_of({"A": "one"}))
    assert bench.states == ["symbols"]


def test_what_is_old_by_nature_is_not_stale(bench: Bench) -> None:
    """A feed of daily rates says so, and the board is told."""
    bench.core.configure(settings_of({"A": "daily"}))
    bench.source("daily").cadence_s = 432_000.0
    bench.source("daily").answer = lambda batch: {"A": Tick(price=1.0, quote_time=START_MS - 200_000_000)}
    bench.core.configure(settings_of({"A": "daily"}, HOUR_S - 1))
    bench.core.start()
    assert bench.wait("A")["A"].state == "fresh"


def test_the_prices_are_reported_on(bench: Bench) -> None:
    """Limits in force, bad ticks, disagreements, switches and markets; quality and calendars are taken from the settings."""
    settings = Settings(
        feeds={"one": FeedSettings(kind="scripted", interval_s=HOUR_S)},
        quality=QualitySettings(max_jump_pct=1.0),
        symbols={"A": SymbolSettings(feed=("one",), calendar="XHKG")},
    )
    bench.core.configure(settings)
    bench.core._deliver("one", {"A": Tick(price=100.0)})
    bench.core._deliver("one", {"A": Tick(price=102.0)})
    state = bench.core.quality_state()
    assert [entry.stale_after_s for entry in state.symbols] == [3 * HOUR_S]
    assert state.bad_ticks.count == 1
    assert [entry.calendar for entry in state.markets] == ["XHKG"]


def test_a_market_that_is_shut_is_told() -> None:
    """As soon as its hours are known, to whoever listens, though no price has come."""
    bench = Bench(load_hours=lambda calendars, first, last: {name: [(START_MS - 7_200_000, START_MS - 3_600_000)] for name in calendars})
    symbols = {"A": SymbolSettings(feed=("one",), calendar="XNYS")}
    bench.core.configure(Settings(feeds={"one": FeedSettings(kind="scripted", interval_s=HOUR_S)}, symbols=symbols))
    bench.core._deliver("one", {"A": Tick(price=1.0)})
    assert bench.wait("A")["A"].state == "fresh"
    bench.core.markets.look()
    assert bench.wait("A")["A"].state == "closed"


def test_ids_and_options_reach_the_source(bench: Bench) -> None:
    """The id of the settings, else the feed's own idea of it."""
    asked: SimpleQueue[Subscription] = SimpleQueue()
    options = SymbolOptions(id="XBTUSD")
    settings = Settings(
        feeds={"one": FeedSettings(kind="scripted")},
        symbols={"BTC-USD": SymbolSettings(feed=("one",), options={"one": options}), "ETH-USD": SymbolSettings(feed=("one",))},
    )
    bench.core.configure(settings)

    def answer(batch: Sequence[Subscription]) -> Answer:
        for subscription in batch:
            asked.put(subscription)
        return {}

    bench.source("one").answer = answer
    bench.core.start()
    assert [asked.get(timeout=PATIENCE_S) for _ in range(2)] == [
        Subscription("BTC-USD", "XBTUSD", options),
        Subscription("ETH-USD", "eth-usd", SymbolOptions()),
    ]


def test_one_call_of_the_listeners_a_batch(bench: Bench) -> None:
    """A batch goes out whole."""
    batches: SimpleQueue[list[str]] = SimpleQueue()
    bench.core.on_quotes.append(lambda quotes: batches.put([quote.symbol for quote in quotes]))
    bench.core.configure(settings_of({"A": "one", "B": "one", "C": "one"}))
    bench.core.start()
    assert batches.get(timeout=PATIENCE_S) == ["A", "B", "C"]


def test_a_new_symbol_is_polled_at_once_and_alone(bench: Bench) -> None:
    """Adding one line does not wait for the interval, nor disturb the others."""
    bench.core.configure(settings_of({"A": "one"}))
    bench.core.start()
    first = bench.wait("A")["A"]
    bench.states.clear()
    bench.core.configure(settings_of({"A": "one", "B": "one"}))
    assert bench.wait("B").keys() == {"B"}
    assert bench.source("one").batches == [["A"], ["B"]]
    assert bench.core.quotes["A"] is first
    assert [entry.symbol for entry in bench.core.symbols_state()] == ["A", "B"]
    assert set(bench.states) == {"symbols"}


def test_the_first_symbol_of_a_feed_that_had_none(bench: Bench) -> None:
    """A feed without symbols rests; its first symbol wakes it, and its last puts it to rest."""
    rest = settings_of({}, one=FeedSettings(kind="scripted", interval_s=0.1))
    bench.core.configure(rest)
    bench.core.start()
    some = settings_of({"A": "one"}, one=FeedSettings(kind="scripted", interval_s=0.1))
    bench.core.configure(some)
    bench.wait("A")
    bench.core.configure(rest)
    asked = len(bench.source("one").batches)
    bench.core.configure(settings_of({"M": "marker"}, interval_s=0.1, one=FeedSettings(kind="scripted", interval_s=0.1)))
    for _ in range(4):
        bench.wait("M")
    assert len(bench.source("one").batches) == asked
    assert [entry.feed for entry in bench.core.feeds_state()] == ["marker", "one"]


def test_a_feed_that_breaks_stops_no_other(bench: Bench) -> None:
    """One raises what it should not, one hangs; the third goes on."""
    bench.core.configure(settings_of({"A": "bug", "B": "hang", "C": "fine"}, 0.1))
    forever = threading.Event()

    def bug(batch: Sequence[Subscription]) -> Answer:
        raise AttributeError("gone")

    def hang(batch: Sequence[Subscription]) -> Answer:
        forever.wait(PATIENCE_S)
        return {}

    bench.source("bug").answer = bug
    bench.source("hang").answer = hang
    bench.core.start()
    for _ in range(3):
        assert bench.wait("C").keys() == {"C"}
    assert {entry.feed: entry.state for entry in bench.core.feeds_state()} == {"bug": "retrying", "hang": "ok", "fine": "ok"}
    forever.set()


def test_a_feed_that_goes_down_fails_its_quotes() -> None:
    """After five failures running: the quote and the feed's state say so; with its next answer all is well."""
    bench = Bench(SystemClock())
    bench.core.configure(settings_of({"A": "one"}, 0.1))
    source = bench.source("one")

    def fail(batch: Sequence[Subscription]) -> Answer:
        raise FeedError("HTTP 502", payload="<html>")

    bench.core.start()
    bench.wait("A")
    source.answer = fail
    bench.states.clear()
    while (quote := bench.wait("A")["A"]).state != "failed":
        assert quote.state == "fresh"
    (feed,) = bench.core.feeds_state()
    assert (feed.state, feed.error) == ("down", "HTTP 502")
    assert [state for state in bench.states if state == "feeds"] == ["feeds", "feeds"]
    source.answer = source.prices
    assert bench.wait("A")["A"].state == "fresh"
    bench.core.stop()


def test_the_second_source_takes_over(bench: Bench) -> None:
    """When the first rejects the symbol, and says so in the symbol's state."""
    bench.core.configure(settings_of({"A": ("one", "two")}))
    bench.source("one").answer = lambda batch: {"A": FeedError("unknown", rejects_symbol=True)}
    bench.core.start()
    assert bench.wait("A")["A"].source == "two"
    (symbol,) = bench.core.symbols_state()
    assert (symbol.feed, symbol.status, symbol.error) == (["one", "two"], "live", "one: unknown")


def test_silence_turns_stale_without_being_asked(bench: Bench) -> None:
    """The core sweeps by itself."""
    bench.core.configure(settings_of({"A": "one"}, one=FeedSettings(kind="scripted", interval_s=HOUR_S, stale_after_s=5.0)))
    bench.core.start()
    bench.wait("A")
    bench.time.pass_s(5.0)
    assert bench.wait("A")["A"].state == "stale"


def test_a_clock_that_is_set_back(bench: Bench) -> None:
    """An hour back: every feed is polled at once, and a price in silence turns stale in its time."""
    bench.core.configure(settings_of({"A": "one"}, one=FeedSettings(kind="scripted", interval_s=HOUR_S, stale_after_s=5.0)))
    source = bench.source("one")
    bench.core.start()
    bench.wait("A")
    asked = threading.Event()

    def no_news(batch: Sequence[Subscription]) -> Answer:
        asked.set()
        return {}

    source.answer = no_news
    bench.time.pass_s(4.0)
    bench.time.wall_offset_ms -= 3_600_000
    assert asked.wait(PATIENCE_S)
    assert bench.core.quotes["A"].state == "fresh"
    bench.time.pass_s(1.0)
    assert bench.wait("A")["A"].state == "stale"


def test_a_clock_that_was_set_is_mentioned_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Forwards or backwards, by a second or more, and not at every sweep from then on."""
    bench.time.wall_offset_ms += 999
    bench.core.sweep()
    assert caplog.text == ""
    bench.time.wall_offset_ms += 1
    for _ in range(3):
        bench.core.sweep()
    assert caplog.text.count("the clock was set by +1.0 s") == 1


def test_a_symbol_that_leaves_with_its_feed_leaves_in_silence(bench: Bench) -> None:
    """What becomes of its price when its feed is closed is nobody's business any more."""
    bench.core.configure(settings_of({"A": "one", "B": "two"}))
    bench.core.start()
    bench.wait("A", "B")
    bench.core.board.set_feed_down("one", True, bench.time.now_ms())
    bench.core.configure(settings_of({"B": "two"}))
    bench.core.configure(settings_of({"B": "two", "C": "two"}))
    assert bench.wait("C").keys() == {"C"}


def test_a_listener_that_raises_harms_nobody(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the next listener hears of everything."""

    def broken(_: Any) -> None:
        raise RuntimeError("listener")

    bench.core.on_quotes.insert(0, broken)
    bench.core.on_state.insert(0, broken)
    bench.core.configure(settings_of({"A": "one"}))
    bench.core.start()
    bench.wait("A")
    assert "symbols" in bench.states
    assert "a listener failed on 1 quotes" in caplog.text
    assert "a listener failed on a change of symbols" in caplog.text
    assert bench.core.feeds_state()[0].state == "ok"


def test_reports_of_reloads(bench: Bench) -> None:
    """The start counts as a good one; later ones are told."""
    assert bench.core.config_state() == wire.Reload(ok=True, at=START_MS, error=None, restart_required=[])
    bad = Reload(ok=False, at=START_MS + 1, error="port: too big", restart_required=("server.port",))
    bench.core.report_reload(bad)
    assert bench.core.config_state() == wire.Reload(ok=False, at=bad.at, error=bad.error, restart_required=["server.port"])
    assert bench.states == ["config"]


def test_stop_is_final() -> None:
    """It does not wait for a poll that hangs, closes every source, and nothing is published any more."""
    bench = Bench()
    bench.core.configure(settings_of({"A": "hang", "B": "fast"}, 0.01))
    forever, begun = threading.Event(), threading.Event()

    def hang(batch: Sequence[Subscription]) -> Answer:
        begun.set()
        forever.wait(PATIENCE_S)
        return {"A": Tick(price=1.0)}

    bench.source("hang").answer = hang
    bench.core.start()
    assert begun.wait(PATIENCE_S)
    bench.core.stop()
    assert all(source.closed for source in bench.made)
    while not bench.updates.empty():
        bench.updates.get()
    forever.set()
    threading.Event().wait(0)  # let everybody run who still would
    assert bench.updates.empty()


def test_stop_without_start() -> None:
    """Closes what was made."""
    bench = Bench()
    bench.core.configure(settings_of({"A": "one"}))
    bench.core.stop()
    assert bench.made[0].closed


def test_everybody_is_told_in_turn() -> None:
    """What one listener raises does not keep the next from its news; no quotes are no news."""
    listeners = Listeners()
    heard: list[object] = []

    def broken(news: object) -> None:
        heard.append("broken")
        raise ZeroDivisionError

    listeners.on_quotes += [broken, heard.append]
    listeners.on_state += [broken, heard.append]
    quotes: Sequence[Quote] = [Quote(price=1.0, symbol="A", received_time=1, seq=1, source="one", kind="polled", state="fresh")]
    listeners.publish([])
    listeners.publish(quotes)
    listeners.tell("feeds")
    assert heard == ["broken", quotes, "broken", "feeds"]


def test_a_long_list_rests_longer() -> None:
    """A short list may be told again after a moment, five thousand symbols after a second."""
    listeners = Listeners()
    assert listeners.may_tell_symbols(0.0)
    listeners.tell_symbols(10, 0.0)
    assert [listeners.may_tell_symbols(now_s) for now_s in (0.0, SYMBOLS_TOLD_EVERY_S / 2, SYMBOLS_TOLD_EVERY_S)] == [False, False, True]
    listeners.tell_symbols(5_000, 1.0)
    assert [listeners.may_tell_symbols(now_s) for now_s in (1.9, 2.0)] == [False, True]
