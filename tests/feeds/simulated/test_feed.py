"""Simulated prices: the same in every run, each symbol by itself, near their mean."""

import json
import math
import statistics
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from feeds.base import Subscription
from feeds.simulated.feed import BLOCK, REACH, PriceWalk, Simulated, SimulatedOptions, SimulatedSettings
from tests.feeds.support import well_formed
from ticker.quote import Tick
from ticker.runtime import Runtime

ROOT = Path(__file__).parents[3]
PRICES_OF_ACME = [110.38, 110.32, 110.26, 110.14]
IN_ANOTHER_PROCESS = """
import json, sys
from tests.feeds.simulated.test_feed import walked
print(json.dumps([walked(symbol, seed) for symbol, seed in json.load(sys.stdin)]))
"""


def subscription(symbol: str, **options: Any) -> Subscription:
    """A symbol as the settings would have it."""
    return Subscription(symbol, symbol, SimulatedOptions(**options))


def walk_of(symbol: str = "ACME", seed: int = 7, **options: Any) -> PriceWalk:
    """One symbol's prices."""
    return PriceWalk(subscription(symbol, **options), SimulatedSettings(kind="simulated", seed=seed))


def walked(symbol: str, seed: int) -> list[float]:
    """Prices near and far."""
    return [walk_of(symbol, seed).at(tick, 0).price for tick in (0, 1, 63, 64, 100_000)]


def deviations(symbol: str, volatility_pct: float, ticks: int) -> list[float]:
    """How far the price is from its mean at each tick, in steps: the walk itself."""
    walk = walk_of(symbol, price=1000, decimals=9, volatility_pct=volatility_pct)
    return [math.log(walk.at(tick, 0).price / 1000) / (volatility_pct / 100) for tick in range(ticks)]


@pytest.fixture
def feed(runtime: Runtime) -> Simulated:
    """A feed with its defaults."""
    return Simulated("sim", SimulatedSettings(kind="simulated"), runtime)


def test_two_processes_see_the_same_prices() -> None:
    """Python's own `hash` differs from one to the next; ours does not."""
    cases = [("ACME", 7), ("ACME", -8), ("^GSPC", 7), ("ÄÖ", 2**62)]
    run = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS], input=json.dumps(cases), capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert json.loads(run.stdout) == [walked(symbol, seed) for symbol, seed in cases]


def test_the_prices_are_these() -> None:
    """Recordings and screenshots stay valid: a change of the walk is a decision, not an accident."""
    assert [walk_of().at(tick, 0).price for tick in range(4)] == PRICES_OF_ACME


def test_a_tick_does_not_depend_on_the_ticks_before_it() -> None:
    """Backwards, forwards, or a single one out of the blue; only high and low remember what was shown."""

    def timeless(tick: Tick) -> dict[str, Any]:
        return {name: getattr(tick, name) for name in tick.__struct_fields__ if name not in {"high", "low"}}

    forwards, backwards = walk_of(), walk_of()
    expected = [timeless(forwards.at(tick, 0)) for tick in range(300)]
    assert [timeless(backwards.at(tick, 0)) for tick in reversed(range(300))] == expected[::-1]
    assert timeless(walk_of().at(250, 0)) == expected[250]


def test_a_symbol_does_not_depend_on_the_others_nor_on_when_it_was_added(feed: Simulated, runtime: Runtime) -> None:
    """Alone from the start, or added between two others half-way."""
    alone = [feed.poll([subscription("ACME")])["ACME"] for _ in range(200)]
    other = Simulated("sim2", SimulatedSettings(kind="simulated", interval_s=60), runtime)
    for _ in range(100):
        other.poll([subscription("B"), subscription("A")])
    late = [other.poll([subscription("A"), subscription("ACME"), subscription("B")])["ACME"] for _ in range(100)]
    assert [prices(tick) for tick in late] == [prices(tick) for tick in alone[100:]]


def prices(tick: Any) -> tuple[float, ...]:
    """What a symbol's price is, whenever it is looked at."""
    return tick.price, tick.bid, tick.ask, tick.open, tick.volume, tick.change, tick.change_pct


def test_seeds_and_symbols_give_different_prices() -> None:
    """Of a thousand no two are alike."""
    walks = {
        tuple(walk_of(f"S{number}", seed=seed).at(tick, 0).change_pct for tick in range(5)) for number in range(500) for seed in (1, 2)
    }
    assert len(walks) == 1000


def test_the_walk_reverts_to_its_mean() -> None:
    """In the long run it has one spread, at every tick of a block the same, and it forgets where it was within two blocks."""
    walks = [deviations(f"S{number}", 0.05, 40 * BLOCK) for number in range(40)]
    everything = [value for walk in walks for value in walk]
    assert abs(statistics.fmean(everything)) < 0.15 * REACH
    assert statistics.pstdev(everything) == pytest.approx(REACH, rel=0.05)
    at_boundaries = [walk[tick] for number, walk in enumerate(walks) for tick in range(2 * BLOCK - phase(number), len(walk), BLOCK)]
    half_way = [walk[tick] for number, walk in enumerate(walks) for tick in range(2 * BLOCK + BLOCK // 2 - phase(number), len(walk), BLOCK)]
    assert statistics.pstdev(at_boundaries) == pytest.approx(REACH, rel=0.1)
    assert statistics.pstdev(half_way) == pytest.approx(REACH, rel=0.1)
    now, later = zip(*((walk[tick], walk[tick + 2 * BLOCK]) for walk in walks for tick in range(0, len(walk) - 2 * BLOCK, 16)), strict=True)
    assert abs(statistics.correlation(now, later)) < 0.1
    now, next_ = zip(*((walk[tick], walk[tick + 1]) for walk in walks for tick in range(len(walk) - 1)), strict=True)
    assert statistics.correlation(now, next_) > 0.9


def phase(number: int) -> int:
    """How far into its block the symbol `S<number>` begins."""
    return walk_of(f"S{number}")._phase


@pytest.mark.parametrize("volatility_pct", [0.01, 0.05, 1.0])
def test_volatility_is_the_spread_of_one_tick(volatility_pct: float) -> None:
    """In percent of the price; no move is more than five times as large."""
    walk = deviations("ACME", volatility_pct, 20_000)
    moves = [after - before for before, after in pairwise(walk)]
    assert statistics.pstdev(moves) == pytest.approx(1, rel=0.03)
    assert max(map(abs, moves)) < 5


def test_no_volatility_is_no_move() -> None:
    """A price that stands still is needed too."""
    still = walk_of(price=10, volatility_pct=0)
    assert {(still.at(tick, 0).price, still.at(tick, 0).change) for tick in range(200)} == {(10.0, 0.0)}


@given(
    st.floats(1e-9, 1e9) | st.floats(-1e9, -1e-9) | st.none(),
    st.integers(0, 12) | st.none(),
    st.floats(0, 5),
    st.floats(0, 10),
    st.text("ABC^.-", min_size=1),
)
def test_every_tick_is_well_formed(
    price: float | None, decimals: int | None, volatility_pct: float, spread_pct: float, symbol: str
) -> None:
    """Whatever the options: prices of the sign and with the decimals asked for, in their order, with a change that fits."""
    try:
        walk = walk_of(symbol, price=price, decimals=decimals, volatility_pct=volatility_pct, spread_pct=spread_pct)
    except ValidationError:
        assert price is not None  # only too many digits are refused
        assert decimals is not None
        assert abs(price) * 10**decimals > 1e14
        return
    previous = 0.0
    for tick in (walk.at(number, 1_700_000_000_000) for number in range(BLOCK + 3)):
        assert well_formed(tick)
        assert tick.bid is not None
        assert tick.ask is not None
        assert tick.high is not None
        assert tick.low is not None
        assert tick.volume is not None
        assert tick.prev_close is not None
        assert tick.bid <= tick.price <= tick.ask
        assert tick.low <= tick.price <= tick.high
        assert tick.volume > previous
        previous = tick.volume
        if decimals is not None:
            assert round(tick.price, decimals) == tick.price
        assert tick.change == pytest.approx(tick.price - tick.prev_close, rel=1e-6, abs=1e-9 * abs(tick.prev_close))
        assert all(math.copysign(1, side) == math.copysign(1, price or 1) for side in (tick.price, tick.bid, tick.ask, tick.prev_close))
        if tick.prev_close < 0:
            assert tick.change_pct is None
        else:
            assert tick.change_pct == pytest.approx(100 * (tick.price - tick.prev_close) / tick.prev_close, abs=1e-4)


def test_high_and_low_are_those_of_the_ticks_shown() -> None:
    """And open is the first of all."""
    walk = walk_of()
    shown: list[float] = []
    for number in range(500):
        tick = walk.at(number, 0)
        shown.append(tick.price)
        assert (tick.open, tick.high, tick.low) == (shown[0], max(shown), min(shown))


def test_the_options_of_a_symbol_hold() -> None:
    """Mean price, decimals and spread as written; the defaults are two decimals, more for small prices."""
    tick = walk_of(price=80, spread_pct=1, decimals=3, volatility_pct=0).at(0, 5)
    assert (tick.price, tick.bid, tick.ask, tick.prev_close, tick.quote_time) == (80.0, 79.6, 80.4, 80.0, 5)
    assert walk_of(price=0.001234, volatility_pct=0).at(0, 0).price == 0.001234
    assert all(20 <= (walk_of(f"S{number}").at(0, 0).prev_close or 0) <= 500 for number in range(200))


@pytest.mark.parametrize("options", [
    {"price": 0}, {"price": -1e-10}, {"price": 1e10}, {"price": -1e10}, {"price": math.nan}, {"volatility_pct": -0.1},
    {"volatility_pct": 6}, {"spread_pct": 11},
    {"decimals": 13}, {"decimals": -1}, {"price": 1e9, "decimals": 6}, {"colour": "red"}])  # fmt: skip
def test_options_out_of_bounds_are_refused(options: dict[str, Any]) -> None:
    """A price with more digits than a number holds included."""
    with pytest.raises(ValidationError):
        SimulatedOptions(**options)


@pytest.mark.parametrize("settings", [{"interval_s": 0.0009}, {"interval_s": 61}, {"seed": 1.5}, {"seed": 2**63}, {"volatility_pct": 5.1}])
def test_settings_out_of_bounds_are_refused(settings: dict[str, Any]) -> None:
    """From a thousand ticks a second to one a minute."""
    with pytest.raises(ValidationError):
        SimulatedSettings(kind="simulated", **settings)


def test_one_tick_is_one_batch_of_all_symbols(feed: Simulated) -> None:
    """5,000 of them, all of the same moment."""
    batch = [subscription(f"S{number}") for number in range(5000)]
    answer = feed.poll(batch)
    assert answer.keys() == {item.symbol for item in batch}
    assert len({tick.quote_time for tick in answer.values() if isinstance(tick, Tick)}) == 1


def test_a_poll_of_some_symbols_leaves_the_others_alone(feed: Simulated) -> None:
    """A new symbol is asked for by itself at first; the highs of the others are not lost over it."""
    both = [subscription("A"), subscription("B")]
    before = [feed.poll(both)["A"] for _ in range(BLOCK)][-1]
    feed.poll([subscription("C")])
    after = feed.poll(both)["A"]
    assert isinstance(before, Tick)
    assert isinstance(after, Tick)
    assert after.high is not None
    assert before.high is not None
    assert after.high >= before.high > (after.open or 0)


def test_what_nobody_asks_for_is_forgotten_and_changed_options_hold_at_once(feed: Simulated) -> None:
    """Symbols come and go while it runs."""
    feed.poll([subscription("A"), subscription("B")])
    for _ in range(3 * BLOCK):
        feed.poll([subscription("A")])
    assert feed._walks.keys() == {"A"}
    changed = feed.poll([subscription("A", price=3, volatility_pct=0)])["A"]
    assert isinstance(changed, Tick)
    assert changed.price == 3.0
