"""How many requests an address may make; the clock is the test's."""

from __future__ import annotations

import pytest

from web.http.rates import BURST_S, MOST_NETWORKS, Rates


def made(rates: Rates, number: int, now_s: float, address: str = "192.0.2.1", per_s: float = 10.0) -> int:
    """How many of so many requests at this moment may be made."""
    return sum(rates.wait_s(address, per_s, now_s) is None for _ in range(number))


def test_twice_as_many_at_once_then_as_they_come() -> None:
    """A burst of two seconds' worth; afterwards one whenever there is room for one, for ever."""
    rates = Rates()
    assert made(rates, 100, 50.0) == 20
    assert [made(rates, 3, 50.0 + tenth / 10) for tenth in range(1, 30)] == [1] * 29
    assert made(rates, 100, 1000.0) == 20


def test_a_request_too_many_costs_nothing() -> None:
    """Who goes on asking is let in as soon as anybody else; whole seconds to wait are told."""
    rates = Rates()
    made(rates, 20, 0.0)
    assert made(rates, 10_000, 0.05) == 0
    assert rates.wait_s("192.0.2.1", 10.0, 0.05) == 1
    assert rates.wait_s("192.0.2.1", 10.0, 0.11) is None


@pytest.mark.parametrize(("other", "shares"), [("192.0.2.2", False), ("::ffff:192.0.2.1", True)])
def test_each_address_has_its_own(other: str, shares: bool) -> None:
    """In whatever spelling."""
    rates = Rates()
    made(rates, 20, 0.0)
    assert made(rates, 20, 0.0, other) == (0 if shares else 20)


def test_a_network_of_ipv6_is_one() -> None:
    """Who has one address there has them all."""
    rates = Rates()
    assert sum(made(rates, 1, 0.0, f"2001:db8:0:1::{number:x}") for number in range(1, 100)) == 20
    assert made(rates, 100, 0.0, "2001:db8:0:2::1") == 20


def test_the_limit_in_force_counts() -> None:
    """It may be changed while requests come."""
    rates = Rates()
    assert made(rates, 100, 0.0, per_s=1.0) == 2
    assert made(rates, 100, 0.0, per_s=100.0) == 0
    assert made(rates, 10_000, 2.0, per_s=100.0) == 200


def test_memory_is_bounded() -> None:
    """Those that are as good as new go first, then those that came first."""
    rates = Rates()
    made(rates, 20, 0.0, "old")
    for number in range(MOST_NETWORKS - 1):
        made(rates, 1, 1.0, f"n{number}")
    made(rates, 20, 1.05, "new")
    assert made(rates, 1, 1.05, "one more") == 1
    assert len(rates._full_s) <= MOST_NETWORKS
    assert made(rates, 1, 1.05, "new") == 0, "not forgotten for those that came before it"
    assert BURST_S == 2.0
