"""By what clients are counted: their address, of IPv6 the first 64 bits of it, for who has one address there has them all."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What `address` is counted by: one of IPv4 as it is, one of IPv6 as its /64, and what is none as it stands."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(IPv6Address(int(parsed) >> 64 << 64)) if mapped is None else str(mapped)
    return str(parsed)
