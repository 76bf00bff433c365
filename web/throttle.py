"""How often an address may be wrong before it is not listened to. No clock of its own: `now_s` is any that does not jump."""

from __future__ import annotations

import math
from collections import deque
from ipaddress import IPv6Address, ip_address

MOST_FAILURES = 20
WINDOW_S = 60.0
MOST_ADDRESSES = 4096
"""So many are remembered, the latest; the memory is bounded by it (about 1 KiB each)."""


class Throttle:
    """Remembers the failures of the last minute by address. Of IPv6 the first 64 bits are one: who has one has them all."""

    def __init__(self) -> None:
        self._failures: dict[str, deque[float]] = {}

    def closed_s(self, address: str, now_s: float) -> int | None:
        """How long to refuse whatever comes from `address`, whole seconds; `None`: it may try."""
        failures = self._failures.get(_network(address))
        if failures is None or len(failures) < MOST_FAILURES or failures[0] + WINDOW_S <= now_s:
            return None
        return math.ceil(failures[0] + WINDOW_S - now_s)

    def fail(self, address: str, now_s: float) -> bool:
        """Note a failure; whether it is the one that closes the door."""
        network = _network(address)
        failures = self._failures.pop(network, None)
        if failures is None:
            failures = deque(maxlen=MOST_FAILURES)
            if len(self._failures) >= MOST_ADDRESSES:
                del self._failures[next(iter(self._failures))]
        self._failures[network] = failures  # the latest stands last
        failures.append(now_s)
        return self.closed_s(address, now_s) is not None


def _network(address: str) -> str:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
