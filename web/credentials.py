"""Where a token may stand in what a client sends: the `Authorization` header and Socket.IO's `auth`. An address is no place for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

IN_URLS = frozenset({"token", "access_token", "auth_token", "id_token", "auth", "authorization", "bearer", "jwt"})
"""What people call it when they put it into an address, where every proxy on the way logs it."""


def in_header(environ: Mapping[str, Any]) -> str | None:
    """The bearer token of a request; `None` where there is none."""
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def in_payload(auth: Any) -> str | None:
    """The token in the `auth` of a CONNECT; `None` where there is none. What is no string is no token, and a wrong one."""
    if not isinstance(auth, dict) or auth.get("token") is None:
        return None
    token = auth["token"]
    return token if isinstance(token, str) else ""


def in_url(environ: Mapping[str, Any]) -> bool:
    """Whether the address of a request carries what looks like a token."""
    query = environ.get("QUERY_STRING", "")
    return bool(query) and any(unquote_plus(field.partition("=")[0]).lower() in IN_URLS for field in query.split("&"))
