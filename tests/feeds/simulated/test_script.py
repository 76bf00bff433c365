"""Scripted faults: by the clock and by nothing else, each as its name says."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from feeds.base import Subscription
from feeds.simulated.feed import BURST_S, Simulated, SimulatedOptions, SimulatedSettings
from feeds.simulated.script import Script, ScriptedFault, spoilt
from tests.ticker.stepped import SteppedTime
from ticker.errors import FeedError
from ticker.quote import Tick, correcting
from ticker.source import Answer


def subscriptions(*symbols: str) -> list[Subscription]:
    """As the core asks for them."""
    return [Subscription(symbol, symbol, SimulatedOptions()) for symbol in symbols]


BATCH = subscriptions("A", "B")


class Stage:
    """A simulated feed with faults, in stepped time; its first poll is at 0."""

    def __init__(self, time: SteppedTime, *faults: dict[str, Any]) -> None:
        self.time = time
        settings = SimulatedSettings.model_validate({"kind": "simulated", "interval_s": 1.0, "faults": list(faults)})
        self.feed = Simulated("sim", settings, time)
        self.poll()

    def poll(self, at_s: float | None = None) -> Answer:
        """A poll, at that time."""
        if at_s is not None:
            self.time.passed_s = at_s
        return self.feed.poll(BATCH)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Iterator[SteppedTime]:
    """The feed's clocks and its runtime."""
    stepped = SteppedTime()
    monkeypatch.setattr("feeds.simulated.feed.time.monotonic", stepped.monotonic)
    monkeypatch.setattr("feeds.simulated.feed.time.time", lambda: stepped.now_ms() / 1000)
    yield stepped
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("at_s", "times"), [(9.9, None), (10.0, 0), (14.9, 0), (15.0, None), (29.9, None), (30.0, 1), (34.0, 1), (36.0, None), (3610.0, 180)]
)
def test_a_fault_comes_again_and_again(at_s: float, times: int | None) -> None:
    """From `at_s` on, for `for_s`, each `every_s`."""
    assert ScriptedFault(kind="silence", at_s=10, for_s=5, every_s=20).occurrence(at_s) == times


def test_a_fault_without_repetition_comes_once() -> None:
    """And a bad tick once each time, with the first poll that asks."""
    once = ScriptedFault(kind="silence", at_s=10, for_s=5)
    assert (once.occurrence(12), once.occurrence(3612)) == (0, None)
    bad = ScriptedFault(kind="bad_tick", at_s=10, for_s=5, every_s=20)
    script = Script([bad, once])
    assert [script.at(second) for second in (9, 10, 11, 31, 32)] == [[], [bad, once], [once], [bad], []]


@pytest.mark.parametrize("wrong", [
    {"kind": "silence", "at_s": 0, "for_s": 10, "every_s": 10}, {"kind": "crash", "at_s": 0, "symbols": ["A"]},
    {"kind": "earthquake", "at_s": 0}, {"kind": "silence"}, {"kind": "silence", "at_s": -1},
    {"kind": "silence", "at_s": float("nan")}], ids=str)  # fmt: skip
def test_faults_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """As any other setting."""
    with pytest.raises(ValidationError):
        ScriptedFault.model_validate(wrong)


@pytest.mark.parametrize(("price", "wanted"), [("jump", 30.0), ("zero", 0.0), ("negative", -10.0)])
def test_a_bad_tick_has_a_bad_price(price: Any, wanted: float) -> None:
    """And nothing else is touched."""
    tick = Tick(price=10.0, bid=9.0, quote_time=1_700_000_000_000)
    assert spoilt(tick, ScriptedFault(kind="bad_tick", at_s=0, price=price)) == Tick(price=wanted, bid=9.0, quote_time=1_700_000_000_000)


def test_a_bad_tick_may_be_no_number_or_old() -> None:
    """What the board must refuse."""
    tick = Tick(price=10.0, quote_time=1_700_000_000_000)
    assert math.isnan(spoilt(tick, ScriptedFault(kind="bad_tick", at_s=0, price="nan")).price)
    assert spoilt(tick, ScriptedFault(kind="bad_tick", at_s=0, price="past")) == Tick(price=10.0, quote_time=1_699_996_400_000)


def test_silence_is_no_news_of_some_symbols(time: SteppedTime) -> None:
    """The others go on."""
    stage = Stage(time, {"kind": "silence", "at_s": 10, "for_s": 5, "symbols": ["A"]})
    assert [set(stage.poll(second)) for second in (9, 10, 14, 15)] == [{"A", "B"}, {"B"}, {"B"}, {"A", "B"}]


def test_a_frozen_symbol_repeats_its_last_tick(time: SteppedTime) -> None:
    """Its old time with it."""
    stage = Stage(time, {"kind": "freeze", "at_s": 10, "for_s": 5, "symbols": ["A"]})
    before = stage.poll(9)
    during = [stage.poll(second) for second in (10, 12, 14)]
    assert [answer["A"] for answer in during] == [before["A"]] * 3
    assert len({answer["B"] for answer in during}) == 3
    assert stage.poll(15)["A"] != before["A"]


def test_a_burst_ticks_fifty_times_a_second(time: SteppedTime) -> None:
    """The symbols of the burst alone, the others at their interval."""
    stage = Stage(time, {"kind": "burst", "at_s": 10, "for_s": 2, "symbols": ["A"]})
    wishes = [stage.feed.again_in_s]
    seen = {"A": 0, "B": 0}
    for number in range(100):
        for symbol in stage.poll(10 + number * BURST_S):
            seen[symbol] += 1
    wishes.append(stage.feed.again_in_s)
    assert seen == {"A": 100, "B": 2}
    assert set(stage.poll(12.5)) == {"A", "B"}
    assert [*wishes, stage.feed.again_in_s] == [None, BURST_S, None]


def test_polls_crash_dawdle_and_are_refused(time: SteppedTime) -> None:
    """Each for its time; then all is well."""
    stage = Stage(
        time,
        {"kind": "crash", "at_s": 10, "for_s": 5},
        {"kind": "slow", "at_s": 20, "for_s": 5, "wait_s": 4.0},
        {"kind": "429", "at_s": 30, "for_s": 5, "wait_s": 7},
    )
    with pytest.raises(RuntimeError, match="as the settings want it"):
        stage.poll(10)
    assert len(stage.poll(20)) == 2
    assert time.monotonic() == 24.0
    with pytest.raises(FeedError) as refused:
        stage.poll(30)
    assert refused.value.retry_after_s == 7
    assert len(stage.poll(35)) == 2


def test_a_bad_tick_is_one_tick(time: SteppedTime) -> None:
    """The next is good again."""
    stage = Stage(time, {"kind": "bad_tick", "at_s": 10, "symbols": ["A"], "price": "zero"})
    first, second = stage.poll(10), stage.poll(11)
    assert [tick.price > 0 for tick in (*first.values(), *second.values()) if isinstance(tick, Tick)] == [False, True, True, True]


def test_a_halt_rests_and_says_so(time: SteppedTime) -> None:
    """Then trading goes on."""
    stage = Stage(time, {"kind": "halt", "at_s": 10, "for_s": 5, "symbols": ["A"]})
    before = stage.poll(9)["A"]
    assert isinstance(before, Tick)
    assert {stage.poll(second)["A"] for second in (10, 12, 14)} == {msgspec.structs.replace(before, halted=True)}
    after = stage.poll(15)["A"]
    assert isinstance(after, Tick)
    assert (after.halted, after.price != before.price) == (None, True)


def test_an_odd_field_costs_itself(time: SteppedTime) -> None:
    """The price is as good as ever."""
    stage = Stage(time, {"kind": "odd", "at_s": 10, "for_s": 5, "symbols": ["A"]})
    tick = stage.poll(10)["A"]
    assert isinstance(tick, Tick)
    assert (tick.bid, tick.ask is None, [one.field for one in tick.odd or ()]) == (None, False, ["bid"])
    assert [getattr(stage.poll(second)["A"], "odd", ()) for second in (14, 15)] == [tick.odd, None]


def test_a_cancelled_trade_is_taken_back_with_the_next_tick(time: SteppedTime) -> None:
    """Price, time, high and low are those from before it; then it goes on."""
    stage = Stage(time, {"kind": "cancel", "at_s": 10, "symbols": ["A"]})
    before = stage.poll(9)["A"]
    wrong, right, after = (stage.poll(second)["A"] for second in (10, 11, 12))
    assert isinstance(before, Tick)
    assert isinstance(wrong, Tick)
    assert isinstance(after, Tick)
    assert before.high is not None
    assert wrong.high == wrong.price > before.high
    assert right == correcting(before)
    assert type(after) is Tick
    assert (after.quote_time or 0) > (wrong.quote_time or 0) > (before.quote_time or 0)


def test_without_faults_nothing_is_looked_at(time: SteppedTime) -> None:
    """A feed without a script is the one that it always was."""
    plain = Simulated("sim", SimulatedSettings(kind="simulated"), time)
    scripted = Stage(time, {"kind": "silence", "at_s": 3600}).feed
    assert plain._script is None
    assert [plain.poll(BATCH) for _ in range(100)][1:] == [scripted.poll(BATCH) for _ in range(99)]
