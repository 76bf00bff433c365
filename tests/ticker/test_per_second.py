"""How many in this second."""

from ticker.per_second import PerSecond


def test_a_second_has_its_limit_and_the_next_begins_anew() -> None:
    """What is over the limit counts too."""
    counted = PerSecond()
    assert [counted.exceeds(2, now_s) for now_s in (5.0, 5.5, 5.9, 5.99, 6.0, 6.1, 6.2)] == [False, False, True, True, False, False, True]
