"""A request as WSGI knows it (PEP 3333), made of what h11 read. Pure."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import h11

from web.http.connection import Connection
from web.http.head import bad

Environ = dict[str, Any]

CONNECTION = "tickercast.connection"
"""In the environment: the `Connection`, for who takes its socket."""
_PLAIN: Mapping[str, Any] = {
    "SCRIPT_NAME": "", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.multithread": True, "wsgi.multiprocess": False,
    "wsgi.run_once": False, "wsgi.errors": sys.stderr,
}  # fmt: skip


def environ_of(request: h11.Request, connection: Connection, server: tuple[str, str]) -> Environ:
    """The environment without a body. Raises `BadRequest` for a target that is none.

    Of headers that differ only in `-` and `_` WSGI could not tell which one came: those with `_` are left out, as by nginx.
    """
    environ: Environ = {
        **_PLAIN, "REQUEST_METHOD": request.method.decode("ascii"), "SERVER_PROTOCOL": "HTTP/" + request.http_version.decode("ascii"),
        "REMOTE_ADDR": connection.address, "REMOTE_PORT": str(connection.port), "SERVER_NAME": server[0], "SERVER_PORT": server[1],
        CONNECTION: connection}  # fmt: skip
    for name, value in request.headers:
        if b"_" in name:
            continue
        key = _key(name)
        text = value.decode("latin-1")
        environ[key] = text if key not in environ else environ[key] + ("; " if key == "HTTP_COOKIE" else ", ") + text
    target = request.target.decode("ascii")
    if not target.startswith("/") and target != "*":
        host, target = _absolute(target)
        environ["HTTP_HOST"] = host  # RFC 9112 section 3.2.2: the header does not count then
    path, _, environ["QUERY_STRING"] = target.partition("?")
    environ["PATH_INFO"] = path if "%" not in path else unquote_to_bytes(path).decode("latin-1")
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        environ["wsgi.input_terminated"] = True
    return environ


def _absolute(target: str) -> tuple[str, str]:
    """Host and path of a target in absolute form."""
    scheme, slashes, rest = target.partition("://")
    if scheme.lower() not in ("http", "https") or not slashes:
        raise bad("the target of a request is a path")
    at = min([place for sign in "/?" if (place := rest.find(sign)) >= 0], default=len(rest))
    host, path = rest[:at], rest[at:]
    if not host or "@" in host:
        raise bad("the target of a request is a path")
    return host, path if path.startswith("/") else "/" + path


_KEYS: dict[bytes, str] = {}
_MOST_KEYS = 256


def _key(name: bytes) -> str:
    """What WSGI calls a header; the usual ones are remembered."""
    key = _KEYS.get(name)
    if key is None:
        key = name.decode("ascii").upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key
        if len(_KEYS) < _MOST_KEYS:
            _KEYS[name] = key
    return key
