"""What is learnt of a source's silences."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.board.learned_limit import LONGEST_LAPSE_MS, LONGEST_MS, STEPS_MS, WINDOW_MS, LearnedLimit

NOW = 1_700_000_000_000
FLOOR = 10_000


def limits_after(lapses_ms: list[int], shortest_ms: int = FLOOR) -> list[int]:
    """The limit after each of these lapses, one after the other."""
    learned_limit, now_ms, limits = LearnedLimit(), NOW, []
    for lapse_ms in lapses_ms:
        now_ms += lapse_ms
        learned_limit.note(lapse_ms, now_ms)
        limits.append(learned_limit.limit_ms(shortest_ms))
    return limits


def test_a_lively_source_keeps_the_shortest_limit() -> None:
    """Prices every two seconds need no longer one."""
    assert set(limits_after([2_000] * 500)) == {FLOOR}


def test_a_quiet_source_is_given_time() -> None:
    """Two lulls of 45 s show that they are usual."""
    assert limits_after([45_000, 44_000, 1_000]) == [FLOOR, 90_000, 90_000]


def test_one_freeze_teaches_nothing() -> None:
    """A source that stood for four minutes once is not given eight."""
    assert limits_after([2_000] * 50 + [240_000] + [2_000] * 50)[-1] == FLOOR


def test_bursts_do_not_hide_the_lulls_between_them() -> None:
    """Twenty prices in as many seconds, then none for a minute: the minute counts."""
    assert limits_after(([1_000] * 20 + [60_000]) * 4)[-1] == 120_000


def test_never_more_than_300_s_and_never_less_than_the_rule() -> None:
    """A source with a price in ten minutes is stale between them; a rule that gives more than 300 s stays as it is."""
    assert limits_after([600_000] * 5)[-1] == LONGEST_MS
    assert limits_after([60_000] * 5, shortest_ms=360_000)[-1] == 360_000


def test_a_night_is_no_rhythm() -> None:
    """What lies between two days of trading is not learnt."""
    assert limits_after([LONGEST_LAPSE_MS + 1] * 5)[-1] == FLOOR


def test_lively_again() -> None:
    """Half an hour after the last lull the limit is short again."""
    limits = limits_after([60_000] * 10 + [2_000] * (2 * WINDOW_MS // 2_000 + 2))
    assert (limits[9], limits[-1]) == (120_000, FLOOR)


def test_the_clock_set_back_forgets_nothing() -> None:
    """Windows go on from where the clock is."""
    learned_limit = LearnedLimit()
    learned_limit.note(60_000, NOW)
    learned_limit.note(60_000, NOW + 60_000)
    learned_limit.clock_stepped_back(3_600_000)
    learned_limit.note(2_000, NOW - 3_600_000 + WINDOW_MS)
    assert learned_limit.limit_ms(FLOOR) == 120_000
    learned_limit.note(2_000, NOW - 3_600_000 + 2 * WINDOW_MS)
    assert learned_limit.limit_ms(FLOOR) == FLOOR


@pytest.mark.parametrize("mean_s", [2, 10, 45])
def test_trades_at_random_moments_are_hardly_ever_called_stale(mean_s: int) -> None:
    """In a day of trades that know nothing of each other, the limit is exceeded less than once in three hours."""
    random, learned_limit, now_ms, exceeded = Random(mean_s), LearnedLimit(), NOW, 0
    while now_ms < NOW + 86_400_000:
        lapse_ms = round(random.expovariate(1 / mean_s) * 1000)
        now_ms += lapse_ms
        exceeded += lapse_ms > learned_limit.limit_ms(FLOOR)
        learned_limit.note(lapse_ms, now_ms)
    assert exceeded <= 8


@given(st.lists(st.integers(0, 2 * LONGEST_LAPSE_MS), max_size=80), st.sampled_from([10_000, 30_000, 180_000, 900_000]))
def test_limits_are_few_and_bounded(lapses_ms: list[int], shortest_ms: int) -> None:
    """Whatever happens: a limit is the shortest one or one of the steps above it."""
    allowed = {shortest_ms, *(step_ms for step_ms in STEPS_MS if step_ms > shortest_ms)}
    assert set(limits_after(lapses_ms, shortest_ms)) <= allowed
