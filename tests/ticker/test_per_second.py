"""How many in this second."""

from ticker.per_second import PerSecond


def test_a_second_has_its_limit_and_the_next_begins_anew() -> None:
    """What is over the limit counts too."""
    counted = PerSecond()
    assert [counted.exceeds(2, now_s) for now_s in (5.0, 5.5, 5.9, 5.99, 6.0, 6.1, 6.2)] == [False, False, True, True, False, False, True]


def test_looking_counts_nothing() -> None:
    """However often, and whatever there was in the second before."""
    counted = PerSecond()
    assert [counted.so_far(now_s) for now_s in (0.0, 5.0)] == [0, 0]
    for now_s in (5.0, 5.9):
        counted.exceeds(1, now_s)
    assert [counted.so_far(now_s) for now_s in (5.95, 5.99, 6.0)] == [2, 2, 0]
