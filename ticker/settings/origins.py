"""Origins and names of hosts as the settings list them: in the one form that is compared, or refused with what to write instead."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

OF_NO_HOST = ("null", "file://")
"""Origins without a host. `null` is sent by a page in a sandboxed frame, whatever its site, and by some programs and small devices;
`file://` by some programs, too.
"""
HOST = re.compile(r"(?=[^.:])(?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_AUTHORITY = re.compile(r"((?:[a-z0-9_*-]+\.)*[a-z0-9_*-]+\.?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_DEFAULT_PORT = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


def origin(text: str) -> str:
    """An origin that may connect. Raises `ValueError` for what no client would ever send."""
    if text == "*" or text in OF_NO_HOST:
        return text
    if "*" in text:
        raise ValueError('a star stands for nothing here: list each origin, as "https://a.example.org"; "*" alone allows all')
    return _plain(text)


def framer(text: str) -> str:
    """An origin that may show a page of ours in a frame; browsers know `https://*.example.org` there."""
    if text in OF_NO_HOST:
        raise ValueError("browsers know no such origin of a frame")
    return text if text == "*" else _plain(text)


def host(text: str) -> str:
    """A name or an address that we answer to. Raises `ValueError` for what can't stand in `Host`."""
    if text == "*" or HOST.fullmatch(text):
        return _short(f"[{text}]")[1:-1] if ":" in text else text.lower()
    if "*" in text:
        raise ValueError('a star stands for nothing here: list each name, as "a.example.org"; "*" alone stands for any')
    name = _ascii(re.split(r"[/?#]", text.partition("://")[2] or text)[0])
    name = name.partition("]")[0].removeprefix("[") if name.startswith("[") else re.sub(r":[0-9]+$", "", name)
    instead = f': write "{name}"' if HOST.fullmatch(name) else ""
    raise ValueError(f"a host is a name or an address, without scheme, port and brackets{instead}")


def _plain(text: str) -> str:
    """Scheme, host and port as browsers write them."""
    scheme, separator, rest = text.lower().partition("://")
    authority = _ascii(re.split(r"[/?#]", rest)[0])
    if not separator:
        name = re.split(r"[/?#]", text.lower())[0]
        instead = f': write "https://{name}", or "http://{name}"' if _AUTHORITY.fullmatch(name) else ""
        raise ValueError(f"an origin begins with its scheme{instead}")
    parts = _AUTHORITY.fullmatch(authority)
    if not _SCHEME.fullmatch(scheme) or not parts:
        raise ValueError("an origin is scheme://host, with its port where that is not the usual one")
    port = "" if parts[2] is None else f":{_port(parts[2])}"
    origin = f"{scheme}://{_short(parts[1])}{'' if port == _DEFAULT_PORT.get(scheme) else port}"
    if rest not in (authority, authority + "/"):
        raise ValueError(f'nothing follows the host and port of an origin, and it is written in ASCII: write "{origin}"')
    return origin


def _port(digits: str) -> int:
    if int(digits) > 65_535:
        raise ValueError("a port is a number up to 65535")
    return int(digits)


def _short(name: str) -> str:
    """An IPv6 address without the zeros that need not be written; any other name as it is."""
    if not name.startswith("["):
        return name
    try:
        return f"[{IPv6Address(name[1:-1])}]"
    except AddressValueError:
        raise ValueError(f"{name[1:-1]} is no IPv6 address") from None


def _ascii(name: str) -> str:
    """A name with letters beyond ASCII as browsers send it."""
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
