"""How often the log is told of the same thing."""

from ticker.log_limit import Line, LogLimit


def test_so_many_pass_and_the_others_are_counted() -> None:
    """The last one that passes is told to be the last; the first of the next period says how many were left out."""
    limit = LogLimit(2, 60.0)
    assert [limit.passes(now_s) for now_s in (100.0, 101.0, 102.0, 159.9)] == [Line(0, False), Line(0, True), None, None]
    assert limit.passes(160.0) == Line(2, False)


def test_each_kind_has_its_own() -> None:
    """One fault does not hide another."""
    limit = LogLimit(1, 60.0)
    assert limit.passes(0.0, "a") == limit.passes(0.0, "b") == Line(0, True)
    assert limit.passes(1.0, "a") is None


def test_a_clock_that_was_set_back_begins_anew() -> None:
    """Nothing is held back until it has caught up."""
    limit = LogLimit(1, 60.0)
    limit.passes(1000.0)
    assert limit.passes(10.0) == Line(0, True)
