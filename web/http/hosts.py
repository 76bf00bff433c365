"""Which names we answer to. A page whose own name was made to resolve to this machine (DNS rebinding) asks under that name, and the browser
takes our answers for its own: so whoever listens on loopback knows the names that this can be, and answers to no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from ticker.settings import ServerSettings
from ticker.settings.origins import HOST
from web.http.proxies import PASSED_ON

LONGEST = 300
"""Of a `Host`: the longest name has 253 letters."""
HEALTH = frozenset({"/healthz", "/readyz"})
"""Asked by who starts and stops containers, under whatever address it has for them. They hold no data."""


class Hosts:
    """`server.allowed_hosts`, or what stands for it where that is empty."""

    def __init__(self, server: ServerSettings) -> None:
        self._listed = frozenset(host.lower() for host in server.allowed_hosts)
        self._own = frozenset(name.lower() for origin in server.allowed_origins if (name := urlsplit(origin).hostname))
        self._only_own = not self._listed and not server.trusted_proxies and is_loopback(server.host)
        self.anybody = not self._only_own and (not self._listed or "*" in self._listed)
        """Whether any name will do."""

    def is_ours(self, environ: Mapping[str, Any]) -> bool:
        """Whether the request means us. One that names no host (HTTP/1.0) is no browser's."""
        if self.anybody or (host := environ.get("HTTP_HOST")) is None:
            return True
        if len(host) > LONGEST:
            return False
        name = name_of(host)
        if self._only_own:
            return is_loopback(name) or name in self._own
        return (
            name in self._listed
            or environ.get("PATH_INFO") in HEALTH
            or (is_loopback(name) and is_loopback(environ.get("REMOTE_ADDR", "")) and not environ.get(PASSED_ON))
        )


def why_not(host: str) -> tuple[str, str]:
    """What is wrong and what can be done, in words, where the name in `Host` is not ours. Fit for a log."""
    name = name_of(host) if len(host) <= LONGEST else ""
    if not HOST.fullmatch(name):
        return "what stands in Host is no name", ""
    return f"this relay does not answer to the name {name}", (
        f'if it is reached under that name, server.allowed_hosts = ["{name}"] makes it one of its own; if it is what a proxy calls it, '
        "the proxy must pass Host on (nginx: proxy_set_header Host $http_host)"
    )


@lru_cache(maxsize=1024)
def name_of(host: str) -> str:
    """The name or address in a `Host`, in lower case, without port and brackets, and without the dot that may end it."""
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].removesuffix(".")


@lru_cache(maxsize=1024)
def is_loopback(name: str) -> bool:
    """Whether it means this machine and no other can be reached by it."""
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
