"""How often an address may be wrong, on a stepped clock."""

from __future__ import annotations

import pytest

from web.auth.throttle import MOST_ADDRESSES, MOST_FAILURES, Throttle


def closed(throttle: Throttle, address: str, now_s: float) -> int | None:
    """How long an address is refused after the most failures a minute, half a second apart."""
    for number in range(MOST_FAILURES):
        assert throttle.closed_s(address, now_s) is None
        assert throttle.fail(address, now_s + number / 2) is (number == MOST_FAILURES - 1)
    return throttle.closed_s(address, now_s + MOST_FAILURES / 2)


def test_twenty_a_minute() -> None:
    """After the twentieth it is refused until the first is a minute old; then there is room for one more."""
    throttle = Throttle()
    assert closed(throttle, "192.0.2.1", 1000.0) == 50
    assert throttle.closed_s("192.0.2.1", 1059.9) == 1
    assert throttle.closed_s("192.0.2.1", 1060.0) is None
    assert throttle.fail("192.0.2.1", 1060.0)
    assert throttle.closed_s("192.0.2.1", 1060.1) == 1
    assert throttle.closed_s("192.0.2.1", 2000.0) is None


def test_others_are_not_to_blame() -> None:
    """Each address has a count of its own."""
    throttle = Throttle()
    closed(throttle, "192.0.2.1", 1000.0)
    assert throttle.closed_s("192.0.2.2", 1010.0) is None


@pytest.mark.parametrize(("one", "other", "same"), [
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True), ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False), ("fe80::1%eth0", "fe80::2%eth0", True), ("", "x", False),
])  # fmt: skip
def test_a_network_of_ipv6_is_one_address(one: str, other: str, same: bool) -> None:
    """Its owner has 2⁶⁴ of them to be wrong from."""
    throttle = Throttle()
    closed(throttle, one, 1000.0)
    assert (throttle.closed_s(other, 1010.0) is not None) is same


def test_the_memory_is_bounded() -> None:
    """The address that failed longest ago is forgotten first."""
    throttle = Throttle()
    closed(throttle, "192.0.2.1", 1000.0)
    for number in range(MOST_ADDRESSES - 1):
        throttle.fail(f"10.0.{number // 256}.{number % 256}", 1010.0)
    assert throttle.closed_s("192.0.2.1", 1010.0) is not None
    throttle.fail("10.1.0.0", 1010.0)
    assert throttle.closed_s("192.0.2.1", 1010.0) is None
    assert len(throttle._failures) == MOST_ADDRESSES
