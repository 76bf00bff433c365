"""Which web pages may connect: our own origin, and the ones the settings list, exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

OriginCheck = Callable[[str, Mapping[str, Any]], bool]


def origin_check(allowed: Sequence[str]) -> OriginCheck:
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


def shared_with(environ: Mapping[str, Any], is_allowed: OriginCheck) -> list[tuple[str, str]]:
    """The headers that let the page that asks read the answer, if it may."""
    origin = environ.get("HTTP_ORIGIN")
    if not origin or not is_allowed(origin, environ):
        return []
    return [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", "ETag")]


def is_foreign(environ: Mapping[str, Any], is_allowed: OriginCheck) -> bool:
    """Whether the browser says that a page of somebody else had this asked (an image, a script, a frame), one that may not connect.

    Such a request carries no Origin; the page can't read the answer, but what it sets going would go on.
    """
    origin = environ.get("HTTP_ORIGIN")
    return is_cross_site(environ) and (origin is None or not is_allowed(origin, environ))


def is_cross_site(environ: Mapping[str, Any]) -> bool:
    """Whether the browser says that a page of another site had this asked."""
    return bool(environ.get("HTTP_SEC_FETCH_SITE") == "cross-site")
