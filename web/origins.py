"""Which web pages may connect: our own origin, and the ones the settings list, exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def origin_check(allowed: Sequence[str]) -> Callable[[str, Mapping[str, Any]], bool]:
    """A function (origin, WSGI environment) that says whether a page from there may connect.

    Compared as whole strings, case included: browsers send scheme and host in lower case and leave a default port away.
    An empty list means same origin; "*" allows all. Of X-Forwarded-… it sees what `web.proxies` made of it, and no more.
    """
    everybody = "*" in allowed
    listed = frozenset(allowed)

    def is_allowed(origin: str, environ: Mapping[str, Any]) -> bool:
        host = environ.get("HTTP_HOST", "")
        return everybody or origin in listed or (host != "" and origin == f"{environ.get('wsgi.url_scheme', 'http')}://{host}")

    return is_allowed
