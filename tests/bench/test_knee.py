"""The search for the knee, against servers with a known limit."""

from __future__ import annotations

import pytest

from bench.knee import Rung, knee, next_offer, whole_rounds_s
from bench.loadgen import parse_window
from tests.bench import said


def rung(offered: float, delivered: float, p99_ms: float = 5.0) -> Rung:
    """One tried rate."""
    return Rung(offered, parse_window(said.window(delivered, p99_ms)))


def climb(limit: float, first: float, precision: float = 1.2) -> list[Rung]:
    """All rungs of a search on a server that delivers at most `limit`."""
    rungs: list[Rung] = []
    while (offer := next_offer(rungs, first, precision=precision)) is not None:
        rungs.append(rung(offer, min(offer, limit)))
        assert len(rungs) < 40, "the search does not end"
    return rungs


@pytest.mark.parametrize("limit", [3_000, 12_000, 187_000, 2_600_000])
@pytest.mark.parametrize("first", [10_000, 80_000])
def test_the_knee_is_found_within_the_precision(limit: float, first: float) -> None:
    """From above and from below: what is found is held, and a fifth more would not be (5 % may get lost)."""
    found = knee(climb(limit, first))
    assert found is not None
    assert limit / 1.2 <= found.offered_per_s <= limit / 0.95


def test_a_server_that_never_keeps_up_ends_the_search() -> None:
    """Five halvings, then there is no knee."""
    rungs = climb(0, 10_000)
    assert knee(rungs) is None
    assert min(each.offered_per_s for each in rungs) >= 10_000 / 64


def test_the_knee_respects_the_limit_of_the_age() -> None:
    """The highest rate that is also young enough."""
    rungs = [rung(1e6, 1e6, 40), rung(2e6, 2e6, 140), rung(2.4e6, 2.4e6, 900), rung(4e6, 2.5e6, 2000)]
    best, young = knee(rungs), knee(rungs, p99_limit_ms=150)
    assert best is not None
    assert young is not None
    assert (best.offered_per_s, young.offered_per_s) == (2.4e6, 2e6)


def test_a_lucky_rung_above_a_broken_one_does_not_confuse_the_search() -> None:
    """The search goes on below the lowest rate that broke."""
    offer = next_offer([rung(1e5, 1e5), rung(2e5, 1.5e5), rung(4e5, 4e5)], 1e5)
    assert offer is not None
    assert 1e5 < offer < 2e5


def test_ninety_five_percent_is_kept_up() -> None:
    """The bound itself is in."""
    assert rung(1000, 950).keeps_up
    assert not rung(1000, 949).keeps_up


@pytest.mark.parametrize(("hz", "seconds", "expected"), [(100, 5, 5), (1.2, 5, 10 / 1.2), (0.5, 5, 10), (7, 2, 2), (3, 1, 10 / 3)])
def test_a_window_holds_whole_rounds(hz: float, seconds: float, expected: float) -> None:
    """At least ten rounds, at most ten seconds."""
    assert whole_rounds_s(hz, seconds) == pytest.approx(expected)
