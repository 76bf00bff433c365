"""How many requests over HTTP an address may make (`limits.http_requests_per_s`): a bucket for each, that fills as time passes."""

from __future__ import annotations

from math import ceil

from web.auth.addresses import network_of

BURST_S = 2.0
"""So many seconds' worth may be made at once."""
MOST_NETWORKS = 16_384
"""So many are remembered, the latest; about 200 bytes each."""


_ROUNDING_S = 1e-6


class Rates:
    """Counts requests by network. No clock of its own: `now_s` is any that does not jump."""

    def __init__(self) -> None:
        self._full_s: dict[str, float] = {}  # when the bucket of a network will be full again

    def wait_s(self, address: str, per_s: float, now_s: float) -> int | None:
        """Count one request; if that makes too many, it is not counted: how long to wait, whole seconds. `None`: it may be made."""
        network = network_of(address)
        full_s = max(self._full_s.get(network, now_s), now_s) + 1 / per_s
        if full_s - now_s > BURST_S + _ROUNDING_S:
            return ceil(full_s - now_s - BURST_S)
        if network not in self._full_s and len(self._full_s) >= MOST_NETWORKS:
            self._forget(now_s)
        self._full_s[network] = full_s
        return None

    def _forget(self, now_s: float) -> None:
        """Make room: a full bucket is as good as none; if all are in use, those that came first are forgotten."""
        used = {network: full_s for network, full_s in self._full_s.items() if full_s > now_s}
        for network in list(used)[: max(0, len(used) - MOST_NETWORKS // 2)]:
            del used[network]
        self._full_s = used
