"""Whose word counts for where a request comes from: a proxy of ours says it in X-Forwarded-…, anybody else is not believed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from web.auth.addresses import UNIX_PEER

Environ = dict[str, Any]
Address = IPv4Address | IPv6Address

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT", "HTTP_FORWARDED")
PASSED_ON = "tickercast.passed_on"
"""In the environment of a request: whether a proxy, trusted or not, says that it made it for somebody else."""
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([\d.]+):\d+")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


class Proxies:
    """Sees to it that `REMOTE_ADDR`, `HTTP_HOST` and the scheme of a request are the client's own.

    The client is the rightmost address of X-Forwarded-For that is no trusted proxy; what stands left of it, it wrote itself.
    """

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = [ip_network(proxy) for proxy in trusted]

    def believe(self, environ: Environ) -> None:
        """Take in what proxies of ours say. Afterwards nothing of X-Forwarded-… is left for anybody to believe."""
        self._believe(environ)
        environ[PASSED_ON] = any(name in environ for name in (*_FORWARDED, "HTTP_X_REAL_IP", "HTTP_VIA"))
        for name in _FORWARDED:
            environ.pop(name, None)

    def is_trusted(self, address: str) -> bool:
        """Whether it is a proxy of ours: one that is listed, or that comes through our Unix socket."""
        if not self._networks or address == UNIX_PEER:
            return address == UNIX_PEER
        parsed = _parsed(address)
        return parsed is not None and self._trusts(parsed)

    def _believe(self, environ: Environ) -> None:
        near = environ.get("REMOTE_ADDR", "")
        if not self.is_trusted(near):
            return
        peer, hops = _parsed(near), 1
        for entry in reversed(_listed(environ, "HTTP_X_FORWARDED_FOR")):
            address = _parsed(entry)
            if address is None:
                break  # what can't be read was not written by a proxy of ours: the one that passed it on is all we know
            peer = address
            if not self._trusts(address):
                break
            hops += 1
        environ["REMOTE_ADDR"] = near if peer is None else str(peer)
        scheme = _nth(_listed(environ, "HTTP_X_FORWARDED_PROTO"), hops).lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = _nth(_listed(environ, "HTTP_X_FORWARDED_HOST"), hops)
        if _HOST.fullmatch(host):
            environ["HTTP_HOST"] = host

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _listed(environ: Environ, name: str) -> list[str]:
    return [entry.strip() for entry in environ.get(name, "").split(",") if entry.strip()]


def _nth(entries: Sequence[str], hops: int) -> str:
    """What the proxy said that the client spoke to: each appends, or the last overwrites."""
    return entries[-min(hops, len(entries))] if entries else ""


def _parsed(entry: str) -> Address | None:
    """An address, with or without a port; an IPv4 address written as IPv6 is the IPv4 address."""
    with_port = _WITH_PORT.fullmatch(entry)
    try:
        address = ip_address((with_port[1] or with_port[2]) if with_port else entry)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
