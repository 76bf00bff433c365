"""How often an address may be wrong before it is not listened to. No clock of its own: `now_s` is any that does not jump."""

from __future__ import annotations

import math
from collections import deque

from web.auth.addresses import network_of

MOST_FAILURES = 20
WINDOW_S = 60.0
MOST_ADDRESSES = 4096
"""So many are remembered, the latest; the memory is bounded by it (about 1 KiB each)."""


class Throttle:
    """Remembers the failures of the last minute by address (`web.auth.addresses`)."""

    def __init__(self) -> None:
        self._failures: dict[str, deque[float]] = {}

    def closed_s(self, address: str, now_s: float) -> int | None:
        """How long to refuse whatever comes from `address`, whole seconds; `None`: it may try."""
        failures = self._failures.get(network_of(address))
        if failures is None or len(failures) < MOST_FAILURES or failures[0] + WINDOW_S <= now_s:
            return None
        return math.ceil(failures[0] + WINDOW_S - now_s)

    def fail(self, address: str, now_s: float) -> bool:
        """Note a failure; whether it is the one after which the address is refused."""
        network = network_of(address)
        failures = self._failures.pop(network, None)
        if failures is None:
            failures = deque(maxlen=MOST_FAILURES)
            if len(self._failures) >= MOST_ADDRESSES:
                del self._failures[next(iter(self._failures))]
        self._failures[network] = failures  # the latest stands last
        failures.append(now_s)
        return self.closed_s(address, now_s) is not None
