"""Which web pages may connect: our own origin, and the ones the settings list, exactly. Programs that send an Origin are held to the same.

What is the same origin is written in one way before it is compared (`canonical`). Our own is what stands in `Host`, with the scheme that
the client spoke; and with https whatever came to us. For we speak no TLS ourselves: where a page of `https://our-host:our-port` asks,
somebody ends it before us without saying so, under that very host and port, and no other page has that origin. The other way round,
`http://` where a proxy says that it was https, is refused: whoever is on the line can write such a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

OriginCheck = Callable[[str, Mapping[str, Any]], bool]

_OF_PAGES = {"ws": "http", "wss": "https"}
_DEFAULT_PORT = {"http": ":80", "https": ":443"}
_PLAIN = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[A-Za-z0-9._:\[\]-]{0,260}|null")
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,260}")


def canonical(origin: str) -> str:
    """`origin` as browsers write it: `ws` and `wss`, which some programs write, are `http` and `https`; the default port is left away."""
    scheme, separator, rest = origin.partition("://")
    scheme = _OF_PAGES.get(scheme, scheme)
    return f"{scheme}{separator}{rest.removesuffix(_DEFAULT_PORT.get(scheme, ''))}"


def origin_check(allowed: Sequence[str]) -> OriginCheck:
    """A function (origin, WSGI environment) that says whether a page from there may connect.

    Compared whole, case included: browsers send scheme and host in lower case. An empty list means same origin; "*" allows all. Of
    X-Forwarded-… it sees what `web.http.proxies` made of it, and no more.
    """
    everybody = "*" in allowed
    listed = frozenset(map(canonical, allowed))

    def is_allowed(origin: str, environ: Mapping[str, Any]) -> bool:
        return everybody or (one := canonical(origin)) in listed or one in _own(environ)

    return is_allowed


def _own(environ: Mapping[str, Any]) -> Sequence[str]:
    host = environ.get("HTTP_HOST", "")
    schemes = dict.fromkeys((environ.get("wsgi.url_scheme", "http"), "https"))
    return [canonical(f"{scheme}://{host}") for scheme in schemes] if host else []


def why_not(origin: str, environ: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong and what can be done, in words, where `origin` is not allowed. Fit for a log: of what is no origin it shows nothing."""
    if not _PLAIN.fullmatch(origin):
        return "what stands in Origin is none", ""
    lets_in = f'server.allowed_origins = ["{origin}"] lets'
    if origin == "null":
        return "origin null is not allowed", f"every page in a sandboxed frame has it, of whatever site; {lets_in} them all in"
    if not origin.startswith(("http", "ws")):
        return f"origin {origin} is not allowed", f"{lets_in} it in"
    host = environ.get("HTTP_HOST", "")
    where = f"with Host: {host}" if _HOST.fullmatch(host) else "with that Host"
    return f"origin {origin} is not allowed {where}", (
        f"if that is this relay's own address, its proxy must pass Host on (nginx: proxy_set_header Host $http_host); "
        f"{lets_in} any other in"
    )


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
