"""The choice between a symbol's sources, against a model that knows nothing but the two rules."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ticker.board.failover import RETURN_REST_MS, choose


def test_first_healthy_one() -> None:
    """The best usable source is taken; a better one that comes up soon after the first is no return, and need not wait."""
    assert choose([False, True, True], None, None, 0) == 1
    assert choose([True, True, True], 1, None, 0) == 0


def test_nothing_usable_keeps_what_there_was() -> None:
    """The last good price stays, and before there was any there is none."""
    assert choose([False, False], 1, 0, 999_999) == 1
    assert choose([False, False], None, None, 0) is None


def test_away_at_once_back_after_a_rest() -> None:
    """Leaving a bad source does not wait for the minute that returning to a better one does."""
    assert choose([False, True], 0, 1_000, 1_001) == 1
    assert choose([True, True], 1, 1_000, 1_000 + RETURN_REST_MS - 1) == 1
    assert choose([True, True], 1, 1_000, 1_000 + RETURN_REST_MS) == 0


@given(st.lists(st.tuples(st.integers(0, 20_000), st.lists(st.booleans(), min_size=3, max_size=3)), max_size=60))
def test_never_flaps(history: list[tuple[int, list[bool]]]) -> None:
    """Whatever the sources do: a usable one is in use if there is any, and no usable one is left within a minute of a switch."""
    now, active, switched = 0, None, None
    switches: list[tuple[int, bool]] = []
    for passed, usable in history:
        now += passed
        chosen = choose(usable, active, switched, now)
        assert (chosen is not None and usable[chosen]) or not any(usable)
        if chosen != active:
            assert chosen is not None
            if active is not None:
                assert not usable[active] or chosen < active, "a worse source only replaces one that is not usable"
                switches.append((now, usable[active]))
                switched = now
            active = chosen
    for (before, _), (after, was_usable) in pairwise(switches):
        assert after - before >= RETURN_REST_MS or not was_usable
