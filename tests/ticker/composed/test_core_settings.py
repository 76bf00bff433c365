"""A core whose settings change while it runs: what is told anew, what goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ticker.composed.benches import HOUR_S, Bench, KeyedSettings, settings_of
from tests.ticker.stepped import START_MS
from ticker.quote import Tick
from ticker.settings.model import FeedSettings


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A core that is stopped in the end."""
    bench = Bench()
    yield bench
    bench.core.stop()


def test_a_removed_symbol_leaves(bench: Bench) -> None:
    """It is asked for no more and has no quote; what stays is left as it is. Back again, its `seq` goes on."""
    bench.core.configure(settings_of({"A": "one", "B": "one"}))
    bench.core.start()
    first = bench.wait("A", "B")
    bench.core.configure(settings_of({"A": "one"}))
    assert bench.core.quotes == {"A": first["A"]}
    bench.core.configure(settings_of({"A": "one", "B": "one"}))
    assert bench.wait("B")["B"].seq == 2
    assert bench.source("one").batches == [["A", "B"], ["B"]]


def test_the_same_settings_again_change_nothing(bench: Bench) -> None:
    """Saving the file as it was tells nobody anything."""
    bench.core.configure(settings_of({"A": "one"}))
    bench.core.start()
    bench.wait("A")
    bench.time.pass_s(1)
    bench.core.sweep()  # tells that the symbol is live
    bench.states.clear()
    bench.core.configure(settings_of({"A": "one"}))
    assert bench.states == []
    assert len(bench.made) == 1


def test_a_changed_feed_is_replaced(bench: Bench) -> None:
    """The old source is closed and the new one polled instead; the price stays until the new one has its own, however old that is."""
    bench.core.configure(settings_of({"A": "one"}, one=KeyedSettings(kind="scripted", interval_s=0.1, key="a")))
    old = bench.source("one")
    old.answer = lambda batch: {"A": Tick(price=1.0, quote_time=START_MS)}
    bench.core.start()
    bench.wait("A")
    bench.core.configure(settings_of({"A": "one"}, one=KeyedSettings(kind="scripted", interval_s=0.1, key="b")))
    assert bench.core.quotes["A"].state == "fresh"
    assert old.closed
    asked = len(old.batches)
    new = bench.source("one")
    new.answer = lambda batch: {"A": Tick(price=100.0 + len(new.batches), quote_time=START_MS - 1000 + len(new.batches))}
    assert [bench.wait("A")["A"].price for _ in range(3)] == [101.0, 102.0, 103.0]
    assert len(old.batches) == asked
    assert not new.closed


@pytest.mark.parametrize("intervals_s", [(HOUR_S, 0.1), (HOUR_S, 0.01), (0.01, 0.1), (0.1, 0.01)], ids=str)
def test_a_changed_interval_takes_hold_at_once(bench: Bench, intervals_s: tuple[float, float]) -> None:
    """With the same source, be it the scheduler's or its own loop's business."""
    before_s, after_s = intervals_s
    bench.core.configure(settings_of({"A": "one"}, before_s))
    bench.core.start()
    bench.wait("A")
    bench.core.configure(settings_of({"A": "one"}, after_s))
    bench.core.configure(settings_of({"A": "one"}, after_s).model_copy())
    for _ in range(5):
        bench.wait("A")
    assert len(bench.made) == 1
    assert not bench.made[0].closed


def test_a_slower_interval_ends_the_fast_loop(bench: Bench) -> None:
    """From a hundred polls a second to one an hour: the loop stops."""
    bench.core.configure(settings_of({"A": "one"}, 0.01))
    bench.core.start()
    bench.wait("A")
    bench.core.configure(settings_of({"A": "one"}))
    bench.core.configure(settings_of({"A": "one", "M": "marker"}, marker=FeedSettings(kind="scripted", interval_s=0.1)))
    bench.wait("M")
    asked = len(bench.source("one").batches)
    for _ in range(3):
        bench.wait("M")
    assert len(bench.source("one").batches) == asked


def test_a_removed_feed_is_closed(bench: Bench) -> None:
    """Its symbols move to another feed; its price stays on show, as stale, until that one has its own."""
    bench.core.configure(settings_of({"A": "one"}))
    bench.core.start()
    bench.wait("A")
    bench.core.configure(settings_of({"A": "two"}))
    assert bench.source("one").closed
    assert bench.core.quotes["A"].state == "stale"
    assert [entry.feed for entry in bench.core.feeds_state()] == ["two"]
    while (quote := bench.wait("A")["A"]).source != "two":
        assert quote.state == "stale"
    assert quote.state == "fresh"


def test_settings_that_cannot_be_met_change_nothing(bench: Bench) -> None:
    """Where a source can't be made, what was made is closed again and the settings before stay in force."""
    bench.core.configure(settings_of({"A": "one"}))
    bench.core.start()
    bench.wait("A")
    bench.refused = "three"
    with pytest.raises(ValueError, match="no key for three"):
        bench.core.configure(settings_of({"B": "two", "C": "three"}))
    assert bench.source("two").closed
    assert not bench.source("one").closed
    assert list(bench.core.symbols) == ["A"]
    bench.refused = ""
    bench.core.configure(settings_of({"A": "one", "D": "one"}))
    assert bench.wait("D")
