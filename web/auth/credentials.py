"""Where a token may stand in what a client sends: the `Authorization` header and Socket.IO's `auth`. An address is no place for one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_plus

IN_URLS = frozenset({
    "token", "accesstoken", "authtoken", "apitoken", "idtoken", "refreshtoken", "sessiontoken", "admintoken", "bearertoken", "xauthtoken",
    "auth", "authorization", "bearer", "jwt", "credential", "credentials",
    "key", "apikey", "xapikey", "accesskey", "secretkey", "authkey", "secret", "apisecret", "clientsecret", "password", "passwd", "pwd"
})  # fmt: skip
"""What people call it when they put it into an address, where every proxy on the way logs it; without hyphens and the like."""

IN_AN_ADDRESS = "a token in an address is not accepted, for addresses are logged: send it as Authorization: Bearer …"


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
    """Whether the address of a request carries what looks like a token: in its query, or behind a semicolon in its path."""
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    if not query and ";" not in path and "%" not in path:
        return False
    segments = unquote(path).split("/")
    fields = [*(field for segment in segments for field in segment.split(";")[1:]), *re.split("[&;]", query)]
    return any(_plain(field.partition("=")[0]) in IN_URLS for field in fields)


def _plain(name: str) -> str:
    return re.sub(r"[-_.\s\[\]]", "", unquote_plus(name)).lower()
