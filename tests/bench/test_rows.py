"""When a figure counts, and what a row remembers."""

from __future__ import annotations

from typing import Any

import pytest

from bench.loadgen import parse_joined, parse_window
from bench.rows import Row, verdict
from tests.bench import said


def cores(sender: float, generator: float, stolen: float = 0.0) -> dict[str, Any]:
    """The processors, with processes that account for all of their use."""
    process = said.machine()["watched"][0] | {"cpu": sender}
    return {
        "cores": [{"busy": sender, "stolen": stolen}, {"busy": generator, "stolen": 0.0}],
        "generator_cpu": generator,
        "watched": [process],
    }


@pytest.mark.parametrize(
    ("sender", "generator", "expected"),
    [
        (0.95, 0.949, "valid"),
        (0.949, 0.5, "sender's core not full: compare CPU per update"),
        (1.0, 0.95, "generator's core full: compare CPU per update"),
    ],
)
def test_a_highest_rate_needs_a_full_sender_and_a_generator_with_room(sender: float, generator: float, expected: str) -> None:
    """95 % is the bound on both sides."""
    assert verdict(parse_window(said.window(**cores(sender, generator))).machine, saturating=True) == expected


def test_a_sender_with_room_is_fine_where_nothing_is_saturated() -> None:
    """Ages at a moderate rate need no full core."""
    assert verdict(parse_window(said.window(**cores(0.3, 0.2))).machine, saturating=False) == "valid"


@pytest.mark.parametrize(
    "changes",
    [
        cores(0.99, 0.6, stolen=0.06),
        cores(0.99, 0.6) | {"generator_cpu": 0.4},
        cores(0.99, 0.6) | {"watched": [said.machine()["watched"][0] | {"cpu": 0.8}]},
    ],
)
def test_others_on_the_cores_are_noticed(changes: dict[str, Any]) -> None:
    """The hypervisor, or foreign processes on either core."""
    assert verdict(parse_window(said.window(**changes)).machine, saturating=True) == "valid; disturbed"


def test_clients_that_did_not_come_leave_no_join_time() -> None:
    """A join time of some of the clients would flatter."""
    row = Row("crowd", "case", "server").with_joined(parse_joined(said.joined(timed_out=True, live=499)))
    assert row.join_s is None
    assert row.note == "only 499 of 500 clients joined"


def test_trouble_in_a_window_is_noted() -> None:
    """Closed and starved clients, and a seq that went backwards, show beside the figure."""
    row = Row("stall", "case", "server").with_window(parse_window(said.window(closed=3, backwards=1)), saturating=True)
    assert row.note == "3 closed, 1 backwards"


def test_a_row_survives_being_stored() -> None:
    """What is written to the results file is read back the same."""
    row = Row("joins", "case", "server", speed=0.5, facts={"leave_ms": 3.5})
    row.with_joined(parse_joined(said.joined())).with_window(parse_window(said.window()), saturating=True)
    assert Row(**row.to_json()) == row
    assert "the machine was slow" in row.note
