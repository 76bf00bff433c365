"""Who may come in: how many clients, how many from one address, how fast. The limits in force are the engine's.

A handshake is asked about twice. Before anything of it is looked at, `refusal` says whether anybody may come in now: that costs next to
nothing and counts nothing. Once it is known who comes, `counted` takes it off what there is for this second. A token is looked at in
between, also one from an address that has had its share, since a good one is outside of it; so a bad one counts like none. What bad ones
cost is bounded elsewhere: after a few guesses none from there is looked at (`web.auth.throttle`), and one that is signed and good for
nothing is checked once (`web.auth.jwt`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ticker.per_second import PerSecond
from web.auth.addresses import network_of
from web.auth.authenticator import Authenticator
from web.auth.identity import Identity
from web.fanout.client import Client
from web.fanout.engine import Engine
from web.refusals import Reason

SURPLUS = 64
"""So many for whom there is no place come in to be told so in Socket.IO, where a program can read it; more are refused in HTTP, which costs
less."""
SHARES = 4
"""Into so many parts a second's connects are divided, of which no address takes more than one."""


class Admission:
    """Asked at each handshake, and when a client joins its first namespace (`is_surplus`).

    `is_proxy` tells addresses of proxies of ours: what comes from one and does not say for whom is nobody's share.
    """

    def __init__(self, engine: Engine, access: Authenticator, is_proxy: Callable[[str], bool] = lambda address: False) -> None:
        self._engine = engine
        self._access = access
        self._is_proxy = is_proxy
        self._connects = PerSecond()
        self._shares: Counter[str] = Counter()  # taken in this second, by network

    def refusal(self, environ: dict[str, Any]) -> Reason | None:
        """Why nobody may come in from there now, whoever it is; `None` if somebody may."""
        if self._engine.draining:
            return Reason.SHUTTING_DOWN
        limits, pools = self._engine.limits, self._engine.pools
        if self._connects_so_far(self._engine.clock()) >= limits.connects_per_s:
            return Reason.CONNECTS
        if pools.joined >= limits.max_clients and len(pools.waiting) >= SURPLUS:
            return Reason.CLIENTS
        if pools.of_network(network_of(environ.get("REMOTE_ADDR", ""))) >= limits.max_clients_per_address + SURPLUS:
            return Reason.CLIENTS_OF_ADDRESS
        return None

    def counted(self, environ: dict[str, Any], identity: Identity | None) -> Reason | None:
        """Count this handshake, of `identity` (`None`: no token, or no good one). Why it is refused all the same, `None` if it is not."""
        is_known = identity is not None and not self._access.is_open
        address, now_s = environ.get("REMOTE_ADDR", ""), self._engine.clock()
        self._connects_so_far(now_s)
        if not is_known and not self._is_proxy(address):
            network = network_of(address)
            if self._shares[network] >= self._share():
                return Reason.CONNECTS_OF_ADDRESS
            self._shares[network] += 1
        self._connects.exceeds(self._engine.limits.connects_per_s, now_s)  # counted; the next one is refused where that is all
        return None

    def return_s(self) -> float:
        """How long it takes to let everybody in who is here, were they to come again without a token in their handshake."""
        clients, limits = self._engine.clients, self._engine.limits
        return max(len(clients) / limits.connects_per_s, self._engine.pools.most_of_a_network() / self._share())

    def is_surplus(self, client: Client) -> bool:
        """Whether `client` has no place and finds none. Those who wait take none from it."""
        limits, pools = self._engine.limits, self._engine.pools
        return client in pools.waiting and (
            pools.joined >= limits.max_clients or pools.of_network(client.network) > limits.max_clients_per_address
        )

    def _connects_so_far(self, now_s: float) -> int:
        """How many came in in this second. While it is none, nobody has taken anything of it."""
        so_far = self._connects.so_far(now_s)
        if not so_far:
            self._shares.clear()
        return so_far

    def _share(self) -> int:
        return max(1, self._engine.limits.connects_per_s // SHARES)
