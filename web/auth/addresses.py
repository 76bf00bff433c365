"""Whose address it is, for all that is counted by address."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

MOST_REMEMBERED = 4096
"""So many addresses are looked at once only; the memory is bounded by it (about 300 bytes each)."""
_PREFIX_BITS = 64


UNIX_PEER = "unix"
"""Who comes through a Unix socket, and has no address: a proxy on this machine, whose word counts."""


@lru_cache(MOST_REMEMBERED)
def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the /64, for who has one address in there has them all. IPv4 written as IPv6 is itself.

    What is no address (the path of a Unix socket, nothing at all) stays as it is, and so does what this has answered before.
    """
    try:
        parsed = ip_address(address.partition("%")[0])  # what follows names a network interface of this machine
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    shift = 128 - _PREFIX_BITS
    return f"{IPv6Address(int(parsed) >> shift << shift)}/{_PREFIX_BITS}"
