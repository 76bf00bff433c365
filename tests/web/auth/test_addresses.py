"""Which addresses are one, for all that is counted by address."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.auth.addresses import MOST_REMEMBERED, network_of


@pytest.mark.parametrize(("address", "network"), [
    ("192.0.2.1", "192.0.2.1"), ("127.0.0.1", "127.0.0.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:C000:0201", "192.0.2.1"),
    ("2001:db8:1:2::1", "2001:db8:1:2::/64"), ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
    ("2001:0db8:0001:0002:0000:0000:0000:0009", "2001:db8:1:2::/64"), ("2001:db8:1:3::1", "2001:db8:1:3::/64"), ("::1", "::/64"),
    ("fe80::1%eth0", "fe80::/64"), ("fe80::2%25", "fe80::/64"),
    ("", ""), ("unix:/run/relay.sock", "unix:/run/relay.sock"), ("192.0.2.1:80", "192.0.2.1:80"), ("192.0.2.01", "192.0.2.01"),
    ("[::1]", "[::1]"), ("%eth0", "%eth0"),
])  # fmt: skip
def test_what_counts_as_one(address: str, network: str) -> None:
    """However it is written; asked once more, the answer is the same."""
    assert network_of(address) == network
    assert network_of(network) == network


@given(st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_whoever_has_a_network_has_all_its_addresses(network: int, host: int, other: int) -> None:
    """Whatever the last 64 bits are, it is the same one, and nobody else's."""
    one, same, stranger = (
        network_of(str(IPv6Address((number << 64) + last)))
        for number, last in ((network, host), (network, other), (network ^ 1 or 2, host))
    )
    assert one == same
    assert stranger != one


def test_the_memory_is_bounded() -> None:
    """However many addresses come by."""
    for number in range(MOST_REMEMBERED + 100):
        network_of(f"2001:db8::{number:x}")
    assert network_of.cache_info().currsize == MOST_REMEMBERED
