"""The load generator's reports are read field by field."""

from __future__ import annotations

import pytest

from bench.loadgen import parse_joined, parse_resumed, parse_window
from tests.bench import said


def test_a_window_keeps_its_figures() -> None:
    """Rates, ages and the processors come from where the generator put them."""
    window = parse_window(said.window(2e6, 7.5))
    assert (window.updates_per_s, window.p50_ms, window.p99_ms, window.max_ms) == (2e6, 1.0, 7.5, 9.0)
    assert (window.machine.sender_core_busy, window.machine.generator_core_busy) == (0.99, 0.65)
    assert window.machine.helper_cpu == 0.02


def test_cpu_per_update_is_of_the_sending_process() -> None:
    """0.98 of a core for a million updates a second are 0.98 µs each; the helper does not count."""
    assert parse_window(said.window(1e6)).cpu_us_per_update == pytest.approx(0.98)


def test_cpu_per_update_of_nothing_is_zero() -> None:
    """A server that delivered nothing divides by nothing."""
    assert parse_window(said.window(0)).cpu_us_per_update == 0


def test_memory_is_counted_for_clients_that_came() -> None:
    """Ten million bytes for the 400 of 500 clients that are there."""
    assert parse_joined(said.joined(live=400)).bytes_per_client == 25_000


def test_a_server_that_is_not_watched_has_no_cpu() -> None:
    """A generator without --watch reports no process."""
    assert parse_window(said.window(watched=[])).machine.sender_cpu == 0


def test_a_resumption_keeps_its_counts() -> None:
    """How many caught up, how many the server closed and when."""
    resumed = parse_resumed({"event": "resumed", "stalled": 100, "caught_up": 90, "behind": 2, "closed_by_server": 8, "first_close_s": 30.5,
                             "last_close_s": 31.0, "recovery_ms": {"p50": 20.0, "max": 400.0}, "backwards": 0, "protocol_errors": 0,
                             "reasons": {"end of stream": 8}})  # fmt: skip
    assert (resumed.caught_up, resumed.behind, resumed.closed_by_server) == (90, 2, 8)
    assert (resumed.recovery_max_ms, resumed.last_close_s) == (400.0, 31.0)


def test_a_missing_field_is_an_error() -> None:
    """A generator of another version is not read half."""
    incomplete = said.window()
    del incomplete["starved"]
    with pytest.raises(KeyError):
        parse_window(incomplete)
