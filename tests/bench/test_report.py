"""Tables, ratios and bounds, from rows made by hand."""

from __future__ import annotations

import pytest

from bench.report import markdown, ratio
from bench.rows import Row
from bench.scenarios import joins, stall, throughput
from bench.targets import evaluate

CASE = next(iter(throughput.CASES))


def rate(server: str, delivered: float, p99_ms: float = 10.0) -> Row:
    """A row of the first throughput case."""
    return Row(throughput.NAME, CASE, server, delivered_per_s=delivered, p99_ms=p99_ms, verdict="valid")


def test_a_ratio_is_how_many_times_better_ours_is() -> None:
    """More updates a second, or less time."""
    assert ratio(rate("Socket.IO on Node", 200_000), rate("tickercast", 3e6)) == 15
    slow, fast = Row(joins.NAME, joins.MANY, "Socket.IO on Node", join_s=1.0), Row(joins.NAME, joins.MANY, "tickercast", join_s=0.5)
    assert ratio(slow, fast) == 2


@pytest.mark.parametrize("ours", [None, rate("tickercast", 0)])
def test_without_a_figure_of_ours_there_is_no_ratio(ours: Row | None) -> None:
    """Nothing is divided by nothing."""
    assert ratio(rate("Socket.IO on Node", 200_000), ours) is None


def test_bounds_compare_with_the_servers_they_name() -> None:
    """Met at the bound, missed below it, silent where a server was not part of the run."""
    figures = {
        figure.what: figure for figure in evaluate([rate("tickercast", 3.4e6), rate("send loop", 4e6), rate("Socket.IO on Node", 250_000)])
    }
    assert figures[f"{CASE}: × send loop"].met is True
    assert figures[f"{CASE}: × Socket.IO on Node"].met is False
    assert figures[f"{CASE}: × NATS, p99 ≤ 150 ms"].measured is None


def test_a_rate_that_was_nobodys_limit_is_compared_by_cpu() -> None:
    """Ours at the highest rate of its feed with CPU to spare: what an update costs decides, and the figure says so."""
    ours, limit = rate("tickercast", 4e6), rate("send loop", 8e6)
    ours.verdict, ours.cpu_us, limit.cpu_us = "sender's core not full: compare CPU per update", 0.14, 0.126
    figure = evaluate([ours, limit])[0]
    assert figure.measured == pytest.approx(0.9)
    assert (figure.met, figure.note) == (True, "by CPU per update")


def test_servers_that_took_turns_are_compared_round_by_round_too() -> None:
    """The bound goes by the best of each, as the table does; beside it stands what each pair of rounds says."""
    ours, limit = rate("tickercast", 3.6e6), rate("send loop", 4e6)
    ours.facts = {"round 1": 3.6e6, "round 2": 1.5e6}
    limit.facts = {"round 1": 4e6, "round 2": 2e6}
    figure = evaluate([ours, limit])[0]
    assert (figure.measured, figure.note) == (0.9, "round by round: 0.90, 0.75")


def test_nobody_closed_is_not_closed_in_time() -> None:
    """A stalled client that the server never closed has no time of closing; that is a miss."""
    row = Row(stall.NAME, stall.LONG, "tickercast", facts={"closed": 0.0, "last closed after, s": 0.0})
    figures = {figure.what: figure.met for figure in evaluate([row])}
    assert figures[f"{stall.LONG}: the last closed after, s"] is False


def test_the_page_says_what_was_measured_and_on_what() -> None:
    """The machine, the run, every case, the remarks; a bar in a remark does not cut the table."""
    row = rate("tickercast", 3_412_345.0)
    row.add_note("a|b")
    page = markdown([row, rate("send loop", 4e6)], {"processor": "P", "cores": "2"}, {throughput.NAME: "2026-01-01, quick"})
    assert "The machine: processor P, cores 2." in page
    assert "2026-01-01, quick" in page
    assert "| tickercast | 3,412,345 | 10.00 | 1.00 |  | valid; a/b |" in page
    assert "| send loop | 4,000,000 | 10.00 | 0.85 |  | valid |" in page
